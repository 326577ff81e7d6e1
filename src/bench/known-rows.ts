import type { Clusters } from '../stats/clustered.js';
import { orderOf } from '../stats/ranking.js';
import type { MeasuredRows } from './measured.js';

/** Some rows of a bench, those of which something is known: scored, labelled. */
export interface KnownRows {
  /** Their places in the columns of the bench, ascending. */
  readonly places: Int32Array;
  /** Their groups, numbered as in the whole bench, so that groups can be resampled for several choices of rows at once. */
  readonly groups: Clusters;
  /** Their groups, numbered among themselves. */
  readonly clusters: Clusters;
  /** Of clusters with at least two of the rows, how many there are. */
  readonly compared: number;
}

/**
 * The rows for which something holds.
 *
 * @param groups  of each row of the bench
 */
export const knownRows = (groups: Clusters, holds: (row: number) => boolean): KnownRows => {
  const places = new Int32Array(groups.of.length);
  let count = 0;
  for (let row = 0; row < places.length; row += 1) if (holds(row)) places[count++] = row;
  return rowsAt(places.slice(0, count), groups);
};

const rowsAt = (places: Int32Array, groups: Clusters): KnownRows => {
  const [of, own] = [new Int32Array(places.length), new Int32Array(places.length)];
  const numbers = new Int32Array(groups.count).fill(-1);
  const sizes = new Int32Array(groups.count);
  let count = 0;
  for (let at = 0; at < places.length; at += 1) {
    const group = groups.of[places[at]];
    if (numbers[group] < 0) numbers[group] = count++;
    sizes[group] += 1;
    of[at] = group;
    own[at] = numbers[group];
  }
  return {
    places,
    groups: { of, count: groups.count },
    clusters: { of: own, count },
    compared: sizes.filter((size) => size > 1).length,
  };
};

/** The values of a column at some places. */
export const gather = (column: Float64Array, { places }: Pick<KnownRows, 'places'>): Float64Array => {
  const values = new Float64Array(places.length);
  for (let at = 0; at < places.length; at += 1) values[at] = column[places[at]];
  return values;
};

/** What the labels of a bench are. */
export interface Labels {
  /** Of each row; NaN where it has none. */
  readonly values: Float64Array;
  /** `binary`: two values, the greater of which is right. */
  readonly kind: 'binary' | 'numeric' | 'one_value';
  readonly least: number;
  readonly greatest: number;
  /** Of each row the number of its label among equal or similar ones: see {@link levelsOf}; −1 where it has none. */
  readonly levels: Int32Array;
}

/** Undefined where no row has a label. */
export const labelsOf = ({ labels }: MeasuredRows): Labels | undefined => {
  const known = labels?.filter(Number.isFinite) ?? new Float64Array();
  if (labels === undefined || known.length === 0) return undefined;
  const distinct = Float64Array.from(new Set(known)).sort();
  const kind = distinct.length === 1 ? 'one_value' : distinct.length === 2 ? 'binary' : 'numeric';
  const levels = levelsOf(known, distinct);
  return {
    values: labels,
    kind,
    least: distinct[0],
    greatest: distinct[distinct.length - 1],
    levels: Int32Array.from(labels, (label) => levels.get(label) ?? -1),
  };
};

/** So many kinds of labels are told apart when labels are to be held equal. */
const MAX_LEVELS = 10;

/** Numbers labels; more than ten distinct ones are put into ten bins of about as many rows. */
const levelsOf = (known: Float64Array, distinct: Float64Array): ReadonlyMap<number, number> => {
  if (distinct.length <= MAX_LEVELS) return new Map(Array.from(distinct, (label, level) => [label, level]));
  const { rows, ends } = orderOf(known);
  const levels = new Map<number, number>();
  let start = 0;
  for (const end of ends) {
    levels.set(known[rows[start]], Math.floor((start / known.length) * MAX_LEVELS));
    start = end;
  }
  return levels;
};

/** With fewer groups whose labels differ, rewards are held against the labels of all rows and not within groups. */
export const ENOUGH_MIXED_GROUPS = 20;

/** 1 where a label is the greater one of two, 0 where it is the lesser one. */
export const rightOnes = (labels: Float64Array, { greatest }: Labels): Uint8Array =>
  Uint8Array.from(labels, (label) => (label === greatest ? 1 : 0));

/** Sizes of samples to report: powers of two, and the number of samples that at least half of the compared groups have. */
export const sampleSizes = ({ clusters }: KnownRows): number[] => {
  const sizes = new Int32Array(clusters.count);
  for (const cluster of clusters.of) sizes[cluster] += 1;
  const compared = sizes.filter((size) => size > 1).sort();
  if (compared.length === 0) return [];
  const usual = compared[Math.floor((compared.length - 1) / 2)];
  const powers = Array.from({ length: Math.floor(Math.log2(usual)) }, (_, power) => 2 ** (power + 1));
  return [...new Set([...powers, usual])];
};
