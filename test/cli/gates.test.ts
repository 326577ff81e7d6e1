import { describe, expect, test } from 'vitest';
import { builtinGraders } from '../../graders/index.js';
import { checkGateNames, checkGates, parseGates } from '../../src/cli/gates.js';
import { createEngine } from '../../src/engine.js';
import type { RunSummary } from '../../src/results/record.js';
import { tallyOf } from '../results/tally.js';
import { scored, type Score } from '../../src/score.js';

const exact = {
  type: 'string_check',
  name: 'exact',
  operation: 'eq',
  input: '{{ sample.output_text }}',
  reference: '{{ item.answer }}',
};
const multi = { type: 'multi', graders: { exact, near: exact }, calculate_output: '(exact + near) / 2' };
const engine = createEngine({ graders: builtinGraders });

const summaryOf = (...scores: Score[]): RunSummary => {
  const tally = tallyOf(scores);
  return {
    ...tally.summary(),
    grader: { name: 'exact', type: 'string_check', signature: 'string_check:eq', sha256: '' },
    profile: 'hosted-2025',
    dataset: 'rows.jsonl',
    results: null,
    started: '2026-01-01T00:00:00.000Z',
    seconds: 1,
    rows_per_second: scores.length,
    warnings: [],
    configuration_warnings: [],
  };
};

describe('the text of a gate', () => {
  test('is a bound, or a name and a bound', () => {
    expect(parseGates({ min: ['0.5', 'exact=0.9'], max: ['a=b=-1e3'], minPassRate: ['1'] })).toEqual([
      { flag: '--min', name: undefined, bound: 0.5 },
      { flag: '--min', name: 'exact', bound: 0.9 },
      { flag: '--max', name: 'a=b', bound: -1000 },
      { flag: '--min-pass-rate', name: undefined, bound: 1 },
    ]);
  });

  test.each(['', 'exact=', 'half', 'exact=half', 'Infinity', 'NaN', 'exact= '])('%j is refused', (text) => {
    expect(() => parseGates({ min: [text] })).toThrow(/--min: expected a number or name=number, got/);
  });

  test.each(['90', '-0.1', 'exact=1.01'])('a pass rate of %s is refused', (text) => {
    expect(() => parseGates({ minPassRate: [text] })).toThrow(
      /--min-pass-rate: expected a share from 0 to 1, got/,
    );
  });
});

const check = async (config: unknown, flags: Parameters<typeof parseGates>[0]): Promise<void> =>
  checkGateNames(parseGates(flags), await engine.prepare(config));

describe('the names are checked before the first row', () => {
  test('criteria have means and pass rates, members have means', async () => {
    await check([exact], { min: ['0', 'exact=0'], max: ['exact=1'], minPassRate: ['0', 'exact=0'] });
    await check(multi, { min: ['0', 'near=0'], max: ['exact=1'], minPassRate: ['0'] });
  });

  test('an unknown name, with what was probably meant', async () => {
    await expect(check([exact], { min: ['exakt=0'] })).rejects.toThrow(
      '--min: unknown name exakt, expected one of exact\n  hint: did you mean exact?',
    );
    await expect(check(multi, { max: ['toString=0'] })).rejects.toThrow(
      '--max: unknown name toString, expected one of exact, near',
    );
  });

  test('a member has no pass rate', async () => {
    await expect(check(multi, { minPassRate: ['exact=0'] })).rejects.toThrow(
      '--min-pass-rate: unknown name exact; only criteria of an eval have names, and there are none here',
    );
  });

  test('a single grader has no names', async () => {
    await expect(check(exact, { min: ['exact=0'] })).rejects.toThrow(
      '--min: unknown name exact; only criteria of an eval and members of a multi have names',
    );
  });
});

describe('a finished run', () => {
  test('holds a bound that it meets exactly', () => {
    const summary = summaryOf(scored(0.5), scored(0.5));
    expect(checkGates(parseGates({ min: ['0.5'], max: ['0.5'] }), summary)).toEqual([]);
  });

  test('says by how much it missed', () => {
    const summary = summaryOf(
      { ...scored(0.25, 0.5), subRewards: { exact: 0 } },
      { ...scored(0.75, 0.5), subRewards: { exact: 1 } },
    );
    const gates = parseGates({ min: ['0.6', 'exact=0.6'], max: ['0.4'], minPassRate: ['0.6'] });
    expect(checkGates(gates, summary)).toEqual([
      'the mean is 0.5, --min asks for 0.6',
      'the mean of exact is 0.5, --min asks for 0.6',
      'the mean is 0.5, --max asks for 0.4',
      'the pass rate is 0.5, --min-pass-rate asks for 0.6',
    ]);
  });

  test('of no scored row holds no gate', () => {
    const gates = parseGates({ min: ['0', 'exact=0'], minPassRate: ['0', 'exact=0'] });
    expect(checkGates(gates, summaryOf())).toEqual([
      'the mean cannot be told: no row was scored (--min 0)',
      'the mean of exact cannot be told: no row was scored (--min 0)',
      'the pass rate cannot be told: no row was scored (--min-pass-rate 0)',
      'the pass rate of exact cannot be told: no row was scored (--min-pass-rate 0)',
    ]);
  });

  test('has no pass rate where nothing says what passes', () => {
    expect(() => checkGates(parseGates({ minPassRate: ['0'] }), summaryOf(scored(1)))).toThrow(
      '--min-pass-rate: the grader does not define what passes; give it a pass_threshold',
    );
  });
});
