import {
  clusteredEstimate,
  clusteredMean,
  clustersOf,
  sumByCluster,
  type Caution,
  type ClusteredEstimate,
} from '../stats/clustered.js';
import { shareInterval, type Interval } from '../stats/interval.js';

/** A number found from rows in clusters, as reports have it. */
export interface Estimate {
  readonly value: number;
  /** 95 % confidence interval; null where it cannot be told. */
  readonly interval: Interval | null;
  readonly standard_error: number;
  readonly clusters: number;
  /** As many clusters of equal weight would tell as much. */
  readonly effective_clusters: number;
  /** `few_clusters`: the interval may be too narrow; `no_spread`: all clusters say the same. */
  readonly caution: Caution | null;
}

/** An estimate under the names of reports; null where there is none. */
export const toReport = (estimate: ClusteredEstimate | undefined): Estimate | null =>
  estimate === undefined
    ? null
    : {
        value: estimate.value,
        interval: estimate.interval ?? null,
        standard_error: estimate.standardError,
        clusters: estimate.clusters,
        effective_clusters: estimate.effectiveClusters,
        caution: estimate.caution ?? null,
      };

/** The mean of values over the rows that a condition picks; undefined where it picks none. */
export const meanWhere = (
  values: ArrayLike<number>,
  clusters: Int32Array,
  holds: (row: number) => boolean,
  bounds?: Interval,
): ClusteredEstimate | undefined => {
  const rows: number[] = [];
  for (let row = 0; row < values.length; row += 1) if (holds(row)) rows.push(row);
  return clusteredMean(
    Float64Array.from(rows, (row) => values[row]),
    clustersOf(
      rows.length,
      Int32Array.from(rows, (row) => clusters[row]),
    ),
    bounds,
  );
};

/**
 * The mean, over classes that occur, of the share of their rows that is right: balanced accuracy.
 *
 * @param correct  of each row: 1 or 0
 * @param actual  the class of each row, from 0
 */
export const balancedAccuracy = (
  correct: Float64Array,
  actual: Int32Array,
  classes: number,
  clusters: Int32Array,
): ClusteredEstimate => {
  const [rows, hits] = [new Float64Array(classes), new Float64Array(classes)];
  actual.forEach((each, row) => {
    rows[each] += 1;
    hits[each] += correct[row];
  });
  const occurring = rows.filter((count) => count > 0).length;
  const recalls = hits.map((count, each) => (rows[each] === 0 ? 0 : count / rows[each]));
  const value = recalls.reduce((sum, recall) => sum + recall, 0) / occurring;
  const parts = correct.map((each, row) => (each - recalls[actual[row]]) / rows[actual[row]] / occurring);
  const groups = clustersOf(correct.length, clusters);
  return clusteredEstimate(value, sumByCluster(parts, groups), { bounds: [0, 1] });
};

/**
 * F1 of class 1 of two: 2 hits / (rows of the class + rows taken for it). Undefined where there is none of either.
 *
 * @param predicted  1 or 0 for each row
 * @param actual  1 or 0 for each row
 */
export const f1Estimate = (
  predicted: Int32Array,
  actual: Int32Array,
  clusters: Int32Array,
): ClusteredEstimate | undefined => {
  let [hits, either] = [0, 0];
  actual.forEach((each, row) => {
    hits += each * predicted[row];
    either += each + predicted[row];
  });
  if (either === 0) return undefined;
  const value = (2 * hits) / either;
  const parts = Float64Array.from(
    actual,
    (each, row) => (2 * each * predicted[row] - value * (each + predicted[row])) / either,
  );
  const groups = clustersOf(actual.length, clusters);
  return clusteredEstimate(value, sumByCluster(parts, groups), { bounds: [0, 1] });
};

/**
 * The least that a share of 1 in so many clusters may stand for: the lower end of Wilson's interval. A statistic that is at
 * its best in all clusters has no spread, and this instead of an interval.
 */
export const leastShare = (clusters: number): number => shareInterval(clusters, clusters)?.[0] ?? 0;

/** An estimate at its best, with the interval that so many clusters without a mistake leave. */
export const atBest = (estimate: ClusteredEstimate, least: number): ClusteredEstimate => ({
  ...estimate,
  interval: [least, estimate.value],
});
