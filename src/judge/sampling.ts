import * as z from 'zod';
import type { ConfigIssue } from '../errors.js';
import type { Sampling } from '../judge-call.js';

const tokenLimit = z.int().min(1, 'expected a whole number from 1').nullish();

/** A number from 0 to `highest`. */
const upTo = (highest: number) => {
  const message = `expected a number from 0 to ${highest}`;
  return z.number().min(0, message).max(highest, message).nullish();
};

/** Spellings of the limit of tokens; the first is the key of the graders API. */
const LIMIT_KEYS = ['max_completions_tokens', 'max_completion_tokens', 'max_tokens'] as const;

/** The `sampling_params` of a model grader; null is as good as not given. */
export const samplingParams = z
  .object({
    temperature: upTo(2),
    top_p: upTo(1),
    seed: z.int().nullish(),
    max_completions_tokens: tokenLimit.describe(
      'The graders API spells it so; max_completion_tokens is the same',
    ),
    max_completion_tokens: tokenLimit,
    max_tokens: tokenLimit,
    reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullish(),
  })
  .nullish();

/** What `sampling_params` ask for: nothing but what is given, and mistakes with paths from the grader's root. */
export const readSampling = (
  params: z.output<typeof samplingParams>,
): { readonly sampling: Sampling; readonly issues: readonly ConfigIssue[] } => {
  const { temperature, top_p, seed, reasoning_effort } = params ?? {};
  const limits = LIMIT_KEYS.flatMap((key) => {
    const limit = params?.[key] ?? undefined;
    return limit === undefined ? [] : [{ key, limit }];
  });
  const [first] = limits;
  return {
    sampling: {
      ...present('seed', seed),
      ...present('temperature', temperature),
      ...present('top_p', top_p),
      ...present('max_completion_tokens', first?.limit),
      ...present('reasoning_effort', reasoning_effort),
    },
    issues: limits
      .filter(({ limit }) => limit !== first.limit)
      .map(({ key, limit }) => ({
        severity: 'error',
        path: ['sampling_params', key],
        message: `is ${limit}, but ${first.key} is ${first.limit}: two spellings of one limit`,
        hint: 'keep one of them',
      })),
  };
};

const present = <Key extends string, Value>(
  key: Key,
  value: Value | null | undefined,
): { readonly [name in Key]?: Value } =>
  value === null || value === undefined ? {} : ({ [key]: value } as never);
