/** What a character is to `separateMarks`. */
export const OTHER = 0;
export const BLANK = 1;
export const DIGIT = 2;
/** A token of its own unless digits stand on its sides. */
export const MARK = 3;
/** Always a token of its own. */
export const SYMBOL = 4;
/** A token of its own behind a digit. */
export const DASH = 5;

/** How a tokenizer of the mteval family reads a text. */
export interface MarkRules {
  /** One of the kinds above, for a code point. */
  readonly kindOf: (codePoint: number) => number;
  /** Whether a mark at either end of the text has a space behind it, or nothing. */
  readonly padded: boolean;
}

/**
 * The split that the mteval scripts share: a mark is a token of its own unless a digit stands on both of its
 * sides (`1,000`), symbols always are.
 *
 * The scripts say it with substitutions: first `(not digit)(mark)`, then `(mark)(not digit)`. A substitution
 * eats the two characters it matches, so a mark behind a separated mark is not separated by the first one, and
 * with a digit behind it not by the second one either: `a..5` is `a`, `.`, `.5`. This is one pass with the
 * same outcome.
 *
 * @param text  any text
 * @returns the tokens in order
 */
export const separateMarks = (text: string, { kindOf, padded }: MarkRules): string[] => {
  const tokens: string[] = [];
  let tokenStart = 0;
  /** Whether the first substitution can take the character before `i` as its "not digit". */
  let takesMark = padded;
  let behindDigit = false;

  const closeToken = (end: number): void => {
    if (end > tokenStart) tokens.push(text.slice(tokenStart, end));
  };

  let i = 0;
  while (i < text.length) {
    const codePoint = text.codePointAt(i)!;
    const kind = kindOf(codePoint);
    const next = codePoint > 0xffff ? i + 2 : i + 1;
    let separate = kind === SYMBOL || kind === BLANK || (kind === DASH && behindDigit);
    if (kind === MARK && !separate) {
      const followed = next < text.length ? kindOf(text.codePointAt(next)!) !== DIGIT : padded;
      separate = takesMark || followed;
    }
    if (separate) {
      closeToken(i);
      if (kind !== BLANK) tokens.push(text.slice(i, next));
      tokenStart = next;
    }
    takesMark = kind === MARK ? !takesMark : kind !== DIGIT;
    behindDigit = kind === DIGIT;
    i = next;
  }
  closeToken(text.length);
  return tokens;
};
