import { describe, expect, test } from 'vitest';
import { parseGiven, planJob, type Assumption, type Given } from '../../src/rehearse/plan.js';

const plan = (
  rows: number,
  hyperparameters: Record<string, unknown> = {},
  given: Given = {},
  validationRows?: number,
) => planJob({ rows, validationRows, hyperparameters, given });

const sourceOf = (assumptions: readonly Assumption[], name: string) =>
  assumptions.find((each) => each.name === name);

describe('steps and calls', () => {
  test.each([
    {
      name: 'whole batches',
      facts: plan(100, { n_epochs: 2, batch_size: 10, eval_interval: 5, eval_samples: 3 }, {}, 20),
      // 10 steps an epoch; 100 × 2 × 8; every 5 of 20 steps; 20 × 3 × 4.
      numbers: [10, 20, 8, 80, 1600, 4, 60, 240, 1840],
    },
    {
      name: 'a smaller last batch is a step of its own',
      facts: plan(101, { n_epochs: 3, batch_size: 10, eval_interval: 4, eval_samples: 1 }, {}, 7),
      // 11 steps an epoch, 33 in all; 101 × 3 × 8; 8 evaluations of 7.
      numbers: [11, 33, 8, 80, 2424, 8, 7, 56, 2480],
    },
    {
      name: 'compute_multiplier scales the samples',
      facts: plan(64, { n_epochs: 1, batch_size: 64, eval_interval: 1, compute_multiplier: 2.5 }, {}, 10),
      numbers: [1, 1, 20, 1280, 1280, 1, 10, 10, 1290],
    },
    {
      name: 'but there is at least one',
      facts: plan(4, { n_epochs: 1, batch_size: 2, eval_interval: 1, compute_multiplier: 0.001 }, {}, 1),
      numbers: [2, 2, 1, 2, 4, 2, 1, 2, 6],
    },
    {
      name: 'a batch larger than the file',
      facts: plan(5, { n_epochs: 2, batch_size: 256, eval_interval: 1, eval_samples: 1 }, {}, 5),
      numbers: [1, 2, 8, 40, 80, 2, 5, 10, 90],
    },
    {
      name: 'evaluations further apart than the job is long',
      facts: plan(8, { n_epochs: 1, batch_size: 4, eval_interval: 3 }, {}, 5),
      numbers: [2, 2, 8, 32, 64, 0, 5, 0, 64],
    },
    {
      name: 'everything left to the service: one epoch, batches of 64, an evaluation at its end',
      facts: plan(1000, { n_epochs: 'auto', batch_size: null }, {}, 100),
      numbers: [16, 16, 8, 512, 8000, 1, 100, 100, 8100],
    },
    {
      name: 'what the user assumes',
      facts: plan(
        1000,
        { n_epochs: 'auto' },
        { n_epochs: 4, batch_size: 50, samples_per_prompt: 16, eval_interval: 10, eval_samples: 2 },
        100,
      ),
      numbers: [20, 80, 16, 800, 64_000, 8, 200, 1600, 65_600],
    },
  ])('$name', ({ facts: { plan: found }, numbers }) => {
    expect([
      found.steps_per_epoch,
      found.steps,
      found.samples_per_prompt,
      found.calls_per_step,
      found.training_calls,
      found.evaluations,
      found.calls_per_evaluation,
      found.evaluation_calls,
      found.grader_calls,
    ]).toEqual(numbers);
  });

  test('without a validation file evaluations have no number of calls', () => {
    expect(plan(10, { n_epochs: 1, batch_size: 5 }).plan).toMatchObject({
      validation_rows: null,
      calls_per_evaluation: null,
      evaluation_calls: null,
      training_calls: 80,
      grader_calls: 80,
    });
  });
});

describe('where numbers come from', () => {
  test('the job, the user, the documentation, or nowhere', () => {
    const { assumptions } = plan(10, { n_epochs: 2, batch_size: 'auto' }, { eval_samples: 3 });
    expect(sourceOf(assumptions, 'n_epochs')).toMatchObject({ value: 2, source: 'job_file' });
    expect(sourceOf(assumptions, 'eval_samples')).toMatchObject({ value: 3, source: 'given' });
    expect(sourceOf(assumptions, 'batch_size')).toMatchObject({ value: 10, source: 'assumed' });
    expect(sourceOf(assumptions, 'samples_per_prompt')).toMatchObject({ value: 8, source: 'assumed' });
    expect(sourceOf(assumptions, 'evaluation')).toMatchObject({ value: null, source: 'documented' });
    expect(sourceOf(assumptions, 'concurrency')).toMatchObject({ value: null, source: 'assumed' });
  });

  test('every number of the plan is among them', () => {
    const names = plan(10).assumptions.map(({ name }) => name);
    expect(names).toEqual([
      'n_epochs',
      'batch_size',
      'compute_multiplier',
      'samples_per_prompt',
      'last_batch',
      'eval_interval',
      'eval_samples',
      'evaluation',
      'first_evaluation',
      'concurrency',
    ]);
  });
});

describe('--assume', () => {
  test('gives numbers by name', () => {
    expect(parseGiven(['n_epochs=3', 'compute_multiplier=0.5', 'concurrency=100'], {})).toEqual({
      n_epochs: 3,
      compute_multiplier: 0.5,
      concurrency: 100,
    });
  });

  test.each([
    { text: 'epochs=3', message: /got epochs=3; did you mean n_epochs\?$/ },
    { text: 'n_epochs', message: 'n_epochs: expected a whole number from 1 to 50' },
    { text: 'n_epochs=51', message: 'n_epochs=51: expected a whole number from 1 to 50' },
    { text: 'batch_size=1.5', message: 'batch_size=1.5: expected a whole number from 1 to 256' },
    {
      text: 'compute_multiplier=0',
      message: 'compute_multiplier=0: expected a number greater than 0.00001 and at most 10',
    },
    { text: 'samples_per_prompt=0', message: 'samples_per_prompt=0: expected a whole number of at least 1' },
    { text: 'concurrency=x', message: 'concurrency=x: expected a whole number of at least 1' },
    {
      text: 'eval_samples=4',
      message: 'eval_samples=4: the job says 2; --assume is for what a job leaves to the service',
    },
  ])('$text is refused', ({ text, message }) => {
    const problem = parseGiven([text], { eval_samples: 2, n_epochs: 'auto' });
    if (typeof message === 'string') expect(problem).toBe(message);
    else expect(problem).toMatch(message);
  });
});
