import { NUMBER, PUNCTUATION, SPACE, SYMBOL as SYMBOL_CLASS, classesOf } from './python-text.js';
import { BLANK, DIGIT, MARK, OTHER, SYMBOL, separateMarks, type MarkRules } from './separate-marks.js';

const kindOf = (codePoint: number): number => {
  const classes = classesOf(codePoint);
  if ((classes & SPACE) !== 0) return BLANK;
  if ((classes & PUNCTUATION) !== 0) return MARK;
  if ((classes & SYMBOL_CLASS) !== 0) return SYMBOL;
  return (classes & NUMBER) !== 0 ? DIGIT : OTHER;
};

const RULES: MarkRules = { kindOf, padded: false };

/**
 * The international split of mteval-v14, as sacreBLEU's `intl` does it: every punctuation mark is a token unless
 * it stands between digits, every symbol is one, in all scripts. A full stop behind a number at the very end
 * of the text stays with the number, as in the original script.
 *
 * @param text  any text; line breaks are whitespace
 * @returns the tokens in order
 * @see sacrebleu `TokenizerV14International`
 */
export const tokenizeInternational = (text: string): string[] => separateMarks(text, RULES);
