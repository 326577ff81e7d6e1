import { exp, log } from './exp-log.js';
import { clippedMatches, ngramCount } from './ngrams.js';
import { trimmedEnd } from './tokenize/python-text.js';
import { tokenizerOf, type TokenizerOption } from './tokenizer-option.js';

const MAX_ORDER = 4;
const ORDERS = [1, 2, 3, 4];

/** What NLTK's `SmoothingFunction` puts in the place of a precision of zero. */
export type NltkSmoothing = 'method0' | 'method1' | 'method2' | 'method3' | 'method4';

/** What sacreBLEU's `smooth_method` puts there. */
export type SacrebleuSmoothing = 'exp' | 'floor' | 'add-k' | 'none';

/** How {@link bleu} splits and counts. */
export interface BleuOptions {
  /** Default `hosted`. */
  readonly tokenizer?: TokenizerOption;
  /**
   * Default `method4`. The `method…` names compute NLTK's formula, the others sacreBLEU's: they differ in more than the
   * smoothing, for instance in texts shorter than four tokens.
   */
  readonly smoothing?: NltkSmoothing | SacrebleuSmoothing;
  /**
   * Leaves out the orders for which the candidate is too short: NLTK's `auto_reweigh`, sacreBLEU's `effective_order`.
   * Default: false for NLTK's smoothings, true for sacreBLEU's, as in their functions for sentences.
   */
  readonly effectiveOrder?: boolean;
}

/** What both formulas are made of; index 0 of the lists is for unigrams. */
interface NgramStatistics {
  readonly matches: readonly number[];
  /** How many n-grams the candidate has. */
  readonly totals: readonly number[];
  readonly candidateLength: number;
  readonly referenceLength: number;
}

/**
 * Sentence BLEU: the geometric mean of the clipped precisions of 1- to 4-grams, lowered where the candidate is shorter
 * than the reference. With NLTK's smoothings it equals NLTK 3.9.1 `sentence_bleu([reference], candidate)`, with the others
 * sacreBLEU 2.5 `sentence_bleu(candidate, [reference]).score / 100`; both to the last digit but for a
 * rare one, and to 1 where sacreBLEU gives 1.0000000000000004.
 *
 * Identical short texts do not score 1: under the default a single word does, two words give .22, three .58.
 *
 * @param candidate  model output, raw text
 * @param reference  expected output, raw text
 * @returns score in [0, 1]; 0 when no word matches
 * @see Papineni et al. 2002, https://aclanthology.org/P02-1040
 * @see Chen and Cherry 2014, https://aclanthology.org/W14-3346 (the smoothings)
 */
export const bleu = (
  candidate: string,
  reference: string,
  { tokenizer = 'hosted', smoothing = 'method4', effectiveOrder }: BleuOptions = {},
): number => {
  const tokenize = tokenizerOf(tokenizer);
  if (isSacrebleuSmoothing(smoothing)) {
    // sacreBLEU cuts trailing white space off before it splits, which decides whether a last "-\n" joins lines.
    const statistics = countNgrams(tokenize(withoutEnd(candidate)), tokenize(withoutEnd(reference)));
    return sacrebleuScore(statistics, smoothing, effectiveOrder ?? true);
  }
  const statistics = countNgrams(tokenize(candidate), tokenize(reference));
  return nltkScore(statistics, smoothing, effectiveOrder ?? false);
};

const withoutEnd = (text: string): string => text.slice(0, trimmedEnd(text));

const countNgrams = (candidate: readonly string[], reference: readonly string[]): NgramStatistics => ({
  matches: clippedMatches(candidate, reference, MAX_ORDER),
  totals: ORDERS.map((order) => ngramCount(candidate.length, order)),
  candidateLength: candidate.length,
  referenceLength: reference.length,
});

/** The smallest normal double: with it NLTK replaces a zero, so that there is a logarithm to take. */
const SMALLEST_NORMAL = 2 ** -1022;

/**
 * The precisions of all orders. NLTK counts at least one n-gram of each order, even in a text too short for any.
 * The operations are NLTK's in NLTK's order, for the sake of the last digit.
 */
const SMOOTHINGS: Readonly<
  Record<NltkSmoothing, (matches: readonly number[], totals: readonly number[], length: number) => number[]>
> = {
  method0: (matches, totals) =>
    matches.map((count, index) => (count === 0 ? SMALLEST_NORMAL : count / totals[index])),
  method1: (matches, totals) => matches.map((count, index) => (count === 0 ? 0.1 : count) / totals[index]),
  method2: (matches, totals) =>
    matches.map((count, index) => (index === 0 ? count / totals[0] : (count + 1) / (totals[index] + 1))),
  method3: (matches, totals) => {
    let zeros = 0;
    return matches.map((count, index) =>
      count === 0 ? 1 / (2 ** ++zeros * totals[index]) : count / totals[index],
    );
  },
  method4: (matches, totals, length) => {
    let zeros = 0;
    return matches.map((count, index) => {
      // The logarithm of 1 cannot divide: a single word is left unsmoothed.
      if (count === 0 && length > 1) return 1 / ((2 ** ++zeros * 5) / log(length)) / totals[index];
      return count / totals[index];
    });
  },
};

const nltkScore = (
  { matches, totals, candidateLength, referenceLength }: NgramStatistics,
  smoothing: NltkSmoothing,
  effectiveOrder: boolean,
): number => {
  if (matches[0] === 0) return 0;
  const counted = totals.map((total) => Math.max(total, 1));
  const orders = effectiveOrder ? Math.min(candidateLength, MAX_ORDER) : MAX_ORDER;
  const logs: number[] = [];
  for (const precision of SMOOTHINGS[smoothing](matches, counted, candidateLength).slice(0, orders)) {
    // An order that is still zero is passed over, which is why method4 gives a single matching word 1.
    if (precision > 0) logs.push((1 / orders) * log(precision));
  }
  return brevityPenalty(candidateLength, referenceLength) * exp(preciseSum(logs));
};

/** sacreBLEU's stand-in for the logarithm of zero. */
const LOG_OF_ZERO = -9_999_999_999;

const sacrebleuScore = (
  { matches, totals, candidateLength, referenceLength }: NgramStatistics,
  smoothing: SacrebleuSmoothing,
  effectiveOrder: boolean,
): number => {
  if (matches[0] === 0) return 0;
  let logs = 0;
  let zeros = 0;
  let orders = 0;
  for (const order of ORDERS) {
    const added = smoothing === 'add-k' && order > 1 ? 1 : 0;
    const matched = matches[order - 1] + added;
    const total = totals[order - 1] + added;
    if (total === 0) break;
    orders = order;
    if (matched === 0) zeros++;
    const percent = matched > 0 ? (100 * matched) / total : smoothedPercent(smoothing, zeros, total);
    logs += percent === 0 ? LOG_OF_ZERO : log(percent);
  }
  if (!effectiveOrder) {
    logs += (MAX_ORDER - orders) * LOG_OF_ZERO;
    orders = MAX_ORDER;
  }
  const percent = brevityPenalty(candidateLength, referenceLength) * exp(logs / orders);
  // Identical texts come out as 100.00000000000004.
  return Math.min(1, percent / 100);
};

/** @param zeros  how many orders had no match so far, this one included */
const smoothedPercent = (smoothing: SacrebleuSmoothing, zeros: number, total: number): number => {
  if (smoothing === 'exp') return 100 / (2 ** zeros * total);
  if (smoothing === 'floor') return (100 * 0.1) / total;
  return 0;
};

/** Precision alone would reward leaving words out; called with a candidate of at least one token. */
const brevityPenalty = (candidateLength: number, referenceLength: number): number =>
  candidateLength > referenceLength ? 1 : exp(1 - referenceLength / candidateLength);

/** A sum with what rounding lost added back at the end (Neumaier 1974), as exact as Python's `math.fsum` for a few terms. */
const preciseSum = (terms: readonly number[]): number => {
  let sum = 0;
  let lost = 0;
  for (const term of terms) {
    const next = sum + term;
    lost += Math.abs(sum) >= Math.abs(term) ? sum - next + term : term - next + sum;
    sum = next;
  }
  return sum + lost;
};

const isSacrebleuSmoothing = (
  smoothing: NltkSmoothing | SacrebleuSmoothing,
): smoothing is SacrebleuSmoothing => !(smoothing in SMOOTHINGS);
