import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { compareScores, type CompareOptions, type Comparison } from '../../src/results/compare.js';
import { KeyNumbers } from '../../src/results/key-numbers.js';

const folder = await mkdtemp(join(tmpdir(), 'assay-compare-'));

type Line = Readonly<Record<string, unknown>>;

let files = 0;
const write = async (
  lines: readonly Line[] | string,
  name = `scores-${(files += 1)}.jsonl`,
): Promise<string> => {
  const path = join(folder, name);
  const content =
    typeof lines === 'string' ? lines : lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  await writeFile(path, content);
  return path;
};

const compare = async (
  a: readonly Line[] | string,
  b: readonly Line[] | string,
  options?: CompareOptions,
): Promise<Comparison> => compareScores(await write(a), await write(b), options);

const scored = (row: number, reward: number, extra: Line = {}): Line => ({
  row,
  ...extra,
  status: 'scored',
  reward,
});
const failed = (row: number, extra: Line = {}): Line => ({
  row,
  ...extra,
  status: 'failed',
  code: 'row_error',
  message: 'broken',
});
const rewards = (values: readonly number[]): Line[] => values.map((value, row) => scored(row, value));
const rising = (count: number): number[] => Array.from({ length: count }, (_, index) => index / count);

const numberedLine = (row: number, id: string) =>
  `{"row":${row},"id":${id},"status":"scored","reward":${row}}\n`;

const withIds = (names: readonly string[]) => names.map((id, row) => scored(row, row, { id }));

const twoSamples = (shift: number) =>
  [0, 1, 2, 3].map((index) =>
    scored(Math.floor(index / 2), index + shift * (index % 2), { sample: index % 2 }),
  );

const multi = (row: number, exact: number, close: number): Line =>
  scored(row, (exact + close) / 2, {
    passed: exact + close > 1,
    sub_rewards: { exact, close },
  });

const failedWithMember = (row: number) => ({ ...failed(row), sub_rewards: { exact: row % 2 } });

const withCriteria = (row: number, names: readonly string[]): Line =>
  scored(row, 1, {
    results: names.map((name, index) => ({ name, status: 'scored', reward: name === 'x' ? 1 : index })),
  });

const record = (over: Line = {}): string =>
  JSON.stringify({
    format: 1,
    status: 'complete',
    grader: { name: 'g', type: 'string_check', signature: 'string_check:eq', sha256: 'aa' },
    dataset: { path: 'rows.jsonl', bytes: 9, files: [{ path: 'rows.jsonl', bytes: 9, crc32: '00' }] },
    options: {},
    journal: { bytes: 0, warnings: [] },
    ...over,
  });

const compareWith = async (recordA: string, recordB: string, lines = rewards([1])) => {
  const [a, b] = [await write(lines), await write(lines)];
  await writeFile(`${a}.run.json`, recordA);
  await writeFile(`${b}.run.json`, recordB);
  return compareScores(a, b);
};

describe('which rows are pairs', () => {
  test('the same row number', async () => {
    const { pairing, reward, a, b } = await compare(
      [scored(0, 1), scored(2, 0.5), scored(3, 0)],
      [scored(0, 0), scored(1, 0), scored(3, 1)],
    );
    expect(pairing).toMatchObject({ by: 'row', matched: 2, pairs: 2, clusters: null });
    expect(reward).toMatchObject({ mean_a: 0.5, mean_b: 0.5, difference: 0 });
    expect([a.unpaired, b.unpaired]).toEqual([1, 1]);
  });

  test('the same id, whatever the order', async () => {
    const ids = ['x', 'y', 'z'];
    const forth = ids.map((id, row) => scored(row, row, { id }));
    const back = ids.toReversed().map((id, row) => scored(row, 2 - row, { id }));
    const { pairing, verdict, reward } = await compare(forth, back);
    expect(pairing).toMatchObject({ by: 'id', matched: 3 });
    expect(reward).toMatchObject({ same: 3, difference: 0 });
    expect(verdict).toBe('too_few');
  });

  test('ids that differ only in how they are written are the same', async () => {
    const { pairing } = await compare(
      '{"row":0,"id":"\\u00fc\\"","status":"scored","reward":1}\n',
      '{"row":7,"id":"ü\\"","status":"scored","reward":1}\n',
    );
    expect(pairing).toMatchObject({ by: 'id', matched: 1 });
  });

  test('ids too large for JavaScript are told apart', async () => {
    const text = numberedLine(0, '12345678901234567890') + numberedLine(1, '12345678901234567891');
    const { pairing, improvements } = await compare(text, text.replaceAll('"reward":0', '"reward":0.5'));
    expect(pairing).toMatchObject({ by: 'id', matched: 2 });
    expect(improvements.rows[0].id).toBe('12345678901234567890');
  });

  test('by row when an id is missing or comes twice; twice the same id is a cluster', async () => {
    const twice = ['x', 'x', 'y', 'z'].map((id, row) => scored(row, row, { id }));
    expect((await compare(twice, twice)).pairing).toMatchObject({
      by: 'row',
      matched: 4,
      clustered_by: 'id',
      clusters: 3,
    });
    const missing = [scored(0, 1, { id: 'x' }), scored(1, 1, { id: null })];
    expect((await compare(missing, missing)).pairing).toMatchObject({ by: 'row', clusters: null });
    const without = await compare(twice, rewards([0, 1, 2, 3]));
    expect(without.pairing).toMatchObject({ by: 'row', matched: 4 });
  });

  test('paired by row with other ids: a warning', async () => {
    const { warnings } = await compare(withIds(['x', 'x', 'y']), withIds(['x', 'y', 'x']));
    expect(warnings).toEqual([expect.stringContaining('2 of 3 rows were paired by their number although')]);
  });

  test('samples of a row are pairs of their own in one cluster', async () => {
    expect((await compare(twoSamples(0), twoSamples(1))).pairing).toMatchObject({
      by: 'row',
      matched: 4,
      clustered_by: 'row',
      clusters: 2,
    });
  });

  test('samples of a row with an id', async () => {
    const samples = [0, 1, 2, 3].map((index) =>
      scored(Math.floor(index / 2), index, { id: `item-${Math.floor(index / 2)}`, sample: index % 2 }),
    );
    expect((await compare(samples, samples)).pairing).toMatchObject({
      by: 'id',
      matched: 4,
      clustered_by: 'id',
      clusters: 2,
    });
  });

  test('a group makes clusters', async () => {
    const grouped = rising(8).map((reward, row) => scored(row, reward, { input: { user: row % 3 } }));
    const { pairing } = await compare(grouped, grouped, { group: ['input', 'user'] });
    expect(pairing).toMatchObject({ clustered_by: 'group', clusters: 3 });
    await expect(compare(rewards([1]), rewards([1]), { group: ['input'] })).rejects.toThrow(
      /:1: no value at the path of --group; was it graded with --keep\?/,
    );
  });

  test('the groups of a run are clusters without being asked for', async () => {
    const grouped = rising(8).map((reward, row) => scored(row, reward, { group: `item-${row % 3}` }));
    expect((await compare(grouped, grouped)).pairing).toMatchObject({ clustered_by: 'group', clusters: 3 });
  });

  test('a row whose group is null stands alone', async () => {
    const grouped = rising(4).map((reward, row) => scored(row, reward, { group: row < 2 ? null : 'b' }));
    expect((await compare(grouped, grouped)).pairing).toMatchObject({ clusters: 3 });
  });

  test('shuffled rows are found; a row that is there twice is refused', async () => {
    const forth = rewards(rising(50));
    const shuffled = forth.toSorted(
      (x, y) => ((Number(x['row']) * 17) % 50) - ((Number(y['row']) * 17) % 50),
    );
    expect((await compare(forth, shuffled)).reward).toMatchObject({ pairs: 50, same: 50 });
    await expect(compare(forth, [...forth, scored(3, 1)])).rejects.toThrow(
      /:51: row 3 is there a second time; are these the results of one run\?/,
    );
  });

  test('nothing in common', async () => {
    await expect(compare([scored(0, 1)], [scored(1, 1)])).rejects.toThrow(/have no row number in common/);
    await expect(compare([scored(0, 1, { id: 'x' })], [scored(0, 1, { id: 'y' })])).rejects.toThrow(
      /have no id in common.*with the same --id/,
    );
    await expect(compare([scored(0, 1)], [])).rejects.toThrow(/has no rows/);
  });

  test('rewards without a difference that is a number', async () => {
    await expect(compare(rewards([-1.7e308, 1]), rewards([1.7e308, 1]))).rejects.toThrow(/too large/);
    const { reward } = await compare(rewards([1e200, 2, 3]), rewards([1, 1e200, 4]));
    expect(reward?.standard_error).toBeCloseTo(1e200 / Math.sqrt(3), -190);
  });

  propertyTest.prop([
    fc.uniqueArray(fc.nat(300), { maxLength: 60 }),
    fc.uniqueArray(fc.nat(300), { maxLength: 60 }),
    fc.boolean(),
    fc.boolean(),
  ])('any two sets of rows, in any order', async (rowsA, rowsB, sorted, ids) => {
    const common = rowsA.filter((row) => rowsB.includes(row)).length;
    const lines = (rows: readonly number[]) =>
      (sorted ? rows.toSorted((x, y) => x - y) : rows).map((row) =>
        scored(row, row, ids ? { id: `n${row}` } : {}),
      );
    const comparing = compare(lines(rowsA), lines(rowsB));
    if (common === 0) {
      await expect(comparing).rejects.toThrow(/in common|has no rows/);
      return;
    }
    const { pairing, reward, a, b } = await comparing;
    expect(pairing).toMatchObject({ by: ids ? 'id' : 'row', matched: common });
    expect(reward).toMatchObject({ pairs: common, same: common, difference: 0 });
    expect([a.unpaired, b.unpaired]).toEqual([rowsA.length - common, rowsB.length - common]);
  });
});

describe('failed rows', () => {
  test('are no zeros, and are counted', async () => {
    const a = [...rewards([1, 1, 1]), failed(3), failed(4)];
    const b = [scored(0, 1), scored(1, 0.5), failed(2), scored(3, 1), failed(4)];
    const { reward, failures, conclusion } = await compare(a, b);
    expect(reward).toMatchObject({ pairs: 2, mean_a: 1, mean_b: 0.75, difference: -0.25 });
    expect(failures).toMatchObject({
      rate_a: 0.4,
      rate_b: 0.4,
      difference: 0,
      only_a_failed: 1,
      only_b_failed: 1,
      test: 'mcnemar',
      p: 1,
    });
    expect(failures?.interval).toHaveLength(2);
    expect(conclusion).toContain(
      'B failed on 1 row that A scored, A on 1 that B scored: they are in no mean.',
    );
  });

  test('without any there is nothing to say of them', async () => {
    expect((await compare(rewards([1]), rewards([1]))).failures).toBeNull();
  });

  test('nothing scored in both', async () => {
    const { verdict, reward, conclusion } = await compare(
      [failed(0), scored(1, 1)],
      [scored(0, 1), failed(1)],
    );
    expect(verdict).toBe('nothing_scored');
    expect(reward).toBeNull();
    expect(conclusion).toMatch(/^Nothing to compare: no row was scored in both runs\./);
  });
});

describe('what is said', () => {
  test('better, in the reward and by the test', async () => {
    const { verdict, conclusion, reward } = await compare(
      rewards(rising(60)),
      rewards(rising(60).map((value, index) => value + 0.1 + (index % 7) / 50)),
    );
    expect(verdict).toBe('better');
    expect(conclusion).toMatch(
      /^B is better: \+0\.158\d? on average \(95 % interval \+0\.1\d+ to \+0\.1\d+, n = 60 pairs, p < 0\.0001\)\.$/,
    );
    expect(reward).toMatchObject({ test: 'wilcoxon_signed_rank', interval_method: 'studentised_bootstrap' });
  });

  test('worse', async () => {
    const { verdict, conclusion } = await compare(
      rewards(Array.from({ length: 30 }, () => 1)),
      rewards(Array.from({ length: 30 }, (_, index) => (index % 2 === 0 ? 1 : 0))),
    );
    expect(verdict).toBe('worse');
    expect(conclusion).toMatch(/^B is worse: −0\.50 on average/);
  });

  test('no difference, and which would have been seen', async () => {
    const { verdict, conclusion, reward } = await compare(
      rewards(rising(40)),
      rewards(rising(40).map((value, index) => value + (index % 2 === 0 ? 0.1 : -0.1))),
    );
    expect(verdict).toBe('no_difference_found');
    expect(conclusion).toMatch(/This comparison would show a difference of about 0\.04\d or more\.$/);
    expect(reward?.detectable_difference).toBeCloseTo(0.0459, 3);
  });

  test('the same everywhere; only rounding apart is the same', async () => {
    const { verdict, conclusion, reward } = await compare(
      rewards(Array.from({ length: 12 }, () => 0.1 + 0.2)),
      rewards(Array.from({ length: 12 }, () => 0.3)),
    );
    expect(verdict).toBe('identical');
    expect(conclusion).toBe('No difference: the reward is the same in all 12 pairs.');
    expect(reward?.interval).toBeNull();
  });

  test('too few pairs, and too few clusters', async () => {
    const few = await compare(rewards(rising(5)), rewards(rising(5).map((value) => value + 1)));
    expect(few.verdict).toBe('too_few');
    expect(few.conclusion).toMatch(
      /^Too few pairs to say anything: \+1\.0 on average, n = 5 pairs, expected at least 6\.$/,
    );
    const samples = (shift: number) =>
      rising(40).map((value, index) =>
        scored(index % 4, value + shift * (index % 3), { sample: Math.floor(index / 4) }),
      );
    const clustered = await compare(
      samples(0).toSorted((x, y) => Number(x['row']) - Number(y['row'])),
      samples(1),
    );
    expect(clustered.conclusion).toMatch(/^Too few clusters of pairs .* n = 40 pairs in 4 clusters/);
  });

  test('interval and test that disagree are unclear', async () => {
    // Many small gains and few large losses: the ranks say better, the mean does not.
    const { verdict, conclusion } = await compare(
      rewards(Array.from({ length: 60 }, () => 0.5)),
      rewards(Array.from({ length: 60 }, (_, index) => (index % 10 === 0 ? 0 : 0.55 + index / 10_000))),
    );
    expect(verdict).toBe('unclear');
    expect(conclusion).toContain('The interval and the test disagree');
  });

  test('mostly ties, and rows of one run only', async () => {
    const { conclusion } = await compare(
      rewards(Array.from({ length: 51 }, () => 0.5)),
      rewards(Array.from({ length: 50 }, (_, index) => (index < 12 ? 0.5 + index / 100 : 0.5))),
    );
    expect(conclusion).toContain('39 of the 50 pairs are the same.');
    expect(conclusion).toContain("Rows of one run only are left out: 1 of A's, 0 of B's.");
  });
});

describe('members, criteria and passes', () => {
  test('members have a line each, with p values for their number', async () => {
    const a = rising(40).map((value, row) => multi(row, row % 2, value));
    const b = rising(40).map((value, row) => multi(row, row % 3 === 0 ? 1 : row % 2, value + row / 1000));
    const { sub_rewards = {}, pass, reward } = await compare(a, b);
    expect(Object.keys(sub_rewards)).toEqual(['exact', 'close']);
    expect(sub_rewards['exact']).toMatchObject({ binary: true, test: 'mcnemar', pairs: 40 });
    const [exact, close] = [sub_rewards['exact'], sub_rewards['close']];
    expect(close.p_adjusted).toBeCloseTo(Math.min(1, close.p * 2), 12);
    expect(exact.p_adjusted).toBe(exact.p);
    expect(pass).toMatchObject({ binary: true, pairs: 40 });
    expect(reward?.p_adjusted).toBeUndefined();
  });

  test('a pass that is the reward is not told twice', async () => {
    const lines = [0, 1, 1].map((reward, row) => scored(row, reward, { passed: reward === 1 }));
    expect((await compare(lines, lines)).pass).toBeUndefined();
  });

  test('members of failed rows are compared all the same', async () => {
    const { reward, sub_rewards } = await compare(
      [failedWithMember(0), failedWithMember(1)],
      [failedWithMember(0), failedWithMember(1)],
    );
    expect(reward).toBeNull();
    expect(sub_rewards?.['exact'].pairs).toBe(2);
  });

  test('criteria by name, also in another order', async () => {
    const { criteria = {} } = await compare(
      [withCriteria(0, ['x', 'y'])],
      [withCriteria(0, ['y', 'x', 'new'])],
    );
    expect(Object.keys(criteria)).toEqual(['x', 'y']);
    expect(criteria['x'].difference).toBe(0);
    expect(criteria['y'].difference).toBe(-1);
  });

  test('a member called __proto__ is a member like any other', async () => {
    const text = '{"row":0,"status":"scored","reward":1,"sub_rewards":{"__proto__":1,"toString":0}}\n';
    const { sub_rewards = {} } = await compare(text, text);
    expect(Object.keys(sub_rewards)).toEqual(['__proto__', 'toString']);
  });
});

describe('rows that changed', () => {
  test('the largest first, and how many there are', async () => {
    const { regressions, improvements } = await compare(
      rewards([0.5, 0.5, 0.5, 0.5, 0.5, 0.5]),
      rewards([0.4, 0.1, 0.5, 0.1, 0.9, 0.6]),
      { top: 2 },
    );
    expect(regressions).toEqual({
      count: 3,
      rows: [
        { row: 1, a: 0.5, b: 0.1, difference: -0.4 },
        { row: 3, a: 0.5, b: 0.1, difference: -0.4 },
      ],
    });
    expect(improvements.count).toBe(2);
    expect(improvements.rows.map(({ row }) => row)).toEqual([4, 5]);
  });

  test('none are listed with top 0', async () => {
    const { regressions } = await compare(rewards([1, 1]), rewards([0, 0]), { top: 0 });
    expect(regressions).toEqual({ count: 2, rows: [] });
  });

  test('rows that stand elsewhere in B say where', async () => {
    const { regressions } = await compare([scored(0, 1, { id: 7 })], [scored(4, 0, { id: 7 })]);
    expect(regressions.rows).toEqual([{ row: 0, row_b: 4, id: 7, a: 1, b: 0, difference: -1 }]);
  });
});

describe('records beside the files', () => {
  test('equal ones say nothing', async () => {
    const { warnings, a } = await compareWith(record(), record());
    expect(warnings).toEqual([]);
    expect(a).toMatchObject({ grader: { signature: 'string_check:eq' }, dataset: 'rows.jsonl' });
  });

  test('other graders and datasets, and a run that has not ended', async () => {
    const other = record({
      status: 'interrupted',
      grader: { name: 'g', type: 'string_check', signature: 'string_check:ne', sha256: 'bb' },
      dataset: { path: 'b.jsonl', bytes: 9, files: [{ path: 'b.jsonl', bytes: 9, crc32: '01' }] },
    });
    const { warnings } = await compareWith(record(), other);
    expect(warnings).toEqual([
      expect.stringContaining('its run is not complete (interrupted)'),
      expect.stringContaining('the graders differ (string_check:eq and string_check:ne)'),
      expect.stringContaining('the datasets differ (rows.jsonl and b.jsonl)'),
    ]);
    const byId = await compareWith(record(), other, [scored(0, 1, { id: 'x' })]);
    expect(byId.warnings.some((warning) => warning.includes('datasets'))).toBe(false);
  });

  test.each(['broken', '{"format":99}', '{"format":1}'])('one that cannot be used: %s', async (text) => {
    const { warnings, a } = await compareWith(text, record());
    expect(warnings).toEqual([expect.stringContaining('.run.json is ')]);
    expect(a.grader).toBeNull();
  });

  test('a torn last line is told', async () => {
    const { warnings, reward } = await compare(
      '{"row":0,"status":"scored","reward":1}\n{"row":1,"sta',
      rewards([1, 1]),
    );
    expect(reward?.pairs).toBe(1);
    expect(warnings).toEqual([expect.stringMatching(/:2: the last line breaks off and is left out/)]);
  });

  test('results written as a table are read from the lines beside them', async () => {
    const table = join(folder, 'scores.csv');
    await write(rewards([1, 0]), 'scores.csv.jsonl');
    const { a, reward } = await compareScores(table, await write(rewards([1, 1])));
    expect(a.path).toBe(table);
    expect(reward?.difference).toBe(0.5);
    await expect(compareScores(join(folder, 'none.parquet'), table)).rejects.toThrow(
      /none\.parquet\.jsonl: there is no such results file/,
    );
  });
});

describe('numbers of texts', () => {
  test('equal texts have equal numbers, and only they', () => {
    const keys = new KeyNumbers();
    const texts = Array.from({ length: 20_000 }, (_, index) => `item-${index}`);
    expect(texts.map((text) => keys.numberOf(text))).toEqual(texts.map((_, index) => index));
    expect(texts.map((text) => keys.numberOf(text))).toEqual(texts.map((_, index) => index));
    expect(keys.next()).toBe(20_000);
    expect(keys.numberOf('item-7')).toBe(7);
    expect(keys.size).toBe(20_001);
  });

  propertyTest.prop([fc.array(fc.string({ unit: 'binary', maxLength: 4 }), { maxLength: 200 })])(
    'as a Map would number them',
    (texts) => {
      const keys = new KeyNumbers();
      const map = new Map<string, number>();
      for (const text of texts) {
        if (!map.has(text)) map.set(text, map.size);
        expect(keys.numberOf(text)).toBe(map.get(text));
      }
    },
  );
});
