/**
 * The length of the longest common subsequence. Short ones are counted here, 31 cells of the dynamic-programming table in
 * one step; longer ones in a WebAssembly kernel, `kernels/assembly/lcs.ts`, which says how the bits work.
 */

import { compileKernel } from '../kernels/kernel.js';
import { WASM } from '../kernels/lcs.wasm.js';
import { CODE_POINTS, isLatin1, unitsAreCodePoints, writeCodePoints } from './code-points.js';
import { scratch } from './scratch.js';

/** 31, not 32: the borrow of a subtraction is then the sign bit of an int32. A longer pattern goes to the kernel. */
const WORD_BITS = 31;
/** The kernel keeps the masks of a pattern of at most so many bytes. */
const KEPT_PATTERN = 252;

/**
 * What the running call notes about each symbol; all 0 between calls. Of these 4.4 MB of address space
 * only the pages of symbols really met are ever touched.
 */
const notes = new Int32Array(CODE_POINTS);

const symbolsOfA = scratch();
const symbolsOfB = scratch();

/**
 * The length of the longest common subsequence of two texts, in code points. When `b` is the same in the next call,
 * what was prepared for it is used again: give it the reference, which samples of one item share.
 */
export const lcsLengthOfTexts = (a: string, b: string): number => {
  const shorter = a.length <= b.length ? a : b;
  const longer = a.length <= b.length ? b : a;
  if (shorter.length <= WORD_BITS && unitsAreCodePoints(shorter) && unitsAreCodePoints(longer)) {
    return lcsLengthInOneWord(shorter, longer);
  }
  if (isLatin1(a) && isLatin1(b)) {
    if (b.length <= KEPT_PATTERN) return lcsLengthWithPattern(b, a);
    return shorter.length <= KEPT_PATTERN
      ? lcsLengthWithPattern(shorter, longer)
      : lcsLengthOfLatin1(shorter, longer);
  }
  const aSymbols = symbolsOfA(a.length);
  const bSymbols = symbolsOfB(b.length);
  return lcsLength(aSymbols, writeCodePoints(a, aSymbols), bSymbols, writeCodePoints(b, bSymbols));
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
  const noted = alphabetSize <= notes.length ? notes : new Int32Array(alphabetSize);
  return aLength <= WORD_BITS
    ? lcsLengthOfListsInOneWord(a, aLength, b, bLength, noted)
    : lcsLengthOfLists(a, aLength, b, bLength, noted);
};

/** For short answers, without any array. The pattern has at most 31 units. */
const lcsLengthInOneWord = (pattern: string, text: string): number => {
  for (let i = 0; i < pattern.length; i++) notes[pattern.charCodeAt(i)] |= 1 << i;
  let steps = 0;
  for (let row = 0; row < text.length; row++) {
    const reached = steps | notes[text.charCodeAt(row)];
    steps = (2 * steps - reached) & reached;
  }
  for (let i = 0; i < pattern.length; i++) notes[pattern.charCodeAt(i)] = 0;
  return ones(steps);
};

/** The same for lists. */
const lcsLengthOfListsInOneWord = (
  pattern: Int32Array,
  patternLength: number,
  text: Int32Array,
  textLength: number,
  masks: Int32Array,
): number => {
  for (let i = 0; i < patternLength; i++) masks[pattern[i]] |= 1 << i;
  let steps = 0;
  for (let row = 0; row < textLength; row++) {
    const reached = steps | masks[text[row]];
    steps = (2 * steps - reached) & reached;
  }
  for (let i = 0; i < patternLength; i++) masks[pattern[i]] = 0;
  return ones(steps);
};

/** How many bits are 1. */
const ones = (word: number): number => {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
};

/** What `kernels/assembly/lcs.ts` exports; addresses and lengths are numbers. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  setPattern(pattern: number, length: number, masks: number): void;
  clearPattern(pattern: number, length: number, masks: number): void;
  lcsWithPattern(patternLength: number, masks: number, text: number, textLength: number): number;
  lcsOfBytes(
    pattern: number,
    patternLength: number,
    text: number,
    textLength: number,
    masks: number,
    borrows: number,
    states: number,
  ): number;
  lcsOfSymbols(
    pattern: number,
    patternLength: number,
    text: number,
    textLength: number,
    masks: number,
    borrows: number,
    states: number,
    symbols: number,
  ): number;
}

/** A started kernel. */
interface Kernel {
  readonly exports: Exports;
  /** Views of its memory; growing it makes them anew. */
  bytes: Buffer;
  words: Int32Array;
  /** The text whose masks are in. */
  pattern: string;
}

// The kernel's memory, in bytes: masks that are all 0 between calls, the kept pattern, then what a call needs.
const PATTERN_MASKS = 0;
const BYTE_MASKS = PATTERN_MASKS + 256 * 32;
const PATTERN = BYTE_MASKS + 256 * 64;
const ROOM = PATTERN + 256;

const PAGE_BYTES = 0x1_0000;
/** Memory grows in steps, because each makes new views. */
const GROWTH_PAGES = 16;
/** Memory cannot shrink: a kernel that has grown beyond this is dropped after the call. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;
/** For each symbol of a list, the kernel's masks of it. */
const BYTES_A_SYMBOL = 64;

let start: (() => WebAssembly.Exports) | undefined;
let running: Kernel | undefined;

const startKernel = (): Kernel => {
  start ??= compileKernel(WASM);
  const exports = start() as unknown as Exports;
  return { exports, ...viewsOf(exports), pattern: '' };
};

const viewsOf = ({ memory }: Exports): Pick<Kernel, 'bytes' | 'words'> => ({
  bytes: Buffer.from(memory.buffer),
  words: new Int32Array(memory.buffer),
});

/** The kernel, with memory up to an address. */
const kernelWithRoom = (end: number): Kernel => {
  running ??= startKernel();
  const missing = end - running.bytes.length;
  if (missing > 0) {
    running.exports.memory.grow(Math.max(Math.ceil(missing / PAGE_BYTES), GROWTH_PAGES));
    Object.assign(running, viewsOf(running.exports));
  }
  return running;
};

const dropLargeKernel = (): void => {
  if (running !== undefined && running.bytes.length > MAX_KEPT_BYTES) running = undefined;
};

/** The kernel, with the masks of a pattern in it: at most 252 units, in Latin-1. */
const keepPattern = (pattern: string, end: number): Kernel => {
  const kernel = kernelWithRoom(end);
  if (pattern === kernel.pattern) return kernel;
  const { exports, bytes } = kernel;
  exports.clearPattern(PATTERN, kernel.pattern.length, PATTERN_MASKS);
  bytes.write(pattern, PATTERN, 'latin1');
  exports.setPattern(PATTERN, pattern.length, PATTERN_MASKS);
  kernel.pattern = pattern;
  return kernel;
};

/** Both texts are in Latin-1. */
const lcsLengthWithPattern = (pattern: string, text: string): number => {
  const { exports, bytes } = keepPattern(pattern, ROOM + text.length);
  bytes.write(text, ROOM, 'latin1');
  const length = exports.lcsWithPattern(pattern.length, PATTERN_MASKS, ROOM, text.length);
  dropLargeKernel();
  return length;
};

/** What the kernel keeps of each row and of each 252 columns while it works. */
const workspaceAt = (address: number, columns: number, rows: number) => {
  const borrows = 16 * Math.ceil(address / 16);
  const states = borrows + 8 * Math.ceil(rows / 2);
  return { borrows, states, end: states + 64 * Math.ceil(columns / KEPT_PATTERN) };
};

/** Two texts in Latin-1. */
const lcsLengthOfLatin1 = (pattern: string, text: string): number => {
  const textAddress = ROOM + pattern.length;
  const { borrows, states, end } = workspaceAt(textAddress + text.length, pattern.length, text.length);
  const { exports, bytes } = kernelWithRoom(end);
  bytes.write(pattern, ROOM, 'latin1');
  bytes.write(text, textAddress, 'latin1');
  const length = exports.lcsOfBytes(
    ROOM,
    pattern.length,
    textAddress,
    text.length,
    BYTE_MASKS,
    borrows,
    states,
  );
  dropLargeKernel();
  return length;
};

/** Two lists of symbols. The slots are their numbers in the kernel: 0 is for what the pattern lacks. */
const lcsLengthOfLists = (
  a: Int32Array,
  aLength: number,
  b: Int32Array,
  bLength: number,
  slots: Int32Array,
): number => {
  const length =
    aLength <= KEPT_PATTERN
      ? lcsLengthOfByteSlots(a, aLength, b, bLength, slots)
      : lcsLengthOfWordSlots(a, aLength, b, bLength, slots);
  for (let i = 0; i < aLength; i++) slots[a[i]] = 0;
  dropLargeKernel();
  return length;
};

/** So short a pattern has slots that fit in bytes. */
const lcsLengthOfByteSlots = (
  a: Int32Array,
  aLength: number,
  b: Int32Array,
  bLength: number,
  slots: Int32Array,
): number => {
  const { exports, bytes } = keepPattern('', ROOM + bLength);
  writeSlotsOfPattern(a, aLength, slots, bytes, PATTERN);
  const rows = writeSlotsOfRows(b, bLength, slots, bytes, ROOM);
  exports.setPattern(PATTERN, aLength, PATTERN_MASKS);
  const length = exports.lcsWithPattern(aLength, PATTERN_MASKS, ROOM, rows);
  exports.clearPattern(PATTERN, aLength, PATTERN_MASKS);
  return length;
};

const lcsLengthOfWordSlots = (
  a: Int32Array,
  aLength: number,
  b: Int32Array,
  bLength: number,
  slots: Int32Array,
): number => {
  const text = ROOM + 4 * aLength;
  const { words } = kernelWithRoom(text + 4 * bLength);
  const slotCount = writeSlotsOfPattern(a, aLength, slots, words, ROOM / 4);
  const rows = writeSlotsOfRows(b, bLength, slots, words, text / 4);
  const { borrows, states, end } = workspaceAt(text + 4 * rows, aLength, rows);
  const { exports } = kernelWithRoom(end + BYTES_A_SYMBOL * slotCount);
  return exports.lcsOfSymbols(ROOM, aLength, text, rows, end, borrows, states, slotCount);
};

/** The LCS length of a pattern and the part of a text from the symbol `start` to before the symbol `end`. */
export type LcsOfPart = (start: number, end: number) => number;

/**
 * Compares one list of symbols with many parts of another.
 *
 * @param pattern  code points, at least one
 * @param text  code points
 * @param search  is given the comparison, and must not use any other function of this module meanwhile
 * @returns what `search` returns
 */
export const lcsWithParts = <T>(
  pattern: Int32Array,
  text: Int32Array,
  search: (lcsOfPart: LcsOfPart) => T,
): T => {
  const result =
    pattern.length <= KEPT_PATTERN ? searchBytes(pattern, text, search) : searchWords(pattern, text, search);
  for (const symbol of pattern) notes[symbol] = 0;
  dropLargeKernel();
  return result;
};

const searchBytes = <T>(pattern: Int32Array, text: Int32Array, search: (lcsOfPart: LcsOfPart) => T): T => {
  const { exports, bytes } = keepPattern('', ROOM + text.length);
  writeSlotsOfPattern(pattern, pattern.length, notes, bytes, PATTERN);
  for (let i = 0; i < text.length; i++) bytes[ROOM + i] = notes[text[i]];
  exports.setPattern(PATTERN, pattern.length, PATTERN_MASKS);
  const result = search((start, end) =>
    exports.lcsWithPattern(pattern.length, PATTERN_MASKS, ROOM + start, end - start),
  );
  exports.clearPattern(PATTERN, pattern.length, PATTERN_MASKS);
  return result;
};

const searchWords = <T>(pattern: Int32Array, text: Int32Array, search: (lcsOfPart: LcsOfPart) => T): T => {
  const { length } = pattern;
  const textAddress = ROOM + 4 * length;
  const { borrows, states, end: masks } = workspaceAt(textAddress + 4 * text.length, length, text.length);
  const { exports, words } = kernelWithRoom(masks + BYTES_A_SYMBOL * (length + 1));
  const slotCount = writeSlotsOfPattern(pattern, length, notes, words, ROOM / 4);
  for (let i = 0; i < text.length; i++) words[textAddress / 4 + i] = notes[text[i]];
  return search((start, end) =>
    exports.lcsOfSymbols(
      ROOM,
      length,
      textAddress + 4 * start,
      end - start,
      masks,
      borrows,
      states,
      slotCount,
    ),
  );
};

/** Each distinct symbol of the pattern gets a slot. Returns the count of slots, with slot 0. */
const writeSlotsOfPattern = (
  pattern: Int32Array,
  length: number,
  slots: Int32Array,
  into: Uint8Array | Int32Array,
  at: number,
): number => {
  let slotCount = 1;
  for (let i = 0; i < length; i++) {
    const symbol = pattern[i];
    if (slots[symbol] === 0) slots[symbol] = slotCount++;
    into[at + i] = slots[symbol];
  }
  return slotCount;
};

/** A row whose symbol the pattern lacks changes nothing, so only the others are kept. Returns how many. */
const writeSlotsOfRows = (
  text: Int32Array,
  length: number,
  slots: Int32Array,
  into: Uint8Array | Int32Array,
  at: number,
): number => {
  let rows = at;
  for (let i = 0; i < length; i++) {
    const slot = slots[text[i]];
    if (slot !== 0) into[rows++] = slot;
  }
  return rows - at;
};
