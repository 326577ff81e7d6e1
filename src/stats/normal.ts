/** The standard normal quantile for a two-sided 95 % interval. */
export const Z_95 = 1.959963984540054;
/** The standard normal quantile for a power of 80 %. */
export const Z_80_POWER = 0.8416212335729143;

/**
 * P(Z > z) of the standard normal distribution, with full relative precision also far out.
 *
 * Below 2.5 by the series of the area from 0 to z (Abramowitz & Stegun 26.2.11), beyond by the continued fraction of
 * Mills' ratio (26.2.14).
 */
export const normalTail = (z: number): number => {
  if (z < 0) return 1 - normalTail(-z);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  return z < 2.5 ? 0.5 - density * areaSeries(z) : density * millsRatio(z);
};

const areaSeries = (z: number): number => {
  let term = z;
  let sum = z;
  for (let odd = 3; term > sum * 1e-17; odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return sum;
};

/** Enough steps of the fraction for 2.5; it needs fewer the larger z is. */
const MILLS_STEPS = 120;

const millsRatio = (z: number): number => {
  let fraction = z;
  for (let step = MILLS_STEPS; step >= 1; step -= 1) fraction = z + step / fraction;
  return 1 / fraction;
};
