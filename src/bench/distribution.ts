import { clusteredMean, type Clusters } from '../stats/clustered.js';
import { groupStatistics, valueStatistics } from '../stats/groups.js';
import { shareInterval, type Interval } from '../stats/interval.js';
import { RunningMoments } from '../stats/running.js';
import { reported, reportedShare } from './estimate.js';
import { gather, type KnownRows, type Labels } from './known-rows.js';
import type { Distribution, EndShare, Estimate, GroupSpread } from './report-shape.js';

const UNIT: Interval = [0, 1];
/** What rounding may add to a reward that is at an end of its range. */
const SLACK = 1e-9;

/**
 * Which values a reward takes.
 *
 * @param range  the least and the greatest reward that the configuration allows
 * @returns null without rewards
 */
export const distributionOf = (
  rewards: Float64Array,
  clusters: Clusters,
  range: Interval | undefined,
): Distribution | null => {
  const moments = new RunningMoments();
  for (const reward of rewards) moments.add(reward);
  const { min, max } = moments;
  const mean = clusteredMean(rewards, clusters, range && [Math.min(range[0], min), Math.max(range[1], max)]);
  const values = valueStatistics(rewards);
  if (mean === undefined || values === undefined) return null;
  const sorted = rewards.toSorted();
  const [low, high] = range ?? UNIT;
  const endShare = (at: number, isAt: (reward: number) => boolean): EndShare => ({
    at,
    by_configuration: range !== undefined,
    share: shareOf(rewards, clusters, isAt),
  });
  const commonest = commonestOf(sorted);
  const [floor, ceiling] = [range?.[0] ?? min, range?.[1] ?? max];
  return {
    mean: reported(mean),
    standard_deviation: min === max ? 0 : Math.sqrt(moments.variance),
    min,
    lower_quartile: quantile(sorted, 0.25),
    median: quantile(sorted, 0.5),
    upper_quartile: quantile(sorted, 0.75),
    max,
    floor: endShare(floor, (reward) => reward <= floor),
    ceiling: endShare(ceiling, (reward) => reward >= ceiling),
    commonest: { at: commonest, share: shareOf(rewards, clusters, (reward) => reward === commonest) },
    distinct: values.distinct,
    effective_distinct: values.effectiveDistinct,
    outside: {
      range: [low, high],
      rows: rewards.filter((reward) => reward < low - SLACK || reward > high + SLACK).length,
    },
  };
};

/** The value that is there most often; the least of equally frequent ones. */
const commonestOf = (sorted: Float64Array): number => {
  let [best, most] = [sorted[0], 0];
  for (let start = 0, end = 0; start < sorted.length; start = end) {
    while (end < sorted.length && sorted[end] === sorted[start]) end += 1;
    if (end - start > most) [best, most] = [sorted[start], end - start];
  }
  return best;
};

/** On the line between the two values around place (n − 1) p, as numpy's default. */
const quantile = (sorted: Float64Array, probability: number): number => {
  const place = (sorted.length - 1) * probability;
  const below = Math.floor(place);
  const part = place - below;
  return part === 0 ? sorted[below] : sorted[below] * (1 - part) + sorted[below + 1] * part;
};

/** The share of at least one value for which something holds. */
const shareOf = (values: Float64Array, clusters: Clusters, holds: (value: number) => boolean): Estimate => {
  const marks = values.map((value) => (holds(value) ? 1 : 0));
  const share = clusteredMean(marks, clusters, UNIT);
  if (share === undefined) throw new Error('a share of no values');
  return reported(share);
};

/**
 * What rewards have to tell a trainer that compares within groups.
 *
 * @param rewards  of the scored rows
 * @returns null where no group has two of them
 */
export const groupSpreadOf = (
  rewards: Float64Array,
  scored: KnownRows,
  labels: Labels | undefined,
): GroupSpread | null => {
  const { comparedGroups, flatShare, deviationWithin, variance } = groupStatistics(
    rewards,
    scored.clusters.of,
  );
  if (flatShare === undefined || deviationWithin === undefined) return null;
  return {
    compared: comparedGroups,
    flat_share: reportedShare(flatShare, comparedGroups),
    flat_share_of_mixed: labels === undefined ? null : flatShareOfMixed(rewards, scored, labels),
    deviation: reported(deviationWithin),
    variance_between: variance?.between ?? null,
    variance_within: variance?.within ?? null,
    variance_ratio: variance?.ratio ?? null,
    icc: variance?.icc ?? null,
  };
};

/** Among groups whose labels differ. */
const flatShareOfMixed = (rewards: Float64Array, scored: KnownRows, labels: Labels): Estimate | null => {
  const mixed = differing(gather(labels.values, scored), scored.clusters);
  const spread = differing(rewards, scored.clusters);
  const total = mixed.reduce((sum, each) => sum + each, 0);
  const flat = mixed.reduce((sum, each, group) => sum + each * (1 - spread[group]), 0);
  const interval = shareInterval(flat, total);
  return interval === undefined ? null : reportedShare({ value: flat / total, interval }, total);
};

/** Of each group: 1 where values that are there differ, otherwise 0. */
export const differing = (values: Float64Array, { of, count }: Clusters): Uint8Array => {
  const first = new Float64Array(count).fill(NaN);
  const differ = new Uint8Array(count);
  values.forEach((value, row) => {
    const group = of[row];
    if (Number.isNaN(value)) return;
    if (Number.isNaN(first[group])) first[group] = value;
    else if (value !== first[group]) differ[group] = 1;
  });
  return differ;
};
