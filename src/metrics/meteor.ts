import { KEPT_LENGTH } from './ngrams.js';
import { porterStem } from './porter.js';
import { splitWhitespace, type Tokenizer } from './tokenize/index.js';
import { tokenizerOf, type TokenizerOption } from './tokenizer-option.js';
import { WordIndex } from './word-index.js';
import { synonyms } from './wordnet/index.js';
import { indexCandidateTokens, indexReferenceTokens } from './words.js';

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
  const isLong = candidate.length > KEPT_LENGTH || reference.length > KEPT_LENGTH;
  const aligner = isLong ? new Aligner() : keptAligner;
  aligner.readReference(reference, tokenize);
  return score(aligner, tokensInLowerCase(candidate, tokenize), options);
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
  options: MeteorTokenOptions = {},
): number => {
  const aligner = new Aligner();
  aligner.setReference(inLowerCase(referenceTokens));
  return score(aligner, inLowerCase(candidateTokens), options);
};

const score = (
  aligner: Aligner,
  candidateTokens: readonly string[],
  { alpha = 0.9, beta = 3, gamma = 0.5, synonyms: useSynonyms = true }: MeteorTokenOptions,
): number => {
  checkWeights(alpha, beta, gamma);
  aligner.align(candidateTokens, useSynonyms);
  const { matches, chunks } = aligner;
  if (matches === 0) return 0;
  const precision = matches / candidateTokens.length;
  const recall = matches / aligner.referenceLength;
  // NLTK's order of operations: another one changes the last digit.
  const fMean = (precision * recall) / (alpha * precision + (1 - alpha) * recall);
  const penalty = gamma * (chunks / matches) ** beta;
  return (1 - penalty) * fMean;
};

/** @throws RangeError  for weights that would lead out of [0, 1] */
const checkWeights = (alpha: number, beta: number, gamma: number): void => {
  if (!(alpha >= 0 && alpha <= 1)) throw new RangeError(`alpha ${alpha}, expected a number from 0 to 1`);
  if (!(beta >= 0)) throw new RangeError(`beta ${beta}, expected a number of 0 or more`);
  if (!(gamma >= 0 && gamma <= 1)) throw new RangeError(`gamma ${gamma}, expected a number from 0 to 1`);
};

const NONE = -1;

/**
 * Pairs the words of both texts in three stages, each over what the stages before have left: equal words in lower case, equal
 * stems, synonyms. The stages are greedy, as in NLTK: the paper asks for the alignment with the fewest crossings, and this need
 * not be that one.
 */
class Aligner {
  /** How many words are paired. */
  matches = 0;
  /** In how many runs of words that stand side by side in both texts. */
  chunks = 0;

  #text: string | undefined;
  #tokenize: Tokenizer | undefined;
  /** The reference's words in lower case. */
  #reference: readonly string[] = [];
  readonly #index = new WordIndex();
  /** By word of the reference: the place of its last free occurrence, or `NONE`. */
  #lastPlaces = new Int32Array(0);
  /** By place in the reference: the place of the same word before it, or `NONE`. */
  #placesBefore = new Int32Array(0);
  /** By place in the reference: the place of the partner in the candidate, or `NONE`. */
  #partnersOfReference = new Int32Array(0);
  /** By place in the candidate: the place of the partner in the reference, or `NONE`. */
  #partners = new Int32Array(0);

  get referenceLength(): number {
    return this.#reference.length;
  }

  /** Reads a reference, unless it is the one that was read last: samples of one item come one after the other. */
  readReference(text: string, tokenize: Tokenizer): void {
    if (text === this.#text && tokenize === this.#tokenize) return;
    this.#text = undefined;
    this.setReference(tokensInLowerCase(text, tokenize));
    this.#text = text;
    this.#tokenize = tokenize;
  }

  /** @param tokens  in lower case */
  setReference(tokens: readonly string[]): void {
    this.#reference = tokens;
    indexReferenceTokens(this.#index, tokens);
    if (tokens.length > this.#placesBefore.length) {
      this.#placesBefore = new Int32Array(2 * tokens.length);
      this.#lastPlaces = new Int32Array(2 * tokens.length);
      this.#partnersOfReference = new Int32Array(2 * tokens.length);
    }
  }

  /** @param candidate  tokens in lower case */
  align(candidate: readonly string[], useSynonyms: boolean): void {
    indexCandidateTokens(this.#index, candidate);
    if (candidate.length > this.#partners.length) this.#partners = new Int32Array(2 * candidate.length);
    this.#pairEqualWords();
    const free = freeStems(candidate, this.#partners);
    if (free.length > 0) {
      const reference = new FreeWords(freeStems(this.#reference, this.#partnersOfReference));
      pairEqualForms(free, reference);
      // The synonyms are those of the stem, not of the word: NLTK hands its stems on to this stage.
      if (useSynonyms && !reference.isEmpty) pairSynonyms(free, reference);
      for (const { place, partner } of free) if (partner !== undefined) this.#partners[place] = partner.place;
    }
    this.#countMatches();
  }

  /** From the end of the candidate, each word takes the last free equal word. */
  #pairEqualWords(): void {
    const { referenceIds, referenceLength, candidateIds, candidateLength, unknown } = this.#index;
    const lastPlaces = this.#lastPlaces;
    const placesBefore = this.#placesBefore;
    for (let word = 0; word < unknown; word++) lastPlaces[word] = NONE;
    for (let place = 0; place < referenceLength; place++) {
      this.#partnersOfReference[place] = NONE;
      const word = referenceIds[place];
      placesBefore[place] = lastPlaces[word];
      lastPlaces[word] = place;
    }
    for (let i = candidateLength - 1; i >= 0; i--) {
      const word = candidateIds[i];
      const place = word === unknown ? NONE : lastPlaces[word];
      this.#partners[i] = place;
      if (place === NONE) continue;
      this.#partnersOfReference[place] = i;
      lastPlaces[word] = placesBefore[place];
    }
  }

  #countMatches(): void {
    this.matches = 0;
    this.chunks = 0;
    let expected = NONE;
    for (let i = 0; i < this.#index.candidateLength; i++) {
      const partner = this.#partners[i];
      if (partner === NONE) {
        expected = NONE;
      } else {
        this.matches++;
        if (partner !== expected) this.chunks++;
        expected = partner + 1;
      }
    }
  }
}

const keptAligner = new Aligner();

/** The tokens of a text in lower case. The case must not be lost before other tokenizers have seen it. */
const tokensInLowerCase = (text: string, tokenize: Tokenizer): string[] =>
  tokenize === splitWhitespace ? splitWhitespace(text.toLowerCase()) : inLowerCase(tokenize(text));

const inLowerCase = (tokens: readonly string[]): string[] => tokens.map((token) => token.toLowerCase());

/** A word that has no equal one in the other text. */
interface Word {
  readonly place: number;
  /** Its stem. */
  readonly form: string;
  /** The word of the other text that it is paired with. */
  partner: Word | undefined;
  /** The free word of the same form before this one, as {@link FreeWords} chains them. */
  previous: Word | undefined;
}

/** The words without a partner, by their stems. */
const freeStems = (words: readonly string[], partners: Int32Array): Word[] => {
  const free: Word[] = [];
  for (let place = 0; place < words.length; place++) {
    if (partners[place] !== NONE) continue;
    free.push({ place, form: porterStem(words[place]), partner: undefined, previous: undefined });
  }
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
      if (word !== undefined && (last === undefined || word.place > last.place)) last = word;
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
const pairEqualForms = (candidate: readonly Word[], reference: FreeWords): void => {
  for (let index = candidate.length - 1; index >= 0 && !reference.isEmpty; index -= 1) {
    const word = candidate[index];
    const partner = reference.last(word.form);
    if (partner !== undefined) reference.pair(word, partner);
  }
};

/** From the end of the candidate, each word without a partner takes the last free word that is one of its synonyms. */
const pairSynonyms = (candidate: readonly Word[], reference: FreeWords): void => {
  // Words only ever leave the reference, so what a form finds at first holds all that it can find later.
  let formsFound: Map<string, string[]> | undefined;
  for (let index = candidate.length - 1; index >= 0 && !reference.isEmpty; index -= 1) {
    const word = candidate[index];
    if (word.partner !== undefined) continue;
    formsFound ??= new Map();
    let forms = formsFound.get(word.form);
    if (forms === undefined) {
      forms = reference.formsAmong(synonyms(word.form));
      formsFound.set(word.form, forms);
    }
    const partner = reference.lastOfAny(forms);
    if (partner !== undefined) reference.pair(word, partner);
  }
};
