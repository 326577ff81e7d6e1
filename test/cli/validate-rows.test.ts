import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import * as z from 'zod';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTrialRows, trialExitCode, trialText, tryRows, type Trial } from '../../src/cli/validate-rows.js';
import type { PreparedGrader } from '../../src/contract.js';
import { createEngine, type ReadyGrader } from '../../src/engine.js';
import { defineGrader } from '../../src/schema.js';
import { failed, scored, type Score } from '../../src/score.js';
import { assay } from './assay.js';

type Grade = (n: number) => Score | Promise<Score>;

/** Makes a grader ready again and again; each has a state of its own. */
const graders = (
  create: () => Grade,
  more: Partial<PreparedGrader> = {},
  config: unknown = { type: 'custom' },
) => {
  const definition = defineGrader({
    type: 'custom',
    summary: 'for this test',
    schema: z.looseObject({}),
    prepare: () => {
      const grade = create();
      return { grade: (row) => grade(row.item.n as number), ...more };
    },
  });
  return (): Promise<ReadyGrader> => createEngine({ graders: [definition] }).prepare(config);
};

const never = new AbortController().signal;

const rowsOf = (text: string) => readTrialRows(Readable.from([Buffer.from(text)]), { signal: never });

const numbers = (count: number): string => Array.from({ length: count }, (_, n) => `{"n":${n}}\n`).join('');

const tried = async (prepare: () => Promise<ReadyGrader>, text = numbers(5)): Promise<Trial> =>
  tryRows(prepare, await rowsOf(text), never);

/** Its first row of all gets another reward. */
const favoursTheFirst = (): Grade => {
  let seen = 0;
  return (n) => scored((seen += 1) === 1 ? 100 : n);
};

const fine: Pick<Trial, 'failed' | 'failures' | 'unstable' | 'repeatable'> = {
  failed: 0,
  failures: [],
  unstable: [],
  repeatable: true,
};

describe('a grader is tried on rows', () => {
  test('and has nothing to hide', async () => {
    const trial = await tried(graders(() => (n) => scored(n)));
    expect(trial).toEqual({ rows: 5, scored: 5, ...fine });
    expect(trialExitCode(trial)).toBe(0);
    expect(trialText('g.json', trial, (place) => place)).toBe(
      'g.json: tried on 5 rows: 5 scored, 0 failed\n',
    );
  });

  test('of which the first 200 are read, blank lines and all formats of rows aside', async () => {
    expect(await rowsOf(`\n${numbers(300)}`)).toHaveLength(200);
    const [first] = await rowsOf(`\n${numbers(300)}`);
    expect(first.place).toBe('line 2');
    await expect(rowsOf('\n')).rejects.toThrow('standard input has no rows to try the grader on');
  });

  test('what it keeps from row to row shows', async () => {
    const trial = await tried(graders(favoursTheFirst));
    expect(trial).toEqual({
      rows: 5,
      scored: 5,
      ...fine,
      unstable: [
        { place: 'line 1', forwards: 100, backwards: 0 },
        { place: 'line 5', forwards: 4, backwards: 100 },
      ],
    });
    expect(trialExitCode(trial)).toBe(1);
    expect(trialText('g.json', trial, (place) => `rows ${place}`)).toBe(
      [
        'g.json: tried on 5 rows: 5 scored, 0 failed',
        'g.json: 2 of 5 rewards depend on the order of the rows',
        '  rows line 1: 100 in the order of the file, 0 in reverse',
        '  rows line 5: 4 in the order of the file, 100 in reverse',
        '  hint: the grader keeps something from row to row; --python-isolation strict grades every row in a fresh process',
        '',
      ].join('\n'),
    );
  });

  test('also in a member and in a criterion, where it leaves the whole reward alone', async () => {
    const prepare = graders(favoursTheFirst, {}, [{ type: 'custom', name: 'a', pass_threshold: 0 }]);
    const { unstable } = await tried(prepare);
    expect(unstable[0]).toEqual({ place: 'line 1', name: 'a', forwards: 100, backwards: 0 });
    const member = graders(() => {
      const grade = favoursTheFirst();
      return (n) => ({ ...scored(7), subRewards: { a: (grade(n) as { reward: number }).reward } });
    });
    expect((await tried(member)).unstable[1]).toEqual({
      place: 'line 5',
      name: 'a',
      forwards: 4,
      backwards: 100,
    });
  });

  test('as a failure too', async () => {
    const prepare = graders(() => {
      let seen = 0;
      return (n) => ((seen += 1) > 4 ? failed('python_grader_runtime_error', 'too many') : scored(n));
    });
    const trial = await tried(prepare);
    expect(trial.failures).toEqual([
      { place: 'line 5', code: 'python_grader_runtime_error', message: 'too many' },
    ]);
    expect(trial.unstable).toEqual([
      { place: 'line 1', forwards: 0, backwards: 'python_grader_runtime_error' },
      { place: 'line 5', forwards: 'python_grader_runtime_error', backwards: 4 },
    ]);
    expect(trialExitCode(trial)).toBe(3);
  });

  test('chance is not mistaken for a state', async () => {
    let calls = 0;
    const trial = await tried(graders(() => () => scored((calls += 1))));
    expect(trial).toMatchObject({ repeatable: false, unstable: { length: 5 } });
    expect(trialExitCode(trial)).toBe(1);
    const text = trialText('g.json', trial, (place) => place);
    expect(text).toContain('g.json: 5 of 5 rewards are not the same when the row is graded again\n');
    expect(text).not.toContain('isolation');
  });

  test('rows that cannot be read fail, with their place', async () => {
    const trial = await tried(
      graders(() => (n) => scored(n)),
      '{"n":1}\n{broken\n[]\n',
    );
    expect(trial).toMatchObject({ rows: 3, scored: 1, failed: 2, unstable: [] });
    expect(trial.failures.map(({ place, code }) => `${place} ${code}`)).toEqual([
      'line 2 row_error',
      'line 3 row_error',
    ]);
    expect(trialText('g.json', trial, (place) => place)).toContain(
      '\n  line 3: row_error: expected a JSON object, got an array\n',
    );
  });

  test('every one in its order, as many at once as it can make use of, and each grader is closed', async () => {
    const orders: number[][] = [];
    let inFlight = 0;
    let most = 0;
    let closed = 0;
    const prepare = graders(
      () => {
        const order: number[] = [];
        orders.push(order);
        return async (n) => {
          order.push(n);
          most = Math.max(most, (inFlight += 1));
          await new Promise(setImmediate);
          inFlight -= 1;
          return scored(n);
        };
      },
      { window: 7, close: () => void (closed += 1) },
    );
    await tried(prepare, numbers(30));
    const ascending = Array.from({ length: 30 }, (_, n) => n);
    expect(orders).toEqual([ascending, ascending.toReversed()]);
    expect({ most, closed }).toEqual({ most: 7, closed: 2 });
  });

  test('what a message says cannot steer the terminal', async () => {
    const trial = await tried(graders(() => () => failed('other_error', 'a\u001b[2J\nb')));
    expect(trialText('g.json', trial, (place) => place)).not.toContain('\u001b');
    expect(trialText('g.json', trial, (place) => place).split('\n')).toHaveLength(7);
  });
});

const fixture = (name: string): string => new URL(`../../fixtures/${name}`, import.meta.url).pathname;

describe('assay validate --rows', () => {
  const grader = fixture('support-replies/grader.json');
  const data = fixture('support-replies/dataset.jsonl');

  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-trial-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const write = async (name: string, content: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  };

  test('tries every grader that is fine', async () => {
    const broken = fixture('broken/bad-operation.json');
    const { code, stdout, stderr } = await assay(['validate', grader, broken, '--rows', data]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/grader\.json: tried on \d+ rows: \d+ scored, 0 failed\n$/);
    expect(stderr.match(/tried on/g)).toHaveLength(1);
    expect((await assay(['validate', grader, '--rows', data])).code).toBe(0);
  });

  test('gives everything as JSON', async () => {
    const { code, stdout, stderr } = await assay(['validate', grader, '--rows', data, '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const rows = (await readFile(data, 'utf8')).trimEnd().split('\n').length;
    expect(JSON.parse(stdout)).toEqual({
      diagnostics: [],
      trials: [{ file: grader, rows, scored: rows, ...fine }],
    });
  });

  test('reads standard input, and shows failed rows with their places', async () => {
    const { code, stderr } = await assay(['validate', grader, '--rows', '-'], '{"item":{}}\n');
    expect(code).toBe(3);
    expect(stderr).toContain(
      `${grader}: tried on 1 row: 0 scored, 1 failed\n  -:1: invalid_variable_error: `,
    );
  });

  test('refuses a dataset that is not there, or empty', async () => {
    const missing = await assay(['validate', grader, '--rows', join(folder, 'missing.jsonl')]);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain('there is no such dataset');
    const empty = await assay(['validate', grader, '--rows', await write('empty.jsonl', '')]);
    expect(empty.code).toBe(2);
    expect(empty.stderr).toContain('empty.jsonl has no rows to try the grader on');
  });

  test('stops when it is asked to', async () => {
    const { code } = await assay(['validate', grader, '--rows', data], '', AbortSignal.abort());
    expect(code).toBe(130);
  });

  test('reads rows as run does', async () => {
    const flat = [
      'validate',
      fixture('reward-rows/grader.json'),
      '--rows',
      fixture('reward-rows/dataset.jsonl'),
    ];
    expect((await assay(flat)).stderr).toContain('tried on 8 rows: 0 scored, 8 failed');
    const { stderr } = await assay([...flat, '--output-field', 'completion']);
    expect(stderr).toContain('tried on 8 rows: 5 scored, 3 failed');
  });

  test('finds what a python grader keeps from row to row', async () => {
    const source = 'seen = []\ndef grade(sample, item):\n    seen.append(item)\n    return len(seen)\n';
    const counting = await write('counting.json', JSON.stringify({ type: 'python', source }));
    const { code, stderr } = await assay([
      'validate',
      counting,
      '--rows',
      data,
      '--python-isolation',
      'open',
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain('24 of 24 rewards depend on the order of the rows');
    expect(stderr).toContain(`${data}:1: 1 in the order of the file, 24 in reverse`);
  });
});
