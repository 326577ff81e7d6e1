import { describe, expect, test } from 'vitest';
import type { MeasuredReward, MeasuredRows } from '../../src/bench/measured.js';
import { benchReport } from '../../src/bench/report.js';
import { rocArea, spearman } from '../../src/stats/ranking.js';
import { CLEAN, simulateBench } from './simulated-rewards.js';

const column = (values: readonly number[]): Float64Array => Float64Array.from(values);

const reward = (
  name: string,
  rewards: readonly number[],
  more: Partial<MeasuredReward> = {},
): MeasuredReward => ({
  name,
  signature: name,
  rewards: column(rewards),
  parts: new Map(),
  failures: {},
  seconds: 2,
  ...more,
});

const rowsOf = (groups: readonly number[], labels?: readonly number[]): MeasuredRows => ({
  count: groups.length,
  groups: Int32Array.from(groups),
  labels: labels && column(labels),
  features: new Map(),
});

/** 30 items of four samples: two of each are right, and the reward likes the sample's number a little. */
const ITEMS = 30;
const ROWS = ITEMS * 4;
const items = Array.from({ length: ROWS }, (_, row) => Math.floor(row / 4));
const labels = Array.from({ length: ROWS }, (_, row) => (row + Math.floor(row / 4)) % 2);
const good = Array.from({ length: ROWS }, (_, row) => labels[row] + ((row * 7) % 11) / 10);
const poor = Array.from({ length: ROWS }, (_, row) => ((row * 5) % 13) / 13);

describe('what is said of a reward', () => {
  test('its distribution, with quartiles as numpy has them', () => {
    const report = benchReport(rowsOf([1, 1, 2, 2]), [reward('r', [0, 1, 1, 3], { range: [0, 4] })]);
    const { distribution } = report.rewards[0];
    expect(distribution).toMatchObject({
      mean: { value: 1.25, clusters: 2 },
      min: 0,
      lower_quartile: 0.75,
      median: 1,
      upper_quartile: 1.5,
      max: 3,
      floor: { at: 0, by_configuration: true, share: { value: 0.25 } },
      ceiling: { at: 4, share: { value: 0 } },
      commonest: { at: 1, share: { value: 0.5 } },
      distinct: 3,
      outside: { range: [0, 4], rows: 0 },
    });
    expect(distribution?.standard_deviation).toBeCloseTo(Math.sqrt(19 / 12), 12);
  });

  test('the spread within groups, also of those whose labels differ', () => {
    const rows = rowsOf([1, 1, 2, 2, 3, 3, 4], [1, 0, 1, 0, 1, 1, 1]);
    const { groups } = benchReport(rows, [reward('r', [1, 1, 1, 0, 0, 0, 1])]).rewards[0];
    expect(groups).toMatchObject({
      compared: 3,
      flat_share: { value: 2 / 3, method: 'wilson', clusters: 3 },
      flat_share_of_mixed: { value: 0.5, clusters: 2 },
    });
  });

  test('how it follows labels: numbers of the whole, intervals from resamples', () => {
    const report = benchReport(rowsOf(items, labels), [reward('good', good)]);
    const found = report.rewards[0].labels;
    const groups = Int32Array.from(items);
    const area = rocArea(column(good), Uint8Array.from(labels), groups);
    expect(found).toMatchObject({
      rows: ROWS,
      auc: { value: area?.value, standard_error: area?.standardError, method: 'bootstrap', clusters: ITEMS },
      spearman: { value: spearman(column(good), column(labels), groups)?.value, method: 'bootstrap' },
      kendall: { method: 'clusters' },
      pairwise_accuracy: { method: 'bootstrap', pairs: 4 * ITEMS, groups: ITEMS },
    });
    expect(found?.best_of_n.map(({ n, items: of }) => [n, of])).toEqual([
      [2, ITEMS],
      [4, ITEMS],
    ]);
    expect(found?.best_of_n[1]).toMatchObject({ oracle: { value: 1 }, random: { value: 0.5 } });
    expect(report.labels).toMatchObject({ kind: 'binary', rows: ROWS, missing: 0, mixed_groups: ITEMS });
    expect(report.labels?.pass.map(({ k, any, all }) => [k, any.value, all.value])).toEqual([
      [1, 0.5, 0.5],
      [2, expect.closeTo(5 / 6, 12), expect.closeTo(1 / 6, 12)],
      [4, 1, 0],
    ]);
  });

  test('rank correlation and pairs, but no AUC, where labels have several values', () => {
    const grades = labels.map((label, row) => 2 * label + (row % 3));
    const report = benchReport(rowsOf(items, grades), [reward('good', good)]);
    expect(report.labels).toMatchObject({ kind: 'numeric', least: 0, greatest: 4, pass: [] });
    expect(report.rewards[0].labels).toMatchObject({ auc: null, spearman: { method: 'bootstrap' } });
    expect(report.rewards[0].labels?.best_of_n[0].oracle.value).toBeGreaterThan(2);
  });

  test('failed rows and rows without a label are in no statistic', () => {
    const holes = labels.map((label, row) => (row % 10 === 0 ? NaN : label));
    const withFailures = good.map((each, row) => (row % 6 === 0 ? NaN : each));
    const kept = good.flatMap((_, row) => (row % 10 === 0 || row % 6 === 0 ? [] : [row]));
    const report = benchReport(rowsOf(items, holes), [
      reward('r', withFailures, { failures: { python_grader_runtime_error: 20 } }),
    ]);
    expect(report.labels).toMatchObject({ rows: 108, missing: 12 });
    expect(report.rewards[0]).toMatchObject({ scored: 100, failed: 20, failed_share: { value: 1 / 6 } });
    const area = rocArea(
      Float64Array.from(kept, (row) => good[row]),
      Uint8Array.from(kept, (row) => labels[row]),
    );
    expect(report.rewards[0].labels?.rows).toBe(kept.length);
    expect(report.rewards[0].labels?.auc?.value).toBeCloseTo(area?.value ?? NaN, 12);
    expect(report.rewards[0].alarms).toContain('failing');
  });

  test('how parts make it up, what it took, and tokens of a thousand rows', () => {
    const parts = new Map([
      ['good', column(good)],
      ['poor', column(poor)],
      ['same', column(good.map(() => 1))],
    ]);
    const mixed = good.map((each, row) => (each + poor[row]) / 2);
    const models = {
      requests: 10,
      replies: 10,
      cached: 2,
      shared: 0,
      prompt_tokens: 500,
      completion_tokens: 100,
      total_tokens: 600,
      cached_tokens: 0,
      reasoning_tokens: 0,
      cost: 0.06,
    };
    const { parts: found, speed } = benchReport(rowsOf(items), [reward('r', mixed, { parts, models })])
      .rewards[0];
    const [first, second, third] = found;
    expect(first).toMatchObject({ name: 'good', rows: ROWS, correlation_with_strongest: null });
    expect(first.explained).toBeCloseTo((first.correlation?.value ?? NaN) ** 2, 12);
    expect(second.correlation_with_strongest).not.toBeNull();
    expect(third).toMatchObject({ mean: 1, standard_deviation: 0, correlation: null, explained: null });
    expect(speed).toEqual({
      seconds: 2,
      rows_per_second: 60,
      models: {
        requests: 10,
        cached: 2,
        total_tokens: 600,
        tokens_per_1000_rows: 5_000,
        cost: 0.06,
        cost_per_1000_rows: 0.5,
      },
    });
  });

  test('says in words where few groups bear a number, and where nothing can be told', () => {
    const few = benchReport(rowsOf(items.slice(0, 24), labels.slice(0, 24)), [
      reward('r', poor.slice(0, 24)),
    ]);
    expect(few.rewards[0].labels?.auc?.caution).toMatch(/few clusters/);
    const perfect = benchReport(rowsOf(items, labels), [reward('r', labels)]).rewards[0].labels;
    expect(perfect?.auc).toMatchObject({
      value: 1,
      interval: null,
      caution: expect.stringMatching(/all clusters say/),
    });
    expect(perfect?.pairwise_accuracy).toMatchObject({ value: 1, method: 'wilson', caution: null });
  });

  test('rows that a used-up budget has left are no failures', () => {
    const rewards = poor.map((each, row) => (row < 40 && row !== 3 ? each : NaN));
    const stopped = reward('r', rewards, { graded: 40, failures: { row_error: 1 } });
    const [found] = benchReport(rowsOf(items), [stopped]).rewards;
    expect(found).toMatchObject({ rows: 40, scored: 39, failed: 1, failed_share: { value: 1 / 40 } });
    expect(found.speed.rows_per_second).toBe(20);
  });

  test('labels that are all the same are as good as none', () => {
    const { labels: known, rewards } = benchReport(
      rowsOf(
        items,
        labels.map(() => 1),
      ),
      [reward('r', good)],
    );
    expect(known?.kind).toBe('one_value');
    expect(rewards[0]).toMatchObject({
      labels: null,
      verdict: { sentence: expect.stringMatching(/without labels of right and wrong answers/) },
    });
  });

  test('nothing where there is nothing', () => {
    const report = benchReport(rowsOf([]), [reward('r', [])]);
    expect(report).toMatchObject({ rows: 0, groups: 0, labels: null, ranking: null });
    const failed = benchReport(rowsOf([1, 1, 2], [NaN, NaN, NaN]), [reward('r', [NaN, NaN, NaN])]);
    expect(failed.rewards[0]).toMatchObject({ scored: 0, distribution: null, groups: null, labels: null });
  });

  test('rows on their own are no groups', () => {
    const { rewards, compared_groups: compared } = benchReport(rowsOf([...good.keys()], labels), [
      reward('r', good),
    ]);
    expect(compared).toBe(0);
    expect(rewards[0]).toMatchObject({ groups: null, labels: { pairwise_accuracy: null, best_of_n: [] } });
    expect(rewards[0].verdict.fit_for).not.toContain('group_training');
  });
});

describe('features', () => {
  const length = column(good.map((_, row) => (row * 37) % 53));
  const relation = (rows: MeasuredRows) =>
    benchReport({ ...rows, features: new Map([['characters', length]]) }, [reward('r', good)]).rewards[0]
      .features[0];

  test('hold equal what is known', () => {
    const alone = Array.from(good.keys());
    expect(relation(rowsOf(items, labels)).conditional?.basis).toBe('group_and_label');
    expect(relation(rowsOf(items)).conditional?.basis).toBe('group');
    expect(relation(rowsOf(alone, labels)).conditional?.basis).toBe('label');
    expect(relation(rowsOf(alone)).conditional?.basis).toBe('rows');
  });

  test('many different labels are held equal in tenths', () => {
    const { conditional } = relation(
      rowsOf(
        alone(),
        good.map((_, row) => row / 7),
      ),
    );
    expect(conditional?.basis).toBe('label');
  });

  test('rows without the feature are left out', () => {
    const column = length.map((each, row) => (row % 4 === 0 ? NaN : each));
    const rows = { ...rowsOf(items, labels), features: new Map([['digits', column] as const]) };
    expect(benchReport(rows, [reward('r', good)]).rewards[0].features[0].rows).toBe(90);
  });
});

const alone = (): number[] => [...good.keys()];

describe('a ranking', () => {
  test('puts the better reward first, by pairs within items, and says what cannot be told apart', () => {
    const rows = rowsOf(items, labels);
    const nearly = good.map((each, row) => each + (row === 0 ? 0.05 : 0));
    const { ranking } = benchReport(rows, [
      reward('poor', poor),
      reward('nearly', nearly),
      reward('good', good),
    ]);
    expect(ranking).toMatchObject({ measure: 'pairwise_accuracy', rows: ROWS, unranked: [] });
    expect(ranking?.places.map(({ name, rank }) => [name, rank])).toEqual(
      expect.arrayContaining([
        ['good', 1],
        ['nearly', 1],
        ['poor', 3],
      ]),
    );
    expect(ranking?.places[2]).toMatchObject({ name: 'poor', not_told_apart_from: [] });
    const between = ranking?.comparisons.find(({ a, b }) => a === 'good' && b === 'poor');
    expect(between).toMatchObject({ better: 'a', difference: { method: 'bootstrap' } });
    expect(between?.auc_difference?.value).toBeGreaterThan(0);
  });

  test('is by AUC or by rank correlation where items have single samples', () => {
    const both = [reward('good', good), reward('poor', poor)];
    expect(benchReport(rowsOf(alone(), labels), both).ranking?.measure).toBe('auc');
    expect(benchReport(rowsOf(alone(), good), both).ranking).toMatchObject({
      measure: 'spearman',
      places: [
        { name: 'good', rank: 1, value: expect.closeTo(1, 12) },
        { name: 'poor', rank: 2 },
      ],
    });
  });

  test('is of the rows that all scored, without rewards that scored few', () => {
    const some = good.map((each, row) => (row % 4 === 0 ? NaN : each));
    const few = good.map((each, row) => (row % 4 === 0 ? each : NaN));
    const { ranking } = benchReport(rowsOf(items, labels), [
      reward('good', good),
      reward('some', some),
      reward('few', few),
    ]);
    expect(ranking).toMatchObject({ rows: 90, unranked: ['few'] });
    // On the same rows they are the same.
    expect(ranking?.comparisons[0]).toMatchObject({ difference: { value: 0 }, better: 'not_told_apart' });
  });

  test('there is none of one reward, or without labels that differ', () => {
    expect(benchReport(rowsOf(items, labels), [reward('good', good)]).ranking).toBeNull();
    const both = [reward('good', good), reward('poor', poor)];
    expect(benchReport(rowsOf(items), both).ranking).toBeNull();
    expect(
      benchReport(
        rowsOf(
          items,
          labels.map(() => 1),
        ),
        both,
      ).ranking,
    ).toBeNull();
  });
});

describe('the report as a whole', () => {
  const { rows, reward: simulated } = simulateBench(CLEAN[4], 3);

  test('is the same every time, and is JSON', () => {
    const [first, second] = [benchReport(rows, [simulated]), benchReport(rows, [simulated])];
    expect(JSON.stringify(second)).toBe(JSON.stringify(first));
    expect(JSON.parse(JSON.stringify(first))).toEqual(first);
  });

  test('has as many resamples as asked for; without any, intervals are from what groups add', () => {
    const { bootstrap, rewards } = benchReport(rows, [simulated], { replicates: 0 });
    expect(bootstrap.replicates).toBe(0);
    expect(rewards[0].labels?.auc).toMatchObject({
      method: 'clusters',
      interval: [expect.any(Number), expect.any(Number)],
    });
  });

  test('numbers groups in any way', () => {
    const groups = rows.groups.map((group) => 1_000_003 - 17 * group);
    expect(benchReport({ ...rows, groups }, [simulated])).toEqual(benchReport(rows, [simulated]));
  });
});
