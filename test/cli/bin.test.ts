import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

/** The built command: `npm test` builds it first. */
const CLI = new URL('../../dist/cli.js', import.meta.url).pathname;
const CASE = new URL('../../fixtures/support-replies/', import.meta.url).pathname;
const RUN = ['run', `${CASE}grader.json`, `${CASE}dataset.jsonl`];

/** A device that is always full; not every system has it. */
const FULL = '/dev/full';

describe.runIf(existsSync(FULL))('standard output that cannot be written', () => {
  test.each([{ argv: [...RUN, '--quiet'] }, { argv: [...RUN, '--quiet', '--json'] }, { argv: ['--help'] }])(
    '$argv',
    ({ argv }) => {
      const full = openSync(FULL, 'w');
      const { status, stderr } = spawnSync(process.execPath, [CLI, ...argv], {
        stdio: ['ignore', full, 'pipe'],
        encoding: 'utf8',
      });
      closeSync(full);
      expect(stderr).toMatch(/^assay: cannot write standard output: ENOSPC.*\n$/);
      expect(status).toBe(4);
    },
  );

  test('nor standard error: the exit code is told all the same', () => {
    const full = openSync(FULL, 'w');
    const { status } = spawnSync(process.execPath, [CLI, 'run'], { stdio: ['ignore', 'ignore', full] });
    closeSync(full);
    expect(status).toBe(2);
  });
});
