import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { FeatureReader } from '../../src/bench/features.js';

const read = (candidate: string, prompt?: string) => new FeatureReader().read(candidate, prompt);

describe('features of a candidate', () => {
  test.each([
    { text: '', characters: 0, words: 0, lines: 0, digits: 0 },
    { text: 'a', characters: 1, words: 1, lines: 1, digits: 0 },
    { text: 'one two\n', characters: 8, words: 2, lines: 1, digits: 0 },
    { text: 'one\n\ntwo', characters: 8, words: 2, lines: 3, digits: 0 },
    { text: ' 12 + 3 ', characters: 8, words: 3, lines: 1, digits: 3 / 8 },
    { text: '😀 é', characters: 3, words: 2, lines: 1, digits: 0 },
    { text: 'a\u3000b\u00a0c\td', characters: 7, words: 4, lines: 1, digits: 0 },
  ])('of $text', ({ text, ...expected }) => {
    expect(read(text)).toEqual({ ...expected, prompt_overlap: NaN });
  });

  test.each([
    { name: 'all of it', text: 'How many eggs?', prompt: 'how many EGGS are there', share: 1 },
    { name: 'half of it', text: 'eggs, bacon', prompt: 'How many eggs?', share: 1 / 2 },
    { name: 'a word of letters and signs', text: '$2.', prompt: 'each costs 2 dollars', share: 1 },
    { name: 'parts of words are none', text: 'egg', prompt: 'eggs', share: 0 },
    { name: 'only signs', text: '?!', prompt: '?!', share: 0 },
    { name: 'nothing', text: '', prompt: 'a', share: 0 },
    { name: 'an empty prompt', text: 'a', prompt: '', share: 0 },
    { name: 'other letters', text: 'ÄPFEL яблоки', prompt: 'яблоки', share: 1 / 2 },
  ])('shares words with its prompt: $name', ({ text, prompt, share }) => {
    expect(read(text, prompt).prompt_overlap).toBe(share);
  });

  test('of several candidates do not depend on those before', () => {
    const reader = new FeatureReader();
    const pairs = [
      ['a b', 'a'],
      ['a b', 'b c'],
      ['a b', undefined],
      ['a b', 'a'],
    ] as const;
    expect(pairs.map(([text, prompt]) => reader.read(text, prompt))).toEqual(
      pairs.map(([text, prompt]) => read(text, prompt)),
    );
  });
});

const text = fc.string({ unit: 'grapheme', maxLength: 60 });

test.prop([text])('agree with plain definitions', (candidate) => {
  const { characters, words, digits } = read(candidate);
  expect(characters).toBe(Array.from(candidate).length);
  expect(words).toBe(candidate.split(/[\s\p{Cc}]+/u).filter((word) => word !== '').length);
  expect(Math.round(digits * characters)).toBe(candidate.match(/[0-9]/g)?.length ?? 0);
});

test.prop([text])('a text shares all its words with itself', (candidate) => {
  const { prompt_overlap } = read(candidate, candidate);
  expect(prompt_overlap).toBe(/[^\s\p{Cc}!-/:-@[-`{-\u007f\u2010-\u2027]/u.test(candidate) ? 1 : 0);
});
