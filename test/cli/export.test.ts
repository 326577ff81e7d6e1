import { access, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { ExportReport } from '../../src/export/report.js';
import { linesOf, place, writeLines } from '../export/scores.js';
import { assay } from './assay.js';

/** Three samples of each of twelve items; the reward says how many of the last ones are right. */
const rows = Array.from({ length: 36 }, (_, index) => {
  const [number, sample] = [Math.floor(index / 3), index % 3];
  const answer = sample >= 3 - (number % 4) ? String(number) : `${number}?`.repeat(sample + 1);
  return {
    item: { id: number, question: `Which number is ${number}?`, answer: String(number) },
    sample: answer,
  };
});
const grader = await writeLines('grader.json', [
  {
    type: 'string_check',
    name: 'exact',
    input: '{{ sample.output_text }}',
    reference: '{{ item.answer }}',
    operation: 'eq',
  },
]);
const data = await writeLines('data.jsonl', rows);
const scores = place('scores.jsonl');
await assay(['run', grader, data, '-o', scores, '--group', 'item.id', '--quiet']);

/** The text with paths by the names of their files. */
const withoutFolder = (text: string): string => text.replaceAll(/\S*\/\d+-/g, '');

describe('the report', () => {
  test('of supervised', async () => {
    const output = place('sft.jsonl');
    const { code, stdout, stderr } = await assay(['export', scores, '--method', 'supervised', '-o', output]);
    expect([code, stdout]).toEqual([0, '']);
    expect(withoutFolder(stderr)).toBe(
      [
        'sft.jsonl: 9 supervised rows of 9 prompts',
        '',
        '  rows         36 in the results, 9 used',
        '  prompts      9 to choose from',
        '  mean reward  1 of rows used; 0.5 of all rows',
        '  left out',
        '    18  the answer did not pass (first: row 0)',
        '     9  the prompt has the same answer already (first: row 8)',
        '  warning: sft.jsonl has 9 rows, expected at least 10',
        '',
      ].join('\n'),
    );
  });

  test('of dpo', async () => {
    const output = place('dpo.jsonl');
    const { stderr } = await assay(['export', scores, '--method', 'dpo', '-o', output, '--margin', '0.5']);
    expect(withoutFolder(stderr)).toBe(
      [
        'dpo.jsonl: 6 dpo rows of 6 prompts',
        '',
        '  rows         36 in the results, 12 used',
        '  prompts      12 to choose from',
        '  mean reward  1 chosen, 0 rejected; 0.5 of all rows',
        '  characters   1 chosen, 2 rejected; difference −1',
        '  left out',
        '    9  the prompt has the same answer already (first: row 8)',
        '    9  no answer of the prompt is good enough to be preferred (first: row 0)',
        '    3  the only answer of its prompt (first: row 9)',
        '    3  the prompt has as many pairs as are taken (first: row 4)',
        '  warning: dpo.jsonl has 6 rows, expected at least 10',
        '',
      ].join('\n'),
    );
  });

  test.each(['supervised', 'dpo', 'reinforcement'])(
    'as JSON, and the file passes validation: %s',
    async (method) => {
      const output = place(`${method}.jsonl`);
      const { code, stdout, stderr } = await assay([
        'export',
        scores,
        '--method',
        method,
        '-o',
        output,
        '--json',
      ]);
      expect([code, stderr]).toEqual([0, '']);
      const report = JSON.parse(stdout) as ExportReport;
      expect(report).toMatchObject({ method, results: scores, dataset: data, written: true, rows: 36 });
      expect(report.left_out.reduce((sum, { rows: count }) => sum + count, report.used)).toBe(36);
      const validation = await assay(['validate', output, '--method', method, '--json']);
      const [found] = JSON.parse(validation.stdout) as [{ counts: { rule: string; severity: string }[] }];
      expect(found.counts.filter(({ severity }) => severity === 'error').map(({ rule }) => rule)).toEqual(
        method === 'supervised' ? ['too_few_rows'] : [],
      );
    },
  );

  test('may be left out', async () => {
    const { stdout, stderr } = await assay(['export', scores, '--method', 'dpo', '--quiet']);
    expect(stderr).toBe('');
    expect(stdout.split('\n')).toHaveLength(7);
  });
});

describe('rows', () => {
  test('go to standard output without -o', async () => {
    const { code, stdout, stderr } = await assay(['export', scores, '--method', 'reinforcement', '-n', '1']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      messages: [{ role: 'user', content: 'Which number is 1?' }],
      ...rows[3].item,
    });
    expect(stderr).toMatch(/^standard output: 1 reinforcement row of 1 prompt\n/);
  });

  test('are split into two files', async () => {
    const [output, validation] = [place('train.jsonl'), place('valid.jsonl')];
    const split = ['--validation', '0.3', '--validation-output', validation, '--seed', '1'];
    const flags = ['--method', 'reinforcement', '--keep-flat', '-o', output, ...split];
    const { stderr } = await assay(['export', scores, ...flags]);
    expect((await linesOf(output)).length + (await linesOf(validation)).length).toBe(12);
    expect(withoutFolder(stderr)).toMatch(/^valid\.jsonl: \d reinforcement validation rows of \d prompts?$/m);
  });

  test('are those of the dataset as it was', async () => {
    const copy = place('copy.jsonl');
    await writeFile(copy, await readFile(data));
    const own = place('own.jsonl');
    await assay(['run', grader, copy, '-o', own, '--quiet']);
    await writeFile(copy, (await readFile(copy, 'utf8')).replace('number is 1', 'number is 2'));
    const { code, stderr } = await assay(['export', own, '--method', 'dpo', '--quiet']);
    expect(code).toBe(2);
    expect(stderr).toContain('has changed since its rows were graded');
    expect((await assay(['export', own, '--method', 'dpo', '--quiet', '--data', data])).code).toBe(0);
  });
});

describe('what is refused', () => {
  test('nothing to export is 3, and says why', async () => {
    const output = place('none.jsonl');
    const flags = ['--method', 'dpo', '--margin', '2', '-o', output];
    const { code, stderr } = await assay(['export', scores, ...flags]);
    expect(code).toBe(3);
    expect(stderr).toContain('no two answers of the prompt are far enough apart');
    expect(stderr).toMatch(/\nassay: nothing to export: no training rows; no file was written\n$/);
    await expect(access(output)).rejects.toThrow('ENOENT');
  });

  test('a file that is there is 2, a folder that is not is 4', async () => {
    const output = await writeLines('there.jsonl', ['mine']);
    const there = await assay(['export', scores, '--method', 'dpo', '-o', output]);
    expect([there.code, withoutFolder(there.stderr)]).toEqual([
      2,
      'assay: there.jsonl exists already; --overwrite replaces it\n',
    ]);
    expect(await linesOf(output)).toEqual(['mine']);
    const nowhere = await assay(['export', scores, '--method', 'dpo', '-o', `${output}.d/x.jsonl`]);
    expect([nowhere.code, nowhere.stderr]).toEqual([
      4,
      expect.stringMatching(/^assay: cannot write .*ENOENT/),
    ]);
  });

  test('interruption is 130, and leaves no file', async () => {
    const output = place('stopped.jsonl');
    const controller = new AbortController();
    controller.abort();
    const argv = ['export', scores, '--method', 'dpo', '-o', output];
    expect((await assay(argv, '', controller.signal)).code).toBe(130);
    await expect(access(output)).rejects.toThrow('ENOENT');
    await expect(access(`${output}.tmp`)).rejects.toThrow('ENOENT');
  });

  test.each([
    [['--margin', '0.1'], '--margin goes with --method dpo, got supervised'],
    [['--keep-flat'], '--keep-flat goes with --method reinforcement, got supervised'],
    [['--json'], '--json is about a training file; name it with -o'],
    [['--validation', '0.1'], '--validation and --validation-output go together'],
    [
      ['--validation', '0.1', '--validation-output', 'x'],
      '--validation needs a name for the training file, too: -o',
    ],
    [['--validation', '1'], 'expected a share above 0 and below 1, got 1'],
    [['--seed', '1'], '--seed goes with --validation'],
    [['--min-reward', 'x'], 'expected a number, got x'],
    [['--prompt', 'a..b'], '--prompt: '],
    [['--group', ''], '--group: '],
    [['--data', 'nowhere.jsonl'], 'there is no such dataset'],
  ])('%s', async (flags, message) => {
    const { code, stderr } = await assay(['export', scores, '--method', 'supervised', ...flags]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test('a method that there is not, none, and no results', async () => {
    const wrong = await assay(['export', scores, '--method', 'ppo']);
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringContaining('expected one of supervised, dpo, reinforcement, got ppo'),
    ]);
    expect((await assay(['export', scores])).code).toBe(2);
    const none = await assay(['export', `${scores}.none`, '--data', data, '--method', 'dpo']);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('there is no such results file')]);
  });
});
