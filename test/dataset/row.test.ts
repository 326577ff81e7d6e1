import { describe, expect, test } from 'vitest';
import { parseRow, toRow } from '../../src/dataset/row.js';
import { GradingError } from '../../src/errors.js';

const call = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"x":1.0}' } };

describe('shapes of a row', () => {
  test('item and sample', () => {
    const row = parseRow('{"item":{"a":1},"sample":{"output_text":"x","extra":2}}');
    expect(row.item).toEqual({ a: 1 });
    expect(row.sample).toEqual({ output_text: 'x', extra: 2 });
  });

  test('a sample may be the text itself', () => {
    expect(parseRow('{"item":{},"sample":"hello"}').sample).toEqual({ output_text: 'hello' });
  });

  test('without a sample there is none', () => {
    expect(parseRow('{"item":{}}').sample).toBeUndefined();
    expect(parseRow('{"item":{},"sample":null}').sample).toBeUndefined();
  });

  test('a flat row is the item, messages and all', () => {
    const row = parseRow('{"messages":[{"role":"user","content":"hi"}],"answer":1}');
    expect(row.item).toEqual({ messages: [{ role: 'user', content: 'hi' }], answer: 1 });
  });

  test('a column that happens to be called item does not make a row an eval row', () => {
    expect(parseRow('{"item":"apple","price":3}').item).toEqual({ item: 'apple', price: 3 });
  });

  test('an output field makes any row a flat one', () => {
    const row = parseRow('{"item":{"a":{"b":"x"}}}', { outputField: ['item', 'a', 'b'] });
    expect(row.item).toEqual({ item: { a: { b: 'x' } } });
    expect(row.sample).toEqual({ output_text: 'x' });
  });

  test('an output that is no text is taken as it is written', () => {
    expect(parseRow('{"out": {"b":1.0,"a":2}}', { outputField: ['out'] }).sample?.output_text).toBe(
      '{"b":1.0,"a":2}',
    );
  });
});

describe('whole API answers as samples', () => {
  test('a chat completion gives text, tools and choices', () => {
    const choices = [{ index: 0, message: { role: 'assistant', content: null, tool_calls: [call] } }];
    const row = toRow({ item: {}, sample: { object: 'chat.completion', model: 'm', choices } });
    expect(row).toMatchObject({ sample: { output_text: '', output_tools: [call], choices, model: 'm' } });
  });

  test('text parts are joined', () => {
    const content = [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ];
    expect(toRow({ item: {}, sample: { choices: [{ message: { content } }] } })).toMatchObject({
      sample: { output_text: 'ab', output_tools: [] },
    });
  });

  test('a response gives text and calls in the shape of chat', () => {
    const output = [
      { type: 'reasoning', summary: [] },
      { type: 'function_call', id: 'fc', call_id: 'call_1', name: 'f', arguments: '{"x":1.0}' },
      { type: 'message', content: [{ type: 'output_text', text: 'done' }] },
    ];
    expect(toRow({ item: {}, sample: { object: 'response', output } })).toMatchObject({
      sample: { output_text: 'done', output_tools: [call] },
    });
  });

  test("an SDK's dump has the text beside the output, and its calls all the same", () => {
    const output = [
      { type: 'reasoning', content: [{ type: 'reasoning_text', text: 'let me think' }] },
      { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{"x":1.0}' },
      { type: 'message', content: [{ type: 'output_text', text: '42' }] },
    ];
    expect(toRow({ item: {}, sample: { object: 'response', output, output_text: '42' } })).toMatchObject({
      sample: { output_text: '42', output_tools: [call] },
    });
    expect(toRow({ item: {}, sample: { object: 'response', output } })).toMatchObject({
      sample: { output_text: '42' },
    });
  });

  test('several choices are noted', () => {
    const notes: string[] = [];
    const choices = [{ message: { content: 'a' } }, { message: { content: 'b' } }];
    const row = toRow({ item: {}, sample: { choices } }, { note: (note) => notes.push(note) });
    expect(row).toMatchObject({ sample: { output_text: 'a' } });
    expect(notes).toEqual(['several_choices']);
  });
});

describe('the source text of values', () => {
  test('numbers, big integers and the order of keys are kept', () => {
    const row = parseRow(
      '{"item":{"n":1.0,"big":18446744073709551616,"o":{"10":1,"2": 2}},"sample":{"output_json":{"v":1e2}}}',
    );
    expect(row.sourceText?.('item', ['n'])).toBe('1.0');
    expect(row.sourceText?.('item', ['big'])).toBe('18446744073709551616');
    expect(row.sourceText?.('item', ['o'])).toBe('{"10":1,"2": 2}');
    expect(row.sourceText?.('sample', ['output_json', 'v'])).toBe('1e2');
  });

  test('derived variables are found where they come from', () => {
    const row = parseRow(
      '{"item":{},"sample":{"choices":[{"message":{"content":"x","tool_calls":[{"function":{"n":1.50}}]}}]}}',
    );
    expect(row.sourceText?.('sample', ['output_tools', 0, 'function', 'n'])).toBe('1.50');
    expect(row.sourceText?.('sample', ['choices', 0, 'message', 'content'])).toBe('"x"');
  });

  test('what was put together has none', () => {
    const row = parseRow(
      '{"item":{},"sample":{"output":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]}}',
    );
    expect(row.sourceText?.('sample', ['output_tools'])).toBeUndefined();
  });
});

describe('hostile rows', () => {
  test.each([
    ['repeated keys under deep nesting', `${'['.repeat(5e4)}{${'"":1,'.repeat(2e4)}"":1}x`],
    ['a long list with a mistake at its end', `[${'1,'.repeat(2e6)}x`],
    ['nothing but opening brackets', '['.repeat(1e6)],
  ])('%s is one failed row', (_name, text) => {
    expect(() => parseRow(text)).toThrow('not valid JSON at column');
  });

  test('a getter that throws is a failed row, not a crash', () => {
    const row = {
      get item(): never {
        throw new Error('no');
      },
    };
    expect(toRow(row)).toMatchObject({ status: 'failed', code: 'row_error' });
  });

  test('a flat row may have a column called sample', () => {
    expect(parseRow('{"sample":7,"x":1}')).toMatchObject({ item: { sample: 7, x: 1 }, sample: undefined });
  });
});

describe('rows that cannot be used', () => {
  test.each([
    ['nonsense', 'not valid JSON'],
    ['[1]', 'expected a JSON object, got an array'],
    ['"text"', 'expected a JSON object, got a string'],
    ['null', 'expected a JSON object, got null'],
    ['{"item":{},"sample":7}', '"sample" is a number, expected a text or an object'],
    ['{"item":{},"sample":["a"]}', '"sample" is an array'],
  ])('%s', (text, message) => {
    expect(() => parseRow(text)).toThrow(GradingError);
    expect(() => parseRow(text)).toThrow(message);
  });

  test('a missing output field names the fields there are', () => {
    expect(() => parseRow('{"a":1,"b":2}', { outputField: ['c', 'd'] })).toThrow(
      'the output field c.d is missing; there is a, b',
    );
    expect(() => parseRow('{"a":null}', { outputField: ['a'] })).toThrow('the output field a is null');
    expect(() => parseRow('{"a":"x"}', { outputField: ['a', 'length'] })).toThrow('is missing');
    expect(() => parseRow('{"a":{}}', { outputField: ['a', '__proto__'] })).toThrow('is missing');
  });
});
