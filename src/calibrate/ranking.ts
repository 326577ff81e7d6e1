import { bestThreshold, type ThresholdGoal } from '../stats/calibration.js';
import type { ClusteredEstimate } from '../stats/clustered.js';
import type { Interval } from '../stats/interval.js';
import { kendall, rocArea, spearman } from '../stats/ranking.js';
import { atBest, leastShare, toReport, type Estimate } from './estimates.js';
import type { LabelledRows } from './labelled.js';

/** How scores order rows. */
export interface RankingReport {
  /** Area under the ROC curve; of labels of 0 and 1. */
  readonly auc: Estimate | null;
  readonly spearman: Estimate | null;
  readonly kendall: Estimate | null;
}

/** Compares the order of rewards and of labels. */
export const rankingReport = ({ kind, rewards, labels, clusters }: LabelledRows): RankingReport => ({
  auc: kind === 'binary' ? toReport(areaOf(rewards, Uint8Array.from(labels), clusters)) : null,
  spearman: toReport(spearman(rewards, labels, clusters)),
  kendall: toReport(kendall(rewards, labels, clusters)),
});

/** The area; where no row is on the wrong side, with the interval that so many clusters of the rarer label leave. */
const areaOf = (
  rewards: Float64Array,
  labels: Uint8Array,
  clusters: Int32Array,
): ClusteredEstimate | undefined => {
  const area = rocArea(rewards, labels, clusters);
  if (area?.value !== 1 || area.interval !== undefined) return area;
  const clustersWith = (label: number): number =>
    new Set(clusters.filter((_, row) => labels[row] === label)).size;
  return atBest(area, leastShare(Math.min(clustersWith(0), clustersWith(1))));
};

/** The reward from which on a row is best taken to pass. */
export interface ThresholdReport {
  readonly goal: ThresholdGoal;
  readonly threshold: number;
  readonly interval: Interval | null;
  /** What the goal measures (balanced accuracy, F1, precision), on the rows that chose the threshold. */
  readonly quality: number;
  /** What other rows would see. */
  readonly expected_quality: number | null;
  readonly precision: number;
  readonly recall: number;
  /** Share of resamples in which a threshold reaches the goal. */
  readonly found: number;
  /** How many resamples there were. */
  readonly replicates: number;
}

/** Up to so many rows there are 999 resamples, which takes seconds; above, fewer. */
const MANY_ROWS = 500_000;
const REPLICATES = 999;
const FEW_REPLICATES = 199;

/**
 * The best threshold of rewards.
 *
 * @returns undefined where labels are not 0 and 1, or all the same; where rewards are but what has passed; and where no
 *   threshold reaches the goal
 */
export const thresholdReport = (
  { kind, rewards, labels, passed, clusters, count }: LabelledRows,
  goal: ThresholdGoal,
): ThresholdReport | undefined => {
  if (kind !== 'binary' || rewards.every((reward, row) => reward === passed[row])) return undefined;
  const replicates = count > MANY_ROWS ? FEW_REPLICATES : REPLICATES;
  const best = bestThreshold(rewards, Uint8Array.from(labels), goal, clusters, { replicates });
  if (best === undefined) return undefined;
  const { threshold, interval, quality, expectedQuality, precision, recall, found } = best;
  return {
    goal,
    threshold,
    interval: interval ?? null,
    quality,
    expected_quality: expectedQuality ?? null,
    precision,
    recall,
    found,
    replicates,
  };
};
