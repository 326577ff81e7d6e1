import { describe, expect, test } from 'vitest';
import type { Row } from '../../src/contract.js';
import { parseRow } from '../../src/dataset/row.js';
import { constantCandidates } from '../../src/probe/constant-answer.js';
import { judgeVerdicts } from '../../src/probe/judges.js';
import { referencesOf } from '../../src/probe/references.js';
import type { RowReader } from '../../src/probe/row-edit.js';
import { compileTemplate } from '../../src/template.js';

const reading = (source: string): RowReader => ({
  variables: compileTemplate(source).variables,
  readsJson: undefined,
});
const PYTHON: RowReader = { variables: [], readsJson: true };

const row = (item: object, sample: object | string = 'x'): Row => parseRow(JSON.stringify({ item, sample }));

describe('references', () => {
  const item = { question: 'What?', answer: 'Paris', points: 1.5, note: 'easy', context: 'x'.repeat(300) };

  test.each([
    [
      'what templates read of the item, but for the prompt',
      reading('{{ item.question }} {{ item.answer }} {{ item.points }}'),
      ['Paris', '1.5'],
    ],
    ['fields that are called answers, where a grader does not say', PYTHON, ['Paris']],
  ])('are %s', (_, grader, expected) => {
    expect(referencesOf(row(item), grader)).toEqual(expected);
  });

  test('are short texts where none is called an answer', () => {
    const { answer: _answer, ...rest } = item;
    expect(referencesOf(row(rest), PYTHON)).toEqual(['easy']);
  });

  test('are numbers as the dataset wrote them, and no labels', () => {
    const labelled = parseRow('{"item":{"answer":1.0,"is_correct":"true"},"sample":"x"}');
    expect(referencesOf(labelled, PYTHON, { others: [['item', 'is_correct']] })).toEqual(['1.0']);
    expect(referencesOf(labelled, PYTHON)).toEqual(['1.0', 'true']);
  });

  test('are where the user says', () => {
    expect(referencesOf(row(item), PYTHON, { references: [['note'], ['item', 'points'], ['gone']] })).toEqual(
      ['easy', '1.5'],
    );
    expect(referencesOf(row(item), reading('{{ item.note }}'), { prompt: ['item', 'note'] })).toEqual([]);
  });
});

describe('candidates for a constant answer', () => {
  const grader = reading('{{ sample.output_text }} {{ item.answer }}');
  const rows = [
    ...Array.from({ length: 5 }, () => row({ answer: 'yes' }, 'sure')),
    ...Array.from({ length: 40 }, (_, n) => row({ answer: `answer ${n}` }, `reply ${n}`)),
  ];

  test('are the most frequent references, answers and words, and some that fit many questions', () => {
    const candidates = constantCandidates(rows, grader);
    expect(candidates[0]).toBe('yes');
    expect(candidates).toContain('sure');
    expect(candidates).toContain("I don't know.");
    expect(candidates.some((text) => text.startsWith('answer yes '))).toBe(true);
    expect(candidates.length).toBeLessThanOrEqual(21);
    expect(new Set(candidates).size).toBe(candidates.length);
  });

  test('of equal frequency are spread over the rows, and the same every time', () => {
    const candidates = constantCandidates(rows, grader);
    const replies = candidates
      .filter((text) => text.startsWith('reply'))
      .map((text) => Number(text.slice(6)));
    expect(replies).toHaveLength(6);
    expect(Math.max(...replies)).toBeGreaterThan(30);
    expect(constantCandidates(rows, grader)).toEqual(candidates);
  });

  test('are there without references and answers', () => {
    expect(constantCandidates([], grader)).toContain('0');
  });
});

describe('what a configuration says about its judges', () => {
  const judge = { type: 'score_model', model: 'm', input: [], range: [0, 7] };
  const labeller = {
    type: 'label_model',
    model: 'm',
    input: [],
    labels: ['bad', 'good'],
    passing_labels: ['good'],
  };

  test.each([
    [{ type: 'string_check' }, { asksModels: false, labels: [], best: '10' }],
    [judge, { asksModels: true, labels: [], best: '7' }],
    [
      { ...judge, range: undefined },
      { asksModels: true, labels: [], best: '1' },
    ],
    [labeller, { asksModels: true, labels: ['bad', 'good'], best: '"good"' }],
    [
      { type: 'multi', graders: { a: judge, b: labeller } },
      { asksModels: true, labels: ['bad', 'good'], best: '7' },
    ],
    [{ testing_criteria: [labeller] }, { asksModels: true, labels: ['bad', 'good'], best: '"good"' }],
    [
      { type: 'text_similarity', evaluation_metric: 'cosine' },
      { asksModels: true, labels: [], best: '10' },
    ],
    [
      { type: 'text_similarity', evaluation_metric: 'cosine', assay: { cosine: 'lexical' } },
      { asksModels: false, labels: [], best: '10' },
    ],
  ])('%j', (config, verdicts) => {
    expect(judgeVerdicts(config)).toEqual(verdicts);
  });
});
