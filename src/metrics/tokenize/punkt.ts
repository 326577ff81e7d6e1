import { lazyPattern } from '../lazily.js';
import { isSpace, trimmedEnd } from './python-text.js';
import { ORTHOGRAPHY, collocationKey, type PunktModel } from './punkt-model.js';
import { isNeverInWord, punktWords } from './punkt-words.js';

const NUMBER_TYPE = '##number##';
const numeric = lazyPattern(String.raw`^-?[.,]?\p{Nd}[\p{Nd},.-]*\.?$`, 'u');
const ELLIPSIS = /^\.\.+$/;
const initial = lazyPattern(String.raw`^(?!\p{Nd})[\p{L}\p{N}_]\.$`, 'u');
const startsUpper = lazyPattern(String.raw`^\p{Uppercase}`, 'u');
const startsLower = lazyPattern(String.raw`^\p{Lowercase}`, 'u');

/** A word's type: lower case, every number the same. */
const typeOf = (word: string): string => {
  const lower = word.toLowerCase();
  return numeric().test(lower) ? NUMBER_TYPE : lower;
};

const withoutPeriod = (type: string): string =>
  type.length > 1 && type.endsWith('.') ? type.slice(0, -1) : type;

/** What a word is by itself, before its neighbour is looked at. */
type Kind = 'break' | 'ellipsis' | 'abbreviation' | 'plain';

const isAbbreviation = (word: string, model: PunktModel): boolean => {
  const lower = word.slice(0, -1).toLowerCase();
  return model.abbreviations.has(lower) || model.abbreviations.has(lower.slice(lower.lastIndexOf('-') + 1));
};

const kindOf = (word: string, model: PunktModel): Kind => {
  if (word === '.' || word === '?' || word === '!') return 'break';
  if (ELLIPSIS.test(word)) return 'ellipsis';
  if (!word.endsWith('.') || word.endsWith('..')) return 'plain';
  return isAbbreviation(word, model) ? 'abbreviation' : 'break';
};

const PUNCTUATION: ReadonlySet<string> = new Set(';:,.!?');

type Starts = 'yes' | 'no' | 'unknown';

/** The orthographic heuristic: does the word's case say that it begins a sentence? */
const startsSentence = (word: string, type: string, model: PunktModel): Starts => {
  if (PUNCTUATION.has(word)) return 'no';
  const contexts = model.orthographicContexts.get(type) ?? 0;
  if (startsUpper().test(word)) {
    return (contexts & ORTHOGRAPHY.lower) !== 0 && (contexts & ORTHOGRAPHY.middleUpper) === 0
      ? 'yes'
      : 'unknown';
  }
  const neverBeginsLower =
    (contexts & ORTHOGRAPHY.upper) !== 0 || (contexts & ORTHOGRAPHY.beginningLower) === 0;
  return startsLower().test(word) && neverBeginsLower ? 'no' : 'unknown';
};

/** Whether a sentence ends behind `word`, given the word that follows. */
const breaksBetween = (word: string, next: string, model: PunktModel): boolean => {
  const kind = kindOf(word, model);
  if (!word.endsWith('.')) return kind === 'break';
  const type = withoutPeriod(typeOf(word));
  const nextType = kindOf(next, model) === 'break' ? withoutPeriod(typeOf(next)) : typeOf(next);
  if (model.collocations.has(collocationKey(type, nextType))) return false;

  const isInitial = initial().test(word);
  const starts = startsSentence(next, nextType, model);
  if ((kind === 'abbreviation' || kind === 'ellipsis') && !isInitial) {
    if (starts === 'yes') return true;
    if (startsUpper().test(next) && model.sentenceStarters.has(nextType)) return true;
  }
  if ((isInitial || type === NUMBER_TYPE) && starts === 'no') return false;
  if (isInitial && starts === 'unknown' && startsUpper().test(next)) {
    // "J. Bach": a name, unless the word is also seen in lower case.
    const contexts = model.orthographicContexts.get(nextType) ?? 0;
    if ((contexts & ORTHOGRAPHY.lower) === 0) return false;
  }
  return kind === 'break';
};

/** Whether the text around a candidate holds a sentence end, its last word left out. */
const holdsBreak = (context: string, model: PunktModel): boolean => {
  const words = punktWords(context);
  return words.some((word, i) => i + 1 < words.length && breaksBetween(word, words[i + 1], model));
};

/** A `.`, `?` or `!` followed by whitespace and a word, or by a mark that no word holds. */
interface Candidate {
  readonly index: number;
  /** Where the text that decides about it begins: behind the last whitespace before it. */
  readonly wordStart: number;
  /** Where the next word begins; -1 when a mark follows without a space. */
  readonly nextWord: number;
}

const isEndMark = (unit: number): boolean => unit === 46 || unit === 63 || unit === 33;

/** `string.whitespace`, which is ASCII only, unlike `\s`. */
const isAsciiSpace = (unit: number): boolean => unit === 32 || (unit >= 9 && unit <= 13);

const nextCandidateIndex = (text: string, from: number): number => {
  let i = from;
  while (i < text.length && !isEndMark(text.charCodeAt(i))) i++;
  return i;
};

const skipSpaces = (text: string, from: number): number => {
  let i = from;
  while (i < text.length && isSpace(text.charCodeAt(i))) i++;
  return i;
};

const endOfNonSpaces = (text: string, from: number): number => {
  let i = from;
  while (i < text.length && !isSpace(text.charCodeAt(i))) i++;
  return i;
};

/** Where the word before a candidate begins, looking back no further than the candidate before it. */
const wordStartBefore = (text: string, index: number, previous: Candidate | undefined): number => {
  const limit = previous?.index ?? 0;
  let i = index - 1;
  while (i > limit && !isAsciiSpace(text.charCodeAt(i))) i--;
  return i > limit ? i + 1 : (previous?.wordStart ?? 0);
};

/** All candidates; where several share a word (`really?!`), only the last of them. */
const findCandidates = (text: string): Candidate[] => {
  const candidates: Candidate[] = [];
  let previous: Candidate | undefined;
  for (
    let index = nextCandidateIndex(text, 0);
    index + 1 < text.length;
    index = nextCandidateIndex(text, index + 1)
  ) {
    const after = text.charCodeAt(index + 1);
    const nextWord = isSpace(after) ? skipSpaces(text, index + 1) : -1;
    if (nextWord < 0 ? !isNeverInWord(after) : nextWord === text.length) continue;
    const candidate = { index, wordStart: wordStartBefore(text, index, previous), nextWord };
    if (previous !== undefined && previous.index <= candidate.wordStart) candidates.push(previous);
    previous = candidate;
  }
  if (previous !== undefined) candidates.push(previous);
  return candidates;
};

const PLAIN_WORD = /^[A-Za-z]{2,}$/;

const endsSentence = (
  text: string,
  { index, wordStart, nextWord }: Candidate,
  model: PunktModel,
): boolean => {
  // A question or exclamation mark is a word of its own here, and always a break.
  if (text[index] !== '.') return true;
  const word = text.slice(wordStart, index);
  if (PLAIN_WORD.test(word)) {
    const type = word.toLowerCase();
    if (!model.abbreviations.has(type) && !model.collocationStarts.has(type)) return true;
  }
  const contextEnd = nextWord < 0 ? index + 2 : endOfNonSpaces(text, nextWord);
  return holdsBreak(text.slice(wordStart, contextEnd), model);
};

const CLOSING_MARKS = '"\')]}';

/**
 * End of the closing marks with which text[start, end) opens although they belong to the sentence before it;
 * `start` when there are none. They count only when a space, `--` or nothing follows.
 */
const endOfClosingMarks = (text: string, start: number, end: number): number => {
  let i = start;
  while (i < end && CLOSING_MARKS.includes(text[i])) i++;
  const closes = i === end || isSpace(text.charCodeAt(i)) || (i + 1 < end && text.startsWith('--', i));
  return closes ? i : start;
};

/** A stretch of a text, in UTF-16 units. */
export interface Sentence {
  readonly start: number;
  readonly end: number;
}

/** Sentences that end right behind their full stop, whatever closing marks follow it. */
const roughSentences = (text: string, model: PunktModel): Sentence[] => {
  const sentences: Sentence[] = [];
  let start = 0;
  for (const candidate of findCandidates(text)) {
    if (endsSentence(text, candidate, model)) {
      const end = candidate.index + 1;
      sentences.push({ start, end });
      start = candidate.nextWord < 0 ? end : candidate.nextWord;
    }
  }
  sentences.push({ start, end: trimmedEnd(text) });
  return sentences;
};

/**
 * Splits a text into sentences as NLTK's Punkt does, in time linear in the length of the text.
 *
 * @param text  any text
 * @param model  the trained model, or the built-in one
 * @returns start and end of every sentence, in order, in UTF-16 units; some may be empty. Whitespace between
 *   sentences belongs to none of them
 * @see Kiss and Strunk 2006, https://aclanthology.org/J06-4003
 */
export const splitSentences = (text: string, model: PunktModel): Sentence[] => {
  const rough = roughSentences(text, model);
  let { start } = rough[0];
  return rough.map(({ end }, i) => {
    const next = rough[i + 1];
    if (next === undefined) return { start, end };
    const closed = endOfClosingMarks(text, next.start, next.end);
    const sentence = { start, end: closed > next.start ? closed : end };
    start = closed > next.start ? Math.min(skipSpaces(text, closed), next.end) : next.start;
    return sentence;
  });
};
