import {
  clusteredEstimate,
  sumByCluster,
  totalOf,
  type ClusteredEstimate,
  type Clusters,
} from '../stats/clustered.js';
import { orderOf, spearmanStatistic } from '../stats/ranking.js';
import { studentTail } from '../stats/student.js';

/** Rows that are alike in what must not count: each row's stratum, from 0. */
export interface Strata {
  readonly of: Int32Array;
  readonly count: number;
}

/** A relation inside strata. */
export interface StratifiedEstimate extends ClusteredEstimate {
  /** Rows of the strata that have any spread, and so a relation. */
  readonly rows: number;
}

/**
 * Spearman's rank correlation inside strata: the mean over strata, each weighing as many rows as it has. What differs only
 * between strata does not count. Strata where all x or all y are equal are left out.
 *
 * @param x  of each row; finite
 * @param y  of each row; finite
 * @returns in [-1, 1]; undefined where no stratum has any spread
 * @see Taylor 1987, https://doi.org/10.1093/biomet/74.4.865 (rank correlations of several strata)
 */
export const stratifiedSpearman = (
  x: Float64Array,
  y: Float64Array,
  strata: Strata,
  clusters: Clusters,
): StratifiedEstimate | undefined => {
  const parts = rowsByStratum(strata).flatMap((members) => {
    const of = Int32Array.from(members, (row) => clusters.of[row]);
    const within: Clusters = { of, count: clusters.count };
    const statistic = spearmanStatistic(pick(x, members), pick(y, members), within);
    return statistic === undefined ? [] : [{ members, statistic }];
  });
  const rows = parts.reduce((sum, { members }) => sum + members.length, 0);
  if (rows === 0) return undefined;
  const value =
    parts.reduce((sum, { members, statistic }) => sum + members.length * statistic.value, 0) / rows;
  const contributions = new Float64Array(clusters.count);
  for (const { members, statistic } of parts) {
    statistic.contributions.forEach((each, cluster) => {
      contributions[cluster] += (members.length / rows) * each;
    });
    // A row also makes its own stratum weigh more.
    for (const row of members) contributions[clusters.of[row]] += (statistic.value - value) / rows;
  }
  return { ...clusteredEstimate(value, contributions, { bounds: [-1, 1] }), rows };
};

/**
 * By how much y rises with x inside strata: the slope of least squares with an intercept for each stratum. Of an x of 0
 * and 1 it is how much higher y is at 1 than elsewhere in the same stratum.
 *
 * Equals `ols("y ~ x + C(stratum)")` of statsmodels, and its clustered standard error but for that one's correction.
 *
 * @returns undefined where x has no spread inside any stratum
 * @see Frisch & Waugh 1933, https://doi.org/10.2307/1907330 (the slope from what strata leave)
 */
export const stratifiedSlope = (
  x: Float64Array,
  y: Float64Array,
  strata: Strata,
  clusters: Clusters,
): StratifiedEstimate | undefined => {
  const [left, response] = [centredIn(x, strata), centredIn(y, strata)];
  const square = totalOf(left.map((each) => each * each));
  if (square <= x.length * 1e-24) return undefined;
  const slope = totalOf(left.map((each, row) => each * response[row])) / square;
  const parts = left.map((each, row) => (each * (response[row] - slope * each)) / square);
  return { ...clusteredEstimate(slope, sumByCluster(parts, clusters)), rows: x.length };
};

/** What is left of each value without the mean of its stratum. */
export const centredIn = (values: Float64Array, strata: Strata): Float64Array => {
  const centred = new Float64Array(values.length);
  for (const members of rowsByStratum(strata)) {
    if (members.length === 0) continue;
    const mean = totalOf(pick(values, members)) / members.length;
    for (const row of members) centred[row] = values[row] - mean;
  }
  return centred;
};

const rowsByStratum = ({ of, count }: Strata): number[][] => {
  const members: number[][] = Array.from({ length: count }, () => []);
  of.forEach((stratum, row) => members[stratum].push(row));
  return members;
};

/** The values of some rows. */
export const pick = (values: Float64Array, rows: ArrayLike<number>): Float64Array<ArrayBuffer> => {
  const picked = new Float64Array(rows.length);
  for (let at = 0; at < rows.length; at += 1) picked[at] = values[rows[at]];
  return picked;
};

/**
 * Parts of about equal numbers of rows, in the order of their values; equal values stay together, so there may be fewer
 * parts than asked for.
 */
export const equalParts = (values: Float64Array, parts: number): Uint32Array[] => {
  const { rows, ends } = orderOf(values);
  const found: Uint32Array[] = [];
  let [start, part] = [0, 1];
  for (const end of ends) {
    if (end < Math.floor((rows.length * part) / parts)) continue;
    found.push(rows.subarray(start, end));
    start = end;
    while (Math.floor((rows.length * part) / parts) <= end) part += 1;
  }
  return found;
};

/** Labels with more different values than this make strata of about equal numbers of rows. */
const MAX_STRATA = 10;

/** Rows with the same label; where labels are numbers of many values, rows with labels next to each other. */
export const strataOf = (labels: Float64Array, areNumbers: boolean): Strata => {
  const distinct = [...new Set(labels)].sort((a, b) => a - b);
  if (!areNumbers || distinct.length <= MAX_STRATA) {
    const numbers = new Map(distinct.map((label, number) => [label, number]));
    return { of: Int32Array.from(labels, (label) => numbers.get(label) ?? 0), count: distinct.length };
  }
  const of = new Int32Array(labels.length);
  const parts = equalParts(labels, MAX_STRATA);
  parts.forEach((rows, stratum) => rows.forEach((row) => (of[row] = stratum)));
  return { of, count: parts.length };
};

/** Two-sided p value of an estimate whose truth is 0, by Student's t; 1 where no spread was seen. */
export const pValueOf = ({ value, standardError, effectiveClusters }: ClusteredEstimate): number =>
  standardError === 0
    ? 1
    : Math.min(1, 2 * studentTail(Math.abs(value) / standardError, Math.max(1, effectiveClusters - 1)));
