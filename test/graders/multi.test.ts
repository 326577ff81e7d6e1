import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { builtinGraders } from '../../graders/index.js';
import { createEngine } from '../../src/engine.js';
import { formatIssue, GradingError } from '../../src/errors.js';
import { defineGrader } from '../../src/schema.js';
import { scored } from '../../src/score.js';

/** Gives the number under a key of the item; later, when asked to. */
const pick = defineGrader({
  type: 'pick',
  summary: 'a number of the row',
  schema: z.object({ key: z.string(), later: z.boolean().optional() }),
  prepare: ({ key, later = false }) => ({
    grade({ item }) {
      if (typeof item[key] !== 'number')
        throw new GradingError('invalid_variable_error', `${key} is missing`);
      const score = scored(item[key]);
      return later ? Promise.resolve(score) : score;
    },
  }),
});

const engine = createEngine({ graders: [...builtinGraders, pick] });
const [a, b] = ['a', 'b'].map((key) => ({ type: 'pick', key }));

const grade = async (calculate_output: string, item: object, fields: object = {}) => {
  const grader = await engine.prepare({ type: 'multi', graders: { a, b }, calculate_output, ...fields });
  return grader.grade({ item });
};

const issuesOf = async (graders: unknown, calculate_output: string) =>
  (await engine.validate({ type: 'multi', graders, calculate_output })).map(
    (issue) => `${issue.severity}: ${formatIssue(issue).split('\n')[0]}`,
  );

describe('multi', () => {
  test('combines the rewards of its members, in their own units', async () => {
    expect(await grade('2 * a + b^2', { a: 3, b: -0.5 })).toEqual({
      status: 'scored',
      reward: 6.25,
      subRewards: { a: 3, b: -0.5 },
    });
  });

  test('passes where it has a threshold', async () => {
    expect(await grade('a + b', { a: 0.5, b: 0.5 }, { pass_threshold: 1 })).toMatchObject({ passed: true });
    expect(await grade('a + b', { a: 0.5, b: 0.4 }, { pass_threshold: 1 })).toMatchObject({ passed: false });
  });

  test('waits for members that answer later', async () => {
    const graders = { a: { ...a, later: true }, b };
    expect(await grade('a - b', { a: 3, b: 1 }, { graders })).toMatchObject({ reward: 2 });
  });

  test('is failed with its first failed member; what the hosted API would have answered stands beside', async () => {
    expect(await grade('1 + a + b', { b: 2 })).toEqual({
      status: 'failed',
      code: 'invalid_variable_error',
      message: 'a: a is missing',
      errors: { a: { code: 'invalid_variable_error', message: 'a is missing' } },
      subRewards: { b: 2 },
      hostedReward: 3,
    });
    expect(await grade('b / a', { b: 2 })).toMatchObject({ status: 'failed', hostedReward: 0 });
    expect(await grade('a + b', {})).toMatchObject({ message: 'a: a is missing', errors: { a: {}, b: {} } });
  });

  test('a formula without a finite value is a failed row that shows the values', async () => {
    expect(await grade('a / b', { a: 1, b: 0 })).toEqual({
      status: 'failed',
      code: 'formula_parse_error',
      message: 'calculate_output gave Infinity with a = 1, b = 0',
      subRewards: { a: 1, b: 0 },
      hostedReward: 0,
    });
    expect(await grade('sqrt(a - b)', { a: 0, b: 1 })).toMatchObject({ code: 'formula_parse_error' });
  });

  test('in the array form a variable is the name of its grader, or <type>_score', async () => {
    const graders = [{ ...a, name: 'first' }, b];
    expect(await grade('first - pick_score', { a: 3, b: 1 }, { graders })).toMatchObject({
      reward: 2,
      subRewards: { first: 3, pick_score: 1 },
    });
    expect(await issuesOf(graders, 'first - pick_score')).toEqual([
      'warning: graders: is an array; calculate_output calls its graders first, pick_score',
    ]);
  });

  test('its signature says what every member scores with', async () => {
    const check = { type: 'string_check', input: '', reference: '', operation: 'eq' };
    const grader = await engine.prepare({
      type: 'multi',
      graders: { a, check },
      calculate_output: 'a + check',
    });
    expect(grader.signature).toBe('multi(a=pick, check=string_check:eq)');
  });

  test.each([
    { graders: {}, formula: '1', issues: ['error: graders: is empty, expected at least one grader'] },
    { graders: { a, b }, formula: 'a', issues: ['warning: graders.b: calculate_output does not use b'] },
    {
      graders: { a: 3 },
      formula: 'a',
      issues: ['error: graders.a: expected a grader (an object with a "type"), got 3'],
    },
    {
      graders: [a, b],
      formula: 'pick_score',
      issues: ['error: graders[1]: a second grader is called pick_score'],
    },
    {
      graders: { a, c: { type: 'multi' } },
      formula: 'a + c',
      issues: ['error: graders.c.type: a multi cannot hold another multi'],
    },
    {
      graders: { type: 'pick', key: 'a' },
      formula: 'a',
      issues: ['error: graders: is one grader, expected a map of graders by name'],
    },
  ])('$formula over $graders: $issues', async ({ graders, formula, issues }) => {
    const found = await issuesOf(graders, formula);
    expect(found.filter((issue) => !issue.startsWith('warning: graders: is an array'))).toEqual(issues);
  });
});
