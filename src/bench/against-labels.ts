import type { ResampledStatistic } from '../stats/bootstrap.js';
import type { ClusteredEstimate } from '../stats/clustered.js';
import { meanBestOfN } from '../stats/pass-at-k.js';
import { kendall, rocArea, rocAreaStatistic, spearman, spearmanStatistic } from '../stats/ranking.js';
import { bootstrapped, reported, reportedOrNull } from './estimate.js';
import { gather, rightOnes, sampleSizes, type KnownRows, type Labels } from './known-rows.js';
import type { Agreement, BestOf, Estimate, Measure } from './report-shape.js';
import { pairwiseAccuracy, type PairEstimate } from './reward-statistics.js';

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

/** The statistics that are resampled; those that there are. */
export type MeasureStatistics = Readonly<Partial<Record<Measure, ResampledStatistic>>>;

/** How a reward follows the labels, of all groups of the bench. */
export const measureStatistics = (labelled: LabelledRewards): MeasureStatistics => {
  const { known, rewards, values, labels } = labelled;
  const binary = labels.kind === 'binary';
  return {
    pairwise_accuracy: pairwiseAccuracy(rewards, values, known.groups)?.statistic,
    auc: binary ? rocAreaStatistic(rewards, rightOnes(values, labels), known.groups) : undefined,
    spearman: spearmanStatistic(rewards, values, known.groups),
  };
};

/** How far a reward follows the labels. */
export const agreementOf = (
  labelled: LabelledRewards,
  statistics: MeasureStatistics,
  replicatesOf: (statistic: ResampledStatistic) => Float64Array,
): Agreement => {
  const { known, rewards, values, labels } = labelled;
  const groups = known.clusters.of;
  const resampled = (measure: Measure, estimate: ClusteredEstimate | undefined): Estimate | null => {
    const statistic = statistics[measure];
    if (statistic === undefined || estimate === undefined) return null;
    return bootstrapped(statistic, replicatesOf(statistic), estimate);
  };
  const pairwise = pairwiseAccuracy(rewards, values, known.clusters);
  return {
    rows: rewards.length,
    auc:
      labels.kind === 'binary' ? resampled('auc', rocArea(rewards, rightOnes(values, labels), groups)) : null,
    spearman: resampled('spearman', spearman(rewards, values, groups)),
    kendall: reportedOrNull(kendall(rewards, values, groups)),
    pairwise_accuracy: withPairs(resampled('pairwise_accuracy', pairwise?.estimate), pairwise),
    best_of_n: sampleSizes(known).flatMap((n) => bestOf(labelled, n)),
  };
};

const withPairs = (
  estimate: Estimate | null,
  pairwise: PairEstimate | undefined,
): Agreement['pairwise_accuracy'] =>
  estimate === null || pairwise === undefined
    ? null
    : { ...estimate, pairs: pairwise.pairs, groups: pairwise.groups };

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
