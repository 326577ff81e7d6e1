import { NgramCounts } from './ngram-counts.js';
import type { Tokenizer } from './tokenize/index.js';
import { splitWhitespace } from './tokenize/python-text.js';
import { WordIndex } from './word-index.js';
import { asciiWords, indexCandidate, indexReference } from './words.js';

/** How many n-grams of an order a text of so many tokens has. */
export const ngramCount = (tokens: number, order: number): number => Math.max(0, tokens - order + 1);

/** The highest order of n-grams. */
export const MAX_ORDER = 9;

/** @throws RangeError  unless `min` and `max` are orders of n-grams, in this order */
export const checkOrders = (min: number, max: number): void => {
  if (!(Number.isInteger(min) && Number.isInteger(max) && min >= 1 && min <= max && max <= MAX_ORDER)) {
    throw new RangeError(
      `n-grams of the orders ${min} to ${max}, expected whole numbers from 1 to ${MAX_ORDER}`,
    );
  }
};

/** Memory is kept for texts up to so many UTF-16 units; a longer one gets its own, which goes when the call ends. */
export const KEPT_LENGTH = 1 << 17;

/** A reference and a candidate as numbers, and the n-grams that they have in common. */
export class TextPair {
  readonly words = new WordIndex();
  /** By order, unigrams at 0: the matches that {@link matchNgrams} found. */
  readonly matches = new Int32Array(MAX_ORDER);
  readonly #ngrams = new NgramCounts();
  #reference: string | undefined;
  #tokenize: Tokenizer | undefined;

  /** Reads the texts. A reference that was read last is not read again: samples of one item come one after the other. */
  read(candidate: string, reference: string, tokenize: Tokenizer): void {
    if (reference !== this.#reference || tokenize !== this.#tokenize) {
      this.#reference = undefined;
      indexReference(this.words, reference, tokenize);
      this.#ngrams.maxOrder = 0;
      this.#reference = reference;
      this.#tokenize = tokenize;
    }
    indexCandidate(this.words, candidate, tokenize);
  }

  /** Clipped matches of the orders up to `maxOrder`. */
  matchNgrams(maxOrder: number): void {
    if (this.#ngrams.maxOrder < maxOrder) this.#ngrams.count(this.words, maxOrder);
    this.#ngrams.match(this.words, maxOrder, this.matches);
  }
}

const whitespacePair = new TextPair();
const asciiPair = new TextPair();
const tokenPair = new TextPair();

/** The two texts' words. What is returned is good until the next call. */
export const readPair = (candidate: string, reference: string, tokenize: Tokenizer): TextPair => {
  const pair =
    candidate.length > KEPT_LENGTH || reference.length > KEPT_LENGTH ? new TextPair() : keptPair(tokenize);
  pair.read(candidate, reference, tokenize);
  return pair;
};

const keptPair = (tokenize: Tokenizer): TextPair => {
  if (tokenize === splitWhitespace) return whitespacePair;
  return tokenize === asciiWords ? asciiPair : tokenPair;
};
