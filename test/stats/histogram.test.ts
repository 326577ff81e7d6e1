import { test as propertyTest, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { RunningHistogram } from '../../src/stats/histogram.js';

const histogram = (values: readonly number[]) => {
  const running = new RunningHistogram();
  values.forEach((value) => running.add(value));
  return running.toBins();
};

describe('bins', () => {
  test('rewards from 0 to 1 fall into bins of 0.05, 1 into its own', () => {
    const bins = histogram([0, 0.05, 0.3, 0.29, 0.999, 1]);
    expect(bins).toHaveLength(21);
    expect(bins[0]).toEqual({ from: 0, to: 0.05, count: 1 });
    expect(bins[6]).toEqual({ from: 0.3, to: 0.35, count: 1 });
    expect(bins[5].count).toBe(1);
    expect(bins[20]).toEqual({ from: 1, to: 1.05, count: 1 });
  });

  test('two values need few bins', () => {
    const bins = histogram([0, 1, 1]);
    expect(bins.at(0)?.count).toBe(1);
    expect(bins.at(-1)?.count).toBe(2);
  });

  test('judges from 1 to 7 and scores from 0 to 100 fit as well', () => {
    expect(histogram([1, 3.6, 7])).toHaveLength(13);
    expect(histogram([0, 55, 100])).toHaveLength(21);
  });

  test('nothing is binned without values', () => expect(histogram([])).toEqual([]));
});

const values = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { maxLength: 60 });

propertyTest.prop([values])('every value is in exactly one bin', (numbers) => {
  expect(histogram(numbers).reduce((sum, { count }) => sum + count, 0)).toBe(numbers.length);
});

propertyTest.prop([values])('the order of the values does not matter', (numbers) => {
  expect(histogram(numbers.toReversed())).toEqual(histogram(numbers));
});

propertyTest.prop([fc.array(fc.integer({ min: -2000, max: 2000 }), { minLength: 1, maxLength: 40 })])(
  'a value lies between the edges of its bin',
  (hundredths) => {
    for (const value of hundredths.map((n) => n / 100)) {
      const bins = histogram(hundredths.map((n) => n / 100));
      expect(bins.some(({ from, to }) => value >= from - 1e-9 && value < to)).toBe(true);
    }
  },
);

test.each([1e14, 1e16, 1e20, 1e305, Number.MAX_VALUE, -1e20, 5e-324])(
  'a reward of %d is one bin',
  (value) => {
    expect(histogram([value, value])).toHaveLength(1);
    expect(histogram([value, 0, 1]).length).toBeLessThanOrEqual(21);
  },
);
