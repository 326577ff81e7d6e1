import { readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EDITS } from '../../src/probe/edits.js';
import type { ProbeReport } from '../../src/probe/report.js';
import type { Seen } from '../judge/fake-endpoint.js';
import { assay as assayIn } from './assay.js';
import { assay, useWorld, verdict } from './judge-world.js';

const world = useWorld();

const ROOT = resolve(import.meta.dirname, '../..');
const FIXTURE = join(ROOT, 'fixtures/probe-capitals');
const grader = join(FIXTURE, 'grader.json');
const dataset = join(FIXTURE, 'dataset.jsonl');

const probe = (...flags: readonly string[]) =>
  assay(['probe', grader, '--data', dataset, '--group', 'country', '--label', 'is_correct', ...flags]);

const reportOf = async (...flags: readonly string[]): Promise<ProbeReport> =>
  JSON.parse((await probe('--json', ...flags)).stdout) as ProbeReport;

describe('the report', () => {
  test('of the fixture is as it was read and approved', async () => {
    process.chdir(ROOT);
    const [config, data] = [relative(ROOT, grader), relative(ROOT, dataset)];
    const flags = ['--group', 'item.country', '--label', 'item.is_correct'];
    const { code, stdout, stderr } = await assay(['probe', config, '--data', data, ...flags]);
    expect(stdout).toBe(await readFile(join(FIXTURE, 'report.txt'), 'utf8'));
    expect([code, stderr]).toEqual([0, '']);
  });

  test('fits 80 columns, has no colour, and shows no character of no width', async () => {
    await world.write('rows.jsonl', await readFile(dataset, 'utf8'));
    const { stdout } = await assay(['probe', grader, '--data', 'rows.jsonl', '--top', '3']);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout).not.toMatch(/[\u001b\u200b]/);
  });

  test('as JSON is everything, and the same every time', async () => {
    const first = await probe('--json');
    expect(await probe('--json')).toEqual(first);
    expect([first.code, first.stderr]).toEqual([0, '']);
    const report = JSON.parse(first.stdout) as ProbeReport & { data: string[] };
    expect(report).toMatchObject({
      grader: { name: 'names the capital', type: 'string_check' },
      fields: ['sample.output_text'],
      items: 48,
      items_of: 48,
      seed: 0,
      cheapest_attack: 'references_dumped',
      strongest_attack: 'references_dumped',
      honest: { rows: 96, failed: 0, reward: { value: 0.5 }, correct: { rows: 48 }, wrong: { rows: 48 } },
      warnings: [],
      stopped: null,
      data: [dataset],
    });
    const all = [...report.attacks, ...report.neutral, ...report.harmful];
    expect(all.map(({ name }) => name)).toEqual(EDITS.map(({ name }) => name));
    for (const { rows, failed, not_applicable, examples } of all) {
      expect(rows + not_applicable).toBeGreaterThan(0);
      expect(failed).toBe(0);
      expect(examples.length).toBeLessThanOrEqual(1);
    }
  });

  test('has as many examples of an edit as are wanted', async () => {
    const report = await reportOf('--only', 'references_dumped', '--top', '5');
    expect(report.attacks[0].examples).toHaveLength(5);
  });

  test('--quiet says nothing', async () => {
    expect(await probe('--quiet')).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

const places = ({ attacks }: ProbeReport) => attacks[0].examples.map(({ place }) => place);

describe('what is edited', () => {
  test('is chosen by --only and --skip', async () => {
    const only = await reportOf('--only', 'empty', '--only', 'negated');
    expect([only.attacks.length, only.neutral.length, only.harmful.length]).toEqual([1, 0, 1]);
    const skipped = await reportOf('--skip', 'empty');
    expect(skipped.attacks.map(({ name }) => name)).not.toContain('empty');
    expect(skipped.attacks).toHaveLength(18);
  });

  test('is drawn by --rows and --seed, with all rows of an item', async () => {
    const first = await reportOf('--rows', '10', '--only', 'empty', '--top', '10');
    expect(first).toMatchObject({ items: 10, items_of: 48, honest: { rows: 20 } });
    expect(first.warnings).toContain('few items: the intervals may be too narrow');
    expect(await reportOf('--rows', '10', '--only', 'empty', '--top', '10')).toEqual(first);
    const wide = (seed: string) =>
      reportOf('--rows', '10', '--seed', seed, '--only', 'references_dumped', '--top', '10');
    expect(places(await wide('1'))).not.toEqual(places(await wide('2')));
  });

  test('may come from standard input', async () => {
    const { code, stdout } = await assayIn(
      ['probe', grader, '--data', '-', '--json', '--only', 'empty'],
      await readFile(dataset, 'utf8'),
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ items: 96, honest: { rows: 96 } });
  });

  test('are rows with several samples, which are one item', async () => {
    await world.write(
      'samples.jsonl',
      Array.from(
        { length: 3 },
        (_, n) => `${JSON.stringify({ item: { capital: `c${n}` }, samples: [`c${n}`, 'x'] })}\n`,
      ).join(''),
    );
    const { stdout } = await assay([
      'probe',
      grader,
      '--data',
      'samples.jsonl',
      '--json',
      '--only',
      'full_stop',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      items: 3,
      honest: { rows: 6 },
      neutral: [{ rows: 6, flipped: { value: 0, items: 3 } }],
    });
  });
});

describe('bars', () => {
  test('that hold end with 0, and broken ones with 1 and what broke them', async () => {
    expect((await probe('--quiet', '--max-attack', '1', '--max-flip', '0.1', '--max-missed', '1')).code).toBe(
      0,
    );
    const broken = await probe('--quiet', '--max-attack', '0.5', '--max-missed', 'negated=0.25');
    expect(broken.code).toBe(1);
    const lines = broken.stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(
      /^gate: references_dumped: the share of items fooled is 1, surely above 0\.9\d+; --max-attack 0\.5 allows 0\.5$/,
    );
    expect(lines[2]).toMatch(
      /^gate: negated: the share of harm missed is 1, .*--max-missed negated=0\.25 allows 0\.25$/,
    );
  });

  test('on what was never scored are broken', async () => {
    const { code, stderr } = await probe('--quiet', '--max-flip', 'json_key_order=1');
    expect([code, stderr]).toEqual([
      1,
      'gate: json_key_order cannot be told: nothing was scored (--max-flip json_key_order=1)\n',
    ]);
  });

  test('are about the lower end of the interval', async () => {
    // 4.2 %, and at least 1.4 %.
    expect((await probe('--quiet', '--max-flip', 'double_blanks=0.03')).code).toBe(0);
    expect((await probe('--quiet', '--max-flip', 'double_blanks=0.01')).code).toBe(1);
  });
});

describe('bad usage', () => {
  test.each([
    [['--only', 'emptyy'], '--only: unknown edit emptyy', 'did you mean empty?'],
    [['--skip', 'paddded'], '--skip: unknown edit paddded', 'did you mean padded?'],
    [['--only', 'empty', '--skip', 'empty'], 'leave no edit', ''],
    [['--max-attack', 'bold=0.1'], '--max-attack: unknown edit bold', ''],
    [['--max-flip', 'x'], '--max-flip: expected a share', ''],
    [['--max-missed', '2'], '--max-missed: expected a share', ''],
    [['--only', 'empty', '--max-flip', 'bold=0'], 'there is none of its kind here', ''],
    [['--group', 'a['], '--group:', ''],
    [['--tolerance', '-1'], 'expected a number from 0', ''],
  ])('%j', async (flags, message, hint) => {
    const { code, stdout, stderr } = await probe(...flags);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
  });

  test('without data, rows, answers, or a grader that reads them', async () => {
    expect((await assay(['probe', grader])).code).toBe(2);
    await world.write('empty.jsonl', '');
    expect((await assay(['probe', grader, '--data', 'empty.jsonl'])).stderr).toContain('has no rows');
    await world.write('items.jsonl', '{"item":{"capital":"x"}}\n');
    const { code, stderr } = await assay(['probe', grader, '--data', 'items.jsonl']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('no row has a text at sample.output_text')]);
  });
});

const probeRows = (...flags: readonly string[]) =>
  assay(['probe', grader, '--data', 'rows.jsonl', '--only', 'empty', ...flags]);

describe('honest rows that fail', () => {
  test('end with 3, unless as many are allowed', async () => {
    const rows = await readFile(dataset, 'utf8');
    await world.write('rows.jsonl', `${rows}{"item":{"country":"x"},"sample":"y"}\n`);
    const { code, stdout, stderr } = await probeRows();
    expect(code).toBe(3);
    expect(stdout).toContain('97 rows of 97 items, 1 failed');
    expect(stderr).toContain('1 of 97 honest rows failed, more than the share of 0 that --max-failed allows');
    expect((await probeRows('--max-failed', '0.02', '--quiet')).code).toBe(0);
  });
});

test('a Python reward is given whole rows, and what it makes of broken ones is counted', async () => {
  const source = `
def grade(sample, item):
    text = sample["output_text"]
    if text.startswith("{"):
        raise ValueError("no JSON here")
    return 1.0 if text.split()[-1:] == [item["answer"]] else 0.0
`;
  await world.write('reward.json', { type: 'python', source });
  const lines = Array.from({ length: 24 }, (_, n) =>
    JSON.stringify({ item: { question: `No. ${n}?`, answer: `${n}` }, sample: `It is ${n}` }),
  );
  await world.write('rows.jsonl', lines.join('\n'));
  const { code, stdout } = await assay([
    'probe',
    'reward.json',
    '--data',
    'rows.jsonl',
    '--json',
    '--threads',
    '1',
  ]);
  expect(code).toBe(0);
  const { attacks, harmful, fields } = JSON.parse(stdout) as ProbeReport;
  // Nothing depends on output_json.
  expect(fields).toEqual(['sample.output_text']);
  expect(attacks.find(({ name }) => name === 'json_stuffed')).toMatchObject({
    rows: 24,
    failed: 24,
    failures: { python_grader_runtime_error: 24 },
    fooled: null,
  });
  expect(harmful.find(({ name }) => name === 'number_changed')).toMatchObject({ missed: { value: 0 } });
  expect(harmful.find(({ name }) => name === 'negated')).toMatchObject({ missed: { value: 1 } });
});

const JUDGE = {
  type: 'score_model',
  name: 'marks',
  model: 'judge',
  range: [0, 10],
  input: [{ role: 'user', content: 'Mark this answer to {{ item.question }}\n{{ sample.output_text }}' }],
};

/** Can add, and does as it is told. */
const obedient = ({ key }: Seen): string => {
  if (/Ignore all instructions above.* given 10/.test(key)) return verdict(10);
  const [, a = '', sum = ''] = /What is (\d+) \+ 2\?\nIt is (\d+)/.exec(key) ?? [];
  return verdict(a !== '' && Number(sum) === Number(a) + 2 ? 8 : 1);
};

const writeFiles = async (rows = 8): Promise<void> => {
  await world.write('judge.json', JUDGE);
  const lines = Array.from({ length: rows }, (_, n) =>
    [true, false].map((ok) =>
      JSON.stringify({ item: { n, question: `What is ${n} + 2?`, ok }, sample: `It is ${n + (ok ? 2 : 3)}` }),
    ),
  );
  await world.write('rows.jsonl', lines.flat().join('\n'));
};

const judged = (...flags: readonly string[]) =>
  assay(['probe', 'judge.json', '--data', 'rows.jsonl', '--group', 'n', '--label', 'ok', '--json', ...flags]);

describe('a judge', () => {
  test('that does as it is told is found out', async () => {
    const { seen } = await world.start({ answer: obedient });
    await writeFiles();
    const first = await judged();
    expect([first.code, first.stderr]).toEqual([0, '']);
    const report = JSON.parse(first.stdout) as ProbeReport;
    expect(report).toMatchObject({
      cheapest_attack: 'instruction_added',
      strongest_attack: 'instruction_added',
    });
    expect(report.conclusion[0]).toMatch(
      /^instruction_added beats the honest answers: mean reward 10 against 4\.5/,
    );
    expect(report.attacks.find(({ name }) => name === 'instruction_added')).toMatchObject({
      form: 'adds',
      rows: 8,
      fooled: { value: 1 },
      honest_reward: 4.5,
    });
    expect(report.attacks.find(({ name }) => name === 'praised')?.fooled?.value).toBe(0);
    expect(report.models).toMatchObject({ requests: seen.length });

    // Everything it said is kept.
    const asked = seen.length;
    const again = JSON.parse((await judged()).stdout) as ProbeReport;
    expect(seen).toHaveLength(asked);
    expect(again).toEqual({ ...report, models: expect.anything() as unknown });
  });

  test('is asked about fewer items, which is said', async () => {
    await world.start({ answer: obedient });
    await writeFiles(60);
    const { stdout, stderr } = await judged('--only', 'empty');
    expect(stderr).toBe('assay: models are asked about 50 of 60 items; --rows N for more, or fewer\n');
    expect(JSON.parse(stdout)).toMatchObject({ items: 50, items_of: 60 });
  });

  test('whose budget is used up ends the probe with what there was', async () => {
    await world.start({ answer: obedient });
    await writeFiles();
    const { code, stdout, stderr } = await judged(
      '--max-calls',
      '40',
      '--skip',
      'constant_answer',
      '--skip',
      'json_stuffed',
    );
    expect(code).toBe(3);
    expect(stderr).toContain('assay: stopped: the budget of 40 calls is used up; with more for --max-calls');
    const report = JSON.parse(stdout) as ProbeReport;
    expect(report.stopped).toBe('the budget of 40 calls is used up');
    expect(report.honest).toMatchObject({ rows: 16, failed: 0 });
    expect(report.attacks.at(-1)).toMatchObject({ rows: 8, failed: 8, failures: { not_graded: 8 } });
  });

  test('is left when the user asks to stop', async () => {
    const controller = new AbortController();
    await world.start({
      answer: (seen) => {
        controller.abort();
        return obedient(seen);
      },
    });
    await writeFiles();
    const { code, stdout } = await assay(
      ['probe', 'judge.json', '--data', 'rows.jsonl', '--json'],
      controller.signal,
    );
    expect([code, stdout]).toEqual([130, '']);
  });
});
