import type { Interval } from './interval.js';
import { Z_95 } from './normal.js';

/**
 * 95 % confidence interval of the difference of two shares that were measured on the same pairs, by Tango's score
 * method: it holds those differences that a score test would not refuse. It stays inside [-1, 1] and says something
 * also when no pair differs.
 *
 * @param gained  pairs that went from no to yes
 * @param lost  pairs that went from yes to no
 * @param pairs  all pairs, those that agree included; at least 1
 * @see Tango 1998, https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8%3C891::AID-SIM780%3E3.0.CO;2-B
 */
export const pairedShareInterval = (gained: number, lost: number, pairs: number): Interval => {
  const upper = (from: number, to: number): number => {
    let [inside, outside] = [(from - to) / pairs, 1];
    for (let round = 0; round < 60; round += 1) {
      const middle = (inside + outside) / 2;
      if (score(from, to, pairs, middle) < -Z_95) outside = middle;
      else inside = middle;
    }
    return (inside + outside) / 2;
  };
  return [-upper(lost, gained), upper(gained, lost)];
};

/** Tango's statistic: how many standard errors the data lie above a difference `delta`, were that the true one. */
const score = (gained: number, lost: number, pairs: number, delta: number): number => {
  const excess = gained - lost - pairs * delta;
  if (excess === 0) return 0;
  const variance = pairs * (2 * lostShare(gained, lost, pairs, delta) + delta * (1 - delta));
  return excess / Math.sqrt(Math.max(0, variance));
};

/** The most likely share of lost pairs, were `delta` the true difference: the larger root of a quadratic equation. */
const lostShare = (gained: number, lost: number, pairs: number, delta: number): number => {
  const b = (2 * pairs - gained + lost) * delta - gained - lost;
  const c = -lost * delta * (1 - delta);
  return (Math.sqrt(Math.max(0, b * b - 8 * pairs * c)) - b) / (4 * pairs);
};
