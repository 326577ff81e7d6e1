import { describe, expect, test } from 'vitest';
import { builtinGraders } from '../../graders/index.js';
import type { Embed } from '../../src/contract.js';
import { createEngine } from '../../src/engine.js';
import { EVALUATION_METRICS } from '../../src/metrics/profiles.js';

const CONFIG = { type: 'text_similarity', input: '{{ sample.output_text }}', reference: '{{ item.answer }}' };
const ROW = { item: { answer: 'fuzzy wuzzy had no hair' }, sample: 'fuzzy wuzzy was a bear' };

const prepare = (fields: object, embed?: Embed) =>
  createEngine({ graders: builtinGraders, embed }).prepare({ ...CONFIG, ...fields });

describe('text_similarity', () => {
  // RapidFuzz 3.10.1, NLTK 3.9.1 (method4), as CONTRACT's table of check values has them.
  test.each([
    { evaluation_metric: 'fuzzy_match', reward: 0.755556 },
    { evaluation_metric: 'bleu', reward: 0.121211 },
    { evaluation_metric: 'gleu', reward: 0.214286 },
  ])('$evaluation_metric → $reward', async ({ evaluation_metric, reward }) => {
    const score = await (await prepare({ evaluation_metric })).grade(ROW);
    expect(score).not.toHaveProperty('passed');
    expect(score.status === 'scored' && score.reward).toBeCloseTo(reward, 6);
  });

  test.each(EVALUATION_METRICS.filter((metric) => metric !== 'cosine'))(
    '%s names its profile in the signature',
    async (evaluation_metric) => {
      expect((await prepare({ evaluation_metric })).signature).toContain('/hosted-2025');
      const own = await prepare({ evaluation_metric, assay: { profile: 'nltk' } });
      expect(own.signature).toContain('/nltk');
    },
  );

  test('a row passes when its unrounded reward reaches the threshold', async () => {
    const reward = 34 / 45;
    for (const pass_threshold of [reward, reward + 1e-15]) {
      const grader = await prepare({ evaluation_metric: 'fuzzy_match', pass_threshold });
      expect(grader.grade(ROW)).toMatchObject({ reward, passed: pass_threshold === reward });
    }
  });

  test('cosine needs embeddings, or says which offline mode there is', async () => {
    await expect(prepare({ evaluation_metric: 'cosine' })).rejects.toThrow('cosine needs a model endpoint');
    const lexical = await prepare({ evaluation_metric: 'cosine', assay: { cosine: 'lexical' } });
    expect(lexical.signature).toBe('cosine:lexical');
    const score = await lexical.grade(ROW);
    expect(score.status === 'scored' && score.reward > 0 && score.reward < 1).toBe(true);
  });

  test('cosine with embeddings is the raw cosine of the two vectors, under the name of their model', async () => {
    const embed: Embed = { model: 'letters', embed: async (texts) => texts.map((text) => [text.length, 1]) };
    const grader = await prepare({ evaluation_metric: 'cosine' }, embed);
    expect(grader.signature).toBe('cosine:letters');
    const score = await grader.grade({ item: { answer: '' }, sample: 'a' });
    expect(score.status === 'scored' && score.reward).toBeCloseTo(Math.SQRT1_2, 14);
  });

  test.each([
    {
      evaluation_metric: 'bleu',
      assay: { tokenizer: 'whitespace', smoothing: 'method1', max_order: 2, lowercase: true },
      signature: 'bleu:tokenizer=whitespace;smoothing=method1;max_order=2;lowercase=true/hosted-2025',
    },
    {
      evaluation_metric: 'bleu',
      assay: { weights: [0.5, 0.5] },
      signature: 'bleu:weights=0.5,0.5/hosted-2025',
    },
    {
      evaluation_metric: 'gleu',
      assay: { min_len: 2, max_len: 3 },
      signature: 'gleu:min_len=2;max_len=3/hosted-2025',
    },
    {
      evaluation_metric: 'meteor',
      assay: { alpha: 0.5, beta: 1, gamma: 0.2, synonyms: false },
      signature: 'meteor:alpha=0.5;beta=1;gamma=0.2;synonyms=false/hosted-2025',
    },
    {
      evaluation_metric: 'rouge_l',
      assay: { use_stemmer: true, measure: 'recall', tokenizer: 'unicode', summary: true },
      signature: 'rouge_l:tokenizer=unicode;use_stemmer=true;measure=recall;summary=true/hosted-2025',
    },
    {
      evaluation_metric: 'fuzzy_match',
      assay: { scorer: 'WRatio', processor: 'default_process' },
      signature: 'fuzzy_match:WRatio;processor=default_process/hosted-2025',
    },
  ])('$evaluation_metric with $assay names them', async ({ evaluation_metric, assay, signature }) => {
    const grader = await prepare({ evaluation_metric, assay });
    expect(grader.signature).toBe(signature);
    const score = await grader.grade(ROW);
    expect(score.status === 'scored' && score.reward > 0 && score.reward < 1).toBe(true);
    expect(
      await createEngine({ graders: builtinGraders }).validate({ ...CONFIG, evaluation_metric, assay }),
    ).toEqual([]);
  });

  test.each([
    {
      evaluation_metric: 'rouge_1',
      assay: { tokenizer: '13a' },
      message: 'rouge_1: tokenizer "13a", expected one of ascii',
    },
    {
      evaluation_metric: 'gleu',
      assay: { min_len: 3, max_len: 2 },
      message: 'gleu: n-grams of the orders 3 to 2',
    },
    {
      evaluation_metric: 'bleu',
      assay: { weights: [1], smoothing: 'exp' },
      message: 'bleu: weights with the smoothing exp',
    },
    { evaluation_metric: 'bleu', assay: { max_order: 10 }, message: 'assay.max_order' },
    { evaluation_metric: 'meteor', assay: { alpha: 2 }, message: 'assay.alpha' },
  ])(
    '$evaluation_metric with $assay is a mistake in the file',
    async ({ evaluation_metric, assay, message }) => {
      await expect(prepare({ evaluation_metric, assay })).rejects.toThrow(message);
    },
  );

  test.each([
    { fields: { evaluation_metric: 'bleu', pass_threshold: 80 }, path: 'pass_threshold' },
    { fields: { evaluation_metric: 'bleu', assay: { scorer: 'ratio' } }, path: 'assay.scorer' },
    { fields: { evaluation_metric: 'bleu', assay: { cosine: 'lexical' } }, path: 'assay.cosine' },
    { fields: { evaluation_metric: 'rouge_1', assay: { summary: true } }, path: 'assay.summary' },
    { fields: { evaluation_metric: 'gleu', assay: { max_order: 2 } }, path: 'assay.max_order' },
    { fields: { evaluation_metric: 'fuzzy_match', assay: { tokenizer: 'nltk' } }, path: 'assay.tokenizer' },
  ])('warns that $path changes nothing', async ({ fields, path }) => {
    const issues = await createEngine({ graders: builtinGraders }).validate({ ...CONFIG, ...fields });
    expect(issues).toMatchObject([{ path: path.split('.'), severity: 'warning' }]);
  });
});
