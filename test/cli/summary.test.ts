import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { renderSummary } from '../../src/cli/summary.js';
import { tallyOf } from '../results/tally.js';
import type { RunResult } from '../../src/run/run.js';
import { failed, scored, type Score } from '../../src/score.js';

const SIGNATURE = 'multi(category=string_check:eq, wording=rouge_l/hosted-2025, meaning=meteor/hosted-2025)';

const resultOf = (scores: readonly Score[], status: RunResult['status'] = 'complete'): RunResult => {
  const tally = tallyOf(scores);
  const grader = { name: 'reply', type: 'multi', signature: SIGNATURE, sha256: '' };
  return {
    status,
    summary: {
      ...tally.summary(),
      grader,
      profile: 'hosted-2025',
      dataset: 'rows.jsonl',
      results: 'scores.jsonl',
      started: '2026-01-01T00:00:00.000Z',
      seconds: 2,
      rows_per_second: 6172.5,
      warnings: [],
      configuration_warnings: [],
    },
  };
};

const rewards = (counts: Readonly<Record<string, number>>): Score[] =>
  Object.entries(counts).flatMap(([reward, count]) =>
    Array.from({ length: count }, () => scored(Number(reward))),
  );

const render = (scores: readonly Score[], columns?: number): string[] =>
  renderSummary(resultOf(scores), [], { colour: false, columns }).split('\n');

const bars = (lines: readonly string[]): string[] => lines.filter((line) => /█|⋮/.test(line));

describe('histogram', () => {
  test('the longest bar is 40 characters on a wide terminal', () => {
    expect(bars(render(rewards({ 0: 2, 1: 4 }), 200))).toEqual([
      `     0 ${'█'.repeat(20)} 2`,
      '     ⋮',
      `     1 ${'█'.repeat(40)} 4`,
    ]);
  });

  test.each([20, 30, 47, 48])('lines fit %i columns', (columns) => {
    const lines = bars(render(rewards({ 0: 1500, 1: 700 }), columns));
    expect(Math.max(...lines.map((line) => line.length))).toBe(columns);
  });

  test('a terminal that is too narrow for bars gets short ones', () => {
    expect(bars(render(rewards({ 0: 1 }), 3))).toEqual(['     0 █ 1']);
  });

  test('three empty bins and more are one line', () => {
    const lines = render(rewards({ 0: 1, 0.15: 1, 0.35: 1, 1: 1 }), 80);
    const histogram = lines.slice(lines.findIndex((line) => line.startsWith('     0 ')));
    expect(histogram.slice(0, 8)).toEqual([
      `     0 ${'█'.repeat(40)} 1`,
      '  0.05  0',
      '   0.1  0',
      `  0.15 ${'█'.repeat(40)} 1`,
      '     ⋮',
      `  0.35 ${'█'.repeat(40)} 1`,
      '     ⋮',
      `     1 ${'█'.repeat(40)} 1`,
    ]);
  });
});

/** The lines from the one about the grader's signature to the one about the results. */
const signatureLines = (columns?: number): string[] => {
  const lines = render(rewards({ 1: 1 }), columns);
  const start = lines.findIndex((line) => line.startsWith('  scored'));
  return lines.slice(start, lines.indexOf('  results in scores.jsonl and scores.jsonl.run.json'));
};

describe('what the scores were made with', () => {
  test('stands in one line where there is room', () => {
    expect(signatureLines(200)).toEqual([`  scored by ${SIGNATURE}`]);
  });

  test('is broken at spaces, for 80 columns unless told otherwise', () => {
    expect(signatureLines()).toEqual([
      '  scored by multi(category=string_check:eq, wording=rouge_l/hosted-2025,',
      '    meaning=meteor/hosted-2025)',
    ]);
  });

  test('keeps words whole on any terminal', () => {
    expect(signatureLines(1)).toEqual([
      '  scored',
      '    by',
      '    multi(category=string_check:eq,',
      '    wording=rouge_l/hosted-2025,',
      '    meaning=meteor/hosted-2025)',
    ]);
  });
});

test('colour adds nothing but colour', () => {
  const result = resultOf([...rewards({ 0: 1, 0.5: 3 }), failed('row_error', 'broken')], 'interrupted');
  const failures = ['rows.jsonl:5: row_error: broken'];
  const coloured = renderSummary(result, failures, { colour: true });
  expect(coloured).toContain('\u001b[');
  expect(stripVTControlCharacters(coloured)).toBe(renderSummary(result, failures, { colour: false }));
});

test('failures: the first ones, how many more, and what the hosted API would have said', () => {
  const scores = [scored(1), failed('row_error', 'broken'), failed('row_error', 'broken')];
  const text = renderSummary(resultOf(scores), ['rows.jsonl:2: row_error: broken'], { colour: false });
  expect(text).toContain('  failed      2  row_error 2\n');
  expect(text).toContain('  hosted mean 0.3333  failed rows as 0');
  expect(text).toContain('  rows.jsonl:2: row_error: broken\n  … and 1 more\n');
});

test('without a scored row there is no mean and no histogram', () => {
  const text = render([failed('row_error', 'broken')]).join('\n');
  expect(text).toContain('  mean        none: no row was scored');
  expect(text).not.toContain('█');
});
