import { interval as byDistance, RunningAgreement } from '../stats/agreement.js';
import { clusteredMean, clustersOf, totalOf } from '../stats/clustered.js';
import type { Interval } from '../stats/interval.js';
import { calibrationCurve } from './curve.js';
import { toReport, type Estimate } from './estimates.js';
import type { LabelledRows } from './labelled.js';
import type { Scale } from './scale.js';

/** Rows whose scores lie next to each other. */
export interface CurveBinReport {
  readonly rows: number;
  readonly least_score: number;
  readonly greatest_score: number;
  readonly mean_score: number;
  /** Mean label; of labels of 0 and 1, their share. */
  readonly mean_label: Estimate;
}

/** Scores as numbers against labels as numbers. */
export interface ErrorsReport {
  readonly scale: Scale;
  /** How far scores are above labels on average. */
  readonly mean_error: Estimate;
  /** Mean squared error; of labels of 0 and 1 the Brier score. */
  readonly squared_error: Estimate;
  /** What always giving the mean label reaches. */
  readonly constant: {
    readonly value: number;
    readonly squared_error: number;
    /** Squared error of the scores less that of the constant, on the same rows; below 0 the scores are better. */
    readonly difference: Estimate;
  };
  readonly curve: readonly CurveBinReport[];
  /** Mean |score − label| over the bins; of labels of 0 and 1 the expected calibration error. null where scores were fitted. */
  readonly expected_calibration_error: number | null;
  /** Krippendorff's alpha of labels and scores, by how far they lie apart. */
  readonly alpha: number | null;
}

/**
 * How far scores are from labels.
 *
 * @param scores  of each row on the labels' scale
 * @param bins  of the calibration curve
 */
export const errorsReport = (
  { kind, labels, clusters, count }: LabelledRows,
  scores: Float64Array,
  scale: Scale,
  bins: number,
): ErrorsReport => {
  const groups = clustersOf(count, clusters);
  const meanOf = (values: Float64Array, bounds?: Interval): Estimate =>
    toReport(clusteredMean(values, groups, bounds)) as Estimate;
  const squares = scores.map((score, row) => (score - labels[row]) ** 2);
  const value = totalOf(labels) / count;
  const constant = labels.map((label) => (label - value) ** 2);
  const isChance =
    kind === 'binary' && scale.by === 'same' && scores.every((score) => score >= 0 && score <= 1);
  const curve = calibrationCurve(scores, labels, clusters, bins, kind === 'binary');
  return {
    scale,
    mean_error: meanOf(scores.map((score, row) => score - labels[row])),
    squared_error: meanOf(squares, isChance ? [0, 1] : undefined),
    constant: {
      value,
      squared_error: totalOf(constant) / count,
      difference: meanOf(squares.map((square, row) => square - constant[row])),
    },
    curve: curve.bins.map(({ rows, leastScore, greatestScore, meanScore, label }) => ({
      rows,
      least_score: leastScore,
      greatest_score: greatestScore,
      mean_score: meanScore,
      mean_label: toReport(label) as Estimate,
    })),
    expected_calibration_error: scale.by === 'same' ? curve.expectedError : null,
    alpha: alphaOf(labels, scores),
  };
};

const alphaOf = (labels: Float64Array, scores: Float64Array): number | null => {
  const agreement = new RunningAgreement<number>(byDistance);
  labels.forEach((label, row) => agreement.add([label, scores[row]]));
  return agreement.alpha ?? null;
};
