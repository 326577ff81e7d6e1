import { bcaInterval, type ResampledStatistic } from '../stats/bootstrap.js';
import { clusteredEstimate, type ClusteredEstimate } from '../stats/clustered.js';
import type { ShareEstimate } from '../stats/groups.js';
import type { Interval } from '../stats/interval.js';
import { Z_95 } from '../stats/normal.js';
import { studentQuantile } from '../stats/student.js';
import type { Estimate } from './report-shape.js';

const CAUTIONS = {
  few_clusters: 'few clusters bear it: the interval may be too narrow',
  no_spread: 'all clusters say the same: how far others would be off cannot be told',
} as const;

/** An estimate as a report has it. An interval although no spread was seen is Wilson's. */
export const reported = (estimate: ClusteredEstimate): Estimate => {
  const { value, standardError, clusters, effectiveClusters, interval, caution } = estimate;
  const atBound = caution === 'no_spread' && interval !== undefined;
  return {
    value,
    standard_error: standardError,
    interval: interval ?? null,
    method: atBound ? 'wilson' : 'clusters',
    clusters,
    effective_clusters: effectiveClusters,
    caution: caution === undefined || atBound ? null : CAUTIONS[caution],
  };
};

/** The same, null where there is none. */
export const reportedOrNull = (estimate: ClusteredEstimate | undefined): Estimate | null =>
  estimate === undefined ? null : reported(estimate);

/** A share of so many groups. */
export const reportedShare = ({ value, interval }: ShareEstimate, groups: number): Estimate => ({
  value,
  standard_error: Math.sqrt((value * (1 - value)) / groups),
  interval,
  method: 'wilson',
  clusters: groups,
  effective_clusters: groups,
  caution: null,
});

/**
 * A statistic with its interval from resamples. Where these have none, because they are too few or show no spread, it is
 * the one from the clusters' contributions.
 *
 * @param replicates  of the statistic; NaN where a resample has no value
 * @param estimate  the same by the clusters' contributions
 */
export const bootstrapped = (
  statistic: Pick<ResampledStatistic, 'value' | 'contributions'>,
  replicates: Float64Array,
  estimate: ClusteredEstimate,
): Estimate => {
  const interval = bcaInterval({ ...statistic, of: () => undefined }, replicates.filter(Number.isFinite));
  return interval === undefined
    ? reported(estimate)
    : { ...reported(estimate), interval, method: 'bootstrap' };
};

/** The difference of two statistics of the same rows, with its interval from resamples that both had. */
export const bootstrappedDifference = (
  [a, replicatesA]: readonly [ResampledStatistic, Float64Array],
  [b, replicatesB]: readonly [ResampledStatistic, Float64Array],
): Estimate => {
  const contributions = a.contributions.map((each, cluster) => each - b.contributions[cluster]);
  const statistic = { value: a.value - b.value, contributions };
  const replicates = replicatesA.map((each, draw) => each - replicatesB[draw]);
  return bootstrapped(statistic, replicates, clusteredEstimate(statistic.value, contributions));
};

/** Fewer clusters that all say the same prove nothing about others. */
const ENOUGH_CLUSTERS = 20;

/**
 * One end of an interval at any level.
 *
 * @param level  the chance that the truth is beyond the end, such as 0.025 for the ends of a 95 % interval
 * @returns undefined where no spread was seen among too few clusters
 */
export const certainEnd = (estimate: Estimate, side: 'low' | 'high', level: number): number | undefined => {
  const { value, standard_error: error, effective_clusters: effective } = estimate;
  if (error === 0) return endWithoutSpread(estimate, side, level);
  const reach = studentQuantile(1 - level, Math.max(1, effective - 1)) * error;
  return side === 'low' ? value - reach : value + reach;
};

/** At a bound Wilson's interval widens with the square of the quantile; elsewhere enough clusters are taken at their word. */
const endWithoutSpread = (
  { value, interval, method, clusters }: Estimate,
  side: 'low' | 'high',
  level: number,
): number | undefined => {
  if (method !== 'wilson' || interval === null) return clusters < ENOUGH_CLUSTERS ? undefined : value;
  const widthAt = (quantile: number): number => quantile ** 2 / (clusters + quantile ** 2);
  const widening = widthAt(studentQuantile(1 - level, MANY)) / widthAt(Z_95);
  const end = interval[side === 'low' ? 0 : 1];
  return value + (end - value) * widening;
};

/** Degrees of freedom at which Student's distribution is the normal one. */
const MANY = 1e9;

/** The low end of the 95 % interval; the value itself where no spread was seen. */
export const lowEnd = ({ value, interval }: Estimate): number => interval?.[0] ?? value;

/** Whether an interval leaves 0 out. */
export const excludesZero = (interval: Interval | null, value: number): boolean =>
  interval === null ? value !== 0 : interval[0] > 0 || interval[1] < 0;
