import { tokenizeInternational } from './intl.js';
import { tokenize13a } from './mteval13a.js';
import { splitSentences } from './punkt.js';
import { builtInModel, readPunktModel, type PunktModel } from './punkt-model.js';
import { splitWhitespace } from './python-text.js';
import { appendSentenceTokens } from './treebank.js';

export { splitWhitespace, tokenize13a, tokenizeInternational };

/** Turns a text into its tokens, in order; never an empty token, none for a blank text. */
export type Tokenizer = (text: string) => string[];

/** The tokenizers that can be asked for by name. */
export const TOKENIZER_NAMES = ['hosted', 'nltk', 'whitespace', '13a', 'intl'] as const;

/** The name of a tokenizer. */
export type TokenizerName = (typeof TOKENIZER_NAMES)[number];

const wordTokenizer =
  (model: () => PunktModel): Tokenizer =>
  (text) => {
    const tokens: string[] = [];
    for (const { start, end } of splitSentences(text, model()))
      appendSentenceTokens(text, start, end, tokens);
    return tokens;
  };

/** Printable ASCII and the Latin-1 letters and signs; a line break or a tab is neither. */
const isPlainLatin = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit > 0xff || (unit > 0x7e && unit < 0xa0)) return false;
  }
  return true;
};

const hostedTokenizer =
  (nltk: Tokenizer): Tokenizer =>
  (text) =>
    isPlainLatin(text) ? nltk(text) : tokenizeInternational(text);

/**
 * NLTK's `word_tokenize` for English: Punkt's sentences, then the Treebank-style words of each.
 * Uses a built-in list of abbreviations in place of NLTK's trained sentence model, so a few texts with rare
 * abbreviations differ; `tokenizer('nltk', { punktData })` is exact.
 *
 * @param text  any text
 * @returns the tokens in order; double quotes come out as `` and \'\'
 * @see NLTK 3.9.1 `nltk.tokenize.word_tokenize`
 */
export const nltkWordTokenize: Tokenizer = wordTokenizer(builtInModel);

/**
 * The tokens that the hosted service's BLEU is seen to use (profile `hosted-2025`): NLTK's words when every
 * character lies in U+0020–007E or U+00A0–00FF, else the international split. A line break is outside, so
 * a text of several lines takes the second way.
 *
 * @param text  any text; candidate and reference are looked at independently
 */
export const tokenizeHosted: Tokenizer = hostedTokenizer(nltkWordTokenize);

const TOKENIZERS: Readonly<Record<TokenizerName, Tokenizer>> = {
  hosted: tokenizeHosted,
  nltk: nltkWordTokenize,
  whitespace: splitWhitespace,
  '13a': tokenize13a,
  intl: tokenizeInternational,
};

const trainedTokenizers = new Map<string, Tokenizer>();

/** One tokenizer for each folder, so its files are read once. */
const trainedTokenizer = (punktData: string): Tokenizer => {
  const known = trainedTokenizers.get(punktData);
  if (known !== undefined) return known;
  const model = readPunktModel(punktData);
  const created = wordTokenizer(() => model);
  trainedTokenizers.set(punktData, created);
  return created;
};

/**
 * The tokenizer of a name.
 *
 * @param name  `hosted` and `nltk` split sentences first; the others have no use for `punktData`
 * @param options  `punktData` is the folder of NLTK's trained sentence model: `punkt_tab/english`, its parent, or
 *   an NLTK data root. Read at once, and only the first time
 * @throws Error when a file of the model is missing, naming it and what to do
 */
export const tokenizer = (name: TokenizerName, options: { punktData?: string } = {}): Tokenizer => {
  const { punktData } = options;
  if (punktData === undefined) return TOKENIZERS[name];
  if (name === 'nltk') return trainedTokenizer(punktData);
  return name === 'hosted' ? hostedTokenizer(trainedTokenizer(punktData)) : TOKENIZERS[name];
};
