import { test } from '@fast-check/vitest';
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { FUZZY_SCORERS, fuzzyMatch } from '../../src/metrics/fuzzy.js';
import { codePoints, naiveLcsLength, naiveLevenshtein } from './naive.js';

/** Few letters, so that texts share some; surrogate pairs, and halves of them that stand alone. */
const text = fc
  .array(fc.constantFrom('a', 'b', 'c', ' ', 'é', '漢', '😀', '😁', '\ud83d', '\ude00'), { maxLength: 150 })
  .map((characters) => characters.join(''));

describe('agrees with RapidFuzz 3.10.1 fuzz.ratio / 100 and Levenshtein.normalized_similarity', () => {
  test.each([
    { name: 'same', candidate: 'abc', reference: 'abc', ratio: 1, levenshtein: 1 },
    { name: 'both empty', candidate: '', reference: '', ratio: 1, levenshtein: 1 },
    { name: 'one empty', candidate: '', reference: 'abc', ratio: 0, levenshtein: 0 },
    {
      name: 'case counts',
      candidate: 'Yes',
      reference: 'yes',
      ratio: 0.6666666666666667,
      levenshtein: 0.6666666666666667,
    },
    {
      name: 'one letter inserted',
      candidate: 'Jon Doe',
      reference: 'John Doe',
      ratio: 0.9333333333333332,
      levenshtein: 0.875,
    },
    {
      name: 'number cut off',
      candidate: 'Costco #429',
      reference: 'Costco',
      ratio: 0.7058823529411764,
      levenshtein: 0.5454545454545454,
    },
    {
      name: 'words replaced',
      candidate: 'fuzzy wuzzy was a bear',
      reference: 'fuzzy wuzzy had no hair',
      ratio: 0.7555555555555555,
      levenshtein: 0.6956521739130435,
    },
    {
      name: 'sentence',
      candidate: 'The cat sat on the mat.',
      reference: 'The cat is sitting on the mat.',
      ratio: 0.8301886792452831,
      levenshtein: 0.7333333333333334,
    },
    { name: 'swapped letters', candidate: 'ab', reference: 'ba', ratio: 0.5, levenshtein: 0 },
    { name: 'nothing shared', candidate: 'abc', reference: 'xyz', ratio: 0, levenshtein: 0 },
    { name: 'emoji is one symbol', candidate: 'a😀', reference: 'a😁', ratio: 0.5, levenshtein: 0.5 },
    { name: 'emoji and letter', candidate: '😀', reference: 'a', ratio: 0, levenshtein: 0 },
    { name: 'flag', candidate: '🇫🇷', reference: '🇫🇮', ratio: 0.5, levenshtein: 0.5 },
    { name: 'combining mark', candidate: 'e\u0301', reference: 'é', ratio: 0, levenshtein: 0 },
    {
      name: 'CJK',
      candidate: '日本語のテスト',
      reference: '日本のテスト',
      ratio: 0.923076923076923,
      levenshtein: 0.8571428571428572,
    },
    {
      name: 'longer than one word',
      candidate: 'The quick brown fox jumps over the lazy dog.',
      reference: 'A quick brown dog jumps over the lazy foxes.',
      ratio: 0.8409090909090909,
      levenshtein: 0.7954545454545454,
    },
    {
      name: 'tail emoji',
      candidate: 'The quick brown fox jumps over the lazy dog 😀',
      reference: 'A quick brown dog jumps over the lazy foxes 😁',
      ratio: 0.8222222222222222,
      levenshtein: 0.7777777777777778,
    },
    { name: 'equal halves of a pair', candidate: '\ud800', reference: '\ud800', ratio: 1, levenshtein: 1 },
    {
      name: 'other halves of a pair',
      candidate: '\ud800a',
      reference: '\ud801a',
      ratio: 0.5,
      levenshtein: 0.5,
    },
    {
      name: 'halves in the wrong order',
      candidate: '\ude00\ud83d',
      reference: '\ud83d',
      ratio: 0.6666666666666667,
      levenshtein: 0.5,
    },
  ])('$name', ({ candidate, reference, ratio, levenshtein }) => {
    expect(fuzzyMatch(candidate, reference)).toBe(ratio);
    expect(fuzzyMatch(candidate, reference, { scorer: 'ratio' })).toBe(ratio);
    expect(fuzzyMatch(candidate, reference, { scorer: 'levenshtein' })).toBe(levenshtein);
  });
});

test.prop([text, text])('ratio is what a plain table gives', (a, b) => {
  const length = codePoints(a).length + codePoints(b).length;
  const distance = length - 2 * naiveLcsLength(codePoints(a), codePoints(b));
  expect(fuzzyMatch(a, b)).toBe(length === 0 ? 1 : ((1 - distance / length) * 100) / 100);
});

test.prop([text, text])('levenshtein is what a plain table gives', (a, b) => {
  const length = Math.max(codePoints(a).length, codePoints(b).length);
  const expected = length === 0 ? 1 : 1 - naiveLevenshtein(codePoints(a), codePoints(b)) / length;
  expect(fuzzyMatch(a, b, { scorer: 'levenshtein' })).toBe(expected);
});

test.prop([text, text, fc.constantFrom(...FUZZY_SCORERS)])('stays in [0, 1]', (a, b, scorer) => {
  const score = fuzzyMatch(a, b, { scorer });
  expect(score >= 0 && score <= 1).toBe(true);
});

test.prop([text, text, fc.constantFrom('ratio', 'levenshtein', 'dice')])('is symmetric', (a, b, scorer) => {
  expect(fuzzyMatch(a, b, { scorer })).toBe(fuzzyMatch(b, a, { scorer }));
});

test.prop([text, fc.constantFrom(...FUZZY_SCORERS)])('a text scores 1 against itself', (a, scorer) => {
  expect(fuzzyMatch(a, a, { scorer })).toBe(1);
});

describe('jaro_winkler and dice are those of natural', () => {
  test.each([
    { candidate: 'MARTHA', reference: 'MARHTA', jaroWinkler: 0.9611111111111111, dice: 0.4 },
    { candidate: 'DIXON', reference: 'DICKSONX', jaroWinkler: 0.8133333333333332, dice: 4 / 11 },
    { candidate: 'night', reference: 'nacht', jaroWinkler: 0.76, dice: 0.25 },
    { candidate: 'A  b', reference: 'a b', jaroWinkler: 0.7222222222222222, dice: 1 },
    { candidate: '', reference: 'a', jaroWinkler: 0, dice: 0 },
    { candidate: '', reference: '', jaroWinkler: 1, dice: 1 },
    { candidate: ' ', reference: '', jaroWinkler: 0, dice: 1 },
  ])('$candidate, $reference', ({ candidate, reference, jaroWinkler, dice }) => {
    expect(fuzzyMatch(candidate, reference, { scorer: 'jaro_winkler' })).toBe(jaroWinkler);
    expect(fuzzyMatch(candidate, reference, { scorer: 'dice' })).toBe(dice);
  });
});

describe('hostile texts', () => {
  test('100 kB of one letter', () => {
    expect(fuzzyMatch('a'.repeat(100_000), 'a'.repeat(50_000))).toBe(((1 - 50_000 / 150_000) * 100) / 100);
    const surrounded = fuzzyMatch(`x${'a'.repeat(100_000)}y`, `z${'a'.repeat(99_000)}w`);
    expect(surrounded).toBe(((1 - 1004 / 199_004) * 100) / 100);
  });

  test('20,000 different Chinese characters, backwards', () => {
    const characters = Array.from({ length: 20_000 }, (_, index) => String.fromCodePoint(0x4e00 + index));
    expect(fuzzyMatch(characters.join(''), characters.toReversed().join(''))).toBe(
      ((1 - 39_998 / 40_000) * 100) / 100,
    );
  });

  test('3,000 different symbols beyond the basic plane', () => {
    const symbols = Array.from({ length: 3000 }, (_, index) => String.fromCodePoint(0x2_0000 + index));
    expect(fuzzyMatch(symbols.join(''), symbols.slice(1).join(''))).toBe(((1 - 1 / 5999) * 100) / 100);
    expect(fuzzyMatch(symbols.join(''), symbols.slice(1).join(''), { scorer: 'levenshtein' })).toBe(
      1 - 1 / 3000,
    );
  });
});
