import { describe, expect, test } from 'vitest';
import { FAULTS, type Bars } from '../../src/bench/faults.js';
import type { MeasuredReward, MeasuredRows, Trials } from '../../src/bench/measured.js';
import { benchReport, type FaultName, type RewardReport } from '../../src/bench/report.js';
import { randomIndex } from '../../src/stats/random.js';
import { CLEAN, FAULTY, simulateBench, type SimulatedGrader } from './simulated-rewards.js';

const ITEMS = 60;
const ROWS = 4 * ITEMS;

const column = (value: (row: number) => number): Float64Array =>
  Float64Array.from({ length: ROWS }, (_, row) => value(row));

/** Chances between 0 and 1, several of each row. */
const chance = (row: number, salt = 0): number => randomIndex(1 + row + 1_000 * salt)(1_000_000) / 1_000_000;

/** Two of four samples are right; the reward tells them from the others. */
const right = (row: number): number => (row + Math.floor(row / 4)) % 2;
const honest = (row: number): number => 0.3 + 0.4 * right(row) + 0.2 * chance(row);

const trialsOf = (first: (row: number) => number, more: Partial<Trials> = {}): Trials => ({
  rows: Int32Array.from({ length: ROWS }, (_, row) => row),
  first: column(first),
  again: column(first),
  reversed: column(first),
  ...more,
});

const bench = (
  reward: (row: number) => number,
  more: Partial<MeasuredReward> = {},
  { labels, features, ...others }: Partial<MeasuredRows> & { readonly bars?: Bars } = {},
): RewardReport => {
  const rows: MeasuredRows = {
    count: ROWS,
    groups: Int32Array.from({ length: ROWS }, (_, row) => Math.floor(row / 4)),
    labels: labels ?? column(right),
    features: features ?? new Map(),
  };
  const measured: MeasuredReward = {
    name: 'r',
    signature: 'r',
    rewards: column(reward),
    parts: new Map(),
    failures: {},
    seconds: 1,
    trials: trialsOf(reward),
    ...more,
  };
  return benchReport(rows, [measured], { replicates: 0, bars: others.bars }).rewards[0];
};

const findingOf = (report: RewardReport, name: FaultName) =>
  report.findings.find((each) => each.name === name);

const blind = (row: number): number => chance(row, 1) * (row % 4 === 0 ? 0 : 1);

const named = (report: RewardReport): readonly FaultName[] => report.alarms;

test('every fault has a name of its own and says what it does to training', () => {
  expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
  for (const { meaning } of FAULTS) expect(meaning).toMatch(/^[a-z].*[^.]$/);
});

test('a reward that follows the labels raises no alarm', () => {
  const report = bench(honest);
  expect(report.alarms).toEqual([]);
  expect(report.findings.every(({ alarm, evidence }) => !alarm && evidence !== '')).toBe(true);
});

describe('what is named', () => {
  test('one value for all, and not what follows from that', () => {
    const report = bench(() => 0.5);
    expect(report.alarms).toEqual(['constant']);
    expect(findingOf(report, 'constant')?.evidence).toBe('every row earns 0.5');
    expect(findingOf(report, 'no_signal')).toMatchObject({ value: 1, alarm: false });
  });

  test('nearly all rows at an end', () => {
    const report = bench((row) => (row % 40 === 0 ? 0.2 : 1), { range: [0, 1] });
    expect(report.alarms).toContain('saturated');
    expect(findingOf(report, 'saturated')?.evidence).toBe('97.5 % of rows earn the greatest reward, 1');
  });

  test('items whose samples all earn the same', () => {
    const report = bench((row) => chance(Math.floor(row / 4)));
    expect(report.alarms).toEqual(['no_signal', 'uninformative']);
    expect(findingOf(report, 'no_signal')?.evidence).toBe(
      'rewards are all equal in 100.0 % of items, and in 100.0 % of items with both right and wrong samples',
    );
  });

  test('rewards outside the range that the configuration has; of one without a range it is only said', () => {
    const report = bench((row) => 5 * honest(row));
    expect(named(report)).toEqual([]);
    expect(report.verdict.sentence).toMatch(/; but [\d.]+ % of rows earn less than 0 or more than 1:/);
    expect(named(bench((row) => 5 * honest(row), { range: [0, 5] }))).toEqual([]);
    expect(named(bench(honest, { range: [0, 0.8] }))).toEqual(['out_of_range']);
    // Rounding is no fault.
    expect(named(bench((row) => Math.min(1, honest(row)) + 1e-12))).toEqual([]);
  });

  test('rows that fail', () => {
    expect(named(bench((row) => (row % 5 === 0 ? NaN : honest(row))))).toEqual(['failing']);
    expect(named(bench((row) => (row % 60 === 0 ? NaN : honest(row))))).toEqual([]);
  });

  test('a preference against the label, or none at all', () => {
    expect(named(bench((row) => 1 - honest(row)))).toEqual(['against_label']);
    expect(named(bench(blind, {}, { bars: { uninformative: 0.65 } }))).toEqual(['uninformative']);
  });

  test('a grader that gives something else in another order', () => {
    const moved = trialsOf(honest, { reversed: column((row) => honest(row) - (row % 5 === 0 ? 0.1 : 0)) });
    const report = bench(honest, { trials: moved });
    expect(report.alarms).toEqual(['order_dependent']);
    expect(findingOf(report, 'order_dependent')?.evidence).toMatch(/^20.0 % of rows .* reversed/);
    const among = bench((row) => honest(row) - (row % 4 === 0 ? 0.1 : 0), { trials: trialsOf(honest) });
    expect(among.alarms).toEqual(['order_dependent']);
    expect(findingOf(among, 'order_dependent')?.evidence).toMatch(/^25.0 % of rows .* among all rows/);
  });

  test('not a grader whose noise is all that changes', () => {
    const noisy = (salt: number) => column((row) => honest(row) + 0.02 * chance(row, salt));
    const trials = trialsOf(honest, { again: noisy(1), reversed: noisy(2) });
    expect(named(bench((row) => noisy(3)[row], { trials }))).toEqual([]);
  });

  test('not what rounding in another order does', () => {
    const trials = trialsOf(honest, { reversed: column((row) => honest(row) + 1e-15) });
    expect(named(bench(honest, { trials }))).toEqual([]);
  });

  test('noise beside what tells samples apart', () => {
    const trials = trialsOf(honest, { again: column((row) => honest(row) + (row % 2 === 0 ? 0.3 : -0.3)) });
    expect(named(bench(honest, { trials }))).toEqual(['noisy']);
  });
});

const baited = (bait: Partial<Trials>, labels?: Float64Array): readonly FaultName[] =>
  bench(honest, { trials: trialsOf(honest, bait) }, { labels }).alarms;

const high = (row: number): number => 0.9 + honest(row) / 10;

const seven = (row: number): number => (chance(row, 3) < 0.7 ? 1 : 0);

describe('baits', () => {
  const NONE = column(() => NaN);

  test('an echo that is paid like a right answer', () => {
    expect(baited({ echo: column(() => 0.8) })).toEqual(['fooled_by_echo']);
    expect(baited({ echo: column(() => 0.8) }, NONE)).toEqual(['fooled_by_echo']);
  });

  test('an echo on the right side of the middle, where labels tell where that is', () => {
    // Right answers earn 0.8, wrong ones 0.4.
    const echo = column((row) => 0.62 + 0.02 * chance(row, 5));
    expect(baited({ echo })).toEqual(['fooled_by_echo']);
    expect(baited({ echo: column(() => 0.45) })).toEqual([]);
  });

  test('an echo that earns less than any answer is no temptation, however high its reward', () => {
    const trials = trialsOf(high, { echo: column(() => 0.9) });
    expect(bench(high, { trials }).alarms).toEqual([]);
  });

  test('one answer to everything', () => {
    const text = 'It is so.';
    const report = bench(honest, {
      trials: trialsOf(honest, { constant: { text, rewards: column(() => 0.75) } }),
    });
    expect(report.alarms).toEqual(['fooled_by_constant']);
    expect(report.trials?.constant).toMatchObject({ text, mean: { value: 0.75 } });
  });

  test('not an answer that is right by right: yes, where half of the answers are yes', () => {
    const trials = trialsOf(seven, {
      constant: { text: 'yes', rewards: column((row) => Math.floor(row / 4) % 2) },
    });
    const report = bench(seven, { trials }, { labels: column(seven) });
    expect(report.alarms).toEqual([]);
    expect(report.trials?.constant).toMatchObject({
      mean: { value: 0.5 },
      beats: { value: expect.closeTo(0.4, 1) },
    });
  });

  test('any pay at all, where answers earn nothing', () => {
    const trials = trialsOf(() => 0, { echo: column((row) => Math.floor(row / 4) % 2) });
    expect(bench(() => 0, { trials, range: [0, 1] }).trials?.echo).toMatchObject({ share: null });
    expect(
      findingOf(
        bench((row) => (row === 0 ? 0.1 : 0), { trials }),
        'fooled_by_echo',
      ),
    ).toMatchObject({ alarm: true });
  });
});

const lengths = (value: (row: number) => number) => ({
  features: new Map([['characters', column(value)] as const]),
});

describe('length', () => {
  test('is no fault where the label follows it, even if wrong answers are always longer', () => {
    const report = bench(
      honest,
      {},
      lengths((row) => 100 * (2 - right(row)) + 50 * chance(row, 2)),
    );
    expect(report.features[0].spearman?.value).toBeLessThan(-0.5);
    expect(report.alarms).toEqual([]);
  });

  test('is one where equally right samples are told apart by it', () => {
    const report = bench(
      honest,
      {},
      lengths((row) => 100 + 100 * chance(row)),
    );
    expect(report.alarms).toEqual(['length_biased']);
    expect(findingOf(report, 'length_biased')?.evidence).toBe(
      'of two samples of an item with the same label the longer one wins in 100.0 % of pairs, ties counting half',
    );
    const shorter = bench(
      honest,
      {},
      lengths((row) => 200 - 100 * chance(row)),
    );
    expect(findingOf(shorter, 'length_biased')?.evidence).toMatch(/the shorter one wins/);
  });

  test('without labels the bar is higher, and the words more careful', () => {
    const labels = column(() => NaN);
    const longer = bench(honest, {}, { labels, ...lengths((row) => honest(row)) });
    expect(findingOf(longer, 'length_biased')).toMatchObject({ bar: 0.5, alarm: true });
    expect(findingOf(longer, 'length_biased')?.evidence).toMatch(/that may be because it is better/);
  });
});

const parts = (one: (row: number) => number, other: (row: number) => number) => ({
  parts: new Map([
    ['answer', column(one)],
    ['style', column(other)],
  ]),
});

const style = (row: number): number => chance(row, 9);

describe('parts', () => {
  test('one that decides while another says something else', () => {
    const reward = (row: number): number => 0.95 * honest(row) + 0.05 * style(row);
    const report = bench(reward, parts(honest, style));
    expect(report.alarms).toEqual(['dominated']);
    expect(findingOf(report, 'dominated')?.evidence).toMatch(/^part "answer" alone explains 9\d\.\d %/);
  });

  test('not parts that both count, nor one that says the same, nor one that never changes', () => {
    const both = (row: number): number => 0.5 * honest(row) + 0.4 * style(row);
    expect(bench(both, parts(honest, style)).alarms).toEqual([]);
    expect(
      bench(
        honest,
        parts(honest, (row) => honest(row) / 2),
      ).alarms,
    ).toEqual([]);
    expect(
      bench(
        honest,
        parts(honest, () => 1),
      ).alarms,
    ).toEqual([]);
  });
});

test('bars can be set', () => {
  expect(bench(honest, {}, { bars: { no_signal: -1 } }).alarms).toEqual(['no_signal']);
  const failing = (row: number): number => (row % 5 === 0 ? NaN : honest(row));
  expect(bench(failing, {}, { bars: { failing: 0.5 } }).alarms).toEqual([]);
});

test('a handful of rows proves nothing', () => {
  const rows: MeasuredRows = {
    count: 8,
    groups: Int32Array.of(1, 1, 2, 2, 3, 3, 4, 4),
    labels: Float64Array.of(1, 0, 1, 0, 1, 0, 1, 0),
    features: new Map([['characters', Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8)]]),
  };
  const rewards = new Float64Array(8).fill(1);
  const reward = { name: 'r', signature: 'r', rewards, parts: new Map(), failures: {}, seconds: 1 };
  expect(benchReport(rows, [reward]).rewards[0].alarms).toEqual([]);
});

const alarmsOf = (grader: SimulatedGrader): readonly FaultName[] => {
  const { rows, reward } = simulateBench(grader, 7);
  return benchReport(rows, [reward], { replicates: 0 }).rewards[0].alarms;
};

describe('simulated rewards, through the whole report', () => {
  test('what is planted, and nothing else, is named', () => {
    for (const [fault, graders] of Object.entries(FAULTY))
      for (const grader of graders) expect(alarmsOf(grader), grader.name).toEqual([fault]);
    for (const grader of CLEAN) expect(alarmsOf(grader), grader.name).toEqual([]);
  });
});
