import { codePointLength } from './code-points.js';
import { lcsLengthOfTexts } from './lcs.js';

/** How many code points must be inserted and deleted to make one text of the other. */
export const indelDistance = (a: string, b: string): number =>
  codePointLength(a) + codePointLength(b) - 2 * lcsLengthOfTexts(a, b);

/**
 * The share of code points that survive the shortest way of insertions and deletions from one text to the other:
 * RapidFuzz 3 `fuzz.ratio(a, b)`, as a double. Case counts, nothing is normalised; two empty texts give 100.
 *
 * @returns percent, 0 to 100
 */
export const ratio = (a: string, b: string): number => {
  if (a === b) return 100;
  const length = codePointLength(a) + codePointLength(b);
  // In this order: 100 - 100 * distance / length is another double for some.
  return (1 - (length - 2 * lcsLengthOfTexts(a, b)) / length) * 100;
};

/**
 * The same where two empty texts, or one, give 0: RapidFuzz 3 `fuzz.QRatio(a, b)`, as a double.
 *
 * @returns percent, 0 to 100
 */
export const quickRatio = (a: string, b: string): number => (a === '' || b === '' ? 0 : ratio(a, b));
