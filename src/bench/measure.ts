import { DatasetError } from '../dataset/error.js';
import type { ReadyGrader } from '../engine.js';
import type { ErrorCode } from '../errors.js';
import { FAILED, type ScoreColumns } from '../results/score-columns.js';
import type { RunOptions, RunResult } from '../run/run.js';
import { run } from '../threads.js';
import type { MeasuredReward } from './measured.js';
import { rewardRange } from './measure-range.js';

/** How the rows are graded: as in a run without output. */
export type MeasureOptions = Omit<RunOptions, 'output' | 'onScores' | 'keep' | 'resume' | 'retryFailed'>;

/** What grading all rows with one grader came to. */
export interface Measurement {
  readonly reward: MeasuredReward;
  /** `interrupted` also where the run ended by itself, which `halted` says why. */
  readonly status: RunResult['status'];
  readonly halted?: string;
  /** How many rows have an outcome, failed ones included; fewer than there are only where the run ended before. */
  readonly graded: number;
  readonly failed: number;
  /** Whether models were asked, or their recorded answers used. */
  readonly asksModels: boolean;
}

/**
 * Grades all rows with one grader and keeps the rewards as columns.
 *
 * @param name  as the report calls it
 * @param count  how many rows there are
 * @throws DatasetError, also when the dataset has another number of rows by now; WriteError
 */
export const measureReward = async (
  grader: ReadyGrader,
  name: string,
  count: number,
  options: MeasureOptions,
): Promise<Measurement> => {
  const columns = new RewardColumns(count, [...grader.members, ...grader.criteria]);
  const { status, halted, summary } = await run(grader, {
    ...options,
    onScores: (scores) => columns.add(scores),
  });
  if (status === 'complete' && columns.graded !== count)
    throw changed(summary.dataset, count, columns.graded);
  const { models, judges, seconds, failed } = summary;
  return {
    status,
    ...(halted !== undefined && { halted }),
    graded: columns.graded,
    failed,
    asksModels: models !== undefined || judges !== undefined,
    reward: {
      name,
      signature: grader.signature,
      rewards: columns.rewards,
      parts: columns.parts,
      range: rewardRange(grader.origin.config),
      graded: columns.graded,
      failures: columns.failures,
      seconds,
      ...(models !== undefined && { models }),
    },
  };
};

const changed = (dataset: string, before: number, after: number): DatasetError =>
  new DatasetError(`${dataset} has changed while it was benched: it had ${before} rows, and now ${after}`);

/** Collects the scores of a run, in row order. */
class RewardColumns {
  /** How many rows there were so far. */
  graded = 0;
  readonly rewards: Float64Array;
  readonly parts: ReadonlyMap<string, Float64Array>;
  readonly failures: Partial<Record<ErrorCode, number>> = {};

  /** @param parts  the names of members or criteria */
  constructor(
    private readonly count: number,
    parts: readonly string[],
  ) {
    this.rewards = new Float64Array(count).fill(NaN);
    this.parts = new Map(parts.map((part) => [part, new Float64Array(count).fill(NaN)]));
  }

  add(scores: ScoreColumns): void {
    const { graded } = this;
    this.graded += scores.count;
    // The dataset has grown; what is behind its end as it was is not kept, and told at the end.
    if (this.graded > this.count) return;
    copyRewards(scores, this.rewards.subarray(graded));
    for (const code of scores.codes) this.failures[code] = (this.failures[code] ?? 0) + 1;
    for (const [name, values] of scores.members) this.parts.get(name)?.set(values, graded);
    for (const [name, inner] of scores.criteria) {
      const part = this.parts.get(name);
      if (part !== undefined) copyRewards(inner, part.subarray(graded), scores.bare);
    }
  }
}

/** @param skipped  places, ascending, that the columns have nothing for */
const copyRewards = (
  { count, rewards, outcomes }: ScoreColumns,
  into: Float64Array,
  skipped: readonly number[] = [],
): void => {
  let passed = 0;
  for (let row = 0; row < count; row += 1) {
    while (skipped[passed] === row + passed) passed += 1;
    if (outcomes[row] !== FAILED) into[row + passed] = rewards[row];
  }
};
