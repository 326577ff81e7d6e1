import type { Tokenizer } from './tokenize/index.js';

/** 31, not 32: the carry of an addition is then the sign bit of an int32. */
const WORD_BITS = 31;
const WORD_MASK = 0x7fff_ffff;

/** What a summary-level ROUGE-L is made of. */
export interface SummaryMatches {
  readonly matches: number;
  readonly candidateWords: number;
  readonly referenceWords: number;
}

/**
 * The matches of `rougeLsum`: each line of the reference has a longest common subsequence with each line of the candidate,
 * and a word of it matches if it is in any of these. A word matches in all at most as often as it is in either text.
 *
 * Which of several longest subsequences is taken changes the number; it is the one that rouge-score takes.
 * Equals rouge-score 0.1.2 `_summary_level_lcs`.
 *
 * @see Lin 2004, https://aclanthology.org/W04-1013, section 3.2
 */
export const summaryMatches = (candidate: string, reference: string, tokenize: Tokenizer): SummaryMatches => {
  const ids = new Map<string, number>();
  const candidateLines = linesOfIds(candidate, tokenize, ids);
  const referenceLines = linesOfIds(reference, tokenize, ids);
  const candidateLeft = countWords(candidateLines, ids.size);
  const referenceLeft = countWords(referenceLines, ids.size);
  let matches = 0;
  for (const line of referenceLines) {
    const isMatched = unionOfSubsequences(line, candidateLines);
    for (const [i, word] of line.entries()) {
      if (isMatched[i] === 0 || candidateLeft[word] === 0 || referenceLeft[word] === 0) continue;
      matches++;
      candidateLeft[word]--;
      referenceLeft[word]--;
    }
  }
  return { matches, candidateWords: wordCount(candidateLines), referenceWords: wordCount(referenceLines) };
};

const linesOfIds = (text: string, tokenize: Tokenizer, ids: Map<string, number>): Int32Array[] =>
  text.split('\n').map((line) =>
    Int32Array.from(tokenize(line), (word) => {
      const id = ids.get(word) ?? ids.size;
      ids.set(word, id);
      return id;
    }),
  );

const countWords = (lines: readonly Int32Array[], distinct: number): Int32Array => {
  const counts = new Int32Array(distinct);
  for (const line of lines) for (const word of line) counts[word]++;
  return counts;
};

const wordCount = (lines: readonly Int32Array[]): number =>
  lines.reduce((total, { length }) => total + length, 0);

/** By place in the line: 1 if the word there is in the longest common subsequence with any of the other lines. */
const unionOfSubsequences = (line: Int32Array, others: readonly Int32Array[]): Uint8Array => {
  const isMatched = new Uint8Array(line.length);
  const masks = placesOfWords(line);
  for (const other of others) markSubsequence(line, other, stepsOf(line, other, masks), isMatched);
  return isMatched;
};

/** By word: the places at which the line has it, as bits. */
const placesOfWords = (line: Int32Array): Map<number, Int32Array> => {
  const masks = new Map<number, Int32Array>();
  for (const [i, word] of line.entries()) {
    let mask = masks.get(word);
    if (mask === undefined) {
      mask = new Int32Array(Math.ceil(line.length / WORD_BITS));
      masks.set(word, mask);
    }
    mask[Math.floor(i / WORD_BITS)] |= 1 << (i % WORD_BITS);
  }
  return masks;
};

/**
 * The table of the dynamic programme, as `lcs.ts` computes it, with all of its columns kept: bit i of column j is 0 where
 * the length for line[0..i] and other[0..j] is one more than that for line[0..i-1].
 */
const stepsOf = (line: Int32Array, other: Int32Array, masks: ReadonlyMap<number, Int32Array>): Int32Array => {
  const words = Math.ceil(line.length / WORD_BITS);
  const steps = new Int32Array(words * other.length);
  const column = new Int32Array(words).fill(WORD_MASK);
  for (let j = 0; j < other.length; j++) {
    const mask = masks.get(other[j]);
    if (mask !== undefined) advance(column, mask);
    steps.set(column, j * words);
  }
  return steps;
};

const advance = (column: Int32Array, mask: Int32Array): void => {
  let carry = 0;
  for (let w = 0; w < column.length; w++) {
    const hits = column[w] & mask[w];
    const sum = (column[w] + hits + carry) | 0;
    column[w] = (sum | (column[w] - hits)) & WORD_MASK;
    carry = sum >>> WORD_BITS;
  }
};

/** Walks back from the end: over equal words diagonally, else to where the table is larger, and up the line if it is nowhere. */
const markSubsequence = (
  line: Int32Array,
  other: Int32Array,
  steps: Int32Array,
  isMatched: Uint8Array,
): void => {
  const words = Math.ceil(line.length / WORD_BITS);
  let i = line.length - 1;
  let j = other.length - 1;
  while (i >= 0 && j >= 0) {
    if (line[i] === other[j]) {
      isMatched[i] = 1;
      i--;
      j--;
    } else if ((steps[j * words + Math.floor(i / WORD_BITS)] & (1 << (i % WORD_BITS))) === 0) {
      j--;
    } else {
      i--;
    }
  }
};
