import type { PathSegment } from '../errors.js';
import type { Interval } from '../stats/interval.js';
import type { ChangedRows } from './changed-rows.js';
import { ComparedPairs } from './compared-pairs.js';
import { comparedRun, comparisonWarnings, readRunFile } from './compared-runs.js';
import { conclude, type Verdict } from './conclusion.js';
import { pairResults, type PairedBy, type Pairing } from './pair.js';
import type { MeasureComparison } from './paired-measure.js';
import { ResultsError } from './read.js';
import type { GraderRecord } from './record.js';

export type { ChangedRow, ChangedRows } from './changed-rows.js';
export type { Verdict } from './conclusion.js';
export type { EffectSizes, MeasureComparison } from './paired-measure.js';

/** What was compared, and what came out. Differences are B − A throughout. */
export interface Comparison {
  readonly verdict: Verdict;
  /** The outcome in plain words; its first sentence says it, the others what it does not say. */
  readonly conclusion: string;
  readonly a: ComparedRun;
  readonly b: ComparedRun;
  readonly pairing: PairingSummary;
  /** Over the pairs that both runs scored; null when there are none. */
  readonly reward: MeasureComparison | null;
  /** Shares of passed rows, where both runs define it and it is not the reward itself. */
  readonly pass?: MeasureComparison;
  /** Each member of a multi. */
  readonly sub_rewards?: Readonly<Record<string, MeasureComparison>>;
  /** The reward of each criterion of an eval. */
  readonly criteria?: Readonly<Record<string, MeasureComparison>>;
  /** Shares of failed rows, over all rows that both files have; null when none failed. */
  readonly failures: FailureComparison | null;
  readonly regressions: ChangedRows;
  readonly improvements: ChangedRows;
  /** What may make the comparison another one than it seems to be. */
  readonly warnings: readonly string[];
}

/** One of the two runs. */
export interface ComparedRun {
  readonly path: string;
  readonly rows: number;
  readonly scored: number;
  readonly failed: number;
  /** Rows that the other run does not have. */
  readonly unpaired: number;
  /** From the record beside the results file; null when there is none. */
  readonly grader: GraderRecord | null;
  readonly dataset: string | null;
}

/** How rows of the two files were put together. */
export interface PairingSummary {
  readonly by: PairedBy;
  /** Rows that both files have. */
  readonly matched: number;
  /** Those scored in both. */
  readonly pairs: number;
  /** What makes pairs depend on each other; null when they are taken as independent. */
  readonly clustered_by: 'group' | 'id' | 'row' | null;
  /** How many independent clusters the pairs form; null when every pair is one of its own. */
  readonly clusters: number | null;
}

/** How often rows failed, over the rows that both files have. */
export interface FailureComparison {
  /** Share of A's rows that failed. */
  readonly rate_a: number;
  readonly rate_b: number;
  /** `rate_b` − `rate_a`. */
  readonly difference: number;
  /** 95 % confidence interval of the difference. */
  readonly interval: Interval | null;
  readonly test: MeasureComparison['test'];
  readonly p: number;
  /** Rows that A scored and B failed. */
  readonly only_b_failed: number;
  /** Rows that B scored and A failed. */
  readonly only_a_failed: number;
}

export interface CompareOptions {
  /**
   * Path of a value in the result lines; pairs in which it is the same in A may depend on each other. Such as
   * `['input', 'user']` of rows kept with `--keep item`.
   */
  readonly group?: readonly PathSegment[];
  /** How many regressions and improvements are listed. Default 10. */
  readonly top?: number;
}

/**
 * Compares the results of two runs over the same rows, pair by pair: A is the baseline, B the candidate. Rows that
 * failed in either run have no reward and enter no mean; they are counted beside it.
 *
 * The files are streamed; for each pair twelve bytes are kept for the reward and for each member or criterion.
 *
 * @param pathA  a results file as `assay run -o` writes it
 * @throws ResultsError when a file cannot be read, or the two have no row in common
 */
export const compareScores = async (
  pathA: string,
  pathB: string,
  { group, top = 10 }: CompareOptions = {},
): Promise<Comparison> => {
  const [a, b] = await Promise.all([readRunFile(pathA), readRunFile(pathB)]);
  const { pairing, received } = await pairResults(
    a.lines,
    b.lines,
    { value: group },
    () => new ComparedPairs(pathA, group !== undefined, top),
  );
  const { by, matched } = pairing;
  if (matched === 0) throw noCommonRow(pathA, pathB, pairing);
  const { clusteredBy, ...measures } = received.compare();
  const { pairs = 0, clusters = null } = measures.reward ?? {};
  const comparison = {
    a: comparedRun(a, pairing.a, matched),
    b: comparedRun(b, pairing.b, matched),
    pairing: { by, matched, pairs, clustered_by: clusters === null ? null : clusteredBy, clusters },
    ...measures,
    warnings: comparisonWarnings(a, b, pairing),
  };
  return { ...conclude(comparison), ...comparison };
};

const noCommonRow = (pathA: string, pathB: string, { a, b, by }: Pairing): ResultsError => {
  const [empty] = [a.rows === 0 ? [pathA] : [], b.rows === 0 ? [pathB] : []].flat();
  if (empty !== undefined)
    return new ResultsError(`${empty} has no rows; is the run still at its beginning?`);
  const what = by === 'id' ? 'id' : 'row number';
  return new ResultsError(
    `${pathA} and ${pathB} have no ${what} in common, so there is nothing to compare; grade the same dataset twice` +
      (by === 'id' ? ', with the same --id' : ''),
  );
};
