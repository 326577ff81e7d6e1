import { describe, expect, test } from 'vitest';
import { parseRow } from '../../src/dataset/row.js';
import { drawItems } from '../../src/probe/draw-items.js';
import type { DatasetRow } from '../../src/run/dataset-rows.js';
import { GroupNames } from '../../src/run/group-names.js';

const rows = (count: number, itemOf: (number: number) => unknown): readonly DatasetRow[] =>
  Array.from({ length: count }, (_, number) => ({
    number,
    place: `line ${number + 1}`,
    bytes: 1,
    row: parseRow(JSON.stringify({ item: { id: itemOf(number) }, sample: 'x' })),
  }));

async function* blocksOf(all: readonly DatasetRow[]): AsyncGenerator<Iterable<DatasetRow>> {
  for (let at = 0; at < all.length; at += 7) yield all.slice(at, at + 7);
}

const numbersOf = async (seed: number) =>
  (await drawItems(blocksOf(rows(300, (number) => number)), { count: 20, seed })).rows.map(
    ({ number }) => number,
  );

describe('drawn items', () => {
  test('are complete, in the order of the dataset, and numbered from 0', async () => {
    // Rows of an item lie far apart.
    const drawn = await drawItems(blocksOf(rows(400, (number) => number % 100)), {
      count: 10,
      seed: 3,
      group: new GroupNames(['id']),
    });
    expect(drawn).toMatchObject({ count: 10, of: 100, ungrouped: 0 });
    expect(drawn.rows).toHaveLength(40);
    expect(drawn.rows.map(({ number }) => number)).toEqual(
      drawn.rows.map(({ number }) => number).toSorted((a, b) => a - b),
    );
    expect(drawn.rows.slice(0, 10).map(({ item }) => item)).toEqual([...Array(10).keys()]);
    for (const { number, item } of drawn.rows)
      expect(drawn.rows.find((other) => other.number === number % 100)?.item).toBe(item);
  });

  test('depend on the seed alone', async () => {
    expect(await numbersOf(1)).toEqual(await numbersOf(1));
    expect(await numbersOf(1)).not.toEqual(await numbersOf(2));
  });

  test('are each as likely as any other', async () => {
    const times = new Int32Array(40);
    const all = rows(40, (number) => number);
    for (let seed = 0; seed < 400; seed += 1) {
      const drawn = await drawItems(blocksOf(all), { count: 10, seed });
      for (const { number } of drawn.rows) times[number] += 1;
    }
    // 100 each, with a standard deviation of 8.7.
    expect(Math.min(...times)).toBeGreaterThan(65);
    expect(Math.max(...times)).toBeLessThan(135);
  });

  test('are all where there are no more, and rows without a group are items of their own', async () => {
    const all = rows(6, (number) => (number < 4 ? number % 2 : null));
    const drawn = await drawItems(blocksOf(all), { count: 10, seed: 0, group: new GroupNames(['id']) });
    expect(drawn).toMatchObject({ count: 4, of: 4, ungrouped: 2 });
    expect(drawn.rows.map(({ item }) => item)).toEqual([0, 1, 0, 1, 2, 3]);
  });
});
