import { distance as levenshteinDistanceOfUnits } from 'fastest-levenshtein';
import diceOfBigrams from 'natural/lib/natural/distance/dice_coefficient.js';
import jaroWinklerOfUnits from 'natural/lib/natural/distance/jaro-winkler_distance.js';

import { codePointLength, toCodePoints, unitsAreCodePoints } from './code-points.js';
import { partialRatio } from './fuzzy-partial.js';
import { defaultProcess } from './fuzzy-process.js';
import { quickRatio, ratio } from './fuzzy-ratio.js';
import { tokenRatio, tokenSetRatio, tokenSortRatio } from './fuzzy-tokens.js';
import { weightedRatio } from './fuzzy-weighted.js';
import { levenshteinDistance } from './levenshtein.js';
import type { Metric } from './metric.js';

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

/** RapidFuzz's scores are percentages. */
const outOfPercent =
  (percent: Metric): Metric =>
  (candidate, reference) =>
    percent(candidate, reference) / 100;

const SCORERS = {
  ratio: outOfPercent(ratio),
  partial_ratio: outOfPercent(partialRatio),
  token_sort_ratio: outOfPercent(tokenSortRatio),
  token_set_ratio: outOfPercent(tokenSetRatio),
  token_ratio: outOfPercent(tokenRatio),
  WRatio: outOfPercent(weightedRatio),
  QRatio: outOfPercent(quickRatio),
  levenshtein,
  jaro_winkler: jaroWinkler,
  dice,
} as const satisfies Record<string, Metric>;

/** A way to compare two texts letter by letter. */
export type FuzzyScorer = keyof typeof SCORERS;

/** The names {@link fuzzyMatch} takes, the default first. */
export const FUZZY_SCORERS = Object.keys(SCORERS) as readonly FuzzyScorer[];

const PROCESSORS = { default_process: defaultProcess } as const satisfies Record<
  string,
  (text: string) => string
>;

/** A way to prepare a text. */
export type FuzzyProcessor = keyof typeof PROCESSORS;

/** The names of processors that {@link fuzzyMatch} takes; without one the texts stay as they are. */
export const FUZZY_PROCESSORS = Object.keys(PROCESSORS) as readonly FuzzyProcessor[];

/** How {@link fuzzyMatch} compares. */
export interface FuzzyOptions {
  /** Default `ratio`, the one the hosted service is seen to use. */
  readonly scorer?: FuzzyScorer;
  /** What is done to both texts first; default nothing, as the hosted service is seen to do. */
  readonly processor?: FuzzyProcessor;
}

/**
 * How alike two texts are, letter by letter.
 *
 * - `ratio`, `partial_ratio`, `token_sort_ratio`, `token_set_ratio`, `token_ratio`, `WRatio`, `QRatio`: the function of this
 *   name in RapidFuzz 3.10's `fuzz` / 100, equal as a double
 * - `levenshtein`: RapidFuzz `Levenshtein.normalized_similarity`, equal as a double
 * - `jaro_winkler`: of the npm package `natural`; not RapidFuzz's
 * - `dice`: of `natural`; sets of letter pairs, without case
 *
 * All but the last two count code points, a lone surrogate as one. `processor: 'default_process'` is RapidFuzz's: letters and
 * numbers in lower case, everything else blank.
 *
 * Time grows with the product of the lengths: for 100 kB by 100 kB, `ratio` takes 50 ms, and 1 to 10 when the texts
 * differ little; `levenshtein` half a second and `jaro_winkler` many; `dice` is linear. `partial_ratio`, and `WRatio` of texts
 * of different length, compare the shorter text with many parts of the longer one.
 *
 * @param candidate  model output, raw text
 * @param reference  expected output, raw text
 * @returns score in [0, 1]; 1 for two empty texts, but 0 by `token_set_ratio`, `WRatio` and `QRatio`
 */
export const fuzzyMatch = (
  candidate: string,
  reference: string,
  { scorer = 'ratio', processor }: FuzzyOptions = {},
): number => {
  if (processor === undefined) return SCORERS[scorer](candidate, reference);
  const process = PROCESSORS[processor];
  return SCORERS[scorer](process(candidate), process(reference));
};
