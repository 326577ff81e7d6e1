import { porterStem } from './porter.js';
import { tokenizerOf, type TokenizerOption } from './tokenizer-option.js';
import { synonyms } from './wordnet/index.js';

/** The parameters of METEOR, and what counts as a match. */
export interface MeteorTokenOptions {
  /** Weight of precision against recall in the harmonic mean, in [0, 1]; default 0.9, which makes recall count most. */
  readonly alpha?: number;
  /** How steeply the penalty falls as the matches gather in fewer chunks; default 3, above 0. */
  readonly beta?: number;
  /** The largest penalty for word order, in [0, 1]; default 0.5. */
  readonly gamma?: number;
  /** Whether words also match their WordNet synonyms; default true. Without, WordNet is not loaded. */
  readonly synonyms?: boolean;
}

/** How {@link meteor} splits and compares the texts. */
export interface MeteorOptions extends MeteorTokenOptions {
  /** Default `hosted`. */
  readonly tokenizer?: TokenizerOption;
}

/**
 * METEOR: a recall-weighted harmonic mean of matched words, less a penalty for words in another order. Words match if they
 * are equal in lower case, have the same Porter stem, or are WordNet synonyms.
 *
 * Not symmetric, and identical texts of n words score 1 - gamma / n^beta: .5 for a single word, .992 for four.
 *
 * @param candidate  model output, raw text
 * @param reference  expected output, raw text
 * @param options    the tokenizer, the weights, whether synonyms match
 * @returns score in [0, 1]; 0 when no word matches or a text is empty
 * @see Lavie and Agarwal 2007, https://www.cs.cmu.edu/~alavie/METEOR/pdf/Lavie-Agarwal-2007-METEOR.pdf
 */
export const meteor = (
  candidate: string,
  reference: string,
  { tokenizer = 'hosted', ...options }: MeteorOptions = {},
): number => {
  const tokenize = tokenizerOf(tokenizer);
  return meteorOfTokens(tokenize(candidate), tokenize(reference), options);
};

/**
 * METEOR of texts that are already split, as NLTK 3.9 `meteor_score([reference], candidate)`.
 *
 * @param candidateTokens  words of the model output, in any case
 * @param referenceTokens  words of the expected output, in any case
 * @returns score in [0, 1]; 0 when no word matches or a list is empty
 */
export const meteorOfTokens = (
  candidateTokens: readonly string[],
  referenceTokens: readonly string[],
  { alpha = 0.9, beta = 3, gamma = 0.5, synonyms: useSynonyms = true }: MeteorTokenOptions = {},
): number => {
  const { matches, chunks } = countMatches(align(candidateTokens, referenceTokens, useSynonyms));
  if (matches === 0) return 0;
  const precision = matches / candidateTokens.length;
  const recall = matches / referenceTokens.length;
  // NLTK's order of operations: another one changes the last digit.
  const fMean = (precision * recall) / (alpha * precision + (1 - alpha) * recall);
  const penalty = gamma * (chunks / matches) ** beta;
  return (1 - penalty) * fMean;
};

/** A word of one text, and its partner in the other one. */
interface Word {
  readonly position: number;
  /** The lower-case token, from the second stage on its stem. */
  form: string;
  partner: Word | undefined;
  /** The free word of the same form before this one, as {@link FreeWords} chains them. */
  previous: Word | undefined;
}

/**
 * Pairs the words of both texts in three stages, each over what the stages before have left. The stages are greedy, as in
 * NLTK: the paper asks for the alignment with the fewest crossings, and this need not be that one.
 *
 * @returns the words of the candidate
 */
const align = (
  candidateTokens: readonly string[],
  referenceTokens: readonly string[],
  useSynonyms: boolean,
): Word[] => {
  const words = toWords(candidateTokens);
  const referenceWords = toWords(referenceTokens);
  matchEqualForms(words, new FreeWords(referenceWords));

  const candidateStems = stemFreeWords(words);
  const referenceStems = new FreeWords(stemFreeWords(referenceWords));
  matchEqualForms(candidateStems, referenceStems);
  // The synonyms are those of the stem, not of the word: NLTK hands its stems on to this stage.
  if (useSynonyms) matchSynonyms(candidateStems, referenceStems);
  return words;
};

const toWords = (tokens: readonly string[]): Word[] =>
  tokens.map((token, position) => ({
    position,
    form: token.toLowerCase(),
    partner: undefined,
    previous: undefined,
  }));

/** From here on these words are known by their stems. */
const stemFreeWords = (words: readonly Word[]): Word[] => {
  const free = words.filter(({ partner }) => partner === undefined);
  for (const word of free) word.form = porterStem(word.form);
  return free;
};

/** The words of the reference without a partner, found by form. Taking one costs the same however long the text is. */
class FreeWords {
  /** By form: the last free word, which leads to those before it. No entry when none is left. */
  readonly #last = new Map<string, Word>();

  constructor(words: readonly Word[]) {
    for (const word of words) {
      word.previous = this.#last.get(word.form);
      this.#last.set(word.form, word);
    }
  }

  get isEmpty(): boolean {
    return this.#last.size === 0;
  }

  last(form: string): Word | undefined {
    return this.#last.get(form);
  }

  pair(candidateWord: Word, referenceWord: Word): void {
    candidateWord.partner = referenceWord;
    referenceWord.partner = candidateWord;
    if (referenceWord.previous === undefined) this.#last.delete(referenceWord.form);
    else this.#last.set(referenceWord.form, referenceWord.previous);
  }

  /** The last free word that has one of the forms. */
  lastOfAny(forms: readonly string[]): Word | undefined {
    let last: Word | undefined;
    for (const form of forms) {
      const word = this.#last.get(form);
      if (word !== undefined && (last === undefined || word.position > last.position)) last = word;
    }
    return last;
  }

  /** The forms of the set that a free word has; walks through the smaller side. */
  formsAmong(forms: ReadonlySet<string>): string[] {
    const found: string[] = [];
    if (forms.size < this.#last.size) {
      for (const form of forms) if (this.#last.has(form)) found.push(form);
    } else {
      for (const form of this.#last.keys()) if (forms.has(form)) found.push(form);
    }
    return found;
  }
}

/** From the end of the candidate, each word takes the last free word of its form. */
const matchEqualForms = (candidate: readonly Word[], reference: FreeWords): void => {
  for (let index = candidate.length - 1; index >= 0 && !reference.isEmpty; index -= 1) {
    const word = candidate[index];
    const partner = reference.last(word.form);
    if (partner !== undefined) reference.pair(word, partner);
  }
};

/** From the end of the candidate, each word without a partner takes the last free word that is one of its synonyms. */
const matchSynonyms = (candidate: readonly Word[], reference: FreeWords): void => {
  // Words only ever leave the reference, so what a form finds at first holds all that it can find later.
  const formsFound = new Map<string, string[]>();
  for (let index = candidate.length - 1; index >= 0 && !reference.isEmpty; index -= 1) {
    const word = candidate[index];
    if (word.partner !== undefined) continue;
    let forms = formsFound.get(word.form);
    if (forms === undefined) {
      forms = reference.formsAmong(synonyms(word.form));
      formsFound.set(word.form, forms);
    }
    const partner = reference.lastOfAny(forms);
    if (partner !== undefined) reference.pair(word, partner);
  }
};

/** A chunk is a run of words that stand side by side in both texts. */
const countMatches = (candidate: readonly Word[]): { matches: number; chunks: number } => {
  let matches = 0;
  let chunks = 0;
  let expected = -1;
  for (const { partner } of candidate) {
    if (partner === undefined) {
      expected = -1;
      continue;
    }
    matches += 1;
    if (partner.position !== expected) chunks += 1;
    expected = partner.position + 1;
  }
  return { matches, chunks };
};
