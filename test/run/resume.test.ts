import { mkdtemp, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as propertyTest, fc } from '@fast-check/vitest';
import * as z from 'zod';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine, type ReadyGrader } from '../../src/engine.js';
import type { RunRecord } from '../../src/results/record.js';
import { readJournal, ResumeError } from '../../src/run/resume.js';
import { run, type RunOptions } from '../../src/run/run.js';
import { defineGrader } from '../../src/schema.js';
import { failed, scored, type Score } from '../../src/score.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-resume-'));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
const newPath = (ending = 'jsonl'): string => join(folder, `${(files += 1)}.${ending}`);

const ROWS = 500;

const write = async (text: string, path = newPath()): Promise<string> => {
  await writeFile(path, text);
  return path;
};

const dataset = (rows = ROWS): Promise<string> =>
  write(Array.from({ length: rows }, (_, n) => `${JSON.stringify({ n, pad: 'x'.repeat(90) })}\n`).join(''));

/** Rewards that no shortcut would give, and some failures. */
const usual = (n: number): Score => (n % 41 === 7 ? failed('other_error', `no ${n}`) : scored(1 / (n + 3)));

const graderOf = (
  grade: (n: number) => Score | Promise<Score> = usual,
  config: object = {},
): Promise<ReadyGrader> => {
  const definition = defineGrader({
    type: 'custom',
    summary: 'for this test',
    schema: z.looseObject({}),
    prepare: () => ({ grade: (row) => grade(row.item.n as number) }),
  });
  return createEngine({ graders: [definition] }).prepare({ type: 'custom', ...config });
};

const read = (path: string): Promise<string> => readFile(path, 'utf8');
const recordOf = async (path: string): Promise<RunRecord> =>
  JSON.parse(await read(`${path}.run.json`)) as RunRecord;

/** What a killed run leaves: so many bytes of results, and a record that says `running`. */
const killAt = async (output: string, bytes: number): Promise<void> => {
  await truncate(output, bytes);
  const record = await recordOf(output);
  const { summary: _gone, ...rest } = record;
  const journal = { bytes: 0, warnings: [] };
  await writeFile(`${output}.run.json`, JSON.stringify({ ...rest, status: 'running', journal }));
};

/** Results, and the dataset they are of. */
const finished = async (more: Partial<RunOptions> = {}) => {
  const data = await dataset();
  const output = newPath();
  const { summary } = await run(await graderOf(), { data, output, ...more });
  return { data, output, summary, results: await read(output) };
};

/** What does not change from run to run. */
const timeless = ({ summary }: RunRecord) => ({ ...summary, started: 0, seconds: 0, rows_per_second: 0 });

describe('--resume', () => {
  propertyTest.prop([fc.double({ min: 0, max: 1, noNaN: true })], { numRuns: 25 })(
    'wherever a run was stopped, the file ends as if it never had been',
    async (share) => {
      const { data, output, results } = await finished();
      const record = await recordOf(output);
      await killAt(output, Math.floor(share * results.length));
      const graded: number[] = [];
      const grader = await graderOf((n) => {
        graded.push(n);
        return usual(n);
      });
      await run(grader, { data, output, resume: true });
      expect(await read(output)).toBe(results);
      expect(timeless(await recordOf(output))).toEqual(timeless(record));
      // Only the rows whose lines were not whole.
      const whole = results.slice(0, Math.floor(share * results.length)).split('\n').length - 1;
      expect(graded[0] ?? ROWS).toBe(whole);
    },
  );

  test.each([
    { name: 'a limit', more: { limit: 123 } },
    { name: 'a random draw', more: { random: 60, seed: 5 } },
    { name: 'a filter', more: { filter: [{ path: ['pad'], value: 'x'.repeat(90) }] } },
    { name: 'a filter and a limit', more: { filter: [{ path: ['pad'], value: 'x'.repeat(90) }], limit: 77 } },
    {
      name: 'a filter and a random draw',
      more: { filter: [{ path: ['pad'], value: 'x'.repeat(90) }], random: 50 },
    },
    { name: 'rows that are kept', more: { keep: { id: ['n'], input: 'all' as const } } },
  ])('with $name', async ({ more }) => {
    const { data, output, results } = await finished(more);
    await killAt(output, Math.floor(results.length * 0.6));
    await run(await graderOf(), { data, output, resume: true, ...more });
    expect(await read(output)).toBe(results);
  });

  test('a last line without its newline is written again', async () => {
    const { data, output, results } = await finished();
    const end = results.indexOf('\n', 1000);
    await killAt(output, end);
    await run(await graderOf(), { data, output, resume: true });
    expect(await read(output)).toBe(results);
  });

  test('a tail of zeros, which a power failure leaves, is cut off', async () => {
    const { data, output, results } = await finished();
    const end = results.indexOf('\n', 1000) + 1;
    await killAt(output, end);
    await truncate(output, end + 4096);
    await run(await graderOf(), { data, output, resume: true });
    expect(await read(output)).toBe(results);
  });

  test('without results there is nothing to go on with, and the run starts', async () => {
    const data = await dataset();
    const output = newPath();
    await run(await graderOf(), { data, output, resume: true });
    expect((await readJournal(output)).lastRow).toBe(ROWS - 1);
  });

  test('nor with results that are empty, whatever their record says', async () => {
    const { data, output, results } = await finished();
    await truncate(output, 0);
    await run(await graderOf(usual, { name: 'other' }), { data, output, resume: true });
    expect(await read(output)).toBe(results);
    await rm(`${output}.run.json`);
    await truncate(output, 0);
    await run(await graderOf(), { data, output, resume: true });
    expect(await read(output)).toBe(results);
  });

  test('a run that is complete stays what it is', async () => {
    const { data, output, results, summary } = await finished();
    const again = await run(await graderOf(), { data, output, resume: true });
    expect(await read(output)).toBe(results);
    expect(again.summary.mean).toBe(summary.mean);
  });

  test('an interrupted run says so and goes on', async () => {
    const data = await dataset();
    const output = newPath();
    const controller = new AbortController();
    const grader = await graderOf((n) => {
      if (n === 3) controller.abort();
      return usual(n);
    });
    const { status } = await run(grader, { data, output, signal: controller.signal });
    expect(status).toBe('interrupted');
    expect((await recordOf(output)).status).toBe('interrupted');
    await run(await graderOf(), { data, output, resume: true });
    expect((await recordOf(output)).status).toBe('complete');
  });
});

/** Why half of a run is refused after a change. */
const refusal = async (
  change: (made: { data: string; output: string }) => Promise<Partial<RunOptions> | void>,
  grader?: ReadyGrader,
) => {
  const { data, output, results } = await finished();
  await killAt(output, Math.floor(results.length / 2));
  const more = (await change({ data, output })) ?? {};
  const before = await read(output);
  const running = run(grader ?? (await graderOf()), { data, output, resume: true, ...more });
  const error = await running.then(
    () => new Error('was not refused'),
    (reason: Error) => reason,
  );
  expect(await read(output)).toBe(before);
  return error.message;
};

describe('results of another run are refused, with the reason', () => {
  test('another grader', async () => {
    const other = await graderOf(usual, { name: 'other' });
    expect(await refusal(async () => {}, other)).toMatch(
      /belongs to another run\n {2}grader: .* then, .* now/,
    );
  });

  test('other flags', async () => {
    const message = await refusal(async () => ({ limit: 3 }));
    expect(message).toContain('limit: none then, 3 now');
  });

  test('another version', async () => {
    const message = await refusal(async ({ output }) => {
      const record = await recordOf(output);
      await writeFile(`${output}.run.json`, JSON.stringify({ ...record, assay: '0.0.1' }));
    });
    expect(message).toMatch(/version: 0\.0\.1 then, .* now/);
  });

  test('a dataset of another size', async () => {
    const message = await refusal(async ({ data }) => {
      await writeFile(data, '{"n":1}\n');
    });
    expect(message).toContain(`size of`);
  });

  test('a dataset of the same size with another content', async () => {
    const message = await refusal(async ({ data }) => {
      await writeFile(data, (await read(data)).replace('"n":0', '"n":9'));
    });
    expect(message).toMatch(/has changed since its rows were graded \(in the MiB that starts at byte 0\)/);
  });

  test('results whose record is gone', async () => {
    const message = await refusal(({ output }) => rm(`${output}.run.json`));
    expect(message).toContain('run.json is missing');
  });

  test('rows in another order than that of the dataset', async () => {
    const message = await refusal(async ({ output }) => {
      const lines = (await read(output)).split('\n');
      await writeFile(output, [lines[0], lines[2], lines[1], ...lines.slice(3)].join('\n'));
      const record = await recordOf(output);
      await writeFile(
        `${output}.run.json`,
        JSON.stringify({ ...record, journal: { bytes: 9e9, warnings: [] } }),
      );
    });
    expect(message).toContain(':3: row 1 stands behind row 2');
  });

  test('a record that is none', async () => {
    const message = await refusal(({ output }) => writeFile(`${output}.run.json`, '{"format":1}'));
    expect(message).toMatch(/run\.json is not a record of format 1; it is not known what .* belongs to/);
  });

  test('a results file with a broken line in its middle', async () => {
    const message = await refusal(async ({ output }) => {
      const record = await recordOf(output);
      const text = await read(output);
      await writeFile(output, text.replace('\n{"row":3,', '\n{"rwo":3,'));
      const journal = { bytes: text.length, warnings: [] };
      await writeFile(`${output}.run.json`, JSON.stringify({ ...record, journal }));
    });
    expect(message).toMatch(/:4: /);
  });
});

describe('two runs never write the same results', () => {
  test.each([{ resume: true }, { overwrite: true }, { retryFailed: true }])('%o', async (mode) => {
    const { data, output, results } = await finished();
    let second: unknown;
    // The first run does not end before the second one has.
    const slow = await graderOf(async (n) => {
      if (n === 0)
        second = await run(await graderOf(), { data, output, ...mode }).catch((error: Error) => error);
      return usual(n);
    });
    await run(slow, { data, output, overwrite: true });
    expect(second).toMatchObject({
      message: expect.stringMatching(/is being written by process \d+ on/) as string,
    });
    expect(await read(output)).toBe(results);
  });

  test('what a killed process has left is no lock', async () => {
    const { data, output, results } = await finished();
    const began = '1';
    await writeFile(`${output}.lock`, JSON.stringify({ pid: process.pid, host: hostname(), began }));
    await run(await graderOf(), { data, output, resume: true });
    expect(await read(output)).toBe(results);
    await expect(stat(`${output}.lock`)).rejects.toThrow('ENOENT');
  });
});

test('a dataset that was touched is known to be another one after a second stop, too', async () => {
  const { data, output, results } = await finished();
  const checkpoint = results.indexOf('\n', 2000) + 1;
  await killAt(output, Math.floor(results.length / 2));
  const record = await recordOf(output);
  const dataset = { ...record.dataset, files: record.dataset.files.map((file) => ({ ...file, crc32: '' })) };
  const journal = { bytes: checkpoint, warnings: [] };
  await writeFile(`${output}.run.json`, JSON.stringify({ ...record, dataset, journal }));
  const half = await read(output);
  const last = half.slice(0, half.lastIndexOf('\n')).split('\n').length - 1;
  await writeFile(data, (await read(data)).replace(`"n":${last},`, `"n":${last + 500},`).slice(0, -1));
  await truncate(data, record.dataset.bytes);
  // The second run is stopped before its first line.
  const controller = new AbortController();
  controller.abort();
  await run(await graderOf(), { data, output, resume: true, signal: controller.signal });
  await run(await graderOf(), { data, output, resume: true });
  const fresh = newPath();
  await run(await graderOf(), { data, output: fresh });
  expect(await read(output)).toBe(await read(fresh));
});

test('rows behind the last checkpoint are graded again when the dataset was touched', async () => {
  const { data, output, results } = await finished();
  const checkpoint = results.indexOf('\n', 2000) + 1;
  await killAt(output, Math.floor(results.length / 2));
  const record = await recordOf(output);
  const journal = { bytes: checkpoint, warnings: ['odd rows'] };
  await writeFile(`${output}.run.json`, JSON.stringify({ ...record, journal }));
  await utimes(data, new Date(), new Date(Date.now() + 5_000));
  const graded: number[] = [];
  const grader = await graderOf((n) => {
    graded.push(n);
    return usual(n);
  });
  await run(grader, { data, output, resume: true });
  // And the last one before it, whose line may reach beyond what the checksums cover.
  expect(graded[0]).toBe(results.slice(0, checkpoint).split('\n').length - 2);
  expect(await read(output)).toBe(results);
  expect((await recordOf(output)).summary?.warnings).toEqual(['odd rows']);
});

describe('--retry-failed', () => {
  test('grades the failed rows again, and nothing else', async () => {
    const { data, output, results } = await finished();
    const graded: number[] = [];
    const grader = await graderOf((n) => {
      graded.push(n);
      return n % 2 === 0 ? scored(0.5) : usual(n);
    });
    const { summary } = await run(grader, { data, output, retryFailed: true });
    expect(graded).toEqual(Array.from({ length: ROWS }, (_, n) => n).filter((n) => n % 41 === 7));
    const expected = results
      .split('\n')
      .map((line, n) => (n % 41 === 7 && n % 2 === 0 ? `{"row":${n},"status":"scored","reward":0.5}` : line))
      .join('\n');
    expect(await read(output)).toBe(expected);
    expect(summary).toMatchObject({ rows: ROWS, failed: graded.filter((n) => n % 2 === 1).length });
    const record = await recordOf(output);
    expect(record.status).toBe('complete');
    expect(record.summary).toEqual(summary);
    expect(record.dataset.files[0].crc32).toHaveLength(8);
    await expect(stat(`${output}.retry`)).rejects.toThrow('ENOENT');
  });

  test('a run that was interrupted before stays so', async () => {
    const { data, output, results } = await finished();
    await killAt(output, results.indexOf('\n', results.length / 2) + 1);
    await run(await graderOf(() => scored(1)), { data, output, retryFailed: true });
    expect((await recordOf(output)).status).toBe('interrupted');
    await run(await graderOf(), { data, output, resume: true });
    expect((await readJournal(output)).lastRow).toBe(ROWS - 1);
  });

  test('needs results', async () => {
    const data = await dataset();
    const running = run(await graderOf(), { data, output: newPath(), retryFailed: true });
    await expect(running).rejects.toThrow(ResumeError);
  });
});
