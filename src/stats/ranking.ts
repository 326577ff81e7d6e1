import type { ResampledStatistic } from './bootstrap.js';
import {
  clusteredEstimate,
  clustersOf,
  sumByCluster,
  totalOf,
  type ClusteredEstimate,
  type Clusters,
} from './clustered.js';

/** Row numbers in ascending order of their values, and where runs of equal values end. */
export interface Order {
  readonly rows: Uint32Array;
  /** For each run of equal values the position after its last one; the last entry is the number of rows. */
  readonly ends: Uint32Array;
}

/** Sorts row numbers by value; those of equal values stay in order. */
export const orderOf = (values: Float64Array): Order => {
  const sorted = values.toSorted();
  const ends: number[] = [];
  for (let at = 1; at <= sorted.length; at += 1)
    if (at === sorted.length || sorted[at] !== sorted[at - 1]) ends.push(at);
  // Sorting bare numbers is several times as fast as sorting rows by them, and each row then finds its run.
  const next = Uint32Array.from(ends, (_, run) => (run === 0 ? 0 : ends[run - 1]));
  const rows = new Uint32Array(values.length);
  for (let row = 0; row < rows.length; row += 1) rows[next[runWith(values[row], sorted, ends)]++] = row;
  return { rows, ends: Uint32Array.from(ends) };
};

/** The number of the run of equal values that a value is in, by bisection. */
const runWith = (value: number, sorted: Float64Array, ends: readonly number[]): number => {
  let [low, high] = [0, ends.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[ends[middle] - 1] < value) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** For each row the mean rank, from 1, of the rows with its value. Equals scipy's `rankdata`. */
export const midranks = (values: Float64Array): Float64Array =>
  midranksOf(orderOf(values)).map((rank) => rank + 0.5);

/**
 * Area under the ROC curve: the chance that a row with the label has a higher reward than one without, where equal
 * rewards count half. 0.5 is no relation, below 0.5 the reward prefers the wrong rows. Equals scikit-learn's
 * `roc_auc_score`. The standard error is DeLong's, and Obuchowski's with clusters.
 *
 * @param rewards  of each row; finite
 * @param labels  of each row: 1 with the label, 0 without
 * @param clusters  of each row; absent when rows are independent
 * @returns in [0, 1]; undefined unless there is a row of either label
 * @see Hanley & McNeil 1982, https://doi.org/10.1148/radiology.143.1.7063747
 * @see DeLong et al. 1988, https://doi.org/10.2307/2531595
 * @see Obuchowski 1997, https://doi.org/10.2307/2533958
 */
export const rocArea = (
  rewards: Float64Array,
  labels: Uint8Array,
  clusters?: Int32Array,
): ClusteredEstimate | undefined => {
  const statistic = rocAreaStatistic(rewards, labels, clustersOf(rewards.length, clusters));
  return statistic && clusteredEstimate(statistic.value, statistic.contributions, { bounds: [0, 1] });
};

/** {@link rocArea} of resampled clusters, in time linear in the rows. */
export const rocAreaStatistic = (
  rewards: Float64Array,
  labels: Uint8Array,
  clusters: Clusters,
): ResampledStatistic | undefined => {
  const { rows, ends } = orderOf(rewards);
  const clusterAt = Int32Array.from(rows, (row) => clusters.of[row]);
  const labelAt = Uint8Array.from(rows, (row) => labels[row]);
  const areaOf = (weights: Int32Array): number | undefined => {
    let [start, positive, negative, area] = [0, 0, 0, 0];
    for (const end of ends) {
      let [all, labelled] = [0, 0];
      for (let at = start; at < end; at += 1) {
        const weight = weights[clusterAt[at]];
        all += weight;
        labelled += weight * labelAt[at];
      }
      area += labelled * (negative + (all - labelled) / 2);
      positive += labelled;
      negative += all - labelled;
      start = end;
    }
    return positive === 0 || negative === 0 ? undefined : area / positive / negative;
  };
  const value = areaOf(new Int32Array(clusters.count).fill(1));
  if (value === undefined) return undefined;
  const placements = placementsOf({ rows, ends }, labels);
  return { value, contributions: sumByCluster(centred(placements, labels, value), clusters), of: areaOf };
};

/** For each row the share of rows with the other label that it is on the right side of, where equal ones count half. */
const placementsOf = ({ rows, ends }: Order, labels: Uint8Array): Float64Array => {
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const negatives = labels.length - positives;
  const placements = new Float64Array(labels.length);
  let [start, below, negativesBelow] = [0, 0, 0];
  for (const end of ends) {
    const run = rows.subarray(start, end);
    const labelled = run.reduce((sum, row) => sum + labels[row], 0);
    const above = positives - below - labelled;
    for (const row of run)
      placements[row] =
        labels[row] === 1
          ? (negativesBelow + (run.length - labelled) / 2) / negatives
          : (above + labelled / 2) / positives;
    below += labelled;
    negativesBelow += run.length - labelled;
    start = end;
  }
  return placements;
};

const centred = (placements: Float64Array, labels: Uint8Array, area: number): Float64Array => {
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const negatives = labels.length - positives;
  return placements.map((placement, row) => (placement - area) / (labels[row] === 1 ? positives : negatives));
};

/**
 * Spearman's rank correlation: Pearson's correlation of midranks. Equals scipy's `spearmanr`.
 *
 * @param x  of each row; finite
 * @param y  of each row; finite
 * @param clusters  of each row; absent when rows are independent
 * @returns in [-1, 1]; undefined where all x or all y are equal
 * @see Spearman 1904, https://doi.org/10.2307/1412159
 * @see Borkowf 2002, https://doi.org/10.1016/S0167-9473(01)00081-0 (standard error)
 */
export const spearman = (
  x: Float64Array,
  y: Float64Array,
  clusters?: Int32Array,
): ClusteredEstimate | undefined => {
  const statistic = spearmanStatistic(x, y, clustersOf(x.length, clusters));
  return statistic && clusteredEstimate(statistic.value, statistic.contributions, { bounds: [-1, 1] });
};

/** {@link spearman} of resampled clusters, in time linear in the rows. */
export const spearmanStatistic = (
  x: Float64Array,
  y: Float64Array,
  clusters: Clusters,
): ResampledStatistic | undefined => {
  const orders = [orderOf(x), orderOf(y)] as const;
  const correlationOf = weightedCorrelation(orders, clusters);
  const value = correlationOf(new Int32Array(clusters.count).fill(1));
  if (value === undefined) return undefined;
  const contributions = spearmanContributions(orders, [midranksOf(orders[0]), midranksOf(orders[1])], value);
  return { value, contributions: sumByCluster(contributions, clusters), of: correlationOf };
};

/** Spearman's correlation of weighted rows. It goes over the rows in the order of x, so that memory is read in a row. */
const weightedCorrelation = (
  [orderX, orderY]: readonly [Order, Order],
  clusters: Clusters,
): ResampledStatistic['of'] => {
  const clusterAt = Int32Array.from(orderX.rows, (row) => clusters.of[row]);
  const levels = levelsOf(orderY);
  const levelAt = Int32Array.from(orderX.rows, (row) => levels[row]);
  const [weightsX, weightsY] = [new Float64Array(orderX.ends.length), new Float64Array(orderY.ends.length)];
  return (weights) => {
    weightsX.fill(0);
    weightsY.fill(0);
    let start = 0;
    for (let run = 0; run < weightsX.length; run += 1) {
      const end = orderX.ends[run];
      for (let at = start; at < end; at += 1) {
        const weight = weights[clusterAt[at]];
        weightsX[run] += weight;
        weightsY[levelAt[at]] += weight;
      }
      start = end;
    }
    const [xx, yy] = [toCentredRanks(weightsX), toCentredRanks(weightsY)];
    let [at, xy] = [0, 0];
    for (let run = 0; run < weightsX.length; run += 1) {
      let sum = 0;
      for (const end = orderX.ends[run]; at < end; at += 1)
        sum += weights[clusterAt[at]] * weightsY[levelAt[at]];
      xy += sum * weightsX[run];
    }
    return xx > 0 && yy > 0 ? clamp(xy / Math.sqrt(xx) / Math.sqrt(yy)) : undefined;
  };
};

/**
 * Puts in the place of the weight of each value how far its rank is from the middle: the weight below, and half of its own.
 *
 * @returns the weighted sum of their squares
 */
const toCentredRanks = (weights: Float64Array): number => {
  let whole = 0;
  for (let level = 0; level < weights.length; level += 1) whole += weights[level];
  let [below, squares] = [0, 0];
  for (let level = 0; level < weights.length; level += 1) {
    const weight = weights[level];
    const rank = below + weight / 2 - whole / 2;
    weights[level] = rank;
    squares += weight * rank * rank;
    below += weight;
  }
  return squares;
};

/** For each row the number of rows below its value, and half of those at it. */
const midranksOf = ({ rows, ends }: Order): Float64Array => {
  const ranks = new Float64Array(rows.length);
  let start = 0;
  for (const end of ends) {
    for (let at = start; at < end; at += 1) ranks[rows[at]] = (start + end) / 2;
    start = end;
  }
  return ranks;
};

const clamp = (correlation: number): number => Math.max(-1, Math.min(1, correlation));

/**
 * A row moves the correlation by its own product of ranks, and by pushing the ranks of all rows above it up: the
 * influence of Spearman's rho = C / √(A B) with C, A and B the covariance and variances of the ranks.
 */
const spearmanContributions = (
  [orderX, orderY]: readonly [Order, Order],
  ranks: readonly [Float64Array, Float64Array],
  correlation: number,
): Float64Array => {
  const rows = ranks[0].length;
  const [u, v] = ranks.map((each) => each.map((rank) => rank / rows - 0.5));
  const [a, b] = [meanProduct(u, u), meanProduct(v, v)];
  const [pushedXY, pushedXX] = [pushed(orderX, v), pushed(orderX, u)];
  const [pushedYX, pushedYY] = [pushed(orderY, u), pushed(orderY, v)];
  const root = Math.sqrt(a) * Math.sqrt(b);
  const covariance = correlation * root;
  return u.map((rank, row) => {
    const c = rank * v[row] + pushedXY[row] + pushedYX[row] - 3 * covariance;
    const dA = rank * rank + 2 * pushedXX[row] - 3 * a;
    const dB = v[row] * v[row] + 2 * pushedYY[row] - 3 * b;
    return (c / root - (correlation / 2) * (dA / a + dB / b)) / rows;
  });
};

const meanProduct = (x: Float64Array, y: Float64Array): number =>
  totalOf(x.map((value, row) => value * y[row])) / x.length;

/** For each row the mean over all rows of `values` where the order is above it, and half of that where it is equal. */
const pushed = ({ rows, ends }: Order, values: Float64Array): Float64Array => {
  const sums = new Float64Array(rows.length);
  let above = 0;
  for (let run = ends.length - 1; run >= 0; run -= 1) {
    const members = rows.subarray(run === 0 ? 0 : ends[run - 1], ends[run]);
    const tied = members.reduce((sum, row) => sum + values[row], 0);
    for (const row of members) sums[row] = (above + tied / 2) / rows.length;
    above += tied;
  }
  return sums;
};

/**
 * Kendall's tau-b: the share of pairs of rows that x and y order the same way, less the share that they order the other
 * way, corrected for pairs that either leaves equal. Equals scipy's `kendalltau`.
 *
 * @param x  of each row; finite
 * @param y  of each row; finite
 * @param clusters  of each row; absent when rows are independent
 * @returns in [-1, 1]; undefined where all x or all y are equal
 * @see Kendall 1945, https://doi.org/10.1093/biomet/33.3.239
 * @see Knight 1966, https://doi.org/10.1080/01621459.1966.10480879 (in O(n log n))
 */
export const kendall = (
  x: Float64Array,
  y: Float64Array,
  clusters?: Int32Array,
): ClusteredEstimate | undefined => {
  const [orderX, orderY] = [orderOf(x), orderOf(y)];
  const [differX, differY] = [differing(orderX), differing(orderY)];
  const [a, b] = [totalOf(differX), totalOf(differY)];
  if (a === 0 || b === 0) return undefined;
  const concordance = concordanceOf(orderX, orderY);
  const root = Math.sqrt(a) * Math.sqrt(b);
  const value = clamp(totalOf(concordance) / root);
  // A pair belongs to two rows; what is the same for all rows cancels.
  const contributions = concordance.map(
    (agree, row) => (2 * agree) / root - value * (differX[row] / a + differY[row] / b),
  );
  return clusteredEstimate(value, sumByCluster(contributions, clustersOf(x.length, clusters)), {
    bounds: [-1, 1],
  });
};

/** For each row the number of rows with another value. */
const differing = ({ rows, ends }: Order): Float64Array => {
  const counts = new Float64Array(rows.length);
  let start = 0;
  for (const end of ends) {
    for (let at = start; at < end; at += 1) counts[rows[at]] = rows.length - (end - start);
    start = end;
  }
  return counts;
};

/** For each row the number of rows that x and y place on the same side of it, less those on opposite sides. */
const concordanceOf = (orderX: Order, orderY: Order): Float64Array => {
  const level = levelsOf(orderY);
  const levels = orderY.ends.length;
  const concordance = new Float64Array(level.length);
  const countSide = (runs: Iterable<Uint32Array>, sign: 1 | -1): void => {
    const seen = new PrefixCounts(levels);
    let total = 0;
    for (const run of runs) {
      for (const row of run) {
        const below = seen.below(level[row]);
        const above = total - seen.below(level[row] + 1);
        concordance[row] += sign * (below - above);
      }
      for (const row of run) seen.add(level[row]);
      total += run.length;
    }
  };
  const runs = runsOf(orderX);
  countSide(runs, 1);
  countSide(runs.toReversed(), -1);
  return concordance;
};

const runsOf = ({ rows, ends }: Order): Uint32Array[] =>
  Array.from(ends, (end, run) => rows.subarray(run === 0 ? 0 : ends[run - 1], end));

/** For each row how many distinct values are below its own. */
const levelsOf = (order: Order): Uint32Array => {
  const levels = new Uint32Array(order.rows.length);
  runsOf(order).forEach((run, level) => run.forEach((row) => (levels[row] = level)));
  return levels;
};

/**
 * Counts of levels, from which those below a level are summed in logarithmic time.
 *
 * @see Fenwick 1994, https://doi.org/10.1002/spe.4380240306
 */
class PrefixCounts {
  private readonly tree: Uint32Array;

  constructor(levels: number) {
    this.tree = new Uint32Array(levels + 1);
  }

  add(level: number): void {
    for (let node = level + 1; node < this.tree.length; node += node & -node) this.tree[node] += 1;
  }

  below(level: number): number {
    let count = 0;
    for (let node = level; node > 0; node -= node & -node) count += this.tree[node];
    return count;
  }
}
