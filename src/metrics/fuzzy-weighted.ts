import { codePointLength } from './code-points.js';
import { partialRatio } from './fuzzy-partial.js';
import { ratio } from './fuzzy-ratio.js';
import { partialTokenRatio, tokenRatio } from './fuzzy-tokens.js';

const TOKEN_WEIGHT = 0.95;
const PARTIAL_WEIGHT = 0.9;
/** Of parts of a text that is eight times as long or longer. */
const SMALL_PART_WEIGHT = 0.6;

/**
 * The best of {@link ratio} and, with a weight, of the words; where one text is at least half as long again as the other,
 * of its parts too: RapidFuzz 3.10 `fuzz.WRatio`, as a double.
 *
 * @returns percent, 0 to 100; 0 when either text is empty
 */
export const weightedRatio = (a: string, b: string): number => {
  if (a === '' || b === '') return 0;
  const lengthA = codePointLength(a);
  const lengthB = codePointLength(b);
  const times = lengthA > lengthB ? lengthA / lengthB : lengthB / lengthA;
  const whole = ratio(a, b);
  if (times < 1.5) return Math.max(whole, tokenRatio(a, b) * TOKEN_WEIGHT);
  const partWeight = times < 8 ? PARTIAL_WEIGHT : SMALL_PART_WEIGHT;
  return Math.max(
    whole,
    partialRatio(a, b) * partWeight,
    partialTokenRatio(a, b) * TOKEN_WEIGHT * partWeight,
  );
};
