import { describe, expect, test } from 'vitest';
import { readSampling, samplingParams } from '../../src/judge/sampling.js';

const read = (params: unknown) => readSampling(samplingParams.parse(params));

describe('sampling_params', () => {
  test.each<[name: string, params: unknown, sampling: object]>([
    ['none', undefined, {}],
    ['null', null, {}],
    ['empty', {}, {}],
    [
      'nulls',
      { temperature: null, top_p: null, seed: null, max_completions_tokens: null, reasoning_effort: null },
      {},
    ],
    [
      'all of them',
      { temperature: 0, top_p: 1, seed: 42, max_completions_tokens: 4096, reasoning_effort: 'xhigh' },
      { temperature: 0, top_p: 1, seed: 42, max_completion_tokens: 4096, reasoning_effort: 'xhigh' },
    ],
    ["the chat API's spelling of the limit", { max_completion_tokens: 5 }, { max_completion_tokens: 5 }],
    ['the old spelling', { max_tokens: 5 }, { max_completion_tokens: 5 }],
    ['two spellings that agree', { max_tokens: 5, max_completions_tokens: 5 }, { max_completion_tokens: 5 }],
    [
      'two spellings, one null',
      { max_tokens: 5, max_completions_tokens: null },
      { max_completion_tokens: 5 },
    ],
    ['a negative seed', { seed: -1 }, { seed: -1 }],
  ])('%s', (_, params, sampling) => {
    const found = read(params);
    expect(found).toEqual({ sampling, issues: [] });
    expect(Object.keys(found.sampling)).toEqual(
      Object.keys(sampling).toSorted((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)),
    );
  });

  test('two spellings that disagree are a mistake', () => {
    expect(read({ max_completions_tokens: 5, max_tokens: 6 }).issues).toEqual([
      {
        severity: 'error',
        path: ['sampling_params', 'max_tokens'],
        message: 'is 6, but max_completions_tokens is 5: two spellings of one limit',
        hint: 'keep one of them',
      },
    ]);
  });

  test.each([
    { temperature: 2.1 },
    { temperature: -0.1 },
    { temperature: '0' },
    { top_p: 1.1 },
    { seed: 1.5 },
    { max_completions_tokens: 0 },
    { max_completions_tokens: 1.5 },
    { reasoning_effort: 'hard' },
  ])('%o is refused', (params) => {
    expect(samplingParams.safeParse(params).success).toBe(false);
  });
});

const ORDER = ['seed', 'temperature', 'top_p', 'max_completion_tokens', 'reasoning_effort'];
