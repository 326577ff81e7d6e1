import type { ErrorCode } from '../errors.js';
import { RunningHistogram, type Bin } from '../stats/histogram.js';
import { meanInterval, shareInterval, type Interval } from '../stats/interval.js';
import { RunningMoments } from '../stats/running.js';
import { FAILED, PASSED, SCORED, type ScoreColumns } from './score-columns.js';

/** How a number came out over the scored rows. */
export interface RewardSummary {
  readonly count: number;
  /** null when no row was scored; failed rows never enter it. */
  readonly mean: number | null;
  /** 95 % confidence interval of the mean, by Student's t; null below two rows. */
  readonly mean_interval: Interval | null;
  readonly standard_deviation: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

/** How many scored rows passed. */
export interface PassSummary {
  readonly passed: number;
  readonly total: number;
  readonly rate: number | null;
  /** 95 % confidence interval of the rate, by Wilson's score method. */
  readonly rate_interval: Interval | null;
}

/** What a run gave, over all of its rows. */
export interface ScoreSummary extends RewardSummary {
  readonly rows: number;
  readonly scored: number;
  readonly failed: number;
  /** Why rows failed: error code → rows. */
  readonly failed_by_code: Readonly<Partial<Record<ErrorCode, number>>>;
  /** The mean as the hosted API would have had it, failed rows counted as 0; null without failed rows. */
  readonly hosted_mean: number | null;
  /** Where the configuration defines what passes. */
  readonly pass?: PassSummary;
  /** The members of a multi, over the rows where they gave a reward. */
  readonly sub_rewards?: Readonly<Record<string, RewardSummary>>;
  /** Each criterion of an eval. */
  readonly criteria?: Readonly<Record<string, ScoreSummary>>;
  readonly histogram: readonly Bin[];
}

/** Adds up scores in constant memory. Add them in row order: the last bit of a mean depends on it. */
export class ScoreTally {
  private rows = 0;
  private failed = 0;
  private passed = 0;
  private judged = 0;
  private readonly moments = new RunningMoments();
  /** Sum of what the hosted API would have given the failed rows. */
  private hostedSum = 0;
  private readonly histogram = new RunningHistogram();
  private readonly codes = new Map<ErrorCode, number>();
  private readonly members = new Map<string, RunningMoments>();
  private readonly criteria = new Map<string, ScoreTally>();

  add({ count, rewards, outcomes, codes, members, criteria }: ScoreColumns): void {
    for (let row = 0; row < count; row += 1) this.addRow(rewards[row], outcomes[row]);
    for (const code of codes) this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
    for (const [key, values] of members) {
      const moments = entry(this.members, key, RunningMoments);
      for (const value of values) moments.add(value);
    }
    for (const [name, columns] of criteria) entry(this.criteria, name, ScoreTally).add(columns);
  }

  private addRow(reward: number, outcome: number): void {
    this.rows += 1;
    if (outcome === FAILED) {
      this.failed += 1;
      this.hostedSum += reward;
      return;
    }
    this.moments.add(reward);
    this.histogram.add(reward);
    if (outcome === SCORED) return;
    this.judged += 1;
    if (outcome === PASSED) this.passed += 1;
  }

  get failedRows(): number {
    return this.failed;
  }

  private get hostedMean(): number {
    const { count, mean = 0 } = this.moments;
    return (mean * count + this.hostedSum) / this.rows;
  }

  summary(): ScoreSummary {
    return {
      rows: this.rows,
      scored: this.moments.count,
      failed: this.failed,
      failed_by_code: Object.fromEntries([...this.codes].sort(([a], [b]) => (a < b ? -1 : 1))),
      ...summarize(this.moments),
      hosted_mean: this.failed === 0 ? null : this.hostedMean,
      ...(this.judged === 0 ? {} : { pass: passSummary(this.passed, this.judged) }),
      ...(this.members.size === 0 ? {} : { sub_rewards: mapValues(this.members, summarize) }),
      ...(this.criteria.size === 0 ? {} : { criteria: mapValues(this.criteria, (tally) => tally.summary()) }),
      histogram: this.histogram.toBins(),
    };
  }
}

const entry = <Value>(map: Map<string, Value>, key: string, create: new () => Value): Value => {
  const found = map.get(key);
  if (found !== undefined) return found;
  const created = new create();
  map.set(key, created);
  return created;
};

const mapValues = <From, To>(
  map: ReadonlyMap<string, From>,
  change: (value: From) => To,
): Record<string, To> => Object.fromEntries([...map].map(([key, value]) => [key, change(value)]));

const summarize = (moments: RunningMoments): RewardSummary => {
  const { count, mean, variance } = moments;
  const empty = mean === undefined;
  return {
    count,
    mean: mean ?? null,
    mean_interval: empty ? null : (meanInterval(mean, variance, count) ?? null),
    standard_deviation: count < 2 ? null : Math.sqrt(variance),
    min: empty ? null : moments.min,
    max: empty ? null : moments.max,
  };
};

const passSummary = (passed: number, total: number): PassSummary => ({
  passed,
  total,
  rate: passed / total,
  rate_interval: shareInterval(passed, total) ?? null,
});
