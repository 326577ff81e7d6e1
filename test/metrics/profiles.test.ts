import { describe, expect, test } from 'vitest';
import { bleu } from '../../src/metrics/bleu.js';
import { fuzzyMatch } from '../../src/metrics/fuzzy.js';
import { gleu } from '../../src/metrics/gleu.js';
import { meteor } from '../../src/metrics/meteor.js';
import {
  EVALUATION_METRICS,
  PROFILE_NAMES,
  PROFILES,
  resolveProfile,
  textMetric,
  type TextMetricName,
} from '../../src/metrics/profiles.js';
import { rougeL, rougeN } from '../../src/metrics/rouge.js';

const CANDIDATE = 'It costs $3.88, "not" 4.\nThe cats sat on the mat!';
const REFERENCE = 'It costs $3.88 - not 5. A cat sat on a mat.';

test('the metrics are those of the wire', () => {
  expect(EVALUATION_METRICS).toEqual([
    'fuzzy_match',
    'bleu',
    'gleu',
    'meteor',
    'rouge_1',
    'rouge_2',
    'rouge_3',
    'rouge_4',
    'rouge_5',
    'rouge_l',
    'cosine',
  ]);
});

test('every profile has a line that explains it, and every name leads to one', () => {
  expect(PROFILES.map(({ name }) => name)).toEqual(['hosted-2025', 'nltk', 'sacrebleu']);
  for (const { summary } of PROFILES) expect(summary).not.toBe('');
  for (const name of PROFILE_NAMES) expect(PROFILES).toContain(resolveProfile(name));
  expect(resolveProfile('hosted').name).toBe('hosted-2025');
});

test.each(['toString', '__proto__', '', 'HOSTED'])('%j is no profile', (name) => {
  expect(() => resolveProfile(name)).toThrow('expected one of hosted-2025, hosted, nltk, sacrebleu');
});

test('a mistyped profile gets a suggestion', () => {
  expect(() => resolveProfile('sacreblue')).toThrow('did you mean "sacrebleu"?');
});

const score = (name: TextMetricName, profile: string): number =>
  textMetric(name, profile).metric(CANDIDATE, REFERENCE);

describe('scores of the profiles', () => {
  test('hosted-2025', () => {
    expect(score('bleu', 'hosted-2025')).toBe(bleu(CANDIDATE, REFERENCE));
    expect(score('gleu', 'hosted')).toBe(gleu(CANDIDATE, REFERENCE));
    expect(score('meteor', 'hosted')).toBe(meteor(CANDIDATE, REFERENCE));
  });

  test('nltk', () => {
    const tokenizer = 'nltk';
    expect(score('bleu', 'nltk')).toBe(bleu(CANDIDATE, REFERENCE, { tokenizer, smoothing: 'method0' }));
    expect(score('gleu', 'nltk')).toBe(gleu(CANDIDATE, REFERENCE, { tokenizer }));
    expect(score('meteor', 'nltk')).toBe(meteor(CANDIDATE, REFERENCE, { tokenizer }));
  });

  test('sacrebleu', () => {
    const tokenizer = '13a';
    expect(score('bleu', 'sacrebleu')).toBe(bleu(CANDIDATE, REFERENCE, { tokenizer, smoothing: 'exp' }));
    expect(score('gleu', 'sacrebleu')).toBe(gleu(CANDIDATE, REFERENCE, { tokenizer }));
    expect(score('meteor', 'sacrebleu')).toBe(meteor(CANDIDATE, REFERENCE, { tokenizer }));
  });

  test.each(PROFILE_NAMES)('fuzzy_match and ROUGE are the same in %s', (profile) => {
    expect(score('fuzzy_match', profile)).toBe(fuzzyMatch(CANDIDATE, REFERENCE));
    for (const order of [1, 2, 3, 4, 5] as const) {
      expect(score(`rouge_${order}`, profile)).toBe(rougeN(CANDIDATE, REFERENCE, order));
    }
    expect(score('rouge_l', profile)).toBe(rougeL(CANDIDATE, REFERENCE));
  });
});

test('a signature names the metric, its variant and the profile', () => {
  expect(textMetric('bleu').signature).toBe('bleu/hosted-2025');
  expect(textMetric('rouge_l', 'hosted').signature).toBe('rouge_l/hosted-2025');
  expect(textMetric('fuzzy_match', 'nltk', { scorer: 'ratio' }).signature).toBe('fuzzy_match/nltk');
  const { metric, signature } = textMetric('fuzzy_match', 'hosted', { scorer: 'jaro_winkler' });
  expect(signature).toBe('fuzzy_match:jaro_winkler/hosted-2025');
  expect(metric('MARTHA', 'MARHTA')).toBe(0.9611111111111111);
});

test.each([
  ['bleu', { maxOrder: 2 }, 'bleu:max_order=2/hosted-2025'],
  ['bleu', { maxOrder: 4, tokenizer: 'hosted', lowercase: false }, 'bleu/hosted-2025'],
  ['bleu', { tokenizer: '13a', smoothing: 'exp' }, 'bleu:tokenizer=13a;smoothing=exp/hosted-2025'],
  ['bleu', { weights: [0.5, 0.5], lowercase: true }, 'bleu:weights=0.5,0.5;lowercase=true/hosted-2025'],
  ['gleu', { minLen: 2, maxLen: 3 }, 'gleu:min_len=2;max_len=3/hosted-2025'],
  ['meteor', { alpha: 0.5, synonyms: false }, 'meteor:alpha=0.5;synonyms=false/hosted-2025'],
  [
    'rouge_1',
    { useStemmer: true, tokenizer: 'unicode' },
    'rouge_1:tokenizer=unicode;use_stemmer=true/hosted-2025',
  ],
  ['rouge_l', { summary: true, measure: 'recall' }, 'rouge_l:measure=recall;summary=true/hosted-2025'],
  ['fuzzy_match', { scorer: 'ratio' }, 'fuzzy_match/hosted-2025'],
  [
    'fuzzy_match',
    { scorer: 'WRatio', processor: 'default_process' },
    'fuzzy_match:WRatio;processor=default_process/hosted-2025',
  ],
  // What a metric does not have changes neither its numbers nor its name.
  ['rouge_1', { summary: true, maxOrder: 2 }, 'rouge_1/hosted-2025'],
] as const)('%s with %j is %s', (name, options, signature) => {
  expect(textMetric(name, 'hosted', options).signature).toBe(signature);
});

test('options reach the metric, and leave the rest to the profile', () => {
  const { metric } = textMetric('bleu', 'sacrebleu', { maxOrder: 2, lowercase: true });
  const options = { tokenizer: '13a', smoothing: 'exp', maxOrder: 2, lowercase: true } as const;
  expect(metric(CANDIDATE, REFERENCE)).toBe(bleu(CANDIDATE, REFERENCE, options));
  expect(textMetric('rouge_l', 'nltk', { summary: true }).metric('a\nb', 'b\na')).toBe(1);
  expect(textMetric('rouge_2', 'nltk', { useStemmer: true }).metric('cats sat', 'cat sat')).toBe(1);
  expect(textMetric('meteor', 'nltk', { synonyms: false }).metric('better', 'good')).toBe(0);
  expect(textMetric('gleu', 'nltk', { lowercase: true }).metric('A', 'a')).toBe(1);
});

test.each([
  ['bleu', { tokenizer: 'ascii' }, 'tokenizer "ascii", expected one of hosted, nltk, whitespace, 13a, intl'],
  ['rouge_1', { tokenizer: '13a' }, 'tokenizer "13a", expected one of ascii, unicode'],
  ['bleu', { weights: [1], smoothing: 'floor' }, 'they go with NLTK'],
  ['gleu', { minLen: 5 }, 'orders 5 to 4'],
  ['meteor', { alpha: 2 }, 'alpha 2'],
] as const)('%s refuses %j', (name, options, message) => {
  expect(() => textMetric(name, 'hosted', options)).toThrow(message);
});

test('cosine is refused: it needs a model', () => {
  expect(() => textMetric('cosine' as TextMetricName)).toThrow('unknown text metric "cosine"');
});
