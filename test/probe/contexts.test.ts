import { describe, expect, test } from 'vitest';
import { parseRow } from '../../src/dataset/row.js';
import { editContexts, type Knowledge } from '../../src/probe/contexts.js';
import { compileTemplate } from '../../src/template.js';

const READER = { variables: compileTemplate('{{ item.answer }}').variables, readsJson: undefined };
const KNOWN: Knowledge = { verdicts: { asksModels: false, labels: [], best: '10' }, references: ['b', 'a'] };

const contextsOf = (items: readonly (readonly [question: string, answer: string])[], known = KNOWN) =>
  editContexts(
    items.map(([question, answer]) => parseRow(JSON.stringify({ item: { question, answer }, sample: 'x' }))),
    READER,
    known,
    {},
  );

describe('what an attacker knows of an item', () => {
  test('is its prompt, the best verdict and the references of the dataset', () => {
    expect(contextsOf([['How?', 'a']])).toEqual([
      { prompt: 'How?', neighbour: undefined, references: ['b', 'a'], labels: [], verdict: '10' },
    ]);
  });

  test('is the answer to the question most like its own that has another answer', () => {
    const contexts = contextsOf([
      ['How many apples does Ann have?', '5'],
      ['Why?', '6'],
      ['How many apples does Bob have?', '5'],
      ['How many pears does Bob have?', '8'],
    ]);
    expect(contexts.map(({ neighbour }) => neighbour)).toEqual(['8', '5', '8', '5']);
  });

  test('is every label where the references are few', () => {
    const items = Array.from({ length: 12 }, (_, n) => [`${n}?`, ['yes', 'no'][n % 2]] as const);
    const known = { ...KNOWN, references: ['yes', 'no'] };
    expect(contextsOf(items, known)[0].labels).toEqual(['yes', 'no']);
    expect(contextsOf(items.slice(0, 5), known)[0].labels).toEqual([]);
    const judged = { ...known, verdicts: { ...KNOWN.verdicts, labels: ['good'] } };
    expect(contextsOf(items, judged)[0].labels).toEqual(['good']);
  });
});
