import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtinGraders } from '../../graders/index.js';
import { candidateOf } from '../../src/dataset/row-text.js';
import { createEngine } from '../../src/engine.js';
import { run, type RunOptions } from '../../src/run/run.js';
import { openScoredRows, type ScoredRow, type ScoredRowsOptions } from '../../src/run/scored-rows.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-scored-'));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
const newPath = (): string => join(folder, `${(files += 1)}.jsonl`);

const IS_EQUAL = {
  type: 'string_check',
  operation: 'eq',
  input: '{{ sample.output_text }}',
  reference: '{{ item.answer }}',
};

const written = async (rows: readonly unknown[]): Promise<string> => {
  const path = newPath();
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
};

const graded = async (data: string, options: Partial<RunOptions> = {}): Promise<string> => {
  const output = newPath();
  const grader = await createEngine({ graders: builtinGraders }).prepare(IS_EQUAL);
  await run(grader, { data, output, ...options });
  return output;
};

const pairsOf = async (results: string, options?: ScoredRowsOptions): Promise<readonly ScoredRow[]> => {
  const pairs: ScoredRow[] = [];
  for await (const block of (await openScoredRows(results, options)).blocks()) pairs.push(...block);
  return pairs;
};

/** What each result is about: number, sample, place, the text graded and its reward. */
const shown = (pairs: readonly ScoredRow[]): unknown[] =>
  pairs.map(({ result, place, row }) => [
    result.row,
    result.sample,
    place,
    'status' in row ? row.code : candidateOf(row),
    result.score.status === 'scored' ? result.score.reward : result.score.code,
  ]);

describe('results and the rows that they are of', () => {
  test('plain rows, samples and a row that cannot be read', async () => {
    const data = await written([
      { item: { answer: '4' }, sample: '4' },
      { item: { answer: '4' }, samples: ['4', '5'] },
      'no row',
      { item: { answer: '4' }, sample: '6' },
    ]);
    expect(shown(await pairsOf(await graded(data)))).toEqual([
      [0, undefined, 'line 1', '4', 1],
      [1, 0, 'line 2, sample 0', '4', 1],
      [1, 1, 'line 2, sample 1', '5', 0],
      [2, undefined, 'line 3', 'row_error', 'row_error'],
      [3, undefined, 'line 4', '6', 0],
    ]);
  });

  propertyTest.prop(
    [
      fc.array(fc.array(fc.constantFrom('a', 'b'), { maxLength: 3 }), { maxLength: 12 }),
      fc.record({
        limit: fc.option(fc.nat(12), { nil: undefined }),
        random: fc.option(fc.nat(8), { nil: undefined }),
      }),
    ],
    { numRuns: 40 },
  )('each result meets its own row, whatever was selected', async (rows, selection) => {
    const data = await written(
      rows.map((samples, row) => {
        const item = { answer: 'a', row };
        return samples.length === 1 ? { item, sample: samples[0] } : { item, samples };
      }),
    );
    for (const { result, row } of await pairsOf(await graded(data, selection))) {
      if ('status' in row) {
        expect(result.score.status).toBe('failed');
        continue;
      }
      expect(row.item.row).toBe(result.row);
      expect(result.score).toMatchObject({ reward: candidateOf(row) === 'a' ? 1 : 0 });
    }
  });

  test('flat rows with the output field of the run', async () => {
    const data = await written([{ answer: '4', output: '4' }]);
    expect(shown(await pairsOf(await graded(data, { outputField: ['output'] })))).toEqual([
      [0, undefined, 'line 1', '4', 1],
    ]);
  });
});

describe('the dataset', () => {
  test('that has changed is refused, unless it is named', async () => {
    const data = await written([{ item: { answer: '4' }, sample: '4' }]);
    const results = await graded(data);
    await writeFile(data, `${JSON.stringify({ item: { answer: '4' }, sample: '5' })}\n`);
    await expect(pairsOf(results)).rejects.toThrow(`${data} has changed since its rows were graded`);
    expect(shown(await pairsOf(results, { data: [data] }))).toEqual([[0, undefined, 'line 1', '5', 1]]);
  });

  test('that has moved can be named', async () => {
    const data = await written([{ item: { answer: '4' }, sample: '4' }]);
    const results = await graded(data);
    const moved = newPath();
    await rename(data, moved);
    await expect(pairsOf(results)).rejects.toThrow(
      /there is no such dataset; .* say with --data where it is now/,
    );
    expect(await pairsOf(results, { data: [moved] })).toHaveLength(1);
  });

  test('with too few rows is another one', async () => {
    const results = await graded(
      await written([
        { item: { answer: '4' }, sample: '4' },
        { item: { answer: '4' }, sample: '4' },
      ]),
    );
    const other = await written([{ item: { answer: '4' }, sample: '4' }]);
    await expect(pairsOf(results, { data: [other] })).rejects.toThrow(
      `${results}:2 is about row 1, which ${other} has not behind the rows before it`,
    );
  });

  test('is not known without a record', async () => {
    const data = await written([{ item: { answer: '4' }, sample: '4' }]);
    const results = await graded(data);
    await rm(`${results}.run.json`);
    await expect(pairsOf(results)).rejects.toThrow('.run.json is missing, which names the dataset');
    expect(await pairsOf(results, { data: [data] })).toHaveLength(1);
  });

  test('whose results are in another order', async () => {
    const results = await graded(
      await written([
        { item: { answer: '4' }, sample: '4' },
        { item: {}, sample: '' },
      ]),
    );
    const lines = `${JSON.stringify({ row: 1, status: 'scored', reward: 1 })}\n${JSON.stringify({ row: 0, status: 'scored', reward: 1 })}\n`;
    await writeFile(results, lines);
    await expect(pairsOf(results)).rejects.toThrow(
      /:2 is about row 0, .* or are the results not in their order/,
    );
  });
});
