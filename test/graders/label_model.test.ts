import { describe, expect, test } from 'vitest';
import { builtinGraders } from '../../graders/index.js';
import { createEngine } from '../../src/engine.js';
import { ConfigError, formatIssue } from '../../src/errors.js';
import { scriptedJudge, verdict, type Line } from '../judge/scripted.js';

const TONE = {
  type: 'label_model',
  name: 'tone',
  model: 'gpt-4.1-mini',
  input: [{ role: 'developer', content: 'polite, fair or rude? {{ sample.output_text }}' }],
  labels: ['polite', 'fair', 'rude'],
  passing_labels: ['polite', 'fair'],
};
const ROW = { item: {}, sample: 'Please.' };

const prepare = async (script: readonly Line[], fields: object = {}) => {
  const warnings: string[] = [];
  const judge = scriptedJudge(script);
  const engine = createEngine({ graders: builtinGraders, judge });
  const grader = await engine.prepare(
    { ...TONE, ...fields },
    { onWarning: (issue) => warnings.push(formatIssue(issue).split('\n')[0]) },
  );
  return { grader, judge, warnings };
};

const gradeOnce = async (script: readonly Line[], fields: object = {}) =>
  (await prepare(script, fields)).grader.grade(ROW);

describe('a label', () => {
  test.each([
    ['polite', 1],
    ['fair', 1],
    ['rude', 0],
  ])('%s is %d', async (label, reward) => {
    expect(await gradeOnce([verdict(label)])).toMatchObject({
      status: 'scored',
      reward,
      passed: reward === 1,
    });
  });

  test('stays in the evidence', async () => {
    const score = await gradeOnce([verdict('Rude')]);
    expect(score.evidence).toMatchObject([
      { judge: 'gpt-4.1-mini', result: 'Rude', repairs: ['label_spelling'] },
    ]);
  });

  test('outside the list is a failure, not a label that does not pass', async () => {
    expect(await gradeOnce([verdict('kind')])).toMatchObject({
      status: 'failed',
      code: 'model_grader_parse_error',
      message: 'the result is "kind", expected one of polite, fair, rude',
    });
  });

  test('is asked for with a list of labels, and sampling as in a score_model', async () => {
    const { grader, judge, warnings } = await prepare([verdict('fair')], {
      sampling_params: { temperature: 0 },
    });
    await grader.grade(ROW);
    expect(judge.calls).toMatchObject([
      {
        sampling: { temperature: 0 },
        form: { name: 'label', schema: { properties: { result: { enum: TONE.labels } } } },
      },
    ]);
    expect(warnings).toEqual([]);
    expect(grader.signature).toBe('label_model:gpt-4.1-mini');
    await expect(prepare([], { sampling_params: null })).resolves.toBeDefined();
  });
});

describe('several labels', () => {
  test.each<[name: string, labels: readonly string[], assay: object, reward: number, passed: boolean]>([
    ['most pass', ['polite', 'rude', 'fair'], { repeat: 3 }, 1, true],
    ['most do not', ['polite', 'rude', 'rude'], { repeat: 3 }, 0, false],
    ['half of them', ['polite', 'rude'], { repeat: 2 }, 0, false],
    ['passing labels count together', ['polite', 'fair', 'rude', 'rude', 'fair'], { repeat: 5 }, 1, true],
    ['their share', ['polite', 'rude', 'rude'], { repeat: 3, combine: 'mean' }, 1 / 3, false],
    ['their median', ['polite', 'rude', 'fair'], { repeat: 3, combine: 'median' }, 1, true],
    ['a median between them', ['polite', 'rude'], { repeat: 2, combine: 'median' }, 0.5, false],
  ])('%s', async (_, labels, assay, reward, passed) => {
    const score = await gradeOnce(
      labels.map((label) => verdict(label)),
      { assay },
    );
    expect(score).toMatchObject({ reward, passed });
    expect(score.evidence?.map(({ result }) => result)).toEqual(labels);
  });
});

describe('the configuration', () => {
  test('finds labels that are not there, with what was meant, and labels that are there twice', async () => {
    const fields = { labels: ['polite', 'rude', 'rude'], passing_labels: ['Polite', 'kind'] };
    const error = await prepare([], fields).catch((reason: unknown) => reason);
    expect((error as ConfigError).message).toBe(
      'passing_labels[0]: "Polite" is not one of the labels polite, rude, rude\n  hint: did you mean "polite"?\n' +
        'passing_labels[1]: "kind" is not one of the labels polite, rude, rude\n' +
        'labels[2]: "rude" is there twice\n  hint: remove it',
    );
  });

  test.each([
    ['no labels', { labels: [] }, 'labels: expected at least one label, got an empty array'],
    [
      'numbers',
      { labels: [1, 2] },
      'labels[0]: expected a string, got 1\nlabels[1]: expected a string, got 2',
    ],
    ['no model', { model: '' }, 'model: expected the name of a model, got ""'],
    ['no passing labels', { passing_labels: undefined }, 'passing_labels: is missing, expected an array'],
  ])('%s', async (_, fields, message) => {
    await expect(prepare([], fields)).rejects.toThrow(ConfigError);
    await expect(prepare([], fields)).rejects.toThrow(message);
  });

  test.each([
    ['nothing passes', { passing_labels: [] }, 'passing_labels: is empty, so no row passes'],
    [
      'everything passes',
      { passing_labels: TONE.labels },
      'passing_labels: has every label, so every row passes',
    ],
  ])('%s', async (_, fields, warning) => {
    expect((await prepare([], fields)).warnings).toEqual([warning]);
  });
});
