import { KeyNumbers } from '../results/key-numbers.js';
import { ResultsError, visitResults, type ResultRow } from '../results/read.js';
import { FAILED, NOT_PASSED, PASSED, SCORED } from '../results/score-columns.js';

const FIRST_ROOM = 1 << 12;
const MAX_ROW = 2 ** 32 - 1;

/** No sample number, no group. */
export const NONE = -1;

/** The lines of a results file as columns: 21 bytes a line, so that millions of them are at hand. */
export class ScoreTable {
  count = 0;
  /** The number of the dataset row, from 0. */
  rows = new Uint32Array(FIRST_ROOM);
  /** Which of several samples of the row, or {@link NONE}. */
  samples = new Int32Array(FIRST_ROOM);
  /** NaN for rows that failed. */
  rewards = new Float64Array(FIRST_ROOM);
  /** One of the outcomes in `score-columns.ts`. */
  outcomes = new Uint8Array(FIRST_ROOM);
  /** The number of the group that the line names, or {@link NONE}. */
  groups = new Int32Array(FIRST_ROOM);
  private readonly names = new KeyNumbers();

  add({ row, sample = NONE, group, score }: ResultRow): void {
    if (this.count === this.rows.length) this.grow();
    const at = this.count++;
    this.rows[at] = row;
    this.samples[at] = sample;
    this.groups[at] = group === undefined || group === 'null' ? NONE : this.names.numberOf(group);
    this.rewards[at] = score.status === 'scored' ? score.reward : NaN;
    if (score.status === 'failed') this.outcomes[at] = FAILED;
    else if (score.passed === undefined) this.outcomes[at] = SCORED;
    else this.outcomes[at] = score.passed ? PASSED : NOT_PASSED;
  }

  private grow(): void {
    this.rows = longer(this.rows, new Uint32Array(2 * this.rows.length));
    this.samples = longer(this.samples, new Int32Array(2 * this.samples.length));
    this.rewards = longer(this.rewards, new Float64Array(2 * this.rewards.length));
    this.outcomes = longer(this.outcomes, new Uint8Array(2 * this.outcomes.length));
    this.groups = longer(this.groups, new Int32Array(2 * this.groups.length));
  }
}

/** A column in twice the memory. */
export const longer = <Column extends { set(values: Column): void }>(
  column: Column,
  grown: Column,
): Column => {
  grown.set(column);
  return grown;
};

/**
 * Reads a results file.
 *
 * @throws ResultsError
 */
export const readScoreTable = async (path: string): Promise<ScoreTable> => {
  const table = new ScoreTable();
  await visitResults(path, (result) => {
    if (result.row > MAX_ROW)
      throw new ResultsError(`${path}:${result.line}: row: ${result.row} is too large a number`);
    table.add(result);
  });
  return table;
};
