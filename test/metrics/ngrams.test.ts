import { test } from '@fast-check/vitest';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { clippedMatches, ngramCount } from '../../src/metrics/ngrams.js';

const tokens = fc.array(fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor', '', ' '), {
  maxLength: 40,
});
const MAX_ORDER = 5;

/** By the definition: count both sides, take the smaller count of each n-gram. */
const naiveMatches = (candidate: readonly string[], reference: readonly string[], order: number): number => {
  const count = (text: readonly string[]): Map<string, number> => {
    const counts = new Map<string, number>();
    for (let start = 0; start + order <= text.length; start++) {
      const ngram = JSON.stringify(text.slice(start, start + order));
      counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
    }
    return counts;
  };
  const ofReference = count(reference);
  let matches = 0;
  for (const [ngram, times] of count(candidate)) matches += Math.min(times, ofReference.get(ngram) ?? 0);
  return matches;
};

test.prop([tokens, tokens])('equals the definition, for every order at once', (candidate, reference) => {
  expect(clippedMatches(candidate, reference, MAX_ORDER)).toEqual(
    [1, 2, 3, 4, 5].map((order) => naiveMatches(candidate, reference, order)),
  );
});

test('a repeated n-gram matches as often as the reference has it', () => {
  expect(clippedMatches(['the', 'the', 'the'], ['the', 'cat', 'the'], 2)).toEqual([2, 0]);
});

test('names of object properties are words like others', () => {
  expect(clippedMatches(['__proto__', 'toString'], ['toString', '__proto__'], 2)).toEqual([2, 0]);
});

test('a long text, whose table is not kept, and a short one after it', () => {
  const long = Array.from({ length: 50_000 }, (_, index) => `w${index % 30_000}`);
  expect(clippedMatches(long, long, 4)).toEqual([50_000, 49_999, 49_998, 49_997]);
  expect(clippedMatches(['w1', 'w2'], ['w2', 'w1', 'w2'], 3)).toEqual([2, 1, 0]);
});

test('one word, 100,000 times', () => {
  const repeated = Array.from({ length: 100_000 }, () => 'a');
  expect(clippedMatches(repeated, ['a', 'a', 'b'], 2)).toEqual([2, 1]);
});

test('a text has no n-grams of an order longer than itself', () => {
  expect([0, 1, 2, 3].map((length) => ngramCount(length, 2))).toEqual([0, 0, 1, 2]);
});
