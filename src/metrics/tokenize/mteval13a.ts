import { isSpace } from './python-text.js';
import { BLANK, DASH, DIGIT, MARK, OTHER, SYMBOL, separateMarks, type MarkRules } from './separate-marks.js';

/** ASCII punctuation but for the apostrophe and the three that depend on their neighbours. */
const SYMBOLS = '!"#$%&()*+/:;<=>?@[\\]^_`{|}~';

const asciiKind = (code: number): number => {
  const character = String.fromCharCode(code);
  if (isSpace(code)) return BLANK;
  if (/[0-9]/.test(character)) return DIGIT;
  if (character === '.' || character === ',') return MARK;
  if (character === '-') return DASH;
  return SYMBOLS.includes(character) ? SYMBOL : OTHER;
};

const ASCII_KINDS = Uint8Array.from({ length: 128 }, (_, code) => asciiKind(code));

const kindOf = (codePoint: number): number => {
  if (codePoint < 128) return ASCII_KINDS[codePoint];
  return codePoint <= 0xffff && isSpace(codePoint) ? BLANK : OTHER;
};

const RULES: MarkRules = { kindOf, padded: true };

/** The script's own clean-up: line ends, words cut at line ends, and four SGML entities, in this order. */
const unescape = (text: string): string => {
  const joined = text.replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ');
  if (!joined.includes('&')) return joined;
  return joined
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');
};

/**
 * The mteval-v13a tokenizer, sacreBLEU's default: ASCII punctuation is split off, full stops and commas not
 * between digits, hyphens only behind a digit. Other scripts are split at whitespace only.
 *
 * @param text  any text
 * @returns the tokens in order
 * @see sacrebleu `Tokenizer13a`
 */
export const tokenize13a = (text: string): string[] => separateMarks(unescape(text), RULES);
