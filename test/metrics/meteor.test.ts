import { test } from '@fast-check/vitest';
import { array, constantFrom, string } from 'fast-check';
import { describe, expect } from 'vitest';
import { meteor, meteorOfTokens } from '../../src/metrics/meteor.js';

const repeated = (text: string): string[] => Array.from({ length: 100_000 / (text.length + 1) }, () => text);

const split = (text: string): string[] => text.split(' ').filter((token) => token !== '');

describe('agrees with NLTK 3.9.1 meteor_score over WordNet 3.0', () => {
  test.each([
    {
      name: 'identical',
      candidate: 'the cat sat on the mat',
      reference: 'the cat sat on the mat',
      score: 0.9976851851851852,
    },
    { name: 'one word', candidate: 'yes', reference: 'yes', score: 0.5 },
    { name: 'case is ignored', candidate: 'paris', reference: 'Paris', score: 0.5 },
    {
      name: 'half the reference',
      candidate: 'the cat',
      reference: 'the cat sat on the mat',
      score: 0.17857142857142855,
    },
    {
      name: 'all of a short reference',
      candidate: 'the cat sat on the mat',
      reference: 'the cat',
      score: 0.4166666666666667,
    },
    {
      name: 'another order',
      candidate: 'on the mat sat the cat',
      reference: 'the cat sat on the mat',
      score: 0.5,
    },
    { name: 'equal stems', candidate: 'cats sitting', reference: 'cat sits', score: 0.9375 },
    {
      name: 'stems that have no synonyms',
      candidate: 'a big car',
      reference: 'a large automobile',
      score: 0.16666666666666666,
    },
    { name: 'an irregular form as synonym', candidate: 'better', reference: 'good', score: 0.5 },
    { name: 'synonyms of a stem that is no word', candidate: 'happy', reference: 'felicitous', score: 0 },
    { name: 'synonyms crosswise', candidate: 'run break', reference: 'break run', score: 0.5 },
    {
      name: 'the last free synonym',
      candidate: 'purchase auto cars',
      reference: 'buy car machine automobile',
      score: 0.12820512820512822,
    },
    { name: 'a phrase as token', candidate: 'ice_cream', reference: 'icecream', score: 0.5 },
    {
      name: 'a marker is no part of an adjective',
      candidate: 'it is able (p)',
      reference: 'capable it was',
      score: 0.16129032258064518,
    },
    { name: 'repeats match once', candidate: 'the the the', reference: 'the', score: 0.4166666666666667 },
    {
      name: 'repeats match from the end',
      candidate: 'a b c a b c',
      reference: 'c b a',
      score: 0.45454545454545453,
    },
    { name: 'not ASCII', candidate: '😀 日本語', reference: '日本語 😀', score: 0.5 },
    {
      name: 'members of every object',
      candidate: '__proto__ constructor toString',
      reference: 'constructor __proto__ hasOwnProperty',
      score: 0.3333333333333333,
    },
    { name: 'empty candidate', candidate: '', reference: 'x', score: 0 },
    { name: 'empty reference', candidate: 'x', reference: '', score: 0 },
    { name: 'both empty', candidate: '', reference: '', score: 0 },
  ])('$name → $score', ({ candidate, reference, score }) => {
    expect(meteorOfTokens(split(candidate), split(reference))).toBeCloseTo(score, 12);
    expect(meteor(candidate, reference, { tokenizer: 'whitespace' })).toBeCloseTo(score, 12);
  });

  test('with other weights', () => {
    const weights = { alpha: 0.5, beta: 1, gamma: 0.2 };
    expect(meteorOfTokens(['a', 'cat', 'sat'], ['the', 'cat', 'sat', 'quickly'], weights)).toBeCloseTo(
      0.5142857142857143,
      12,
    );
  });
});

test('gives the value that Microsoft documents for its METEOR evaluator', () => {
  const candidate = 'According to wikipedia, Marie Curie was not born in Paris but in Warsaw.';
  expect(meteor(candidate, 'Marie Curie was born in Warsaw.')).toBeCloseTo(0.8621140763997908, 12);
});

test('without synonyms only equal words and stems match', () => {
  expect(meteor('better', 'good')).toBe(0.5);
  expect(meteor('better', 'good', { synonyms: false })).toBe(0);
  expect(meteor('cats', 'cat', { synonyms: false })).toBe(0.5);
});

test.each([{ alpha: 1.5 }, { alpha: -0.1 }, { beta: -1 }, { gamma: 2 }, { gamma: Number.NaN }])(
  '%j is refused',
  (weights) => {
    expect(() => meteor('a', 'a', weights)).toThrow(RangeError);
  },
);

test('a reference that comes again gives what it gives the first time', () => {
  const references = ['the cats sat', '', 'a good car', 'the cats sat'];
  const candidates = ['cat sits', 'The auto best', '', 'the cats sat'];
  const alone = references.map((reference) =>
    candidates.map((candidate) => meteorOfTokens(split(candidate), split(reference))),
  );
  const together = references.map((reference) =>
    candidates.map((candidate) => meteor(candidate, reference, { tokenizer: 'whitespace' })),
  );
  expect(together).toEqual(alone);
});

test('a tokenizer can be a function', () => {
  expect(meteor('ab', 'ab', { tokenizer: (text) => Array.from(text) })).toBe(0.9375);
});

describe('any texts', () => {
  const word = constantFrom(
    'run',
    'runs',
    'ran',
    'break',
    'car',
    'cars',
    'auto',
    'The',
    'the',
    'good',
    'best',
    '.',
    '数',
    '__proto__',
  );
  const tokens = array(word, { maxLength: 30 });

  test.prop([tokens, tokens])('the score is in [0, 1]', (candidate, reference) => {
    const score = meteorOfTokens(candidate, reference);
    expect(score >= 0 && score <= 1).toBe(true);
  });

  test.prop([string({ unit: 'binary' }), string({ unit: 'binary' })])(
    'raw text too',
    (candidate, reference) => {
      const score = meteor(candidate, reference);
      expect(score >= 0 && score <= 1).toBe(true);
    },
  );

  test.prop([array(word, { minLength: 1, maxLength: 30 })])('identical texts are one chunk', (tokens) => {
    expect(meteorOfTokens(tokens, tokens)).toBeCloseTo(1 - 0.5 / tokens.length ** 3, 12);
  });

  test.prop([tokens, tokens])('synonyms never lower the number of matches', (candidate, reference) => {
    // Without a penalty the score is the harmonic mean alone, which grows with the matches.
    const withSynonyms = meteorOfTokens(candidate, reference, { gamma: 0 });
    expect(withSynonyms).toBeGreaterThanOrEqual(
      meteorOfTokens(candidate, reference, { gamma: 0, synonyms: false }),
    );
  });
});

describe('100,000 characters take linear time', () => {
  test.each([
    { name: 'one word, equal', candidate: repeated('a'), reference: repeated('a') },
    { name: 'a word of many synonyms', candidate: repeated('break'), reference: repeated('interrupt') },
    {
      name: 'words that all differ',
      candidate: repeated('x').map((_, i) => `${i}a`),
      reference: repeated('x').map((_, i) => `${i}b`),
    },
  ])('$name', ({ candidate, reference }) => {
    const start = performance.now();
    meteorOfTokens(candidate, reference);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});
