import { clusteredMean, clustersOf } from '../stats/clustered.js';
import { predictionPoweredMean } from '../stats/ppi.js';
import { toReport, type Estimate } from './estimates.js';
import type { GatheredRows } from './gather.js';
import type { LabelledRows } from './labelled.js';
import { onScale, type Scale } from './scale.js';
import { pick } from './stratified.js';

/** Mean label of all rows, by labels of some of them and scores of the others. */
export interface MeanReport {
  /** Mean score of all rows with a reward, on the labels' scale. */
  readonly scores: Estimate;
  /** Mean of the labels alone. */
  readonly labels: Estimate;
  /**
   * Mean label of all rows by prediction-powered inference, which holds if the rows with a label were drawn at random;
   * null where no row is without a label. `power` is how far the scores are relied on, from 0 to 1.
   */
  readonly corrected: (Estimate & { readonly power: number }) | null;
}

/** What labels are on average; rows on which people disagree evenly are left out. */
export const meanReport = (
  { rewards, clusters, labels: { ends } }: GatheredRows,
  rows: LabelledRows,
  scale: Scale,
): MeanReport => {
  const all = onScale(rewards, scale);
  const unlabelled: number[] = [];
  ends.forEach((end, row) => {
    if (end === (row === 0 ? 0 : ends[row - 1])) unlabelled.push(row);
  });
  const found = predictionPoweredMean({
    labelledScores: pick(all, rows.places),
    labels: rows.labels,
    unlabelledScores: pick(all, unlabelled),
    clusters: Int32Array.from([...rows.places, ...unlabelled], (row) => clusters[row]),
  });
  return {
    scores: toReport(clusteredMean(all, clustersOf(all.length, clusters))) as Estimate,
    labels: toReport(found?.labelsAlone) as Estimate,
    corrected:
      found === undefined || unlabelled.length === 0
        ? null
        : { ...(toReport(found) as Estimate), power: found.power },
  };
};
