/**
 * The length of the longest common subsequence (LCS), bit-parallel: 63 cells of the dynamic-programming table in one step.
 *
 * One text is the pattern, whose symbols are the table's columns; the other one's symbols are its rows. Row by row, Z has
 * a 1 in each column where the table steps up by one, so the ones left of a column are the length up to there. With M,
 * the columns whose symbol is the row's, a row is
 *
 *     X = Z | M;  D = 2 Z - X;  Z' = D & X
 *
 * (Hyyrö's V' = (V + (V & M)) | (V - (V & M)) on V = ~Z, with the additions made subtractions.) Over several words D
 * borrows from the next word. Words hold 63 columns, so that the borrow is the sign of D, and Z' loses it by itself.
 *
 * Columns come in stripes of four words: a stripe's words stay in registers while the rows pass by, and each row keeps
 * the borrow that goes from stripe to stripe. So the masks in use are those of one stripe and fit the nearest cache.
 *
 * @see Crochemore et al. 2001, "A fast and practical bit-vector algorithm for the longest common subsequence problem"
 * @see Hyyrö 2004, "Bit-parallel LCS-length computation revisited"
 */

const WORD_BITS: i32 = 63;
const STRIPE_WORDS: i32 = 4;
const STRIPE_COLUMNS: i32 = STRIPE_WORDS * WORD_BITS;

// ---------------------------------------------------------------------------------------------------------------------
// A pattern of at most one stripe, of bytes. Its masks stay until the next pattern, so that it can be compared again.

/** The masks of a byte: four words. */
const BYTE_MASKS_SHIFT: u32 = 5;

/**
 * Puts in the masks of a pattern.
 *
 * @param pattern  address of `length` bytes, at most 252
 * @param masks  address of 256 times 32 bytes, all 0 before
 */
export function setPattern(pattern: usize, length: i32, masks: usize): void {
  for (let word = masks; length > 0; word += 8) {
    const last = pattern + min(length, WORD_BITS);
    for (let bit: i64 = 1; pattern < last; pattern++, bit <<= 1) {
      const mask = word + ((<usize>load<u8>(pattern)) << BYTE_MASKS_SHIFT);
      store<i64>(mask, load<i64>(mask) | bit);
    }
    length -= WORD_BITS;
  }
}

/** Takes the masks of a pattern out again. */
export function clearPattern(pattern: usize, length: i32, masks: usize): void {
  for (let i = 0; i < length; i++) {
    const mask = masks + ((<usize>load<u8>(pattern + i)) << BYTE_MASKS_SHIFT);
    v128.store(mask, i64x2.splat(0));
    v128.store(mask, i64x2.splat(0), 16);
  }
}

/** The LCS length of a text of bytes and the pattern of `patternLength` bytes whose masks are in. */
export function lcsWithPattern(patternLength: i32, masks: usize, text: usize, textLength: i32): i32 {
  const end = text + textLength;
  if (patternLength <= WORD_BITS) return lcsInOneWord(masks, text, end);
  if (patternLength <= 2 * WORD_BITS) return lcsInTwoWords(masks, text, end);
  if (patternLength <= 3 * WORD_BITS) return lcsInThreeWords(masks, text, end);
  return lcsInFourWords(masks, text, end);
}

@inline
function masksOfByte(masks: usize, symbol: usize): usize {
  return masks + ((<usize>load<u8>(symbol)) << BYTE_MASKS_SHIFT);
}

function lcsInOneWord(masks: usize, text: usize, end: usize): i32 {
  let z0: i64 = 0;
  for (; text < end; text++) {
    const x = z0 | load<i64>(masksOfByte(masks, text));
    z0 = ((z0 << 1) - x) & x;
  }
  return <i32>popcnt(z0);
}

function lcsInTwoWords(masks: usize, text: usize, end: usize): i32 {
  let z0: i64 = 0;
  let z1: i64 = 0;
  for (; text < end; text++) {
    const mask = masksOfByte(masks, text);
    let x = z0 | load<i64>(mask);
    let d = (z0 << 1) - x;
    z0 = d & x;
    x = z1 | load<i64>(mask, 8);
    z1 = ((z1 << 1) - x + (d >> 63)) & x;
  }
  return <i32>(popcnt(z0) + popcnt(z1));
}

function lcsInThreeWords(masks: usize, text: usize, end: usize): i32 {
  let z0: i64 = 0;
  let z1: i64 = 0;
  let z2: i64 = 0;
  for (; text < end; text++) {
    const mask = masksOfByte(masks, text);
    let x = z0 | load<i64>(mask);
    let d = (z0 << 1) - x;
    z0 = d & x;
    x = z1 | load<i64>(mask, 8);
    d = (z1 << 1) - x + (d >> 63);
    z1 = d & x;
    x = z2 | load<i64>(mask, 16);
    z2 = ((z2 << 1) - x + (d >> 63)) & x;
  }
  return <i32>(popcnt(z0) + popcnt(z1) + popcnt(z2));
}

function lcsInFourWords(masks: usize, text: usize, end: usize): i32 {
  let z0: i64 = 0;
  let z1: i64 = 0;
  let z2: i64 = 0;
  let z3: i64 = 0;
  for (; text < end; text++) {
    const mask = masksOfByte(masks, text);
    let x = z0 | load<i64>(mask);
    let d = (z0 << 1) - x;
    z0 = d & x;
    x = z1 | load<i64>(mask, 8);
    d = (z1 << 1) - x + (d >> 63);
    z1 = d & x;
    x = z2 | load<i64>(mask, 16);
    d = (z2 << 1) - x + (d >> 63);
    z2 = d & x;
    x = z3 | load<i64>(mask, 24);
    z3 = ((z3 << 1) - x + (d >> 63)) & x;
  }
  return <i32>(popcnt(z0) + popcnt(z1) + popcnt(z2) + popcnt(z3));
}

// ---------------------------------------------------------------------------------------------------------------------
// Any pattern, of symbols of type T: bytes, or 32-bit numbers below the count of masks.
//
// The rows are walked from both ends at once, in the two lanes of a vector: lane 0 takes the first half of the text forwards
// against the pattern, lane 1 the second half backwards against the reversed pattern. The two need nothing of each
// other. The LCS is then the best sum of both over all places to cut the pattern in two (Hirschberg 1975).

/** The masks of a symbol: four words forwards, four backwards. */
const MASKS_SHIFT: u32 = 6;
const BACKWARD: usize = 8 * STRIPE_WORDS;

/** The first guesses at the number of edits, up to this part of the pattern: what they cost is lost if they are too low. */
const FIRST_GUESS: i32 = 512;
const LAST_GUESS_PART: i32 = 32;
/** A shorter pattern is not worth a guess. */
const GUESS_FROM: i32 = 3000;

/** What a call works on; one call runs at a time. */
let pattern: usize = 0;
let columns: i32 = 0;
/** The columns filled up to whole words; what is added comes first in the reversed pattern. */
let filledColumns: i32 = 0;
let text: usize = 0;
let rows: i32 = 0;
let masks: usize = 0;
/** For each row of the lanes, their two borrows: 8 bytes. */
let borrows: usize = 0;
/** For each word of the stripes, the Z of both lanes: 16 bytes. */
let states: usize = 0;

/**
 * The LCS length of two lists of bytes.
 *
 * @param masksAddress  of 256 times 64 bytes, all 0 before and after
 * @param borrowsAddress  of 8 bytes for every second symbol of the text, rounded up
 * @param statesAddress  of 64 bytes for every 252 symbols of the pattern, rounded up
 */
export function lcsOfBytes(
  patternAddress: usize,
  patternLength: i32,
  textAddress: usize,
  textLength: i32,
  masksAddress: usize,
  borrowsAddress: usize,
  statesAddress: usize,
): i32 {
  columns = patternLength;
  rows = textLength;
  pattern = patternAddress;
  text = textAddress;
  masks = masksAddress;
  borrows = borrowsAddress;
  states = statesAddress;
  return lcs<u8>();
}

/** The same of two lists of 32-bit symbols, each below `symbols`; here the masks, 64 bytes a symbol, may hold anything. */
export function lcsOfSymbols(
  patternAddress: usize,
  patternLength: i32,
  textAddress: usize,
  textLength: i32,
  masksAddress: usize,
  borrowsAddress: usize,
  statesAddress: usize,
  symbols: i32,
): i32 {
  memory.fill(masksAddress, 0, (<usize>symbols) << MASKS_SHIFT);
  columns = patternLength;
  rows = textLength;
  pattern = patternAddress;
  text = textAddress;
  masks = masksAddress;
  borrows = borrowsAddress;
  states = statesAddress;
  return lcs<u32>();
}

function lcs<T>(): i32 {
  const common = stripCommonEnds<T>();
  if (columns === 0 || rows === 0) return common;
  filledColumns = ((columns + WORD_BITS - 1) / WORD_BITS) * WORD_BITS;
  return common + (columns < GUESS_FROM ? lcsWithin<T>(columns + rows) : lcsByGuesses<T>());
}

/**
 * Texts that differ by few insertions and deletions need only the cells near the diagonal. If a guess at their number was
 * too low, what it finds is still a way from one text to the other, so no more edits than that are needed, and a last
 * look is sure.
 */
function lcsByGuesses<T>(): i32 {
  const most = columns + rows;
  const least = abs(rows - columns);
  const lastGuess = columns / LAST_GUESS_PART;
  let guess = min(FIRST_GUESS, lastGuess);
  while (true) {
    const length = lcsWithin<T>(least + guess);
    const found = most - 2 * length;
    if (found <= least + guess) return length;
    if (found <= least + lastGuess || guess == lastGuess) return lcsWithin<T>(found);
    guess = min(8 * guess, lastGuess);
  }
}

/** What both begin and end with belongs to some longest common subsequence. Returns how many symbols that are. */
function stripCommonEnds<T>(): i32 {
  const shorter = min(columns, rows);
  let start = 0;
  while (start < shorter && equalAt<T>(start, start)) start++;
  let end = 0;
  while (end < shorter - start && equalAt<T>(columns - 1 - end, rows - 1 - end)) end++;
  pattern = addressOf<T>(pattern, start);
  text = addressOf<T>(text, start);
  columns -= start + end;
  rows -= start + end;
  return start + end;
}

@inline
function equalAt<T>(column: i32, row: i32): bool {
  return load<T>(addressOf<T>(pattern, column)) == load<T>(addressOf<T>(text, row));
}

/**
 * The LCS length by the cells that a way of at most `edits` insertions and deletions can come through. Matches outside
 * count as none, so the result is never too great, and right if there is such a way.
 */
function lcsWithin<T>(edits: i32): i32 {
  // Of so many edits at most this many are symbols left out of the pattern, or of the text.
  const right = (edits + columns - rows) / 2 + 1;
  const left = (edits + rows - columns) / 2 + 1;
  const backRows = rows / 2;
  const foreRows = rows - backRows;
  memory.fill(borrows, 0, (<usize>foreRows) << 3);
  memory.fill(states, 0, (<usize>((columns + STRIPE_COLUMNS - 1) / STRIPE_COLUMNS)) << 6);
  for (let start = 0, state = states; start < columns; start += STRIPE_COLUMNS, state += 16 * STRIPE_WORDS) {
    // In the reversed pattern a column is up to a word further on.
    const first = max(start - WORD_BITS - right, 0);
    if (first >= foreRows) break;
    const end = min(start + STRIPE_COLUMNS + left, foreRows);
    setMasks<T>(start);
    passRows<T>(state, first, min(end, backRows));
    if (end > backRows) passMiddleRow<T>(state);
    clearMasks<T>(start);
  }
  return bestCut();
}

@inline
function addressOf<T>(symbols: usize, index: i32): usize {
  return symbols + index * sizeof<T>();
}

@inline
function masksOf<T>(symbol: usize): usize {
  return masks + ((<usize>load<T>(symbol)) << MASKS_SHIFT);
}

function setMasks<T>(start: i32): void {
  for (let word = 0; word < STRIPE_WORDS; word++) {
    const from = start + word * WORD_BITS;
    const wordMasks = masks + 8 * word;
    let bit: i64 = 1;
    let symbol = addressOf<T>(pattern, from);
    const end = addressOf<T>(pattern, min(from + WORD_BITS, columns));
    for (; symbol < end; symbol += sizeof<T>(), bit <<= 1) addBit<T>(wordMasks, symbol, bit);

    // The columns before the first are those that fill it up.
    const last = filledColumns - 1 - from;
    bit = (<i64>1) << max(last - (columns - 1), 0);
    symbol = addressOf<T>(pattern, min(last, columns - 1));
    const endBack = addressOf<T>(pattern, max(last - WORD_BITS, -1));
    for (; symbol > endBack; symbol -= sizeof<T>(), bit <<= 1) addBit<T>(wordMasks + BACKWARD, symbol, bit);
  }
}

function clearMasks<T>(start: i32): void {
  let symbol = addressOf<T>(pattern, start);
  const end = addressOf<T>(pattern, min(start + STRIPE_COLUMNS, columns));
  for (; symbol < end; symbol += sizeof<T>()) clearWords(masksOf<T>(symbol));

  const last = filledColumns - 1 - start;
  symbol = addressOf<T>(pattern, min(last, columns - 1));
  const endBack = addressOf<T>(pattern, max(last - STRIPE_COLUMNS, -1));
  for (; symbol > endBack; symbol -= sizeof<T>()) clearWords(masksOf<T>(symbol) + BACKWARD);
}

@inline
function addBit<T>(wordMasks: usize, symbol: usize, bit: i64): void {
  const mask = wordMasks + ((<usize>load<T>(symbol)) << MASKS_SHIFT);
  store<i64>(mask, load<i64>(mask) | bit);
}

@inline
function clearWords(words: usize): void {
  v128.store(words, i64x2.splat(0));
  v128.store(words, i64x2.splat(0), 16);
}

@inline
function maskOfLanes(fore: usize, back: usize, offset: usize): v128 {
  return v128.load_lane<u64>(back + offset, v128.load64_zero(fore + offset), 1);
}

@inline
function difference(z: v128, x: v128, borrow: v128): v128 {
  return i64x2.sub(i64x2.sub(i64x2.add(z, z), x), borrow);
}

/** Takes one stripe through the rows `first` to `end` of both lanes. */
function passRows<T>(state: usize, first: i32, end: i32): void {
  let z0 = v128.load(state);
  let z1 = v128.load(state, 16);
  let z2 = v128.load(state, 32);
  let z3 = v128.load(state, 48);
  let fromStart = addressOf<T>(text, first);
  let fromEnd = addressOf<T>(text, rows - 1 - first);
  const lastBorrow = borrows + 8 * end;
  for (let borrow = borrows + 8 * first; borrow < lastBorrow; borrow += 8) {
    const fore = masksOf<T>(fromStart);
    const back = masksOf<T>(fromEnd) + BACKWARD;
    fromStart += sizeof<T>();
    fromEnd -= sizeof<T>();
    let x = v128.or(z0, maskOfLanes(fore, back, 0));
    let d = difference(z0, x, v128.load_ext<u32>(borrow));
    z0 = v128.and(d, x);
    x = v128.or(z1, maskOfLanes(fore, back, 8));
    d = difference(z1, x, i64x2.shr_u(d, 63));
    z1 = v128.and(d, x);
    x = v128.or(z2, maskOfLanes(fore, back, 16));
    d = difference(z2, x, i64x2.shr_u(d, 63));
    z2 = v128.and(d, x);
    x = v128.or(z3, maskOfLanes(fore, back, 24));
    d = difference(z3, x, i64x2.shr_u(d, 63));
    z3 = v128.and(d, x);
    d = i64x2.shr_u(d, 63);
    v128.store_lane<u64>(borrow, i32x4.shuffle(d, d, 0, 2, 0, 2), 0);
  }
  v128.store(state, z0);
  v128.store(state, z1, 16);
  v128.store(state, z2, 32);
  v128.store(state, z3, 48);
}

/** An odd text's middle row belongs to lane 0; what it does to lane 1 is taken back. */
function passMiddleRow<T>(state: usize): void {
  const z0 = load<i64>(state, 8);
  const z1 = load<i64>(state, 24);
  const z2 = load<i64>(state, 40);
  const z3 = load<i64>(state, 56);
  passRows<T>(state, rows / 2, rows / 2 + 1);
  store<i64>(state, z0, 8);
  store<i64>(state, z1, 24);
  store<i64>(state, z2, 40);
  store<i64>(state, z3, 56);
}

/** The greatest sum, over all cuts of the pattern, of what lane 0 has left of the cut and lane 1 right of it. */
function bestCut(): i32 {
  const words = filledColumns / WORD_BITS;
  const end = states + ((<usize>words) << 4);
  let sum: i64 = 0;
  for (let state = states; state < end; state += 16) sum += popcnt(load<i64>(state, 8));
  let best = sum;
  for (let fore = states, back = end - 8; fore < end; fore += 16, back -= 16) {
    let steps = load<i64>(fore);
    let stepsBack = load<i64>(back);
    const ones = popcnt(steps);
    if (sum + ones <= best) {
      sum += ones - popcnt(stepsBack);
      continue;
    }
    for (let column = 0; column < WORD_BITS; column++) {
      sum += (steps & 1) - ((stepsBack >> 62) & 1);
      best = max(best, sum);
      steps >>= 1;
      stepsBack <<= 1;
    }
  }
  return <i32>best;
}
