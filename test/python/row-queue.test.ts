import { describe, expect, test } from 'vitest';
import { RowQueue, type Batch } from '../../src/python/row-queue.js';
import { scored, type LateScore } from '../../src/score.js';

/** A queue with so many rows, and what becomes of each. */
const queueOf = (count: number, pad = '') => {
  const queue = new RowQueue();
  const scores = Array.from({ length: count }, (_, n) => queue.add({ item: { n, pad } }));
  return { queue, scores };
};

const numbersIn = (batch: Batch | undefined): number[] =>
  (batch?.bytes.toString() ?? '')
    .split('\n')
    .filter((line) => line.includes('"n"'))
    .map((line) => (JSON.parse(line) as { n: number }).n);

const takeAll = (queue: RowQueue, rows: number): Batch[] => {
  const batches: Batch[] = [];
  for (let batch = queue.take(rows); batch !== undefined; batch = queue.take(rows)) batches.push(batch);
  return batches;
};

const settleAll = (batch: Batch): void => {
  for (const n of numbersIn(batch)) batch.settle(scored(n));
};

const rewardOf = async (score: LateScore) => score.toPromise();

describe('rows come out in their order', () => {
  test.each([1, 7, 256, Infinity])('in batches of %d', async (rows) => {
    const { queue, scores } = queueOf(3_000, 'x'.repeat(600));
    const batches = takeAll(queue, rows);
    expect(queue.isEmpty).toBe(true);
    expect(batches.flatMap(numbersIn)).toEqual(Array.from({ length: 3_000 }, (_, n) => n));
    for (const batch of batches) expect(batch.size).toBeLessThanOrEqual(rows);
    for (const batch of batches.toReversed()) settleAll(batch);
    const rewards = await Promise.all(scores.map(rewardOf));
    expect(rewards).toEqual(Array.from({ length: 3_000 }, (_, n) => scored(n)));
  });

  test('also those that come while others are graded', () => {
    const { queue } = queueOf(3);
    const first = queue.take(2) as Batch;
    queue.add({ item: { n: 3 } });
    expect(numbersIn(first)).toEqual([0, 1]);
    expect(numbersIn(queue.take(10))).toEqual([2, 3]);
    settleAll(first);
    queue.add({ item: { n: 4 } });
    expect(takeAll(queue, 10).flatMap(numbersIn)).toEqual([4]);
  });
});

test('a batch that was put back comes first, with all its rows', () => {
  const { queue } = queueOf(6);
  const batch = queue.take(3) as Batch;
  batch.settle(scored(0));
  queue.putBack(batch);
  expect(queue.isEmpty).toBe(false);
  const again = queue.take(1);
  expect(again).toBe(batch);
  expect(again).toMatchObject({ settled: 1, size: 3 });
  expect(numbersIn(again)).toEqual([0, 1, 2]);
  expect(takeAll(queue, 9).flatMap(numbersIn)).toEqual([3, 4, 5]);
});

test('a large row goes alone', () => {
  const queue = new RowQueue();
  const pads = [0, 10, 3_000_000, 10, 3_000_000, 3_000_000, 0];
  for (const [n, length] of pads.entries()) queue.add({ item: { n, pad: 'x'.repeat(length) } });
  expect(takeAll(queue, 1_000).map(numbersIn)).toEqual([[0, 1], [2], [3], [4], [5], [6]]);
});

test('a row that cannot be written leaves nothing behind', () => {
  const { queue } = queueOf(1);
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  expect(() => queue.add({ item: cycle })).toThrow();
  queue.add({ item: { n: 1 } });
  expect(takeAll(queue, 9).flatMap(numbersIn)).toEqual([0, 1]);
  const empty = new RowQueue();
  expect(() => empty.add({ item: cycle })).toThrow();
  expect([empty.isEmpty, empty.take(9)]).toEqual([true, undefined]);
});

test('memory is used again when all rows in it have their score', () => {
  const { queue } = queueOf(10);
  const first = queue.take(10) as Batch;
  const { buffer } = first.bytes;
  settleAll(first);
  queue.add({ item: { n: 10 } });
  const second = queue.take(10) as Batch;
  expect(numbersIn(second)).toEqual([10]);
  expect(second.bytes.buffer).toBe(buffer);
});
