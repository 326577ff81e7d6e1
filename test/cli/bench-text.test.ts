import { describe, expect, test } from 'vitest';
import type { MeasuredReward, MeasuredRows } from '../../src/bench/measured.js';
import { benchReport } from '../../src/bench/report.js';
import { benchText } from '../../src/cli/bench-text.js';

const ROWS = 120;
const columnOf = (value: (row: number) => number): Float64Array =>
  Float64Array.from({ length: ROWS }, (_, row) => value(row));

const isRight = columnOf((row) => ((row * 7) % 3) % 2);
const length = columnOf((row) => 10 + ((row * 31) % 17));

const rowsOf = (more: Partial<MeasuredRows> = {}): MeasuredRows => ({
  count: ROWS,
  groups: Int32Array.from({ length: ROWS }, (_, row) => row >> 2),
  labels: isRight,
  features: new Map([['characters', length]]),
  ...more,
});

const rewardOf = (
  name: string,
  rewards: Float64Array,
  more: Partial<MeasuredReward> = {},
): MeasuredReward => ({
  name,
  signature: 'made/by-a-test',
  rewards,
  parts: new Map(),
  failures: {},
  seconds: 0.5,
  ...more,
});

const RIGHT = rewardOf('right', isRight);
const LONG = rewardOf('long', length);

const text = (
  rows: MeasuredRows,
  rewards: readonly MeasuredReward[],
  colour = false,
  notes: string[] = [],
): string =>
  benchText(
    benchReport(rows, rewards, { replicates: 100 }),
    { dataset: 'rows.jsonl', group: null, label: 'item.is_right', notes },
    { colour },
  );

const onOneLine = (lines: string): string => lines.replaceAll(/\s+/g, ' ');

describe('the text of a bench', () => {
  test('says first who is best, then shows tables, then each reward', () => {
    const shown = text(rowsOf(), [LONG, RIGHT]);
    expect(shown).toMatch(/^2 rewards on 120 rows of rows\.jsonl, samples of 30 items\n {2}labels: /);
    expect(onOneLine(shown)).toMatch(
      /Best by the share of pairs .* rightly: right \(1\.000\); then long \(0\.\d+\)\./,
    );
    const places = ['Best by', 'flat items', 'AUC', 'long: ', 'right: '].map((part) => shown.indexOf(part));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(shown).toContain('made with made/by-a-test');
  });

  test('leaves out what is not known', () => {
    const alone = rowsOf({ groups: Int32Array.from({ length: ROWS }, (_, row) => row), labels: undefined });
    const shown = text(alone, [LONG], false, ['no labels']);
    expect(shown).not.toMatch(/Best by|AUC|flat items|pairs|best of|labels:/);
    expect(shown).toContain('\n  note: no labels\n');
    expect(onOneLine(shown)).toContain('rank correlation with the number of characters');
  });

  test('of labels that are numbers has rank correlations', () => {
    const shown = text(rowsOf({ labels: columnOf((row) => row % 11) }), [LONG, RIGHT]);
    expect(shown).toContain('labels: from 0 to 10, on average 4.9');
    expect(shown).not.toContain('AUC');
  });

  test('says what models took', () => {
    const models = {
      requests: 100,
      replies: 100,
      cached: 20,
      shared: 0,
      prompt_tokens: 900,
      completion_tokens: 300,
      total_tokens: 1200,
      cached_tokens: 0,
      reasoning_tokens: 0,
      cost: 0.24,
    };
    expect(onOneLine(text(rowsOf(), [{ ...RIGHT, models }]))).toContain(
      'made with made/by-a-test; 100 requests, 20 from the cache; 10,000 tokens and 2 for 1,000 rows',
    );
    const free = { ...models, cached: 0, cost: null };
    expect(onOneLine(text(rowsOf(), [{ ...RIGHT, models: free }]))).toContain(
      '; 100 requests; 10,000 tokens for 1,000 rows',
    );
  });

  test('is bold and red on a terminal alone', () => {
    const same = rewardOf(
      'same',
      columnOf(() => 0.5),
    );
    expect(text(rowsOf(), [same])).not.toContain('\u001b');
    const shown = text(rowsOf(), [same], true, ['something']);
    expect(shown.startsWith('\u001b[1m1 reward on 120 rows')).toBe(true);
    expect(shown).toContain('\u001b[31m  alarm: constant:\u001b[39m');
    expect(shown).toContain('\u001b[33m  note: something\u001b[39m');
  });

  test('fits 100 columns with many long names, and cannot be repainted by them', () => {
    const rewards = Array.from({ length: 12 }, (_, at) =>
      rewardOf(
        `\u001b[2J the reward that was made by committee number ${at}`,
        at % 2 === 0 ? length : isRight,
      ),
    );
    const shown = text(rowsOf(), rewards);
    expect(Math.max(...shown.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(shown).not.toContain('\u001b');
    expect(shown).toContain('\\u001b[2J the');
  });

  test('shows the constant answer that a reward falls for', () => {
    const places = Int32Array.from({ length: ROWS }, (_, row) => row);
    const trials = {
      rows: places,
      first: isRight,
      again: isRight,
      reversed: isRight,
      constant: { text: 'Yes\u001b', rewards: columnOf(() => 1) },
    };
    expect(onOneLine(text(rowsOf(), [{ ...RIGHT, trials }]))).toMatch(
      /alarm: fooled by constant: .* \("Yes\\u001b"\); /,
    );
  });

  test('of nothing scored says so', () => {
    const failed = rewardOf(
      'failed',
      columnOf(() => NaN),
      { failures: { other_error: ROWS } },
    );
    expect(onOneLine(text(rowsOf(), [failed]))).toContain('failed: No row was scored');
  });
});
