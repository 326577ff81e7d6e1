import type { ResampledStatistic } from '../stats/bootstrap.js';
import type { Clusters } from '../stats/clustered.js';
import { labelledRewards, labelStatistics, type LabelStatistics } from './against-labels.js';
import { differing } from './distribution.js';
import { bootstrappedDifference, excludesZero } from './estimate.js';
import { ENOUGH_MIXED_GROUPS, gather, knownRows, type Labels } from './known-rows.js';
import type { MeasuredReward } from './measured.js';
import type { Measure, Place, Ranking, RewardComparison } from './report-shape.js';

/** A reward and how it follows the labels. */
export interface Contender {
  readonly reward: MeasuredReward;
  /** Rows with a reward and a label. */
  readonly labelledRows: number;
  readonly statistics: LabelStatistics;
}

/** Rewards that can be compared, all on the same rows. */
export interface Contest {
  readonly measure: Measure;
  readonly rows: number;
  readonly contenders: readonly Contender[];
  /** Names of rewards that are left out. */
  readonly unranked: readonly string[];
}

/** A reward that scored a smaller share of the labelled rows would leave the others too few. */
const MIN_SCORED = 0.5;

/**
 * Brings rewards onto the rows that all of them scored.
 *
 * @param rewards  each with the statistics of all rows that it scored
 * @param groups  of each row of the bench
 * @returns undefined where there is nothing to compare: fewer than two rewards, labels of one value
 */
export const contestOf = (
  rewards: readonly Contender[],
  groups: Clusters,
  labels: Labels | undefined,
): Contest | undefined => {
  if (labels === undefined || labels.kind === 'one_value' || rewards.length < 2) return undefined;
  const isLabelled = (row: number): boolean => Number.isFinite(labels.values[row]);
  const wanted = MIN_SCORED * knownRows(groups, isLabelled).places.length;
  const [taken, left] = [
    rewards.filter(({ labelledRows }) => labelledRows >= wanted),
    rewards.filter(({ labelledRows }) => labelledRows < wanted),
  ];
  const common = knownRows(
    groups,
    (row) => isLabelled(row) && taken.every(({ reward }) => Number.isFinite(reward.rewards[row])),
  );
  const rows = common.places.length;
  const onCommonRows = ({ reward, labelledRows, statistics }: Contender): Contender => ({
    reward,
    labelledRows: rows,
    statistics:
      labelledRows === rows ? statistics : labelStatistics(labelledRewards(reward.rewards, labels, common)),
  });
  const contenders = taken.map(onCommonRows);
  const mixed = differing(gather(labels.values, common), common.clusters);
  const measure =
    mixed.filter((each) => each === 1).length >= ENOUGH_MIXED_GROUPS
      ? 'pairwise_accuracy'
      : labels.kind === 'binary'
        ? 'auc'
        : 'spearman';
  const [ranked, without] = [
    contenders.filter(({ statistics }) => statistics[measure] !== undefined),
    contenders.filter(({ statistics }) => statistics[measure] === undefined),
  ];
  return {
    measure,
    rows,
    contenders: ranked,
    unranked: [...left, ...without].map(({ reward }) => reward.name),
  };
};

/** Ranks rewards by how well they follow the labels. */
export const rankRewards = (
  { measure, rows, contenders, unranked }: Contest,
  replicatesOf: (statistic: ResampledStatistic) => Float64Array,
): Ranking => {
  const ranked = contenders.flatMap(({ reward, statistics }) => {
    const statistic = statistics[measure];
    return statistic === undefined ? [] : [{ name: reward.name, statistic, auc: statistics.auc }];
  });
  ranked.sort((a, b) => b.statistic.value - a.statistic.value);
  const difference = (a: ResampledStatistic, b: ResampledStatistic) =>
    bootstrappedDifference([a, replicatesOf(a)], [b, replicatesOf(b)]);
  const comparisons = ranked.flatMap((a, index) =>
    ranked.slice(index + 1).map((b): RewardComparison => {
      const found = difference(a.statistic, b.statistic);
      const told = excludesZero(found.interval, found.value);
      return {
        a: a.name,
        b: b.name,
        difference: found,
        better: told ? (found.value > 0 ? 'a' : 'b') : 'not_told_apart',
        auc_difference: a.auc && b.auc ? difference(a.auc, b.auc) : null,
      };
    }),
  );
  const places = ranked.map(({ name, statistic }) => placeOf(name, statistic.value, comparisons));
  return { measure, rows, places, comparisons, unranked };
};

const placeOf = (name: string, value: number, comparisons: readonly RewardComparison[]): Place => {
  const mine = comparisons.filter(({ a, b }) => a === name || b === name);
  const better = mine.filter((each) => each.better !== 'not_told_apart' && each[each.better] !== name);
  const alike = mine.filter((each) => each.better === 'not_told_apart');
  return {
    name,
    rank: 1 + better.length,
    value,
    not_told_apart_from: alike.map(({ a, b }) => (a === name ? b : a)),
  };
};
