import type { ResampledStatistic } from '../stats/bootstrap.js';
import { clusteredEstimate } from '../stats/clustered.js';
import type { Interval } from '../stats/interval.js';
import { meanBestOfN } from '../stats/pass-at-k.js';
import { kendall, rocAreaStatistic, spearmanStatistic } from '../stats/ranking.js';
import { bootstrapped, reported, reportedOrNull } from './estimate.js';
import { gather, rightOnes, sampleSizes, type KnownRows, type Labels } from './known-rows.js';
import type { Agreement, BestOf, Estimate } from './report-shape.js';
import { bearing, pairwiseAccuracy, sizesOf } from './reward-statistics.js';

/** A reward on rows that have a reward and a label. */
export interface LabelledRewards {
  readonly known: KnownRows;
  readonly rewards: Float64Array;
  readonly values: Float64Array;
  readonly labels: Labels;
}

/** Takes the rewards and labels of some rows. */
export const labelledRewards = (column: Float64Array, labels: Labels, known: KnownRows): LabelledRewards => ({
  known,
  rewards: gather(column, known),
  values: gather(labels.values, known),
  labels,
});

/** How a reward follows the labels, to be resampled with all groups of the bench; what there is. */
export interface LabelStatistics {
  readonly pairwise_accuracy?: ResampledStatistic;
  readonly auc?: ResampledStatistic;
  readonly spearman?: ResampledStatistic;
}

/** What can be said of a reward on labelled rows. */
export const labelStatistics = ({ known, rewards, values, labels }: LabelledRewards): LabelStatistics => ({
  pairwise_accuracy: pairwiseAccuracy(rewards, values, known.groups)?.statistic,
  auc:
    labels.kind === 'binary' ? rocAreaStatistic(rewards, rightOnes(values, labels), known.groups) : undefined,
  spearman: spearmanStatistic(rewards, values, known.groups),
});

/** How far a reward follows the labels. */
export const agreementOf = (
  labelled: LabelledRewards,
  statistics: LabelStatistics,
  replicatesOf: (statistic: ResampledStatistic) => Float64Array,
): Agreement => {
  const { known, rewards, values } = labelled;
  const sizes = sizesOf(known.groups);
  const resampled = (statistic: ResampledStatistic | undefined, bounds: Interval): Estimate | null => {
    if (statistic === undefined) return null;
    const estimate = clusteredEstimate(statistic.value, bearing(statistic.contributions, sizes), { bounds });
    return bootstrapped(statistic, replicatesOf(statistic), estimate);
  };
  return {
    rows: rewards.length,
    auc: resampled(statistics.auc, [0, 1]),
    spearman: resampled(statistics.spearman, [-1, 1]),
    kendall: reportedOrNull(kendall(rewards, values, known.clusters.of)),
    pairwise_accuracy: pairwiseOf(labelled, replicatesOf, statistics.pairwise_accuracy),
    best_of_n: sampleSizes(known).flatMap((n) => bestOf(labelled, n)),
  };
};

const pairwiseOf = (
  { known, rewards, values }: LabelledRewards,
  replicatesOf: (statistic: ResampledStatistic) => Float64Array,
  statistic: ResampledStatistic | undefined,
): Agreement['pairwise_accuracy'] => {
  const found = pairwiseAccuracy(rewards, values, known.groups);
  if (statistic === undefined || found === undefined) return null;
  const { estimate, pairs, groups } = found;
  return { ...bootstrapped(statistic, replicatesOf(statistic), estimate), pairs, groups };
};

const bestOf = ({ known, rewards, values, labels }: LabelledRewards, n: number): BestOf[] => {
  const { least, greatest } = labels;
  const found = meanBestOfN(rewards, values, known.clusters, n, undefined, [least, greatest]);
  if (found === undefined) return [];
  const { reward, oracle, random } = found;
  const way = oracle.value - random.value;
  return [
    {
      n,
      items: reward.items,
      reward: reported(reward),
      oracle: reported(oracle),
      random: reported(random),
      gain: way > 0 ? (reward.value - random.value) / way : null,
    },
  ];
};
