import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { createEngine, type ReadyGrader } from '../../src/engine.js';
import { gradeRows } from '../../src/run/grade-rows.js';
import { defineGrader } from '../../src/schema.js';
import { failed, scored, type ComingScore } from '../../src/score.js';

const graderOf = (grade: (index: number) => ComingScore, window?: number): Promise<ReadyGrader> => {
  const definition = defineGrader({
    type: 'test',
    summary: 'answers as the test says',
    schema: z.object({ type: z.literal('test') }),
    prepare: () => ({ window, grade: ({ item }) => grade(item.index as number) }),
  });
  return createEngine({ graders: [definition] }).prepare({ type: 'test' });
};

const rows = (count: number) => Array.from({ length: count }, (_, index) => ({ item: { index } }));

describe('rows are graded in memory', () => {
  test('in their order, at once or later, and rows that could not be read keep their failure', async () => {
    const grader = await graderOf((index) =>
      index % 2 === 0 ? scored(index) : Promise.resolve(scored(index)),
    );
    const unread = failed('row_error', 'not valid JSON');
    expect(await gradeRows(grader, [...rows(3), unread])).toEqual([scored(0), scored(1), scored(2), unread]);
  });

  test('with as many under way as the grader can make use of, also when the first one is slow', async () => {
    let [underWay, most] = [0, 0];
    const release: (() => void)[] = [];
    const grader = await graderOf(async (index) => {
      underWay += 1;
      most = Math.max(most, underWay);
      if (index === 0) await new Promise<void>((resolve) => release.push(resolve));
      else await Promise.resolve();
      if (index === 9) release[0]?.();
      underWay -= 1;
      return scored(index);
    }, 3);
    const scores = await gradeRows(grader, rows(10));
    expect(scores).toEqual(rows(10).map(({ item }) => scored(item.index)));
    expect(most).toBe(3);
  });

  test('until the signal is aborted', async () => {
    const stop = new AbortController();
    const grader = await graderOf((index) => {
      if (index === 2) stop.abort(new Error('stopped'));
      return scored(index);
    });
    await expect(gradeRows(grader, rows(5), stop.signal)).rejects.toThrow('stopped');
  });
});
