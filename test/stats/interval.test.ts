import { test as propertyTest, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { meanInterval, shareInterval } from '../../src/stats/interval.js';
import { studentQuantile } from '../../src/stats/student.js';

describe('agrees with scipy.stats.t.ppf', () => {
  test.each([
    [0.975, 1, 12.706204736174694],
    [0.975, 2, 4.302652729749462],
    [0.975, 5, 2.5705818356363146],
    [0.975, 29, 2.045229642132703],
    [0.975, 999, 1.9623414611334493],
    [0.975, 1e6, 1.959966356814107],
    [0.975, 1e9, 1.959963986912325],
    [0.9, 3, 1.637744353696209],
    [0.999, 7, 4.785289628638333],
    [0.6, 11.5, 0.2592828129211367],
    [0.025, 5, -2.5705818356363146],
    [0.5, 5, 0],
  ])('quantile %d with %d degrees of freedom', (probability, degreesOfFreedom, expected) => {
    const found = studentQuantile(probability, degreesOfFreedom);
    expect(Math.abs(found - expected)).toBeLessThan(1e-8 * Math.max(1, Math.abs(expected)));
  });
});

describe('agrees with statsmodels proportion_confint(method="wilson")', () => {
  test.each([
    [0, 1, 0, 0.7934506856227627],
    [1, 1, 0.2065493143772374, 1],
    [0, 10, 0, 0.27753279986288926],
    [10, 10, 0.7224672001371106, 1],
    [5, 10, 0.23659309051256394, 0.7634069094874361],
    [807, 1319, 0.5852387964591007, 0.6377660073538906],
    [999999, 1000000, 0.9999943350881957, 0.9999998234754233],
  ])('%d of %d', (successes, total, low, high) => {
    const interval = shareInterval(successes, total);
    expect(interval?.[0]).toBeCloseTo(low, 12);
    expect(interval?.[1]).toBeCloseTo(high, 12);
  });

  test('nothing can be said without rows', () => expect(shareInterval(0, 0)).toBeUndefined());
});

describe('interval of a mean', () => {
  test('agrees with scipy.stats.t.interval', () => {
    // 0.1, 0.25, 0.9, 1.0, 0.33
    const [low, high] = meanInterval(0.516, 0.16503, 5) ?? [];
    expect(low).toBeCloseTo(0.01158785024905773, 10);
    expect(high).toBeCloseTo(1.0204121497509422, 10);
  });

  test('needs two values that differ', () => {
    expect(meanInterval(1, 0, 1)).toBeUndefined();
    expect(meanInterval(1, 0, 3)).toBeUndefined();
  });

  propertyTest.prop([
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.double({ min: 1e-9, max: 1e6, noNaN: true }),
    fc.integer({ min: 2, max: 1e7 }),
  ])('holds the mean in its middle', (mean, variance, count) => {
    const [low, high] = meanInterval(mean, variance, count) ?? [NaN, NaN];
    expect(low).toBeLessThanOrEqual(mean);
    expect(high).toBeGreaterThanOrEqual(mean);
  });
});
