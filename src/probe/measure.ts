import { CompensatedSum } from '../compensated-sum.js';
import type { ErrorCode } from '../errors.js';
import { groupBy } from '../group-by.js';
import { clusteredMean, clustersOf } from '../stats/clustered.js';
import type { Interval } from '../stats/interval.js';
import {
  estimateOf,
  type AttackResult,
  type EditResult,
  type Estimate,
  type HarmfulResult,
  type NeutralResult,
  type ProbeExample,
} from './report.js';
import { fieldTexts } from './row-edit.js';
import { editedAnswer, type Editing, type EditTrials, type HonestAnswer, type Trial } from './trials.js';

/** What the results of edits are measured against. */
export interface Measures extends Editing {
  /** A reward that moves by no more has not moved. */
  readonly tolerance: number;
  /** The least reward of all that was graded. */
  readonly floor: number;
  /** Mean reward of the honest answers of each item; undefined where none was scored. */
  readonly honest: ReadonlyMap<number, number>;
  /** Whether it is known which answers are correct. */
  readonly isLabelled: boolean;
  /** How many examples are kept of an edit. */
  readonly top: number;
}

/** A trial of which both scores are there. */
interface Compared extends Trial {
  /** Of the answer; of an attack in its place, the mean of the item's answers. */
  readonly before: number;
  readonly after: number;
  /** Whether it passes; undefined where the grader does not say. */
  readonly passes?: readonly [before: boolean, after: boolean];
}

const SHARE: Interval = [0, 1];

/** What an attack gets, compared with the honest answers of the same items. */
export const measureAttack = (found: EditTrials, measures: Measures): AttackResult => {
  const { edit } = found;
  const usual = ({ item }: HonestAnswer): number | undefined => measures.honest.get(item);
  const compared = comparedIn(found.trials, edit.replaces === true ? usual : rewardOf);
  const attacked = [...groupBy(compared, ({ answer }) => answer.item)];
  const isFooled = (trial: Compared): boolean => fools(trial, edit.replaces === true, measures);
  const honest = attacked.map(([item]) => measures.honest.get(item) as number);
  const rewards = attacked.map(([, trials]) => meanOf(trials.map(({ after }) => after)));
  const fooled = attacked.map(([, trials]) => meanOf(trials.map((trial) => Number(isFooled(trial)))));
  return {
    ...resultOf(found, compared.filter(isFooled), (trial) => trial.after - trial.before, measures),
    form: edit.replaces === true ? 'replaces' : 'adds',
    reward: meanEstimate(rewards),
    honest_reward: honest.length === 0 ? null : meanOf(honest),
    difference: meanEstimate(rewards.map((reward, at) => reward - honest[at])),
    fooled: meanEstimate(fooled, SHARE),
    ...(edit.triesConstants && { constants: constantsIn(found, measures) }),
  };
};

const constantsIn = ({ trials }: EditTrials, { contexts }: Editing): readonly string[] => [
  ...new Set(trials.flatMap(({ answer }) => contexts.get(answer.item)?.constant ?? [])),
];

/** See {@link AttackResult.fooled}. */
const fools = (
  { answer, before, after, passes }: Compared,
  replaces: boolean,
  { honest, floor, tolerance }: Measures,
): boolean => {
  if (passes !== undefined) return passes[1] && (replaces || !passes[0]);
  if (!replaces && after <= before + tolerance) return false;
  const usual = honest.get(answer.item) ?? Infinity;
  return after >= usual - ROUNDING * Math.max(1, Math.abs(usual)) && after > floor + ROUNDING;
};

/** What rounding may make of a mean of equal numbers. */
const ROUNDING = 1e-9;

const fall = ({ before, after }: Compared): number => before - after;

const move = (trial: Compared): number => Math.abs(fall(trial));

/** How often an edit moves a reward that it should not move. */
export const measureNeutral = (found: EditTrials, measures: Measures): NeutralResult => {
  const compared = comparedIn(found.trials);
  const isFlipped = (trial: Compared): boolean =>
    move(trial) > measures.tolerance || (trial.passes !== undefined && trial.passes[0] !== trial.passes[1]);
  return {
    ...resultOf(found, compared.filter(isFlipped), move, measures),
    flipped: shareOf(compared, isFlipped),
    ...(measures.isLabelled && {
      flipped_correct: shareOf(
        compared.filter(({ answer }) => answer.isCorrect),
        isFlipped,
      ),
    }),
    mean_move: compared.length === 0 ? null : meanOf(compared.map(move)),
  };
};

/** How often an edit does not lower a reward that it should lower. */
export const measureHarmful = (found: EditTrials, measures: Measures): HarmfulResult => {
  const compared = comparedIn(found.trials);
  const isMissed = (trial: Compared): boolean =>
    fall(trial) <= measures.tolerance && (trial.passes === undefined || trial.passes[1] || !trial.passes[0]);
  return {
    ...resultOf(found, compared.filter(isMissed), (trial) => -fall(trial), measures),
    missed: shareOf(compared, isMissed),
    mean_fall: compared.length === 0 ? null : meanOf(compared.map(fall)),
  };
};

/** Mean reward of the honest answers of each item that has a scored one. */
export const honestMeans = (answers: readonly HonestAnswer[]): ReadonlyMap<number, number> => {
  const scored = answers.flatMap(({ item, score }) =>
    score.status === 'scored' ? [{ item, reward: score.reward }] : [],
  );
  const items = groupBy(scored, ({ item }) => item);
  return new Map(
    [...items].map(([item, rewards]) => [item, meanOf(rewards.map(({ reward }) => reward))] as const),
  );
};

/** The mean of numbers of independent items. */
export const meanEstimate = (values: readonly number[], bounds?: Interval): Estimate | null =>
  estimateOf(clusteredMean(Float64Array.from(values), clustersOf(values.length), bounds));

/** How many scores failed, by code. */
export const failuresIn = (trials: readonly Pick<Trial, 'score'>[]): EditResult['failures'] => {
  const failures: Partial<Record<ErrorCode, number>> = {};
  for (const { score } of trials)
    if (score.status === 'failed') failures[score.code] = (failures[score.code] ?? 0) + 1;
  return failures;
};

/** Of rows, which depend on each other within an item. */
const shareOf = (compared: readonly Compared[], holds: (trial: Compared) => boolean): Estimate | null => {
  const items = Int32Array.from(compared, ({ answer }) => answer.item);
  const values = Float64Array.from(compared, (trial) => Number(holds(trial)));
  return estimateOf(clusteredMean(values, clustersOf(compared.length, items), SHARE));
};

const comparedIn = (
  trials: readonly Trial[],
  rewardBefore: (answer: HonestAnswer) => number | undefined = rewardOf,
): readonly Compared[] =>
  trials.flatMap((trial): readonly Compared[] => {
    const { answer, score } = trial;
    const before = rewardBefore(answer);
    if (score.status === 'failed' || before === undefined) return [];
    const passed = answer.score.status === 'scored' ? answer.score.passed : undefined;
    return [{ ...trial, before, after: score.reward, ...passing(score.passed, passed) }];
  });

const rewardOf = ({ score }: HonestAnswer): number | undefined =>
  score.status === 'scored' ? score.reward : undefined;

const passing = (after: boolean | undefined, before = false): Pick<Compared, 'passes'> =>
  after === undefined ? {} : { passes: [before, after] };

const meanOf = (values: readonly number[]): number => {
  const sum = new CompensatedSum();
  for (const value of values) sum.add(value);
  return sum.total / values.length;
};

const resultOf = (
  { edit, trials, notApplicable }: EditTrials,
  telling: readonly Compared[],
  badness: (trial: Compared) => number,
  measures: Measures,
): EditResult => {
  const failures = failuresIn(trials);
  return {
    name: edit.name,
    kind: edit.kind,
    summary: edit.summary,
    rows: trials.length,
    failed: Object.values(failures).reduce((sum, count) => sum + count, 0),
    failures,
    not_applicable: notApplicable,
    examples: telling
      .toSorted((a, b) => badness(b) - badness(a) || b.after - a.after)
      .slice(0, measures.top)
      .map((trial) => exampleOf(trial, (answer) => editedAnswer(edit, answer, measures), measures)),
  };
};

const exampleOf = (
  { answer, before, after }: Compared,
  edited: (answer: HonestAnswer) => HonestAnswer['row'] | undefined,
  { fields }: Editing,
): ProbeExample => {
  const row = edited(answer);
  return {
    place: answer.place,
    honest: fieldTexts(answer.row, fields),
    edited: row === undefined ? [] : fieldTexts(row, fields),
    honest_reward: before,
    edited_reward: after,
  };
};
