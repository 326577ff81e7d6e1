import { CompensatedSum } from '../compensated-sum.js';
import { exp, log } from './exp-log.js';
import { checkOrders, MAX_ORDER, ngramCount, readPair, type TextPair } from './ngrams.js';
import { trimmedEnd } from './tokenize/python-text.js';
import { tokenizerOf, type TokenizerOption } from './tokenizer-option.js';

/** The names under which NLTK's `SmoothingFunction` has what stands in the place of a precision of zero. */
export const NLTK_SMOOTHINGS = [
  'method0',
  'method1',
  'method2',
  'method3',
  'method4',
  'method5',
  'method6',
  'method7',
] as const;

/** sacreBLEU's names for it, its `smooth_method`. */
export const SACREBLEU_SMOOTHINGS = ['exp', 'floor', 'add-k', 'none'] as const;

/** What NLTK's `SmoothingFunction` puts in the place of a precision of zero. */
export type NltkSmoothing = (typeof NLTK_SMOOTHINGS)[number];

/** What sacreBLEU's `smooth_method` puts there. */
export type SacrebleuSmoothing = (typeof SACREBLEU_SMOOTHINGS)[number];

/** How {@link bleu} splits and counts. */
export interface BleuOptions {
  /** Default `hosted`. */
  readonly tokenizer?: TokenizerOption;
  /**
   * Default `method4`. The `method…` names compute NLTK's formula, the others sacreBLEU's: they differ in more than the
   * smoothing, for instance in texts shorter than four tokens.
   */
  readonly smoothing?: NltkSmoothing | SacrebleuSmoothing;
  /** The highest order of n-grams, 1 to 9; default 4. All orders have the same weight. */
  readonly maxOrder?: number;
  /** With NLTK's smoothings, in the place of `maxOrder`: the weight of each order, unigrams first, 1 to 9 of them. */
  readonly weights?: readonly number[];
  /** Compares the texts in lower case; default false. */
  readonly lowercase?: boolean;
  /**
   * Leaves out the orders for which the candidate is too short: NLTK's `auto_reweigh`, sacreBLEU's `effective_order`.
   * Default: false for NLTK's smoothings, true for sacreBLEU's, as in their functions for sentences. No effect on `weights`.
   */
  readonly effectiveOrder?: boolean;
}

const DEFAULT_MAX_ORDER = 4;

/**
 * Sentence BLEU: the geometric mean of the clipped precisions of 1- to 4-grams, lowered where the candidate is shorter
 * than the reference. With NLTK's smoothings it equals NLTK 3.9.1 `sentence_bleu([reference], candidate)`, with the others
 * sacreBLEU 2.5 `sentence_bleu(candidate, [reference]).score / 100`; both to the last digit but for a rare one.
 *
 * Two of NLTK's answers are not followed. What is above 1 is 1: `method5` and `method7` give up to 1.14 to texts that are
 * alike, sacreBLEU now and then 1.0000000000000004. And where `method6` refuses, because no three words match, its formula
 * is computed all the same.
 *
 * Identical short texts do not score 1: under the default a single word does, two words give .22, three .58.
 *
 * @param candidate  model output, raw text
 * @param reference  expected output, raw text
 * @returns score in [0, 1]; 0 when no word matches
 * @throws RangeError  for orders or weights that are none, or for weights with one of sacreBLEU's smoothings
 * @see Papineni et al. 2002, https://aclanthology.org/P02-1040
 * @see Chen and Cherry 2014, https://aclanthology.org/W14-3346 (the smoothings)
 */
export const bleu = (candidate: string, reference: string, options: BleuOptions = {}): number => {
  const { smoothing = 'method4', weights, lowercase = false } = options;
  const maxOrder = weights?.length ?? options.maxOrder ?? DEFAULT_MAX_ORDER;
  checkOrders(1, maxOrder);
  if (weights !== undefined) checkWeights(weights, options);
  const tokenize = tokenizerOf(options.tokenizer ?? 'hosted');
  let c = lowercase ? candidate.toLowerCase() : candidate;
  let r = lowercase ? reference.toLowerCase() : reference;
  if (isSacrebleuSmoothing(smoothing)) {
    // sacreBLEU cuts trailing white space off before it splits, which decides whether a last "-\n" joins lines.
    c = c.slice(0, trimmedEnd(c));
    r = r.slice(0, trimmedEnd(r));
    const pair = readPair(c, r, tokenize);
    pair.matchNgrams(maxOrder);
    return sacrebleuScore(pair, smoothing, maxOrder, options.effectiveOrder ?? true);
  }
  const pair = readPair(c, r, tokenize);
  pair.matchNgrams(usesPrecisionOf5(smoothing) ? Math.max(maxOrder, 5) : maxOrder);
  return nltkScore(pair, smoothing, maxOrder, options.effectiveOrder ?? false, weights);
};

/** @throws RangeError  when the weights cannot be used */
const checkWeights = (weights: readonly number[], { smoothing = 'method4', maxOrder }: BleuOptions): void => {
  if (isSacrebleuSmoothing(smoothing)) {
    throw new RangeError(`weights with the smoothing ${smoothing}: they go with NLTK's, method0 to method7`);
  }
  if (maxOrder !== undefined) throw new RangeError('weights and maxOrder: expected one of them');
  if (!weights.every((weight) => weight >= 0 && Number.isFinite(weight))) {
    throw new RangeError(`weights ${weights.join(', ')}: expected numbers of 0 and more`);
  }
};

const isSacrebleuSmoothing = (
  smoothing: NltkSmoothing | SacrebleuSmoothing,
): smoothing is SacrebleuSmoothing => (SACREBLEU_SMOOTHINGS as readonly string[]).includes(smoothing);

/** The smallest normal double: with it NLTK replaces a zero, so that there is a logarithm to take. */
const SMALLEST_NORMAL = 2 ** -1022;

/** Precisions by order, unigrams at 0, of the call that is running. */
const precisions = new Float64Array(MAX_ORDER);

const nltkScore = (
  pair: TextPair,
  smoothing: NltkSmoothing,
  maxOrder: number,
  effectiveOrder: boolean,
  weights: readonly number[] | undefined,
): number => {
  const { candidateLength, referenceLength } = pair.words;
  if (pair.matches[0] === 0) return 0;
  fillPrecisions(pair, smoothing, maxOrder);
  if (usesPrecisionOf5(smoothing)) averageNeighbours(maxOrder, plainPrecision(pair, 5));
  if (smoothing === 'method6') interpolate(pair, maxOrder);
  const orders = effectiveOrder && weights === undefined ? Math.min(candidateLength, maxOrder) : maxOrder;
  const logarithms = new CompensatedSum();
  for (let order = 0; order < orders; order++) {
    const weight = weights === undefined ? 1 / orders : weights[order];
    // An order that is still zero is passed over, which is why method4 gives a single matching word 1.
    if (precisions[order] > 0) logarithms.add(weight * log(precisions[order]));
  }
  return Math.min(1, brevityPenalty(candidateLength, referenceLength) * exp(logarithms.total));
};

/** NLTK counts at least one n-gram of each order, even in a text too short for any. */
const plainPrecision = ({ matches, words }: TextPair, order: number): number =>
  matches[order - 1] / Math.max(1, ngramCount(words.candidateLength, order));

/**
 * The precisions of the orders, the zeros among them replaced.
 * The operations are NLTK's in NLTK's order, for the sake of the last digit.
 */
const fillPrecisions = ({ matches, words }: TextPair, smoothing: NltkSmoothing, maxOrder: number): void => {
  const length = words.candidateLength;
  let zeros = 0;
  for (let order = 0; order < maxOrder; order++) {
    const count = matches[order];
    const total = Math.max(1, ngramCount(length, order + 1));
    if (smoothing === 'method2' && order > 0) precisions[order] = (count + 1) / (total + 1);
    else if (count > 0) precisions[order] = count / total;
    else precisions[order] = inPlaceOfZero(smoothing, total, ++zeros, length);
  }
};

/** @param zeros  how many orders had no match so far, this one included */
const inPlaceOfZero = (smoothing: NltkSmoothing, total: number, zeros: number, length: number): number => {
  switch (smoothing) {
    case 'method0':
      return SMALLEST_NORMAL;
    case 'method1':
      return 0.1 / total;
    case 'method3':
      return 1 / (2 ** zeros * total);
    case 'method4':
    case 'method7':
      // The logarithm of 1 cannot divide: a single word is left unsmoothed.
      return length > 1 ? 1 / ((2 ** zeros * 5) / log(length)) / total : 0;
    default:
      return 0;
  }
};

const usesPrecisionOf5 = (smoothing: NltkSmoothing): boolean =>
  smoothing === 'method5' || smoothing === 'method7';

/**
 * Methods 5 and 7: each precision becomes the mean of itself and its neighbours, of which the lower one is already a mean.
 *
 * @param beyond  stands in for the neighbour above the highest order: the precision of 5-grams, whatever that order is
 */
const averageNeighbours = (maxOrder: number, beyond: number): void => {
  let below = precisions[0] + 1;
  for (let order = 0; order < maxOrder; order++) {
    const above = order + 1 < maxOrder ? precisions[order + 1] : beyond;
    below = (below + precisions[order] + above) / 3;
    precisions[order] = below;
  }
};

/** Method 6, from trigrams on: 5 n-grams are added that match as the two orders below let expect. */
const interpolate = ({ matches, words }: TextPair, maxOrder: number): void => {
  for (let order = 2; order < maxOrder; order++) {
    const [before, last] = [precisions[order - 2], precisions[order - 1]];
    const expected = before === 0 ? 0 : last ** 2 / before;
    precisions[order] = (matches[order] + 5 * expected) / (ngramCount(words.candidateLength, order + 1) + 5);
  }
};

/** sacreBLEU's stand-in for the logarithm of zero. */
const LOG_OF_ZERO = -9_999_999_999;

const sacrebleuScore = (
  { matches, words: { candidateLength, referenceLength } }: TextPair,
  smoothing: SacrebleuSmoothing,
  maxOrder: number,
  effectiveOrder: boolean,
): number => {
  if (matches[0] === 0) return 0;
  let logarithms = 0;
  let zeros = 0;
  let orders = 0;
  for (let order = 1; order <= maxOrder; order++) {
    const added = smoothing === 'add-k' && order > 1 ? 1 : 0;
    const matched = matches[order - 1] + added;
    const total = ngramCount(candidateLength, order) + added;
    if (total === 0) break;
    orders = order;
    if (matched === 0) zeros++;
    const percent = matched > 0 ? (100 * matched) / total : smoothedPercent(smoothing, zeros, total);
    logarithms += percent === 0 ? LOG_OF_ZERO : log(percent);
  }
  if (!effectiveOrder) {
    logarithms += (maxOrder - orders) * LOG_OF_ZERO;
    orders = maxOrder;
  }
  const percent = brevityPenalty(candidateLength, referenceLength) * exp(logarithms / orders);
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
