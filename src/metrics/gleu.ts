import { ngramCount, checkOrders, readPair } from './ngrams.js';
import { tokenizerOf, type TokenizerOption } from './tokenizer-option.js';

/** How {@link gleu} splits the texts, and which n-grams it counts. */
export interface GleuOptions {
  /** Default `hosted`. */
  readonly tokenizer?: TokenizerOption;
  /** The lowest order of n-grams, 1 to 9; default 1. */
  readonly minLen?: number;
  /** The highest order, at least `minLen`, at most 9; default 4. */
  readonly maxLen?: number;
  /** Compares the texts in lower case; default false. */
  readonly lowercase?: boolean;
}

/**
 * Sentence GLEU: over all 1- to 4-grams together, the smaller of precision and recall.
 * A repeated n-gram matches at most as often as the other text has it, so swapping the texts changes nothing.
 * Equals NLTK 3.9.1 `sentence_gleu([reference], candidate, min_len, max_len)` as a double.
 *
 * @param candidate  model output, raw text
 * @param reference  expected output, raw text
 * @returns score in [0, 1]; 0 when neither text has an n-gram of these orders, as in NLTK
 * @throws RangeError  for orders that are not 1 to 9, or of which the lowest is above the highest
 * @see Wu et al. 2016, https://arxiv.org/abs/1609.08144, section 5
 */
export const gleu = (
  candidate: string,
  reference: string,
  { tokenizer = 'hosted', minLen = 1, maxLen = 4, lowercase = false }: GleuOptions = {},
): number => {
  checkOrders(minLen, maxLen);
  const pair = lowercase
    ? readPair(candidate.toLowerCase(), reference.toLowerCase(), tokenizerOf(tokenizer))
    : readPair(candidate, reference, tokenizerOf(tokenizer));
  const { candidateLength, referenceLength } = pair.words;
  // Precision and recall share their numerator, so the smaller one has the larger denominator: the longer text's.
  const tokens = Math.max(candidateLength, referenceLength);
  if (tokens < minLen) return 0;
  pair.matchNgrams(maxLen);
  let matches = 0;
  let ngrams = 0;
  for (let order = minLen; order <= maxLen; order++) {
    matches += pair.matches[order - 1];
    ngrams += ngramCount(tokens, order);
  }
  return matches / ngrams;
};
