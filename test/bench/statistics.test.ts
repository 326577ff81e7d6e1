import { readFileSync } from 'node:fs';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { clustersOf } from '../../src/stats/clustered.js';
import {
  noiseShare,
  pairwiseAccuracy,
  positionBetween,
  preference,
  stratifiedSpearman,
  withinCorrelation,
} from '../../src/bench/reward-statistics.js';

interface PairGolden {
  readonly value: number;
  readonly standardError: number;
  readonly pairs: number;
}

interface Golden {
  readonly cases: readonly {
    readonly name: string;
    readonly item: readonly number[];
    readonly label: readonly number[];
    readonly feature: readonly number[];
    readonly reward: readonly number[];
    readonly first: readonly number[];
    readonly again: readonly (number | null)[];
    readonly bait: readonly number[];
    readonly pairwiseAccuracy: PairGolden;
    readonly preference: PairGolden;
    readonly preferenceSameLabel: PairGolden;
    readonly stratifiedSpearman: number;
    readonly withinCorrelation: number;
    readonly noiseShare: number;
    readonly position: number;
  }[];
}

/** What the reference packages say; `fixtures/golden/bench.py` wrote it. */
const golden = JSON.parse(
  readFileSync(new URL('../../fixtures/golden/bench.json', import.meta.url), 'utf8'),
) as Golden;

const column = (values: readonly number[]): Float64Array => Float64Array.from(values);

const expectPairs = (found: ReturnType<typeof preference>, expected: PairGolden): void => {
  expect(found?.estimate.value).toBeCloseTo(expected.value, 12);
  expect(found?.estimate.standardError).toBeCloseTo(expected.standardError, 12);
  expect(found?.pairs).toBe(expected.pairs);
};

describe.each(golden.cases)('$name: agrees with scipy, scikit-learn and statsmodels', (given) => {
  const items = clustersOf(given.item.length, Int32Array.from(given.item));
  const [rewards, labels, feature] = [column(given.reward), column(given.label), column(given.feature)];

  test('pairwise accuracy', () => {
    expectPairs(pairwiseAccuracy(rewards, labels, items), given.pairwiseAccuracy);
  });

  test('preference for a feature', () => {
    expectPairs(preference(rewards, feature, items), given.preference);
    expectPairs(preference(rewards, feature, items, Int32Array.from(given.label)), given.preferenceSameLabel);
  });

  test('correlation within strata, and within items', () => {
    const strata = { of: Int32Array.from(given.label), count: 2 };
    expect(stratifiedSpearman(rewards, feature, strata, items)?.value).toBeCloseTo(
      given.stratifiedSpearman,
      12,
    );
    expect(withinCorrelation(rewards, feature, items)?.value).toBeCloseTo(given.withinCorrelation, 12);
  });

  test('share of noise', () => {
    const twice = given.again.flatMap((again, row) => (again === null ? [] : [row]));
    const regraded = {
      first: Float64Array.from(twice, (row) => given.first[row]),
      again: Float64Array.from(twice, (row) => given.again[row] ?? NaN),
      clusters: { of: Int32Array.from(twice, (row) => items.of[row]), count: items.count },
    };
    expect(noiseShare(rewards, items, regraded)?.value).toBeCloseTo(given.noiseShare, 12);
  });

  test('place between wrong and right', () => {
    const found = positionBetween(column(given.bait), rewards, Uint8Array.from(given.label), items);
    expect(found?.value).toBeCloseTo(given.position, 12);
  });
});

describe('edges', () => {
  const items = clustersOf(4, Int32Array.of(7, 7, 3, 3));

  test('a reward that is right about every pair has an interval all the same', () => {
    const found = pairwiseAccuracy(column([1, 0, 3, 2]), column([1, 0, 1, 0]), items);
    expect(found?.estimate).toMatchObject({ value: 1, standardError: 0, caution: 'no_spread' });
    expect(found?.estimate.interval?.[1]).toBe(1);
    expect(found?.estimate.interval?.[0]).toBeLessThan(0.5);
  });

  test('equal rewards count half, and pairs of equal labels not at all', () => {
    const found = pairwiseAccuracy(column([1, 1, 3, 2]), column([1, 0, 1, 1]), items);
    expect(found).toMatchObject({ estimate: { value: 0.5 }, pairs: 1, groups: 1 });
  });

  test('nothing without pairs or without spread', () => {
    expect(pairwiseAccuracy(column([1, 2, 3, 4]), column([1, 1, 0, 0]), items)).toBeUndefined();
    expect(withinCorrelation(column([0.7, 0.7, 0.1, 0.1]), column([1, 2, 3, 4]), items)).toBeUndefined();
    const regraded = { first: column([1]), again: column([2]), clusters: { of: Int32Array.of(0), count: 2 } };
    expect(noiseShare(column([0.7, 0.7, 0.1, 0.1]), items, regraded)).toBeUndefined();
  });

  test('no place between right and wrong where right ones do not certainly earn more', () => {
    const right = Uint8Array.of(1, 0, 1, 0);
    expect(positionBetween(column([1, 1, 1, 1]), column([0, 1, 2, 1]), right, items)).toBeUndefined();
    expect(positionBetween(column([1, 1, 1, 1]), column([2, 0, 2, 0]), right, items)?.value).toBe(0.5);
  });

  test('without a second row in any item all rows are compared with each other', () => {
    const single = clustersOf(4);
    expect(withinCorrelation(column([1, 2, 3, 4]), column([2, 4, 6, 8]), single)?.value).toBeCloseTo(1, 12);
    const regraded = {
      first: column([1, 3]),
      again: column([2, 3]),
      clusters: { of: Int32Array.of(0, 1), count: 4 },
    };
    // The variance of 1 to 4 is 5/3.
    expect(noiseShare(column([1, 2, 3, 4]), single, regraded)?.value).toBeCloseTo(0.25 / (5 / 3), 12);
  });

  test('a very large item takes no longer than its rows are worth', () => {
    const rows = 50_000;
    const values = Float64Array.from({ length: rows }, (_, row) => row);
    const found = pairwiseAccuracy(values, values, clustersOf(rows, new Int32Array(rows)));
    expect(found?.estimate.value).toBe(1);
  });
});

const rows = fc.array(
  fc.record({
    item: fc.integer({ min: 0, max: 5 }),
    x: fc.integer({ min: 0, max: 4 }),
    y: fc.integer({ min: 0, max: 4 }),
  }),
  { minLength: 2, maxLength: 40 },
);

test.prop([rows])('turning the labels round turns the accuracy round, and scale does not matter', (given) => {
  const items = clustersOf(
    given.length,
    Int32Array.from(given, ({ item }) => item),
  );
  const [x, y] = [Float64Array.from(given, (row) => row.x), Float64Array.from(given, (row) => row.y)];
  const value = pairwiseAccuracy(x, y, items)?.estimate.value;
  const turned = pairwiseAccuracy(
    x,
    y.map((label) => -label),
    items,
  )?.estimate.value;
  const scaled = pairwiseAccuracy(
    x.map((reward) => Math.exp(reward)),
    y,
    items,
  )?.estimate.value;
  expect(scaled).toBe(value);
  if (value === undefined) expect(turned).toBeUndefined();
  else expect(turned).toBeCloseTo(1 - value, 12);
});
