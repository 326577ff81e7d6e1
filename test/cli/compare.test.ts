import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compareScores, type Comparison } from '../../src/results/compare.js';
import { renderComparison } from '../../src/cli/compare-text.js';
import { assay } from './assay.js';

/** As the report shows paths, which are as long everywhere. */
const FIXTURE = relative('.', new URL('../../fixtures/compare/', import.meta.url).pathname);
const baseline = join(FIXTURE, 'baseline.jsonl');
const candidate = join(FIXTURE, 'candidate.jsonl');

const folder = await mkdtemp(join(tmpdir(), 'assay-compare-'));
const write = async (name: string, rewards: readonly number[]): Promise<string> => {
  const path = join(folder, name);
  await writeFile(
    path,
    rewards.map((reward, row) => `{"row":${row},"status":"scored","reward":${reward}}\n`).join(''),
  );
  return path;
};

describe('the report', () => {
  test('of the fixture is as it was read and approved', async () => {
    const { code, stdout, stderr } = await assay(['compare', baseline, candidate, '--top', '3']);
    expect(stdout).toBe(await readFile(join(FIXTURE, 'report.txt'), 'utf8'));
    expect([code, stderr]).toEqual([0, '']);
  });

  test('fits 80 columns and has no colour', async () => {
    const { stdout } = await assay(['compare', baseline, candidate]);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout).not.toContain('\u001b');
  });

  test('cuts long names, and not the numbers', async () => {
    const name = 'the_whole_reply_is_polite_and_answers_the_question';
    const line = (row: number, reward: number) =>
      `{"row":${row},"status":"scored","reward":${reward},"sub_rewards":{"${name}":${reward}}}\n`;
    const [a, b] = [join(folder, 'long-a.jsonl'), join(folder, 'long-b.jsonl')];
    const rows = Array.from({ length: 40 }, (_, row) => row);
    await writeFile(a, rows.map((row) => line(row, row * 1000)).join(''));
    await writeFile(b, rows.map((row) => line(row, row * 1010 + (row % 3))).join(''));
    const report = (await assay(['compare', a, b])).stdout.split('\n');
    const table = report.slice(report.findIndex((text) => text.includes('difference ')));
    expect(table[2]).toMatch(/^ {4}the_whole_\w*… .* < 0\.0001$/);
    expect(Math.max(...table.map((text) => text.length))).toBeLessThanOrEqual(80);
  });

  test('is bold at its sentence on a terminal', async () => {
    const text = renderComparison(await compareScores(baseline, candidate), { colour: true });
    expect(text.startsWith('\u001b[1mNo difference found')).toBe(true);
  });

  test('cannot be repainted by an id', async () => {
    const path = join(folder, 'hostile.jsonl');
    await writeFile(path, '{"row":0,"id":"\\u001b[2J\\n","status":"scored","reward":1}\n');
    const other = join(folder, 'hostile-b.jsonl');
    await writeFile(other, '{"row":0,"id":"\\u001b[2J\\n","status":"scored","reward":0}\n');
    const { stdout } = await assay(['compare', path, other]);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain('\\u001b[2J\\n');
  });

  test('of nothing scored says so', async () => {
    const path = join(folder, 'failed.jsonl');
    await writeFile(path, '{"row":0,"status":"failed","code":"row_error","message":"x"}\n');
    const { code, stdout } = await assay(['compare', path, path]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Nothing to compare: no row was scored in both runs\./);
  });
});

describe('--json', () => {
  test('is everything, and nothing else is on standard output', async () => {
    const { code, stdout } = await assay(['compare', baseline, candidate, '--json', '--quiet', '--top', '1']);
    const comparison = JSON.parse(stdout) as Comparison;
    expect(code).toBe(0);
    expect(comparison).toMatchObject({
      verdict: 'no_difference_found',
      a: { rows: 120, failed: 2, unpaired: 2 },
      pairing: { by: 'id', matched: 118, pairs: 114, clusters: null },
      failures: { only_a_failed: 1, only_b_failed: 2 },
      regressions: { count: 24, rows: [{ row: 94 }] },
      warnings: [],
    });
    expect(Object.keys(comparison.sub_rewards ?? {})).toEqual(['category', 'wording']);
  });

  test('is the same every time', async () => {
    const [first, second] = [
      await assay(['compare', baseline, candidate, '--json']),
      await assay(['compare', baseline, candidate, '--json']),
    ];
    expect(second.stdout).toBe(first.stdout);
  });
});

test('--quiet says nothing', async () => {
  expect(await assay(['compare', baseline, candidate, '--quiet'])).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
});

describe('gates', () => {
  test('are about the lower end of the interval', async () => {
    const loose = await assay(['compare', baseline, candidate, '--quiet', '--max-regression', '0.05']);
    expect(loose.code).toBe(0);
    const strict = await assay(['compare', baseline, candidate, '--quiet', '--max-regression', '0.01']);
    expect(strict.code).toBe(1);
    expect(strict.stderr).toMatch(
      /^gate: the difference may be as low as -0\.01\d+, --max-regression 0\.01 asks for at least -0\.01\n$/,
    );
  });

  test('may name a member', async () => {
    const flags = ['--quiet', '--min-improvement', 'wording=0.01', '--min-improvement', 'wording=0.04'];
    const { code, stderr } = await assay(['compare', baseline, candidate, ...flags]);
    expect(code).toBe(1);
    expect(stderr.split('\n')).toHaveLength(2);
    expect(stderr).toContain('the difference of wording may be as low as 0.01');
  });

  test('identical runs are no worse', async () => {
    const { code } = await assay(['compare', baseline, baseline, '--quiet', '--max-regression', '0']);
    expect(code).toBe(0);
  });

  test('too few pairs hold none', async () => {
    const few = await write('few.jsonl', [1, 1, 1]);
    const { code, stderr } = await assay(['compare', few, few, '--quiet', '--max-regression', '1']);
    expect(code).toBe(1);
    expect(stderr).toBe('gate: the difference cannot be told: too few pairs (--max-regression 1)\n');
  });

  test.each([
    ['--max-regression', '-1', /expected a number from 0 up, or name=number, got -1/],
    ['--max-regression', 'x', /expected a number from 0 up, or name=number, got x/],
    [
      '--min-improvement',
      'wordng=0',
      /unknown name wordng, expected one of category, wording\n {2}hint: did you/,
    ],
  ])('%s %s is refused', async (flag, text, message) => {
    const { code, stderr } = await assay(['compare', baseline, candidate, `${flag}=${text}`]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  test('a name where there are none', async () => {
    const plain = await write('plain.jsonl', [1, 0]);
    const { code, stderr } = await assay(['compare', plain, plain, '--max-regression', 'exact=0']);
    expect(code).toBe(2);
    expect(stderr).toContain('these results have no members and no criteria');
  });
});

describe('what cannot be compared', () => {
  test('a dataset instead of results', async () => {
    const dataset = new URL('../../fixtures/support-replies/dataset.jsonl', import.meta.url).pathname;
    const { code, stderr } = await assay(['compare', dataset, candidate]);
    expect(code).toBe(2);
    expect(stderr).toContain('dataset.jsonl:1: row: expected a row number, got undefined; is this a dataset');
  });

  test('files without a common row', async () => {
    const plain = await write('other.jsonl', [1, 0]);
    const path = join(folder, 'far.jsonl');
    await writeFile(path, '{"row":17,"status":"scored","reward":1}\n');
    const { code, stderr } = await assay(['compare', plain, path]);
    expect(code).toBe(2);
    expect(stderr).toContain('have no row number in common');
  });

  test('a file that is not there, a bad path, a missing argument', async () => {
    expect((await assay(['compare', join(folder, 'none'), candidate])).stderr).toContain(
      'no such results file',
    );
    expect((await assay(['compare', baseline, candidate, '--group', 'a..b'])).stderr).toContain('--group: ');
    expect((await assay(['compare', baseline])).code).toBe(2);
  });
});
