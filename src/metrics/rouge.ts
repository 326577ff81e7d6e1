import { lazily } from './lazily.js';
import { lcsLength } from './lcs.js';
import { checkOrders, ngramCount, readPair } from './ngrams.js';
import { porterStem } from './porter.js';
import { summaryMatches } from './rouge-summary.js';
import type { Tokenizer } from './tokenize/index.js';
import { asciiWords } from './words.js';

/** The numbers of a ROUGE score, the default first. */
export const ROUGE_MEASURES = ['fmeasure', 'precision', 'recall'] as const;

/** Which of the three numbers of a ROUGE score is the result. */
export type RougeMeasure = (typeof ROUGE_MEASURES)[number];

/** What the ROUGE metrics take for a word, the default first. */
export const ROUGE_TOKENIZERS = ['ascii', 'unicode'] as const;

/**
 * `ascii`: runs of ASCII letters and digits, as rouge-score has it. `unicode`: runs of letters, marks and digits of any
 * script, where each letter of a script that puts no space between words (Chinese, Japanese, Thai, ...) is a word.
 */
export type RougeTokenizer = (typeof ROUGE_TOKENIZERS)[number];

/** How the ROUGE metrics split the texts, and what they give. */
export interface RougeOptions {
  /** Compares the Porter stems of words longer than three letters; default false. */
  readonly useStemmer?: boolean;
  /** Default `fmeasure`, the harmonic mean of the other two. */
  readonly measure?: RougeMeasure;
  /** Default `ascii`. Words are in lower case in both. */
  readonly tokenizer?: RougeTokenizer;
}

/** Options of {@link rougeL}. */
export interface RougeLOptions extends RougeOptions {
  /** Whether it is rouge-score's `rougeLsum`: line by line, against all lines of the other text together; default false. */
  readonly summary?: boolean;
}

/**
 * ROUGE-N: the share of n-grams that the two texts have in common.
 * Equals rouge-score 0.1.2 `RougeScorer(['rougeN'])` as a double.
 *
 * Only ASCII letters and digits count, in lower case: text without any of them (Chinese, Arabic, emoji) scores 0,
 * even against itself, and so do texts of fewer words than the order. The tokenizer `unicode` is for such text.
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
  { useStemmer = false, measure = 'fmeasure', tokenizer = 'ascii' }: RougeOptions = {},
): number => {
  checkOrders(order, order);
  const pair = readPair(candidate, reference, wordsOf(tokenizer, useStemmer));
  pair.matchNgrams(order);
  const { candidateLength, referenceLength } = pair.words;
  return measured(
    measure,
    pair.matches[order - 1],
    ngramCount(candidateLength, order),
    ngramCount(referenceLength, order),
  );
};

/**
 * ROUGE-L: the length of the longest common subsequence of words, over the whole of both texts.
 * Equals rouge-score 0.1.2 `RougeScorer(['rougeL'])` as a double, or `rougeLsum` with the option `summary`; words are those
 * of {@link rougeN}.
 *
 * @param candidate  model output, raw text
 * @param reference  expected output, raw text
 * @returns score in [0, 1]; 0 when either text has no words
 * @see Lin 2004, https://aclanthology.org/W04-1013, section 3
 */
export const rougeL = (
  candidate: string,
  reference: string,
  { useStemmer = false, measure = 'fmeasure', tokenizer = 'ascii', summary = false }: RougeLOptions = {},
): number => {
  const tokenize = wordsOf(tokenizer, useStemmer);
  if (summary) {
    const { matches, candidateWords, referenceWords } = summaryMatches(candidate, reference, tokenize);
    return measured(measure, matches, candidateWords, referenceWords);
  }
  const { words } = readPair(candidate, reference, tokenize);
  const { candidateIds, candidateLength, referenceIds, referenceLength } = words;
  // The words that only the candidate has are one symbol, which the reference lacks: they match nothing.
  const length = lcsLength(candidateIds, candidateLength, referenceIds, referenceLength, words.unknown + 1);
  return measured(measure, length, candidateLength, referenceLength);
};

const wordsOf = (tokenizer: RougeTokenizer, useStemmer: boolean): Tokenizer => {
  if (tokenizer === 'unicode') return useStemmer ? stemmedUnicodeWords : unicodeWords;
  return useStemmer ? stemmedAsciiWords : asciiWords;
};

const UNSPACED_SCRIPTS = ['Han', 'Hiragana', 'Katakana', 'Thai', 'Lao', 'Khmer', 'Myanmar'];

/** One letter of an unspaced script with its marks, or a run of anything else that words are made of. */
const unicodeWord = lazily(() => {
  const unspaced = `[${UNSPACED_SCRIPTS.map((script) => `\\p{Script=${script}}`).join('')}]`;
  return new RegExp(`(?=${unspaced})[\\p{L}\\p{N}]\\p{M}*|(?:(?!${unspaced})[\\p{L}\\p{M}\\p{N}])+`, 'gu');
});

const unicodeWords: Tokenizer = (text) => text.toLowerCase().match(unicodeWord()) ?? [];

const stemmed = (words: readonly string[]): string[] =>
  words.map((word) => (word.length > 3 ? porterStem(word) : word)).filter((stem) => stem !== '');

const stemmedAsciiWords: Tokenizer = (text) => stemmed(asciiWords(text));
const stemmedUnicodeWords: Tokenizer = (text) => stemmed(unicodeWords(text));

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
