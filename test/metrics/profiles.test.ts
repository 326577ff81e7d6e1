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

test('cosine is refused: it needs a model', () => {
  expect(() => textMetric('cosine' as TextMetricName)).toThrow('unknown text metric "cosine"');
});
