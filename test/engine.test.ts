import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { builtinGraders } from '../graders/index.js';
import { createEngine } from '../src/engine.js';
import { resultLine } from '../src/results/line.js';
import { ConfigError, formatIssue, GradingError, type ConfigIssue } from '../src/errors.js';
import { defineGrader, graderFields, template } from '../src/schema.js';
import { failed, scored, type Score } from '../src/score.js';

const CHECK = {
  type: 'string_check',
  name: 'exact',
  input: '{{ sample.output_text }}',
  reference: '{{ item.answer }}',
  operation: 'eq',
};

const engine = createEngine({ graders: builtinGraders });

const issuesOf = async (config: unknown): Promise<string[]> =>
  (await engine.validate(config)).map(
    (issue) => `${issue.severity === 'warning' ? 'warning: ' : ''}${formatIssue(issue).split('\n')[0]}`,
  );

describe('prepare', () => {
  test('makes a grader that takes rows of any shape', async () => {
    const grader = await engine.prepare(CHECK);
    expect(grader).toMatchObject({ name: 'exact', type: 'string_check', criteria: [] });
    const row = { item: { answer: '4' }, sample: { output_text: '4' } };
    expect(grader.grade({ item: { answer: '4' }, sample: '4' })).toMatchObject({ reward: 1, passed: true });
    expect(grader.gradeRow(row)).toMatchObject({ reward: 1, passed: true });
    expect(grader.grade({ answer: '4' })).toMatchObject({ status: 'failed', code: 'invalid_variable_error' });
    expect(grader.grade([] as never)).toMatchObject({ status: 'failed', code: 'row_error' });
    await grader.close();
  });

  test('throws every error at once and reports warnings beside them', async () => {
    const warnings: ConfigIssue[] = [];
    const config = { ...CHECK, operation: 'is', reference: '{{ answer }}', nme: 1 };
    const preparing = engine.prepare(config, { onWarning: (issue) => warnings.push(issue) });
    const error = await preparing.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).issues.map(({ path }) => path)).toEqual([['reference'], ['operation']]);
    expect(warnings.map(({ path }) => path)).toEqual([['nme']]);
  });

  test('an eval is graded by all of its criteria', async () => {
    const grader = await engine.prepare({
      testing_criteria: [CHECK, { ...CHECK, name: 'contains', operation: 'like' }],
    });
    expect(grader.criteria).toEqual(['exact', 'contains']);
    expect(grader.signature).toBe('exact=string_check:eq, contains=string_check:like');
    const row = { item: { answer: '4' }, sample: 'It is 4' };
    expect(grader.grade(row)).toMatchObject({ reward: 0.5, passed: false });
  });

  test('an eval without thresholds gets them, with a warning; a single grader does not', async () => {
    const similarity = {
      ...CHECK,
      type: 'text_similarity',
      evaluation_metric: 'fuzzy_match',
      operation: undefined,
    };
    expect(await issuesOf([CHECK, similarity])).toEqual([
      'warning: [1].pass_threshold: is missing; a row passes from 0.5',
    ]);
    const single = await engine.prepare({ ...similarity });
    expect(single.grade({ item: { answer: 'a' }, sample: 'a' })).toEqual({ status: 'scored', reward: 1 });
  });
});

describe('validate finds everything in one go', () => {
  test('in the members, the formula and the keys of a multi', async () => {
    const config = {
      type: 'multi',
      graders: {
        exact: { ...CHECK, operation: 'equal' },
        close: { ...CHECK, input: '{{ sample.output_text | lower }}' },
        unused: CHECK,
      },
      calculate_output: 'exact + closs',
      nmae: 'total',
    };
    expect(await issuesOf(config)).toEqual([
      'graders.exact.operation: expected one of eq, ne, like, ilike, neq, got "equal"',
      'graders.close.input: {{ sample.output_text | lower }}: filters and calls are not supported',
      'calculate_output: unknown name "closs", expected one of exact, close, unused',
      'warning: nmae: unknown key, expected one of name, pass_threshold, graders, calculate_output',
    ]);
  });

  test("in the members, when the multi's own shape is wrong", async () => {
    const config = { type: 'multi', graders: [{ ...CHECK, operation: 1 }, { type: 'multy' }] };
    expect(await issuesOf(config)).toEqual([
      'calculate_output: is missing, expected a string',
      'graders[0].operation: expected one of eq, ne, like, ilike, neq, got 1',
      'graders[1].type: unknown grader type "multy", expected one of string_check, text_similarity, python, score_model, label_model, multi',
      'graders[1].graders: is missing, expected an object or an array',
      'graders[1].calculate_output: is missing, expected a string',
    ]);
  });

  test('in the formula, when only a label is wrong', async () => {
    const config = { type: 'multi', name: 1, graders: { exact: CHECK }, calculate_output: 'exac' };
    expect(await issuesOf(config)).toEqual([
      'name: expected a string, got 1',
      'calculate_output: unknown name "exac", expected one of exact',
    ]);
  });

  test('beside a key that no configuration has', async () => {
    const config: unknown = JSON.parse(
      JSON.stringify({ ...CHECK, operation: 'is' }).replace('{', '{"__proto__":{"operation":"eq"},'),
    );
    expect(await issuesOf(config)).toEqual([
      '__proto__: is not accepted as a key',
      'operation: expected one of eq, ne, like, ilike, neq, got "is"',
    ]);
  });

  test('and guesses what a source without a type is', async () => {
    expect(await engine.validate({ source: 'def grade(sample, item): return 1' })).toMatchObject([
      { path: ['type'], hint: 'did you mean "python"?' },
    ]);
  });

  test('and says so when a type is known but not here', async () => {
    const few = createEngine({ graders: builtinGraders.filter(({ type }) => type === 'string_check') });
    expect(await few.validate({ type: 'label_model', labels: [] })).toMatchObject([
      { path: ['type'], message: 'this version cannot run label_model graders; it has string_check' },
    ]);
  });

  test('beside a label that is wrong, also where the grader could not run here', async () => {
    const judged = { type: 'score_model', model: 'o3', input: [{ role: 'user', content: '{{ item.a }}' }] };
    expect(await issuesOf({ ...judged, name: 1 })).toEqual(['name: expected a string, got 1']);
    expect(
      await issuesOf({ ...judged, name: 1, sampling_params: { max_tokens: 1, max_completion_tokens: 2 } }),
    ).toEqual([
      'name: expected a string, got 1',
      'sampling_params.max_tokens: is 1, but max_completion_tokens is 2: two spellings of one limit',
    ]);
  });

  test('a good configuration has no issues, also with null where a field may be missing', async () => {
    expect(await issuesOf(CHECK)).toEqual([]);
    const similarity = { ...CHECK, type: 'text_similarity', evaluation_metric: 'bleu', operation: undefined };
    expect(await issuesOf({ ...similarity, name: null, pass_threshold: null, assay: undefined })).toEqual([]);
  });
});

const custom = (grade: () => Score | Promise<Score>, type = 'custom') =>
  defineGrader({ type, summary: 'for this test', schema: z.object({}), prepare: () => ({ grade }) });

const outcome = async (grade: () => Score | Promise<Score>) => {
  const own = createEngine({ graders: [...builtinGraders, custom(grade)] });
  return (await own.prepare({ type: 'custom' })).grade({ item: {} });
};

describe('graders of third parties', () => {
  const shout = defineGrader({
    type: 'shout',
    summary: 'share of capital letters',
    schema: z.object({ ...graderFields, input: template }),
    prepare: ({ input, pass_threshold }) => ({
      grade(row) {
        const text = input.render(row);
        return scored(text.replaceAll(/[^A-Z]/g, '').length / text.length, pass_threshold);
      },
    }),
  });
  test('work alone, in a multi and as a criterion', async () => {
    const own = createEngine({ graders: [...builtinGraders, shout] });
    const config = { type: 'shout', input: '{{ sample.output_text }}' };
    const row = { item: {}, sample: 'ABcd' };
    expect((await own.prepare(config)).grade(row)).toEqual({ status: 'scored', reward: 0.5 });
    expect((await own.prepare({ ...config, pass_threshold: 0.6 })).grade(row)).toMatchObject({
      passed: false,
    });
    const multi = { type: 'multi', graders: { loud: config }, calculate_output: '1 - loud / 2' };
    expect((await own.prepare(multi)).grade(row)).toMatchObject({ reward: 0.75, subRewards: { loud: 0.5 } });
    expect((await own.prepare([config])).grade(row)).toMatchObject({ reward: 1, passed: true });
    expect(await own.validate({ type: 'shoot', input: '' })).toMatchObject([
      { hint: 'did you mean "shout"?' },
    ]);
  });

  test('may answer with promises', async () => {
    expect(await outcome(async () => scored(0.25))).toEqual({ status: 'scored', reward: 0.25 });
  });

  test.each([
    {
      name: 'throws',
      grade: () => {
        throw new Error('bug');
      },
      message: 'bug',
    },
    {
      name: 'throws no Error',
      grade: () => {
        throw Object.create(null) as Error;
      },
      message: 'an empty object',
    },
    {
      name: 'rejects',
      grade: async () => {
        throw new Error('late bug');
      },
      message: 'late bug',
    },
    { name: 'scores NaN', grade: () => scored(Number.NaN), message: 'NaN' },
    {
      name: 'makes up a score',
      grade: () => ({ status: 'scored', reward: Infinity }),
      message: 'the reward Infinity',
    },
    { name: 'answers nothing', grade: () => undefined, message: 'the grader gave undefined' },
    { name: 'answers a bare number later', grade: async () => 1, message: 'the grader gave 1' },
  ])('one that $name fails its row', async ({ grade, message }) => {
    const score = await outcome(grade as () => Score);
    expect(score).toMatchObject({ status: 'failed', code: 'other_error' });
    expect((score as { message: string }).message).toContain(message);
  });

  test('a GradingError keeps its code', async () => {
    const score = await outcome(() => {
      throw new GradingError('unresponsive_reward_error', 'too slow');
    });
    expect(score).toEqual({ status: 'failed', code: 'unresponsive_reward_error', message: 'too slow' });
  });

  test('may give evidence, which goes up to the row under the names of those that gave it', async () => {
    const judging = custom(() => ({ ...scored(1), evidence: [{ judge: 'a', result: 1 }] }), 'judging');
    const failing = custom(() => ({ ...failed('other_error', 'no'), evidence: [{ judge: 'b' }] }), 'failing');
    const own = createEngine({ graders: [...builtinGraders, judging, failing] });
    const grade = async (config: unknown) =>
      (await own.prepare(config)).grade({ item: { answer: '4' }, sample: '4' });
    expect(await grade({ type: 'judging' })).toMatchObject({ evidence: [{ judge: 'a', result: 1 }] });
    const graders = { x: { type: 'judging' }, y: { type: 'failing' }, z: CHECK };
    const multi = { type: 'multi', graders, calculate_output: 'x + y + z' };
    const evidence = [
      { grader: 'x', judge: 'a', result: 1 },
      { grader: 'y', judge: 'b' },
    ];
    expect(await grade(multi)).toMatchObject({ status: 'failed', evidence });
    const row = await grade([{ type: 'judging' }, { ...multi, name: 'all' }, CHECK]);
    expect(row.evidence).toEqual([
      { grader: 'judging', judge: 'a', result: 1 },
      { grader: 'all.x', judge: 'a', result: 1 },
      { grader: 'all.y', judge: 'b' },
    ]);
    expect(row.results?.map((result) => result.evidence)).toEqual([undefined, undefined, undefined]);
    expect(resultLine(0, row)).not.toContain('judge"');
    expect(await grade([CHECK])).not.toHaveProperty('evidence');
  });

  test.each([{ evidence: 'none' }, { evidence: [null] }, { evidence: ['said so'] }])(
    'that give %o as evidence fail their row',
    async (part) => {
      expect(await outcome(() => ({ ...scored(1), ...part }) as never)).toMatchObject({
        code: 'other_error',
      });
    },
  );

  test('two of the same type are refused', () => {
    const graders = [...builtinGraders, custom(() => scored(1), 'multi')];
    expect(() => createEngine({ graders })).toThrow('two graders have the type "multi"');
  });

  test('what was opened is closed, also when a neighbour is wrong', async () => {
    let open = 0;
    const opener = defineGrader({
      type: 'opener',
      summary: 'counts',
      schema: z.object({}),
      prepare() {
        open++;
        return { grade: () => scored(1), close: () => void open-- };
      },
    });
    const own = createEngine({ graders: [...builtinGraders, opener] });
    const broken = { ...CHECK, operation: 'is' };
    await expect(own.prepare([{ type: 'opener' }, broken])).rejects.toThrow(ConfigError);
    const graders = { a: { type: 'opener' }, b: broken };
    await own.validate({ type: 'multi', graders, calculate_output: 'a + b' });
    await own.validate({ type: 'multi', graders });
    await own.validate({ type: 'multi', graders: { a: { type: 'opener' } }, calculate_output: 'a + c' });
    const ready = await own.prepare([{ type: 'opener' }, { type: 'opener' }]);
    expect(open).toBe(2);
    await ready.close();
    expect(open).toBe(0);
  });
});
