import { describe, expect, test } from 'vitest';
import type { ModelRule, Sampling } from '../../src/judge-call.js';
import { fitSampling, ruleFields } from '../../src/judge/model-rules.js';

const ALL: Sampling = {
  seed: 1,
  temperature: 0,
  top_p: 0.5,
  max_completion_tokens: 9,
  reasoning_effort: 'low',
};

const sent = (model: string, sampling: Sampling = ALL, rules?: readonly ModelRule[]) =>
  Object.keys(fitSampling(model, sampling, rules).sampling).join(' ');

const EVERYTHING = 'seed temperature top_p max_completion_tokens reasoning_effort';
const REASONING = 'seed max_completion_tokens reasoning_effort';
const PLAIN = 'seed temperature top_p max_completion_tokens';

describe('what a model is sent', () => {
  test.each([
    'o1',
    'o1-2024-12-17',
    'o3',
    'o3-mini-2025-01-31',
    'o3-pro',
    'o4-mini',
    'gpt-5',
    'gpt-5-mini-2025-08-07',
    'gpt-5-pro',
    'gpt-5.2-pro-2025-12-11',
    'gpt-5.1-codex-max',
    'openai/o3',
    'O3',
    'ft:o4-mini-2025-04-16:org::id',
  ])('%s reasons: no temperature, no top_p', (model) => {
    expect(sent(model)).toBe(REASONING);
  });

  test.each([
    'gpt-4o-2024-08-06',
    'gpt-4.1',
    'gpt-4.1-nano-2025-04-14',
    'gpt-4',
    'gpt-3.5-turbo',
    'gpt-35-turbo',
    'gpt-5-chat-latest',
    'gpt-audio',
    'chatgpt-4o-latest',
    'azure/gpt-4o',
    'ft:gpt-4.1-mini:org::id',
  ])('%s does not reason: no effort', (model) => {
    expect(sent(model)).toBe(PLAIN);
  });

  test.each(['gpt-5.1-chat-latest', 'gpt-5.2-chat-latest'])('%s has an effort of its own', (model) => {
    expect(sent(model)).toBe('seed max_completion_tokens');
  });

  test.each([
    'gpt-oss-120b',
    'qwen3-8b',
    'meta-llama/Llama-3.1-8B-Instruct',
    'o3x',
    'so1',
    'my-judge',
    'gpt-50',
    '',
  ])('%o is none of OpenAI’s and is sent everything', (model) => {
    expect(sent(model)).toBe(EVERYTHING);
  });

  test('the models after gpt-5 sample while they do not reason', () => {
    const none: Sampling = { temperature: 0, reasoning_effort: 'none' };
    expect(sent('gpt-5.1', { temperature: 0 })).toBe('temperature');
    expect(sent('gpt-5.2-2025-12-11', none)).toBe('temperature reasoning_effort');
    expect(sent('gpt-5.2', { temperature: 0, reasoning_effort: 'low' })).toBe('reasoning_effort');
    expect(sent('gpt-5.6', none)).toBe('temperature reasoning_effort');
    expect(sent('gpt-5.6', { temperature: 0 })).toBe('');
    expect(sent('gpt-5', none)).toBe('reasoning_effort');
  });
});

describe('what is said to be left out', () => {
  test('names it, but not what is the default anyway', () => {
    expect(fitSampling('o3', ALL).dropped).toEqual(['temperature', 'top_p']);
    expect(fitSampling('o3', { temperature: 1, top_p: 1 })).toEqual({ sampling: {}, dropped: [] });
    expect(fitSampling('o3', {}).dropped).toEqual([]);
    expect(fitSampling('gpt-4.1', ALL).dropped).toEqual(['reasoning_effort']);
  });
});

describe('rules of a user', () => {
  test('come first, and the first that has the name counts', () => {
    const rules: ModelRule[] = [
      { models: ['o3'], omit: [] },
      { models: ['o*', 'my-*-judge'], omit: ['seed'] },
    ];
    expect(sent('o3', ALL, rules)).toBe(EVERYTHING);
    expect(sent('o4-mini', ALL, rules)).toBe('temperature top_p max_completion_tokens reasoning_effort');
    expect(sent('my-own-judge', ALL, rules)).not.toContain('seed');
    expect(sent('my-judge', ALL, rules)).toBe(EVERYTHING);
    expect(sent('gpt-4.1', ALL, rules)).toBe(PLAIN);
  });

  test.each<[pattern: string, model: string, fits: boolean]>([
    ['*', 'anything', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'acb', false],
    ['ab*ba', 'aba', false],
    ['ab*ba', 'abba', true],
    ['**', '', true],
    ['a.c', 'abc', false],
    ['org/*', 'org/model', true],
    [`${'a*'.repeat(1_000)}b`, 'a'.repeat(100_000), false],
  ])('%s and %s', (pattern, model, fits) => {
    expect(sent(model, { seed: 1 }, [{ models: [pattern], omit: ['seed'] }]) === '').toBe(fits);
  });

  test('in a file they are checked', () => {
    expect(ruleFields.safeParse({ omit: ['seed'], unless_effort: ['none', 'default'] }).success).toBe(true);
    expect(ruleFields.safeParse({ omit: ['sede'] }).success).toBe(false);
    expect(ruleFields.safeParse({ omit: [], omitt: [] }).success).toBe(false);
  });
});
