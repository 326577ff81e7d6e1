import { stirling } from './student.js';

/** McNemar's test of paired outcomes that are yes or no. */
export interface McNemarResult {
  /** Exact and two-sided; 1 without pairs that differ. It never rejects too often, and for few pairs too seldom. */
  readonly p: number;
  /** As `p`, with half of the probability of what was seen: closer to rejecting 5 % at 5 %, not always below it. */
  readonly midP: number;
}

/**
 * McNemar's exact test: of the pairs that differ, is one direction as likely as the other? Pairs that agree say nothing
 * about it. The count of one direction is binomial with a share of 1/2.
 *
 * Equals statsmodels' `mcnemar(table, exact=True)`.
 *
 * @param gained  pairs that went from no to yes
 * @param lost  pairs that went from yes to no
 * @see McNemar 1947, https://doi.org/10.1007/BF02295996
 * @see Fagerland, Lydersen & Laake 2013, https://doi.org/10.1186/1471-2288-13-91 (mid-p)
 */
export const mcnemarTest = (gained: number, lost: number): McNemarResult => {
  const fewer = Math.min(gained, lost);
  const differing = gained + lost;
  const seen = fairCoin(differing, fewer);
  const atMost = lowerTail(differing, fewer, seen);
  return { p: Math.min(1, 2 * atMost), midP: 2 * atMost - seen };
};

/** P(X <= heads) for heads up to the middle; the terms shrink from the largest on, so a few thousand serve any total. */
const lowerTail = (total: number, heads: number, atHeads: number): number => {
  let sum = 0;
  let term = atHeads;
  for (let count = heads; count >= 0 && term > sum * 1e-17; count -= 1) {
    sum += term;
    term *= count / (total - count + 1);
  }
  return sum;
};

/**
 * P(X = heads) of `total` fair coins, for heads up to the middle. For many coins by Stirling's series and the distance
 * from the middle: the factorials themselves have too many digits to subtract.
 *
 * @see Loader 2000, Fast and Accurate Computation of Binomial Probabilities
 */
const fairCoin = (total: number, heads: number): number => {
  if (heads < MIN_STIRLING) return fewHeads(total, heads);
  const tails = total - heads;
  const tilt = (tails - heads) / total;
  const distance = (total / 2) * ((1 + tilt) * Math.log1p(tilt) + (1 - tilt) * Math.log1p(-tilt));
  const correction = stirling(total) - stirling(heads) - stirling(tails);
  return Math.sqrt(total / (2 * Math.PI * heads * tails)) * Math.exp(correction - distance);
};

const MIN_STIRLING = 10;

const fewHeads = (total: number, heads: number): number => {
  let logWays = 0;
  for (let count = 1; count <= heads; count += 1) logWays += Math.log((total - heads + count) / count);
  return Math.exp(logWays - total * Math.LN2);
};
