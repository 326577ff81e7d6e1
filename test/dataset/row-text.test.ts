import { describe, expect, test } from 'vitest';
import { candidateOf, labelNumber, promptOf, textOfContent, valueOf } from '../../src/dataset/row-text.js';

const user = (content: unknown) => ({ role: 'user', content });

describe('the prompt of a row', () => {
  test.each([
    { name: 'messages', item: { messages: [{ role: 'system', content: 's' }, user('q')] }, text: 'q' },
    {
      name: 'the last of the user',
      item: { messages: [user('a'), { role: 'assistant', content: 'b' }] },
      text: 'a',
    },
    {
      name: 'content parts',
      item: { messages: [user([{ type: 'text', text: 'a' }, { text: 'b' }])] },
      text: 'ab',
    },
    { name: 'a question', item: { question: 'q', answer: 'a' }, text: 'q' },
    { name: 'messages before a question', item: { question: 'q', messages: [user('m')] }, text: 'm' },
    { name: 'a question beside broken messages', item: { messages: [1], question: 'q' }, text: 'q' },
    { name: 'no message of the user', item: { messages: [{ role: 'system', content: 's' }] }, text: '' },
  ])('$name', ({ item, text }) => {
    expect(promptOf({ item })?.text).toBe(text);
  });

  test('a text is one message of the user', () => {
    expect(promptOf({ item: { prompt: 'p' } })).toEqual({
      field: 'prompt',
      messages: [user('p')],
      text: 'p',
    });
  });

  test('where it is said to be', () => {
    expect(promptOf({ item: { question: 'q', x: { ask: 'a' } } }, ['item', 'x', 'ask'])?.text).toBe('a');
    expect(promptOf({ item: { question: 'q' } }, ['x'])).toBeUndefined();
  });

  test('names that objects inherit are none', () => {
    expect(promptOf({ item: {} }, ['constructor'])).toBeUndefined();
    expect(promptOf({ item: { messages: [] } })).toBeUndefined();
  });
});

test('the text of a sample', () => {
  expect(candidateOf({ item: {}, sample: { output_text: 'a' } })).toBe('a');
  expect(candidateOf({ item: {}, sample: { output_text: null } })).toBeUndefined();
  expect(candidateOf({ item: {} })).toBeUndefined();
  expect(textOfContent(undefined)).toBe('');
});

test('a value is in the item unless it is said to be in the sample', () => {
  const row = { item: { a: 1, sample: 2 }, sample: { a: 3 } };
  expect([['a'], ['item', 'a'], ['sample', 'a'], ['b']].map((path) => valueOf(row, path))).toEqual([
    1,
    1,
    3,
    undefined,
  ]);
});

test.each([
  [true, 1],
  ['true', 1],
  [false, 0],
  ['false', 0],
  [3.5, 3.5],
  ['3.5', 3.5],
  ['', undefined],
  ['yes', undefined],
  [NaN, undefined],
  [Infinity, undefined],
  [null, undefined],
  [[1], undefined],
])('the label %j is the number %j', (value, number) => {
  expect(labelNumber(value)).toBe(number);
});
