/**
 * Python's idea of text, where JavaScript's differs: the reference tokenizers are written in Python, and their
 * `\s`, `\w`, `\d` and `str.split()` use other character sets than the JavaScript ones of the same name.
 */

import { lazyPattern } from '../lazily.js';

/** `str.isspace()`, `\s`. Unlike in JavaScript, U+001C–001F and U+0085 belong to it and U+FEFF does not. */
export const SPACE = 1;
/** `\d`: general category Nd, in every script. */
export const DECIMAL = 2;
/** `\p{N}`: Nd, Nl and No. */
export const NUMBER = 4;
/** `\w`: letters, every number category and the underscore. */
export const WORD = 8;
/** `\p{P}`. */
export const PUNCTUATION = 16;
/** `\p{S}`. */
export const SYMBOL = 32;
const CLASSIFIED = 128;

/** Python's whitespace: first and last of each range. */
const SPACE_RANGES = [
  [0x09, 0x0d],
  [0x1c, 0x20],
  [0x85, 0x85],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
] as const;

const escaped = (unit: number): string => `\\u${unit.toString(16).padStart(4, '0')}`;

/** Python's whitespace as the inside of a character class. */
export const SPACE_CHARACTERS = SPACE_RANGES.map(
  ([first, last]) => `${escaped(first)}-${escaped(last)}`,
).join('');

const isDecimal = lazyPattern(String.raw`\p{Nd}`, 'u');
const isNumber = lazyPattern(String.raw`\p{N}`, 'u');
const isWord = lazyPattern(String.raw`[\p{L}\p{N}_]`, 'u');
const isPunctuation = lazyPattern(String.raw`\p{P}`, 'u');
const isSymbol = lazyPattern(String.raw`\p{S}`, 'u');

const classify = (codePoint: number): number => {
  const character = String.fromCodePoint(codePoint);
  let flags = CLASSIFIED;
  if (codePoint <= 0xffff && isSpace(codePoint)) flags |= SPACE;
  if (isDecimal().test(character)) flags |= DECIMAL;
  if (isNumber().test(character)) flags |= NUMBER;
  if (isWord().test(character)) flags |= WORD;
  if (isPunctuation().test(character)) flags |= PUNCTUATION;
  if (isSymbol().test(character)) flags |= SYMBOL;
  return flags;
};

/** Flags of the basic plane, filled as characters are met: classifying all of it would cost more than most runs. */
const flagsOfBasicPlane = new Uint8Array(0x10000);

/**
 * What a character is to Python, as a set of the flags above.
 *
 * @param codePoint  any code point; an unpaired surrogate is none of the classes, as in Python
 */
export const classesOf = (codePoint: number): number => {
  if (codePoint > 0xffff) return classify(codePoint);
  const known = flagsOfBasicPlane[codePoint];
  if (known !== 0) return known;
  const flags = classify(codePoint);
  flagsOfBasicPlane[codePoint] = flags;
  return flags;
};

const SPACES = new Uint8Array(0x10000);
for (const [first, last] of SPACE_RANGES) SPACES.fill(1, first, last + 1);

/** Whether a UTF-16 unit is whitespace to Python; all of Python's whitespace is in the basic plane. */
export const isSpace = (unit: number): boolean => SPACES[unit] === 1;

/** Where `text.rstrip()` would end. */
export const trimmedEnd = (text: string): number => {
  let end = text.length;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--;
  return end;
};

/**
 * Python's `str.split()` without arguments: runs of whitespace separate, and none of the tokens is empty.
 *
 * @param text  any text
 * @returns the tokens in order; none for an empty or blank text
 */
export const splitWhitespace = (text: string): string[] => {
  const tokens: string[] = [];
  let start = -1;
  for (let i = 0; i < text.length; i++) {
    if (isSpace(text.charCodeAt(i))) {
      if (start >= 0) tokens.push(text.slice(start, i));
      start = -1;
    } else if (start < 0) {
      start = i;
    }
  }
  if (start >= 0) tokens.push(text.slice(start));
  return tokens;
};
