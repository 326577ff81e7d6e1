import { readFileSync } from 'node:fs';

/** The parts of speech, in the order of the sections of the data file. */
export const PARTS_OF_SPEECH = ['noun', 'verb', 'adjective', 'adverb'] as const;

/** One of WordNet's four parts of speech. */
export type PartOfSpeech = (typeof PARTS_OF_SPEECH)[number];

/** The part of WordNet 3.0 that METEOR needs. Words are given in lower case; a phrase has underscores for its spaces. */
export interface Database {
  /** The lemma names of every synset the word is in, spelled as in WordNet (`Paris`); no synset when it is unknown. */
  synsets: (word: string, partOfSpeech: PartOfSpeech) => string[][];
  /** The base forms of an irregularly inflected word (`geese`); undefined for any other word. */
  exception: (word: string, partOfSpeech: PartOfSpeech) => string[] | undefined;
}

/**
 * Reads and indexes the data file; `build-index.mjs` tells its layout. The text stays text: only where each word stands is
 * put into a hash table, and a line is cut out when somebody asks for it, so that loading takes some 30 ms.
 */
export const readDatabase = (): Database => {
  // Loading this module takes longer than all the others here, and most programs never come to need it.
  const { brotliDecompressSync } = process.getBuiltinModule('node:zlib');
  const bytes = brotliDecompressSync(readFileSync(new URL('./wordnet-3.0.bin', import.meta.url)));
  const text = bytes.toString('latin1');
  const sections = sectionBounds(text);
  const index = indexWords(bytes);

  const findIn = (section: number, word: string) => {
    const { start, end } = sections[section];
    return findWord(index, word).filter((position) => position >= start && position < end);
  };
  return {
    synsets: (word, partOfSpeech) =>
      findIn(PARTS_OF_SPEECH.indexOf(partOfSpeech), word).map((position) =>
        lineAround(text, position).split(' '),
      ),
    exception(word, partOfSpeech) {
      const positions = findIn(PARTS_OF_SPEECH.length + PARTS_OF_SPEECH.indexOf(partOfSpeech), word);
      // The inflected form opens its line, the base forms follow.
      const start = positions.find((position) => text[position - 1] === '\n');
      return start === undefined ? undefined : lineAround(text, start).split(' ').slice(1);
    },
  };
};

const sectionBounds = (text: string): { start: number; end: number }[] => {
  let start = 0;
  return text.split('\n\n').map(({ length }) => {
    const bounds = { start, end: start + length };
    start = bounds.end + '\n\n'.length;
    return bounds;
  });
};

const lineAround = (text: string, position: number): string => {
  const end = text.indexOf('\n', position);
  return text.slice(text.lastIndexOf('\n', position) + 1, end === -1 ? text.length : end);
};

const SPACE = 32;
const HASH_BITS = 17;

/** A hash table with chains. Words are numbered from 1 in the order of the text; 0 ends a chain. */
interface WordIndex {
  readonly bytes: Uint8Array;
  /** By hash: the number of the last word with that hash. */
  readonly last: Uint32Array;
  /** By word number: the number of the previous word with the same hash. */
  readonly previous: Uint32Array;
  /** By word number: where the word starts. */
  readonly start: Uint32Array;
}

const indexWords = (bytes: Uint8Array): WordIndex => {
  // A word takes two bytes at least, with the separator; memory that is never written to costs nothing.
  const capacity = Math.ceil(bytes.length / 2) + 1;
  const last = new Uint32Array(2 ** HASH_BITS);
  const previous = new Uint32Array(capacity);
  const start = new Uint32Array(capacity);
  let count = 0;
  let wordStart = 0;
  let hash = 0;
  for (let position = 0; position <= bytes.length; position += 1) {
    const byte = position < bytes.length ? bytes[position] : SPACE;
    if (byte > SPACE) {
      hash = addToHash(hash, toLowerCase(byte));
      continue;
    }
    if (position > wordStart) {
      count += 1;
      const slot = hashSlot(hash);
      start[count] = wordStart;
      previous[count] = last[slot];
      last[slot] = count;
    }
    wordStart = position + 1;
    hash = 0;
  }
  return { bytes, last, previous, start };
};

/** Where the word starts, each time it occurs in any case. */
const findWord = ({ bytes, last, previous, start }: WordIndex, word: string): number[] => {
  let hash = 0;
  for (let index = 0; index < word.length; index += 1) hash = addToHash(hash, word.charCodeAt(index));
  const positions: number[] = [];
  for (let number = last[hashSlot(hash)]; number !== 0; number = previous[number]) {
    const position = start[number];
    if (isWordAt(bytes, position, word)) positions.push(position);
  }
  return positions;
};

const isWordAt = (bytes: Uint8Array, position: number, word: string): boolean => {
  for (let index = 0; index < word.length; index += 1) {
    const byte = bytes[position + index] ?? SPACE;
    if (byte <= SPACE || toLowerCase(byte) !== word.charCodeAt(index)) return false;
  }
  return (bytes[position + word.length] ?? SPACE) <= SPACE;
};

/** The data is ASCII. */
const toLowerCase = (byte: number): number => (byte >= 65 && byte <= 90 ? byte + 32 : byte);

const addToHash = (hash: number, character: number): number => (Math.imul(hash, 31) + character) | 0;

// The top bits, since in a product they depend on all letters; the low bits would depend on the last few.
const hashSlot = (hash: number): number => Math.imul(hash, 0x9e3779b1) >>> (32 - HASH_BITS);
