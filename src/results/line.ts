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
  const id = extras?.id === undefined ? '' : `"id":${extras.id},`;
  const input = extras?.input === undefined ? '' : `,"input":${extras.input}`;
  if (score.status === 'scored' && score.subRewards === undefined && score.results === undefined) {
    const passed = score.passed === undefined ? '' : `,"passed":${score.passed}`;
    return `{"row":${row},${id}"status":"scored","reward":${score.reward}${passed}${input}}\n`;
  }
  // The wire's names; `sub_rewards` of a row, not of its results, keeps the order of the formula's variables.
  return `{"row":${row},${id}${JSON.stringify(toWire(score)).slice(1, -1)}${input}}\n`;
};

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
