import { ROW_RULES, type RowRule } from '../methods/rules.js';

/** Why a scored row is not in the training file, where it is not for a rule of the file's format. */
const OWN_REASONS = {
  failed: 'the row failed: it has no reward',
  unreadable: 'the row cannot be read',
  no_prompt: 'the row has no prompt',
  prompt_answered: 'the prompt ends with a message of the assistant',
  no_sample: 'the row has no sample with a text or tool calls',
  empty_answer: 'the answer is empty',
  below_bar: 'the reward is below the bar',
  not_passed: 'the answer did not pass',
  duplicate_answer: 'the prompt has the same answer already',
  better_taken: 'the prompt has as many better answers as are taken',
  single_answer: 'the only answer of its prompt',
  no_chosen: 'no answer of the prompt is good enough to be preferred',
  no_rejected: 'no answer of the prompt is bad enough to be rejected',
  margin: 'no two answers of the prompt are far enough apart',
  unpaired: 'no other answer of the prompt is left to pair it with',
  pairs_taken: 'the prompt has as many pairs as are taken',
  single_sample: 'the only sample of its prompt: there is no spread to see',
  no_spread: 'all samples of the prompt have the same reward',
  too_low: 'the mean reward of the prompt is below the band',
  too_high: 'the mean reward of the prompt is above the band',
  duplicate_row: 'another group gives the same training row',
  limit: 'behind the number of prompts that are taken',
} as const;

/** Why a row is left out: a reason of the choice, or the rule of the training file that it would break. */
export type Reason = keyof typeof OWN_REASONS | RowRule;

const REASONS: readonly Reason[] = [
  ...(Object.keys(OWN_REASONS) as (keyof typeof OWN_REASONS)[]),
  ...(Object.keys(ROW_RULES) as RowRule[]),
];
const NUMBERS = new Map(REASONS.map((reason, index) => [reason, index + 1]));

/** The number of a row that is not left out, or not yet. */
export const TAKEN = 0;

/** The number that stands for a reason in a column; not {@link TAKEN}. */
export const reasonNumber = (reason: Reason): number => NUMBERS.get(reason) ?? TAKEN;

/** How many rows are left out for a reason. */
export interface ReasonCount {
  readonly reason: Reason;
  /** The reason in words. */
  readonly summary: string;
  readonly rows: number;
  /** Number of the first such row in its dataset, from 0. */
  readonly first_row: number;
}

/**
 * Counts reasons, the most frequent first.
 *
 * @param reasons  of each result its reason's number
 * @param rowOf  the dataset row of a result
 */
export const countReasons = (
  reasons: Uint8Array,
  rowOf: (result: number) => number,
): readonly ReasonCount[] => {
  const counts = new Uint32Array(REASONS.length + 1);
  const firsts = new Uint32Array(REASONS.length + 1);
  reasons.forEach((reason, result) => {
    if (counts[reason] === 0) firsts[reason] = result;
    counts[reason] += 1;
  });
  return REASONS.map((reason, index) => ({
    reason,
    summary: summaryOf(reason),
    rows: counts[index + 1],
    first_row: rowOf(firsts[index + 1]),
  }))
    .filter(({ rows }) => rows > 0)
    .sort((a, b) => b.rows - a.rows);
};

const summaryOf = (reason: Reason): string =>
  Object.hasOwn(OWN_REASONS, reason)
    ? OWN_REASONS[reason as keyof typeof OWN_REASONS]
    : `invalid: ${ROW_RULES[reason as RowRule][1]}`;
