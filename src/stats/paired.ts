import type { Interval } from './interval.js';
import { mcnemarTest } from './mcnemar.js';
import {
  detectableDifference,
  estimateMean,
  meanDifferenceInterval,
  pairsNeeded,
  type IntervalMethod,
  type MeanEstimate,
  type MethodInterval,
  type Units,
} from './mean-difference.js';
import { pairedShareInterval } from './paired-proportions.js';
import { signFlipTest } from './sign-flip.js';
import { wilcoxonTest } from './wilcoxon.js';

/** What two measurements of the same things differ by: differences are candidate − baseline. */
export interface PairedDifferences {
  readonly differences: Float64Array;
  /** Both measurements are 0 or 1, so that a difference is a change of mind. */
  readonly binary: boolean;
  /** For each difference the number of its cluster, from 0; absent when pairs are independent. */
  readonly clusters?: Int32Array;
}

/** Which test gave a p value, and how it was reckoned. */
export interface PairedTest {
  readonly name: 'mcnemar' | 'wilcoxon_signed_rank' | 'cluster_sign_flip';
  readonly method: 'exact' | 'normal' | 'random';
  /** Two-sided. */
  readonly p: number;
  /** McNemar's alone: see {@link mcnemarTest}. */
  readonly midP?: number;
}

/** What can be said about paired differences. */
export interface PairedResult {
  readonly pairs: number;
  /** Clusters with at least one pair; undefined when pairs are independent. */
  readonly clusters?: number;
  readonly mean: number;
  /** 95 % confidence interval of the mean; undefined where no spread was seen. */
  readonly interval?: Interval;
  readonly intervalMethod?: IntervalMethod;
  /** Of the mean, allowing for clusters. */
  readonly standardError: number;
  /** Of single differences. */
  readonly standardDeviation: number;
  /** Pairs in which the candidate is above, at and below the baseline. */
  readonly better: number;
  readonly same: number;
  readonly worse: number;
  readonly test: PairedTest;
  /** Matched-pairs rank-biserial correlation, -1 to 1; undefined when no pair differs, or where ranks were not used. */
  readonly rankBiserial?: number;
  /** The smallest true difference that would be noticed with a power of 80 %. */
  readonly detectable?: number;
  /** Pairs that would notice the difference seen with a power of 80 %. */
  readonly pairsNeeded?: number;
}

/**
 * Compares two measurements of the same things, choosing what fits.
 *
 * | pairs | interval of the mean | test |
 * |---|---|---|
 * | independent, 0 or 1 | Tango's score interval | McNemar's exact test |
 * | independent, other | studentised bootstrap | Wilcoxon's signed-rank test |
 * | in clusters | studentised bootstrap of clusters | sign-flip test of clusters |
 *
 * @returns undefined without differences
 */
export const comparePaired = (paired: PairedDifferences): PairedResult | undefined => {
  const { differences } = paired;
  if (differences.length === 0) return undefined;
  const units = unitsOf(paired);
  const estimate = estimateMean(units);
  const clustered = units.sizes !== undefined;
  const counts = countSigns(differences);
  const interval = intervalOf(paired, units, estimate, counts);
  return {
    pairs: differences.length,
    ...(clustered ? { clusters: estimate.units } : {}),
    mean: estimate.mean,
    interval: interval?.ends,
    intervalMethod: interval?.method,
    standardError: estimate.standardError,
    standardDeviation: deviationOf(differences, estimate),
    ...counts,
    ...testOf(paired, units, counts),
    detectable: detectableDifference(estimate),
    pairsNeeded: pairsNeeded(estimate),
  };
};

/** Adds differences up by cluster; clusters of one pair each are no clusters. */
const unitsOf = ({ differences, clusters }: PairedDifferences): Units => {
  if (clusters === undefined) return { sums: differences };
  const count = clusters.reduce((largest, cluster) => Math.max(largest, cluster), -1) + 1;
  const sums = new Float64Array(count);
  const sizes = new Float64Array(count);
  clusters.forEach((cluster, pair) => {
    sums[cluster] += differences[pair];
    sizes[cluster] += 1;
  });
  if (sizes.every((size) => size <= 1)) return { sums: differences };
  return { sums: sums.filter((_, unit) => sizes[unit] > 0), sizes: sizes.filter((size) => size > 0) };
};

interface SignCounts {
  readonly better: number;
  readonly same: number;
  readonly worse: number;
}

const countSigns = (differences: Float64Array): SignCounts => {
  let [better, worse] = [0, 0];
  for (const difference of differences) {
    if (difference > 0) better += 1;
    else if (difference < 0) worse += 1;
  }
  return { better, same: differences.length - better - worse, worse };
};

const intervalOf = (
  { differences, binary }: PairedDifferences,
  units: Units,
  estimate: MeanEstimate,
  { better, worse }: SignCounts,
): MethodInterval | undefined => {
  if (!binary || units.sizes !== undefined) return meanDifferenceInterval(units, estimate);
  return { ends: pairedShareInterval(better, worse, differences.length), method: 'tango_score' };
};

const testOf = (
  { differences, binary }: PairedDifferences,
  units: Units,
  { better, worse }: SignCounts,
): Pick<PairedResult, 'test' | 'rankBiserial'> => {
  if (units.sizes !== undefined) return { test: { name: 'cluster_sign_flip', ...signFlipTest(units.sums) } };
  if (binary) return { test: { name: 'mcnemar', method: 'exact', ...mcnemarTest(better, worse) } };
  const { p, method, positiveRanks, negativeRanks, nonZero } = wilcoxonTest(differences);
  const rankBiserial =
    nonZero === 0 ? undefined : (positiveRanks - negativeRanks) / (positiveRanks + negativeRanks);
  return { test: { name: 'wilcoxon_signed_rank', method, p }, rankBiserial };
};

const deviationOf = (differences: Float64Array, { mean, standardError, units }: MeanEstimate): number => {
  const count = differences.length;
  if (units === count) return standardError * Math.sqrt(count);
  let squares = 0;
  for (const difference of differences) squares += (difference - mean) ** 2;
  return Math.sqrt(squares / (count - 1));
};
