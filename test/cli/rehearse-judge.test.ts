import { describe, expect, test, vi } from 'vitest';
import type { Rehearsal } from '../../src/rehearse/rehearsal.js';
import { assay, SCORE, useWorld, verdict } from './judge-world.js';

const world = useWorld();

const jobOf = (grader: object) => ({
  type: 'reinforcement',
  reinforcement: { grader, hyperparameters: { n_epochs: 2, batch_size: 5, eval_interval: 4 } },
});

const trainingRow = (n: number) => ({ messages: [{ role: 'user', content: `Say ${n}` }], answer: String(n) });

const linesOf = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** Thirty training rows, with two samples each. */
const writeFiles = async (grader: object = SCORE): Promise<void> => {
  const rows = Array.from({ length: 30 }, (_, n) => trainingRow(n));
  await world.write('job.json', jobOf(grader));
  await world.write('train.jsonl', linesOf(rows));
  await world.write('valid.jsonl', linesOf([trainingRow(100), trainingRow(101)]));
  await world.write(
    'samples.jsonl',
    linesOf(rows.map((item, n) => ({ item, samples: [`fine ${n}`, `poor ${n}`] }))),
  );
};

const FILES = ['--data', 'train.jsonl', '--validation', 'valid.jsonl', '--samples', 'samples.jsonl'];

const rehearse = async (...flags: readonly string[]) => {
  const outcome = await assay(['rehearse', 'job.json', ...FILES, '--json', ...flags]);
  return { ...outcome, found: JSON.parse(outcome.stdout) as Rehearsal };
};

const answer = ({ key }: { readonly key: string }): string => verdict(key.includes('fine') ? 1 : 0);

describe('a grader that asks a model', () => {
  test('is tried on 20 prompts, and what the job would take follows from its tokens', async () => {
    const { seen } = await world.start({ answer });
    await writeFiles();
    await world.write('assay.config.json', { models: { judge: { price: { input: 3, output: 10 } } } });
    const { code, stderr, found } = await rehearse();
    expect(code).toBe(0);
    expect(stderr).toBe('assay: asking judge 40 times for 40 outputs\n');
    expect(seen).toHaveLength(40);
    expect(found.samples).toMatchObject({ prompts: 20, available: 30, rows: 40 });
    expect(found.rewards).toMatchObject({ mean: 0.5 });
    expect(found.signal).toMatchObject({ flat_share: 0 });
    // 30 rows × 2 epochs × 8 samples, and 3 evaluations of 2 rows.
    expect(found.plan).toMatchObject({ training_calls: 480, evaluation_calls: 6, grader_calls: 486 });
    const [judge] = found.judges;
    expect(judge).toMatchObject({ judge: 'judge', calls_per_row: 1, calls: 486 });
    const [prompt, completion] = [judge.prompt_tokens_per_call ?? 0, judge.completion_tokens_per_call ?? 0];
    expect(prompt).toBeGreaterThan(0);
    expect(judge.prompt_tokens).toBe(Math.round(486 * prompt));
    expect(judge.cost).toBeCloseTo((486 * (3 * prompt + 10 * completion)) / 1e6, 12);
    expect(found.time).toMatchObject({ basis: 'measured' });
  });

  test('has no time where replies were there already, and the same tokens', async () => {
    await world.start({ answer });
    await writeFiles();
    const first = await rehearse();
    const second = await rehearse();
    expect(second.found.time).toBeNull();
    expect(second.found.judges).toEqual(first.found.judges);
    expect(second.found.rewards).toEqual(first.found.rewards);
    expect(second.found.judges[0].cost).toBeNull();
  });

  test('asks as often as its panel and --repeat say', async () => {
    const { seen } = await world.start({ answer });
    await writeFiles({ ...SCORE, assay: { panel: ['a', 'b'] } });
    const { stderr, found } = await rehearse('--rows', '3', '--repeat', '2');
    expect(stderr).toContain('asking a 12 times, b 12 times for 6 outputs');
    expect(seen).toHaveLength(24);
    expect(found.judges).toMatchObject([
      { judge: 'a', calls_per_row: 2, calls: 972 },
      { judge: 'b', calls_per_row: 2, calls: 972 },
    ]);
  });

  test('ends at a budget, and what was not graded enters nothing', async () => {
    await world.start({ answer });
    await writeFiles();
    const { code, stderr, found } = await rehearse('--max-calls', '10');
    expect(code).toBe(3);
    expect(stderr).toContain('asking judge 40 times for 40 outputs, at most 10 requests');
    expect(found.failures).toMatchObject({ rows: 10, failed: 0, not_graded: 30 });
    expect(found.warnings.map((each) => each.code)).toContain('not_graded');
    expect(found.rewards).toMatchObject({ scored: 10 });
  });

  test('need not be asked for results that it made', async () => {
    const { seen } = await world.start({ answer });
    await writeFiles();
    await assay(['run', 'job.json', 'samples.jsonl', '-o', 'scores.jsonl', '--quiet']);
    expect(seen).toHaveLength(60);
    const { stdout, stderr, code } = await assay([
      'rehearse',
      'job.json',
      ...FILES.slice(0, 4),
      '--samples',
      'scores.jsonl',
      '--json',
    ]);
    const found = JSON.parse(stdout) as Rehearsal;
    expect([code, stderr]).toEqual([0, '']);
    expect(seen).toHaveLength(60);
    expect(found.samples).toMatchObject({ origin: 'results', prompts: 30, reused: 60 });
    expect(found.judges).toMatchObject([{ judge: 'judge', calls_per_row: 1, calls: 486 }]);
    expect(found.judges[0].prompt_tokens).toBeGreaterThan(0);
  });

  test('tells a person its calls, tokens and cost', async () => {
    await world.start({ answer });
    await writeFiles();
    const { stdout } = await assay(['rehearse', 'job.json', ...FILES]);
    expect(stdout).toMatch(
      / {2}judge +judge: 486 calls, 1 for an output; [\d,]+ prompt tokens and [\d,]+\s+of replies; with a price in assay\.config\.json it would say the\s+cost\n/,
    );
  });
});

test('what jobs do not take is told', async () => {
  await world.start({ answer: () => verdict('yes') });
  const label = {
    type: 'label_model',
    name: 'kind',
    model: 'judge',
    labels: ['yes', 'no'],
    passing_labels: ['yes'],
    input: SCORE.input,
  };
  await writeFiles(label);
  const { found } = await rehearse('--rows', '2');
  expect(found.warnings.map((each) => each.code)).toEqual(['not_for_jobs', 'constant_reward']);
});

test('a key that is missing is told before anything is asked', async () => {
  vi.stubEnv('OPENAI_API_KEY', undefined);
  await writeFiles();
  const { code, stderr, stdout } = await assay(['rehearse', 'job.json', ...FILES]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('OPENAI_API_KEY');
  expect(stderr).not.toContain('asking');
});
