import { test } from '@fast-check/vitest';
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { rougeL, rougeN } from '../../src/metrics/rouge.js';

const words = fc.array(fc.constantFrom('the', 'cat', 'sat', 'on', 'mat', 'constructor'), { maxLength: 40 });

/** `[rouge1, rouge2, rouge3, rougeL]` as F-measures. */
const scoresOf = (candidate: string, reference: string, useStemmer: boolean): number[] => [
  ...[1, 2, 3].map((order) => rougeN(candidate, reference, order, { useStemmer })),
  rougeL(candidate, reference, { useStemmer }),
];

describe('agrees with rouge-score 0.1.2: rouge1, rouge2, rouge3, rougeL', () => {
  test.each([
    {
      name: 'identical',
      candidate: 'the cat sat on the mat',
      reference: 'the cat sat on the mat',
      scores: [1, 1, 1, 1],
    },
    {
      name: 'one word replaced',
      candidate: 'the cat is on the mat',
      reference: 'the cat sat on the mat',
      scores: [0.8333333333333334, 0.6, 0.25, 0.8333333333333334],
    },
    {
      name: 'shorter',
      candidate: 'the cat',
      reference: 'the cat sat on the mat',
      scores: [0.5, 0.33333333333333337, 0, 0.5],
    },
    {
      name: 'longer',
      candidate: 'the cat sat on the mat today',
      reference: 'the cat sat',
      scores: [0.6, 0.5, 0.33333333333333337, 0.6],
    },
    {
      name: 'repeats',
      candidate: 'the the the the the',
      reference: 'the cat is on the mat',
      scores: [0.3636363636363636, 0, 0, 0.3636363636363636],
    },
    { name: 'one word', candidate: 'yes', reference: 'yes', scores: [1, 0, 0, 1] },
    { name: 'two words', candidate: 'a b', reference: 'a b', scores: [1, 1, 0, 1] },
    { name: 'case differs', candidate: 'Yes', reference: 'yes', scores: [1, 0, 0, 1] },
    { name: 'nothing shared', candidate: 'dog', reference: 'cat sat', scores: [0, 0, 0, 0] },
    { name: 'candidate empty', candidate: '', reference: 'the cat', scores: [0, 0, 0, 0] },
    { name: 'reference empty', candidate: 'the cat', reference: '', scores: [0, 0, 0, 0] },
    { name: 'both empty', candidate: '', reference: '', scores: [0, 0, 0, 0] },
    {
      name: 'reordered',
      candidate: 'on the mat the cat sat',
      reference: 'the cat sat on the mat',
      scores: [1, 0.8000000000000002, 0.5, 0.5],
    },
    {
      name: 'stems',
      candidate: 'The runners were running happily',
      reference: 'a runner runs happy runs',
      scores: [0, 0, 0, 0],
    },
    { name: 'non-latin', candidate: '日本語 テスト', reference: '日本語 テスト', scores: [0, 0, 0, 0] },
    { name: 'Kelvin sign', candidate: '300 \u212A', reference: '300 k', scores: [1, 1, 0, 1] },
    { name: 'dotted I', candidate: '\u0130stanbul', reference: 'i stanbul', scores: [1, 1, 0, 1] },
    {
      name: 'digits and underscores',
      candidate: 'rouge_1 = 0.5',
      reference: 'ROUGE 1: 0.5',
      scores: [1, 1, 1, 1],
    },
  ])('$name', ({ candidate, reference, scores }) => {
    expect(scoresOf(candidate, reference, false)).toEqual(scores);
  });
});

describe('agrees with rouge-score 0.1.2 with its stemmer', () => {
  test.each([
    {
      name: 'one word replaced',
      candidate: 'the cat is on the mat',
      reference: 'the cat sat on the mat',
      scores: [0.8333333333333334, 0.6, 0.25, 0.8333333333333334],
    },
    { name: 'both empty', candidate: '', reference: '', scores: [0, 0, 0, 0] },
    {
      name: 'stems',
      candidate: 'The runners were running happily',
      reference: 'a runner runs happy runs',
      scores: [0.4000000000000001, 0, 0, 0.4000000000000001],
    },
    { name: 'Kelvin sign', candidate: '300 \u212A', reference: '300 k', scores: [1, 1, 0, 1] },
  ])('$name', ({ candidate, reference, scores }) => {
    expect(scoresOf(candidate, reference, true)).toEqual(scores);
  });
});

test('each measure can be asked for', () => {
  const pair = [
    'According to wikipedia, Marie Curie was not born in Paris but in Warsaw.',
    'Marie Curie was born in Warsaw.',
  ] as const;
  expect(rougeN(...pair, 2, { measure: 'precision' })).toBe(0.3333333333333333);
  expect(rougeN(...pair, 2, { measure: 'recall' })).toBe(0.8);
  expect(rougeN(...pair, 2)).toBe(0.47058823529411764);
  expect(rougeN(...pair, 5)).toBe(0);
  expect(rougeL(...pair, { measure: 'precision' })).toBe(0.46153846153846156);
  expect(rougeL(...pair)).toBe(0.631578947368421);
});

test.each([0, 10, 1.5, Number.NaN])('order %s is refused', (order) => {
  expect(() => rougeN('a', 'a', order)).toThrow(RangeError);
});

test('only the Kelvin sign and the dotted I give ASCII letters in lower case', () => {
  const found: string[] = [];
  for (let codePoint = 0x80; codePoint <= 0x10_ffff; codePoint++) {
    const character = String.fromCodePoint(codePoint);
    if (/[a-z0-9]/.test(character.toLowerCase())) found.push(codePoint.toString(16));
  }
  expect(found).toEqual(['130', '212a']);
});

test.prop([words, words, fc.integer({ min: 1, max: 5 })])(
  'is symmetric and stays in [0, 1]',
  (a, b, order) => {
    const [first, second] = [a.join(' '), b.join(', ')];
    for (const metric of [
      (x: string, y: string) => rougeN(x, y, order),
      (x: string, y: string) => rougeL(x, y),
    ]) {
      const score = metric(first, second);
      expect(score).toBe(metric(second, first));
      expect(score >= 0 && score <= 1).toBe(true);
    }
  },
);

test.prop([words, words])('the longest common subsequence is part of the common words', (a, b) => {
  const [first, second] = [a.join(' '), b.join(' ')];
  const recall = { measure: 'recall' } as const;
  expect(rougeL(first, second, recall)).toBeLessThanOrEqual(rougeN(first, second, 1, recall));
});

test('20,000 different words', () => {
  const text = Array.from({ length: 20_000 }, (_, index) => `w${index}`).join(' ');
  expect(rougeL(text, text)).toBe(1);
  expect(rougeN(text, `${text} more`, 2, { measure: 'precision' })).toBe(1);
});

describe('unicode words', () => {
  const unicode = { tokenizer: 'unicode' } as const;

  test.each([
    { name: 'Cyrillic', candidate: 'Кот сидел', reference: 'кот сидит', score: 0.5 },
    { name: 'Chinese: every letter is a word', candidate: '我喜欢猫', reference: '我喜欢狗', score: 0.75 },
    { name: 'marks belong to their letter', candidate: 'cafe\u0301', reference: 'cafe\u0301', score: 1 },
    { name: 'Thai', candidate: 'กิน', reference: 'กิ', score: 2 / 3 },
    { name: 'Chinese beside Latin', candidate: 'GPT模型', reference: 'gpt 模型', score: 1 },
    { name: 'emoji are no words', candidate: '😀', reference: '😀', score: 0 },
  ])('$name', ({ candidate, reference, score }) => {
    expect(rougeN(candidate, reference, 1, unicode)).toBeCloseTo(score, 15);
    expect(rougeL(candidate, reference, unicode)).toBeCloseTo(score, 15);
  });

  test.prop([words, words])('are the ASCII words where there are no others', (a, b) => {
    expect(rougeN(a.join(' '), b.join('-'), 2, unicode)).toBe(rougeN(a.join(' '), b.join('-'), 2));
  });
});

describe('summary', () => {
  const summary = { summary: true } as const;

  // rouge-score 0.1.2, rougeLsum.
  test('lines may change places', () => {
    expect(rougeL('c d\na b', 'a b\nc d', summary)).toBe(1);
    expect(rougeL('c d\na b', 'a b\nc d')).toBe(0.5);
  });

  test('a word of the reference matches once, in whichever lines it is', () => {
    expect(
      rougeL('w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5', 'w1 w2 w3 w4 w5', { ...summary, measure: 'recall' }),
    ).toBe(0.8);
  });

  test.prop([words, words])('of one line is rougeL', (a, b) => {
    expect(rougeL(a.join(' '), b.join(' '), summary)).toBe(rougeL(a.join(' '), b.join(' ')));
  });

  const lines = fc.array(words, { maxLength: 6 });
  test.prop([lines, lines])('matches no more than single words do', (a, b) => {
    const [first, second] = [a, b].map((text) => text.map((line) => line.join(' ')).join('\n'));
    const score = rougeL(first, second, { ...summary, measure: 'recall' });
    expect(score).toBeLessThanOrEqual(rougeN(first, second, 1, { measure: 'recall' }));
    expect(rougeL(first, first, summary)).toBe(/\w/.test(first) ? 1 : 0);
  });

  test('lines of thousands of words', () => {
    const line = Array.from({ length: 4_000 }, (_, i) => `w${i % 1_000}`).join(' ');
    expect(rougeL(line, `${line}\n${line}`, { ...summary, measure: 'precision' })).toBe(1);
  });
});
