import { internTokens } from './intern.js';
import { lcsLength } from './lcs.js';
import { clippedMatches, ngramCount } from './ngrams.js';
import { porterStem } from './porter.js';

/** Which of the three numbers of a ROUGE score is the result. */
export type RougeMeasure = 'precision' | 'recall' | 'fmeasure';

/** How the ROUGE metrics split the texts, and what they give. */
export interface RougeOptions {
  /** Compares the Porter stems of words longer than three letters; default false. */
  readonly useStemmer?: boolean;
  /** Default `fmeasure`, the harmonic mean of the other two. */
  readonly measure?: RougeMeasure;
}

/** The orders that rouge-score knows: `rouge1` to `rouge9`. */
const MAX_ORDER = 9;

/**
 * ROUGE-N: the share of n-grams that the two texts have in common.
 * Equals rouge-score 0.1.2 `RougeScorer(['rougeN'])` as a double.
 *
 * Only ASCII letters and digits count, in lower case: text without any of them (Chinese, Arabic, emoji) scores 0,
 * even against itself, and so do texts of fewer words than the order.
 *
 * @param candidate  model output, raw text
 * @param reference  expected output, raw text
 * @param order  1 to 9: how many words an n-gram has
 * @returns score in [0, 1]
 * @throws RangeError  for another order
 * @see Lin 2004, https://aclanthology.org/W04-1013, section 2
 */
export const rougeN = (
  candidate: string,
  reference: string,
  order: number,
  { useStemmer = false, measure = 'fmeasure' }: RougeOptions = {},
): number => {
  if (!Number.isInteger(order) || order < 1 || order > MAX_ORDER) {
    throw new RangeError(`ROUGE order ${order}, expected an integer from 1 to ${MAX_ORDER}`);
  }
  const candidateWords = rougeWords(candidate, useStemmer);
  const referenceWords = rougeWords(reference, useStemmer);
  const matches = clippedMatches(candidateWords, referenceWords, order)[order - 1];
  return measured(
    measure,
    matches,
    ngramCount(candidateWords.length, order),
    ngramCount(referenceWords.length, order),
  );
};

/**
 * ROUGE-L: the length of the longest common subsequence of words, over the whole of both texts.
 * Equals rouge-score 0.1.2 `RougeScorer(['rougeL'])` as a double; words are those of {@link rougeN}.
 *
 * @param candidate  model output, raw text
 * @param reference  expected output, raw text
 * @returns score in [0, 1]; 0 when either text has no words
 * @see Lin 2004, https://aclanthology.org/W04-1013, section 3
 */
export const rougeL = (
  candidate: string,
  reference: string,
  { useStemmer = false, measure = 'fmeasure' }: RougeOptions = {},
): number => {
  const words = internTokens(rougeWords(candidate, useStemmer), rougeWords(reference, useStemmer));
  const { length: candidateLength } = words.candidate;
  const { length: referenceLength } = words.reference;
  const length = lcsLength(
    words.candidate,
    candidateLength,
    words.reference,
    referenceLength,
    words.distinct,
  );
  return measured(measure, length, candidateLength, referenceLength);
};

/** Runs of ASCII letters and digits. Lower case comes first: the Kelvin sign becomes a k. */
const rougeWords = (text: string, useStemmer: boolean): readonly string[] => {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  if (!useStemmer) return words;
  return words.map((word) => (word.length > 3 ? porterStem(word) : word)).filter((stem) => stem !== '');
};

const measured = (
  measure: RougeMeasure,
  matches: number,
  candidateCount: number,
  referenceCount: number,
): number => {
  const precision = matches / Math.max(candidateCount, 1);
  const recall = matches / Math.max(referenceCount, 1);
  if (measure === 'precision') return precision;
  if (measure === 'recall') return recall;
  // In this order: 2·matches / (both counts) is the same number, but not the same double.
  return precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
};
