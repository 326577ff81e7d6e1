import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { applyTreebankRules } from '../../../src/metrics/tokenize/treebank-rules.js';
import { scanSentence } from '../../../src/metrics/tokenize/treebank.js';

const scan = (sentence: string): string[] | undefined => {
  const tokens: string[] = [];
  return scanSentence(sentence, 0, sentence.length, tokens) ? tokens : undefined;
};

const PIECES = [
  "' n't N'T 's 'S 'd 'll 'LL 're 've 'm 't o' 'n 'ye '' d is s ſ can not na was",
  'cannot Gimme gonna GOTTA lemme wanna more gımme',
  '. .. ... , ,, : ; ? ! - -- --- * @ # $ % & / _ + ( ) [ ] { } < >',
  '" "" ` `` ``` « » “ ” ‘ ’ „',
  '1 ٣ 𝟓 a word é 中 😀 𝒙 ½ \u0301',
]
  .flatMap((pieces) => pieces.split(' '))
  .concat(' ', ' ', ' ', ' ', '\n', '\t', '\u00a0', '\u2003');

describe('one pass finds what the rules find', () => {
  const sentence = fc.array(fc.constantFrom(...PIECES), { maxLength: 14 }).map((pieces) => pieces.join(''));

  property.prop([sentence], { numRuns: 4000 })('in any mix of what the rules look at', (input) => {
    const scanned = scan(input);
    if (scanned !== undefined) expect(scanned).toEqual(applyTreebankRules(input));
  });

  property.prop([fc.string({ unit: 'binary' })], { numRuns: 500 })('in any text', (input) => {
    const scanned = scan(input);
    if (scanned !== undefined) expect(scanned).toEqual(applyTreebankRules(input));
  });

  property.prop([sentence, sentence, sentence])('inside a longer text', (before, input, behind) => {
    const tokens: string[] = ['kept'];
    const isDecided = scanSentence(
      before + input + behind,
      before.length,
      before.length + input.length,
      tokens,
    );
    expect(tokens).toEqual(isDecided ? ['kept', ...applyTreebankRules(input)] : ['kept']);
  });
});

describe('one pass is enough for usual sentences', () => {
  test.each([
    'The cat sat on the mat.',
    'She said, "I can\'t (and won\'t) pay $1,234.56!"',
    "'Quoted' words, the dogs' bowls and it's John's.",
    'You cannot use `x_y` --- or ``z`` --- here: see http://example.com/a?b=c.',
    '“Smart quotes,” she said… it’s a naïve café 中文 😀.',
  ])('%s', (input) => {
    expect(scan(input)).toEqual(applyTreebankRules(input));
  });
});

describe('one pass leaves to the rules', () => {
  test.each([
    "rock 'n' roll",
    "'tis",
    "d'ye",
    "an 'x'",
    "''old'' quotes",
    'I wanna go',
    "should've'd",
    '𝒙cannot',
  ])('%s', (input) => {
    expect(scan(input)).toBeUndefined();
  });
});
