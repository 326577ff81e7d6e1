import { studentQuantile } from './student.js';

/** Lower and upper end. */
export type Interval = readonly [low: number, high: number];

/** The standard normal quantile for a two-sided 95 % interval. */
const Z_95 = 1.959963984540054;

/**
 * 95 % confidence interval of a mean, by Student's t distribution.
 *
 * @param variance  sample variance (divided by n − 1)
 * @returns undefined where no spread has been seen: below two values, or when all are equal
 */
export const meanInterval = (mean: number, variance: number, count: number): Interval | undefined => {
  if (count < 2 || variance === 0) return undefined;
  const reach = studentQuantile(0.975, count - 1) * Math.sqrt(variance / count);
  return [mean - reach, mean + reach];
};

/**
 * 95 % confidence interval of a share, by Wilson's score method: it stays inside [0, 1] and holds its level also for
 * few rows and shares near 0 or 1.
 *
 * @see Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953
 */
export const shareInterval = (successes: number, total: number): Interval | undefined => {
  if (total === 0) return undefined;
  const share = successes / total;
  const z2 = Z_95 * Z_95;
  const centre = (share + z2 / (2 * total)) / (1 + z2 / total);
  const reach =
    (Z_95 / (1 + z2 / total)) * Math.sqrt((share * (1 - share)) / total + z2 / (4 * total * total));
  return [
    successes === 0 ? 0 : Math.max(0, centre - reach),
    successes === total ? 1 : Math.min(1, centre + reach),
  ];
};
