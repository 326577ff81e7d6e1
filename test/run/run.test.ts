import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import * as z from 'zod';
import { describe, expect, test } from 'vitest';
import { builtinGraders } from '../../graders/index.js';
import { createEngine, type ReadyGrader } from '../../src/engine.js';
import { WorkerError } from '../../src/run/pool.js';
import { run } from '../../src/run/run.js';
import { defineGrader } from '../../src/schema.js';
import { scored, type Score } from '../../src/score.js';

/** A grader that does what the test wants with a row's number. */
const graderOf = (grade: (n: number) => Score | Promise<Score>): Promise<ReadyGrader> => {
  const definition = defineGrader({
    type: 'custom',
    summary: 'for this test',
    schema: z.object({}),
    prepare: () => ({ grade: (row) => grade(row.item.n as number) }),
  });
  return createEngine({ graders: [definition] }).prepare({ type: 'custom' });
};

const dataset = (count: number, from = 0): Readable =>
  Readable.from(Array.from({ length: count }, (_, n) => Buffer.from(`{"n":${n + from}}\n`)));

const collect = () => {
  const chunks: Buffer[] = [];
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  const lines = () =>
    Buffer.concat(chunks)
      .toString()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { row: number; status: string; reward: number; message?: string });
  return { output, lines };
};

describe('graders that answer with promises', () => {
  test('results stay in input order, however long each takes', async () => {
    const grader = await graderOf(async (n) => {
      await wait((n * 7) % 5);
      return scored(n);
    });
    const { output, lines } = collect();
    const { summary } = await run(grader, { data: dataset(60), output });
    expect(lines().map(({ row, reward }) => [row, reward])).toEqual(
      Array.from({ length: 60 }, (_, n) => [n, n]),
    );
    expect(summary.mean).toBe(29.5);
  });

  test('promises and plain scores mix', async () => {
    const grader = await graderOf((n) => (n % 3 === 0 ? wait(3).then(() => scored(n)) : scored(n)));
    const { output, lines } = collect();
    await run(grader, { data: dataset(30), output });
    expect(lines().map(({ reward }) => reward)).toEqual(Array.from({ length: 30 }, (_, n) => n));
  });

  test('a rejection fails its own row only', async () => {
    const grader = await graderOf(async (n) => {
      if (n === 1) throw new Error('no luck');
      return scored(1);
    });
    const { output, lines } = collect();
    const { summary } = await run(grader, { data: dataset(3), output });
    expect(lines()[1]).toMatchObject({ status: 'failed', code: 'other_error', message: 'no luck' });
    expect(summary).toMatchObject({ scored: 2, failed: 1, mean: 1 });
  });

  test('no more are in flight than allowed', async () => {
    let inFlight = 0;
    let most = 0;
    const grader = await graderOf(async () => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await wait(1);
      inFlight -= 1;
      return scored(1);
    });
    const data = Readable.from([Buffer.from(Array.from({ length: 50 }, () => '{"n":1}\n').join(''))]);
    await run(grader, { data, concurrency: 4 });
    expect(most).toBe(4);
  });
});

test('a signal stops the run after the rows in flight', async () => {
  const stop = new AbortController();
  const grader = await graderOf(async (n) => {
    if (n === 5) stop.abort();
    await wait(1);
    return scored(n);
  });
  const { output, lines } = collect();
  const { status, summary } = await run(grader, { data: dataset(100), output, signal: stop.signal });
  expect(status).toBe('interrupted');
  expect(summary.rows).toBe(lines().length);
  expect(lines().map(({ row }) => row)).toEqual(lines().map((_, index) => index));
  expect(lines().length).toBeLessThan(100);
});

test('a silent stream does not hold up an interruption', async () => {
  const stop = new AbortController();
  const data = new Readable({ read() {} });
  data.push('{"n":1}\n');
  const grader = await graderOf((n) => scored(n));
  setTimeout(() => stop.abort(), 20);
  const { status, summary } = await run(grader, { data, signal: stop.signal });
  expect(status).toBe('interrupted');
  expect(summary.rows).toBe(1);
});

test('a limit that is reached ends a stream that goes on', async () => {
  const data = new Readable({ read() {} });
  data.push('{"n":1}\n{"n":2}\n');
  const grader = await graderOf((n) => scored(n));
  const { status, summary } = await run(grader, { data, limit: 1 });
  expect(status).toBe('complete');
  expect(summary.rows).toBe(1);
});

test('an output that fails ends the run with its error', async () => {
  const output = new Writable({
    write(_chunk, _encoding, done) {
      done(new Error('gone'));
    },
  });
  output.on('error', () => {});
  const grader = await graderOf((n) => scored(n));
  await expect(run(grader, { data: dataset(10), output })).rejects.toThrow('gone');
});

test('failures are reported with their line', async () => {
  const grader = await graderOf((n) => scored(n));
  const data = Readable.from([Buffer.from('{"n":1}\n\n{broken\n[]\n')]);
  const failures: [string, string][] = [];
  await run(grader, { data, onFailure: ({ message }, place) => failures.push([place, message]) });
  expect(failures.map(([place]) => place)).toEqual(['line 3', 'line 4']);
  expect(failures[1][1]).toBe('line 4: expected a JSON object, got an array');
});

test('an empty dataset has no mean, and is no mistake', async () => {
  const grader = await graderOf((n) => scored(n));
  const { summary } = await run(grader, { data: Readable.from([]) });
  expect(summary).toMatchObject({ rows: 0, mean: null, histogram: [] });
});

/** A file of so many bytes, eight a row. */
const datasetOf = async (bytes: number): Promise<string> => {
  const path = join(await mkdtemp(join(tmpdir(), 'assay-threads-')), 'rows.jsonl');
  await writeFile(path, '{"n":1}\n'.repeat(bytes / 8));
  return path;
};

describe('threads', () => {
  const config = { type: 'string_check', operation: 'eq', input: '{{ item.n }}', reference: '1' };
  // Threads that are started fail: that is how they are seen.
  const workerCode = { url: new URL('./no-such-worker.js', import.meta.url), graders: builtinGraders };
  test('are started where they are asked for', async () => {
    const grader = await createEngine({ graders: builtinGraders }).prepare(config);
    const data = await datasetOf(2 << 20);
    await expect(run(grader, { data, threads: 2, workerCode })).rejects.toThrow(WorkerError);
    expect((await run(grader, { data, threads: 1, workerCode })).status).toBe('complete');
  });

  test('are not started for a small dataset, nor for graders that they do not know', async () => {
    const builtin = await createEngine({ graders: builtinGraders }).prepare(config);
    const small = await datasetOf(1 << 19);
    expect((await run(builtin, { data: small, threads: 2, workerCode })).status).toBe('complete');
    const mine = await graderOf((n) => scored(n));
    const data = await datasetOf(2 << 20);
    expect((await run(mine, { data, threads: 2, workerCode })).status).toBe('complete');
  });
});
