import { clippedMatches, ngramCount } from './ngrams.js';
import { tokenizerOf, type TokenizerOption } from './tokenizer-option.js';

const MAX_ORDER = 4;

/** How {@link gleu} splits the texts. */
export interface GleuOptions {
  /** Default `hosted`. */
  readonly tokenizer?: TokenizerOption;
}

/**
 * Sentence GLEU: over all 1- to 4-grams together, the smaller of precision and recall.
 * A repeated n-gram matches at most as often as the other text has it, so swapping the texts changes nothing.
 * Equals NLTK 3.9.1 `sentence_gleu([reference], candidate)` as a double.
 *
 * @param candidate  model output, raw text
 * @param reference  expected output, raw text
 * @returns score in [0, 1]; 0 when either text has no tokens, as in NLTK
 * @see Wu et al. 2016, https://arxiv.org/abs/1609.08144, section 5
 */
export const gleu = (
  candidate: string,
  reference: string,
  { tokenizer = 'hosted' }: GleuOptions = {},
): number => {
  const tokenize = tokenizerOf(tokenizer);
  const candidateTokens = tokenize(candidate);
  const referenceTokens = tokenize(reference);
  // Precision and recall share their numerator, so the smaller one has the larger denominator: the longer text's.
  const tokens = Math.max(candidateTokens.length, referenceTokens.length);
  if (tokens === 0) return 0;
  let ngrams = 0;
  for (let order = 1; order <= MAX_ORDER; order++) ngrams += ngramCount(tokens, order);
  return sum(clippedMatches(candidateTokens, referenceTokens, MAX_ORDER)) / ngrams;
};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
