import { bootstrapReplicates, type BootstrapOptions, type ResampledStatistic } from '../stats/bootstrap.js';
import { clusteredMean, clustersOf, type Clusters } from '../stats/clustered.js';
import { agreementOf, labelledRewards, labelStatistics, type LabelledRewards } from './against-labels.js';
import { distributionOf, groupSpreadOf } from './distribution.js';
import { reportedOrNull } from './estimate.js';
import { findingsOf, type Bars } from './faults.js';
import { relationOf } from './feature-report.js';
import { gather, knownRows, labelsOf, type KnownRows, type Labels } from './known-rows.js';
import { labelReport } from './label-report.js';
import type { MeasuredReward, MeasuredRows } from './measured.js';
import { partReports } from './part-report.js';
import { contestOf, rankRewards, type Contender } from './ranking.js';
import type { BenchReport, Estimate, RewardFacts, RewardReport, Speed } from './report-shape.js';
import { trialReport } from './trial-report.js';
import { fitnessOf } from './verdict.js';

export type * from './report-shape.js';

/** How a report is made. */
export interface BenchReportOptions {
  /** Resamples of the groups for intervals of what is held against labels; with fewer than 39 there are no such intervals. */
  readonly replicates?: number;
  readonly seed?: number;
  /** Bars for faults, instead of the built-in ones. */
  readonly bars?: Bars;
}

const REPLICATES = 1_000;
const SEED = 20_261_123;

/**
 * What rewards are worth, from what was measured of them. A row that failed is in no statistic. The same input gives the
 * same report.
 *
 * @param rewards  in the order in which the report has them; names are unique
 */
export const benchReport = (
  rows: MeasuredRows,
  rewards: readonly MeasuredReward[],
  { replicates = REPLICATES, seed = SEED, bars = {} }: BenchReportOptions = {},
): BenchReport => {
  const groups = clustersOf(rows.count, rows.groups);
  const labels = labelsOf(rows);
  const scored = rewards.map((reward) => scoredReward(reward, groups, labels));
  const contest = contestOf(scored, groups, labels);
  const statistics = [...scored, ...(contest?.contenders ?? [])].flatMap((each) =>
    Object.values(each.statistics).filter((statistic) => statistic !== undefined),
  );
  const replicatesOf = resample([...new Set(statistics)], groups, { replicates, seed });
  return {
    rows: rows.count,
    groups: groups.count,
    compared_groups: knownRows(groups, () => true).compared,
    labels: labels === undefined ? null : labelReport(labels, groups),
    rewards: scored.map((each) => rewardReport(factsOf(each, rows, groups, labels, replicatesOf), bars)),
    ranking: contest === undefined ? null : rankRewards(contest, replicatesOf),
    bootstrap: { replicates, seed },
  };
};

type Replicates = (statistic: ResampledStatistic) => Float64Array;

/** Resamples groups once for all statistics, so that these can be compared; NaN where one has no value. */
const resample = (
  statistics: readonly ResampledStatistic[],
  groups: Clusters,
  options: BootstrapOptions,
): Replicates => {
  const inPlace = statistics.map((each) => ({
    ...each,
    of: (weights: Int32Array) => each.of(weights) ?? NaN,
  }));
  const replicates = bootstrapReplicates(inPlace, groups.count, options);
  const found = new Map(statistics.map((statistic, index) => [statistic, replicates[index]]));
  return (statistic) => found.get(statistic) ?? new Float64Array();
};

/** A reward, the rows with a reward, and how it follows the labels there. */
interface ScoredReward extends Contender {
  readonly scored: KnownRows;
  /** Undefined where no scored row has a label, or all labels are the same. */
  readonly labelled?: LabelledRewards;
}

const scoredReward = (reward: MeasuredReward, groups: Clusters, labels: Labels | undefined): ScoredReward => {
  const isScored = (row: number): boolean => Number.isFinite(reward.rewards[row]);
  const scored = knownRows(groups, isScored);
  if (labels === undefined || labels.kind === 'one_value')
    return { reward, scored, labelledRows: 0, statistics: {} };
  const known = knownRows(groups, (row) => isScored(row) && Number.isFinite(labels.values[row]));
  const labelledRows = known.places.length;
  if (labelledRows === 0) return { reward, scored, labelledRows, statistics: {} };
  const labelled = labelledRewards(reward.rewards, labels, known);
  return { reward, scored, labelledRows, labelled, statistics: labelStatistics(labelled) };
};

const factsOf = (
  { reward, scored, labelled, statistics }: ScoredReward,
  { count, features }: MeasuredRows,
  groups: Clusters,
  labels: Labels | undefined,
  replicatesOf: Replicates,
): RewardFacts => {
  const rewards = gather(reward.rewards, scored);
  const { graded = count } = reward;
  return {
    name: reward.name,
    signature: reward.signature,
    rows: graded,
    scored: rewards.length,
    failed: graded - rewards.length,
    failures: reward.failures,
    failed_share: failedShare(reward.rewards, groups, graded),
    distribution: distributionOf(rewards, scored.clusters, reward.range),
    groups: groupSpreadOf(rewards, scored, labels),
    labels: labelled === undefined ? null : agreementOf(labelled, statistics, replicatesOf),
    features: Array.from(features, ([feature, values]) =>
      relationOf(feature, reward.rewards, values, groups, labels),
    ),
    parts: partReports(reward, groups),
    speed: speedOf(reward, graded),
    trials: trialReport(reward, groups, scored, labels),
  };
};

const failedShare = (rewards: Float64Array, groups: Clusters, graded: number): Estimate | null => {
  const rows = knownRows(groups, (row) => row < graded);
  const failed = gather(rewards, rows).map((reward) => (Number.isFinite(reward) ? 0 : 1));
  return reportedOrNull(clusteredMean(failed, rows.clusters, [0, 1]));
};

const rewardReport = (facts: RewardFacts, bars: Bars): RewardReport => {
  const findings = findingsOf(facts, bars);
  const alarms = findings.filter(({ alarm }) => alarm).map(({ name }) => name);
  return { ...facts, findings, alarms, verdict: fitnessOf(facts, findings) };
};

const speedOf = ({ seconds, models }: MeasuredReward, rows: number): Speed => {
  const per1000 = (amount: number): number | null => (rows === 0 ? null : (amount / rows) * 1_000);
  return {
    seconds,
    rows_per_second: seconds > 0 ? rows / seconds : null,
    models:
      models === undefined
        ? null
        : {
            requests: models.requests,
            cached: models.cached,
            total_tokens: models.total_tokens,
            tokens_per_1000_rows: per1000(models.total_tokens),
            cost: models.cost,
            cost_per_1000_rows: models.cost === null ? null : per1000(models.cost),
          },
  };
};
