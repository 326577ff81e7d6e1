import type { Interval } from '../stats/interval.js';
import type { IntervalMethod } from '../stats/mean-difference.js';
import { comparePaired, type PairedResult, type PairedTest } from '../stats/paired.js';
import { RunningMoments } from '../stats/running.js';
import { ResultsError } from './read.js';

/** How one number, such as the reward, differs between two runs. Differences are B − A. */
export interface MeasureComparison {
  /** Pairs in which both runs have this number. */
  readonly pairs: number;
  /** Independent groups of pairs; null when every pair is one of its own. */
  readonly clusters: number | null;
  readonly mean_a: number;
  readonly mean_b: number;
  /** Mean of the differences. */
  readonly difference: number;
  /** 95 % confidence interval of the mean difference; null when every pair has the same difference. */
  readonly interval: Interval | null;
  readonly interval_method: IntervalMethod | null;
  /** Of the mean difference, allowing for clusters. */
  readonly standard_error: number;
  /** Of the differences. */
  readonly standard_deviation: number;
  /** Pairs in which B is above A, equal, below. */
  readonly better: number;
  readonly same: number;
  readonly worse: number;
  /** Whether all values are 0 or 1. */
  readonly binary: boolean;
  readonly test: PairedTest['name'];
  readonly test_method: PairedTest['method'];
  /** Two-sided, not adjusted. */
  readonly p: number;
  /** McNemar's mid-p, for `mcnemar` alone. */
  readonly mid_p?: number;
  /** By Holm's method, over all members and criteria; only those have it. */
  readonly p_adjusted?: number;
  readonly effect: EffectSizes;
  /** The smallest true difference that these pairs would show with a power of 80 % (5 %, two-sided); null without spread. */
  readonly detectable_difference: number | null;
  /** Pairs that would show the difference seen with that power; null when there is none. */
  readonly pairs_needed: number | null;
}

/** The size of a difference without its unit. */
export interface EffectSizes {
  /** Cohen's d for pairs: the mean difference over the standard deviation of the differences. */
  readonly d_z: number | null;
  /** Matched-pairs rank-biserial correlation, from -1 to 1; only with Wilcoxon's test. */
  readonly rank_biserial: number | null;
  /** Share of pairs in which B is above A, minus the share in which it is below. */
  readonly better_minus_worse: number;
}

/** Differences that rounding alone can make are none. */
const ROUNDING = 1e-12;

/** The values of one number in two runs, pair by pair. Kept are the differences and their clusters. */
export class PairedMeasure {
  private readonly a = new RunningMoments();
  private readonly b = new RunningMoments();
  private binary = true;
  private count = 0;
  private differences = new Float64Array(256);
  private clusters = new Int32Array(256);

  /** @returns the difference B − A, 0 where only rounding separates the two */
  add(a: number, b: number, cluster: number): number {
    this.a.add(a);
    this.b.add(b);
    this.binary &&= (a === 0 || a === 1) && (b === 0 || b === 1);
    const raw = b - a;
    const difference = Math.abs(raw) <= ROUNDING * Math.max(Math.abs(a), Math.abs(b)) ? 0 : raw;
    if (this.count === this.differences.length) this.grow();
    this.differences[this.count] = difference;
    this.clusters[this.count] = cluster;
    this.count += 1;
    return difference;
  }

  /**
   * @param clustered  whether any two pairs of the comparison share a cluster
   * @returns undefined without pairs
   * @throws ResultsError when the values are near the largest number there is
   */
  compare(clustered: boolean): MeasureComparison | undefined {
    const result = comparePaired({
      differences: this.differences.subarray(0, this.count),
      binary: this.binary,
      clusters: clustered ? this.clusters.subarray(0, this.count) : undefined,
    });
    if (result === undefined) return undefined;
    if (!Number.isFinite(result.standardError))
      throw new ResultsError('some rewards are too large for their differences to be added up');
    return { mean_a: this.a.mean ?? 0, mean_b: this.b.mean ?? 0, binary: this.binary, ...toWire(result) };
  }

  private grow(): void {
    const { differences, clusters } = this;
    this.differences = new Float64Array(this.count * 2);
    this.differences.set(differences);
    this.clusters = new Int32Array(this.count * 2);
    this.clusters.set(clusters);
  }
}

const toWire = (result: PairedResult): Omit<MeasureComparison, 'mean_a' | 'mean_b' | 'binary'> => {
  const { test, pairs, better, worse } = result;
  return {
    pairs,
    clusters: result.clusters ?? null,
    difference: result.mean,
    interval: result.interval ?? null,
    interval_method: result.intervalMethod ?? null,
    standard_error: result.standardError,
    standard_deviation: result.standardDeviation,
    better,
    same: result.same,
    worse,
    test: test.name,
    test_method: test.method,
    p: test.p,
    ...(test.midP === undefined ? {} : { mid_p: test.midP }),
    effect: {
      d_z: result.standardDeviation === 0 ? null : result.mean / result.standardDeviation,
      rank_biserial: result.rankBiserial ?? null,
      better_minus_worse: (better - worse) / pairs,
    },
    detectable_difference: result.detectable ?? null,
    pairs_needed: result.pairsNeeded ?? null,
  };
};
