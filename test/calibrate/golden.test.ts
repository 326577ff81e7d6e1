import { readFileSync } from 'node:fs';
import { test as propertyTest, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { classesReport } from '../../src/calibrate/classes.js';
import { calibrationCurve } from '../../src/calibrate/curve.js';
import { errorsReport } from '../../src/calibrate/errors.js';
import { balancedAccuracy, f1Estimate, leastShare } from '../../src/calibrate/estimates.js';
import type { LabelledRows } from '../../src/calibrate/labelled.js';
import { onScale, scaleOf } from '../../src/calibrate/scale.js';
import { equalParts, strataOf, stratifiedSlope, stratifiedSpearman } from '../../src/calibrate/stratified.js';
import { kappaCeiling } from '../../src/calibrate/verdicts.js';
import { calibrationOf } from '../../src/stats/calibration.js';
import { clustersOf } from '../../src/stats/clustered.js';

interface Found {
  readonly value: number;
  readonly standardError: number;
}

interface Golden {
  readonly bias: readonly {
    readonly name: string;
    readonly labels: readonly number[];
    readonly lengths: readonly number[];
    readonly errors: readonly number[];
    readonly here: readonly number[];
    readonly clusters: readonly number[];
    readonly spearman: Found & { readonly rows: number };
    readonly slope: Found;
  }[];
  readonly classes: readonly ({
    readonly name: string;
    readonly actual: readonly number[];
    readonly predicted: readonly number[];
    readonly scores: readonly number[];
    readonly clusters: readonly number[];
  } & Readonly<
    Record<
      | 'accuracy'
      | 'balancedAccuracy'
      | 'f1'
      | 'specificity'
      | 'precision'
      | 'lenience'
      | 'aboveConstant'
      | 'squaredError'
      | 'squaredErrorAboveConstant',
      Found
    >
  >)[];
  readonly scales: readonly {
    readonly name: string;
    readonly scores: readonly number[];
    readonly labels: readonly number[];
    readonly intercept: number;
    readonly slope: number;
    readonly bins: readonly { readonly rows: number; readonly meanScore: number; readonly label: Found }[];
  }[];
  readonly best: readonly { readonly clusters: number; readonly least: number }[];
}

/** What the reference packages say; `fixtures/golden/calibrate.py` wrote it. */
const golden = JSON.parse(
  readFileSync(new URL('../../fixtures/golden/calibrate.json', import.meta.url), 'utf8'),
) as Golden;

const floats = (values: readonly number[]): Float64Array => Float64Array.from(values);
const ints = (values: readonly number[]): Int32Array => Int32Array.from(values);
const DIGITS = 10;
const close = ({ value, standardError }: Found) => ({
  value: expect.closeTo(value, DIGITS),
  standardError: expect.closeTo(standardError, DIGITS),
});
/** The same, as reports have it. */
const closeReport = ({ value, standardError }: Found) => ({
  value: expect.closeTo(value, DIGITS),
  standard_error: expect.closeTo(standardError, DIGITS),
});

const labelled = (
  kind: LabelledRows['kind'],
  rewards: readonly number[],
  labels: readonly number[],
  clusters = rewards.map((_, row) => row),
): LabelledRows => ({
  kind,
  count: rewards.length,
  places: Uint32Array.from(rewards, (_, row) => row),
  rewards: floats(rewards),
  labels: floats(labels),
  passed: new Float64Array(rewards.length).fill(-1),
  clusters: ints(clusters),
  verdicts: undefined,
});

describe('agrees with scipy, statsmodels and scikit-learn (versions in fixtures/golden/calibrate.json)', () => {
  test.each(golden.bias)('error inside labels: $name', (each) => {
    const { labels, lengths, errors, here, clusters } = each;
    const strata = strataOf(floats(labels), true);
    const groups = clustersOf(labels.length, ints(clusters));
    expect(stratifiedSpearman(floats(lengths), floats(errors), strata, groups)).toMatchObject({
      ...close(each.spearman),
      rows: each.spearman.rows,
    });
    expect(stratifiedSlope(floats(here), floats(errors), strata, groups)).toMatchObject(close(each.slope));
  });

  test.each(golden.classes)('classes: $name', (each) => {
    const [actual, predicted, clusters] = [ints(each.actual), ints(each.predicted), ints(each.clusters)];
    const report = classesReport(
      { names: ['fail', 'pass'], ordered: false, actual, predicted, by: 'passed' },
      clusters,
    );
    expect(report).toMatchObject({
      accuracy: closeReport(each.accuracy),
      balanced_accuracy: closeReport(each.balancedAccuracy),
      f1: closeReport(each.f1),
      specificity: closeReport(each.specificity),
      lenience: closeReport(each.lenience),
      constant: { difference: closeReport(each.aboveConstant) },
      by_class: [{}, { precision: closeReport(each.precision) }],
    });
    const rows = labelled('binary', each.scores, each.actual, [...each.clusters]);
    const scale = scaleOf(rows, rows.rewards);
    expect(errorsReport(rows, rows.rewards, scale, 10)).toMatchObject({
      squared_error: closeReport(each.squaredError),
      constant: { difference: closeReport(each.squaredErrorAboveConstant) },
    });
  });

  test.each(golden.scales)('scale: $name', ({ scores, labels, intercept, slope, bins }) => {
    const rows = labelled(labels.includes(5) ? 'numeric' : 'binary', scores, labels);
    expect(scaleOf(rows, rows.rewards)).toEqual({
      by: 'fitted',
      intercept: expect.closeTo(intercept, DIGITS),
      slope: expect.closeTo(slope, DIGITS),
    });
    const curve = calibrationCurve(rows.rewards, rows.labels, rows.clusters, bins.length, false);
    expect(curve.bins).toMatchObject(
      bins.map((bin) => ({
        rows: bin.rows,
        meanScore: expect.closeTo(bin.meanScore, DIGITS),
        label: close(bin.label),
      })),
    );
  });

  test.each(golden.best)('no mistake in $clusters clusters', ({ clusters, least }) => {
    expect(leastShare(clusters)).toBeCloseTo(least, DIGITS);
  });
});

const scored = fc.array(
  fc.record({
    score: fc.integer({ min: 0, max: 8 }).map((eighths) => eighths / 8),
    label: fc.integer({ min: 0, max: 1 }),
  }),
  { minLength: 1, maxLength: 60 },
);

describe('the curve', () => {
  propertyTest.prop([scored, fc.integer({ min: 1, max: 12 })])(
    'has the bins of calibrationOf, and its error',
    (rows, bins) => {
      const [scores, labels] = [rows.map(({ score }) => score), rows.map(({ label }) => label)];
      const expected = calibrationOf(floats(scores), Uint8Array.from(labels), bins);
      const curve = calibrationCurve(
        floats(scores),
        floats(labels),
        ints(scores.map((_, row) => row)),
        bins,
        true,
      );
      expect(curve.expectedError).toBeCloseTo(expected?.expectedError ?? NaN, 12);
      expect(
        curve.bins.map(({ rows, leastScore, greatestScore }) => [rows, leastScore, greatestScore]),
      ).toEqual(
        expected?.bins.map(({ rows, leastReward, greatestReward }) => [rows, leastReward, greatestReward]),
      );
    },
  );

  test('keeps equal values in one part', () => {
    expect(equalParts(floats([1, 0, 0, 0, 0, 1, 2]), 3).map((rows) => Array.from(rows))).toEqual([
      [1, 2, 3, 4],
      [0, 5, 6],
    ]);
  });
});

describe('strata', () => {
  const labels = floats(Array.from({ length: 40 }, (_, row) => row % 20));

  test('are labels, or next to each other where labels are many numbers', () => {
    expect(strataOf(floats([3, 1, 3]), true)).toEqual({ of: ints([1, 0, 1]), count: 2 });
    expect(strataOf(labels, false).count).toBe(20);
    const { of, count } = strataOf(labels, true);
    expect([count, of[0], of[1], of[2], of[39]]).toEqual([10, 0, 0, 1, 9]);
  });

  test('without any spread say nothing', () => {
    const groups = clustersOf(3);
    const one = strataOf(floats([0, 0, 0]), true);
    expect(stratifiedSpearman(floats([1, 1, 1]), floats([1, 2, 3]), one, groups)).toBeUndefined();
    expect(stratifiedSlope(floats([1, 1, 1]), floats([1, 2, 3]), one, groups)).toBeUndefined();
  });
});

describe('scales', () => {
  test.each([
    { name: 'chances', kind: 'binary', rewards: [0, 0.4, 1], labels: [0, 1, 1], by: 'same' },
    { name: '1 to 5', kind: 'numeric', rewards: [1, 3.2, 5], labels: [1, 4, 5], by: 'same' },
    { name: '0 to 1 for 1 to 5', kind: 'numeric', rewards: [0, 0.7, 1], labels: [1, 4, 5], by: 'fitted' },
    { name: '0 to 1 for 0 to 4', kind: 'numeric', rewards: [0, 0.7, 1], labels: [0, 3, 4], by: 'fitted' },
    { name: 'one label only', kind: 'numeric', rewards: [0, 0.7, 1], labels: [3, 3, 3], by: 'same' },
  ] as const)('$name: $by', ({ kind, rewards, labels, by }) => {
    expect(scaleOf(labelled(kind, rewards, labels), floats(rewards)).by).toBe(by);
  });

  test('are taken as asked for', () => {
    const rows = labelled('numeric', [0, 1], [1, 5]);
    expect(onScale(rows.rewards, scaleOf(rows, rows.rewards))).toEqual(floats([1, 5]));
    expect(onScale(rows.rewards, scaleOf(rows, rows.rewards, 'same'))).toEqual(floats([0, 1]));
    expect(scaleOf(labelled('binary', [0, 1], [0, 1]), floats([0, 1]), 'fitted')).toMatchObject({ slope: 1 });
  });
});

const classesOf = (actual: readonly number[], predicted = actual) =>
  classesReport(
    {
      names: ['fail', 'pass'],
      ordered: false,
      actual: ints(actual),
      predicted: ints(predicted),
      by: 'passed',
    },
    ints(actual.map((_, row) => row)),
  );

describe('at its best', () => {
  test('kappa has the interval that the accuracy leaves', () => {
    const { accuracy, kappa } = classesOf([0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    const [least] = accuracy.interval ?? [NaN];
    expect(least).toBeCloseTo(leastShare(10), 12);
    // Half of the rows agree by chance.
    expect(kappa).toMatchObject({ value: 1, interval: [expect.closeTo(1 - (1 - least) / 0.5, 12), 1] });
  });

  test('one class has no kappa', () => {
    expect(classesOf([1, 1, 1])).toMatchObject({ kappa: null, matthews: null, specificity: null });
    expect(classesOf([1, 1, 1]).accuracy.value).toBe(1);
  });
});

test('a judge that contradicts itself cannot agree with anybody', () => {
  expect(kappaCeiling(1, 1)).toBe(1);
  expect(kappaCeiling(0.64, 1)).toBeCloseTo(0.8, 12);
  // Two verdicts together are as reliable as Spearman and Brown say: 2 × 0.64 / 1.64.
  expect(kappaCeiling(0.64, 2)).toBeCloseTo(Math.sqrt(1.28 / 1.64), 12);
  expect(kappaCeiling(-0.2, 3)).toBe(0);
  expect(kappaCeiling(null, 3)).toBeNull();
});

describe('influences of clusters', () => {
  const rows = fc.array(
    fc.record({
      actual: fc.integer({ min: 0, max: 1 }),
      predicted: fc.integer({ min: 0, max: 1 }),
      cluster: fc.integer({ min: 0, max: 4 }),
    }),
    { minLength: 3, maxLength: 40 },
  );

  propertyTest.prop([rows])('do not depend on how clusters are numbered', (each) => {
    const actual = ints(each.map(({ actual }) => actual));
    const predicted = ints(each.map(({ predicted }) => predicted));
    const clusters = ints(each.map(({ cluster }) => cluster));
    const correct = Float64Array.from(actual, (label, row) => Number(label === predicted[row]));
    const others = clusters.map((cluster) => 100 - 7 * cluster);
    expect(balancedAccuracy(correct, actual, 2, others).standardError).toBeCloseTo(
      balancedAccuracy(correct, actual, 2, clusters).standardError,
      12,
    );
    expect(f1Estimate(predicted, actual, others)?.standardError ?? 0).toBeCloseTo(
      f1Estimate(predicted, actual, clusters)?.standardError ?? 0,
      12,
    );
  });
});
