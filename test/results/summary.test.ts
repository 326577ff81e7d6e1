import { describe, expect, test } from 'vitest';
import { failed, scored, type Score } from '../../src/score.js';
import { tallyOf } from './tally.js';

const tally = (scores: readonly Score[]) => tallyOf(scores).summary();

describe('a failure is not a zero', () => {
  test('it never enters the mean, and is counted by its code', () => {
    const summary = tally([
      scored(1),
      failed('row_error', 'x'),
      scored(0.5),
      failed('row_error', 'y'),
      failed('invalid_variable_error', 'z'),
    ]);
    expect(summary).toMatchObject({
      rows: 5,
      scored: 2,
      failed: 3,
      mean: 0.75,
      failed_by_code: { invalid_variable_error: 1, row_error: 2 },
    });
    expect(summary.hosted_mean).toBeCloseTo(0.3, 15);
  });

  test('the hosted mean takes what the hosted API would have answered', () => {
    const broken: Score = { ...failed('other_error', 'x'), hostedReward: 0.5 };
    expect(tally([scored(1), broken]).hosted_mean).toBe(0.75);
    expect(tally([scored(1)]).hosted_mean).toBeNull();
  });

  test('without a scored row there is no mean', () => {
    const summary = tally([failed('row_error', 'x')]);
    expect(summary).toMatchObject({ mean: null, mean_interval: null, min: null, histogram: [] });
    expect(summary.pass).toBeUndefined();
  });
});

test('agrees with numpy and scipy', () => {
  const summary = tally([0.1, 0.25, 0.9, 1, 0.33].map((reward) => scored(reward)));
  expect(summary.mean).toBeCloseTo(0.516, 15);
  expect(summary.standard_deviation).toBeCloseTo(Math.sqrt(0.16503), 12);
  expect(summary.mean_interval?.[0]).toBeCloseTo(0.01158785024905773, 10);
  expect(summary.mean_interval?.[1]).toBeCloseTo(1.0204121497509422, 10);
});

test('passes are counted only where something defines them', () => {
  expect(tally([scored(0.2, 0.5), scored(0.5, 0.5), scored(0.9)]).pass).toMatchObject({
    passed: 1,
    total: 2,
    rate: 0.5,
  });
});

test('members and criteria are summed up on their own', () => {
  const summary = tally([
    { ...scored(1), subRewards: { a: 1, b: 0.5 } },
    { ...failed('other_error', 'b failed'), subRewards: { a: 0 } },
    {
      status: 'scored',
      reward: 0.5,
      passed: false,
      results: [
        { name: 'exact', ...scored(1, 1) },
        { name: 'close', ...scored(0.2, 0.5) },
      ],
    },
  ]);
  expect(summary.sub_rewards).toMatchObject({ a: { count: 2, mean: 0.5 }, b: { count: 1, mean: 0.5 } });
  expect(summary.criteria).toMatchObject({
    exact: { rows: 1, pass: { passed: 1 } },
    close: { mean: 0.2, pass: { passed: 0, total: 1 } },
  });
});
