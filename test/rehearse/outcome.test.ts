import { describe, expect, test } from 'vitest';
import type { GradedRow } from '../../src/rehearse/measure.js';
import { outcomeOf } from '../../src/rehearse/outcome.js';
import { failed, type Score } from '../../src/score.js';

const scored = (reward: number): Score => ({ status: 'scored', reward });
const broken = failed('python_grader_runtime_error', 'ZeroDivisionError');

const rowsOf = (...prompts: readonly (readonly Score[])[]): GradedRow[] =>
  prompts.flatMap((scores, prompt) =>
    scores.map((score, index) => ({ place: `line ${prompt + 1}, sample ${index}`, prompt, score })),
  );

describe('with outputs of a model', () => {
  const outcome = outcomeOf(
    rowsOf(
      [scored(1), scored(1), scored(1)],
      [scored(0), scored(0)],
      [scored(0.5), scored(0.5), broken],
      [scored(0), scored(1), scored(0.5)],
      [scored(0.25)],
    ),
  );

  test('failures enter no mean, and are counted with their places', () => {
    expect(outcome.failures).toMatchObject({
      rows: 12,
      failed: 1,
      share: 1 / 12,
      by_code: { python_grader_runtime_error: 1 },
      first: [{ place: 'line 3, sample 2', code: 'python_grader_runtime_error' }],
      not_graded: 0,
    });
    const [low, high] = outcome.failures.share_interval ?? [1, 0];
    expect(low).toBeLessThan(1 / 12);
    expect(high).toBeGreaterThan(1 / 12);
  });

  test('rewards are those of scored rows; the hosted mean counts failed ones as 0', () => {
    expect(outcome.rewards).toMatchObject({
      scored: 11,
      min: 0,
      max: 1,
      distinct: 4,
      floor_share: 3 / 11,
      ceiling_share: 4 / 11,
      caution: 'few_clusters',
    });
    expect(outcome.rewards?.mean).toBeCloseTo(5.75 / 11, 12);
    expect(outcome.rewards?.hosted_mean).toBeCloseTo(5.75 / 12, 12);
  });

  test('prompts whose rewards are equal give no signal; single rewards are not compared', () => {
    expect(outcome.signal).toMatchObject({
      prompts: 4,
      samples_per_prompt: 10 / 4,
      flat_share: 3 / 4,
      all_at_ceiling: 1 / 4,
      all_at_floor: 1 / 4,
    });
    expect(outcome.signal?.deviation_within).toBeCloseTo(0.5 / 4, 12);
    expect(outcome.stand_ins).toBeNull();
  });
});

test('a failed row may have a reward all the same, as the service has it', () => {
  const partly: Score = { ...failed('model_grader_parse_error', 'x'), hostedReward: 0.5 };
  expect(outcomeOf(rowsOf([scored(1), partly])).rewards).toMatchObject({ mean: 1, hosted_mean: 0.75 });
});

test('what was not graded enters nothing', () => {
  const unasked = failed('not_graded', 'the budget of calls is used up');
  const { failures, rewards } = outcomeOf(rowsOf([scored(1), unasked], [unasked]));
  expect(failures).toMatchObject({
    rows: 1,
    failed: 0,
    not_graded: 2,
    not_graded_reason: 'the budget of calls is used up',
  });
  expect(rewards).toMatchObject({ scored: 1, hosted_mean: 1 });
});

test('nothing is said of rewards that are not there', () => {
  expect(outcomeOf([])).toMatchObject({ rewards: null, signal: null, failures: { rows: 0, share: null } });
  expect(outcomeOf(rowsOf([broken, broken]))).toMatchObject({ rewards: null, signal: null });
  expect(outcomeOf(rowsOf([scored(1)], [scored(0)])).signal).toBeNull();
});

const made = (prompt: number, ideal: Score, echo: Score): GradedRow[] => [
  { place: `line ${prompt}`, prompt, score: ideal, standIn: 'ideal' },
  { place: `line ${prompt}`, prompt, score: echo, standIn: 'echo' },
];

describe('with answers that were made up', () => {
  test('both kinds are told apart, and nothing is said of the spread', () => {
    const outcome = outcomeOf([
      ...made(0, scored(1), scored(0)),
      ...made(1, scored(0.5), scored(0.5)),
      ...made(2, scored(1), broken),
    ]);
    expect(outcome).toMatchObject({ rewards: null, signal: null, failures: { rows: 6, failed: 1 } });
    expect(outcome.stand_ins).toMatchObject({
      compared: 2,
      same_reward: 1,
      answers: [
        { kind: 'ideal', rows: 3, failed: 0, min: 0.5, max: 1 },
        { kind: 'echo', rows: 3, failed: 1, mean: 0.25, min: 0, max: 0.5 },
      ],
    });
  });
});
