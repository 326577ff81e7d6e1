import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Rehearsal } from '../../src/rehearse/rehearsal.js';
import { assay } from './assay.js';

const FIXTURE = relative('.', new URL('../../fixtures/rehearse-units/', import.meta.url).pathname);
const UNITS = [
  'rehearse',
  join(FIXTURE, 'job.json'),
  '--data',
  join(FIXTURE, 'train.jsonl'),
  '--validation',
  join(FIXTURE, 'validation.jsonl'),
  '--samples',
  join(FIXTURE, 'samples.jsonl'),
];

const home = await mkdtemp(join(tmpdir(), 'assay-rehearse-'));
let folders = 0;

const EXACT = {
  type: 'string_check',
  name: 'exact',
  input: '{{ sample.output_text }}',
  reference: '{{ item.answer }}',
  operation: 'eq',
};

/** A fine-tuning job with this grader. */
const jobOf = (
  grader: object,
  hyperparameters: object = { n_epochs: 1, batch_size: 2, eval_interval: 1 },
  rest: object = {},
) => ({
  model: 'o4-mini-2025-04-16',
  training_file: 'file-a',
  validation_file: 'file-b',
  method: { type: 'reinforcement', reinforcement: { grader, hyperparameters, ...rest } },
});

const trainingRow = (n: number, rest: object = {}) => ({
  messages: [{ role: 'user', content: `What is ${n} + 0?` }],
  answer: String(n),
  ...rest,
});

type Lines = readonly unknown[] | string;

const textOf = (lines: Lines): string =>
  typeof lines === 'string' ? lines : lines.map((line) => `${JSON.stringify(line)}\n`).join('');

/** Rehearses a job in a folder of its own. */
const rehearse = async (
  files: { readonly job: unknown; readonly train: Lines; readonly samples?: Lines; readonly valid?: Lines },
  ...flags: readonly string[]
) => {
  folders += 1;
  const folder = join(home, String(folders));
  await mkdir(folder);
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const { job, train, samples, valid } = files;
  const path = await write('job.json', JSON.stringify(job));
  const argv = ['rehearse', path, '--data', await write('train.jsonl', textOf(train))];
  if (samples !== undefined) argv.push('--samples', await write('samples.jsonl', textOf(samples)));
  if (valid !== undefined) argv.push('--validation', await write('valid.jsonl', textOf(valid)));
  const outcome = await assay([...argv, ...flags, '--json']);
  const found = outcome.stdout === '' ? undefined : (JSON.parse(outcome.stdout) as Rehearsal);
  return { ...outcome, folder, found: found as Rehearsal };
};

const codesOf = ({ warnings }: Rehearsal): readonly string[] => warnings.map(({ code }) => code);
const TRAIN = [0, 1, 2, 3].map((n) => trainingRow(n));
const VALID = [10, 11].map((n) => trainingRow(n));

/** Without what differs from machine to machine. */
const steady = (text: string): string =>
  text.replace(/\n {2}time [\s\S]*?\n\n/, '\n  time\n\n').replaceAll(/python \d[\d.]*/g, 'python 3');

/** Everything, times apart. */
const timeless = async (): Promise<Rehearsal> => ({
  ...(JSON.parse((await assay([...UNITS, '--json'])).stdout) as Rehearsal),
  time: null,
});

describe('the report', () => {
  test('of the fixture is as it was read and approved', async () => {
    const { code, stdout, stderr } = await assay(UNITS);
    expect(steady(stdout)).toBe(steady(await readFile(join(FIXTURE, 'report.txt'), 'utf8')));
    expect([code, stderr]).toEqual([3, '']);
    expect(stdout).toMatch(/\n {2}time +grading takes .* a step and .* rows\/s/);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout).not.toContain('\u001b');
  });

  test('is the same every time, times apart', async () => {
    expect(await timeless()).toEqual(await timeless());
  });

  test('cannot be repainted by rows, names and messages', async () => {
    const hostile = '\u001b[2J\u202e\n';
    const job = jobOf({ ...EXACT, name: hostile, reference: '{{ item.other }}' });
    const train = [{ ...trainingRow(1), samples: [hostile, hostile] }];
    const { folder } = await rehearse({ job, train });
    const { stdout, stderr } = await assay([
      'rehearse',
      join(folder, 'job.json'),
      '--data',
      join(folder, 'train.jsonl'),
    ]);
    expect(stdout + stderr).not.toMatch(/[\u001b\u202e]/);
  });
});

describe('where outputs come from', () => {
  const samples = TRAIN.map((item, n) => ({ item, samples: [String(n), 'x', n < 2 ? 'y' : String(n)] }));

  test('a dataset of samples is graded', async () => {
    const { code, found } = await rehearse({ job: jobOf(EXACT), train: TRAIN, valid: VALID, samples });
    expect(code).toBe(0);
    expect(found.samples).toMatchObject({ origin: 'dataset', prompts: 4, rows: 12, reused: 0, matched: 4 });
    expect(found.rewards).toMatchObject({ scored: 12, mean: 0.5, hosted_mean: 0.5 });
    expect(found.signal).toMatchObject({ prompts: 4, samples_per_prompt: 3, flat_share: 0 });
    expect(found.useful_prompts_per_batch).toBe(2);
    expect(found.time).toMatchObject({ basis: 'measured' });
    expect(codesOf(found)).toEqual([]);
    expect(found.verdict).toBe(
      'The job would take 2 steps and call its grader 32 times, and 4 times in 2 evaluations, with samples_per_prompt assumed. No output fails; 0 % of the prompts give no signal.',
    );
  });

  test('rows of one sample each belong together by their prompt, or by --group', async () => {
    const rows = [0, 1, 0, 1].map((n, index) => ({
      item: { ...trainingRow(n), set: 'a', label: index },
      sample: '0',
    }));
    const byPrompt = await rehearse({ job: jobOf(EXACT), train: TRAIN, samples: rows });
    expect(byPrompt.found.signal).toMatchObject({ prompts: 2, flat_share: 1 });
    const byGroup = await rehearse({ job: jobOf(EXACT), train: TRAIN, samples: rows }, '--group', 'set');
    expect(byGroup.found.signal).toMatchObject({ prompts: 1, samples_per_prompt: 4, flat_share: 0 });
  });

  test('rewards of the same grader are taken from results, and others are made anew', async () => {
    const { folder } = await rehearse({ job: jobOf(EXACT), train: TRAIN, samples });
    const at = (name: string) => join(folder, name);
    const run = (grader: string) =>
      assay(['run', at(grader), at('samples.jsonl'), '-o', at('scores.jsonl'), '--quiet', '--overwrite']);
    const again = async (...flags: readonly string[]) =>
      JSON.parse(
        (
          await assay([
            'rehearse',
            at('job.json'),
            '--data',
            at('train.jsonl'),
            '--samples',
            at('scores.jsonl'),
            '--json',
            ...flags,
          ])
        ).stdout,
      ) as Rehearsal;

    await run('job.json');
    // Rewards that no grader gives show where they come from.
    const planted = (await readFile(at('scores.jsonl'), 'utf8')).replaceAll('"reward":1', '"reward":0.75');
    await writeFile(at('scores.jsonl'), planted);
    const reused = await again();
    expect(reused.samples).toMatchObject({ origin: 'results', rows: 12, reused: 12, not_reused: null });
    expect(reused.rewards).toMatchObject({ max: 0.75, mean: 0.375 });
    expect(reused.time).toMatchObject({ basis: 'run_record', row_seconds: null });
    expect((await again('--rows', '2')).samples).toMatchObject({ prompts: 2, available: 4, rows: 6 });

    await writeFile(at('alone.json'), JSON.stringify(EXACT));
    await run('alone.json');
    expect((await again()).samples).toMatchObject({ origin: 'results', reused: 12 });

    await writeFile(at('other.json'), JSON.stringify({ ...EXACT, operation: 'ne' }));
    await run('other.json');
    const regraded = await again();
    expect(regraded.samples).toMatchObject({
      origin: 'dataset',
      reused: 0,
      not_reused: 'they are of another grader, exact (string_check:ne)',
    });
    expect(regraded.rewards).toMatchObject({ max: 1, mean: 0.5 });
  });

  test('training rows may have samples themselves', async () => {
    const train = [...TRAIN, { ...trainingRow(7), samples: ['7', '8'] }, { ...trainingRow(8), sample: '8' }];
    const { found } = await rehearse({ job: jobOf(EXACT), train });
    expect(found.samples).toMatchObject({ origin: 'training_rows', prompts: 2, rows: 3, matched: null });
    expect(found.rewards).toMatchObject({ mean: 2 / 3 });
    expect(found.signal).toMatchObject({ prompts: 1, flat_share: 0 });
  });

  test('without any, answers are made up, and nothing is said of the signal', async () => {
    const { found, code } = await rehearse({ job: jobOf(EXACT), train: TRAIN });
    expect(code).toBe(0);
    expect(found.samples).toMatchObject({ origin: 'stand_ins', prompts: 4, rows: 8 });
    expect(found).toMatchObject({ rewards: null, signal: null, useful_prompts_per_batch: null });
    expect(found.stand_ins?.answers).toMatchObject([
      { kind: 'ideal', mean: 1 },
      { kind: 'echo', mean: 0 },
    ]);
    expect(found.verdict).toContain('cannot be known without samples of the model');
  });

  test('a draw is of whole prompts, and follows the seed', async () => {
    const rows = Array.from({ length: 30 }, (_, n) => ({ item: trainingRow(n), samples: ['a', 'b'] }));
    const files = { job: jobOf(EXACT), train: TRAIN, samples: rows };
    const drawn = async (seed: string) =>
      (await rehearse(files, '--rows', '5', '--seed', seed)).found.samples;
    expect(await drawn('1')).toMatchObject({ prompts: 5, available: 30, rows: 10, seed: 1, matched: 4 });
  });
});

const samplesOf = (...texts: readonly string[]) => TRAIN.map((item) => ({ item, samples: texts }));
const python = (body: string) => ({ type: 'python', source: `def grade(sample, item):\n    ${body}\n` });

describe('warnings', () => {
  test('names that rows do not have: mistakes of the file, and failures', async () => {
    const train = [...TRAIN, { messages: trainingRow(9).messages, answr: '9' }];
    const { code, found } = await rehearse({ job: jobOf(EXACT), train, valid: VALID });
    expect(code).toBe(2);
    expect(codesOf(found)).toEqual(['missing_names']);
    expect(found.warnings[0].message).toContain('once in 5 rows, first in line 5');
    expect(found.failures).toMatchObject({ rows: 10, failed: 2, by_code: { invalid_variable_error: 2 } });
    expect(found.failures.first[0].place).toMatch(/train\.jsonl:5 \(ideal answer\)$/);
  });

  test('a constant reward', async () => {
    const files = { train: TRAIN, valid: VALID, samples: samplesOf('a', 'b') };
    const { found } = await rehearse({ ...files, job: jobOf(EXACT) });
    expect(codesOf(found)).toEqual(['constant_reward']);
    expect(found.verdict).toContain('all rewards are the same, so no prompt gives a signal');
    const made = await rehearse({ job: jobOf(python('return 0.5')), train: TRAIN, valid: VALID });
    expect(codesOf(made.found)).toEqual(['constant_reward']);
  });

  test('rewards beyond 0 to 1', async () => {
    const job = jobOf(python('return len(sample["output_text"]) - 2'));
    const { found } = await rehearse({ job, train: TRAIN, valid: VALID, samples: samplesOf('a', 'bbbb') });
    expect(codesOf(found)).toEqual(['reward_range']);
    expect(found.warnings[0].message).toBe('rewards go from -1 to 2, beyond 0 to 1');
  });

  test('looser limits than the service has', async () => {
    const files = {
      job: jobOf(python('return len(sample["output_text"]) / 100')),
      train: TRAIN,
      valid: VALID,
    };
    const { found } = await rehearse(files, '--python-timeout', '121', '--python-memory', '2049');
    expect(codesOf(found)).toEqual(['looser_limits']);
    expect(found.warnings[0].message).toContain('--python-timeout and --python-memory');
  });

  test('a Python grader that raises', async () => {
    const job = jobOf(python('return 1 / (len(sample["output_text"]) - 1)'));
    const files = { job, train: TRAIN, valid: VALID, samples: samplesOf('a', 'bb', 'ccc') };
    const { code, found } = await rehearse(files);
    expect(code).toBe(3);
    expect(codesOf(found)).toEqual(['runtime_errors']);
    expect(found.failures.first[0].message).toContain('ZeroDivisionError');
    expect(found.verdict).toContain('33.3 % of the outputs fail: python_grader_runtime_error');
    expect(found.rewards).toMatchObject({ mean: 0.75, hosted_mean: 0.5 });
    expect((await rehearse(files, '--max-failed', '0.4')).code).toBe(0);
  });

  test('outputs that break the response_format, in both of its forms', async () => {
    const schema = {
      type: 'object',
      properties: { answer: { type: 'string' } },
      required: ['answer'],
      additionalProperties: false,
    };
    const grader = { ...EXACT, input: '{{ sample.output_json.answer }}' };
    const samples = samplesOf('{"answer":"1"}', '{"answer":1}', '1,');
    for (const response_format of [
      { type: 'json_schema', json_schema: { name: 'a', schema } },
      { type: 'json_schema', name: 'a', schema },
    ]) {
      const job = jobOf(grader, undefined, { response_format });
      const { found } = await rehearse({ job, train: TRAIN, valid: VALID, samples });
      expect(found.outputs).toMatchObject({ name: 'a', checked: 12, not_json: 4, mismatched: 4 });
      expect(found.outputs?.first[0].message).toBe('answer: expected a string, got 1');
      expect(codesOf(found)).toContain('response_format');
    }
    const without = await rehearse({ job: jobOf(grader), train: TRAIN, valid: VALID, samples });
    expect(without.found.outputs).toBeNull();
    expect(codesOf(without.found)).toContain('json_without_format');
  });

  test('prompts without spread, single samples, samples of other data', async () => {
    const job = jobOf(EXACT);
    const flat = await rehearse({
      job,
      train: TRAIN,
      valid: VALID,
      samples: TRAIN.map((item, n) => ({ item, samples: n === 0 ? ['0', 'x'] : ['x', 'x'] })),
    });
    expect(codesOf(flat.found)).toEqual(['flat_prompts']);
    const single = await rehearse({
      job,
      train: TRAIN,
      valid: VALID,
      samples: [...samplesOf('1'), { item: trainingRow(99), sample: '99' }],
    });
    expect(codesOf(single.found)).toEqual(['one_sample', 'other_prompts']);
    expect(single.found.warnings[1].message).toContain('of the 5 prompts with samples, 4 are');
  });

  test('no validation file, no evaluation, a batch beyond the file', async () => {
    const job = jobOf(EXACT, { n_epochs: 1, batch_size: 100, eval_interval: 2 });
    const { found } = await rehearse({ job, train: TRAIN });
    expect(codesOf(found)).toEqual(['no_validation', 'no_evaluation', 'batch_size']);
  });
});

describe('files of the job', () => {
  test('are checked, and rows of the validation file that are in the training file told', async () => {
    const { code, found } = await rehearse({
      job: jobOf(EXACT),
      train: [...TRAIN, { messages: [{ role: 'assistant', content: 'x' }], answer: '1' }],
      valid: [...VALID, TRAIN[0]],
    });
    expect(code).toBe(2);
    expect(found.files.training).toMatchObject({ rows: 5, errors: 1, warnings: 0 });
    expect(found.files.training.counts).toMatchObject([{ rule: 'last_not_user', first_line: 5 }]);
    expect(found.files.validation).toMatchObject({ rows: 3, errors: 0, warnings: 1 });
    expect(found.files.validation?.counts).toMatchObject([{ rule: 'also_in_training' }]);
  });

  test('with warnings are mistakes under --strict', async () => {
    const files = { job: jobOf(EXACT), train: TRAIN, valid: [...VALID, TRAIN[0]] };
    expect((await rehearse(files)).code).toBe(0);
    expect((await rehearse(files, '--strict')).code).toBe(2);
  });

  test('with broken lines are rehearsed as far as they go', async () => {
    const train = `${textOf(TRAIN)}{"messages": [\n[]\n`;
    const { code, found } = await rehearse({ job: jobOf(EXACT), train, valid: VALID });
    expect(code).toBe(2);
    expect(found.files.training).toMatchObject({ rows: 6, errors: 2 });
    expect(found.samples).toMatchObject({ prompts: 4 });
  });
});

describe('the job', () => {
  test('may be a method by itself, with its type or without', async () => {
    const { method } = jobOf(EXACT);
    for (const job of [method, { reinforcement: method.reinforcement }, { method }]) {
      const { code, found } = await rehearse({ job, train: TRAIN, valid: VALID });
      expect(code).toBe(0);
      expect(found.job).toMatchObject({ model: null, grader: { name: 'exact', type: 'string_check' } });
      expect(found.plan).toMatchObject({ steps: 2, training_calls: 32 });
    }
  });

  test.each([
    { job: EXACT, message: /is no reinforcement fine-tuning job; expected the body of a job/ },
    {
      job: { model: 'm', training_file: 'f' },
      message: /is a supervised job, which calls no grader; rehearse is for reinforcement/,
    },
    { job: { type: 'dpo', dpo: {} }, message: /is a dpo job, which calls no grader/ },
    { job: [1], message: /is no reinforcement fine-tuning job/ },
    {
      job: jobOf(EXACT, { n_epochs: 99 }),
      message: /n_epochs: expected "auto" or a whole number from 1 to 50, got 99/,
    },
    { job: jobOf({ type: 'string_chek' }), message: /did you mean "string_check"\?/ },
    { job: { type: 'reinforcement' }, message: /is no reinforcement fine-tuning job/ },
  ])('that is none is refused: $message', async ({ job, message }) => {
    const { code, stdout, stderr } = await rehearse({ job, train: TRAIN });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });

  test('with unknown hyperparameters is rehearsed, and they are told', async () => {
    const { code, stderr, found } = await rehearse({
      job: jobOf(EXACT, { n_epochs: 1, etest_samples: 3 }),
      train: TRAIN,
      valid: VALID,
    });
    expect(code).toBe(0);
    expect(stderr).toContain('etest_samples');
    expect(found.configuration_warnings.join()).toContain('etest_samples');
  });
});

describe('bad usage', () => {
  const files = { job: jobOf(EXACT), train: TRAIN };
  test.each([
    { flags: ['--assume', 'n_epochs=2'], message: '--assume: n_epochs=2: the job says 1' },
    { flags: ['--assume', 'epochs=2'], message: '--assume: expected NAME=VALUE' },
    { flags: ['--group', '{{'], message: '--group: ' },
    { flags: ['--rows', '0'], message: '--rows: expected at least 1, got 0' },
    { flags: ['--samples', 'nowhere.jsonl'], message: 'nowhere.jsonl: there is no such dataset' },
    { flags: ['--validation', '-'], message: 'standard input cannot be read twice' },
  ])('$flags', async ({ flags, message }) => {
    const { code, stderr } = await rehearse(files, ...flags);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test.each([
    { samples: TRAIN, message: /samples\.jsonl has no samples/ },
    { samples: [{ row: 0, status: 'scored', reward: 1 }], message: /samples\.jsonl\.run\.json is missing/ },
  ])('$message', async ({ samples, message }) => {
    const { code, stderr } = await rehearse({ ...files, samples });
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  test('an empty training file', async () => {
    const { code, stderr } = await rehearse({ job: jobOf(EXACT), train: '' });
    expect(code).toBe(2);
    expect(stderr).toMatch(/train\.jsonl has no rows/);
  });

  test('results whose dataset is gone say what to do', async () => {
    const { folder } = await rehearse({ ...files, samples: [{ item: TRAIN[0], sample: '0' }] });
    const at = (name: string) => join(folder, name);
    await assay(['run', at('job.json'), at('samples.jsonl'), '-o', at('scores.jsonl'), '--quiet']);
    const record = await readFile(at('scores.jsonl.run.json'), 'utf8');
    await writeFile(at('scores.jsonl.run.json'), record.replaceAll('samples.jsonl', 'moved.jsonl'));
    const { code, stderr } = await assay([
      'rehearse',
      at('job.json'),
      '--data',
      at('train.jsonl'),
      '--samples',
      at('scores.jsonl'),
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--samples: .*moved\.jsonl, which .*scores\.jsonl is about, cannot be read again/);
  });
});

test('what the user assumes is used, and said', async () => {
  const job = jobOf(EXACT, {});
  const { found } = await rehearse(
    { job, train: TRAIN, valid: VALID },
    '--assume',
    'n_epochs=5',
    '--assume',
    'batch_size=1',
    '--assume',
    'samples_per_prompt=2',
    '--assume',
    'concurrency=3',
  );
  expect(found.plan).toMatchObject({ steps: 20, training_calls: 40, calls_per_step: 2 });
  expect(found.time).toMatchObject({ in_flight: 3 });
  expect(found.verdict).not.toContain('assumed');
});

test('an interrupted rehearsal ends with 130', async () => {
  expect((await assay(UNITS, '', AbortSignal.abort())).code).toBe(130);
});
