import { test as propertyTest, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { RunningMoments } from '../../src/stats/running.js';

const momentsOf = (values: readonly number[]) => {
  const moments = new RunningMoments();
  values.forEach((value) => moments.add(value));
  return moments;
};

describe('the mean', () => {
  test.each([
    { ones: 8, of: 10 },
    { ones: 1, of: 3000 },
    { ones: 2999, of: 3000 },
  ])('of $ones ones of $of is their share, in any order', ({ ones, of }) => {
    const values = Array.from({ length: of }, (_, index) => (index < ones ? 1 : 0));
    expect(momentsOf(values).mean).toBe(ones / of);
    expect(momentsOf(values.toReversed()).mean).toBe(ones / of);
  });

  test('keeps what a plain sum would lose', () => expect(momentsOf([1e16, 1, -1e16]).mean).toBe(1 / 3));
  test('of huge values is finite', () => expect(momentsOf([1.7e308, 1.7e308]).mean).toBe(1.7e308));
  test('of nothing is undefined', () => expect(momentsOf([]).mean).toBeUndefined());
});

test('the variance survives a mean that is large against the spread', () => {
  expect(momentsOf([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]).variance).toBe(30);
});

propertyTest.prop([
  fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 50 }),
])('variance agrees with two passes', (values) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  expect(momentsOf(values).variance).toBeCloseTo(squares / (values.length - 1), 2);
});
