import { test } from '@fast-check/vitest';
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { exp, log } from '../../src/metrics/exp-log.js';

/** Values that V8's own functions miss by one unit in the last place; correctly rounded, and glibc's. */
describe('the double nearest to the true value, where the built-in misses it', () => {
  test.each([
    { x: 0.19375, logOfX: -1.6411866107486806 },
    { x: 0.6338797814207651, logOfX: -0.45589596173505625 },
    { x: 0.5675675675675675, logOfX: -0.5663954749208014 },
    { x: 3, logOfX: 1.0986122886681098 },
    { x: 48, logOfX: 3.871201010907891 },
  ])('log $x', ({ x, logOfX }) => {
    expect(log(x)).toBe(logOfX);
  });

  test.each([
    { x: -0.9486080215220207, expOfX: 0.38727973348510186 },
    { x: 0.40641954140554937, expOfX: 1.5014323333706774 },
    { x: -25.19692939767699, expOfX: 1.1405454641047452e-11 },
    { x: 4.514235352677983, expOfX: 91.30772111799946 },
  ])('exp $x', ({ x, expOfX }) => {
    expect(exp(x)).toBe(expOfX);
  });
});

test.prop([fc.double({ min: 2 ** -1022, max: 1e300, noNaN: true })])(
  'log is within an ulp of the built-in',
  (x) => {
    expect(Math.abs(log(x) - Math.log(x))).toBeLessThanOrEqual(3e-16 * Math.abs(Math.log(x)));
  },
);

test.prop([fc.double({ min: -690, max: 690, noNaN: true })])('exp is within an ulp of the built-in', (x) => {
  expect(Math.abs(exp(x) - Math.exp(x))).toBeLessThanOrEqual(3e-16 * Math.exp(x));
});

test('the exact values', () => {
  expect(log(1)).toBe(0);
  expect(exp(0)).toBe(1);
  expect(exp(-1e10)).toBe(0);
});
