import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { CalibrationReport } from '../../src/calibrate/calibrate.js';
import { randomIndex } from '../../src/stats/random.js';
import { assay, type Outcome } from './assay.js';

const folder = await mkdtemp(join(tmpdir(), 'assay-calibrate-'));
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
const write = async (name: string, content: string): Promise<string> => {
  const path = join(folder, `${(files += 1)}-${name}`);
  await writeFile(path, content);
  return path;
};

/** A row as a test has it. */
interface Planted {
  readonly reward?: number;
  readonly passed?: boolean;
  readonly label?: unknown;
  readonly text?: string;
  readonly sample?: number;
  readonly row?: number;
  readonly id?: string;
  readonly group?: string;
  readonly position?: string;
  readonly tone?: number;
}

const lines = (values: readonly unknown[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('');

/** Results of rows; one without a reward has failed. */
const scoresOf = (rows: readonly Planted[]): Promise<string> =>
  write(
    'scores.jsonl',
    lines(
      rows.map(({ reward, passed, sample, id, group, tone, row }, at) => {
        const place = { row: row ?? at, sample, id, group };
        if (reward === undefined)
          return { ...place, status: 'failed', code: 'other_error', message: 'no reward' };
        return {
          ...place,
          status: 'scored',
          reward,
          passed,
          ...(tone !== undefined && { sub_rewards: { tone } }),
        };
      }),
    ),
  );

const dataOf = (rows: readonly Planted[]): Promise<string> =>
  write(
    'rows.jsonl',
    lines(rows.map(({ label, text = 'x', position }) => ({ item: { label, position }, sample: text }))),
  );

/** Calibrates planted rows whose labels stand in their items. */
const calibrate = async (rows: readonly Planted[], ...flags: string[]): Promise<Outcome> =>
  assay([
    'calibrate',
    await scoresOf(rows),
    '--labels',
    'item.label',
    '--data',
    await dataOf(rows),
    ...flags,
  ]);

const reportOf = async (rows: readonly Planted[], ...flags: string[]): Promise<CalibrationReport> => {
  const { stdout, stderr } = await calibrate(rows, '--json', ...flags);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as CalibrationReport;
};

const many = (count: number, row: Planted): Planted[] => Array.from({ length: count }, () => row);

/** The rows with some of their fields changed. */
const changed = <Row extends Planted>(
  rows: readonly Row[],
  change: (row: Row, at: number) => Planted,
): Planted[] => rows.map((row, at) => Object.assign({}, row, change(row, at)));

/** Rows with a label, texts of 10 to 209 letters and positions A and B, of which the reward knows only the label. */
const noisy = (): (Planted & { readonly reward: number; readonly text: string })[] => {
  const random = randomIndex(11);
  return Array.from({ length: 300 }, (_, row) => {
    const [label, length] = [random(2), 10 + random(200)];
    const reward = 0.1 + 0.5 * label + random(1_000) / 5_000;
    return { label, text: 'x'.repeat(length), reward, position: row % 2 === 0 ? 'A' : 'B' };
  });
};

/** 90 true passes, 10 false ones; 80 true fails, 20 false ones. */
const PLANTED = [
  ...many(90, { reward: 1, passed: true, label: true }),
  ...many(10, { reward: 1, passed: true, label: false }),
  ...many(80, { reward: 0, passed: false, label: false }),
  ...many(20, { reward: 0, passed: false, label: true }),
];

test('the report of the fixture is as it was read and approved', async () => {
  const fixture = relative('.', new URL('../../fixtures/calibrate-replies/', import.meta.url).pathname);
  const { code, stdout, stderr } = await assay([
    'calibrate',
    join(fixture, 'scores.jsonl'),
    '--labels',
    join(fixture, 'labels.csv'),
    '--data',
    join(fixture, 'dataset.jsonl'),
  ]);
  expect(stdout).toBe(await readFile(join(fixture, 'report.txt'), 'utf8'));
  expect([code, stderr]).toEqual([0, '']);
});

describe('a judge with a known confusion', () => {
  test('has exactly its numbers', async () => {
    const report = await reportOf(PLANTED);
    expect(report).toMatchObject({
      verdict: 'agrees',
      kind: 'binary',
      rows: { total: 200, failed: 0, labelled: 200, unlabelled: 0 },
      clusters: { by: null, count: 200 },
      classes: {
        names: ['fail', 'pass'],
        by: 'passed',
        confusion: [
          [80, 10],
          [20, 90],
        ],
        by_class: [
          { rows: 90, judged: 100, precision: { value: 0.8 }, recall: { value: expect.closeTo(8 / 9, 12) } },
          {
            rows: 110,
            judged: 100,
            precision: { value: 0.9 },
            recall: { value: expect.closeTo(9 / 11, 12) },
          },
        ],
        accuracy: { value: 0.85 },
        specificity: { value: expect.closeTo(8 / 9, 12) },
        f1: { value: expect.closeTo(180 / 210, 12) },
        // Half of the rows agree by chance.
        kappa: { value: expect.closeTo(0.7, 12) },
        constant: { class: 'pass', accuracy: 0.55, difference: { value: expect.closeTo(0.3, 12) } },
        lenience: { value: expect.closeTo(-0.05, 12) },
      },
      ranking: { auc: { value: expect.closeTo((8 / 9 + 9 / 11) / 2, 12) } },
      threshold: null,
      mean: { scores: { value: 0.5 }, labels: { value: 0.55 }, corrected: null },
      consistency: [],
    });
    expect(report.conclusion).toMatch(
      /^The scores agree with the labels well beyond chance \(kappa 0\.70, 0\.\d\d to 0\.\d\d\), and are better than always saying "pass" \(accuracy 0\.85 against 0\.55\)\./,
    );
  });

  test('is the same every time, and no wider than 80 columns', async () => {
    const [scores, data] = [await scoresOf(PLANTED), await dataOf(PLANTED)];
    const run = () => assay(['calibrate', scores, '--labels', 'item.label', '--data', data]);
    const [first, second] = [await run(), await run()];
    expect(second).toEqual(first);
    expect(first.code).toBe(0);
    expect(Math.max(...first.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(first.stdout).toContain('  label fail           80           10  88.9 %     80.0 %\n');
  });

  test('leaves failed rows out of everything, and counts them', async () => {
    const report = await reportOf([...PLANTED, ...many(30, { label: true }), ...many(5, {})]);
    expect(report).toMatchObject({
      rows: { total: 235, failed: 35, labelled: 200, failed_labelled: 30 },
      classes: { accuracy: { value: 0.85 }, kappa: { value: expect.closeTo(0.7, 12) } },
    });
    expect(report.cautions).toContain('30 rows with a label failed and are left out');
    expect(report.cautions).toContain('14.9 % of the rows failed: what is said is about the others');
  });

  test('is compared by its member when that is asked for', async () => {
    const rows = PLANTED.map((row) => ({ ...row, passed: undefined, reward: 0.5, tone: row.reward }));
    expect(await reportOf(rows, '--member', 'tone', '--threshold', '0.5')).toMatchObject({
      classes: { by: 'threshold', threshold: 0.5, kappa: { value: expect.closeTo(0.7, 12) } },
    });
    expect((await calibrate(rows, '--member', 'tune')).stderr).toBe(
      'assay: --member tune: expected one of tone\n  hint: did you mean tone?\n',
    );
  });
});

describe('what a judge does wrong', () => {
  test('a threshold that lets too many pass', async () => {
    const rows = Array.from({ length: 200 }, (_, at) => ({
      reward: at / 200,
      passed: at >= 20,
      label: at >= 100,
    }));
    const { conclusion } = await reportOf(rows);
    expect(conclusion).toMatch(
      /Passing from 0\.5 on would be better: a balanced accuracy of about (?:1\.00|0\.99) on other rows, against 0\.60\./,
    );
  });

  test('a lenient judge', async () => {
    const rows = [
      ...many(100, { reward: 1, passed: true, label: 1 }),
      ...many(30, { reward: 1, passed: true, label: 0 }),
      ...many(70, { reward: 0, passed: false, label: 0 }),
    ];
    const { conclusion } = await reportOf(rows);
    expect(conclusion).toContain('They are lenient: they pass 30.0 % of what people fail.');
  });

  test('a judge no better than saying the same of every row', async () => {
    const random = randomIndex(4);
    const rows = Array.from({ length: 300 }, () => {
      const passed = random(2) === 1;
      return { reward: Number(passed), passed, label: random(5) > 0 };
    });
    const report = await reportOf(rows);
    expect(report.verdict).toBe('not_shown');
    expect(report.conclusion).toMatch(/^No agreement beyond chance is shown \(kappa /);
  });

  test('a judge that says the same of every row', async () => {
    const report = await reportOf(PLANTED.map((row) => ({ ...row, reward: 1, passed: true })));
    expect(report.verdict).toBe('not_shown');
    expect(report.conclusion).toMatch(
      /^The scores say "pass" of every row, which agrees with the labels by chance alone\. They are lenient/,
    );
  });

  test('a judge that says the opposite', async () => {
    const report = await reportOf(PLANTED.map((row) => ({ ...row, label: row.label === false })));
    expect(report.verdict).toBe('disagrees');
    expect(report.conclusion).toMatch(/^The scores go against the labels \(kappa −0\.70, /);
    const always = PLANTED.map(({ reward, passed }) => ({ reward, passed, label: passed === false }));
    expect((await reportOf(always)).verdict).toBe('disagrees');
  });

  test('a judge that likes long answers', async () => {
    const biased = await reportOf(
      changed(noisy(), ({ reward, text }) => ({ reward: reward + text.length / 1_000 })),
    );
    expect(biased.bias.length?.spearman.interval?.[0]).toBeGreaterThan(0.3);
    expect(biased.bias.length?.parts.map(({ excess }) => excess.value > 0)).toEqual([
      false,
      false,
      expect.any(Boolean),
      true,
      true,
    ]);
    expect(biased.conclusion).toContain(
      'Scores are higher than they should be for long answers (correlation',
    );
    const fair = await reportOf(noisy());
    expect(fair.bias.length?.p_adjusted).toBeGreaterThan(0.05);
    expect(fair.conclusion).not.toContain('answers');
  });

  test('a judge that likes the first position', async () => {
    const random = randomIndex(5);
    const rows = changed(noisy(), ({ reward, position }) => ({
      reward: reward + (position === 'A' ? 0.1 : 0) + random(100) / 1_000,
    }));
    const { bias, conclusion } = await reportOf(rows, '--position', 'item.position');
    expect(bias.position).toMatchObject({
      by: 'item.position',
      positions: [
        { position: 'A', rows: 150, effect: { value: expect.closeTo(0.1, 1) } },
        { position: 'B', rows: 150, effect: { value: expect.closeTo(-0.1, 1) } },
      ],
    });
    expect(conclusion).toMatch(
      /At item\.position A scores are higher than at others with the same label, by 0\.1/,
    );
    const fair = await reportOf(noisy(), '--position', 'item.position');
    expect(fair.conclusion).not.toContain('position');
  });

  test('a judge whose scores drift along the file', async () => {
    const rows = changed(noisy(), ({ reward }, at) => ({ reward: reward + at / 1_000 }));
    const { conclusion } = await reportOf(rows);
    expect(conclusion).toMatch(/The error rises along the file \(correlation 0\.\d/);
  });

  test('a judge that likes the first of several samples', async () => {
    const rows = changed(noisy(), ({ reward }, at) => ({
      row: at >> 1,
      sample: at % 2,
      reward: reward + (at % 2 === 0 ? 0.2 : 0),
    }));
    const labels = await write(
      'labels.jsonl',
      lines(rows.map(({ row, sample, label }) => ({ row, sample, label }))),
    );
    const { stdout } = await assay(['calibrate', await scoresOf(rows), '--labels', labels, '--json']);
    const report = JSON.parse(stdout) as CalibrationReport;
    expect(report.clusters).toEqual({ by: 'row', count: 150 });
    expect(report.bias.position).toMatchObject({
      by: 'sample',
      positions: [{ position: '0' }, { position: '1' }],
    });
    expect(report.conclusion).toContain('At sample 0 scores are higher than at others with the same label');
  });
});

describe('rewards without a pass', () => {
  const rows = Array.from({ length: 200 }, (_, at) => ({
    reward: at / 200,
    label: at % 10 === 3 ? at < 100 : at >= 100,
  }));

  test('pass from the best threshold on, which is said', async () => {
    const report = await reportOf(rows);
    expect(report).toMatchObject({
      verdict: 'agrees',
      classes: { by: 'best_threshold', threshold: 0.5, accuracy: { value: 0.9 } },
      threshold: {
        goal: 'balanced_accuracy',
        threshold: 0.5,
        quality: expect.closeTo(0.9, 12),
        replicates: 999,
      },
    });
    expect(report.threshold?.expected_quality).toBeLessThan(0.9);
    expect(report.conclusion).toMatch(
      /^The scores agree with the labels well beyond chance \(AUC 0\.\d\d, .* With rewards from 0\.5 on passing, the best threshold on these rows, kappa is 0\.80\./,
    );
    expect(report.cautions[0]).toMatch(/^the threshold was chosen on the same rows/);
  });

  test('pass from a threshold that is asked for', async () => {
    expect(await reportOf(rows, '--threshold', '0.75')).toMatchObject({
      classes: {
        by: 'threshold',
        threshold: 0.75,
        confusion: [
          [95, 5],
          [55, 45],
        ],
      },
    });
  });

  test('have a threshold for a goal', async () => {
    const { threshold } = await reportOf(rows, '--goal', 'precision=0.9');
    expect(threshold?.goal).toEqual({ precision: 0.9 });
    expect(threshold?.quality).toBeGreaterThanOrEqual(0.9);
    expect((await reportOf(rows, '--goal', 'f1')).threshold?.goal).toBe('f1');
    expect((await calibrate(rows, '--goal', 'recall')).stderr).toContain(
      '--goal: expected balanced_accuracy, f1, or precision=X with X above 0 and up to 1, got recall',
    );
  });

  test('on another scale are fitted to that of the labels, which is said', async () => {
    const report = await reportOf(changed(rows, ({ reward }) => ({ reward: reward * 100 })));
    expect(report.errors).toMatchObject({ scale: { by: 'fitted' }, expected_calibration_error: null });
    expect(report.cautions.join('\n')).toContain('were fitted to it on these rows: ');
  });
});

describe('labels that are numbers', () => {
  const rows = Array.from({ length: 150 }, (_, at) => ({
    label: 1 + (at % 5),
    reward: 1 + (at % 5) + (at % 7 === 0 ? -0.6 : 0.3) * (at % 5 === 0 ? 0 : 1) * (at % 5 === 4 ? 0 : 1),
  }));

  test('are classes in order when they are few', async () => {
    const report = await reportOf(rows);
    expect(report).toMatchObject({
      kind: 'numeric',
      classes: {
        names: ['1', '2', '3', '4', '5'],
        by: 'nearest_score',
        linear_kappa: { value: expect.any(Number) },
      },
      ranking: { auc: null, spearman: { value: expect.any(Number) } },
      errors: { scale: { by: 'same' } },
      threshold: null,
    });
    expect(report.conclusion).toMatch(
      /^The scores agree with the labels well beyond chance \(quadratic kappa 0\.9/,
    );
    expect(report.cautions).toContain('a score was taken as the class next to it');
  });

  test('that a judge finds without a mistake are agreed on', async () => {
    const report = await reportOf(rows.map(({ label }) => ({ label, reward: label })));
    expect(report).toMatchObject({
      verdict: 'agrees',
      classes: { quadratic_kappa: { value: 1, interval: [expect.any(Number), 1] } },
    });
    const many = rows.map(({ label }, at) => ({ label: label + at / 1_000, reward: label + at / 1_000 }));
    expect((await reportOf(many)).verdict).toBe('agrees');
  });

  test('have no classes when they are many', async () => {
    const report = await reportOf(rows.map((row, at) => ({ ...row, label: row.label + at / 1_000 })));
    expect(report).toMatchObject({ verdict: 'agrees', classes: null });
    expect(report.conclusion).toMatch(
      /\(Spearman's correlation 0\.9.*always saying 3\.07 \(mean squared error /,
    );
  });

  test('pass from a number on when that is asked for', async () => {
    expect(await reportOf(rows, '--passing', '>=4', '--threshold', '3.5')).toMatchObject({
      kind: 'binary',
      classes: { names: ['fail', 'pass'], by_class: [{ rows: 90 }, { rows: 60 }] },
    });
    expect((await calibrate(rows, '--passing', '>=x')).stderr).toContain(
      '--passing: expected a label, or >= and',
    );
  });
});

describe('what cannot be told', () => {
  test('labels of one class', async () => {
    const rows = [
      ...many(30, { reward: 1, passed: true, label: 1 }),
      ...many(10, { reward: 0, passed: false, label: 1 }),
    ];
    const report = await reportOf(rows);
    expect(report).toMatchObject({
      verdict: 'cannot_be_told',
      classes: { kappa: null },
      ranking: { auc: null },
    });
    expect(report.conclusion).toContain(
      'Agreement cannot be told: all 40 labels are "pass"; the scores say so of 75.0 % of them. They are strict: they fail 25.0 % of what people pass.',
    );
    expect((await calibrate(rows)).code).toBe(0);
    expect(await calibrate(rows, '--quiet', '--min-kappa', '0')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'gate: kappa cannot be told (--min-kappa 0)\n',
    });
  });

  test('labels of one class, without a pass', async () => {
    const { conclusion } = await reportOf(changed(many(30, { label: 0 }), (_, at) => ({ reward: at / 30 })));
    expect(conclusion).toMatch(/^Agreement cannot be told: all 30 labels are "fail"\./);
  });

  test('a single row', async () => {
    const report = await reportOf([{ reward: 1, passed: true, label: 1 }]);
    expect(report.verdict).toBe('cannot_be_told');
  });

  test('a rare class is said to be', async () => {
    const report = await reportOf([
      ...many(5, { reward: 0, passed: false, label: 0 }),
      ...many(95, { reward: 1, passed: true, label: 1 }),
      { reward: 0, passed: false, label: 1 },
    ]);
    expect(report.cautions).toContain('only 5 rows of label "fail": what is said about them is unsure');
    expect(report.cautions).toContain('few rows bear the agreement: the interval may be too narrow');
  });
});

describe('labels on a few rows', () => {
  test('correct the mean of all', async () => {
    const random = randomIndex(8);
    const rows = Array.from({ length: 3_000 }, () => {
      const truth = random(100) < 40 ? 1 : 0;
      // Passes every good row and three in ten of the others.
      return { truth, reward: truth === 1 || random(10) < 3 ? 1 : 0 };
    });
    const labelled = rows.map(({ truth, reward }, at) => ({
      reward,
      passed: reward === 1,
      label: at % 10 === 0 ? truth : null,
    }));
    const { mean, rows: counts, conclusion } = await reportOf(labelled);
    const share = rows.reduce((sum, { truth }) => sum + truth, 0) / rows.length;
    expect(counts).toMatchObject({ labelled: 300, unlabelled: 2_700 });
    expect(mean?.scores.interval?.[0]).toBeGreaterThan(share + 0.1);
    const [low, high] = mean?.corrected?.interval ?? [1, 0];
    expect([low < share, share < high]).toEqual([true, true]);
    expect(mean?.corrected?.standard_error).toBeLessThan(mean?.labels.standard_error ?? 0);
    expect(conclusion).toMatch(
      /Over all rows the mean label is about 0\.\d\d \(.*\), where the scores say 0\.5/,
    );
  });
});

describe('labels in a file of their own', () => {
  const scores = () => scoresOf(PLANTED.map(({ reward, passed }, at) => ({ reward, passed, id: `r${at}` })));
  const labelsBy = (name: (row: number) => object) =>
    lines(PLANTED.map(({ label }, row) => ({ ...name(row), label })));

  test.each([
    ['by row', 'l.jsonl', labelsBy((row) => ({ row }))],
    ['by id', 'l.jsonl', labelsBy((row) => ({ id: `r${row}` }))],
    [
      'in CSV',
      'l.csv',
      `row,label\n${PLANTED.map(({ label }, row) => `${row},${label ? 'True' : 'False'}\n`).join('')}`,
    ],
  ])('%s need no dataset', async (_, name, content) => {
    const { code, stdout } = await assay([
      'calibrate',
      await scores(),
      '--labels',
      await write(name, content),
      '--json',
    ]);
    const report = JSON.parse(stdout) as CalibrationReport;
    expect(code).toBe(0);
    expect(report).toMatchObject({
      classes: { kappa: { value: expect.closeTo(0.7, 12) } },
      bias: { length: null },
    });
    expect(report.cautions.at(-1)).toMatch(/^the bias by length was left out: .*run\.json is missing/);
  });

  test('are used with the length where there is a dataset', async () => {
    const data = await dataOf(PLANTED.map((row, at) => ({ ...row, text: 'x'.repeat(1 + (at % 9)) })));
    const labels = await write(
      'l.jsonl',
      labelsBy((row) => ({ row })),
    );
    const { stdout } = await assay([
      'calibrate',
      await scores(),
      '--labels',
      labels,
      '--data',
      data,
      '--json',
    ]);
    expect((JSON.parse(stdout) as CalibrationReport).bias.length?.rows).toBe(200);
  });

  test('of several people are compared with each other', async () => {
    const labels = await write(
      'l.csv',
      `row,annotator,label\n${PLANTED.flatMap(({ label }, row) => [
        `${row},ann,${Number(label)}\n`,
        `${row},bob,${Number(row % 10 === 0 ? !label : label)}\n`,
        ...(row % 2 === 0 ? [`${row},cy,${Number(label)}\n`] : []),
      ]).join('')}`,
    );
    const { stdout } = await assay(['calibrate', await scores(), '--labels', labels, '--json']);
    const report = JSON.parse(stdout) as CalibrationReport;
    // Every tenth row has a label of its own by bob, and those have a third person.
    expect(report.rows).toMatchObject({ labelled: 200, undecided: 0 });
    expect(report.people).toMatchObject({ rows: 200, labels: 500, metric: 'nominal', all_equal: 0.9 });
    expect(report.people?.alpha).toBeGreaterThan(report.people?.judge_alpha ?? 1);
    expect(report.conclusion).toMatch(
      /People agree with each other with an alpha of 0\.8\d, the scores with one of them with 0\.6\d/,
    );
  });

  test('on which people are split are left out, which is said', async () => {
    const labels = await write(
      'l.jsonl',
      lines(PLANTED.map(({ label }, row) => ({ row, labels: row < 4 ? [1, 0] : [label] }))),
    );
    const { stdout } = await assay(['calibrate', await scores(), '--labels', labels, '--json']);
    const report = JSON.parse(stdout) as CalibrationReport;
    expect(report.rows).toMatchObject({ labelled: 196, undecided: 4, unlabelled: 0 });
    expect(report.cautions).toContain('people disagree evenly on 4 rows, left out');
  });

  test.each([
    [
      '{"row":7000,"label":1}\n',
      'no label is about a result: the first is about row 7000, and the results have rows 0 to 199',
    ],
    [
      '{"id":"no such","label":1}\n',
      'the first is about id "no such", and the results have rows 0 to 199; were they graded with --id?',
    ],
    [
      '{"row":0,"label":"refund"}\n',
      'labels are texts such as "refund", and the results have no labels of a label_model to compare; say with --passing which of them pass',
    ],
    [
      '{"row":0,"label":1}\n{"row":1}\n',
      ':2: expected "label", or a list as "labels", got an object with row',
    ],
  ])('%j is refused', async (content, message) => {
    const labels = await write('l.jsonl', content);
    const { code, stderr } = await assay(['calibrate', await scores(), '--labels', labels]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(`assay: ${labels}:`);
  });

  test('of rows that the results do not have are counted', async () => {
    const labels = await write(
      'l.jsonl',
      labelsBy((row) => ({ row: row < 190 ? row : row + 1_000 })),
    );
    const { stdout } = await assay(['calibrate', await scores(), '--labels', labels, '--json']);
    expect((JSON.parse(stdout) as CalibrationReport).cautions).toContain(
      'labels of 10 rows that the results do not have',
    );
  });
});

describe('labels in the rows', () => {
  test('that no row has are refused, with what rows have', async () => {
    const rows = many(3, { reward: 1, label: 1 });
    const [scores, data] = [await scoresOf(rows), await dataOf(rows)];
    const { code, stderr } = await assay(['calibrate', scores, '--labels', 'item.labl', '--data', data]);
    expect(code).toBe(2);
    expect(stderr).toBe(
      'assay: no row has a label at item.labl, and there is no file of that name; rows have item.label, sample.output_text\n  hint: did you mean item.label?\n',
    );
  });

  test('need the dataset', async () => {
    const { code, stderr } = await assay(['calibrate', await scoresOf(PLANTED), '--labels', 'item.label']);
    expect(code).toBe(2);
    expect(stderr).toContain('which names the dataset; say with --data where the rows are');
  });

  test('a file that is not there, a bad path, labels on failed rows only', async () => {
    const [scores, data] = [await scoresOf(PLANTED), await dataOf(PLANTED)];
    const at = (labels: string) => assay(['calibrate', scores, '--labels', labels, '--data', data]);
    expect((await at('labels.csv')).stderr).toBe('assay: labels.csv: there is no such file of labels\n');
    expect((await at('a..b')).stderr).toContain('--labels: ');
    const failed = await calibrate([{ label: 1 }, { reward: 1 }]);
    expect(failed.stderr).toBe('assay: every row with a label failed (1), so no score can be compared\n');
    expect((await assay(['calibrate', scores])).code).toBe(2);
  });

  test('group rows by a path', async () => {
    const rows = PLANTED.map((row, at) => ({ ...row, position: `p${at % 40}` }));
    expect((await reportOf(rows, '--group', 'item.position')).clusters).toEqual({
      by: 'item.position',
      count: 40,
    });
    const grouped = PLANTED.map((row, at) => ({ ...row, group: `g${at % 25}` }));
    expect((await reportOf(grouped)).clusters).toEqual({ by: 'group', count: 25 });
  });
});

describe('gates', () => {
  test('are about the lower end of the interval', async () => {
    const { code, stderr, stdout } = await calibrate(
      PLANTED,
      '--quiet',
      '--min-kappa=0.65',
      '--min-auc=0.7',
      '--min-accuracy=0.75',
    );
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^gate: kappa is 0\.7\d* and may be as low as 0\.5\d+, --min-kappa asks for 0\.65\n$/,
    );
    expect((await calibrate(PLANTED, '--quiet', '--min-kappa', '0.55')).code).toBe(0);
  });

  test('hold for a judge without a mistake', async () => {
    const rows = [
      ...many(60, { reward: 1, passed: true, label: 1 }),
      ...many(60, { reward: 0, passed: false, label: 0 }),
    ];
    const flags = ['--quiet', '--min-kappa', '0.9', '--min-accuracy', '0.95', '--min-auc', '0.9'];
    expect(await calibrate(rows, ...flags)).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('need to be told what passes', async () => {
    const rows = PLANTED.map(({ label, reward = 0 }, at) => ({ label, reward: reward / 2 + at / 1_000 }));
    const { code, stderr } = await calibrate(rows, '--min-kappa', '0.5');
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /--min-kappa: the results do not say what passes; give --threshold X \(0\.\d+ is best on these rows\)/,
    );
    expect((await calibrate(rows, '--quiet', '--min-auc', '0.5')).code).toBe(0);
    expect((await calibrate(rows, '--min-auc', 'x')).stderr).toContain('--min-auc: expected a number, got x');
  });
});

test('a terminal cannot be repainted by what stands in files', async () => {
  const rows = many(40, {}).map((_, at) => ({
    reward: at % 3 === 0 ? 0.3 : 1,
    label: at % 2,
    position: at % 2 === 0 ? '\u001B[2J' : 'b',
  }));
  const { stdout } = await calibrate(rows, '--position', 'item.position');
  expect(stdout).not.toContain('\u001B');
  expect(stdout).toContain('\\u001b[2J');
});

test('is interrupted with 130', async () => {
  const [scores, data] = [await scoresOf(PLANTED), await dataOf(PLANTED)];
  const signal = AbortSignal.abort();
  const { code, stdout } = await assay(
    ['calibrate', scores, '--labels', 'item.label', '--data', data],
    '',
    signal,
  );
  expect([code, stdout]).toEqual([130, '']);
});
