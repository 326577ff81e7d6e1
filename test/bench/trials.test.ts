import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { builtinGraders } from '../../graders/index.js';
import { measureRows } from '../../src/bench/measure-rows.js';
import { drawTrialRows, secondOpinion, tryReward } from '../../src/bench/trials.js';
import type { PreparedGrader } from '../../src/contract.js';
import { createEngine, type ReadyGrader } from '../../src/engine.js';
import type { Judge, JudgeCall } from '../../src/judge-call.js';
import { defineGrader } from '../../src/schema.js';
import { scored } from '../../src/score.js';
import { compilePath } from '../../src/template.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-trials-'));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
const drawn = async (rows: readonly unknown[], items = 100, group?: string) => {
  const path = join(folder, `${(files += 1)}.jsonl`);
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const options = { data: [path], group: group === undefined ? undefined : compilePath(group) };
  const bench = await measureRows(options);
  return { bench, trial: await drawTrialRows(bench, items, options) };
};

const itemOf = (id: number, samples = 2) => ({
  item: { id, question: `What is ${id}?`, answer: String(id % 3) },
  samples: Array.from({ length: samples }, (_, sample) => `${sample}`),
});

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, number) => number);

describe('the rows that are graded again', () => {
  test('are all of them where there are few', async () => {
    const { trial } = await drawn([itemOf(0), itemOf(1, 1), itemOf(2, 3)]);
    expect([...trial.places]).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...trial.groups]).toEqual([0, 0, 1, 2, 2, 2]);
    expect(trial.rows.map((row) => ('status' in row ? row.code : row.sample?.output_text))).toEqual([
      '0',
      '1',
      '0',
      '0',
      '1',
      '2',
    ]);
  });

  test('are all samples of as many items as are asked for, and the same ones every time', async () => {
    const items = range(50).map((id) => itemOf(id, 3));
    const { bench, trial } = await drawn(items, 10);
    expect(trial.rows).toHaveLength(30);
    expect(new Set(trial.groups).size).toBe(10);
    expect(trial.groups).toEqual(trial.places.map((place) => bench.groups[place]));
    expect(trial.places).toEqual(trial.places.toSorted());
    expect((await drawn(items, 10)).trial.places).toEqual(trial.places);
  });

  test('of an item with very many samples are the first', async () => {
    const { trial } = await drawn([itemOf(0, 40), itemOf(1, 2)]);
    expect([...trial.places]).toEqual([...range(16), 40, 41]);
  });

  test('may be samples of items that are mixed in the dataset', async () => {
    const rows = range(40).map((number) => ({ item: { id: number % 8 }, sample: `${number}` }));
    const { trial } = await drawn(rows, 3, 'item.id');
    expect(new Set(trial.groups).size).toBe(3);
    expect(trial.rows.map((row) => ('status' in row ? row.code : Number(row.sample?.output_text)))).toEqual([
      ...trial.places,
    ]);
    expect(trial.places).toHaveLength(15);
  });
});

/** Makes a grader ready again and again; each has a state of its own. */
const graders = (create: () => PreparedGrader['grade']) => {
  const definition = defineGrader({
    type: 'custom',
    summary: 'for this test',
    schema: z.looseObject({}),
    prepare: () => ({ grade: create() }),
  });
  return (): Promise<ReadyGrader> => createEngine({ graders: [definition] }).prepare({ type: 'custom' });
};

const CHECK = {
  type: 'string_check',
  operation: 'eq',
  input: '{{ sample.output_text }}',
  reference: '{{ item.answer }}',
};
const checks = () => createEngine({ graders: builtinGraders }).prepare(CHECK);

const tried = async (prepare: (anew: boolean) => Promise<ReadyGrader>, rows: readonly unknown[]) => {
  const { trial } = await drawn(rows);
  return { trial, trials: await tryReward(trial, { prepare }) };
};

describe('rewards of rows that are graded again', () => {
  test('are the same for a grader without faults, and no bait pays', async () => {
    const rows = range(12).map((id) => itemOf(id, 2));
    const { trial, trials } = await tried(checks, rows);
    expect(trials.rows).toEqual(trial.places);
    expect([...trials.first.subarray(0, 6)]).toEqual([1, 0, 0, 1, 0, 0]);
    expect(trials.again).toEqual(trials.first);
    expect(trials.reversed).toEqual(trials.first);
    expect([...(trials.echo ?? [])]).toEqual(Array(24).fill(0));
  });

  test('are in the order of the rows also where they were graded in reverse', async () => {
    const prepare = graders(() => {
      let seen = 0;
      return () => scored((seen += 1));
    });
    const { trials } = await tried(prepare, [itemOf(0), itemOf(1)]);
    expect([...trials.first]).toEqual([1, 2, 3, 4]);
    expect([...trials.again]).toEqual([1, 2, 3, 4]);
    expect([...trials.reversed]).toEqual([4, 3, 2, 1]);
  });

  test('have none where a row fails, or has no prompt to echo', async () => {
    const rows = [
      { item: { answer: '1' }, sample: '1' },
      { item: { question: 'q' }, sample: '1' },
    ];
    const { trials } = await tried(checks, rows);
    expect([...trials.first]).toEqual([1, NaN]);
    expect(trials.echo && [...trials.echo]).toEqual([NaN, NaN]);
    const { trials: without } = await tried(checks, rows.slice(0, 1));
    expect(without.echo).toBeUndefined();
    expect(without.constant).toBeUndefined();
  });

  test('an echo is the prompt in the place of what the grader reads', async () => {
    const prepare = graders(() => (row) => scored(row.sample?.output_text === row.item.question ? 1 : 0));
    const { trials } = await tried(prepare, [itemOf(0), itemOf(1)]);
    expect([...trials.first, ...(trials.echo ?? [])]).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  });

  test('a constant answer is chosen on other items than those it is scored on', async () => {
    const answers = ['red', 'red', 'red', 'red', 'blue', 'green', 'red', 'grey'];
    const rows = answers.map((answer) => ({ item: { answer }, sample: 'black' }));
    const { trials } = await tried(checks, rows);
    expect(trials.constant?.text).toBe('red');
    expect([...(trials.constant?.rewards ?? [])]).toEqual([1, 1, 1, 1, 0, 0, 1, 0]);
  });

  test('what is right once only in one half does not help the other', async () => {
    const rows = range(8).map((id) => ({ item: { answer: `answer ${id}` }, sample: 'black' }));
    const { trials } = await tried(checks, rows);
    expect([...(trials.constant?.rewards ?? [])]).toEqual(Array(8).fill(0));
  });

  test('every column has a grader of its own, and only one asks its judges anew', async () => {
    const asked: boolean[] = [];
    const prepare = graders(() => () => scored(1));
    await tried(
      (anew) => {
        asked.push(anew);
        return prepare();
      },
      [itemOf(0), itemOf(1)],
    );
    expect(asked.filter(Boolean)).toHaveLength(1);
    expect(asked[1]).toBe(true);
    expect(asked.length).toBeGreaterThanOrEqual(5);
  });

  test('end with the signal', async () => {
    const stop = new AbortController();
    const { trial } = await drawn([itemOf(0), itemOf(1)]);
    const prepare = graders(() => () => {
      stop.abort(new Error('stopped'));
      return scored(1);
    });
    await expect(tryReward(trial, { prepare, signal: stop.signal })).rejects.toThrow('stopped');
  });
});

test('a second opinion is another verdict of the same judge', async () => {
  const calls: JudgeCall[] = [];
  const judge: Judge = {
    modelFor: (model) => ({ name: `${model}!` }),
    ask: (call) => {
      calls.push(call);
      return Promise.resolve({ text: '', model: call.model });
    },
  };
  const call = {
    model: 'm',
    messages: [],
    sampling: { seed: 7 },
    form: { name: 'f', schema: {} },
    repeat: 3,
  };
  const second = secondOpinion(judge);
  await second.ask(call);
  expect(calls).toEqual([{ ...call, repeat: 103 }]);
  expect(second.modelFor?.('m')).toEqual({ name: 'm!' });
  expect(second.check).toBeUndefined();
});
