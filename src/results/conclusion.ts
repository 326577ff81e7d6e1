import type { Comparison } from './compare.js';
import type { MeasureComparison } from './paired-measure.js';

/**
 * What a comparison found. `better` and `worse` need both the interval of the mean difference and the test to say so;
 * `unclear` is when only one of them does. `too_few` is below six pairs, or clusters of pairs: no test of fewer can
 * come below 5 %.
 */
export type Verdict =
  | 'better'
  | 'worse'
  | 'unclear'
  | 'no_difference_found'
  | 'identical'
  | 'too_few'
  | 'nothing_scored';

/** Six signs can all be the same by chance in 1 of 32 cases, five in 1 of 16. */
export const MIN_UNITS = 6;

/** The verdict and the sentences that a person reads. */
export const conclude = (
  comparison: Pick<Comparison, 'a' | 'b' | 'reward' | 'failures'>,
): Pick<Comparison, 'verdict' | 'conclusion'> => {
  const { reward } = comparison;
  const verdict = verdictOf(reward);
  const sentences = [
    reward === null ? 'Nothing to compare: no row was scored in both runs.' : SENTENCES[verdict](reward),
    ...(reward === null ? [] : tieSentence(reward, verdict)),
    ...failureSentence(comparison),
    ...unpairedSentence(comparison),
  ];
  return { verdict, conclusion: sentences.join(' ') };
};

const verdictOf = (reward: MeasureComparison | null): Verdict => {
  if (reward === null) return 'nothing_scored';
  const { difference, interval, p, same, pairs } = reward;
  if (unitsOf(reward) < MIN_UNITS) return 'too_few';
  if (same === pairs) return 'identical';
  const excludesZero = interval === null ? difference !== 0 : interval[0] > 0 || interval[1] < 0;
  if (excludesZero !== p < 0.05) return 'unclear';
  if (!excludesZero) return 'no_difference_found';
  return difference > 0 ? 'better' : 'worse';
};

const unitsOf = ({ clusters, pairs }: MeasureComparison): number => clusters ?? pairs;

const SENTENCES: Readonly<Record<Verdict, (reward: MeasureComparison) => string>> = {
  better: (reward) => `B is better: ${found(reward)}.`,
  worse: (reward) => `B is worse: ${found(reward)}.`,
  unclear: (reward) =>
    `Unclear: ${found(reward)}. The interval and the test disagree; more rows would settle it.`,
  no_difference_found: (reward) => `No difference found: ${found(reward)}.${detectable(reward)}`,
  identical: ({ pairs }) => `No difference: the reward is the same in all ${whole(pairs)} pairs.`,
  too_few: (reward) =>
    `Too few ${reward.clusters === null ? 'pairs' : 'clusters of pairs'} to say anything: ` +
    `${signedMean(reward)} on average, ${size(reward)}, expected at least ${MIN_UNITS}.`,
  nothing_scored: () => '',
};

/** `+0.042 on average (95 % interval +0.011 to +0.073, n = 500 pairs, p = 0.009)` */
const found = (reward: MeasureComparison): string => {
  const { interval, p } = reward;
  const ends =
    interval === null
      ? 'the same in every pair'
      : `95 % interval ${interval.map((end) => signed(end, decimalsOf(reward))).join(' to ')}`;
  return `${signedMean(reward)} on average (${ends}, ${size(reward)}, p ${pText(p)})`;
};

const signedMean = (reward: MeasureComparison): string => signed(reward.difference, decimalsOf(reward));

const size = ({ pairs, clusters }: MeasureComparison): string =>
  `n = ${whole(pairs)} pair${pairs === 1 ? '' : 's'}${clusters === null ? '' : ` in ${whole(clusters)} clusters`}`;

const detectable = (reward: MeasureComparison): string => {
  const { detectable_difference } = reward;
  if (detectable_difference === null) return '';
  const least = detectable_difference.toFixed(decimalsOf(reward));
  return ` This comparison would show a difference of about ${least} or more.`;
};

const tieSentence = ({ same, pairs }: MeasureComparison, verdict: Verdict): string[] =>
  verdict === 'identical' || verdict === 'too_few' || same * 2 <= pairs
    ? []
    : [`${whole(same)} of the ${whole(pairs)} pairs are the same.`];

const failureSentence = ({ failures }: Pick<Comparison, 'failures'>): string[] => {
  if (failures === null) return [];
  const { only_a_failed, only_b_failed } = failures;
  if (only_a_failed + only_b_failed === 0) return [];
  return [
    `B failed on ${rows(only_b_failed)} that A scored, A on ${whole(only_a_failed)} that B scored: they are in no mean.`,
  ];
};

const unpairedSentence = ({ a, b }: Pick<Comparison, 'a' | 'b'>): string[] =>
  a.unpaired + b.unpaired === 0
    ? []
    : [`Rows of one run only are left out: ${whole(a.unpaired)} of A's, ${whole(b.unpaired)} of B's.`];

/** How many decimals a comparison deserves: two digits of how far the mean may be off. */
export const decimalsOf = ({
  interval,
  difference,
}: Pick<MeasureComparison, 'interval' | 'difference'>): number => {
  const reach = interval === null ? Math.abs(difference) : (interval[1] - interval[0]) / 2;
  if (reach === 0 || !Number.isFinite(reach)) return 2;
  return Math.max(0, Math.min(12, 1 - Math.floor(Math.log10(reach))));
};

/** `+0.042`, `−0.3`; a minus sign and not a hyphen, for a hyphen and a number can be torn apart at a line's end. */
export const signed = (value: number, decimals: number): string => {
  const text = Math.abs(value).toFixed(decimals);
  if (Number(text) === 0) return text;
  return `${value < 0 ? '−' : '+'}${text}`;
};

/** `= 0.009`, `< 0.0001` */
export const pText = (p: number): string =>
  p < 0.0001 ? '< 0.0001' : `= ${p < 0.001 ? p.toFixed(4) : p < 0.1 ? p.toFixed(3) : p.toFixed(2)}`;

const rows = (count: number): string => `${whole(count)} row${count === 1 ? '' : 's'}`;

/** `12,345` */
export const whole = (value: number): string => value.toLocaleString('en');
