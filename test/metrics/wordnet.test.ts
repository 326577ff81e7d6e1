import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { synonyms } from '../../src/metrics/wordnet/index.js';

const data = () => {
  const file = new URL('../../src/metrics/wordnet/wordnet-3.0.bin', import.meta.url);
  return brotliDecompressSync(readFileSync(file)).toString('latin1').split('\n\n');
};

describe('agrees with NLTK 3.9.1 wordnet.synsets over WordNet 3.0', () => {
  test('on every word and every irregular form', () => {
    const sections = data();
    const lemmas = sections.slice(0, 4).flatMap((section) => section.toLowerCase().split(/\s/));
    const inflected = sections
      .slice(4)
      .flatMap((section) => section.split('\n').map((line) => line.split(' ')[0]));
    const words = [...new Set([...lemmas, ...inflected])].sort();
    const digest = createHash('sha256');
    for (const word of words) digest.update(`${word}: ${[...synonyms(word)].sort().join(' ')}\n`);
    expect({ words: words.length, digest: digest.digest('hex') }).toEqual({
      words: 117_457,
      // The same digest over the lemma names that NLTK lists.
      digest: 'fa6b6ead54e0988bb0da98b869410264ab63c09d537b3ddef24c29ac715476fa',
    });
  });

  test.each([
    { rule: 'a word is its own synonym', word: 'xyzzy', names: ['xyzzy'] },
    {
      rule: 'all senses of all parts of speech',
      word: 'boxes',
      names: ['box', 'boxes', 'boxful', 'boxwood', 'corner', 'loge', 'package'],
    },
    {
      rule: 'an irregular plural',
      word: 'geese',
      names: ['bozo', 'cuckoo', 'fathead', 'geese', 'goof', 'goofball', 'goose', 'jackass', 'twat', 'zany'],
    },
    {
      rule: 'an irregular form of two bases',
      word: 'axes',
      names: ['Axis', 'ax', 'axe', 'axes', 'axis', 'bloc'],
    },
    { rule: 'names keep their capitals', word: 'paris', names: ['Paris', 'paris'] },
    { rule: 'a word is looked up in any case', word: 'Paris', names: ['Paris'] },
    {
      rule: 'the position marker of an adjective is no part of it',
      word: 'galore',
      names: ['abounding', 'galore'],
    },
    { rule: 'a phrase is looked up, but is no synonym', word: 'ice_cream', names: ['ice_cream', 'icecream'] },
    {
      rule: 'suffix rules',
      word: 'unhappier',
      names: ['distressed', 'dysphoric', 'infelicitous', 'unhappier', 'unhappy'],
    },
    { rule: 'each suffix rule is applied once', word: 'boxeses', names: ['boxeses'] },
    {
      rule: 'an irregular form is not put through the rules',
      word: 'wolves',
      names: ['Wolf', 'beast', 'brute', 'masher', 'savage', 'wildcat', 'wolf', 'wolves'],
    },
    { rule: 'stems that are no words', word: 'happi', names: ['happi'] },
    { rule: 'empty', word: '', names: [''] },
    { rule: 'two words', word: 'able unable', names: ['able unable'] },
    { rule: 'not ASCII', word: 'naïve', names: ['naïve'] },
    { rule: 'member of every object', word: '__proto__', names: ['__proto__'] },
    { rule: 'member of every object, and a word', word: 'constructor', names: ['builder', 'constructor'] },
  ])('$rule: $word', ({ word, names }) => {
    expect([...synonyms(word)].sort()).toEqual(names);
  });
});

test('the licence of WordNet lies beside its data', () => {
  const licence = readFileSync(new URL('../../src/metrics/wordnet/LICENSE', import.meta.url), 'utf8');
  expect(licence).toContain('WordNet 3.0 Copyright 2006 by Princeton University.  All rights reserved.');
});
