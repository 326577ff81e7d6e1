import { test } from '@fast-check/vitest';
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { FUZZY_PROCESSORS, FUZZY_SCORERS, fuzzyMatch } from '../../src/metrics/fuzzy.js';
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

/** The best part by its definition: every part as long as the needle, and every shorter beginning and end. */
const naivePartialRatio = (needle: readonly string[], text: readonly string[]): number => {
  const size = needle.length;
  if (size === 0) return text.length === 0 ? 1 : 0;
  const parts = Array.from({ length: text.length - size + 1 }, (_, start) => text.slice(start, start + size));
  for (let length = 1; length < size; length++)
    parts.push(text.slice(0, length), text.slice(text.length - length));
  const scores = parts.map((part) => {
    const length = size + part.length;
    return 1 - (length - 2 * naiveLcsLength(needle, part)) / length;
  });
  return (Math.max(...scores) * 100) / 100;
};

const shortText = fc
  .array(fc.constantFrom('a', 'b', 'c', ' ', '漢', '😀', '\ud83d'), { maxLength: 40 })
  .map((characters) => characters.join(''));

test.prop([shortText, shortText])('partial_ratio is that of the best part', (a, b) => {
  const [needle, longer] = [codePoints(a), codePoints(b)].toSorted((a, b) => a.length - b.length);
  const oneWay = naivePartialRatio(needle, longer);
  const expected =
    needle.length === longer.length ? Math.max(oneWay, naivePartialRatio(longer, needle)) : oneWay;
  expect(fuzzyMatch(a, b, { scorer: 'partial_ratio' })).toBe(expected);
});

describe('agrees with RapidFuzz 3.10.1, score / 100', () => {
  const SCORERS = [
    'partial_ratio',
    'token_sort_ratio',
    'token_set_ratio',
    'token_ratio',
    'WRatio',
    'QRatio',
  ] as const;

  test.each<[string, string, string, number[]]>([
    ['both empty', '', '', [1, 1, 0, 1, 0, 0]],
    ['one empty', '', 'abc', [0, 0, 0, 0, 0, 0]],
    ['blank', ' ', '  ', [1, 1, 0, 1, 0.9, 0.6666666666666667]],
    [
      'words in another order',
      'fuzzy wuzzy was a bear',
      'wuzzy fuzzy was a bear',
      [0.9302325581395349, 1, 1, 1, 0.95, 0.9090909090909091],
    ],
    [
      'a word repeated',
      'fuzzy was a bear',
      'fuzzy fuzzy was a bear',
      [1, 0.8421052631578947, 1, 1, 0.95, 0.8421052631578947],
    ],
    ['part of a sentence', 'yankees', 'the new york yankees of 1998', [1, 0.4, 1, 1, 0.9, 0.4]],
    [
      'a word of the set differs',
      'fuzzy was a bear but not a dog',
      'fuzzy was a bear but not a cat',
      [0.9473684210526316, 0.9, 0.923076923076923, 0.923076923076923, 0.9, 0.9],
    ],
    [
      'of equal length',
      'new york mets',
      'mets new yorc',
      [0.7, 0.923076923076923, 0.923076923076923, 0.923076923076923, 0.8769230769230769, 0.5384615384615384],
    ],
    ['eight times as long', 'ab', 'ab ab ab ab ab a', [1, 0.2222222222222222, 1, 1, 0.6, 0.2222222222222222]],
    ['a bit less', 'ab', 'ab ab ab ab ab ', [1, 0.25, 1, 1, 0.9, 0.23529411764705888]],
    [
      'a no-break space, in Latin-1',
      'a\u00a0b',
      'b a',
      [
        0.5, 0.6666666666666667, 0.6666666666666665, 0.6666666666666667, 0.6333333333333333,
        0.33333333333333337,
      ],
    ],
    ['a no-break space, else', 'a\u00a0b 😀', '😀 b a', [0.5, 1, 1, 1, 0.95, 0.4]],
    [
      'longer than a word of bits',
      'The quick brown fox jumps over the lazy dog, then it sleeps in the sun.',
      'Yesterday we saw how the quick brown fox jumped over a lazy dog, and then he slept in the sun all day long.',
      [
        0.8591549295774648, 0.696629213483146, 0.7706422018348624, 0.7706422018348624, 0.855,
        0.696629213483146,
      ],
    ],
    ['half of a pair', '\ud83da', 'xx\ud83daxx', [1, 0.5, 0.5, 0.5, 0.9, 0.5]],
  ])('%s', (_, candidate, reference, expected) => {
    expect(SCORERS.map((scorer) => fuzzyMatch(candidate, reference, { scorer }))).toEqual(expected);
  });
});

describe('default_process makes everything but letters and numbers a blank, trims and lowers', () => {
  test.each([
    ['_', ''],
    ['  A_b-C ', 'a b c'],
    ['A  b', 'a  b'],
    ['\u0130\u03a3 \u0391\u03a3', 'i\u03c3 \u03b1\u03c3'],
    ['\u01c5\u00bd\u2167\u00b2', '\u01c6\u00bd\u2177\u00b2'],
    ['日本、語!', '日本 語'],
    ['a\ud83d', 'a'],
    ['\u0345e\u0301', 'e'],
    ['ß\u00a0x', 'ß x'],
  ])('%j', (text, processed) => {
    for (const processor of FUZZY_PROCESSORS) {
      expect(fuzzyMatch(text, processed, { processor })).toBe(1);
      const other = `${processed}x`;
      expect(fuzzyMatch(text, other, { processor })).toBe(fuzzyMatch(processed, other));
    }
  });
});

const anyScorer = fc.constantFrom(...FUZZY_SCORERS);

test.prop([text, text, anyScorer])('stays in [0, 1]', (a, b, scorer) => {
  const score = fuzzyMatch(a, b, { scorer });
  expect(score >= 0 && score <= 1).toBe(true);
});

test.prop([text, text, anyScorer.filter((scorer) => scorer !== 'jaro_winkler')])(
  'is symmetric',
  (a, b, scorer) => {
    expect(fuzzyMatch(a, b, { scorer })).toBe(fuzzyMatch(b, a, { scorer }));
  },
);

test.prop([text.map((text) => `${text}a`), anyScorer])('a text scores 1 against itself', (a, scorer) => {
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
  test('a needle of 490 symbols in 20,000', () => {
    const needle = 'ab cde '.repeat(70);
    const reference = `${'x y z '.repeat(1500)}${needle.replaceAll('cd', 'dc')}${'z '.repeat(5000)}`;
    const score = fuzzyMatch(needle, reference, { scorer: 'partial_ratio' });
    expect(score).toBeGreaterThan(0.8);
    expect(fuzzyMatch(needle, reference, { scorer: 'WRatio' })).toBeCloseTo(0.6 * 0.95, 12);
  });

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
