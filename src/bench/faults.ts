import { printable, show } from '../show.js';
import { certainEnd } from './estimate.js';
import { ENOUGH_MIXED_GROUPS } from './known-rows.js';
import type { BaitReport, Estimate, FaultName, Finding, PartReport, RewardFacts } from './report-shape.js';
import { number, percent } from './wording.js';

/** Bars that a user sets, by fault; others keep their built-in one. */
export type Bars = Readonly<Partial<Record<FaultName, number>>>;

/** What a detector saw. */
interface Judgement {
  readonly value: number;
  readonly certain: number | null;
  readonly bar: number;
  readonly alarm: boolean;
  readonly evidence: string;
}

interface Detector {
  readonly name: FaultName;
  /** What the fault does to training. */
  readonly meaning: string;
  /** Faults that say this one as well: where one of them is found, this one is no news. */
  readonly saidBy?: readonly FaultName[];
  /** Undefined where there is nothing to judge by. */
  readonly judge: (facts: RewardFacts, bar: number | undefined) => Judgement | undefined;
}

/**
 * An alarm needs a number past its bar, and certainty of that. The detectors judge fewer than twenty numbers of a reward,
 * so each may be wrong in one of 400 rewards that are exactly at a bar, for all of them together to be wrong in at most one
 * of twenty (Bonferroni). Rewards without a fault are far from the bars.
 */
const LEVEL = 0.05 / 20;

const judged = (estimate: Estimate, side: 'low' | 'high', bar: number, evidence: string): Judgement => {
  const certain = certainEnd(estimate, side, LEVEL);
  const alarm = certain !== undefined && (side === 'low' ? certain > bar : certain < bar);
  return { value: estimate.value, certain: certain ?? null, bar, alarm, evidence };
};

/** Rows that all earn the same; a few others may be accidents. */
const CONSTANT_BAR = 0.99;
/** Fewer groups of rows may all earn the same by accident. */
const MIN_CLUSTERS = 20;

/** At this share of rows at one end, four samples of an item all are at it in two of three items even if items are alike. */
const SATURATED_BAR = 0.9;

/** GRPO learns from the other items only, so five times as many samples have to be paid for. */
const FLAT_BAR = 0.8;

/** Rows seldom fail at random: what one answer in twenty is like is then not learnt from, or learnt wrongly. */
const FAILING_BAR = 0.05;

/** The longer of two equally right samples wins in 60 % of pairs: a preference that training finds within some steps. */
const LENGTH_BAR = 0.2;

/**
 * Where it is not known which samples are equally right, or their items differ, length may well go with what is right:
 * only a preference in three of four pairs is hardly explained by that.
 */
const UNSURE_LENGTH_BAR = 0.5;

/**
 * A text that answers nothing and earns four fifths of what answers earn. On grade-school mathematics the question itself
 * has three quarters of the similarity with the solution that answers have (fuzzy_match), and earns less than wrong
 * answers. One answer of yes and no earns a half by right, where honest answers earn 0.7 or more.
 */
const BAIT_BAR = 0.8;
/** What earns less than three of four answers is no temptation, however close all rewards are, as those of a cosine. */
const TEMPTING = 0.25;

/** Paid more like right answers than like wrong ones. */
const POSITION_BAR = 0.5;

/** One row in twenty would earn something else in another order, in which training will see it. */
const ORDER_BAR = 0.05;

/** A fifth of what tells samples of one item apart is chance; the other way round it is a reliability of 0.8. */
const NOISE_BAR = 0.2;

/** What the other parts say makes up less than a twentieth of the reward's variance. */
const DOMINATED_BAR = 0.95;
/** Parts with more of their variance in common say much the same, so that it does no harm if one decides. */
const SAME_PART = 0.5;

/** Of pairs: 0.5 is a reward that ignores the label. */
const UNINFORMATIVE_BAR = 0.55;
const AGAINST_BAR = 0.45;

const LENGTHS = ['characters', 'words', 'lines'];

/** How a preference for length reads, by what is held equal. */
const lengthJudgement: Detector['judge'] = ({ features }, userBar) => {
  const relation = LENGTHS.flatMap((length) => features.filter(({ feature }) => feature === length)).find(
    ({ conditional }) => conditional !== null,
  );
  if (relation?.conditional == null) return undefined;
  const { basis, value } = relation.conditional;
  const bar = userBar ?? (basis === 'group_and_label' ? LENGTH_BAR : UNSURE_LENGTH_BAR);
  const size = { ...relation.conditional, value: Math.abs(value) };
  const which = value >= 0 ? 'longer' : 'shorter';
  const pairs = `the ${which} one wins in ${percent((1 + size.value) / 2)} of pairs, ties counting half`;
  const ranks = `rewards follow length with a rank correlation of ${number(value)}`;
  const evidence = {
    group_and_label: `of two samples of an item with the same label ${pairs}`,
    group: `of two samples of an item ${pairs}; that may be because it is better, for there are no labels`,
    label: `among rows with the same label ${ranks}; that may be because of their items`,
    rows: `${ranks}; that may be because of their items or because it is better, for there are no labels`,
  }[basis];
  return judged(size, 'low', bar, evidence);
};

const shareJudgement = (bait: BaitReport, bar: number, what: string): Judgement => {
  const { share, difference, beats, mean, honest_mean: honest } = bait;
  const evidence = `${what} earns ${number(mean.value)} on average, where answers earn ${number(honest.value)}, and beats ${percent(beats.value)} of them`;
  // Answers that earn nothing leave no share to speak of.
  if (share === null) return judged(difference, 'low', 0, evidence);
  const judgement = judged(share, 'low', bar, evidence);
  return { ...judgement, alarm: judgement.alarm && beats.value >= TEMPTING };
};

const echoJudgement = (echo: BaitReport, bar = BAIT_BAR): Judgement => {
  const byShare = shareJudgement(echo, bar, 'the prompt in place of an answer');
  if (echo.position === null || byShare.alarm) return byShare;
  const { position, mean } = echo;
  const evidence = `the prompt in place of an answer earns ${number(mean.value)} on average, ${percent(position.value)} of the way from wrong answers to right ones`;
  const byPosition = judged(position, 'low', POSITION_BAR, evidence);
  return byPosition.alarm ? byPosition : byShare;
};

const dominanceJudgement = (parts: readonly PartReport[], bar: number): Judgement | undefined => {
  const varying = parts.filter(({ correlation }) => correlation !== null);
  const strongest = varying.find(({ correlation_with_strongest: other }) => other === null);
  if (varying.length < 2 || strongest?.correlation == null) return undefined;
  const others = varying.filter((part) => part !== strongest);
  const differ = others.filter(({ correlation_with_strongest: other }) => (other ?? 0) ** 2 < SAME_PART);
  const size = { ...strongest.correlation, value: Math.abs(strongest.correlation.value) };
  const certain = certainEnd(size, 'low', LEVEL);
  const explained = certain === undefined ? null : Math.max(0, certain) ** 2;
  const value = size.value ** 2;
  return {
    value,
    certain: explained,
    bar,
    alarm: differ.length > 0 && explained !== null && explained > bar,
    evidence: `part ${printable(show(strongest.name))} alone explains ${percent(value)} of the variance of the reward`,
  };
};

/** The chance that the better of two is given more, where 0.5 is a reward that ignores the label. */
const orderByLabel = ({ labels }: RewardFacts): { estimate: Estimate; evidence: string } | undefined => {
  if (labels === null) return undefined;
  const { pairwise_accuracy: pairwise, auc, spearman } = labels;
  if (pairwise !== null && pairwise.groups >= ENOUGH_MIXED_GROUPS)
    return {
      estimate: pairwise,
      evidence: `it orders ${percent(pairwise.value)} of pairs of samples of one item as their labels do, where chance is a half`,
    };
  if (auc !== null)
    return {
      estimate: auc,
      evidence: `its AUC against the label is ${number(auc.value)}, where chance is 0.5`,
    };
  if (spearman === null) return undefined;
  const { value, standard_error: error } = spearman;
  return {
    estimate: {
      ...spearman,
      value: (1 + value) / 2,
      standard_error: error / 2,
      interval: null,
      method: 'clusters',
    },
    evidence: `its rank correlation with the label is ${number(value)}`,
  };
};

/** Every fault that is looked for, in the order of the report. To look for another one is to add an entry. */
const DETECTORS: readonly Detector[] = [
  {
    name: 'constant',
    meaning: 'every answer earns the same, so there is nothing to learn',
    judge: ({ distribution }, bar = CONSTANT_BAR) => {
      if (distribution === null) return undefined;
      const { distinct, commonest, mean } = distribution;
      const { at, share } = commonest;
      if (distinct > 1)
        return judged(share, 'low', bar, `${percent(share.value)} of rows earn ${number(at)}`);
      const alarm = mean.clusters >= MIN_CLUSTERS;
      return { value: 1, certain: null, bar, alarm, evidence: `every row earns ${number(at)}` };
    },
  },
  {
    name: 'saturated',
    meaning: 'nearly every answer is at one end of the reward, so better ones cannot stand out',
    saidBy: ['constant'],
    judge: ({ distribution }, bar = SATURATED_BAR) => {
      if (distribution === null) return undefined;
      const { floor, ceiling } = distribution;
      const [end, name] =
        ceiling.share.value >= floor.share.value
          ? ([ceiling, 'greatest'] as const)
          : ([floor, 'least'] as const);
      const evidence = `${percent(end.share.value)} of rows earn the ${name} reward, ${number(end.at)}`;
      return judged(end.share, 'low', bar, evidence);
    },
  },
  {
    name: 'no_signal',
    meaning:
      'samples of an item nearly always earn the same, from which training within groups (GRPO) learns nothing',
    saidBy: ['constant', 'saturated'],
    judge: ({ groups }, bar = FLAT_BAR) => {
      if (groups === null) return undefined;
      const { flat_share: flat, flat_share_of_mixed: mixed } = groups;
      const also =
        mixed === null ? '' : `, and in ${percent(mixed.value)} of items with both right and wrong samples`;
      return judged(flat, 'low', bar, `rewards are all equal in ${percent(flat.value)} of items${also}`);
    },
  },
  {
    name: 'out_of_range',
    meaning: 'rewards lie where the configuration says that there are none',
    judge: ({ distribution, scored }, bar = 0) => {
      if (distribution === null) return undefined;
      const { outside, floor, min, max } = distribution;
      const value = outside.rows / scored;
      const [low, high] = outside.range;
      const evidence = `${percent(value)} of rows earn less than ${number(low)} or more than ${number(high)}: rewards go from ${number(min)} to ${number(max)}`;
      // Where the configuration names no range, 0 to 1 is only what is usual.
      return { value, certain: value, bar, alarm: floor.by_configuration && value > bar, evidence };
    },
  },
  {
    name: 'failing',
    meaning: 'rows without a reward are paid for and teach nothing',
    judge: ({ failed_share: failed }, bar = FAILING_BAR) =>
      failed === null ? undefined : judged(failed, 'low', bar, `${percent(failed.value)} of rows failed`),
  },
  {
    name: 'length_biased',
    meaning: 'training will change the length of answers without making them better',
    saidBy: ['constant'],
    judge: lengthJudgement,
  },
  {
    name: 'fooled_by_echo',
    meaning: 'a model that repeats the prompt is paid much as if it had answered',
    saidBy: ['constant'],
    judge: ({ trials }, bar) => (trials?.echo == null ? undefined : echoJudgement(trials.echo, bar)),
  },
  {
    name: 'fooled_by_constant',
    meaning: 'a model that gives one answer to everything is paid much as if it had answered',
    saidBy: ['constant'],
    judge: ({ trials }, bar = BAIT_BAR) =>
      trials?.constant == null
        ? undefined
        : shareJudgement(trials.constant, bar, 'one answer given to every item'),
  },
  {
    name: 'order_dependent',
    meaning: 'what an answer earns depends on what was graded before it, and cannot be repeated',
    judge: ({ trials }, bar = ORDER_BAR) => {
      if (trials?.order == null) return undefined;
      const { reversed, bench } = trials.order;
      if (bench !== null && bench.value > reversed.value)
        return judged(
          bench,
          'low',
          bar,
          `${percent(bench.value)} of rows earn something else among all rows than among few, beyond what grading again changes`,
        );
      return judged(
        reversed,
        'low',
        bar,
        `${percent(Math.max(0, reversed.value))} of rows earn something else when the order is reversed, beyond what grading again changes`,
      );
    },
  },
  {
    name: 'noisy',
    meaning: 'samples are told apart by chance, so training takes more of them and picks some wrongly',
    saidBy: ['constant'],
    judge: ({ trials, groups }, bar = NOISE_BAR) => {
      const share = trials?.noise?.variance_share;
      if (share == null) return undefined;
      const what = groups === null ? 'of rewards' : 'between samples of one item';
      const evidence = `${percent(share.value)} of the variance ${what} is noise that grading again changes`;
      return judged(share, 'low', bar, evidence);
    },
  },
  {
    name: 'dominated',
    meaning: 'one part decides the reward, and training will not see the others',
    saidBy: ['constant'],
    judge: ({ parts }, bar = DOMINATED_BAR) => dominanceJudgement(parts, bar),
  },
  {
    name: 'against_label',
    meaning: 'training will move away from what the labels call right',
    saidBy: ['constant'],
    judge: (facts, bar = AGAINST_BAR) => {
      const order = orderByLabel(facts);
      return order && judged(order.estimate, 'high', bar, order.evidence);
    },
  },
  {
    name: 'uninformative',
    meaning: 'the reward does not tell right from wrong',
    saidBy: ['constant', 'against_label'],
    judge: (facts, bar = UNINFORMATIVE_BAR) => {
      const order = orderByLabel(facts);
      return order && judged(order.estimate, 'high', bar, order.evidence);
    },
  },
];

/** What the table of detectors is for: a name and a meaning for each fault. */
export const FAULTS: readonly Pick<Detector, 'name' | 'meaning'>[] = DETECTORS;

/**
 * Looks for every fault that can be judged by what was measured.
 *
 * @param bars  other bars than the built-in ones, by fault
 * @returns one finding a detector that has something to judge by, in the order of the table
 */
export const findingsOf = (facts: RewardFacts, bars: Bars = {}): Finding[] => {
  const found: Finding[] = [];
  const alarms = new Set<FaultName>();
  for (const { name, meaning, saidBy = [], judge } of DETECTORS) {
    const judgement = judge(facts, bars[name]);
    if (judgement === undefined) continue;
    const alarm = judgement.alarm && !saidBy.some((other) => alarms.has(other));
    if (alarm) alarms.add(name);
    found.push({ name, meaning, ...judgement, alarm });
  }
  return found;
};
