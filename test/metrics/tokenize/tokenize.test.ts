import { readFileSync } from 'node:fs';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { splitWhitespace, tokenizer, type TokenizerName } from '../../../src/metrics/tokenize/index.js';

type Case = { readonly text: string } & Readonly<Record<TokenizerName, string[]>>;

/** Made with NLTK 3.9.1 (`word_tokenize`, with its trained English model) and sacreBLEU 2.5.1, on Python 3.11. */
const CASES = JSON.parse(readFileSync(new URL('cases.json', import.meta.url), 'utf8')) as Case[];
const NAMES: readonly TokenizerName[] = ['hosted', 'nltk', 'whitespace', '13a', 'intl'];

describe.each(NAMES)('%s agrees with the reference implementation', (name) => {
  const tokenize = tokenizer(name);

  test.each(CASES)('$text', (expected) => {
    expect(tokenize(expected.text)).toEqual(expected[name]);
  });
});

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: fc.constantFrom(...'ab. \'"`,:-!?)(]1TsSnd\n“’é中'.split(''), '😀'), maxLength: 60 }),
);

describe.each(NAMES)('%s, for every text', (name) => {
  const tokenize = tokenizer(name);

  property.prop([text])('gives tokens that are not empty and hold no whitespace', (input) => {
    for (const token of tokenize(input)) expect(splitWhitespace(token)).toEqual([token]);
  });

  property.prop([text])('gives the same tokens every time', (input) => {
    expect(tokenize(input)).toEqual(tokenize(input));
  });
});

/** All characters but quotes, which NLTK rewrites: `"` comes out as `` or ''. */
const charactersOf = (tokens: string[]): string => tokens.join('').replaceAll(/["'`]/g, '');

describe.each(['hosted', 'nltk', 'whitespace', 'intl'] as const)('%s, for every text', (name) => {
  property.prop([text])('keeps every character but whitespace, double quotes apart', (input) => {
    expect(charactersOf(tokenizer(name)(input))).toBe(charactersOf(splitWhitespace(input)));
  });
});

describe('hosted', () => {
  const [hosted, nltk, intl] = [tokenizer('hosted'), tokenizer('nltk'), tokenizer('intl')];

  test.each([
    { name: 'printable ASCII', input: "I can't pay $3.88 (now).", expected: nltk },
    { name: 'Latin-1 letters', input: "Zürich isn't naïve.", expected: nltk },
    { name: 'the first and last of both ranges', input: '\u0020\u007e\u00a0\u00ff', expected: nltk },
    { name: 'a line break', input: "I can't pay\nnow.", expected: intl },
    { name: 'a tab', input: "I can't\tpay.", expected: intl },
    { name: 'a curly quote', input: 'I can’t pay.', expected: intl },
    { name: 'a control character', input: "I can't pay.\u0080", expected: intl },
    { name: 'DEL', input: "I can't pay.\u007f", expected: intl },
    { name: 'a letter right behind Latin-1', input: "I can't pay Ā.", expected: intl },
  ])('$name', ({ input, expected }) => {
    expect(hosted(input)).toEqual(expected(input));
  });
});

describe('hostile texts', () => {
  const MARKS = ". |. . |.|.)|.'\"|\"|'|''|`|“|,|-|!|?) |<| |\n|\u00a0";
  const WORDS = "a|a.|a-|A. |5. |U.S. |n't|don't |a's |'a |cannot|wanna |中|😀";

  // Whatever is worse than linear in the length would not end within the time limit of a test.
  test.each([...MARKS.split('|'), ...WORDS.split('|')])('50,000 characters of %j', (unit) => {
    // 'n' makes the one-pass scanner give up at the end, so the rules have to go through all of it.
    for (const input of [unit.repeat(50_000 / unit.length), `${unit.repeat(50_000 / unit.length)} 'n'`]) {
      for (const name of NAMES) {
        expect(charactersOf(tokenizer(name)(input))).toBe(charactersOf(splitWhitespace(input)));
      }
    }
  });

  test('words with a meaning in JavaScript are only words', () => {
    expect(tokenizer('nltk')('__proto__ constructor')).toEqual(['__proto__', 'constructor']);
  });

  test('unpaired surrogates stay where they are', () => {
    for (const name of NAMES) expect(tokenizer(name)('a\ud83d b\udc00.').join('')).toBe('a\ud83db\udc00.');
  });
});
