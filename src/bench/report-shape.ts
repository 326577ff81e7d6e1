import type { ErrorCode } from '../errors.js';
import type { Interval } from '../stats/interval.js';
import type { Feature } from './measured.js';

/**
 * How an interval was made: `clusters` by what each group adds to the estimate, `bootstrap` from resampled groups (BCa),
 * `wilson` for a share of groups.
 */
export type IntervalMethod = 'clusters' | 'bootstrap' | 'wilson';

/** A number, and how far it may be off. */
export interface Estimate {
  readonly value: number;
  /** Allows for any dependence within groups; 0 where no spread was seen. */
  readonly standard_error: number;
  /** 95 % confidence interval; null where no spread was seen. */
  readonly interval: Interval | null;
  readonly method: IntervalMethod;
  /** Groups; rows where rows have none. */
  readonly clusters: number;
  /** As many groups of equal weight would tell as much about the standard error. */
  readonly effective_clusters: number;
  /** In words, why the interval is missing or not to be trusted; null where it holds. */
  readonly caution: string | null;
}

/** Which values a reward takes. */
export interface Distribution {
  readonly mean: Estimate;
  /** Divided by n − 1. */
  readonly standard_deviation: number;
  readonly min: number;
  readonly lower_quartile: number;
  readonly median: number;
  readonly upper_quartile: number;
  readonly max: number;
  /** Share of rows at the least value: of the range where the configuration has one, otherwise of what was seen. */
  readonly floor: EndShare;
  /** Share of rows at the greatest value. */
  readonly ceiling: EndShare;
  /** The most frequent reward. */
  readonly commonest: { readonly at: number; readonly share: Estimate };
  readonly distinct: number;
  /** As many equally frequent values would be equal in as many pairs of rows. */
  readonly effective_distinct: number;
  /** Rows whose reward lies outside the range of the configuration; outside 0 to 1 where it has none. */
  readonly outside: { readonly range: Interval; readonly rows: number };
}

/** How many rows are at one end of what a reward can be. */
export interface EndShare {
  readonly at: number;
  /** Whether the configuration says that it goes no further; otherwise it is what was seen. */
  readonly by_configuration: boolean;
  readonly share: Estimate;
}

/** What rewards have to tell a trainer that compares the samples of an item (GRPO). */
export interface GroupSpread {
  /** Groups with at least two scored rows. */
  readonly compared: number;
  /** Share of them whose rewards are all equal, from which such a trainer learns nothing. */
  readonly flat_share: Estimate;
  /** Of the groups whose labels differ, the share whose rewards are all equal. Null without such groups. */
  readonly flat_share_of_mixed: Estimate | null;
  /** Mean of the standard deviations within groups. */
  readonly deviation: Estimate;
  /** Variance between what groups earn, and within groups; null with a single group. */
  readonly variance_between: number | null;
  readonly variance_within: number | null;
  /** Between over within; null where no group has any spread. */
  readonly variance_ratio: number | null;
  /** How alike rewards of one group are: ICC(1). */
  readonly icc: number | null;
}

/** How far a reward follows the labels. */
export interface Agreement {
  /** Rows that are scored and have a label. */
  readonly rows: number;
  /** The chance that a row with the label has a higher reward than one without. Null unless labels are of two values. */
  readonly auc: Estimate | null;
  readonly spearman: Estimate | null;
  /** Tau-b. */
  readonly kendall: Estimate | null;
  /**
   * Of pairs of samples of one item with different labels, the share that the reward orders rightly; equal rewards count
   * half. It is what training within groups and best-of-n use. Null without such pairs.
   */
  readonly pairwise_accuracy: (Estimate & { readonly pairs: number; readonly groups: number }) | null;
  /** For some n; empty without groups. */
  readonly best_of_n: readonly BestOf[];
}

/** The label of the sample with the highest reward, when n of an item's samples are drawn. */
export interface BestOf {
  readonly n: number;
  /** Items with at least n samples. */
  readonly items: number;
  readonly reward: Estimate;
  /** When the sample with the highest label is taken. */
  readonly oracle: Estimate;
  /** When any sample is taken. */
  readonly random: Estimate;
  /** How much of the way from random to oracle the reward goes; null where there is none. */
  readonly gain: number | null;
}

/**
 * What is held equal when a reward is correlated with a feature: pairs of samples of one item with the same label are
 * compared (`group_and_label`), or samples of one item (`group`); or ranks among rows with the same label (`label`), or
 * among all rows (`rows`).
 */
export type Basis = 'group_and_label' | 'group' | 'label' | 'rows';

/** How a reward goes with a cheap property of the candidate. */
export interface FeatureRelation {
  readonly feature: Feature;
  /** Rows that are scored and have the feature. */
  readonly rows: number;
  /** Spearman's rank correlation over all rows. */
  readonly spearman: Estimate | null;
  /**
   * The same, with what is known held equal. Of `group…` it is a share of pairs: where the one with more of the feature
   * gets the higher reward, less where it gets the lower one. Otherwise it is Spearman's, averaged over labels.
   */
  readonly conditional: (Estimate & { readonly basis: Basis; readonly pairs: number | null }) | null;
}

/** A member of a multi or a criterion of an eval. */
export interface PartReport {
  readonly name: string;
  /** Rows where the part and the reward are there. */
  readonly rows: number;
  readonly mean: number | null;
  readonly standard_deviation: number | null;
  /** Pearson's correlation of the part with the reward, within groups. Null where either has no spread there. */
  readonly correlation: Estimate | null;
  /** Its square: the share of the reward's variance within groups that this part alone explains. Shares overlap. */
  readonly explained: number | null;
  /** Correlation within groups with the part that explains most of the reward; null for that part. */
  readonly correlation_with_strongest: number | null;
}

/** What grading took. */
export interface Speed {
  readonly seconds: number;
  readonly rows_per_second: number | null;
  /** What models were asked; null where none was. */
  readonly models: ModelUse | null;
}

/** Requests to models, their tokens and cost, each also of a thousand rows. */
export interface ModelUse {
  readonly requests: number;
  readonly cached: number;
  readonly total_tokens: number;
  readonly tokens_per_1000_rows: number | null;
  /** Null where a model has no price. */
  readonly cost: number | null;
  readonly cost_per_1000_rows: number | null;
}

/** What grading some rows again showed. */
export interface TrialReport {
  readonly rows: number;
  /** Null where fewer than two rows were scored twice. */
  readonly noise: Noise | null;
  readonly order: OrderEffect | null;
  readonly echo: BaitReport | null;
  readonly constant: (BaitReport & { readonly text: string }) | null;
}

/** How far rewards differ when rows are graded again in the same order. */
export interface Noise {
  readonly rows: number;
  /** Share of rows that get another reward. */
  readonly differing: Estimate;
  /** Of one grading, in the units of the reward. */
  readonly standard_deviation: number;
  /** Share of the variance between rewards of one item that is noise; of all rewards where there are no groups. */
  readonly variance_share: Estimate | null;
  /** Test-retest reliability: 1 less the share of the variance of all rewards that is noise. */
  readonly reliability: number | null;
}

/**
 * Whether rewards depend on what was graded before. The numbers are the share of rows that moved more than when they were
 * merely graded again, less the share that moved less: 0 for a grader that only has noise.
 */
export interface OrderEffect {
  /** When rows are graded from the last to the first. */
  readonly reversed: Estimate;
  /** Between the bench itself and the same rows graded alone. */
  readonly bench: Estimate | null;
}

/** What a text earns that answers nothing, beside honest answers to the same items. */
export interface BaitReport {
  readonly rows: number;
  readonly mean: Estimate;
  readonly honest_mean: Estimate;
  /** Bait less honest. */
  readonly difference: Estimate;
  /** Share of honest answers that the bait earns more than, where it earns the same a half. */
  readonly beats: Estimate;
  /** What honest answers earn above the least reward, the share that the bait earns; null where they earn nothing. */
  readonly share: Estimate | null;
  /**
   * Where the bait stands between wrong answers (0) and right ones (1). Null unless labels are of two values and right
   * answers earn more.
   */
  readonly position: Estimate | null;
}

/** What can be wrong with a reward. */
export type FaultName =
  | 'constant'
  | 'saturated'
  | 'no_signal'
  | 'out_of_range'
  | 'failing'
  | 'length_biased'
  | 'fooled_by_echo'
  | 'fooled_by_constant'
  | 'order_dependent'
  | 'noisy'
  | 'dominated'
  | 'against_label'
  | 'uninformative';

/** One fault that was looked for. */
export interface Finding {
  readonly name: FaultName;
  readonly alarm: boolean;
  /** What the fault does to training. */
  readonly meaning: string;
  /** The number that was judged. */
  readonly value: number;
  /**
   * The end of its interval that has to pass the bar, where the interval allows for all that is looked for; null where it
   * is no estimate, or too few groups bear it.
   */
  readonly certain: number | null;
  readonly bar: number;
  /** What was seen, in a sentence. */
  readonly evidence: string;
}

/** What a reward can be used for. */
export type Use = 'group_training' | 'best_of_n' | 'filtering' | 'scoring';

/** What a reward is fit for. */
export interface Fitness {
  /** What nothing speaks against. Without labels that is all that can be said. */
  readonly fit_for: readonly Use[];
  /** One sentence with the numbers that decide. */
  readonly sentence: string;
}

/** What was measured of one reward. */
export interface RewardFacts {
  readonly name: string;
  readonly signature: string;
  /** Rows with an outcome: all of the bench, but where a budget was used up. */
  readonly rows: number;
  readonly scored: number;
  readonly failed: number;
  readonly failures: Readonly<Partial<Record<ErrorCode, number>>>;
  /** Null without rows. */
  readonly failed_share: Estimate | null;
  /** Null where no row was scored. */
  readonly distribution: Distribution | null;
  /** Null where no item has two scored samples. */
  readonly groups: GroupSpread | null;
  /** Null without labels, and where all are the same. */
  readonly labels: Agreement | null;
  readonly features: readonly FeatureRelation[];
  readonly parts: readonly PartReport[];
  readonly speed: Speed;
  /** Null where no row was graded again. */
  readonly trials: TrialReport | null;
}

/** All about one reward. */
export interface RewardReport extends RewardFacts {
  /** Every fault that could be looked for, in a fixed order. */
  readonly findings: readonly Finding[];
  /** The names of the findings with an alarm. */
  readonly alarms: readonly FaultName[];
  readonly verdict: Fitness;
}

/** What is known of the labels, whatever the reward. */
export interface LabelReport {
  readonly rows: number;
  readonly missing: number;
  /** `binary`: two values, the greater of which is right; `one_value`; `numeric`: more. */
  readonly kind: 'binary' | 'numeric' | 'one_value';
  readonly least: number;
  readonly greatest: number;
  readonly mean: Estimate;
  /** Groups with different labels. */
  readonly mixed_groups: number;
  /** Of the labels themselves; empty unless they are of two values and rows are in groups. */
  readonly pass: readonly PassAt[];
}

/** The chance that one, or all, of k samples of an item are right. */
export interface PassAt {
  readonly k: number;
  /** Items with at least k samples. */
  readonly items: number;
  /** Any of k (pass@k). */
  readonly any: Estimate;
  /** All of k (pass^k). */
  readonly all: Estimate;
}

/** The number by which rewards are ranked. */
export type Measure = 'pairwise_accuracy' | 'auc' | 'spearman';

/** Which reward follows the labels best. All numbers are of the rows that every ranked reward scored. */
export interface Ranking {
  readonly measure: Measure;
  readonly rows: number;
  /** Best first. */
  readonly places: readonly Place[];
  /** Every pair of ranked rewards, in the order of `places`. */
  readonly comparisons: readonly RewardComparison[];
  /** Rewards that are not ranked: they scored fewer than half of the labelled rows, or all alike. */
  readonly unranked: readonly string[];
}

/** A reward's place among the others. */
export interface Place {
  readonly name: string;
  /** 1 more than the number of rewards that are told to be better. */
  readonly rank: number;
  readonly value: number;
  /** Rewards that cannot be told apart from it by these rows. */
  readonly not_told_apart_from: readonly string[];
}

/** Two rewards on the same rows. */
export interface RewardComparison {
  readonly a: string;
  readonly b: string;
  /** a less b; the interval is of the same resamples for both. */
  readonly difference: Estimate;
  readonly better: 'a' | 'b' | 'not_told_apart';
  /** The difference of areas under the ROC curve, also where another number ranks; null unless labels are of two values. */
  readonly auc_difference: Estimate | null;
}

/** Several reward functions side by side on the same rows. */
export interface BenchReport {
  readonly rows: number;
  /** Groups of rows that share an item. */
  readonly groups: number;
  /** Groups of at least two rows; 0 where rows are on their own. */
  readonly compared_groups: number;
  readonly labels: LabelReport | null;
  readonly rewards: readonly RewardReport[];
  /** Null with a single reward, or without labels of several values. */
  readonly ranking: Ranking | null;
  readonly bootstrap: { readonly replicates: number; readonly seed: number };
}
