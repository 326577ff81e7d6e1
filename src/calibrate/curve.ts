import {
  clusteredMean,
  clustersOf,
  totalOf,
  type ClusteredEstimate,
  type Clusters,
} from '../stats/clustered.js';
import { shareInterval } from '../stats/interval.js';
import { equalParts, pick } from './stratified.js';

/** Rows whose scores lie next to each other. */
export interface CurveBin {
  readonly rows: number;
  readonly leastScore: number;
  readonly greatestScore: number;
  readonly meanScore: number;
  /** Mean label; of labels of 0 and 1, their share. */
  readonly label: ClusteredEstimate;
}

/** What labels rows have, by their score. */
export interface Curve {
  readonly bins: readonly CurveBin[];
  /**
   * Mean over rows of |mean score − mean label| of their bin: of labels of 0 and 1 the expected calibration error. Chance
   * alone makes it larger than 0.
   */
  readonly expectedError: number;
}

/**
 * Reliability curve by bins of equal numbers of rows, as `calibrationOf` cuts them, also for labels that are numbers; the
 * intervals allow for clusters.
 *
 * @param scores  of each row; finite
 * @param labels  of each row; finite
 * @param isShare  whether labels are 0 or 1
 */
export const calibrationCurve = (
  scores: Float64Array,
  labels: Float64Array,
  clusters: Int32Array,
  bins: number,
  isShare: boolean,
): Curve => {
  const filled = equalParts(scores, bins).map((rows): CurveBin => {
    const inside = Int32Array.from(rows, (row) => clusters[row]);
    return {
      rows: rows.length,
      leastScore: scores[rows[0]],
      greatestScore: scores[rows[rows.length - 1]],
      meanScore: totalOf(pick(scores, rows)) / rows.length,
      label: meanLabel(pick(labels, rows), clustersOf(rows.length, inside), isShare),
    };
  });
  const errors = filled.map(({ rows, meanScore, label }) => rows * Math.abs(meanScore - label.value));
  return { bins: filled, expectedError: errors.reduce((sum, error) => sum + error, 0) / scores.length };
};

/** A bin has few rows, for which Wilson's interval of a share holds its level better, where rows are independent. */
const meanLabel = (labels: Float64Array, clusters: Clusters, isShare: boolean): ClusteredEstimate => {
  const mean = clusteredMean(labels, clusters, isShare ? [0, 1] : undefined) as ClusteredEstimate;
  if (!isShare || clusters.count < labels.length) return mean;
  const { caution: _caution, ...estimate } = mean;
  return { ...estimate, interval: shareInterval(totalOf(labels), labels.length) };
};
