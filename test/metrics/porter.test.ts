import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import { test } from '@fast-check/vitest';
import { constantFrom, string } from 'fast-check';
import { describe, expect } from 'vitest';
import { porterStem } from '../../src/metrics/porter.js';

/** All words of WordNet 3.0 that are not phrases, in lower case, sorted. */
const wordnetWords = (): string[] => {
  const file = new URL('../../src/metrics/wordnet/wordnet-3.0.bin', import.meta.url);
  const synsets = brotliDecompressSync(readFileSync(file)).toString('latin1').split('\n\n').slice(0, 4);
  const names = synsets.flatMap((section) => section.split(/\s/));
  return [...new Set(names.filter((name) => !name.includes('_')).map((name) => name.toLowerCase()))].sort();
};

describe('agrees with NLTK 3.9.1 PorterStemmer().stem', () => {
  test('on every word of WordNet 3.0', () => {
    const words = wordnetWords();
    expect(words).toHaveLength(83_118);
    const digest = createHash('sha256');
    for (const word of words) digest.update(`${word} ${porterStem(word)}\n`);
    // The same digest over NLTK's stems.
    expect(digest.digest('hex')).toBe('45a275f8d09f4a916e8b7edd8528157270621716ea72f330f7fcf6a07f05556a');
  });

  test.each<{ rule: string; stems: Record<string, string> }>([
    {
      rule: 'irregular words',
      stems: { skies: 'sky', dying: 'die', news: 'news', innings: 'inning', proceed: 'proceed' },
    },
    { rule: 'irregular words only as they are', stems: { News: 'new', SKIES: 'ski' } },
    { rule: 'words of two letters stay', stems: { as: 'as', is: 'is', by: 'by', us: 'us' } },
    { rule: 'plurals', stems: { cats: 'cat', caresses: 'caress', flies: 'fli', yes: 'ye', bus: 'bu' } },
    {
      rule: '-ies and -ied in words of four letters',
      stems: { ties: 'tie', died: 'die', spied: 'spi', ied: 'i', ies: 'i' },
    },
    { rule: '-eed', stems: { agreed: 'agre', feed: 'feed', eed: 'eed' } },
    {
      rule: '-ed and -ing',
      stems: { plastered: 'plaster', bled: 'bled', motoring: 'motor', sing: 'sing', ing: 'ing' },
    },
    {
      rule: 'restored endings',
      stems: { troubled: 'troubl', sized: 'size', hopping: 'hop', falling: 'fall', filing: 'file' },
    },
    { rule: 'a short stem gets its e back', stems: { used: 'use', axed: 'axe', owing: 'owe', aing: 'a' } },
    {
      rule: '-y',
      stems: { happy: 'happi', enjoy: 'enjoy', try: 'tri', vying: 'vy', yyyying: 'yyyi', syzygy: 'syzygi' },
    },
    { rule: '-alli twice through step 2', stems: { radically: 'radic', hopefully: 'hope' } },
    { rule: '-logi', stems: { geology: 'geolog', theology: 'theolog' } },
    { rule: '-ion after s or t', stems: { adoption: 'adopt', opinion: 'opinion' } },
    {
      rule: '-e and -ll',
      stems: { probate: 'probat', rate: 'rate', cease: 'ceas', controlling: 'control', rolling: 'roll' },
    },
    {
      rule: 'no letters',
      stems: { '': '', "'s": "'s", "don't": "don't", "s's": "s'", '3.88': '3.88', 'U.S.': 'u.s.' },
    },
    {
      rule: 'other scripts',
      stems: { naïvely: 'naïv', 日本語: '日本語', ΣΊΣΥΦΟΣ: 'σίσυφος', İs: 'i̇s', İSTANBUL: 'i̇stanbul' },
    },
    {
      rule: 'surrogate pairs count once',
      stems: { '😀s': '😀s', '😀ies': '😀ie', 'e😀s': 'e😀', 'a😀😀ed': 'a😀', '😀😀ing': '😀😀ing' },
    },
    {
      rule: 'names of object members',
      stems: { constructor: 'constructor', toString: 'tostr', hasOwnProperty: 'hasownproperti' },
    },
  ])('$rule', ({ stems }) => {
    for (const [word, stem] of Object.entries(stems)) expect([word, porterStem(word)]).toEqual([word, stem]);
    expect(porterStem('__proto__')).toBe('__proto__');
  });

  test('in upper case, when asked not to fold it', () => {
    expect(porterStem('Running', false)).toBe('Run');
    expect(porterStem('toString', false)).toBe('toStr');
    expect(porterStem('SKIES', false)).toBe('SKIES');
  });
});

describe('any string', () => {
  const letters = string({ unit: constantFrom(...Array.from('aeiouybdglnst')), maxLength: 10 });
  const suffix = constantFrom(
    's',
    'ies',
    'ied',
    'ed',
    'ing',
    'eed',
    'y',
    'alli',
    'logi',
    'ational',
    'ion',
    'ement',
    'll',
  );

  test.prop([letters, suffix])(
    'a stem is not longer than its word, save for an e put back',
    (start, suffix) => {
      const word = start + suffix;
      expect(porterStem(word).length).toBeLessThanOrEqual(word.length);
    },
  );

  test.prop([string({ unit: 'binary' })])('has a stem, the same at the second call', (word) => {
    expect(porterStem(word)).toBe(porterStem(word));
  });

  test('a token of 100,000 letters takes linear time', () => {
    const start = performance.now();
    expect(porterStem(`${'y'.repeat(100_000)}ing`)).toMatch(/^y+i?$/);
    expect(porterStem(`${'ab'.repeat(50_000)}ational`)).toHaveLength(100_000);
    expect(performance.now() - start).toBeLessThan(500);
  });
});
