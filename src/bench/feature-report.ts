import { clusteredEstimate, type Clusters } from '../stats/clustered.js';
import { spearmanStatistic } from '../stats/ranking.js';
import { reported, reportedOrNull } from './estimate.js';
import { gather, knownRows, type KnownRows, type Labels } from './known-rows.js';
import type { Feature } from './measured.js';
import type { Basis, Estimate, FeatureRelation } from './report-shape.js';
import { preference, stratifiedSpearman, type PairEstimate } from './reward-statistics.js';

/**
 * How a reward goes with a feature, over all rows and with what is known held equal: a reward may follow the length of
 * answers because wrong ones are longer, which is no fault of it.
 *
 * @param rewards  of each row of the bench; NaN where it has none
 * @param values  of each row of the bench; NaN where it has none
 * @param groups  of each row of the bench
 */
export const relationOf = (
  feature: Feature,
  rewards: Float64Array,
  values: Float64Array,
  groups: Clusters,
  labels: Labels | undefined,
): FeatureRelation => {
  const isKnown = (row: number): boolean => Number.isFinite(rewards[row]) && Number.isFinite(values[row]);
  const known = knownRows(groups, isKnown);
  const [x, y] = [gather(rewards, known), gather(values, known)];
  const overall = rankCorrelation(x, y, known.clusters);
  const sameLabel =
    labels &&
    withSameLabel(
      rewards,
      values,
      labels,
      knownRows(groups, (row) => isKnown(row) && labels.levels[row] >= 0),
    );
  const conditional =
    labels === undefined
      ? (asConditional('group', preference(x, y, known.clusters)) ?? rankConditional('rows', overall))
      : (sameLabel ?? null);
  return { feature, rows: x.length, spearman: overall, conditional };
};

const rankCorrelation = (x: Float64Array, y: Float64Array, clusters: Clusters): Estimate | null => {
  const statistic = spearmanStatistic(x, y, clusters);
  return (
    (statistic &&
      reported(clusteredEstimate(statistic.value, statistic.contributions, { bounds: [-1, 1] }))) ??
    null
  );
};

type Conditional = FeatureRelation['conditional'];

/** Among rows with a label. */
const withSameLabel = (
  rewards: Float64Array,
  values: Float64Array,
  labels: Labels,
  known: KnownRows,
): Conditional => {
  const [x, y] = [gather(rewards, known), gather(values, known)];
  const levels = Int32Array.from(known.places, (row) => labels.levels[row]);
  const strata = { of: levels, count: levels.reduce((most, level) => Math.max(most, level + 1), 0) };
  return (
    asConditional('group_and_label', preference(x, y, known.clusters, levels)) ??
    rankConditional('label', reportedOrNull(stratifiedSpearman(x, y, strata, known.clusters)))
  );
};

/** Fewer groups with pairs to compare say too little, and what is known is held equal in another way. */
const ENOUGH_GROUPS = 30;

const asConditional = (basis: Basis, found: PairEstimate | undefined): Conditional =>
  found === undefined || found.groups < ENOUGH_GROUPS
    ? null
    : { ...reported(found.estimate), basis, pairs: found.pairs };

const rankConditional = (basis: Basis, estimate: FeatureRelation['spearman']): Conditional =>
  estimate && { ...estimate, basis, pairs: null };
