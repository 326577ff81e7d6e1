import type { Feature } from './measured.js';

/** The features in the order in which reports have them. */
export const FEATURES: readonly Feature[] = ['characters', 'words', 'lines', 'digits', 'prompt_overlap'];

/** The cheap properties of one text, each a number. */
export type TextFeatures = Readonly<Record<Feature, number>>;

/**
 * Measures candidates one after the other. The words of the prompt are kept until another one comes, because samples of
 * an item follow each other.
 *
 * - `characters`: code points
 * - `words`: runs of anything but white space
 * - `lines`: line feeds, and the line behind the last one if it has text
 * - `digits`: share of the characters that are 0 to 9; 0 for an empty text
 * - `prompt_overlap`: share of the words with a letter or digit that the prompt has too, whatever the case and the
 *   punctuation; 0 for a text without such words, NaN without a prompt
 */
export class FeatureReader {
  private prompt: string | undefined;
  private readonly promptWords = new Set<number>();

  /** @param prompt  what the candidate answers; undefined where that is not known */
  read(candidate: string, prompt: string | undefined): TextFeatures {
    this.learn(prompt);
    let [named, shared] = [0, 0];
    const { words, characters, lines, digits } = scan(candidate, (hash) => {
      named += 1;
      if (this.promptWords.has(hash)) shared += 1;
    });
    return {
      characters,
      words,
      lines,
      digits: characters === 0 ? 0 : digits / characters,
      prompt_overlap: prompt === undefined ? NaN : named === 0 ? 0 : shared / named,
    };
  }

  private learn(prompt: string | undefined): void {
    if (prompt === this.prompt) return;
    this.prompt = prompt;
    this.promptWords.clear();
    scan(prompt ?? '', (hash) => this.promptWords.add(hash));
  }
}

interface Counts {
  readonly characters: number;
  readonly words: number;
  readonly lines: number;
  readonly digits: number;
}

/**
 * Goes over a text once, without making strings of its words.
 *
 * @param onWord  receives a hash of each word that has a letter or digit, of these alone and in lower case
 */
const scan = (text: string, onWord: (hash: number) => void): Counts => {
  let [characters, words, lines, digits, hash] = [0, 0, 0, 0, 0];
  let isInWord = false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (!isLowSurrogate(unit)) characters += 1;
    if (unit === LINE_FEED) lines += 1;
    if (isSpace(unit)) {
      if (hash !== 0) onWord(hash);
      hash = 0;
      isInWord = false;
      continue;
    }
    if (!isInWord) words += 1;
    isInWord = true;
    if (unit >= DIGIT_0 && unit <= DIGIT_9) digits += 1;
    if (isPunctuation(unit)) continue;
    // No word's hash is 0, which stands for none.
    hash = Math.imul(hash ^ lowerCase(unit), HASH_FACTOR) | 1;
  }
  if (hash !== 0) onWord(hash);
  const isOpen = text.length > 0 && text.charCodeAt(text.length - 1) !== LINE_FEED;
  return { characters, words, lines: lines + (isOpen ? 1 : 0), digits };
};

const LINE_FEED = 10;
const DIGIT_0 = 48;
const DIGIT_9 = 57;
const HASH_FACTOR = 0x9e3779b1;

const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/** White space of Unicode, and control characters. */
const isSpace = (unit: number): boolean =>
  unit <= 0x20 ||
  unit === 0xa0 ||
  unit === 0x3000 ||
  (unit >= 0x2000 && unit <= 0x200a) ||
  unit === 0x2028 ||
  unit === 0x2029;

/** Of ASCII, and the quotation marks and dashes of typographers. */
const isPunctuation = (unit: number): boolean =>
  unit < DIGIT_0 ||
  (unit > DIGIT_9 && unit < 65) ||
  (unit > 90 && unit < 97) ||
  (unit > 122 && unit < 128) ||
  (unit >= 0x2010 && unit <= 0x2027);

const lowerCase = (unit: number): number => (unit >= 65 && unit <= 90 ? unit | 0x20 : unit);
