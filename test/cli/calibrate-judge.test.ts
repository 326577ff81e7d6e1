import { expect, test } from 'vitest';
import type { CalibrationReport } from '../../src/calibrate/calibrate.js';
import type { Seen } from '../judge/fake-endpoint.js';
import { assay, useWorld, verdict } from './judge-world.js';

const world = useWorld();

const ROWS = 60;
const LABELS = ['bug', 'praise', 'refund'];
/** What people say of a row. */
const labelOf = (row: number): string => LABELS[row % 3];

/** The row that a question is about. */
const rowOf = ({ key }: Seen): number => Number(/\d+$/.exec(key)?.[0]);

const rows = Array.from(
  { length: ROWS },
  (_, n) => `${JSON.stringify({ item: { n, label: labelOf(n), good: n % 3 === 1 }, sample: `text ${n}` })}\n`,
).join('');

const JUDGE = {
  model: 'judge',
  input: [{ role: 'user', content: 'What is {{ sample.output_text }}' }],
};

const CHOICE = { type: 'label_model', name: 'topic', ...JUDGE, labels: LABELS, passing_labels: ['praise'] };

const calibrate = async (...flags: string[]): Promise<CalibrationReport> => {
  const { stdout, stderr, code } = await assay(['calibrate', 'out.jsonl', '--json', ...flags]);
  expect([stderr, code]).toEqual(['', 0]);
  return JSON.parse(stdout) as CalibrationReport;
};

/** Every tenth row is a bug to this judge; every sixth is praise one time in three. */
const chosen = (seen: Seen): string => {
  const row = rowOf(seen);
  if (row % 10 === 9) return 'bug';
  return row % 6 === 2 && seen.nth === 1 ? 'praise' : labelOf(row);
};

test('labels that a judge chose are compared with those of people', async () => {
  await world.start({ answer: (seen) => verdict(chosen(seen)) });
  await world.write('grader.json', CHOICE);
  await world.write('rows.jsonl', rows);
  await assay(['run', 'grader.json', 'rows.jsonl', '-o', 'out.jsonl', '--repeat', '3', '--quiet']);
  const report = await calibrate('--labels', 'item.label');
  // Of rows 9, 19, … 59, which are called bugs, two are.
  expect(report).toMatchObject({
    verdict: 'agrees',
    kind: 'nominal',
    rows: { labelled: 60, without_verdict: 0 },
    classes: {
      names: LABELS,
      by: 'verdict',
      confusion: [
        [20, 0, 0],
        [2, 18, 0],
        [2, 0, 18],
      ],
      linear_kappa: null,
      lenience: null,
    },
    ranking: null,
    errors: null,
    mean: null,
    consistency: [{ grader: null, judge: 'judge', rows: 60, verdicts_a_row: 3, metric: 'nominal' }],
  });
  const [consistency] = report.consistency;
  expect(consistency.all_equal).toBeCloseTo(50 / 60, 12);
  expect(consistency.kappa_ceiling).toBeGreaterThan(0.95);
  const text = (await assay(['calibrate', 'out.jsonl', '--labels', 'item.label'])).stdout;
  expect(text).toContain('judge: the same verdict every time on 83.3 % of 60 rows (3 verdicts');
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});

test('the same judge is compared by what passes where labels are yes or no', async () => {
  await world.start({ answer: (seen) => verdict(chosen(seen)) });
  await world.write('grader.json', CHOICE);
  await world.write('rows.jsonl', rows);
  await assay(['run', 'grader.json', 'rows.jsonl', '-o', 'out.jsonl', '--repeat', '3', '--quiet']);
  expect(await calibrate('--labels', 'item.good')).toMatchObject({
    classes: {
      by: 'passed',
      confusion: [
        [40, 0],
        [2, 18],
      ],
    },
  });
  expect(await calibrate('--labels', 'item.label', '--passing', 'praise')).toMatchObject({
    kind: 'binary',
    classes: { by: 'passed', accuracy: { value: 58 / 60 } },
  });
});

test('verdicts of a member are found under its name, and rows without one are counted', async () => {
  await world.start({
    answer: (seen) => (rowOf(seen) === 7 ? 'I cannot say' : verdict(labelOf(rowOf(seen)))),
  });
  await world.write('grader.json', {
    type: 'multi',
    graders: { topic: CHOICE, other: { ...CHOICE, name: 'other', model: 'second' } },
    calculate_output: '(topic + other) / 2',
  });
  await world.write('rows.jsonl', rows);
  await assay(['run', 'grader.json', 'rows.jsonl', '-o', 'out.jsonl', '--quiet', '--max-failed', '1']);
  const { stderr } = await assay(['calibrate', 'out.jsonl', '--labels', 'item.label']);
  expect(stderr).toContain(
    'several graders have chosen labels (topic, other); say with --member which one is meant',
  );
  expect(await calibrate('--labels', 'item.label', '--member', 'topic')).toMatchObject({
    rows: { total: 60, failed: 1, labelled: 59, failed_labelled: 1 },
    classes: { accuracy: { value: 1 } },
    consistency: [],
  });
});

test('a judge that throws dice is told to', async () => {
  await world.start({ answer: ({ nth }) => verdict(LABELS[nth % 3]) });
  await world.write('grader.json', CHOICE);
  await world.write('rows.jsonl', rows);
  await assay(['run', 'grader.json', 'rows.jsonl', '-o', 'out.jsonl', '--repeat', '2', '--quiet']);
  const { conclusion } = await calibrate('--labels', 'item.good');
  expect(conclusion).toContain(
    'Asked again, judge gives the same verdict on 0.0 % of the rows: with labels without error kappa could be at most 0.00.',
  );
});

test('scores of a judge that wavers cannot agree with anybody beyond its ceiling', async () => {
  await world.start({
    answer: (seen) => verdict((rowOf(seen) % 5) + 1 - (seen.nth === 1 && rowOf(seen) % 2 === 0 ? 0.5 : 0)),
  });
  await world.write('grader.json', { type: 'score_model', name: 'quality', ...JUDGE, range: [0, 5] });
  await world.write(
    'rows.jsonl',
    Array.from(
      { length: ROWS },
      (_, n) => `${JSON.stringify({ item: { n, stars: (n % 5) + 1 }, sample: `text ${n}` })}\n`,
    ).join(''),
  );
  await assay(['run', 'grader.json', 'rows.jsonl', '-o', 'out.jsonl', '--repeat', '2', '--quiet']);
  const report = await calibrate('--labels', 'item.stars');
  expect(report).toMatchObject({
    kind: 'numeric',
    classes: { by: 'nearest_score', kappa: { value: 1 } },
    consistency: [{ metric: 'interval', rows: 60, verdicts_a_row: 2, all_equal: 0.5 }],
  });
  expect(report.consistency[0].kappa_ceiling).toBeLessThan(1);
});
