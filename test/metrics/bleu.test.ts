import { test } from '@fast-check/vitest';
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { bleu, NLTK_SMOOTHINGS, SACREBLEU_SMOOTHINGS } from '../../src/metrics/bleu.js';

/** Those whose values are in the tables below; golden.test.ts has the others, too. */
const TABLED_SMOOTHINGS = ['method0', 'method1', 'method2', 'method3', 'method4'] as const;

/** One word in many repeats, and words that are also names of object properties. */
const text = fc
  .array(fc.constantFrom('the', 'cat', 'sat', 'on', 'mat', '__proto__', 'constructor', '😀', '日本'), {
    maxLength: 12,
  })
  .map((words) => words.join(' '));

describe('agrees with NLTK 3.9.1 sentence_bleu, method0 to method4', () => {
  test.each([
    {
      name: 'identical',
      candidate: 'the cat sat on the mat',
      reference: 'the cat sat on the mat',
      scores: [1, 1, 1, 1, 1],
    },
    {
      name: 'one word replaced',
      candidate: 'the cat is on the mat',
      reference: 'the cat sat on the mat',
      scores: [
        7.262123179505913e-78, 0.25406637407730737, 0.48549177170732344, 0.37991784282579627,
        0.293945703509473,
      ],
    },
    {
      name: 'shorter',
      candidate: 'the cat',
      reference: 'the cat sat on the mat',
      scores: [
        2.018753310664318e-155, 0.04279677428117006, 0.09569649651041094, 0.08047084086794415,
        0.029961687346935995,
      ],
    },
    {
      name: 'longer',
      candidate: 'the cat sat on the mat today',
      reference: 'the cat sat',
      scores: [
        5.021333847570327e-78, 0.16348126556655487, 0.33265096878635064, 0.24446151121745052,
        0.19308506685901675,
      ],
    },
    {
      name: 'repeats',
      candidate: 'the the the the the',
      reference: 'the cat is on the mat',
      scores: [
        1.1862177682648818e-231, 0.05231223689135342, 0.23394743548827707, 0.10400597689005309,
        0.0444463871528882,
      ],
    },
    {
      name: 'one word',
      candidate: 'yes',
      reference: 'yes',
      scores: [1.821831989445342e-231, 0.1778279410038923, 0.5946035575013605, 0.3535533905932738, 1],
    },
    {
      name: 'two words',
      candidate: 'a b',
      reference: 'a b',
      scores: [
        1.491668146240062e-154,
        0.316227766016838,
        Math.SQRT1_2,
        0.5946035575013605,
        0.2213885886251307,
      ],
    },
    {
      name: 'three words',
      candidate: 'a b c',
      reference: 'a b c',
      scores: [
        1.2213386697554703e-77, 0.5623413251903491, 0.8408964152537145, 0.8408964152537145,
        0.5757197301274735,
      ],
    },
    { name: 'case differs', candidate: 'Yes', reference: 'yes', scores: [0, 0, 0, 0, 0] },
    { name: 'nothing shared', candidate: 'dog', reference: 'cat sat', scores: [0, 0, 0, 0, 0] },
    { name: 'candidate empty', candidate: '', reference: 'the cat', scores: [0, 0, 0, 0, 0] },
    { name: 'reference empty', candidate: 'the cat', reference: '', scores: [0, 0, 0, 0, 0] },
    { name: 'both empty', candidate: '', reference: '', scores: [0, 0, 0, 0, 0] },
    {
      name: 'reordered',
      candidate: 'on the mat the cat sat',
      reference: 'the cat sat on the mat',
      scores: [
        9.712948939678164e-78, 0.33980884896942454, 0.5946035575013605, 0.5081327481546147,
        0.3931466788228678,
      ],
    },
    {
      name: 'prototype names',
      candidate: '__proto__ constructor __proto__',
      reference: '__proto__ toString constructor __proto__',
      scores: [
        8.987727354491445e-155, 0.19053627645285995, 0.45782273986766686, 0.35826565528689464,
        0.16793545727180179,
      ],
    },
  ])('$name', ({ candidate, reference, scores }) => {
    for (const [index, smoothing] of TABLED_SMOOTHINGS.entries()) {
      const score = bleu(candidate, reference, { tokenizer: 'whitespace', smoothing });
      // Relative, too: method0 gives scores like 1e-231.
      expect(Math.abs(score - scores[index])).toBeLessThanOrEqual(2.3e-16 * scores[index]);
    }
  });

  test.each([
    { candidate: 'yes', reference: 'yes', score: 1 },
    { candidate: 'a b', reference: 'a b', score: 1 },
    { candidate: 'a b c', reference: 'a b d', score: 1.9501786259064824e-103 },
    { candidate: 'a b', reference: 'a b c', score: 0.6065306597126334 },
  ])('auto_reweigh: $candidate', ({ candidate, reference, score }) => {
    const options = { tokenizer: 'whitespace', smoothing: 'method0', effectiveOrder: true } as const;
    expect(bleu(candidate, reference, options)).toBeCloseTo(score, 15);
  });
});

describe('agrees with sacreBLEU 2.5.1 sentence_bleu / 100', () => {
  test.each([
    {
      name: 'identical',
      candidate: 'the cat sat on the mat',
      reference: 'the cat sat on the mat',
      scores: {
        exp: 1.0000000000000004,
        floor: 1.0000000000000004,
        'add-k': 1.0000000000000004,
        none: 1.0000000000000004,
      },
    },
    {
      name: 'one word replaced',
      candidate: 'the cat is on the mat',
      reference: 'the cat sat on the mat',
      scores: { exp: 0.3799178428257963, floor: 0.2540663740773073, 'add-k': 0.48549177170732355, none: 0 },
    },
    {
      name: 'shorter',
      candidate: 'the cat',
      reference: 'the cat sat on the mat',
      scores: {
        exp: 0.13533528323661276,
        floor: 0.13533528323661276,
        'add-k': 0.13533528323661276,
        none: 0.13533528323661276,
      },
    },
    {
      name: 'longer',
      candidate: 'the cat sat on the mat today',
      reference: 'the cat sat',
      scores: { exp: 0.24446151121745052, floor: 0.16348126556655485, 'add-k': 0.33265096878635064, none: 0 },
    },
    {
      name: 'repeats',
      candidate: 'the the the the the',
      reference: 'the cat is on the mat',
      scores: { exp: 0.10400597689005303, floor: 0.05231223689135343, 'add-k': 0.23394743548827704, none: 0 },
    },
    {
      name: 'one word',
      candidate: 'yes',
      reference: 'yes',
      scores: {
        exp: 1.0000000000000004,
        floor: 1.0000000000000004,
        'add-k': 1.0000000000000004,
        none: 1.0000000000000004,
      },
    },
    {
      name: 'case differs',
      candidate: 'Yes',
      reference: 'yes',
      scores: { exp: 0, floor: 0, 'add-k': 0, none: 0 },
    },
    {
      name: 'reordered',
      candidate: 'on the mat the cat sat',
      reference: 'the cat sat on the mat',
      scores: { exp: 0.508132748154615, floor: 0.33980884896942454, 'add-k': 0.5946035575013604, none: 0 },
    },
    {
      name: 'numbers and punctuation',
      candidate: 'It costs $3.88, not 4.',
      reference: 'It costs $3.88.',
      scores: {
        exp: 0.3655552228545123,
        floor: 0.3655552228545123,
        'add-k': 0.4596613576124591,
        none: 0.3655552228545123,
      },
    },
    {
      name: 'last hyphen',
      candidate: 'foo bar-\n',
      reference: 'foo bar-',
      scores: {
        exp: 1.0000000000000004,
        floor: 1.0000000000000004,
        'add-k': 1.0000000000000004,
        none: 1.0000000000000004,
      },
    },
  ])('$name', ({ candidate, reference, scores }) => {
    for (const smoothing of SACREBLEU_SMOOTHINGS) {
      // sacreBLEU's own 1.0000000000000004 is cut to 1.
      expect(bleu(candidate, reference, { tokenizer: '13a', smoothing })).toBeCloseTo(scores[smoothing], 14);
    }
  });

  test('without effective order a short text scores 0', () => {
    const options = { tokenizer: '13a', smoothing: 'exp', effectiveOrder: false } as const;
    expect(bleu('a b c', 'a b c', options)).toBe(0);
    expect(bleu('a b c d', 'a b c d', options)).toBe(1);
  });
});

test('the default is method4 over the tokens of the hosted service', () => {
  const candidate = 'According to wikipedia, Marie Curie was not born in Paris but in Warsaw.';
  expect(bleu(candidate, 'Marie Curie was born in Warsaw.')).toBe(0.1550967560878879);
});

test('a tokenizer can be a function', () => {
  expect(bleu('abcd', 'abcd', { tokenizer: (text) => text.split('') })).toBe(1);
});

test.prop([text, text, fc.constantFrom(...NLTK_SMOOTHINGS, ...SACREBLEU_SMOOTHINGS), fc.boolean()])(
  'stays in [0, 1]',
  (candidate, reference, smoothing, effectiveOrder) => {
    const score = bleu(candidate, reference, { tokenizer: 'whitespace', smoothing, effectiveOrder });
    expect(score >= 0 && score <= 1).toBe(true);
  },
);

test.prop([text, text])('a candidate of other words scores 0', (a, b) => {
  const foreign = a.replaceAll(/\S+/gu, (word) => `${word}_`);
  expect(bleu(foreign, b, { tokenizer: 'whitespace' })).toBe(0);
});

test('leaving words out costs the brevity penalty', () => {
  const reference = 'one two three four five six seven eight';
  expect(bleu('one two three four', reference, { tokenizer: 'whitespace' })).toBeCloseTo(
    Math.exp(1 - 8 / 4),
    15,
  );
});

describe('orders and weights', () => {
  const candidate = 'the cat is on the mat today';
  const reference = 'the cat sat on the mat';
  const whitespace = { tokenizer: 'whitespace' } as const;

  test.each(NLTK_SMOOTHINGS)('%s: equal weights are the same as the order alone', (smoothing) => {
    for (let maxOrder = 1; maxOrder <= 9; maxOrder++) {
      const weights = Array.from({ length: maxOrder }, () => 1 / maxOrder);
      expect(bleu(candidate, reference, { ...whitespace, smoothing, weights })).toBe(
        bleu(candidate, reference, { ...whitespace, smoothing, maxOrder }),
      );
    }
  });

  test('the order 1 is the precision of words, with its penalty', () => {
    expect(bleu(candidate, reference, { ...whitespace, maxOrder: 1 })).toBeCloseTo(5 / 7, 15);
    expect(bleu(candidate, reference, { ...whitespace, maxOrder: 1, smoothing: 'exp' })).toBeCloseTo(
      5 / 7,
      15,
    );
  });

  test('a weight of 0 leaves an order out', () => {
    const weights = [1, 0, 0, 0];
    expect(bleu(candidate, reference, { ...whitespace, weights })).toBeCloseTo(5 / 7, 15);
  });

  test.each([
    { options: { maxOrder: 0 }, message: 'orders 1 to 0' },
    { options: { maxOrder: 10 }, message: 'orders 1 to 10' },
    { options: { maxOrder: 1.5 }, message: 'whole numbers from 1 to 9' },
    { options: { weights: [] }, message: 'orders 1 to 0' },
    { options: { weights: [0.5, -0.5] }, message: 'weights 0.5, -0.5' },
    { options: { weights: [Number.NaN] }, message: 'weights NaN' },
    { options: { weights: [1], maxOrder: 1 }, message: 'weights and maxOrder' },
    { options: { weights: [1], smoothing: 'exp' as const }, message: 'the smoothing exp' },
  ])('$options is refused', ({ options, message }) => {
    expect(() => bleu('a', 'a', options)).toThrow(RangeError);
    expect(() => bleu('a', 'a', options)).toThrow(message);
  });
});

test('what NLTK would score above 1 is 1', () => {
  for (const smoothing of ['method5', 'method7'] as const) {
    expect(bleu('a b c d e f', 'a b c d e f', { tokenizer: 'whitespace', smoothing })).toBe(1);
  }
});

test('method6 has a value where NLTK refuses', () => {
  expect(bleu('a b x', 'a b c', { tokenizer: 'whitespace', smoothing: 'method6' })).toBeGreaterThan(0);
});

test('in lower case', () => {
  expect(bleu('The Cat sat down', 'the cat SAT down', { lowercase: true })).toBe(1);
  expect(bleu('The Cat sat down', 'the cat SAT down')).toBeLessThan(0.5);
});
