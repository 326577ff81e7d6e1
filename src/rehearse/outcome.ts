import type { ErrorCode } from '../errors.js';
import { notGradedReason, type Score } from '../score.js';
import {
  clusteredMean,
  clustersOf,
  rowsByCluster,
  totalOf,
  type Caution,
  type ClusteredEstimate,
} from '../stats/clustered.js';
import { groupStatistics, valueStatistics } from '../stats/groups.js';
import { RunningHistogram, type Bin } from '../stats/histogram.js';
import type { Interval } from '../stats/interval.js';
import type { GradedRow } from './measure.js';
import { STAND_INS, type StandIn } from './stand-in-answers.js';

/** Outputs without a reward. */
export interface FailureSection {
  /** Outputs that were graded, failed ones included. */
  readonly rows: number;
  readonly failed: number;
  readonly share: number | null;
  /** 95 %, clustered by prompt. */
  readonly share_interval: Interval | null;
  /** Why: error code → outputs. */
  readonly by_code: Readonly<Partial<Record<ErrorCode, number>>>;
  readonly first: readonly { readonly place: string; readonly code: ErrorCode; readonly message: string }[];
  /** Outputs that enter nothing, for a budget was used up before them, and why. */
  readonly not_graded: number;
  readonly not_graded_reason: string | null;
}

/** The rewards of the outputs that have one. */
export interface RewardSection {
  readonly scored: number;
  readonly mean: number;
  /** 95 %, clustered by prompt; null where no spread was seen. */
  readonly mean_interval: Interval | null;
  readonly caution: Caution | null;
  /** As the hosted service has it: what it makes of failed outputs, mostly 0, is part of it. */
  readonly hosted_mean: number;
  readonly min: number;
  readonly max: number;
  readonly distinct: number;
  /** Shares of outputs at the least and at the greatest reward. */
  readonly floor_share: number;
  readonly ceiling_share: number;
  readonly histogram: readonly Bin[];
}

/** What rewards of the same prompt have to tell a trainer that compares them. */
export interface SignalSection {
  /** Prompts with at least two rewards. */
  readonly prompts: number;
  /** Rewards of such a prompt, on average. */
  readonly samples_per_prompt: number;
  /** Share of these prompts whose rewards are all equal, and its 95 % interval. */
  readonly flat_share: number;
  readonly flat_interval: Interval;
  /** Shares of prompts whose rewards are all the greatest, and all the least, that were seen. */
  readonly all_at_ceiling: number;
  readonly all_at_floor: number;
  /** Mean standard deviation within a prompt. */
  readonly deviation_within: number;
}

/** What became of answers that were made up. */
export interface StandInSection {
  readonly answers: readonly StandInRewards[];
  /** Of the prompts where both have a reward: how many gave both the same one. */
  readonly compared: number;
  readonly same_reward: number;
}

/** The rewards of one kind of stand-in. */
export interface StandInRewards {
  readonly kind: StandIn;
  readonly rows: number;
  readonly failed: number;
  /** What follows is null where none has a reward. */
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

/** What came out of grading. */
export interface Outcome {
  readonly failures: FailureSection;
  /** Null where nothing was scored, or answers were made up. */
  readonly rewards: RewardSection | null;
  /** Null where no prompt has two rewards, or answers were made up. */
  readonly signal: SignalSection | null;
  /** Null unless answers were made up. */
  readonly stand_ins: StandInSection | null;
}

const SHOWN_FAILURES = 5;

/** Adds up what came out of grading. */
export const outcomeOf = (rows: readonly GradedRow[]): Outcome => {
  const graded = rows.filter(({ score }) => notGradedReason(score) === undefined);
  const isMadeUp = rows.some(({ standIn }) => standIn !== undefined);
  const scored = isMadeUp ? [] : graded.filter(({ score }) => score.status === 'scored');
  const rewards = Float64Array.from(scored, ({ score }) => rewardOf(score) ?? 0);
  const prompts = Int32Array.from(scored, ({ prompt }) => prompt);
  return {
    failures: failuresOf(rows, graded),
    rewards: scored.length === 0 ? null : rewardsOf(rewards, prompts, graded),
    signal: signalOf(rewards, prompts),
    stand_ins: isMadeUp ? standInsOf(graded) : null,
  };
};

const rewardOf = (score: Score): number | undefined => (score.status === 'scored' ? score.reward : undefined);

const failuresOf = (rows: readonly GradedRow[], graded: readonly GradedRow[]): FailureSection => {
  const failures = graded.flatMap(({ place, score }) =>
    score.status === 'failed' ? [{ place, score }] : [],
  );
  const codes = new Map<ErrorCode, number>();
  for (const { score } of failures) codes.set(score.code, (codes.get(score.code) ?? 0) + 1);
  const estimate = clusteredMean(
    Float64Array.from(graded, ({ score }) => Number(score.status === 'failed')),
    clustersOf(
      graded.length,
      Int32Array.from(graded, ({ prompt }) => prompt),
    ),
    [0, 1],
  );
  const reason = rows.map(({ score }) => notGradedReason(score)).find((each) => each !== undefined);
  return {
    rows: graded.length,
    failed: failures.length,
    share: estimate?.value ?? null,
    share_interval: estimate?.interval ?? null,
    by_code: Object.fromEntries([...codes].sort(([, a], [, b]) => b - a)),
    first: failures
      .slice(0, SHOWN_FAILURES)
      .map(({ place, score: { code, message } }) => ({ place, code, message })),
    not_graded: rows.length - graded.length,
    not_graded_reason: reason ?? null,
  };
};

const rewardsOf = (
  rewards: Float64Array,
  prompts: Int32Array,
  graded: readonly GradedRow[],
): RewardSection => {
  const estimate = clusteredMean(rewards, clustersOf(rewards.length, prompts)) as ClusteredEstimate;
  const values = valueStatistics(rewards);
  const histogram = new RunningHistogram();
  for (const reward of rewards) histogram.add(reward);
  return {
    scored: rewards.length,
    mean: estimate.value,
    mean_interval: estimate.interval ?? null,
    caution: estimate.caution ?? null,
    hosted_mean: totalOf(Float64Array.from(graded, hostedRewardOf)) / graded.length,
    ...endsOf(rewards),
    distinct: values?.distinct ?? 0,
    floor_share: values?.floorShare ?? 0,
    ceiling_share: values?.ceilingShare ?? 0,
    histogram: histogram.toBins(),
  };
};

const hostedRewardOf = ({ score }: GradedRow): number =>
  score.status === 'scored' ? score.reward : (score.hostedReward ?? 0);

const endsOf = (rewards: Float64Array): { readonly min: number; readonly max: number } => {
  let [min, max] = [Infinity, -Infinity];
  for (const reward of rewards) {
    min = Math.min(min, reward);
    max = Math.max(max, reward);
  }
  return { min, max };
};

const signalOf = (rewards: Float64Array, prompts: Int32Array): SignalSection | null => {
  const { comparedGroups, flatShare, deviationWithin } = groupStatistics(rewards, prompts);
  if (flatShare === undefined || deviationWithin === undefined) return null;
  const compared = rowsByCluster(clustersOf(rewards.length, prompts)).filter(({ length }) => length > 1);
  const { min, max } = endsOf(rewards);
  const shareAt = (end: number) =>
    compared.filter((rows) => rows.every((row) => rewards[row] === end)).length / comparedGroups;
  return {
    prompts: comparedGroups,
    samples_per_prompt: compared.reduce((sum, { length }) => sum + length, 0) / comparedGroups,
    flat_share: flatShare.value,
    flat_interval: flatShare.interval,
    all_at_ceiling: shareAt(max),
    all_at_floor: shareAt(min),
    deviation_within: deviationWithin.value,
  };
};

const standInsOf = (graded: readonly GradedRow[]): StandInSection => {
  const rewardsOfKind = (kind: StandIn) =>
    new Map(
      graded.filter(({ standIn }) => standIn === kind).map(({ prompt, score }) => [prompt, rewardOf(score)]),
    );
  const [ideal, echo] = STAND_INS.map(rewardsOfKind);
  const both = [...ideal].filter(
    ([prompt, reward]) => reward !== undefined && echo.get(prompt) !== undefined,
  );
  return {
    answers: STAND_INS.map((kind) => standInRewards(kind, [...rewardsOfKind(kind).values()])),
    compared: both.length,
    same_reward: both.filter(([prompt, reward]) => echo.get(prompt) === reward).length,
  };
};

const standInRewards = (kind: StandIn, all: readonly (number | undefined)[]): StandInRewards => {
  const rewards = Float64Array.from(all.filter((reward) => reward !== undefined));
  const counts = { kind, rows: all.length, failed: all.length - rewards.length };
  if (rewards.length === 0) return { ...counts, mean: null, min: null, max: null };
  return { ...counts, mean: totalOf(rewards) / rewards.length, ...endsOf(rewards) };
};
