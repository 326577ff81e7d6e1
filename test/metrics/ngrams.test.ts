import { test } from '@fast-check/vitest';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { ngramCount, readPair } from '../../src/metrics/ngrams.js';
import { splitWhitespace } from '../../src/metrics/tokenize/index.js';
import { asciiWords } from '../../src/metrics/words.js';
import { rougeL, rougeN } from '../../src/metrics/rouge.js';
import { gleu } from '../../src/metrics/gleu.js';

const tokens = fc.array(fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor', '', ' '), {
  maxLength: 40,
});
const MAX_ORDER = 5;

const fromJson = (text: string): string[] => JSON.parse(text);

/** The clipped matches of each order of two lists of tokens. */
const clippedMatches = (
  candidate: readonly string[],
  reference: readonly string[],
  maxOrder: number,
): number[] => {
  const pair = readPair(JSON.stringify(candidate), JSON.stringify(reference), fromJson);
  pair.matchNgrams(maxOrder);
  return Array.from(pair.matches.subarray(0, maxOrder));
};

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

/** Words, blanks of several kinds, and what lower case does strange things to. */
const rawText = fc
  .array(
    fc.constantFrom(
      'a',
      'the',
      'The',
      'x1',
      'K',
      'İ',
      'ı',
      'é',
      '日本',
      '😀',
      '\0',
      '__proto__',
      ' ',
      ' ',
      '\n',
      '\x1c',
      '\u3000',
      '-',
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''));

test.prop([rawText, rawText, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })])(
  'cutting texts finds the words that the tokenizers give, in short texts and long ones',
  (candidate, reference, timesC, timesR) => {
    const [c, r] = [candidate.repeat(timesC), reference.repeat(timesR)];
    for (const tokenize of [splitWhitespace, asciiWords]) {
      const byStrings = clippedMatches(tokenize(c), tokenize(r), 3);
      const pair = readPair(c, r, tokenize);
      pair.matchNgrams(3);
      expect(Array.from(pair.matches.subarray(0, 3))).toEqual(byStrings);
      expect(pair.words.candidateLength).toBe(tokenize(c).length);
      expect(pair.words.referenceLength).toBe(tokenize(r).length);
    }
  },
);

test.prop([
  fc.array(fc.tuple(rawText, fc.nat(2), fc.integer({ min: 1, max: 6 })), { maxLength: 12 }),
  fc.array(rawText, { minLength: 3, maxLength: 3 }),
])(
  'a reference that comes again, between others, gives what it gives the first time',
  (calls, references) => {
    const score = ([candidate, which, order]: [string, number, number]): number[] => [
      rougeN(candidate, references[which], order),
      gleu(candidate, references[which], { tokenizer: 'whitespace', maxLen: order }),
      rougeL(candidate, references[which]),
    ];
    const alone = calls.map((call) => {
      rougeN('forget', 'the last reference', 1);
      gleu('forget', 'the last reference', { tokenizer: 'whitespace' });
      return score(call);
    });
    expect(calls.map(score)).toEqual(alone);
  },
);

const failing = (): string[] => {
  throw new Error('no words');
};

test('a tokenizer that fails leaves nothing behind', () => {
  expect(() => readPair('a', 'a b', failing)).toThrow('no words');
  expect(() => readPair('a', 'a b', failing)).toThrow('no words');
  expect(clippedMatches(['a'], ['a', 'b'], 1)).toEqual([1]);
});

test('as many words as a text can have', () => {
  for (const length of [1, 2, 15, 16, 17, 99, 100, 101, 5_000]) {
    // In lower case each of these letters is an i and a mark, which ends the word.
    const dotted = '\u0130'.repeat(length);
    expect(rougeN(dotted, dotted, 1)).toBe(1);
    expect(rougeN(dotted, `i ${dotted}`, 1, { measure: 'precision' })).toBe(1);
    const letters = Array.from({ length }, (_, i) => String.fromCodePoint(0x4e00 + i)).join(' ');
    expect(gleu(letters, letters, { tokenizer: 'whitespace' })).toBe(1);
    expect(gleu(`${letters} x`, letters, { tokenizer: 'whitespace' })).toBeLessThan(1);
  }
});

test('empty texts, first and later', () => {
  const none: string[] = [];
  for (const reference of [none, ['a'], none]) {
    expect(clippedMatches(none, reference, 2)).toEqual([0, 0]);
    expect(clippedMatches(['a'], none, 2)).toEqual([0, 0]);
  }
});

test('texts that are too long to be kept, and short ones after them', () => {
  const long = Array.from({ length: 60_000 }, (_, index) => `w${index % 7_000}`).join(' ');
  expect(rougeN(long, `${long} more`, 2, { measure: 'precision' })).toBe(1);
  expect(rougeN('w1 w2', long, 2, { measure: 'precision' })).toBe(1);
  expect(rougeN('w1 w3', 'w3 w1 w3', 2, { measure: 'precision' })).toBe(1);
});
