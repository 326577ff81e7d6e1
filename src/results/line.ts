import type { Score } from '../score.js';

/** What a result line carries beside the score. */
export interface LineExtras {
  /** JSON text of the row's id. */
  readonly id?: string;
  /** JSON text of the part of the row that is kept. */
  readonly input?: string;
}

/**
 * One line of a results file, with its newline. Lines hold nothing that changes from run to run: the same rows and
 * the same grader give the same bytes.
 */
export const resultLine = (row: number, score: Score, extras?: LineExtras): string => {
  const number = rowText(row);
  const id = extras?.id === undefined ? '' : `"id":${extras.id},`;
  const input = extras?.input === undefined ? '' : `,"input":${extras.input}`;
  if (isPlain(score)) {
    const passed = score.passed === undefined ? '' : `,"passed":${score.passed}`;
    return `{"row":${number},${id}"status":"scored","reward":${score.reward}${passed}${input}}\n`;
  }
  // The wire's names; `sub_rewards` of a row, not of its results, keeps the order of the formula's variables.
  return `{"row":${number},${id}${JSON.stringify(toWire(score)).slice(1, -1)}${input}}\n`;
};

const isPlain = (score: Score): score is Extract<Score, { status: 'scored' }> =>
  score.status === 'scored' && score.subRewards === undefined && score.results === undefined;

/** A score with the names used in files. */
const toWire = (score: Score): Record<string, unknown> => ({
  status: score.status,
  ...(score.status === 'scored'
    ? { reward: score.reward, passed: score.passed }
    : { code: score.code, message: score.message, errors: score.errors }),
  sub_rewards: score.subRewards,
  hosted_reward: score.status === 'failed' ? score.hostedReward : undefined,
  results: score.results?.map(({ name, ...result }) => ({ name, ...toWire(result) })),
});

const THOUSANDS = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, '0'));
let lastThousand = -1;
let lastThousandText = '';

/**
 * `String(row)`, in a way that leaves no trace: V8 remembers the texts of numbers it has written, and a million row
 * numbers that stay alive for that cost a tenth of a run in garbage collection.
 */
const rowText = (row: number): string => {
  if (row < 1000) return String(row);
  const thousand = Math.floor(row / 1000);
  if (thousand !== lastThousand) {
    lastThousand = thousand;
    lastThousandText = String(thousand);
  }
  return lastThousandText + THOUSANDS[row % 1000];
};
