import { lazily } from './lazily.js';
import type { Tokenizer } from './tokenize/index.js';
import { isSpace, splitWhitespace } from './tokenize/python-text.js';
import { addToHash, type WordIndex } from './word-index.js';

/** Runs of ASCII letters and digits in lower case, the words of ROUGE. Lower case comes first: the Kelvin sign is a k. */
export const asciiWords: Tokenizer = (text) => text.toLowerCase().match(/[a-z0-9]+/g) ?? [];

/** Puts the reference's words into the index: the tokens that the tokenizer gives. */
export const indexReference = (index: WordIndex, text: string, tokenize: Tokenizer): void => {
  if (tokenize === splitWhitespace || tokenize === asciiWords) {
    const start = index.beginReference(text.length + 1, mostWords(text, tokenize));
    index.referenceLength = cut(index, text, start, tokenize, index.referenceIds);
  } else {
    indexReferenceTokens(index, tokenize(text));
  }
};

/** Makes tokens the reference's words. */
export const indexReferenceTokens = (index: WordIndex, tokens: readonly string[]): void => {
  const start = index.beginReference(unitsOf(tokens), tokens.length);
  index.referenceLength = copyTokens(index, tokens, start, index.referenceIds);
};

/** Puts the candidate's words into the index, in the place of another candidate's. */
export const indexCandidate = (index: WordIndex, text: string, tokenize: Tokenizer): void => {
  if (tokenize === splitWhitespace || tokenize === asciiWords) {
    const start = index.beginCandidate(text.length + 1, mostWords(text, tokenize));
    index.candidateLength = cut(index, text, start, tokenize, index.candidateIds);
  } else {
    indexCandidateTokens(index, tokenize(text));
  }
};

/** Makes tokens the candidate's words, in the place of another candidate's. */
export const indexCandidateTokens = (index: WordIndex, tokens: readonly string[]): void => {
  const start = index.beginCandidate(unitsOf(tokens), tokens.length);
  index.candidateLength = copyTokens(index, tokens, start, index.candidateIds);
};

/** How many words a text can have at most: with a separator between them, but behind a dotted capital I there is none. */
const mostWords = (text: string, tokenize: Tokenizer): number =>
  tokenize === asciiWords ? text.length : (text.length + 1) >>> 1;

const unitsOf = (tokens: readonly string[]): number => {
  let units = 0;
  for (let i = 0; i < tokens.length; i++) units += tokens[i].length;
  return units;
};

/** Writes the ids of the tokens, and returns how many there are. */
const copyTokens = (index: WordIndex, tokens: readonly string[], start: number, ids: Int32Array): number => {
  const { units } = index;
  let end = start;
  for (let t = 0; t < tokens.length; t++) {
    const token = tokens[t];
    const wordStart = end;
    let hash = 0;
    for (let i = 0; i < token.length; i++) {
      const unit = token.charCodeAt(i);
      units[end++] = unit;
      hash = addToHash(hash, unit);
    }
    ids[t] = index.idOf(hash, wordStart, token.length);
  }
  return tokens.length;
};

/**
 * Writes the ids of the words of a text, without making a string of each, and returns how many there are.
 *
 * Long texts are copied to `units` first: reading typed memory takes half as long as reading a string, but handing a text
 * to `Buffer` takes longer than reading a short one. One loop for all would cost a third of the speed, so there are three.
 */
const cut = (index: WordIndex, text: string, start: number, tokenize: Tokenizer, ids: Int32Array): number => {
  const isWhitespace = tokenize === splitWhitespace;
  if (index.copyIfLong(text, start)) {
    const letters = isWhitespace ? lettersBetweenSpaces() : LOWER_CASE;
    return cutCopied(index, start, start + text.length, letters, ids);
  }
  return isWhitespace ? cutAtWhitespace(index, text, start, ids) : cutToAsciiWords(index, text, start, ids);
};

const BLANK = 32;
const SMALL_I = 105;
const SMALL_K = 107;
const KELVIN_SIGN = 0x212a;
/** Becomes an i and a combining dot: the only character that is an ASCII letter and something else in lower case. */
const DOTTED_CAPITAL_I = 0x130;
const UNITS = 0x1_0000;

const NO_LETTER = -1;

/** By UTF-16 unit: the unit that stands for it in a word, or `NO_LETTER`. */
type LetterTable = Int32Array;

/** The letters of ASCII words. */
const LOWER_CASE: LetterTable = new Int32Array(UNITS).fill(NO_LETTER);
for (const character of '0123456789abcdefghijklmnopqrstuvwxyz') {
  const unit = character.charCodeAt(0);
  LOWER_CASE[unit] = unit;
  LOWER_CASE[character.toUpperCase().charCodeAt(0)] = unit;
}
LOWER_CASE[KELVIN_SIGN] = SMALL_K;

/** The letters of words between white space. */
const lettersBetweenSpaces = lazily((): LetterTable =>
  Int32Array.from({ length: UNITS }, (_, unit) => (isSpace(unit) ? NO_LETTER : unit)),
);

const cutCopied = (
  index: WordIndex,
  start: number,
  end: number,
  letters: LetterTable,
  ids: Int32Array,
): number => {
  const { units } = index;
  // Behind the text is room for a unit that ends its last word.
  units[end] = BLANK;
  let words = 0;
  for (let i = start; i < end; i++) {
    const wordStart = i;
    let hash = 0;
    for (let letter = letters[units[i]]; letter !== NO_LETTER; letter = letters[units[++i]]) {
      units[i] = letter;
      hash = addToHash(hash, letter);
    }
    let length = i - wordStart;
    if (units[i] === DOTTED_CAPITAL_I) {
      units[i] = SMALL_I;
      hash = addToHash(hash, SMALL_I);
      length++;
    }
    if (length > 0) ids[words++] = index.idOf(hash, wordStart, length);
  }
  return words;
};

const cutAtWhitespace = (index: WordIndex, text: string, start: number, ids: Int32Array): number => {
  const { units } = index;
  const { length: end } = text;
  let words = 0;
  for (let i = 0; i < end; i++) {
    const wordStart = i;
    let hash = 0;
    for (; i < end; i++) {
      const unit = text.charCodeAt(i);
      if (isSpace(unit)) break;
      units[start + i] = unit;
      hash = addToHash(hash, unit);
    }
    if (i > wordStart) ids[words++] = index.idOf(hash, start + wordStart, i - wordStart);
  }
  return words;
};

const cutToAsciiWords = (index: WordIndex, text: string, start: number, ids: Int32Array): number => {
  const { units } = index;
  const { length: end } = text;
  let words = 0;
  for (let i = 0; i < end; i++) {
    const wordStart = i;
    let hash = 0;
    let unit = 0;
    for (; i < end; i++) {
      unit = text.charCodeAt(i);
      const letter = LOWER_CASE[unit];
      if (letter === NO_LETTER) break;
      units[start + i] = letter;
      hash = addToHash(hash, letter);
    }
    let length = i - wordStart;
    if (unit === DOTTED_CAPITAL_I) {
      units[start + i] = SMALL_I;
      hash = addToHash(hash, SMALL_I);
      length++;
    }
    if (length > 0) ids[words++] = index.idOf(hash, start + wordStart, length);
  }
  return words;
};
