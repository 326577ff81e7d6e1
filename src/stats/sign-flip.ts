import { normalTail } from './normal.js';
import { randomIndex } from './random.js';

/** How a sign-flip test came out. */
export interface SignFlipResult {
  /** Two-sided; 1 when every sum is 0. */
  readonly p: number;
  readonly method: 'exact' | 'random' | 'normal';
}

const MAX_EXACT = 16;
const MAX_RANDOM = 1_000;
const FLIPS = 9_999;
const SEED = 20_250_602;

/**
 * Permutation test of the mean difference with clusters: were B no better than A, each cluster's sum of differences
 * would as likely have come with the other sign. Whole clusters are flipped, so pairs inside one may depend on each
 * other in any way.
 *
 * All 2^n flips are counted up to 16 clusters that are not 0; up to 1,000 a random 9,999 of them (never giving 0);
 * beyond, the sum over the root of its squares is normal.
 *
 * @param sums  the sum of differences of each cluster
 * @see Pitman 1937, https://doi.org/10.2307/2984124
 * @see Phipson & Smyth 2010, https://doi.org/10.2202/1544-6115.1585 (p values of random flips)
 */
export const signFlipTest = (sums: Float64Array): SignFlipResult => {
  const changed = sums.filter((sum) => sum !== 0);
  const seen = Math.abs(changed.reduce((sum, value) => sum + value, 0));
  // Flips that give the same sum in another order of adding count as the same.
  const least = seen * (1 - 1e-12);
  if (changed.length <= MAX_EXACT) return { p: shareOfAllFlips(changed, least), method: 'exact' };
  if (changed.length <= MAX_RANDOM) return { p: shareOfRandomFlips(changed, least), method: 'random' };
  const root = Math.sqrt(changed.reduce((sum, value) => sum + value * value, 0));
  return { p: 2 * normalTail(seen / root), method: 'normal' };
};

const shareOfAllFlips = (sums: Float64Array, least: number): number => {
  const all = 2 ** sums.length;
  let reaching = 0;
  for (let flips = 0; flips < all; flips += 1) {
    let sum = 0;
    for (let unit = 0; unit < sums.length; unit += 1)
      sum += ((flips >> unit) & 1) === 1 ? -sums[unit] : sums[unit];
    if (Math.abs(sum) >= least) reaching += 1;
  }
  return reaching / all;
};

const shareOfRandomFlips = (sums: Float64Array, least: number): number => {
  const random = randomIndex(SEED);
  let reaching = 0;
  for (let round = 0; round < FLIPS; round += 1) {
    let sum = 0;
    let bits = 0;
    for (let unit = 0; unit < sums.length; unit += 1) {
      if (unit % 32 === 0) bits = random(2 ** 32);
      sum += ((bits >>> (unit % 32)) & 1) === 1 ? -sums[unit] : sums[unit];
    }
    if (Math.abs(sum) >= least) reaching += 1;
  }
  // What was seen is one of the flips.
  return (reaching + 1) / (FLIPS + 1);
};
