/**
 * The length of the longest common subsequence, bit-parallel: 31 cells of the dynamic-programming table in one step.
 *
 * One text is the pattern; bit i of the state V belongs to its symbol i and is 0 where the current row of the table
 * steps up by one, so the zeros after the last row are the length. With M, the positions where the pattern has the
 * row's symbol, a row is
 *
 *     u = V & M;  V' = (V + u) | (V - u)
 *
 * For a pattern longer than a word the addition carries over. The usual way walks all words for each row of the text;
 * here the loops are turned round: a stripe of two words stays in two local variables while the whole text passes by,
 * and each row keeps the one carry bit that goes from stripe to stripe. So the masks in use are those of one stripe:
 * they fit the nearest cache, and 20,000 distinct symbols cost no more memory than their number.
 *
 * @see Crochemore et al. 2001, "A fast and practical bit-vector algorithm for the longest common subsequence problem"
 * @see Hyyrö 2004, "Bit-parallel LCS-length computation revisited"
 */

import { CODE_POINTS, unitsAreCodePoints, writeCodePoints } from './code-points.js';
import { scratch } from './scratch.js';

/** 31, not 32: the carry of an addition is then the sign bit of an int32 and needs no comparison. */
const WORD_BITS = 31;
const WORD_MASK = 0x7fff_ffff;
const STRIPE_BITS = 2 * WORD_BITS;

/**
 * What the running call notes about each symbol; all 0 between calls. Of these 4.4 MB of address space
 * only the pages of symbols really met are ever touched.
 */
const notes = new Int32Array(CODE_POINTS);

const symbolsOfA = scratch();
const symbolsOfB = scratch();
const slotsOfPattern = scratch();
const slotsOfRows = scratch();
const carriesOfRows = scratch();
/** All 0 between calls. */
const masksOfSlots = scratch();

/** The length of the longest common subsequence of two texts, in code points. */
export const lcsLengthOfTexts = (a: string, b: string): number => {
  const shorter = a.length <= b.length ? a : b;
  const longer = a.length <= b.length ? b : a;
  if (shorter.length <= WORD_BITS && unitsAreCodePoints(shorter) && unitsAreCodePoints(longer)) {
    return lcsLengthInOneWord(shorter, longer);
  }
  const aSymbols = symbolsOfA(a.length);
  const bSymbols = symbolsOfB(b.length);
  return lcsLength(aSymbols, writeCodePoints(a, aSymbols), bSymbols, writeCodePoints(b, bSymbols));
};

/** For short answers, without any array. The pattern has at most 31 units. */
const lcsLengthInOneWord = (pattern: string, text: string): number => {
  for (let i = 0; i < pattern.length; i++) notes[pattern.charCodeAt(i)] |= 1 << i;
  let state = WORD_MASK;
  for (let row = 0; row < text.length; row++) {
    const hits = state & notes[text.charCodeAt(row)];
    state = ((state + hits) | (state - hits)) & WORD_MASK;
  }
  for (let i = 0; i < pattern.length; i++) notes[pattern.charCodeAt(i)] = 0;
  return zeros(state);
};

/**
 * The length of the longest common subsequence of two lists of symbols: code points, token ids.
 *
 * @param a  holds `aLength` symbols, maybe followed by something else
 * @param b  holds `bLength` symbols, likewise
 * @param alphabetSize  every symbol is at least 0 and below this
 */
export const lcsLength = (
  a: Int32Array,
  aLength: number,
  b: Int32Array,
  bLength: number,
  alphabetSize = CODE_POINTS,
): number => {
  // The pattern is the shorter one.
  if (aLength > bLength) return lcsLength(b, bLength, a, aLength, alphabetSize);
  // What both begin and end with belongs to some longest common subsequence.
  let start = 0;
  while (start < aLength && a[start] === b[start]) start++;
  let patternEnd = aLength;
  let textEnd = bLength;
  while (patternEnd > start && a[patternEnd - 1] === b[textEnd - 1]) {
    patternEnd--;
    textEnd--;
  }
  const common = start + (aLength - patternEnd);
  if (patternEnd === start) return common;

  // Each distinct symbol of the pattern gets a slot of two words in the mask table; slot 0 is for none.
  const slots = alphabetSize <= notes.length ? notes : new Int32Array(alphabetSize);
  const pattern = slotsOfPattern(patternEnd - start);
  let slotsEnd = 2;
  for (let i = start; i < patternEnd; i++) {
    const symbol = a[i];
    if (slots[symbol] === 0) {
      slots[symbol] = slotsEnd;
      slotsEnd += 2;
    }
    pattern[i - start] = slots[symbol];
  }
  // A row whose symbol the pattern lacks changes nothing, so only the others are kept.
  const rows = slotsOfRows(textEnd - start);
  let rowCount = 0;
  for (let i = start; i < textEnd; i++) {
    const slot = slots[b[i]];
    if (slot !== 0) rows[rowCount++] = slot;
  }
  for (let i = start; i < patternEnd; i++) slots[a[i]] = 0;
  return common + lcsLengthInStripes(pattern, patternEnd - start, rows, rowCount, slotsEnd);
};

const lcsLengthInStripes = (
  pattern: Int32Array,
  patternLength: number,
  rows: Int32Array,
  rowCount: number,
  slotsEnd: number,
): number => {
  const masks = masksOfSlots(slotsEnd);
  const carries = carriesOfRows(rowCount);
  carries.fill(0, 0, rowCount);
  let length = 0;
  for (let start = 0; start < patternLength; start += STRIPE_BITS) {
    const middle = Math.min(start + WORD_BITS, patternLength);
    const end = Math.min(start + STRIPE_BITS, patternLength);
    for (let i = start; i < middle; i++) masks[pattern[i]] |= 1 << (i - start);
    for (let i = middle; i < end; i++) masks[pattern[i] + 1] |= 1 << (i - middle);

    let low = WORD_MASK;
    let high = WORD_MASK;
    for (let row = 0; row < rowCount; row++) {
      const slot = rows[row];
      const lowHits = low & masks[slot];
      const lowSum = (low + lowHits + carries[row]) | 0;
      low = (lowSum | (low - lowHits)) & WORD_MASK;
      const highHits = high & masks[slot + 1];
      const highSum = (high + highHits + (lowSum >>> WORD_BITS)) | 0;
      high = (highSum | (high - highHits)) & WORD_MASK;
      carries[row] = highSum >>> WORD_BITS;
    }
    length += zeros(low) + zeros(high);

    for (let i = start; i < end; i++) {
      masks[pattern[i]] = 0;
      masks[pattern[i] + 1] = 0;
    }
  }
  return length;
};

/** How many of the 31 bits are 0. */
const zeros = (word: number): number => {
  let bits = ~word & WORD_MASK;
  bits -= (bits >>> 1) & 0x5555_5555;
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
};
