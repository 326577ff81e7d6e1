import type { ErrorCode } from '../errors.js';
import type { Score } from '../score.js';

/** An outcome, which is what a score says beside its reward: the row has failed. */
export const FAILED = 0;
/** The outcome of a row with a reward, where nothing says what passes. */
export const SCORED = 1;
/** The outcome of a row whose reward does not pass. */
export const NOT_PASSED = 2;
/** The outcome of a row that passes. */
export const PASSED = 3;

/**
 * What rows of one group have in common: the number of the dataset row that they are samples of, or the JSON text that
 * names the group.
 */
export type GroupKey = number | string;

/** The group that a result line belongs to; undefined for one that stands alone. */
export const groupKey = (
  row: number,
  { sample, group }: { readonly sample?: number; readonly group?: string },
): GroupKey | undefined => {
  if (group !== undefined) return group === 'null' ? undefined : group;
  return sample === undefined ? undefined : row;
};

/**
 * What a summary needs of the scores of some rows, as columns: cheap to fill, and to hand from one thread to another.
 * Read them row by row, or each column by itself; the order within a column is that of the rows.
 */
export interface ScoreColumns {
  readonly count: number;
  /** At least `count` long; of failed rows, the reward the hosted API would have given. */
  readonly rewards: Float64Array;
  /** {@link FAILED}, {@link SCORED}, {@link NOT_PASSED} or {@link PASSED}; at least `count` long. */
  readonly outcomes: Uint8Array;
  /** The codes of the failed rows. */
  readonly codes: readonly ErrorCode[];
  /** The group of each row, undefined for one that stands alone; missing where all do, also at the end. */
  readonly groups: readonly (GroupKey | undefined)[];
  /** The rewards of each member; NaN for rows without one, which are missing at the end. */
  readonly members: ReadonlyMap<string, readonly number[]>;
  /** The outcomes of each criterion, of the rows that have any: all but those in `bare`. */
  readonly criteria: ReadonlyMap<string, ScoreColumns>;
  /** Places of the rows that failed before anything in them was graded; ascending. */
  readonly bare: readonly number[];
}

/** Fills columns with one score after the other. */
export class ScoreCollector implements ScoreColumns {
  count = 0;
  rewards = new Float64Array(1 << 10);
  outcomes = new Uint8Array(1 << 10);
  codes: ErrorCode[] = [];
  groups: (GroupKey | undefined)[] = [];
  members = new Map<string, number[]>();
  criteria = new Map<string, ScoreCollector>();
  bare: number[] = [];

  add(score: Score, group?: GroupKey): void {
    if (this.count === this.outcomes.length) this.grow();
    const at = this.count++;
    if (score.status === 'scored') {
      this.rewards[at] = score.reward;
      this.outcomes[at] = score.passed === undefined ? SCORED : score.passed ? PASSED : NOT_PASSED;
    } else {
      this.rewards[at] = score.hostedReward ?? 0;
      this.outcomes[at] = FAILED;
      this.codes.push(score.code);
    }
    if (group !== undefined) putAt(this.groups, at, group, undefined);
    const { subRewards, results } = score;
    if (subRewards !== undefined) {
      for (const key in subRewards) putAt(this.member(key), at, subRewards[key], NaN);
    }
    if (results !== undefined) {
      for (const result of results) this.criterion(result.name).add(result, group);
    } else if (score.status === 'failed') this.bare.push(at);
  }

  clear(): void {
    this.count = 0;
    this.codes = [];
    this.groups = [];
    this.members.clear();
    this.criteria.clear();
    this.bare = [];
  }

  private member(key: string): number[] {
    const found = this.members.get(key);
    if (found !== undefined) return found;
    const created: number[] = [];
    this.members.set(key, created);
    return created;
  }

  private criterion(name: string): ScoreCollector {
    const found = this.criteria.get(name);
    if (found !== undefined) return found;
    const created = new ScoreCollector();
    this.criteria.set(name, created);
    return created;
  }

  private grow(): void {
    const rewards = new Float64Array(this.rewards.length * 2);
    rewards.set(this.rewards);
    const outcomes = new Uint8Array(this.outcomes.length * 2);
    outcomes.set(this.outcomes);
    this.rewards = rewards;
    this.outcomes = outcomes;
  }
}

/** Puts a value behind those that are there, at its place. */
const putAt = <Value>(column: Value[], place: number, value: Value, missing: Value): void => {
  while (column.length < place) column.push(missing);
  column.push(value);
};

/** The columns in as little memory as they need; plain data that can be posted, and stays when the collector is cleared. */
export const snapshot = (columns: ScoreColumns): ScoreColumns => ({
  count: columns.count,
  rewards: columns.rewards.slice(0, columns.count),
  outcomes: columns.outcomes.slice(0, columns.count),
  codes: columns.codes,
  groups: columns.groups,
  members: new Map(columns.members),
  criteria: new Map([...columns.criteria].map(([name, inner]) => [name, snapshot(inner)])),
  bare: columns.bare,
});
