import { codePointLength, isLatin1, unitsAreCodePoints } from './code-points.js';
import { partialRatio } from './fuzzy-partial.js';
import { indelDistance, ratio } from './fuzzy-ratio.js';
import { splitWhitespace } from './tokenize/python-text.js';

/** Python compares strings by code points, JavaScript by UTF-16 units: another order from U+E000 on. */
const byCodePoints = (a: string, b: string): number => {
  for (let unit = 0; unit < a.length && unit < b.length; unit++) {
    const difference = a.codePointAt(unit)! - b.codePointAt(unit)!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
};

/**
 * The words between white space. RapidFuzz's compiled package has a rule of its own for text in Latin-1, which Python keeps in
 * bytes: there, U+0085 and U+00A0 are no white space.
 */
const splitWords = (text: string): string[] =>
  isLatin1(text) ? (text.match(/[^\t-\r\x1c-\x20]+/g) ?? []) : splitWhitespace(text);

const sortedWords = (text: string): string[] =>
  splitWords(text).sort(unitsAreCodePoints(text) ? undefined : byCodePoints);

/** The distinct words of two texts, as RapidFuzz parts them; each text is words joined by single blanks. */
interface WordSets {
  readonly isEmpty: boolean;
  /** The words that both have, in order. */
  readonly shared: string;
  /** The words that only one of them has, in order. */
  readonly onlyA: string;
  readonly onlyB: string;
}

/** A list without the words that are equal to the one before. */
const distinct = (sorted: readonly string[]): string[] =>
  sorted.filter((word, index) => index === 0 || word !== sorted[index - 1]);

const wordSets = (sortedA: readonly string[], sortedB: readonly string[]): WordSets => {
  const b = new Set(sortedB);
  const shared: string[] = [];
  const onlyA: string[] = [];
  for (const word of distinct(sortedA)) (b.delete(word) ? shared : onlyA).push(word);
  return {
    isEmpty: sortedA.length === 0 || sortedB.length === 0,
    shared: shared.join(' '),
    onlyA: onlyA.join(' '),
    onlyB: [...b].join(' '),
  };
};

const percentOf = (distance: number, length: number): number =>
  length === 0 ? 100 : 100 - (100 * distance) / length;

/** The best of three: shared words against each text's set of words, and the two sets against each other. */
const setRatio = ({ shared, onlyA, onlyB }: WordSets): number => {
  // All words of one text are in the other.
  if (shared !== '' && (onlyA === '' || onlyB === '')) return 100;
  const lengthA = codePointLength(onlyA);
  const lengthB = codePointLength(onlyB);
  const sharedLength = codePointLength(shared);
  const blank = sharedLength > 0 ? 1 : 0;
  const sets = percentOf(indelDistance(onlyA, onlyB), 2 * (sharedLength + blank) + lengthA + lengthB);
  if (sharedLength === 0) return sets;
  return Math.max(
    sets,
    percentOf(blank + lengthA, 2 * sharedLength + blank + lengthA),
    percentOf(blank + lengthB, 2 * sharedLength + blank + lengthB),
  );
};

/**
 * {@link ratio} of the texts with their words in order: RapidFuzz 3.10 `fuzz.token_sort_ratio`, as a double.
 *
 * @returns percent, 0 to 100
 */
export const tokenSortRatio = (a: string, b: string): number =>
  ratio(sortedWords(a).join(' '), sortedWords(b).join(' '));

/**
 * How alike the sets of words are, 100 when one holds the other: RapidFuzz 3.10 `fuzz.token_set_ratio`, as a double.
 *
 * @returns percent, 0 to 100; 0 when either text has no words
 */
export const tokenSetRatio = (a: string, b: string): number => {
  const sets = wordSets(sortedWords(a), sortedWords(b));
  return sets.isEmpty ? 0 : setRatio(sets);
};

/**
 * The better of {@link tokenSortRatio} and {@link tokenSetRatio}: RapidFuzz 3.10 `fuzz.token_ratio`, as a double.
 *
 * @returns percent, 0 to 100
 */
export const tokenRatio = (a: string, b: string): number => {
  const wordsA = sortedWords(a);
  const wordsB = sortedWords(b);
  const sets = wordSets(wordsA, wordsB);
  const sorted = ratio(wordsA.join(' '), wordsB.join(' '));
  return sets.isEmpty ? sorted : Math.max(sorted, setRatio(sets));
};

/**
 * {@link partialRatio} of the texts with their words in order, or of the words that only one has, whichever is better; 100
 * when they share a word: RapidFuzz 3.10 `fuzz.partial_token_ratio`, as a double.
 *
 * @returns percent, 0 to 100
 */
export const partialTokenRatio = (a: string, b: string): number => {
  const wordsA = sortedWords(a);
  const wordsB = sortedWords(b);
  const { shared, onlyA, onlyB } = wordSets(wordsA, wordsB);
  if (shared !== '') return 100;
  const allA = wordsA.join(' ');
  const allB = wordsB.join(' ');
  const sorted = partialRatio(allA, allB);
  return allA === onlyA && allB === onlyB ? sorted : Math.max(sorted, partialRatio(onlyA, onlyB));
};
