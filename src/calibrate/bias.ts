import { clusteredMean, clustersOf } from '../stats/clustered.js';
import { holmAdjusted } from '../stats/holm.js';
import { meanWhere, toReport, type Estimate } from './estimates.js';
import type { Positions } from './gather.js';
import {
  centredIn,
  equalParts,
  pick,
  pValueOf,
  stratifiedSlope,
  stratifiedSpearman,
  type Strata,
  type StratifiedEstimate,
} from './stratified.js';

/** A relation that should not be there, tested together with the others of a report. */
interface Tested {
  /** Two-sided p value for no relation. */
  readonly p: number;
  /** The same, adjusted for how many relations were looked at (Holm). */
  readonly p_adjusted: number;
}

/** Does the error of scores follow something of the rows? */
export interface TrendReport extends Tested {
  /** Rows of the label classes that have any spread. */
  readonly rows: number;
  /** Spearman's rank correlation with the error, inside rows of the same label. */
  readonly spearman: Estimate;
  /** Fifths of the rows, from the least to the greatest value. */
  readonly parts: readonly TrendPart[];
}

/** Rows next to each other in what a trend is about. */
export interface TrendPart {
  readonly rows: number;
  readonly least: number;
  readonly greatest: number;
  /** How much higher rows score here than rows of the same label do on average. */
  readonly excess: Estimate;
}

/** How scores treat one position. */
export interface PositionReport {
  readonly position: string;
  readonly rows: number;
  readonly mean_error: Estimate;
  /** How much higher rows score here than rows of the same label elsewhere; null where that cannot be told. */
  readonly effect: (Estimate & Tested) | null;
}

/** What the error of scores depends on beside the label. */
export interface BiasReport {
  /** By the length of the text that was graded, in characters; null where texts are not known. */
  readonly length: TrendReport | null;
  /** By the place in the results: does the judge drift? */
  readonly order: TrendReport | null;
  readonly position: { readonly by: string; readonly positions: readonly PositionReport[] } | null;
}

/** Labelled rows for which the error of the score is known. */
export interface ErrorRows {
  /** How far each score is above its label; of texts 1 where they differ, else 0. */
  readonly errors: Float64Array;
  /** Rows of the same label. */
  readonly strata: Strata;
  readonly clusters: Int32Array;
  /** Undefined where texts are not known; NaN where a row has none. */
  readonly characters: Float64Array | undefined;
  readonly places: Uint32Array;
  readonly positions: Positions | undefined;
}

/** Looks for what errors depend on. */
export const biasReport = (rows: ErrorRows): BiasReport => {
  const length = rows.characters && trendOf(rows, rows.characters);
  const order = trendOf(rows, Float64Array.from(rows.places));
  const positions = rows.positions && positionsOf(rows, rows.positions);
  const tests = [length?.test, order?.test, ...(positions ?? []).map(({ test }) => test)];
  const tested = adjusted(tests.filter((test) => test !== undefined));
  return {
    length: length === undefined ? null : { ...length.report, ...tested(length.test) },
    order: order === undefined ? null : { ...order.report, ...tested(order.test) },
    position:
      rows.positions === undefined || positions === undefined
        ? null
        : {
            by: rows.positions.by,
            positions: positions.map(({ report, test }): PositionReport =>
              Object.assign(report, {
                effect: test === undefined ? null : { ...(toReport(test) as Estimate), ...tested(test) },
              }),
            ),
          },
  };
};

/** The p values of tests that were made together. */
const adjusted = (tests: readonly StratifiedEstimate[]): ((test: StratifiedEstimate) => Tested) => {
  const values = tests.map(pValueOf);
  const together = holmAdjusted(values);
  const found = new Map(tests.map((test, at) => [test, { p: values[at], p_adjusted: together[at] }]));
  return (test) => found.get(test) ?? { p: 1, p_adjusted: 1 };
};

interface Trend {
  readonly report: Omit<TrendReport, keyof Tested>;
  readonly test: StratifiedEstimate;
}

const PARTS = 5;

/** How errors go along with values, over the rows that have one. */
const trendOf = (
  { errors, strata: all, clusters }: Pick<ErrorRows, 'errors' | 'strata' | 'clusters'>,
  values: Float64Array,
): Trend | undefined => {
  const known: number[] = [];
  values.forEach((value, row) => {
    if (!Number.isNaN(value)) known.push(row);
  });
  const [x, y] = [pick(values, known), pick(errors, known)];
  const of = Int32Array.from(known, (row) => clusters[row]);
  const strata: Strata = { of: Int32Array.from(known, (row) => all.of[row]), count: all.count };
  const test = stratifiedSpearman(x, y, strata, clustersOf(known.length, of));
  if (test === undefined) return undefined;
  const excess = centredIn(y, strata);
  const parts = equalParts(x, PARTS).map((rows): TrendPart => {
    const inside = Int32Array.from(rows, (row) => of[row]);
    return {
      rows: rows.length,
      least: x[rows[0]],
      greatest: x[rows[rows.length - 1]],
      excess: toReport(clusteredMean(pick(excess, rows), clustersOf(rows.length, inside))) as Estimate,
    };
  });
  return { report: { rows: test.rows, spearman: toReport(test) as Estimate, parts }, test };
};

interface FoundPosition {
  readonly report: Omit<PositionReport, 'effect'>;
  readonly test: StratifiedEstimate | undefined;
}

const positionsOf = (
  { errors, strata, clusters, places }: ErrorRows,
  { names, of }: Positions,
): readonly FoundPosition[] => {
  const groups = clustersOf(errors.length, clusters);
  return names.flatMap((position, number) => {
    const isHere = Float64Array.from(places, (place) => Number(of[place] === number));
    const mean = meanWhere(errors, clusters, (row) => isHere[row] === 1);
    if (mean === undefined) return [];
    const rows = isHere.reduce((sum, here) => sum + here, 0);
    const report = { position, rows, mean_error: toReport(mean) as Estimate };
    return [{ report, test: stratifiedSlope(isHere, errors, strata, groups) }];
  });
};
