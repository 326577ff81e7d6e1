import { test } from '@fast-check/vitest';
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { lcsLength, lcsLengthOfTexts } from '../../src/metrics/lcs.js';
import { codePoints, naiveLcsLength } from './naive.js';

const length = (a: readonly number[], b: readonly number[], alphabetSize?: number): number =>
  lcsLength(Int32Array.from(a), a.length, Int32Array.from(b), b.length, alphabetSize);

/** Hyyrö's rows over one number as long as the pattern: slow, but quick enough for texts of thousands of symbols. */
const lcsLengthInBigInts = (a: readonly unknown[], b: readonly unknown[]): number => {
  const masks = new Map<unknown, bigint>();
  for (const [i, symbol] of a.entries()) masks.set(symbol, (masks.get(symbol) ?? 0n) | (1n << BigInt(i)));
  const all = (1n << BigInt(a.length)) - 1n;
  let state = all;
  for (const symbol of b) {
    const hits = state & (masks.get(symbol) ?? 0n);
    state = ((state + hits) | (state - hits)) & all;
  }
  return (state ^ all).toString(2).replaceAll('0', '').length;
};

const symbols = fc
  .integer({ min: 1, max: 30 })
  .chain((distinct) => fc.array(fc.integer({ min: 0, max: distinct }), { maxLength: 400 }));

/** Latin-1, or with CJK, surrogate pairs and halves of them that stand alone. */
const text = fc
  .constantFrom(['a', 'b', ' ', 'é', 'ÿ', '\0'], ['a', '漢', '字', '\u0100', '😀', '😁', '\ud83d', '\ude00'])
  .chain((alphabet) => fc.array(fc.constantFrom(...alphabet), { maxLength: 600 }))
  .map((characters) => characters.join(''));

test.prop([symbols, symbols])('equals the table of its definition', (a, b) => {
  expect(length(a, b)).toBe(naiveLcsLength(a, b));
  expect(lcsLengthInBigInts(a, b)).toBe(naiveLcsLength(a, b));
});

test.prop([symbols, symbols, symbols, symbols])('with a common beginning and end', (start, a, b, end) => {
  const [first, second] = [
    [...start, ...a, ...end],
    [...start, ...b, ...end],
  ];
  expect(length(first, second)).toBe(start.length + naiveLcsLength(a, b) + end.length);
});

test.prop([text, text])('of texts, in code points', (a, b) => {
  expect(lcsLengthOfTexts(a, b)).toBe(lcsLengthInBigInts(codePoints(a), codePoints(b)));
});

test.prop([fc.string({ maxLength: 31 }), fc.string({ maxLength: 100 })])(
  'short texts, in one word',
  (a, b) => {
    expect(lcsLengthOfTexts(a, b)).toBe(naiveLcsLength(codePoints(a), codePoints(b)));
  },
);

test.prop([fc.array(text, { minLength: 1, maxLength: 4 }), fc.array(text, { maxLength: 12 })])(
  'the same reference again and others between',
  (references, candidates) => {
    for (const [index, candidate] of candidates.entries()) {
      const reference = references[(index >> 1) % references.length];
      expect(lcsLengthOfTexts(candidate, reference)).toBe(
        lcsLengthInBigInts(codePoints(candidate), codePoints(reference)),
      );
    }
  },
);

describe('patterns at the edges of words and stripes', () => {
  const sizes = [0, 1, 30, 31, 32, 62, 63, 64, 125, 126, 127, 189, 190, 251, 252, 253, 315, 316, 504, 505];
  test.each(sizes)('%s symbols', (size) => {
    for (const more of [0, 1, 2, 9]) {
      const a = Array.from({ length: size }, (_, index) => (index * index) % 7);
      const b = Array.from({ length: size + more }, (_, index) => (index * 5) % 7);
      const expected = naiveLcsLength(a, b);
      expect(length(a, b)).toBe(expected);
      const [first, second] = [a, b].map((list) => String.fromCharCode(...list.map((symbol) => 97 + symbol)));
      expect(lcsLengthOfTexts(first, second)).toBe(expected);
      expect(lcsLengthOfTexts(second, first)).toBe(expected);
    }
  });
});

/** The list with so many insertions and deletions, all in one part of it. */
const edited = (list: readonly number[], places: readonly number[], part: number): number[] => {
  const result = [...list];
  for (const place of places) {
    const at = Math.floor((place / 1000) * result.length * part);
    if (place % 2 === 0) result.splice(at, 1);
    else result.splice(at, 0, place % 17);
  }
  return result;
};

describe('long texts, where a first look sees only the cells near the diagonal', () => {
  const edits = fc.array(fc.integer({ min: 0, max: 999 }), { maxLength: 1500 });
  const size = fc.integer({ min: 2990, max: 4100 });

  test.prop([size, fc.integer({ min: 2, max: 60 }), edits, fc.constantFrom(1, 0.1)], { numRuns: 40 })(
    'equals the whole table',
    (size, distinct, edits, part) => {
      const a = Array.from({ length: size }, (_, index) => (index * index + (index >> 3)) % distinct);
      const b = edited(a, edits, part);
      const expected = lcsLengthInBigInts(a, b);
      expect(length(a, b)).toBe(expected);
      const [first, second] = [a, b].map((list) => String.fromCharCode(...list.map((symbol) => 48 + symbol)));
      expect(lcsLengthOfTexts(first, second)).toBe(expected);
    },
  );

  test.each([100, 1000, 2500])('a beginning of %s symbols moved to the end', (moved) => {
    const a = Array.from({ length: 5000 }, (_, index) => (index * index + (index >> 2)) % 31);
    const b = [...a.slice(moved), ...a.slice(0, moved)];
    expect(length(a, b)).toBe(lcsLengthInBigInts(a, b));
  });
});

describe('many symbols', () => {
  test('20,000 of them', () => {
    const a = Array.from({ length: 20_000 }, (_, index) => index);
    expect(length(a, a.toReversed(), a.length)).toBe(1);
    expect(
      length(
        a,
        a.filter((value) => value % 2 === 0),
      ),
    ).toBe(10_000);
  });

  test('an alphabet larger than Unicode', () => {
    const a = [5_000_000, 1, 2, 3];
    expect(length(a, [1, 5_000_000, 2, 4_999_999], 5_000_001)).toBe(2);
  });

  test('after more memory than is kept', () => {
    const long = 'ab'.repeat(10_000_000);
    expect(lcsLengthOfTexts(`x${long}`, `${long}y`)).toBe(long.length);
    expect(lcsLengthOfTexts('kitten'.repeat(20), 'sitting'.repeat(20))).toBe(
      lcsLengthInBigInts(codePoints('kitten'.repeat(20)), codePoints('sitting'.repeat(20))),
    );
  });
});
