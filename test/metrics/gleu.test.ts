import { test } from '@fast-check/vitest';
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { gleu } from '../../src/metrics/gleu.js';

const text = fc
  .array(fc.constantFrom('the', 'cat', 'sat', 'on', 'mat', '__proto__', '😀'), { maxLength: 12 })
  .map((words) => words.join(' '));

describe('agrees with NLTK 3.9.1 sentence_gleu', () => {
  test.each([
    { name: 'identical', candidate: 'the cat sat on the mat', reference: 'the cat sat on the mat', score: 1 },
    {
      name: 'one word replaced',
      candidate: 'the cat is on the mat',
      reference: 'the cat sat on the mat',
      score: 0.5,
    },
    {
      name: 'shorter',
      candidate: 'the cat',
      reference: 'the cat sat on the mat',
      score: 0.16666666666666666,
    },
    {
      name: 'longer',
      candidate: 'the cat sat on the mat today',
      reference: 'the cat sat',
      score: 0.2727272727272727,
    },
    {
      name: 'repeats',
      candidate: 'the the the the the',
      reference: 'the cat is on the mat',
      score: 0.1111111111111111,
    },
    { name: 'one word', candidate: 'yes', reference: 'yes', score: 1 },
    { name: 'two words', candidate: 'a b', reference: 'a b', score: 1 },
    { name: 'three words', candidate: 'a b c', reference: 'a b c', score: 1 },
    { name: 'case differs', candidate: 'Yes', reference: 'yes', score: 0 },
    { name: 'nothing shared', candidate: 'dog', reference: 'cat sat', score: 0 },
    { name: 'candidate empty', candidate: '', reference: 'the cat', score: 0 },
    { name: 'reference empty', candidate: 'the cat', reference: '', score: 0 },
    { name: 'both empty', candidate: '', reference: '', score: 0 },
    {
      name: 'reordered',
      candidate: 'on the mat the cat sat',
      reference: 'the cat sat on the mat',
      score: 0.6666666666666666,
    },
    {
      name: 'prototype names',
      candidate: '__proto__ constructor __proto__',
      reference: '__proto__ toString constructor __proto__',
      score: 0.4,
    },
  ])('$name → $score', ({ candidate, reference, score }) => {
    expect(gleu(candidate, reference, { tokenizer: 'whitespace' })).toBe(score);
  });
});

test('the default tokens are those of the hosted service', () => {
  const candidate = 'According to wikipedia, Marie Curie was not born in Paris but in Warsaw.';
  expect(gleu(candidate, 'Marie Curie was born in Warsaw.')).toBe(0.25925925925925924);
});

test.prop([text, text])('is symmetric and stays in [0, 1]', (a, b) => {
  const score = gleu(a, b);
  expect(score).toBe(gleu(b, a));
  expect(score >= 0 && score <= 1).toBe(true);
});

test.prop([text])('a text with words scores 1 against itself', (a) => {
  expect(gleu(a, a)).toBe(a === '' ? 0 : 1);
});

test('only the orders asked for count', () => {
  const pair = ['the cat is on the mat', 'the cat sat on the mat'] as const;
  const whitespace = { tokenizer: 'whitespace' } as const;
  expect(gleu(...pair, { ...whitespace, minLen: 2, maxLen: 2 })).toBe(3 / 5);
  expect(gleu(...pair, { ...whitespace, minLen: 1, maxLen: 1 })).toBe(5 / 6);
  expect(gleu('a b', 'a b', { ...whitespace, minLen: 3 })).toBe(0);
});

test.each([{ minLen: 0 }, { minLen: 5 }, { minLen: 3, maxLen: 2 }, { maxLen: 10 }, { maxLen: Number.NaN }])(
  '$minLen to $maxLen is refused',
  (options) => {
    expect(() => gleu('a', 'a', options)).toThrow(RangeError);
  },
);

test('in lower case', () => {
  expect(gleu('The CAT', 'the cat', { lowercase: true })).toBe(1);
  expect(gleu('The CAT', 'the cat')).toBe(0);
});
