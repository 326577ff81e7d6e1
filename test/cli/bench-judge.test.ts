import { describe, expect, test } from 'vitest';
import type { BenchReport } from '../../src/bench/report.js';
import type { Seen } from '../judge/fake-endpoint.js';
import { assay, rowsOf, SCORE, useWorld, verdict } from './judge-world.js';

const world = useWorld();

const ROWS = 24;

const writeFiles = async (): Promise<void> => {
  await world.write('judge.json', SCORE);
  await world.write('strict.json', {
    ...SCORE,
    name: 'strict',
    input: [{ role: 'user', content: 'How bad is {{ sample.output_text }}?' }],
  });
  await world.write('rows.jsonl', rowsOf(ROWS));
};

/** A judge whose verdict on a text depends on its length, and on nothing else. */
const byLength = { answer: ({ key }: Seen) => verdict((key.length % 7) / 7) };

const bench = async (...argv: readonly string[]) => {
  const outcome = await assay(['bench', '--data', 'rows.jsonl', '--json', '--quiet', ...argv]);
  const json =
    outcome.stdout === '' ? undefined : (JSON.parse(outcome.stdout) as BenchReport & { notes: string[] });
  return { ...outcome, json };
};

describe('a bench with judges', () => {
  test('asks them once about each row, says what that took, and grades nothing again', async () => {
    const { seen } = await world.start(byLength);
    await writeFiles();
    const { code, json } = await bench('judge.json', 'strict.json');
    expect(code).toBe(0);
    expect(seen).toHaveLength(2 * ROWS);
    expect(json?.rewards.map(({ speed, trials }) => [speed.models?.requests, trials])).toEqual([
      [ROWS, null],
      [ROWS, null],
    ]);
    expect(json?.notes).toEqual(
      expect.arrayContaining([expect.stringMatching(/^tone: no row was graded again, for it asks models/)]),
    );
    await bench('judge.json', 'strict.json');
    expect(seen).toHaveLength(2 * ROWS);
  });

  test('asks for second verdicts where rows are to be graded again', async () => {
    let asked = 0;
    // Every answer is another one.
    const { seen } = await world.start({ answer: () => verdict((asked = (asked + 1) % 1000) / 1000) });
    await writeFiles();
    const { json } = await bench('judge.json', '--trial-items', '10');
    const trials = json?.rewards[0].trials;
    expect(trials).toMatchObject({ rows: 10, noise: { rows: 10, differing: { value: 1 } } });
    // The order is judged by the verdicts that are there, which are kept.
    const before = seen.length;
    await bench('judge.json', '--trial-items', '10');
    expect(seen).toHaveLength(before);
  });

  test('stops at a budget, reports what there is and ends with 3', async () => {
    await world.start(byLength);
    await writeFiles();
    const { code, json } = await bench('judge.json', '--max-calls', '10');
    expect(code).toBe(3);
    expect(json?.rewards[0]).toMatchObject({ rows: 10, scored: 10, failed: 0 });
    expect(json?.notes).toEqual(
      expect.arrayContaining([expect.stringMatching(/^tone: stopped after 10 rows of 24: .*10/)]),
    );
  });

  test('stops at a budget also while rows are graded again', async () => {
    await world.start(byLength);
    await writeFiles();
    const { code, json } = await bench('judge.json', '--trial-items', '10', '--max-calls', String(ROWS + 5));
    expect(code).toBe(3);
    expect(json?.rewards[0]).toMatchObject({ scored: ROWS, trials: null });
    expect(json?.notes).toEqual(
      expect.arrayContaining([expect.stringMatching(/^tone: stopped while rows were graded again/)]),
    );
  });

  test('takes recorded verdicts', async () => {
    const { seen } = await world.start(byLength);
    await writeFiles();
    await assay(['run', 'judge.json', 'rows.jsonl', '-o', 'scores.jsonl', '--quiet']);
    expect(seen).toHaveLength(ROWS);
    const { code, json } = await bench(
      'judge.json',
      '--replay',
      'scores.jsonl.evidence.jsonl',
      '--trial-items',
      '5',
    );
    expect([code, seen.length]).toEqual([0, ROWS]);
    expect(json?.rewards[0]).toMatchObject({ scored: ROWS, trials: null });
    expect(json?.notes).toEqual(expect.arrayContaining([expect.stringMatching(/--replay has no verdicts/)]));
  });

  test('that refuse the key end it with 2', async () => {
    const { seen } = await world.start({ apiKey: 'another' });
    await writeFiles();
    const { code, stderr } = await bench('judge.json');
    expect(code).toBe(2);
    expect(stderr).not.toBe('');
    expect(seen.length).toBeLessThan(ROWS);
  });
});
