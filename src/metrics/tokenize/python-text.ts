/**
 * Python's idea of text, where JavaScript's differs: the reference tokenizers are written in Python, and their
 * `\s`, `\w`, `\d` and `str.split()` use other character sets than the JavaScript ones of the same name.
 */

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

/** Python's whitespace as the inside of a character class. */
export const SPACE_CHARACTERS =
  '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

const IS_SPACE = new RegExp(`[${SPACE_CHARACTERS}]`);

const classify = (codePoint: number): number => {
  const character = String.fromCodePoint(codePoint);
  let flags = CLASSIFIED;
  if (IS_SPACE.test(character)) flags |= SPACE;
  if (/\p{Nd}/u.test(character)) flags |= DECIMAL;
  if (/\p{N}/u.test(character)) flags |= NUMBER;
  if (/[\p{L}\p{N}_]/u.test(character)) flags |= WORD;
  if (/\p{P}/u.test(character)) flags |= PUNCTUATION;
  if (/\p{S}/u.test(character)) flags |= SYMBOL;
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

/** Whether a UTF-16 unit is whitespace to Python; all of Python's whitespace is in the basic plane. */
export const isSpace = (unit: number): boolean => (classesOf(unit) & SPACE) !== 0;

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
