import { lowEnd } from './estimate.js';
import type { Agreement, FaultName, Finding, Fitness, RewardFacts, Use } from './report-shape.js';
import { listed, number, percent, shareWithInterval, withInterval } from './wording.js';

interface UseRule {
  readonly use: Use;
  readonly words: string;
  /** Faults with which a reward is not fit for it. */
  readonly blockedBy: readonly FaultName[];
  /** Why the labels or the groups do not show it to be fit; undefined where they do, and without labels. */
  readonly shortfall: (facts: RewardFacts) => string | undefined;
}

/** Of the direction in which a perfect reward would push, half is left: 2 × 0.75 − 1. */
const TRAINING_BAR = 0.75;
/** Half of what choosing by the label wins over choosing at random. */
const GAIN_BAR = 0.5;
/** Where half of the rows are right, of what the best threshold keeps 72 % is (normal rewards of equal spread). */
const FILTERING_BAR = 0.8;
/** What a reward gets wrong partly evens out in the mean of many rows. */
const SCORING_BAR = 0.7;
/** The same for labels of several values. */
const CORRELATION_BAR = 0.5;

const ALWAYS: readonly FaultName[] = [
  'constant',
  'saturated',
  'failing',
  'order_dependent',
  'against_label',
  'uninformative',
];

const USES: readonly UseRule[] = [
  {
    use: 'group_training',
    words: 'training within groups',
    blockedBy: [...ALWAYS, 'no_signal', 'length_biased', 'fooled_by_echo', 'fooled_by_constant', 'noisy'],
    shortfall: ({ groups, labels }) => {
      if (groups === null) return 'no item has two scored samples';
      if (labels === null) return undefined;
      const { pairwise_accuracy: pairwise } = labels;
      if (pairwise === null) return 'no item has samples with different labels';
      return lowEnd(pairwise) < TRAINING_BAR ? pairsOrdered(pairwise) : undefined;
    },
  },
  {
    use: 'best_of_n',
    words: 'best-of-n',
    blockedBy: [...ALWAYS, 'no_signal', 'noisy'],
    shortfall: ({ groups, labels }) => {
      if (groups === null) return 'no item has two scored samples';
      if (labels === null) return undefined;
      const best = labels.best_of_n.at(-1);
      if (best === undefined || best.gain === null) return 'no item has samples with different labels';
      const { n, gain } = best;
      return gain < GAIN_BAR
        ? `best of ${n} goes ${percent(gain)} of the way from a random choice to the best one`
        : undefined;
    },
  },
  {
    use: 'filtering',
    words: 'filtering',
    blockedBy: ALWAYS,
    shortfall: ({ labels }) => tooWeak(labels, FILTERING_BAR),
  },
  {
    use: 'scoring',
    words: 'comparing models',
    blockedBy: [...ALWAYS, 'length_biased'],
    shortfall: ({ labels }) => tooWeak(labels, SCORING_BAR),
  },
];

const tooWeak = (labels: Agreement | null, bar: number): string | undefined => {
  if (labels === null) return undefined;
  const { auc, spearman } = labels;
  if (auc !== null) return lowEnd(auc) < bar ? `its AUC is ${withInterval(auc)}` : undefined;
  if (spearman === null) return 'labels or rewards are all equal';
  return lowEnd(spearman) < CORRELATION_BAR
    ? `its rank correlation with the labels is ${withInterval(spearman)}`
    : undefined;
};

const pairsOrdered = (pairwise: NonNullable<Agreement['pairwise_accuracy']>): string =>
  `it orders ${shareWithInterval(pairwise)} of pairs of samples of one item rightly`;

/** More reasons do not make a sentence clearer. */
const MAX_REASONS = 2;

/**
 * What a reward is fit for, and why not for the rest, in one sentence. The same facts give the same sentence.
 *
 * @param findings  of every fault that was looked for
 */
export const fitnessOf = (facts: RewardFacts, findings: readonly Finding[]): Fitness => {
  if (facts.scored === 0)
    return { fit_for: [], sentence: 'No row was scored, so nothing can be said of it.' };
  const alarms = findings.filter(({ alarm }) => alarm);
  const blocks = ({ blockedBy }: UseRule): Finding[] => alarms.filter(({ name }) => blockedBy.includes(name));
  const isFit = (rule: UseRule): boolean => blocks(rule).length === 0 && rule.shortfall(facts) === undefined;
  const fit = USES.filter(isFit);
  const unfit = USES.filter((rule) => !isFit(rule));
  const faults = alarms.filter((alarm) => unfit.some((rule) => blocks(rule).includes(alarm)));
  const reasons = [
    ...faults.map(({ evidence }) => evidence),
    ...unfit.flatMap((rule) => (blocks(rule).length > 0 ? [] : [rule.shortfall(facts) ?? ''])),
  ];
  const others = findings
    .filter((finding) => !faults.includes(finding) && (finding.alarm || isUnusual(finding)))
    .map(({ evidence }) => evidence);
  return { fit_for: fit.map(({ use }) => use), sentence: sentenceOf(facts, fit, unfit, reasons, others) };
};

/** No fault, but worth knowing: rewards outside 0 to 1 where the configuration names no range. */
const isUnusual = ({ name, value, bar }: Finding): boolean => name === 'out_of_range' && value > bar;

const sentenceOf = (
  facts: RewardFacts,
  fit: readonly UseRule[],
  unfit: readonly UseRule[],
  reasons: readonly string[],
  others: readonly string[],
): string => {
  const uses = (rules: readonly UseRule[]): string => listed(rules.map(({ words }) => words));
  const because = [...new Set(reasons)].slice(0, MAX_REASONS).join('; ');
  const note = others.length === 0 ? '' : `; but ${others.slice(0, MAX_REASONS).join('; ')}`;
  if (fit.length === 0) return `Not fit for ${uses(unfit)}: ${because}.`;
  const known = facts.labels === null ? UNKNOWN : strengthOf(facts.labels);
  const opening = `${facts.labels === null ? 'Nothing found speaks against' : 'Fit for'} ${uses(fit)}`;
  if (unfit.length === 0) return `${opening}: ${known}${untried(facts)}${note}.`;
  const strength = because.includes(known) ? '' : ` (${known})`;
  return `${opening}${strength}; not fit for ${uses(unfit)}: ${because}${note}.`;
};

const UNKNOWN = 'without labels of right and wrong answers it is unknown whether it rewards right ones';

const strengthOf = ({ pairwise_accuracy: pairwise, auc, spearman }: Agreement): string => {
  if (pairwise !== null) return pairsOrdered(pairwise);
  if (auc !== null) return `its AUC is ${withInterval(auc)}`;
  return spearman === null ? '' : `its rank correlation with the labels is ${number(spearman.value)}`;
};

const untried = ({ trials }: RewardFacts): string =>
  trials === null ? '; noise, order, echoes and constant answers were not tried' : '';
