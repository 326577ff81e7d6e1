import { distance as levenshteinDistanceOfUnits } from 'fastest-levenshtein';
import diceOfBigrams from 'natural/lib/natural/distance/dice_coefficient.js';
import jaroWinklerOfUnits from 'natural/lib/natural/distance/jaro-winkler_distance.js';

import { codePointLength, toCodePoints, unitsAreCodePoints } from './code-points.js';
import { lcsLengthOfTexts } from './lcs.js';
import { levenshteinDistance } from './levenshtein.js';
import type { Metric } from './metric.js';

/**
 * The share of code points that survive the shortest way of insertions and deletions from one text to the other:
 * RapidFuzz 3 `fuzz.ratio(a, b) / 100`, as a double. Case counts, nothing is normalised; two empty texts give 1.
 */
const ratio: Metric = (candidate, reference) => {
  const length = codePointLength(candidate) + codePointLength(reference);
  if (length === 0) return 1;
  const distance = length - 2 * lcsLengthOfTexts(candidate, reference);
  // By way of a percentage, as RapidFuzz does it: 1 - distance / length alone differs in the last digit of some.
  return ((1 - distance / length) * 100) / 100;
};

/**
 * 1 - edits / length of the longer text, in code points: RapidFuzz `Levenshtein.normalized_similarity`, as a double;
 * two empty texts give 1. The package counts UTF-16 units, so it is used where these are the code points.
 */
const levenshtein: Metric = (candidate, reference) => {
  const length = Math.max(codePointLength(candidate), codePointLength(reference));
  if (length === 0) return 1;
  const distance =
    unitsAreCodePoints(candidate) && unitsAreCodePoints(reference)
      ? levenshteinDistanceOfUnits(candidate, reference)
      : levenshteinDistance(toCodePoints(candidate), toCodePoints(reference));
  return 1 - distance / length;
};

/**
 * Jaro-Winkler as the npm package `natural` computes it, over UTF-16 units, quadratic in the length. Not RapidFuzz's
 * `JaroWinkler`: that one halves an odd number of transpositions downwards and adds the bonus for a common prefix only
 * above a similarity of 0.7.
 */
const jaroWinkler: Metric = (candidate, reference) => jaroWinklerOfUnits(candidate, reference);

/**
 * Dice's coefficient as `natural` computes it: over the sets of pairs of neighbouring UTF-16 units, in lower case, runs of
 * white space as one blank, trimmed. A repeated pair counts once, so it equals no multiset Dice. Two blank texts give 1.
 */
const dice: Metric = (candidate, reference) => {
  const score = diceOfBigrams(candidate, reference);
  // 0 / 0: neither text has a pair.
  return Number.isNaN(score) ? 1 : score;
};

const SCORERS = { ratio, levenshtein, jaro_winkler: jaroWinkler, dice } as const satisfies Record<
  string,
  Metric
>;

/** A way to compare two texts letter by letter. */
export type FuzzyScorer = keyof typeof SCORERS;

/** The names {@link fuzzyMatch} takes, the default first. */
export const FUZZY_SCORERS = Object.keys(SCORERS) as readonly FuzzyScorer[];

/** How {@link fuzzyMatch} compares. */
export interface FuzzyOptions {
  /** Default `ratio`, the one the hosted service is seen to use. */
  readonly scorer?: FuzzyScorer;
}

/**
 * How alike two texts are, letter by letter.
 *
 * - `ratio`: RapidFuzz 3.10 `fuzz.ratio(candidate, reference) / 100`, equal as a double
 * - `levenshtein`: RapidFuzz `Levenshtein.normalized_similarity`, equal as a double
 * - `jaro_winkler`: of the npm package `natural`; not RapidFuzz's
 * - `dice`: of `natural`; sets of letter pairs, without case
 *
 * The first two count code points, a lone surrogate as one. Time grows with the product of the lengths: for 100 kB by
 * 100 kB, `ratio` takes half a second, `levenshtein` some and `jaro_winkler` many; `dice` is linear.
 *
 * @param candidate  model output, raw text
 * @param reference  expected output, raw text
 * @returns score in [0, 1]; 1 for two empty texts
 */
export const fuzzyMatch = (
  candidate: string,
  reference: string,
  { scorer = 'ratio' }: FuzzyOptions = {},
): number => SCORERS[scorer](candidate, reference);
