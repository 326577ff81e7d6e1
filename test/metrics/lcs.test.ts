import { test } from '@fast-check/vitest';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { lcsLength, lcsLengthOfTexts } from '../../src/metrics/lcs.js';
import { codePoints, naiveLcsLength } from './naive.js';

const length = (a: readonly number[], b: readonly number[], alphabetSize?: number): number =>
  lcsLength(Int32Array.from(a), a.length, Int32Array.from(b), b.length, alphabetSize);

const symbols = fc
  .integer({ min: 1, max: 30 })
  .chain((distinct) => fc.array(fc.integer({ min: 0, max: distinct }), { maxLength: 200 }));

test.prop([symbols, symbols])('equals the table of its definition', (a, b) => {
  expect(length(a, b)).toBe(naiveLcsLength(a, b));
});

test.prop([symbols, symbols, symbols, symbols])('with a common beginning and end', (start, a, b, end) => {
  const [first, second] = [
    [...start, ...a, ...end],
    [...start, ...b, ...end],
  ];
  expect(length(first, second)).toBe(start.length + naiveLcsLength(a, b) + end.length);
});

test.each([0, 1, 30, 31, 32, 61, 62, 63, 93, 124, 125])(
  'patterns of %s symbols, at the edge of a word',
  (size) => {
    const a = Array.from({ length: size }, (_, index) => (index * index) % 7);
    const b = Array.from({ length: size + 9 }, (_, index) => (index * 5) % 7);
    expect(length(a, b)).toBe(naiveLcsLength(a, b));
  },
);

test.prop([fc.string({ maxLength: 31 }), fc.string({ maxLength: 100 })])(
  'short texts, in one word',
  (a, b) => {
    expect(lcsLengthOfTexts(a, b)).toBe(naiveLcsLength(codePoints(a), codePoints(b)));
  },
);

test('a longer text than memory is kept for', () => {
  const a = Array.from({ length: 20_000 }, (_, index) => index);
  expect(length(a, a.toReversed(), a.length)).toBe(1);
  expect(
    length(
      a,
      [-1, ...a].slice(1).filter((value) => value % 2 === 0),
    ),
  ).toBe(10_000);
});

test('an alphabet larger than Unicode', () => {
  const a = [5_000_000, 1, 2, 3];
  expect(length(a, [1, 5_000_000, 2, 4_999_999], 5_000_001)).toBe(2);
});
