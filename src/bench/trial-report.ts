import type { Interval } from '../stats/interval.js';
import { clusteredEstimate, clusteredMean, sumByCluster, type Clusters } from '../stats/clustered.js';
import { RunningMoments } from '../stats/running.js';
import { reported, reportedOrNull } from './estimate.js';
import { gather, knownRows, rightOnes, type KnownRows, type Labels } from './known-rows.js';
import type { MeasuredReward, Trials } from './measured.js';
import type { BaitReport, Noise, OrderEffect, TrialReport } from './report-shape.js';
import { noiseShare, positionBetween, ratioStatistic } from './reward-statistics.js';

/** What trials are held against. */
interface Context {
  readonly reward: MeasuredReward;
  readonly trials: Trials;
  /** Groups of the rows that were tried, numbered as in the whole bench. */
  readonly groups: Clusters;
  /** The rows of the bench that were scored, and their rewards. */
  readonly scored: KnownRows;
  readonly rewards: Float64Array;
  readonly labels?: Labels;
}

/**
 * What grading some rows again showed.
 *
 * @param groups  of all rows of the bench
 * @param scored  the rows with a reward
 * @returns null where no row was graded again
 */
export const trialReport = (
  reward: MeasuredReward,
  groups: Clusters,
  scored: KnownRows,
  labels: Labels | undefined,
): TrialReport | null => {
  const { trials } = reward;
  if (trials === undefined) return null;
  const of = Int32Array.from(trials.rows, (row) => groups.of[row]);
  const rewards = gather(reward.rewards, scored);
  const context = { reward, trials, groups: { of, count: groups.count }, scored, rewards, labels };
  const constant = trials.constant && baitReport(context, trials.constant.rewards);
  return {
    rows: trials.rows.length,
    noise: noiseOf(context),
    order: orderEffectOf(context),
    echo: trials.echo === undefined ? null : baitReport(context, trials.echo),
    constant: trials.constant && constant ? { ...constant, text: trials.constant.text } : null,
  };
};

/** The tried rows at which all of some columns of the trials are known; null where there are none. */
const rowsWith = ({ groups }: Context, columns: readonly Float64Array[]): KnownRows | null => {
  const known = knownRows(groups, (row) => columns.every((column) => Number.isFinite(column[row])));
  return known.places.length === 0 ? null : known;
};

const noiseOf = (context: Context): Noise | null => {
  const { trials, scored, rewards } = context;
  const known = rowsWith(context, [trials.first, trials.again]);
  if (known === null || known.places.length < 2) return null;
  const [first, again] = [gather(trials.first, known), gather(trials.again, known)];
  const differing = first.map((reward, row) => (reward === again[row] ? 0 : 1));
  const variance = meanOf(first.map((reward, row) => (reward - again[row]) ** 2 / 2));
  const whole = varianceOf(first);
  return {
    rows: first.length,
    differing: reported(meanEstimate(differing, known, [0, 1])),
    standard_deviation: Math.sqrt(variance),
    variance_share: reportedOrNull(
      noiseShare(rewards, scored.groups, { first, again, clusters: known.groups }),
    ),
    reliability: whole > 0 ? 1 - variance / whole : null,
  };
};

const meanOf = (values: Float64Array): number => momentsOf(values).mean ?? NaN;

const varianceOf = (values: Float64Array): number => {
  const { min, max, variance } = momentsOf(values);
  return min === max ? 0 : variance;
};

const momentsOf = (values: Float64Array): RunningMoments => {
  const moments = new RunningMoments();
  for (const value of values) moments.add(value);
  return moments;
};

/** The mean over known rows, of which there is at least one. */
const meanEstimate = (values: Float64Array, { clusters }: KnownRows, bounds?: Interval) =>
  clusteredMean(values, clusters, bounds) ?? clusteredEstimate(NaN, new Float64Array());

const orderEffectOf = (context: Context): OrderEffect | null => {
  const { reward, trials } = context;
  const { first, again, reversed } = trials;
  const bench = Float64Array.from(trials.rows, (row) => reward.rewards[row]);
  const movedMore = (other: Float64Array) => {
    const known = rowsWith(context, [first, again, other]);
    if (known === null) return null;
    const negligible = NEGLIGIBLE * widthOf(context.rewards);
    const moved = Float64Array.from(known.places, (row) => {
      const more = Math.abs(other[row] - first[row]) - Math.abs(again[row] - first[row]);
      return Math.abs(more) <= negligible ? 0 : Math.sign(more);
    });
    return reported(meanEstimate(moved, known, [-1, 1]));
  };
  const effect = movedMore(reversed);
  return effect && { reversed: effect, bench: movedMore(bench) };
};

/** Of the width of all rewards: what rounding in another order may move. */
const NEGLIGIBLE = 1e-9;

const widthOf = (values: Float64Array): number => {
  const { min, max } = momentsOf(values);
  return max > min ? max - min : 1;
};

const baitReport = (context: Context, bait: Float64Array): BaitReport | null => {
  const { trials, labels } = context;
  const known = rowsWith(context, [trials.first, bait]);
  if (known === null) return null;
  const [honest, baited] = [gather(trials.first, known), gather(bait, known)];
  return {
    rows: baited.length,
    mean: reported(meanEstimate(baited, known)),
    honest_mean: reported(meanEstimate(honest, known)),
    difference: reported(
      meanEstimate(
        baited.map((each, row) => each - honest[row]),
        known,
      ),
    ),
    beats: reported(
      meanEstimate(
        baited.map((each, row) => (1 + Math.sign(each - honest[row])) / 2),
        known,
        [0, 1],
      ),
    ),
    share: shareEarned(baited, honest, known, leastReward(context, baited)),
    position: labels?.kind === 'binary' ? positionOf(context, bait, labels) : null,
  };
};

const leastReward = ({ reward, rewards }: Context, baited: Float64Array): number =>
  reward.range?.[0] ?? Math.min(momentsOf(rewards).min, momentsOf(baited).min);

/** What bait earns above the least reward, over what honest answers earn above it. */
const shareEarned = (baited: Float64Array, honest: Float64Array, { clusters }: KnownRows, least: number) => {
  const above = (values: Float64Array): Float64Array =>
    sumByCluster(
      values.map((value) => Math.max(0, value - least)),
      clusters,
    );
  const share = ratioStatistic(above(baited), above(honest));
  return share === undefined ? null : reported(clusteredEstimate(share.value, share.contributions));
};

const positionOf = (context: Context, bait: Float64Array, labels: Labels) => {
  const { trials } = context;
  const values = Float64Array.from(trials.rows, (row) => labels.values[row]);
  const known = rowsWith(context, [trials.first, bait, values]);
  if (known === null) return null;
  const right = rightOnes(gather(values, known), labels);
  return reportedOrNull(
    positionBetween(gather(bait, known), gather(trials.first, known), right, known.clusters),
  );
};
