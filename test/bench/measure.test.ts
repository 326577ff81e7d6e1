import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { builtinGraders } from '../../graders/index.js';
import { measureReward } from '../../src/bench/measure.js';
import { rewardRange } from '../../src/bench/measure-range.js';
import { measureRows, type BenchRowsOptions } from '../../src/bench/measure-rows.js';
import { createEngine, type ReadyGrader } from '../../src/engine.js';
import { GradingError } from '../../src/errors.js';
import { defineGrader } from '../../src/schema.js';
import { scored } from '../../src/score.js';
import { compilePath } from '../../src/template.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-measure-'));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
const written = async (...rows: readonly unknown[]): Promise<string> => {
  const path = join(folder, `${(files += 1)}.jsonl`);
  const lines = rows.map((row) => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`);
  await writeFile(path, lines.join(''));
  return path;
};

const measured = async (rows: readonly unknown[], options: Partial<BenchRowsOptions> = {}) =>
  measureRows({ data: [await written(...rows)], ...options });

const label = compilePath('item.is_correct');
const group = compilePath('item.id');

/** Rows of items, with a label each. */
const labelled = (...labels: readonly unknown[]) =>
  labels.map((is_correct, id) => ({
    item: { id, question: 'How many eggs?', is_correct },
    sample: `${id} eggs`,
  }));

describe('what is known of the rows', () => {
  test('samples of a row are an item; the features are of each', async () => {
    const rows = await measured([
      { item: { question: 'a b' }, samples: ['a', 'b c\n1'] },
      { item: { question: 'a b' }, sample: '' },
      { item: { question: 'a b' } },
      'no row',
    ]);
    expect(rows).toMatchObject({ count: 5, groupCount: 4, groupedBy: 'samples', withoutGroup: 0 });
    expect([...rows.groups]).toEqual([0, 0, 1, 2, 3]);
    expect([...rows.numbers]).toEqual([0, 0, 1, 2, 3]);
    expect(rows.labels).toBeUndefined();
    expect(Object.fromEntries([...rows.features].map(([name, column]) => [name, [...column]]))).toEqual({
      characters: [1, 5, 0, NaN, NaN],
      words: [1, 3, 0, NaN, NaN],
      lines: [1, 2, 0, NaN, NaN],
      digits: [0, 1 / 5, 0, NaN, NaN],
      prompt_overlap: [1, 1 / 3, 0, NaN, NaN],
    });
  });

  test('rows with one value are an item, wherever they are; those without are by themselves', async () => {
    const items = [{ id: 7 }, { id: 'x' }, { id: '7' }, {}, { id: null }];
    const rows = await measured(
      items.map((item) => ({ item, sample: 'a' })),
      { group },
    );
    expect([...rows.groups]).toEqual([0, 1, 0, 2, 3]);
    expect(rows).toMatchObject({ groupCount: 4, groupedBy: 'path', withoutGroup: 2 });
  });

  test('labels are true, false, numbers, and missing ones', async () => {
    const rows = await measured([...labelled(true, 'false', 0.5, '2', null), 'no row'], { label });
    expect([...(rows.labels ?? [])]).toEqual([1, 0, 0.5, 2, NaN, NaN]);
  });

  test('any other label is refused, with its place', async () => {
    await expect(measured(labelled(true, 'good'), { label })).rejects.toThrow(
      /\d+\.jsonl: line 2: the label item\.is_correct is "good", expected true, false or a number$/,
    );
  });

  test('a label or group that no row has is a mistake', async () => {
    const rows = labelled(true, false);
    await expect(measured(rows, { label: compilePath('item.is_corect') })).rejects.toThrow(
      "no row has the label item.is_corect; the first row's item is an object with id, question, is_correct; did you mean item.is_correct?",
    );
    await expect(measured(rows, { group: compilePath('item.family') })).rejects.toThrow(
      'no row has the group item.family',
    );
  });

  test('no row is a mistake too', async () => {
    await expect(measured([])).rejects.toThrow('no row to bench');
    await expect(measured(labelled(true), { filter: [{ path: group, value: '9' }] })).rejects.toThrow(
      'no row to bench',
    );
  });

  test('only the selected rows count', async () => {
    const rows = labelled(true, false, true, false, true, false);
    const selected = await measured(rows, { label, limit: 3, filter: [{ path: label, value: 'false' }] });
    expect([...selected.numbers]).toEqual([1, 3, 5]);
    expect((await measured(rows, { random: 2, seed: 1 })).count).toBe(2);
  });

  test('the prompt may be anywhere', async () => {
    const rows = await measured([{ item: { ask: 'a', question: 'b' }, sample: 'a' }], {
      prompt: compilePath('item.ask'),
    });
    expect([...(rows.features.get('prompt_overlap') ?? [])]).toEqual([1]);
  });
});

const IS_EGGS = {
  type: 'string_check',
  name: 'eggs',
  operation: 'like',
  input: '{{ sample.output_text }}',
  reference: '{{ item.answer }}',
};
const IS_LONG = { ...IS_EGGS, name: 'long', operation: 'ne', reference: '{{ item.other }}' };
const EGGS = [
  { item: { answer: '2', other: 'x' }, samples: ['2 eggs', '3 eggs'] },
  'no row',
  { item: { answer: '2' }, sample: '2 eggs' },
  { item: { answer: '2', other: '2 eggs' }, sample: '2 eggs' },
];

const prepared = (config: unknown): Promise<ReadyGrader> =>
  createEngine({ graders: builtinGraders }).prepare(config);

const reward = async (config: unknown, rows: readonly unknown[] = EGGS, limit?: number) => {
  const data = [await written(...rows)];
  const { count } = await measureRows({ data, limit });
  return measureReward(await prepared(config), 'a', count, { data, limit });
};

describe('rewards as columns', () => {
  test('one for each row; a failed one has none', async () => {
    const measurement = await reward(IS_EGGS);
    expect([...measurement.reward.rewards]).toEqual([1, 0, NaN, 1, 1]);
    expect(measurement).toMatchObject({ status: 'complete', graded: 5, failed: 1, asksModels: false });
    expect(measurement.reward).toMatchObject({
      name: 'a',
      signature: 'string_check:like',
      range: [0, 1],
      failures: { row_error: 1 },
    });
    expect(measurement.reward.parts.size).toBe(0);
    expect(measurement.reward.models).toBeUndefined();
  });

  test('those of criteria stand with their rows, also behind rows that cannot be read', async () => {
    const { reward: eval_ } = await reward([IS_EGGS, IS_LONG]);
    expect([...eval_.rewards]).toEqual([1, 0.5, NaN, NaN, 0.5]);
    expect([...(eval_.parts.get('eggs') ?? [])]).toEqual([1, 0, NaN, 1, 1]);
    expect([...(eval_.parts.get('long') ?? [])]).toEqual([1, 1, NaN, NaN, 0]);
  });

  test('those of members too', async () => {
    const { reward: multi } = await reward({
      type: 'multi',
      graders: { eggs: IS_EGGS, long: IS_LONG },
      calculate_output: '(eggs + 3 * long) / 4',
    });
    expect([...multi.rewards]).toEqual([1, 0.75, NaN, NaN, 0.25]);
    expect([...(multi.parts.get('long') ?? [])]).toEqual([1, 1, NaN, NaN, 0]);
    expect(multi.range).toBeUndefined();
  });

  test('a dataset that has changed is told', async () => {
    const data = [await written(...EGGS)];
    const { count } = await measureRows({ data });
    await appendFile(data[0], '{"item":{"answer":"2"},"sample":"2"}\n');
    await expect(measureReward(await prepared(IS_EGGS), 'a', count, { data })).rejects.toThrow(
      'has changed while it was benched: it had 5 rows, and now 6',
    );
  });

  test('a run that ends by itself leaves the rest without rewards', async () => {
    let graded = 0;
    const definition = defineGrader({
      type: 'tired',
      summary: 'grades two rows',
      schema: z.looseObject({}),
      prepare: () => ({
        grade: () => {
          if ((graded += 1) > 2) throw new GradingError('not_graded', 'the budget is used up');
          return scored(1);
        },
      }),
    });
    const grader = await createEngine({ graders: [definition] }).prepare({ type: 'tired' });
    const data = [await written(...labelled(1, 2, 3, 4))];
    const measurement = await measureReward(grader, 'tired', 4, { data });
    expect([...measurement.reward.rewards]).toEqual([1, 1, NaN, NaN]);
    expect(measurement).toMatchObject({ halted: 'the budget is used up', graded: 2, failed: 0 });
    expect(measurement.reward.failures).toEqual({});
  });
});

test.each([
  ['string_check', {}, [0, 1]],
  ['label_model', {}, [0, 1]],
  ['text_similarity', { evaluation_metric: 'bleu' }, [0, 1]],
  ['text_similarity', { evaluation_metric: 'cosine' }, [-1, 1]],
  ['text_similarity', { evaluation_metric: 'cosine', assay: { cosine: 'lexical' } }, [0, 1]],
  ['score_model', {}, [0, 1]],
  ['score_model', { range: [1, 7] }, [1, 7]],
  ['python', { source: '' }, undefined],
])('what %s with %j allows', (type, more, range) => {
  expect(rewardRange({ type, ...more })).toEqual(range);
  expect(rewardRange([{ type, ...more }])).toEqual([0, 1]);
});
