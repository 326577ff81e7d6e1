import { differenceStatistic, type ResampledStatistic } from '../stats/bootstrap.js';
import {
  clusteredEstimate,
  rowsByCluster,
  sumByCluster,
  totalOf,
  type ClusteredEstimate,
  type Clusters,
} from '../stats/clustered.js';
import { shareInterval } from '../stats/interval.js';
import { spearmanStatistic } from '../stats/ranking.js';

/**
 * A sum over clusters divided by another one.
 *
 * @param numerators  of each cluster
 * @param denominators  of each cluster; none below 0
 * @returns undefined where the denominators add up to 0
 */
export const ratioStatistic = (
  numerators: Float64Array,
  denominators: Float64Array,
): ResampledStatistic | undefined => {
  const whole = totalOf(denominators);
  if (!(whole > 0)) return undefined;
  const value = totalOf(numerators) / whole;
  return {
    value,
    contributions: numerators.map((each, cluster) => (each - value * denominators[cluster]) / whole),
    of: (weights) => {
      let [above, below] = [0, 0];
      for (let cluster = 0; cluster < weights.length; cluster += 1) {
        above += weights[cluster] * numerators[cluster];
        below += weights[cluster] * denominators[cluster];
      }
      return below > 0 ? above / below : undefined;
    },
  };
};

/** The contributions of the clusters that bear a statistic: others are no evidence that it has little spread. */
export const bearing = (contributions: Float64Array, weights: Float64Array): Float64Array =>
  contributions.filter((_, cluster) => weights[cluster] > 0);

/** How pairs of rows of one cluster are ordered. */
export interface PairCounts {
  /** Of each cluster: pairs that x orders as y does, less those that it orders the other way. */
  readonly balance: Float64Array;
  /** Of each cluster: pairs that differ in y. */
  readonly pairs: Float64Array;
}

/**
 * In a cluster of very many rows each is compared with so many of those that follow it, which is enough of them: all
 * pairs of 100,000 rows would take minutes.
 */
const MAX_COMPARED = 256;

/**
 * Compares rows of one cluster that differ in y: does the one with the greater y have the greater x?
 *
 * @param x  of each row; finite
 * @param y  of each row; finite
 * @param same  of each row; only rows in which it is equal are compared. Absent: all rows of a cluster are
 */
export const pairCounts = (
  x: Float64Array,
  y: Float64Array,
  clusters: Clusters,
  same?: Int32Array,
): PairCounts => {
  const [balance, pairs] = [new Float64Array(clusters.count), new Float64Array(clusters.count)];
  for (const [cluster, rows] of rowsByCluster(clusters).entries()) {
    for (let first = 0; first < rows.length; first += 1) {
      const row = rows[first];
      const end = Math.min(rows.length, first + 1 + MAX_COMPARED);
      for (let second = first + 1; second < end; second += 1) {
        const other = rows[second];
        if (y[row] === y[other] || (same !== undefined && same[row] !== same[other])) continue;
        pairs[cluster] += 1;
        if (x[row] !== x[other]) balance[cluster] += x[row] > x[other] === y[row] > y[other] ? 1 : -1;
      }
    }
  }
  return { balance, pairs };
};

/** An estimate from pairs of rows. */
export interface PairEstimate {
  readonly estimate: ClusteredEstimate;
  readonly statistic: ResampledStatistic;
  readonly pairs: number;
  /** Clusters with such pairs. */
  readonly groups: number;
}

/**
 * The share of pairs of rows of one item with different labels that a reward orders as the labels do; equal rewards count
 * half. 0.5 is no relation. It is the area under the ROC curve with items held equal.
 *
 * @param rewards  of each row; finite
 * @param labels  of each row; finite
 * @param items  which rows are samples of the same item
 * @returns in [0, 1]; undefined without such pairs
 */
export const pairwiseAccuracy = (
  rewards: Float64Array,
  labels: Float64Array,
  items: Clusters,
): PairEstimate | undefined => {
  const { balance, pairs } = pairCounts(rewards, labels, items);
  const right = balance.map((each, cluster) => (pairs[cluster] + each) / 2);
  return pairEstimate(right, pairs, [0, 1]);
};

/**
 * Whether a reward prefers rows with more of a feature: of pairs of rows of one item that differ in it, the share where
 * the one with more has the higher reward, less the share where it has the lower one. Somers' D within items.
 *
 * @param rewards  of each row; finite
 * @param feature  of each row; finite
 * @param items  which rows are samples of the same item
 * @param same  of each row; only rows in which it is equal are compared
 * @returns in [-1, 1]; undefined without such pairs
 * @see Somers 1962, https://doi.org/10.2307/2090408
 */
export const preference = (
  rewards: Float64Array,
  feature: Float64Array,
  items: Clusters,
  same?: Int32Array,
): PairEstimate | undefined => {
  const { balance, pairs } = pairCounts(rewards, feature, items, same);
  return pairEstimate(balance, pairs, [-1, 1]);
};

const pairEstimate = (
  numerators: Float64Array,
  pairs: Float64Array,
  bounds: readonly [number, number],
): PairEstimate | undefined => {
  const statistic = ratioStatistic(numerators, pairs);
  if (statistic === undefined) return undefined;
  const contributions = bearing(statistic.contributions, pairs);
  return {
    estimate: atBound(clusteredEstimate(statistic.value, contributions, { bounds }), bounds),
    statistic,
    pairs: totalOf(pairs),
    groups: contributions.length,
  };
};

/** Where all clusters are at a bound the interval is Wilson's for a share of as many clusters. */
const atBound = (
  estimate: ClusteredEstimate,
  [least, greatest]: readonly [number, number],
): ClusteredEstimate => {
  const { value, clusters, interval } = estimate;
  if (interval !== undefined || (value !== least && value !== greatest)) return estimate;
  const share = shareInterval(value === least ? 0 : clusters, clusters) ?? [0, 1];
  const at = (each: number): number => least + each * (greatest - least);
  return { ...estimate, interval: [at(share[0]), at(share[1])] };
};

/**
 * Pearson's correlation of what rows differ by from the mean of their cluster, so that differences between clusters do
 * not count. Where every cluster is a single row it is the correlation over all rows.
 *
 * @param x  of each row; finite
 * @param y  of each row; finite
 * @returns in [-1, 1]; undefined where x or y has no spread within clusters
 */
export const withinCorrelation = (
  x: Float64Array,
  y: Float64Array,
  clusters: Clusters,
): ClusteredEstimate | undefined => {
  const [dx, dy] = [centredWithin(x, clusters), centredWithin(y, clusters)];
  const sumProducts = (a: Float64Array, b: Float64Array): Float64Array =>
    sumByCluster(
      a.map((each, row) => each * b[row]),
      clusters,
    );
  const [xx, xy, yy] = [sumProducts(dx, dx), sumProducts(dx, dy), sumProducts(dy, dy)];
  const [a, c, b] = [totalOf(xx), totalOf(xy), totalOf(yy)];
  if (isRounding(a, x) || isRounding(b, y)) return undefined;
  const root = Math.sqrt(a) * Math.sqrt(b);
  const value = Math.max(-1, Math.min(1, c / root));
  const contributions = xy.map(
    (each, cluster) => each / root - (value / 2) * (xx[cluster] / a + yy[cluster] / b),
  );
  return clusteredEstimate(value, bearing(contributions, sizesOf(clusters)), { bounds: [-1, 1] });
};

/** Whether squares are no more than what rounding leaves of values that are all equal. */
const isRounding = (squares: number, values: Float64Array): boolean =>
  !(squares > 1e-24 * totalOf(values.map((value) => value * value)));

/** The number of rows of each cluster. */
export const sizesOf = ({ of, count }: Clusters): Float64Array => {
  const sizes = new Float64Array(count);
  for (const cluster of of) sizes[cluster] += 1;
  return sizes;
};

const areSingle = (sizes: Float64Array): boolean => sizes.every((size) => size <= 1);

/** Differences from the mean of the cluster; from that of all rows where no cluster has a second one. */
const centredWithin = (values: Float64Array, clusters: Clusters): Float64Array => {
  const sizes = sizesOf(clusters);
  if (areSingle(sizes)) {
    const mean = totalOf(values) / values.length;
    return values.map((value) => value - mean);
  }
  const sums = sumByCluster(values, clusters);
  return values.map((value, row) => value - sums[clusters.of[row]] / sizes[clusters.of[row]]);
};

/**
 * Spearman's rank correlation within strata, averaged with their numbers of rows as weights.
 *
 * @param strata  of each row the number of its stratum, from 0 to below `count`
 * @returns in [-1, 1]; undefined where no stratum has a spread of both. Strata without are left out
 */
export const stratifiedSpearman = (
  x: Float64Array,
  y: Float64Array,
  strata: Clusters,
  clusters: Clusters,
): ClusteredEstimate | undefined => {
  const parts = rowsByCluster(strata).flatMap((rows) => {
    const of = Int32Array.from(rows, (row) => clusters.of[row]);
    const gather = (values: Float64Array): Float64Array => Float64Array.from(rows, (row) => values[row]);
    const statistic = spearmanStatistic(gather(x), gather(y), { of, count: clusters.count });
    return statistic === undefined ? [] : [{ statistic, of }];
  });
  const rows = parts.reduce((sum, { of }) => sum + of.length, 0);
  if (rows === 0) return undefined;
  const [contributions, sizes] = [new Float64Array(clusters.count), new Float64Array(clusters.count)];
  let value = 0;
  for (const { statistic, of } of parts) {
    const weight = of.length / rows;
    value += weight * statistic.value;
    statistic.contributions.forEach((each, cluster) => (contributions[cluster] += weight * each));
    for (const cluster of of) sizes[cluster] += 1;
  }
  return clusteredEstimate(value, bearing(contributions, sizes), { bounds: [-1, 1] });
};

/** Rewards of the same rows from two gradings. */
export interface Regraded {
  readonly first: Float64Array;
  readonly again: Float64Array;
  readonly clusters: Clusters;
}

/**
 * The share of the variance of rewards within clusters that is noise of the grading: half the mean squared difference of
 * two gradings, over the mean square within clusters. Where every cluster is a single row, of the variance of all.
 *
 * @param rewards  of each row of a bench; finite
 * @param clusters  of these rows
 * @param regraded  some rows graded twice; their clusters are numbered as those of the bench
 * @returns 0 or more; undefined where rewards have no spread within clusters, and where nothing was graded twice
 */
export const noiseShare = (
  rewards: Float64Array,
  clusters: Clusters,
  { first, again, clusters: regraded }: Regraded,
): ClusteredEstimate | undefined => {
  const squares = first.map((reward, row) => (reward - again[row]) ** 2 / 2);
  const noise = ratioStatistic(sumByCluster(squares, regraded), sizesOf(regraded));
  const spread = varianceWithin(rewards, clusters);
  if (noise === undefined || spread === undefined) return undefined;
  const value = noise.value / spread.value;
  const contributions = noise.contributions.map(
    (each, cluster) => (each - value * spread.contributions[cluster]) / spread.value,
  );
  return clusteredEstimate(value, bearing(contributions, sizesOf(clusters)));
};

/** Mean square within clusters; the variance of all rows where no cluster has a second one. */
const varianceWithin = (rewards: Float64Array, clusters: Clusters): ResampledStatistic | undefined => {
  const squares = centredWithin(rewards, clusters).map((each) => each * each);
  if (isRounding(totalOf(squares), rewards)) return undefined;
  const sizes = sizesOf(clusters);
  // A mean over all rows takes one degree of freedom from all of them together.
  const freedom = areSingle(sizes)
    ? sizes.map((size) => size * (1 - 1 / rewards.length))
    : sizes.map((size) => Math.max(0, size - 1));
  return ratioStatistic(sumByCluster(squares, clusters), freedom);
};

/**
 * Where the mean of values stands between the means of two kinds of rows: 0 at the low ones, 1 at the high ones.
 *
 * @param values  of each row
 * @param ends  of each row, whose means are the two ends
 * @param isHigh  of each row: 1 where it is of the high kind, 0 where it is of the low one
 * @returns undefined unless the high mean is certainly above the low one
 */
export const positionBetween = (
  values: Float64Array,
  ends: Float64Array,
  isHigh: Uint8Array,
  clusters: Clusters,
): ClusteredEstimate | undefined => {
  const high = Float64Array.from(isHigh);
  const middle = meanOver(values, new Float64Array(values.length).fill(1), clusters);
  const upper = meanOver(ends, high, clusters);
  const lower = meanOver(
    ends,
    high.map((each) => 1 - each),
    clusters,
  );
  if (middle === undefined || upper === undefined || lower === undefined) return undefined;
  const gap = differenceStatistic(upper, lower);
  const { value: width, interval } = clusteredEstimate(gap.value, gap.contributions);
  if (!((interval?.[0] ?? width) > 0)) return undefined;
  const value = (middle.value - lower.value) / width;
  const contributions = middle.contributions.map(
    (each, cluster) =>
      (each - value * upper.contributions[cluster] - (1 - value) * lower.contributions[cluster]) / width,
  );
  return clusteredEstimate(value, bearing(contributions, sizesOf(clusters)));
};

/** The mean over rows that count 1 and not 0. */
const meanOver = (
  values: Float64Array,
  counts: Float64Array,
  clusters: Clusters,
): ResampledStatistic | undefined =>
  ratioStatistic(
    sumByCluster(
      values.map((value, row) => value * counts[row]),
      clusters,
    ),
    sumByCluster(counts, clusters),
  );
