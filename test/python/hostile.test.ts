import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { builtinGraders } from '../../graders/index.js';
import type { Row } from '../../src/contract.js';
import { parseRow } from '../../src/dataset/row.js';
import { createEngine } from '../../src/engine.js';
import { createPython, type PythonOptions } from '../../src/python/host.js';
import { LateScore, type ComingScore, type Score } from '../../src/score.js';
import {
  EVIL_ROW,
  fixtureOf,
  leftovers,
  leftoversSince,
  readFixtures,
  REPOSITORY,
  ROWS,
  SECRET,
  World,
  type Fixture,
} from './hostile-world.js';

/**
 * Every grader of fixtures/python over the same twelve rows. `npm run test:hostile` sets ASSAY_HOSTILE=matrix: one and
 * two workers, three sizes of batches, both levels of containment, as this user and as one without rights.
 */
const IS_MATRIX = process.env.ASSAY_HOSTILE === 'matrix';
const IS_ROOT = process.getuid?.() === 0;
const NOBODY = 65534;

const LIMITS = { timeoutMs: 1500, memoryBytes: 128 * 2 ** 20 } as const;
const configurations = IS_MATRIX
  ? (['confined', 'strict'] as const).flatMap((isolation) =>
      [1, 2].flatMap((workers) => [1, 4, 64].map((batchRows) => ({ isolation, workers, batchRows }))),
    )
  : [{ isolation: 'confined', workers: 1, batchRows: 4 } as const];

const fixtures = await readFixtures();

const gradeAll = async (source: string, rows: readonly Row[], options: PythonOptions): Promise<Score[]> => {
  const python = createPython({ ...LIMITS, ...options });
  try {
    const grader = await createEngine({ graders: builtinGraders, python }).prepare({
      type: 'python',
      source,
    });
    const scores = await Promise.all(rows.map((row) => settled(grader.gradeRow(row))));
    await grader.close();
    return scores;
  } finally {
    await python.close();
  }
};

/** `gradeRow` knows how the dataset wrote a row's numbers, as `grade` does not; so it is what a run uses. */
const settled = async (score: ComingScore): Promise<Score> =>
  score instanceof LateScore ? score.toPromise() : score;

/** A score in few words; a failure that says what it should, and nothing of the engine's own code, is `guilty`. */
const outcome = (score: Score, { says }: Fixture): string => {
  if (score.status === 'scored') return `scored ${score.reward}`;
  const { code, message } = score;
  const isTheirs = code === 'python_grader_runtime_error' && !message.includes('harness');
  return isTheirs && says.some((text) => message.includes(text)) ? 'guilty' : `${code}: ${message}`;
};

const expectOutcomes = (fixture: Fixture, scores: readonly Score[]): void => {
  const expected = fixture.rewards.map((reward, row) =>
    fixture.guilty.includes(row) ? 'guilty' : `scored ${reward}`,
  );
  const actual = scores.map((score, row) =>
    fixture.maybeGuilty.includes(row) && score.status === 'failed' ? expected[row] : outcome(score, fixture),
  );
  expect(actual).toEqual(expected);
};

/** Makes a world before the tests of a suite, and its folder the one for temporary files. */
const useWorld = (): { current: World } => {
  const holder = {} as { current: World };
  beforeAll(async () => {
    holder.current = await World.create();
    vi.stubEnv('TMPDIR', holder.current.temporary);
    vi.stubEnv('ASSAY_TEST_SECRET', `${SECRET} of the engine`);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await holder.current.close();
  });
  return holder;
};

describe.runIf(process.platform === 'linux')('hostile python graders', () => {
  test('there are enough of them', () => expect(fixtures.length).toBeGreaterThan(200));

  describe.each(configurations)('$isolation, $workers workers, batches of $batchRows', (options) => {
    const world = useWorld();
    const onSignal = vi.fn();
    let before: readonly string[];

    beforeAll(() => {
      before = leftovers(world.current);
      process.on('SIGWINCH', onSignal);
      return () => process.off('SIGWINCH', onSignal);
    });

    test.concurrent.each(fixtures)('$name', async (fixture) => {
      const rows = await world.current.rows(fixture.name);
      const state = world.current.engineState(fixture.name);
      expectOutcomes(fixture, await gradeAll(fixture.source, rows, options));
      expect(world.current.engineState(fixture.name)).toEqual(state);
    });

    test('nothing is left behind, and nobody came', async () => {
      expect(await leftoversSince(world.current, before)).toEqual([]);
      expect(world.current.visits).toBe(0);
      expect(onSignal).not.toHaveBeenCalled();
    });
  });

  describe('without containment', () => {
    const world = useWorld();
    const options = { isolation: 'open', workers: 1, batchRows: 4 } as const;
    let before: readonly string[];

    beforeAll(() => {
      before = leftovers(world.current);
    });

    // So a fixture that is refused above is refused by the containment, and not for want of a file or a right.
    test.concurrent.each(fixtures.filter(({ succeedsWhenOpen }) => succeedsWhenOpen))(
      '$name succeeds',
      async (fixture) => {
        const scores = await gradeAll(fixture.source, await world.current.rows(fixture.name), options);
        expect(scores.map((score) => outcome(score, fixture))).toEqual(
          fixture.rewards.map((reward, row) => `scored ${row === EVIL_ROW ? 666 : reward}`),
        );
      },
    );

    test.concurrent.each(fixtures.filter(({ name }) => name.endsWith('_its_parent')))(
      '$name costs no other row',
      async (fixture) => {
        const scores = await gradeAll(fixture.source, await world.current.rows(fixture.name), options);
        const others = scores.toSpliced(EVIL_ROW, 1).map((score) => outcome(score, fixture));
        expect(others).toEqual(fixture.rewards.toSpliced(EVIL_ROW, 1).map((reward) => `scored ${reward}`));
      },
    );

    test('nothing is left behind', async () => {
      expect(await leftoversSince(world.current, before)).toEqual([]);
    });
  });

  describe('sources that are odd as texts', () => {
    const world = useWorld();
    const plain = 'def grade(sample, item):\n    return item["n"] / 10\n';
    const padded = (bytes: number) => plain + '#'.repeat(bytes - plain.length);

    test.concurrent.each([
      { name: 'a byte order mark', source: `\uFEFF${plain}` },
      { name: 'the line ends of Windows', source: plain.replaceAll('\n', '\r\n') },
      { name: 'the line ends of old Macs', source: plain.replaceAll('\n', '\r') },
      { name: 'no line end at its end', source: plain.trimEnd() },
      { name: 'just under 256 kB', source: padded(256 * 1024 - 1) },
      {
        name: 'a declaration of another encoding',
        source: `# -*- coding: latin-1 -*-\nA = "é"\nassert len(A) == 1\n${plain}`,
      },
      { name: 'nothing in it', source: '', says: 'no function grade' },
      { name: 'a zero in it', source: `${plain}\0`, says: 'null bytes' },
      { name: 'half of a character in it', source: `A = "\ud800"\n${plain}`, says: 'surrogate' },
    ])('$name', async ({ name, source, says }) => {
      const fixture = {
        ...fixtureOf(name, `# guilty: ${says === undefined ? 'none' : 'all'}\n# says: ${says}\n`),
        source,
      };
      expectOutcomes(
        fixture,
        await gradeAll(source, await world.current.rows('odd'), { workers: 1, batchRows: 4 }),
      );
    });

    test('256 kB are refused before any process is started', async () => {
      await expect(gradeAll(padded(256 * 1024), [], {})).rejects.toThrow(/source.*256 kB/s);
    });
  });

  test('rows that no Python can read fail alone', async () => {
    const texts = [
      `{"item": {"n": 0}, "sample": {}}`,
      `{"item": {"n": 1, "deep": ${'['.repeat(200_000)}${']'.repeat(200_000)}}, "sample": {}}`,
      `{"item": {"n": 2, "text": ${JSON.stringify('x'.repeat(5_000_000))}}, "sample": {}}`,
      `{"item": {"n": 3, "digits": ${'9'.repeat(20_000)}}, "sample": {}}`,
      `{"item": {"n": 4}, "sample": {}}`,
    ];
    const rows = texts.map((text) => parseRow(text));
    const source = 'def grade(sample, item):\n    return item["n"] / 10\n';
    const scores = await gradeAll(source, rows, { workers: 1, batchRows: 4 });
    expect(scores).toMatchObject([
      { reward: 0 },
      { code: 'python_grader_runtime_error', message: expect.stringContaining('RecursionError') },
      { reward: 0.2 },
      { code: 'python_grader_runtime_error', message: expect.stringContaining('4300') },
      { reward: 0.4 },
    ]);
  });

  describe('closed while a row runs', () => {
    const world = useWorld();

    test.each([
      { name: 'a loop', doing: 'while True: pass' },
      { name: 'a sleep', doing: 'time.sleep(3600)' },
      { name: 'a process that is stopped', doing: 'os.kill(os.getpid(), signal.SIGSTOP)' },
      { name: 'a thread that prints', doing: 'threading.Thread(target=talk).start(); time.sleep(3600)' },
    ])('$name ends, and leaves nothing', async ({ doing }) => {
      const before = leftovers(world.current);
      const output = new EventEmitter();
      const started = once(output, 'text');
      const python = createPython({ workers: 1, onOutput: (text) => output.emit('text', text) });
      const source = [
        'import os, signal, threading, time',
        'def talk():',
        '    while True: print("x" * 1000)',
        'def grade(sample, item):',
        '    print("started", flush=True)',
        `    ${doing}`,
      ].join('\n');
      const grader = await createEngine({ graders: builtinGraders, python }).prepare({
        type: 'python',
        source,
      });
      const score = grader.grade({ item: {}, sample: { output_text: '' } });
      await started;
      await grader.close();
      await python.close();
      expect(await score).toMatchObject({
        code: 'python_grader_server_error',
        message: expect.stringContaining('closed'),
      });
      expect(await leftoversSince(world.current, before)).toEqual([]);
    });
  });

  test('state is shared by the rows of a process, and by none when strict', async () => {
    const source = 'seen = []\ndef grade(sample, item):\n    seen.append(item)\n    return len(seen)\n';
    const rewards = async (isolation: 'confined' | 'strict', count: number) => {
      const rows = Array.from({ length: count }, (_, n): Row => ({
        item: { n },
        sample: { output_text: '' },
      }));
      const scores = await gradeAll(source, rows, { isolation, workers: 1, batchRows: 4 });
      return scores.map((score) => (score.status === 'scored' ? score.reward : score.message));
    };
    // Many, because a process that is ended without need loses its state.
    expect(await rewards('confined', 2000)).toEqual(Array.from({ length: 2000 }, (_, n) => n + 1));
    expect(await rewards('strict', ROWS)).toEqual(Array.from({ length: ROWS }, () => 1));
  });

  test('the memory of this process stays flat through crashes and megabytes of prints', async () => {
    const source = [
      'import os',
      'def grade(sample, item):',
      '    if item["n"] % 3 == 0:',
      '        os._exit(1)',
      '    print("x" * 1_000_000)',
      '    raise ValueError("y" * 1_000_000)',
    ].join('\n');
    const rows = Array.from({ length: 300 }, (_, n): Row => ({ item: { n }, sample: { output_text: '' } }));
    const before = process.memoryUsage().rss;
    const scores = await gradeAll(source, rows, { workers: 1, batchRows: 4 });
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
    const crashed = scores.filter(
      (score) => score.status === 'failed' && score.message.includes('exit code 1'),
    );
    expect(crashed).toHaveLength(100);
    expect(scores.filter((score) => score.status === 'failed' && score.message.length < 4000)).toHaveLength(
      300,
    );
  });
});

test.runIf(IS_MATRIX && IS_ROOT)('all of it as a user without rights', { timeout: 3_600_000 }, async () => {
  const user = ['--reuid', NOBODY, '--regid', NOBODY, '--clear-groups'].map(String);
  // Vite would write a file beside its configuration, which this user may not.
  const vitest = [
    'node_modules/vitest/vitest.mjs',
    'run',
    'test/python/hostile.test.ts',
    '--configLoader',
    'runner',
  ];
  const run = spawn('setpriv', [...user, process.execPath, ...vitest], { cwd: REPOSITORY, stdio: 'inherit' });
  expect(await once(run, 'exit')).toEqual([0, null]);
});
