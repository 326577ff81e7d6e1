import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tokenizer } from '../../../src/metrics/tokenize/index.js';
import { splitSentences } from '../../../src/metrics/tokenize/punkt.js';
import { builtInModel, readPunktModel } from '../../../src/metrics/tokenize/punkt-model.js';

const sentencesOf = (text: string): string[] =>
  splitSentences(text, builtInModel()).map(({ start, end }) => text.slice(start, end));

describe('agrees with NLTK 3.9.1 sent_tokenize', () => {
  test.each([
    { text: 'One. Two? Three! Four', sentences: ['One.', 'Two?', 'Three!', 'Four'] },
    {
      text: 'Mr. Smith lives in St. Louis. He works at Acme Inc. in the U.S. today.',
      sentences: ['Mr. Smith lives in St. Louis.', 'He works at Acme Inc. in the U.S. today.'],
    },
    {
      text: 'J. K. Rowling wrote it. J. Smith did not.',
      sentences: ['J. K. Rowling wrote it.', 'J. Smith did not.'],
    },
    {
      text: 'at 5 p.m. they left. At 6 a.m. However, they came back.',
      sentences: ['at 5 p.m. they left.', 'At 6 a.m.', 'However, they came back.'],
    },
    { text: 'There are 3. We want 4. so it is.', sentences: ['There are 3.', 'We want 4. so it is.'] },
    {
      text: 'Wait... what? No.... Really?! Yes!!! OK.',
      sentences: ['Wait... what?', 'No....', 'Really?!', 'Yes!!!', 'OK.'],
    },
    {
      text: 'Well . . . maybe. Then . . . nothing.',
      sentences: ['Well .', '.', '.', 'maybe.', 'Then .', '.', '.', 'nothing.'],
    },
    {
      text: 'He said "Stop." She did. ("Why?") "So."  Next.',
      sentences: ['He said "Stop."', 'She did.', '("Why?")', '"So."', 'Next.'],
    },
    {
      text: "(Sent1.) Sent2. [Sent3!] {Sent4?} 'Sent5.' Sent6",
      sentences: ['(Sent1.)', 'Sent2.', '[Sent3!]', '{Sent4?}', "'Sent5.'", 'Sent6'],
    },
    { text: 'He left.") -- She stayed.', sentences: ['He left.")', '-- She stayed.'] },
    { text: 'end.)--Next', sentences: ['end.)', '--Next'] },
    { text: 'one.\n\ntwo.\n three', sentences: ['one.', 'two.', 'three'] },
    { text: '  leading. trailing.  \n', sentences: ['  leading.', 'trailing.'] },
    { text: 'end.The next.one', sentences: ['end.The next.one'] },
    { text: 'no end mark here, only: this; and that', sentences: ['no end mark here, only: this; and that'] },
    { text: '... starts with dots. Then goes on', sentences: ['... starts with dots.', 'Then goes on'] },
    { text: 'Q: what? A: this. B. That', sentences: ['Q: what?', 'A: this.', 'B.', 'That'] },
    { text: 'http://x.org/a?b. Next!', sentences: ['http://x.org/a?b.', 'Next!'] },
    { text: 'Very bad acting!!! I promise.', sentences: ['Very bad acting!!!', 'I promise.'] },
    { text: 'end.\u00a0Next? \u2003Then', sentences: ['end.\u00a0Next?', 'Then'] },
    { text: '. . .', sentences: ['.', '.', '.'] },
    { text: '?', sentences: ['?'] },
    { text: '', sentences: [] },
  ])('$text', ({ text, sentences }) => {
    expect(sentencesOf(text).filter((sentence) => sentence !== '')).toEqual(sentences);
  });
});

const text = fc.string({ unit: fc.constantFrom(...'ab. \'")]}?!-,:1T\n\u00a0'.split('')), maxLength: 80 });

property.prop([text])('sentences come in order and leave out nothing but whitespace', (input) => {
  let covered = 0;
  for (const { start, end } of splitSentences(input, builtInModel())) {
    expect(input.slice(covered, start).trim()).toBe('');
    covered = Math.max(covered, end);
  }
  expect(input.slice(covered).trim()).toBe('');
});

describe('a model on disk', () => {
  let root: string;
  const FILES = {
    'abbrev_types.txt': 'xyz\nq.r\nzz',
    'collocations.tab': '##number##\tmiles\r\nfoo\tbar\n',
    'sent_starters.txt': 'once\n',
    'ortho_context.tab': 'apple\t64\nstone\t68\n',
  };

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'punkt-'));
    const folder = join(root, 'tokenizers', 'punkt_tab', 'english');
    mkdirSync(folder, { recursive: true });
    for (const [file, content] of Object.entries(FILES)) writeFileSync(join(folder, file), content);
  });
  afterAll(() => rmSync(root, { recursive: true }));

  test.each(['', 'tokenizers', 'tokenizers/punkt_tab', 'tokenizers/punkt_tab/english'])(
    'is found from the data root or below: %j',
    (below) => {
      const model = readPunktModel(join(root, below));
      expect([...model.abbreviations]).toEqual(['xyz', 'q.r', 'zz']);
      expect(model.collocations.size).toBe(2);
      expect([...model.sentenceStarters]).toEqual(['once']);
      expect(model.orthographicContexts.get('stone')).toBe(68);
    },
  );

  test.each([
    { name: 'an abbreviation ends no sentence', input: 'Xyz. Bob left', tokens: ['Xyz.', 'Bob', 'left'] },
    { name: 'also as the last part of a hyphenated word', input: 'a-zz. Bob', tokens: ['a-zz.', 'Bob'] },
    { name: 'unless a sentence starter follows', input: 'Q.r. Once', tokens: ['Q.r', '.', 'Once'] },
    { name: 'or a word seen in lower case only', input: 'xyz. Apple', tokens: ['xyz', '.', 'Apple'] },
    { name: 'but not one with capitals inside sentences', input: 'xyz. Stone', tokens: ['xyz.', 'Stone'] },
    { name: 'an initial before a name', input: 'A. Bob', tokens: ['A.', 'Bob'] },
    { name: 'an initial before a word seen in lower case', input: 'A. Stone', tokens: ['A', '.', 'Stone'] },
    { name: 'a collocation', input: 'foo. Bar', tokens: ['foo.', 'Bar'] },
    { name: 'a collocation of numbers', input: '12. Miles', tokens: ['12.', 'Miles'] },
    { name: 'a word the model does not know', input: 'Mr. Bob', tokens: ['Mr', '.', 'Bob'] },
  ])('$name: $input', ({ input, tokens }) => {
    expect(tokenizer('nltk', { punktData: root })(input)).toEqual(tokens);
    expect(tokenizer('hosted', { punktData: root })(input)).toEqual(tokens);
  });

  test('is read once', () => {
    expect(tokenizer('nltk', { punktData: root })).toBe(tokenizer('nltk', { punktData: root }));
  });

  test('is of no use to the other tokenizers', () => {
    expect(tokenizer('13a', { punktData: '/nowhere' })).toBe(tokenizer('13a'));
  });

  test('that is missing says which file, where it was looked for and what to do', () => {
    const nowhere = join(root, 'nowhere');
    expect(() => tokenizer('nltk', { punktData: nowhere })).toThrow(
      `${join(nowhere, 'abbrev_types.txt')} is missing`,
    );
    expect(() => tokenizer('hosted', { punktData: nowhere })).toThrow(/nltk\.downloader punkt_tab/);
  });

  test('that is incomplete names the file that is missing', () => {
    const folder = join(root, 'incomplete');
    mkdirSync(folder);
    writeFileSync(join(folder, 'abbrev_types.txt'), 'mr');
    expect(() => readPunktModel(folder)).toThrow(`${join(folder, 'collocations.tab')} is missing`);
  });
});
