/**
 * Quantile of Student's t distribution.
 *
 * @param probability  in (0, 1)
 * @param degreesOfFreedom  > 0
 * @returns t with P(T <= t) = probability, to about 1e-8 (checked against scipy.stats.t.ppf)
 */
export const studentQuantile = (probability: number, degreesOfFreedom: number): number => {
  if (probability === 0.5) return 0;
  if (probability < 0.5) return -studentQuantile(1 - probability, degreesOfFreedom);
  // Bisection on the monotone tail; 2^200 covers the heaviest tail (one degree of freedom) many times over.
  let low = 0;
  let high = 1;
  while (studentTail(high, degreesOfFreedom) > 1 - probability) high *= 2;
  for (let round = 0; round < 200 && high - low > 1e-15 * high; round += 1) {
    const middle = (low + high) / 2;
    if (studentTail(middle, degreesOfFreedom) > 1 - probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
};

/** P(T > t) for t >= 0: half of the regularized incomplete beta function at ν / (ν + t²). */
export const studentTail = (t: number, degreesOfFreedom: number): number =>
  regularizedBeta(
    degreesOfFreedom / (degreesOfFreedom + t * t),
    (t * t) / (degreesOfFreedom + t * t),
    degreesOfFreedom / 2,
    0.5,
  ) / 2;

/**
 * Regularized incomplete beta function I_x(a, b), by its continued fraction (Abramowitz & Stegun 26.5.8) evaluated
 * with Lentz's method. Takes y = 1 − x as well, which the subtraction would not give exactly where x is near 1.
 */
const regularizedBeta = (x: number, y: number, a: number, b: number): number => {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  // The fraction converges fast only below the mean of the distribution; above it the symmetry helps.
  if (x > (a + 1) / (a + b + 2)) return 1 - regularizedBeta(y, x, b, a);
  const logX = x < 0.5 ? Math.log(x) : Math.log1p(-y);
  const logY = y < 0.5 ? Math.log(y) : Math.log1p(-x);
  const logFront = a * logX + b * logY - logBeta(a, b);
  return (Math.exp(logFront) * betaFraction(x, a, b)) / a;
};

const TINY = 1e-300;
const awayFromZero = (value: number): number => (Math.abs(value) < TINY ? TINY : value);

const betaFraction = (x: number, a: number, b: number): number => {
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 500; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / awayFromZero(1 + even * d);
    c = awayFromZero(1 + even / c);
    fraction *= d * c;
    d = 1 / awayFromZero(1 + odd * d);
    c = awayFromZero(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return fraction;
};

/**
 * ln B(a, b) = ln Γ(a) + ln Γ(b) − ln Γ(a + b). Where one argument is large, ln Γ(large + small) − ln Γ(large) is taken
 * as one expression: as two it would lose every digit at a million rows.
 */
const logBeta = (a: number, b: number): number => {
  const small = Math.min(a, b);
  const large = Math.max(a, b);
  if (large < 10) return logGamma(a) + logGamma(b) - logGamma(a + b);
  const sum = large + small;
  const growth = small * Math.log(large) + (sum - 0.5) * Math.log1p(small / large) - small;
  return logGamma(small) - growth - stirling(sum) + stirling(large);
};

/** ln Γ(x) for x > 0: the recurrence up to 10, then Stirling's series. */
const logGamma = (x: number): number => {
  let shift = 0;
  let z = x;
  for (; z < 10; z += 1) shift -= Math.log(z);
  return shift + (z - 0.5) * Math.log(z) - z + Math.log(2 * Math.PI) / 2 + stirling(z);
};

/** The tail of Stirling's series (Abramowitz & Stegun 6.1.41), for z >= 10: what ln Γ(z) lacks without it. */
export const stirling = (z: number): number => {
  const r = 1 / (z * z);
  return (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r * (1 / 1188 - (r * 691) / 360360))))) / z;
};
