import { lazily } from '../lazily.js';
import { SPACE_CHARACTERS, isSpace, splitWhitespace } from './python-text.js';

type Rule = readonly [pattern: RegExp, replacement: string];

const WORD_CHARACTERS = '\\p{L}\\p{N}_';
const WORD_START = `(?<![${WORD_CHARACTERS}])`;
const WORD_END = `(?![${WORD_CHARACTERS}])`;

/** Letters that Python's IGNORECASE takes for an ASCII one, beyond its two ASCII forms. */
const EXTRA_CASES: Readonly<Record<string, string>> = { i: 'İı', s: 'ſ' };

/** A pattern for an ASCII text that ignores case as Python does. */
export const anyCase = (text: string): string =>
  text.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}${EXTRA_CASES[letter] ?? ''}]`);

const openingQuotes = lazily((): readonly Rule[] => [
  [/[«“‘„]|`+/g, ' $& '],
  [/^"/, '``'],
  [/``/g, ' `` '],
  [/([ ([{<])(?:"|'')/g, '$1 `` '],
  // An apostrophe before a single letter is a quote, unless the letter can end a contraction.
  [new RegExp(`'(?![mMtTsSſdDnN])([${WORD_CHARACTERS}])${WORD_END}`, 'gu'), "' $1"],
]);

const punctuation = lazily((): readonly Rule[] => [
  [new RegExp(String.raw`([:,])(\P{Nd})`, 'gu'), ' $1 $2'],
  [/[:,](?=\n?$)/g, ' $& '],
  [/\.{2,}/g, ' $& '],
  [/[;@#$%&]/g, ' $& '],
  [/[?!]/g, ' $& '],
  [/([^'])' /g, "$1 ' "],
  [/\*/g, ' $& '],
  [/[\][(){}<>]/g, ' $& '],
  [/--/g, ' -- '],
]);

const closingQuotes = lazily((): readonly Rule[] => [
  [/[»”’]/g, ' $& '],
  [/''/g, " '' "],
  [/"/g, " '' "],
  [new RegExp(`[${SPACE_CHARACTERS}]+`, 'g'), ' '],
  [/([^' ])('[sS]|'[mM]|'[dD]|') /g, '$1 $2 '],
  [/([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) /g, '$1 $2 '],
]);

const contraction = (first: string, second: string, end = WORD_END): Rule => [
  new RegExp(`${WORD_START}(${anyCase(first)})(${anyCase(second)})${end}`, 'gu'),
  ' $1 $2 ',
];

const contractionRules = lazily((): readonly Rule[] => [
  contraction('can', 'not'),
  contraction('d', "'ye"),
  contraction('gim', 'me'),
  contraction('gon', 'na'),
  contraction('got', 'ta'),
  contraction('lem', 'me'),
  contraction('more', "'n"),
  contraction('wan', 'na', '(?= )'),
  [new RegExp(` (${anyCase("'t")})(${anyCase('is')})${WORD_END}`, 'gu'), ' $1 $2 '],
  [new RegExp(` (${anyCase("'t")})(${anyCase('was')})${WORD_END}`, 'gu'), ' $1 $2 '],
]);

/** One of these endings is in every contraction above, so a text without them can skip them all. */
const MAY_HOLD_CONTRACTION = /not|'ye|me|na|ta|'n|'t/i;

const substitute = (text: string, rules: readonly Rule[]): string =>
  rules.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);

/** What may stand between a sentence's full stop and the end of the sentence. */
export const CLOSERS = ']})>"\'»”’ ';

/**
 * Sets the sentence's full stop apart from its word: the last one of the text, unless another one precedes it,
 * with nothing but closing marks and whitespace behind it.
 */
const separateFinalPeriod = (text: string): string => {
  const period = text.lastIndexOf('.');
  if (period < 1 || text[period - 1] === '.') return text;
  let closersEnd = period + 1;
  while (closersEnd < text.length && CLOSERS.includes(text[closersEnd])) closersEnd++;
  for (let i = closersEnd; i < text.length; i++) if (!isSpace(text.charCodeAt(i))) return text;
  return `${text.slice(0, period)} . ${text.slice(period + 1, closersEnd)} `;
};

/**
 * The words of one sentence by the Treebank-style substitutions of NLTK's `NLTKWordTokenizer`, in its order,
 * one pass over the text for each. NLTK's second rule for the final full stop is left out: the first one
 * matches wherever it does, and what it adds is only whitespace.
 *
 * This is the definition; `scanSentence` finds the same tokens in one pass for all but rare texts.
 */
export const applyTreebankRules = (sentence: string): string[] => {
  let text = substitute(sentence, openingQuotes());
  text = substitute(separateFinalPeriod(text), punctuation());
  text = substitute(` ${text} `, closingQuotes());
  if (MAY_HOLD_CONTRACTION.test(text)) text = substitute(text, contractionRules());
  return splitWhitespace(text);
};
