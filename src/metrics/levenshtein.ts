import { CODE_POINTS } from './code-points.js';

const BAND_ROWS = 32;

/** The rows of the running band in which a code point stands, as bits; all 0 between bands, and mostly never touched. */
const rowsOf = new Int32Array(CODE_POINTS);

/**
 * The Levenshtein distance of two lists of code points, bit-parallel, 32 rows of the table at once.
 *
 * The table's neighbours differ by -1, 0 or 1; two bit vectors hold the vertical steps of 32 rows, and one array the
 * horizontal step with which each column leaves one band of rows and enters the next.
 *
 * @see Myers 1999, "A fast bit-vector algorithm for approximate string matching based on dynamic programming"
 * @see Hyyrö 2003, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances"
 */
export const levenshteinDistance = (a: Int32Array, b: Int32Array): number => {
  const [pattern, text] = a.length <= b.length ? [a, b] : [b, a];
  // The row above the first band is 0, 1, 2, ...: every step is +1.
  const steps = new Int8Array(text.length).fill(1);
  for (let start = 0; start < pattern.length; start += BAND_ROWS) {
    stepThroughBand(pattern.subarray(start, start + BAND_ROWS), text, steps);
  }
  // The last row starts with the length of the pattern.
  return steps.reduce((distance, step) => distance + step, pattern.length);
};

/** Takes the horizontal steps of the row above the band to those of its last row, in place. */
const stepThroughBand = (band: Int32Array, text: Int32Array, steps: Int8Array): void => {
  for (let i = 0; i < band.length; i++) rowsOf[band[i]] |= 1 << i;
  const last = band.length - 1;
  let up = -1; // rows that are one more than the row above
  let down = 0; // rows that are one less
  for (let column = 0; column < text.length; column++) {
    const entering = steps[column];
    const matches = rowsOf[text[column]];
    const verticalZero = matches | down;
    // A step of -1 into the band has the effect of a match in its first row.
    const reached = matches | (entering < 0 ? 1 : 0);
    const diagonalZero = (((reached & up) + up) ^ up) | reached;
    let right = down | ~(diagonalZero | up);
    let left = up & diagonalZero;
    steps[column] = ((right >>> last) & 1) - ((left >>> last) & 1);
    right = (right << 1) | (entering > 0 ? 1 : 0);
    left = (left << 1) | (entering < 0 ? 1 : 0);
    up = left | ~(verticalZero | right);
    down = right & verticalZero;
  }
  for (const symbol of band) rowsOf[symbol] = 0;
};
