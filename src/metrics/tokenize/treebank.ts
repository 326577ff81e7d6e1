import { DECIMAL, SPACE, WORD, classesOf, isSpace } from './python-text.js';
import { CLOSERS, anyCase, applyTreebankRules } from './treebank-rules.js';

// What the scanner does at a character.
const ORDINARY = 0;
const WORD_CHARACTER = 1;
const BLANK = 2;
/** Always a token of its own. */
const SINGLE = 3;
/** Comma and colon: a token unless a digit follows. */
const SEPARATOR = 4;
const PERIOD = 5;
const HYPHEN = 6;
const DOUBLE_QUOTE = 7;
const APOSTROPHE = 8;
const BACKTICK = 9;
/** Rare enough to leave the sentence to the rules. */
const GIVE_UP = 10;

const ACTIONS_OF_CHARACTERS: readonly (readonly [characters: string, action: number])[] = [
  [';@#$%&?!*()[]{}<>', SINGLE],
  [',:', SEPARATOR],
  ['.', PERIOD],
  ['-', HYPHEN],
  ['"', DOUBLE_QUOTE],
  ["'", APOSTROPHE],
  ['`', BACKTICK],
];

const actionOfClasses = (classes: number): number => {
  if ((classes & SPACE) !== 0) return BLANK;
  return (classes & WORD) !== 0 ? WORD_CHARACTER : ORDINARY;
};

const ASCII_ACTIONS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  const listed = ACTIONS_OF_CHARACTERS.find(([characters]) => characters.includes(character));
  if (listed !== undefined) return listed[1];
  if (isSpace(code)) return BLANK;
  return /\w/.test(character) ? WORD_CHARACTER : ORDINARY;
});

const CURLY_QUOTES = '«»“”‘’„';

const actionBeyondAscii = (text: string, i: number): number => {
  const codePoint = text.codePointAt(i)!;
  const action = actionOfClasses(classesOf(codePoint));
  if (codePoint > 0xffff) return action === WORD_CHARACTER ? GIVE_UP : ORDINARY;
  return action === ORDINARY && CURLY_QUOTES.includes(text[i]) ? SINGLE : action;
};

const actionAt = (text: string, i: number): number => {
  const unit = text.charCodeAt(i);
  return unit < 128 ? ASCII_ACTIONS[unit] : actionBeyondAscii(text, i);
};

/** A double quote after one of these opens; the rules put a space behind the backtick and the curly quotes. */
const BEFORE_OPENING_QUOTE = ' ([{<`«“‘„';

const isOpeningQuote = (text: string, i: number, start: number): boolean =>
  i === start || BEFORE_OPENING_QUOTE.includes(text[i - 1]) || (i === start + 1 && text[start] === '"');

/** Index of the full stop that ends the sentence and is split from its word, or -1. */
const findFinalPeriod = (text: string, start: number, end: number): number => {
  let i = end - 1;
  while (i > start && isSpace(text.charCodeAt(i))) i--;
  while (i > start && CLOSERS.includes(text[i])) {
    if (text[i] === '"' && isOpeningQuote(text, i, start)) return -1;
    i--;
  }
  return i > start && text[i] === '.' && text[i - 1] !== '.' ? i : -1;
};

const startsNumber = (text: string, i: number): boolean => (classesOf(text.charCodeAt(i)) & DECIMAL) !== 0;

/** Words that are two tokens. `wanna` is one or two, depending on what follows: that is left to the rules. */
const CONTRACTED_WORDS = ['cannot', 'gimme', 'gonna', 'gotta', 'lemme'].map(anyCase).join('|');
const CONTRACTED = new RegExp(`^(?:${CONTRACTED_WORDS})$`);
const WANNA = new RegExp(`^${anyCase('wanna')}$`);
const ENDS_CONTRACTED = new RegExp(`(?:${CONTRACTED_WORDS}|${anyCase('wanna')})$`);

const mayBeContracted = (text: string, start: number, length: number): boolean =>
  (length === 5 || length === 6) && 'cglwCGLW'.includes(text[start]);

/**
 * Whether an apostrophe is more than a mark inside or around one word: a doubled one, `'n'`, `d'ye`, `'tis`,
 * a quoted single letter. Such sentences are left to the rules.
 */
const isOddApostrophe = (text: string, i: number, end: number, startsToken: boolean): boolean => {
  if (i + 1 >= end) return false;
  const next = text[i + 1];
  if ("'nNyY".includes(next) || (startsToken && 'tT'.includes(next))) return true;
  if (actionAt(text, i + 1) !== WORD_CHARACTER) return false;
  const singleLetter = i + 2 >= end || actionAt(text, i + 2) !== WORD_CHARACTER;
  return singleLetter && !'mtsdMTSD'.includes(next);
};

/** What can follow the apostrophe of a split-off ending: nothing, `'s`, `'m`, `'d`, or the longer ones in one case. */
const CLITIC = /^(?:[sSmMdD]?|ll|LL|re|RE|ve|VE)$/;

/**
 * Where the token text[start, end) is split before a clitic, given its last apostrophe; `end` when it is not.
 * A clitic needs a character before it that is no apostrophe.
 */
const cliticStart = (text: string, start: number, end: number, apostrophe: number): number => {
  if (apostrophe <= start || end - apostrophe > 3) return end;
  const after = text.slice(apostrophe + 1, end);
  if (CLITIC.test(after)) return apostrophe;
  const isNegation =
    (after === 't' && text[apostrophe - 1] === 'n') || (after === 'T' && text[apostrophe - 1] === 'N');
  return isNegation && apostrophe - 1 > start && text[apostrophe - 2] !== "'" ? apostrophe - 1 : end;
};

/**
 * Reads a sentence once, from left to right, and finds the tokens that the substitutions of
 * `applyTreebankRules` would find. What it cannot decide on the way makes it give up.
 */
class SentenceScanner {
  private i: number;
  /** The open token is text[tokenStart, i); its last apostrophe, if it has one, lies at or behind tokenStart. */
  private tokenStart: number;
  private apostrophe = -1;
  private gaveUp = false;
  private readonly finalPeriod: number;

  constructor(
    private readonly text: string,
    private readonly start: number,
    private readonly end: number,
    private readonly tokens: string[],
  ) {
    this.i = start;
    this.tokenStart = start;
    this.finalPeriod = findFinalPeriod(text, start, end);
  }

  /** Appends the tokens; after false, those appended so far are of no use. */
  scan(): boolean {
    const { text, end } = this;
    while (this.i < end && !this.gaveUp) {
      const action = actionAt(text, this.i);
      if (action === WORD_CHARACTER) this.readWord();
      else if (action === ORDINARY) this.i++;
      else this.readMark(action);
    }
    this.closeToken();
    return !this.gaveUp;
  }

  private readWord(): void {
    const { text, end } = this;
    const wordStart = this.i;
    let i = wordStart + 1;
    while (i < end && actionAt(text, i) === WORD_CHARACTER) i++;
    this.i = i;
    if (mayBeContracted(text, wordStart, i - wordStart)) this.splitContracted(wordStart);
  }

  /** `cannot` is `can` and `not`, also inside a longer token: `can`, `not`, `-do`. */
  private splitContracted(wordStart: number): void {
    const { text, tokens, tokenStart, i } = this;
    const word = text.slice(wordStart, i);
    if (WANNA.test(word)) this.gaveUp = true;
    if (!CONTRACTED.test(word)) return;
    if (this.apostrophe >= tokenStart || text[i] === "'") this.gaveUp = true;
    if (wordStart > tokenStart) tokens.push(text.slice(tokenStart, wordStart));
    tokens.push(word.slice(0, 3), word.slice(3));
    this.tokenStart = i;
  }

  private readMark(action: number): void {
    const { text, i } = this;
    switch (action) {
      case BLANK:
        return this.separate('', 1);
      case SINGLE:
        return this.separate(text[i], 1);
      case SEPARATOR:
        return this.readSeparator();
      case PERIOD:
        return this.readPeriods();
      case HYPHEN:
        if (text[i + 1] === '-' && i + 1 < this.end) return this.separate('--', 2);
        this.i++;
        return;
      case DOUBLE_QUOTE:
        return this.separate(isOpeningQuote(text, i, this.start) ? '``' : "''", 1);
      case BACKTICK:
        if (text[i + 1] === '`' && i + 1 < this.end) return this.separate('``', 2);
        return this.separate('`', 1);
      case APOSTROPHE:
        return this.readApostrophe();
      default:
        this.gaveUp = true;
    }
  }

  /** The rule takes the character behind a comma along, so a second comma sticks to what follows it. */
  private readSeparator(): void {
    const { text, end, i } = this;
    const next = i + 1;
    if (next < end && startsNumber(text, next)) {
      this.i++;
      return;
    }
    this.separate(text[i], 1);
    if (next < end && actionAt(text, next) === SEPARATOR) this.i++;
  }

  private readPeriods(): void {
    const { text, end, i } = this;
    let runEnd = i + 1;
    while (runEnd < end && text[runEnd] === '.') runEnd++;
    if (runEnd - i > 1 || i === this.finalPeriod) this.separate(text.slice(i, runEnd), runEnd - i);
    else this.i++;
  }

  private readApostrophe(): void {
    const { text, end, i, tokenStart, apostrophe } = this;
    // Two in a token are quotes around a word, or a quote before a contraction; more are not decided here.
    const isInnerQuote = apostrophe > tokenStart;
    if (isInnerQuote || isOddApostrophe(text, i, end, i === tokenStart)) this.gaveUp = true;
    this.apostrophe = i;
    this.i++;
  }

  /** Closes the open token and makes `length` units a token of their own; an empty `token` only separates. */
  private separate(token: string, length: number): void {
    this.closeToken();
    if (token !== '') this.tokens.push(token);
    this.i += length;
    this.tokenStart = this.i;
  }

  private closeToken(): void {
    const { text, tokens, tokenStart, apostrophe, i } = this;
    if (i === tokenStart) return;
    const split = apostrophe < tokenStart ? i : cliticStart(text, tokenStart, i, apostrophe);
    tokens.push(text.slice(tokenStart, split));
    if (split === i) return;
    tokens.push(text.slice(split, i));
    // Without its n't the word may be one of the two-token ones.
    if (split !== apostrophe && ENDS_CONTRACTED.test(text.slice(tokenStart, split))) this.gaveUp = true;
  }
}

/**
 * Appends the tokens of the sentence text[start, end) if one pass can tell them.
 *
 * @returns false when it cannot; then nothing is appended, and `applyTreebankRules` has to be asked
 */
export const scanSentence = (text: string, start: number, end: number, tokens: string[]): boolean => {
  const countBefore = tokens.length;
  const isDecided = new SentenceScanner(text, start, end, tokens).scan();
  if (!isDecided) tokens.length = countBefore;
  return isDecided;
};

/**
 * Appends the tokens of the sentence text[start, end) as NLTK's `NLTKWordTokenizer` finds them. Double quotes
 * become `` and '', a full stop is split off only at the end of the sentence, clitics (`n't`, `'s`) and the
 * two parts of `cannot`, `gimme`, `gonna`, `gotta`, `lemme`, `wanna` are tokens.
 */
export const appendSentenceTokens = (text: string, start: number, end: number, tokens: string[]): void => {
  if (scanSentence(text, start, end, tokens)) return;
  for (const token of applyTreebankRules(text.slice(start, end))) tokens.push(token);
};
