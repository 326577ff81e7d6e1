import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtinGraders } from '../../graders/index.js';
import { createEngine } from '../../src/engine.js';
import { UnavailableError } from '../../src/errors.js';
import { createPython, type PythonOptions } from '../../src/python/host.js';
import { gradeAll, loadSource, outcomeOf, withSource } from './grading.js';

const linux = describe.runIf(process.platform === 'linux');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-host-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

const rowsOf = (count: number) => Array.from({ length: count }, (_, n) => ({ item: { n } }));

describe('options', () => {
  test.each([
    { isolation: 'Strict' },
    { timeoutMs: 0 },
    { timeoutMs: NaN },
    { memoryBytes: -5 },
    { workers: 0 },
    { batchRows: 0 },
    { allowRead: '/etc' },
  ])('that mean nothing are a mistake: %j', (options) => {
    expect(() => createPython(options as unknown as PythonOptions)).toThrow(TypeError);
  });

  test('a folder to read that is not there', async () => {
    const error = await loadSource('def grade(s, i): return 1', { allowRead: ['/not/there'] }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toEqual(new UnavailableError('--python-allow-read: there is no /not/there'));
  });

  test.each(['not-a-command', 'false'])('a wrap that does not come up is named: %s', async (wrap) => {
    const error = await loadSource('def grade(s, i): return 1', { wrap }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnavailableError);
    expect((error as Error).message).toContain('--python-wrap');
  });
});

linux('what is said before the first row', () => {
  test('parameters in the wrong order, which no error would tell', async () => {
    await withSource('def grade(item, sample): return 1', ({ warnings }) => {
      expect(warnings).toEqual([
        'source: grade(item, sample) receives the sample first, whatever its parameters are called\n' +
          '  hint: write def grade(sample, item)',
      ]);
    });
  });

  test('modules that are not there, and the image that has them', async () => {
    const source = 'import skbio.stats\nimport no_such_module\ndef grade(s, i): return 1';
    const env = { ...process.env, ASSAY_HOME: folder };
    await withSource(
      source,
      ({ warnings }) => {
        const said = warnings.join('\n');
        expect(said).toMatch(
          /imports no_such_module, which Python .* does not have\n {2}hint: name another Python/,
        );
        expect(said).toContain(
          'image 2025-05-08 has scikit-bio 0.6.3: assay doctor --image 2025-05-08 --install',
        );
      },
      { env },
    );
  });

  test('a source that cannot be loaded is a mistake where it is only checked', async () => {
    const engine = createEngine({ graders: builtinGraders, python: createPython() });
    const [issue] = await engine.validate({ type: 'python', source: 'def grade(s, i) return 1' });
    expect(issue).toMatchObject({ severity: 'error', path: ['source'] });
    expect(issue.message).toMatch(/^every row will fail: SyntaxError/);
  });

  test('and so is a missing interpreter, as a warning', async () => {
    const python = createPython({ env: { PATH: folder } });
    const engine = createEngine({ graders: builtinGraders, python });
    const [issue] = await engine.validate({ type: 'python', source: 'def grade(s, i): return 1' });
    expect(issue).toMatchObject({ severity: 'warning', path: [] });
    expect(issue.message).toMatch(/^cannot run here: python graders need Python 3\.9/);
  });
});

linux('the supervisor is trusted, so it runs nothing of others', () => {
  test('not the tests of the folder it is started in, though unittest would', async () => {
    const evidence = join(folder, 'ran');
    await writeFile(join(folder, 'test_here.py'), `open(${JSON.stringify(evidence)}, "w")\n`);
    const before = process.cwd();
    process.chdir(folder);
    try {
      await withSource(
        'if False:\n    import unittest.__main__\ndef grade(s, i): return 1',
        async (loaded) => {
          expect((await gradeAll(loaded, rowsOf(1))).map(outcomeOf)).toEqual([1]);
        },
      );
    } finally {
      process.chdir(before);
    }
    expect(await readdir(folder)).not.toContain('ran');
  });
});

linux('what a child says is not taken on trust', () => {
  const SAYS_IT_ENDS = `
import os
def grade(sample, item):
    if item["n"] == 5:
        os.write(3, b"R")
        os._exit(0)
    return item["n"]
`;

  test.each(['confined', 'strict'] as const)(
    'that it ends, in the middle of a row, %s',
    async (isolation) => {
      const outcomes = await withSource(
        SAYS_IT_ENDS,
        async (loaded) => (await gradeAll(loaded, rowsOf(12))).map(outcomeOf),
        { isolation },
      );
      expect(outcomes.filter((outcome) => typeof outcome === 'number')).toEqual(
        [...Array(12).keys()].filter((n) => n !== 5),
      );
      expect(outcomes[5]).toContain('python_grader_runtime_error');
    },
  );

  test('a time-out is of the row that took the time', async () => {
    const source = `
import time
def grade(sample, item):
    time.sleep(0.2 if item["n"] % 2 else 0)
    return item["n"]
`;
    const outcomes = await withSource(
      source,
      async (loaded) => (await gradeAll(loaded, rowsOf(40))).map(outcomeOf),
      { timeoutMs: 190, workers: 1 },
    );
    outcomes.forEach((outcome, n) => {
      if (n % 2 === 0) expect(outcome).toBe(n);
    });
  });
});

linux('between rows', () => {
  test('threads of a source rest', async () => {
    const source = `
import threading, time
seen = []
def spin():
    while True:
        seen.append(0)
        time.sleep(0.001)
threading.Thread(target=spin, daemon=True).start()
def grade(sample, item):
    return len(seen)
`;
    await withSource(source, async ({ grader }) => {
      const count = async () => outcomeOf(await grader.grade({ item: {} })) as number;
      const first = await count();
      await new Promise((resolve) => {
        setTimeout(resolve, 500);
      });
      // Half a second is some hundred turns; what is seen is the time of the calls themselves.
      expect((await count()) - first).toBeLessThan(100);
    });
  });
});
