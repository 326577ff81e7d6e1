import { fc, test as propertyTest } from '@fast-check/vitest';
import { beforeAll, afterAll, describe, expect, test } from 'vitest';
import type { Row } from '../../src/contract.js';
import { parseRow, toRow, type RowShape } from '../../src/dataset/row.js';
import { RowScanner } from '../../src/dataset/row-scanner.js';
import { RowBuffer } from '../../src/python/row-json.js';
import { LateScore } from '../../src/score.js';
import { loadSource, outcomeOf, type Loaded } from './grading.js';

/** The item and the sample of a row, as the two lines that Python reads. */
const linesOf = (row: Row): [item: string, sample: string] => {
  const buffer = new RowBuffer(8);
  buffer.add(row);
  const text = buffer.bytes.subarray(0, buffer.end).toString();
  const [item, sample, ...rest] = text.split('\n');
  expect(rest).toEqual(['']);
  return [item, sample];
};

/** A scanner as a run has it for a python grader. */
const scanner = new RowScanner({ variables: [], readsJson: true });

/** The row as a run reads it from a line, undefined when the line is left to the parser. */
const scan = (text: string): Row | undefined => {
  const block = Buffer.from(`"x"\n${text}\n{}`);
  scanner.open(
    block,
    block.every((byte) => byte < 0x80),
  );
  return scanner.scan(4, block.length - 3);
};

/** The lines for a row's text, which are the same for the row that is scanned and the one that is parsed. */
const lines = (text: string, shape?: RowShape) => linesOf(parseRow(text, shape));

describe('the item is as it was written', () => {
  test.each([
    ['wrapped', '{"item": {"n": 1.0, "big": 12345678901234567890, "e": 1E2}, "sample": "x"}'],
    ['white space in it', '{"item":  {"n": 1.0,\t"big": 12345678901234567890, "e": 1E2}  ,"sample":"x"}'],
  ])('%s', (_, text) => {
    const [item] = lines(text);
    expect(item.replaceAll(/\s/g, '')).toBe('{"n":1.0,"big":12345678901234567890,"e":1E2}');
  });

  test('a flat row is the item, with all that it has', () => {
    const text = '{"2": 1.0, "1": "é", "sample": "x", "__proto__": {"a": 1}}';
    expect(lines(text)[0]).toBe(text);
  });

  test('a row over several lines becomes one line', () => {
    expect(lines('{"item": {\n  "a": "b",\r\n  "c": 1.0\n}}')[0]).toBe('{   "a": "b",\r   "c": 1.0 }');
  });
});

describe('the sample', () => {
  const USUAL = '"output_tools":[],"choices":[]';
  test.each([
    { name: 'none', sample: undefined, expected: `{${USUAL}}` },
    { name: 'null', sample: 'null', expected: `{${USUAL}}` },
    { name: 'a text', sample: '"é\\n"', expected: `{${USUAL},"output_text":"é\\n"}` },
    { name: 'an empty text', sample: '""', expected: `{${USUAL},"output_text":""}` },
    { name: 'an object', sample: '{"output_text":"x"}', expected: `{${USUAL},"output_text":"x"}` },
    { name: 'an empty object', sample: '{ }', expected: `{${USUAL},"output_text":""}` },
    {
      name: 'an object with lists of its own',
      sample: '{"choices":[1.0],"output_text":"x","output_tools":[{}]}',
      expected: '{"choices":[1.0],"output_text":"x","output_tools":[{}]}',
    },
    {
      name: 'one list of its own',
      sample: '{"output_text":"x","output_tools":[{"a":1.0}]}',
      expected: '{"choices":[],"output_text":"x","output_tools":[{"a":1.0}]}',
    },
    {
      name: 'lists that are null',
      sample: '{"output_text":"x","output_tools":null,"choices":null}',
      expected: `{${USUAL},"output_text":"x"}`,
    },
    {
      name: 'lists that are none',
      sample: '{"output_text":"x","output_tools":"y","choices":{"a":1}}',
      expected: `{${USUAL},"output_text":"x"}`,
    },
    { name: 'a text that is null', sample: '{"output_text":null}', expected: `{${USUAL},"output_text":""}` },
    { name: 'a text that is none', sample: '{"output_text":5}', expected: `{${USUAL},"output_text":""}` },
    {
      name: 'audio, and fields that nobody knows',
      sample: '{"output_text":"x","output_audio":{"id":1.0},"2":null,"1":true}',
      expected: `{${USUAL},"output_text":"x","output_audio":{"id":1.0},"2":null,"1":true}`,
    },
    {
      name: 'JSON of its own',
      sample: '{"output_text":"{}","output_json":{"a":1.0}}',
      expected: `{${USUAL},"output_text":"{}","output_json":{"a":1.0}}`,
    },
    {
      name: 'JSON of its own that is null',
      sample: '{"output_text":"{}","output_json":null}',
      expected: `{${USUAL},"output_text":"{}","output_json":null}`,
    },
  ])('$name', ({ sample, expected }) => {
    const text = `{"item":{"a":1}${sample === undefined ? '' : `,"sample":${sample}`}}`;
    const [, parsed] = lines(text);
    expect(JSON.parse(parsed)).toEqual(JSON.parse(expected));
    const scanned = scan(text);
    if (scanned !== undefined) expect(linesOf(scanned)[1]).toBe(expected);
    expect(parsed).toBe(expected);
  });

  test('of --missing-sample empty', () => {
    expect(lines('{"item":{}}', { missingSample: 'empty' })[1]).toBe(`{${USUAL},"output_text":""}`);
    expect(lines('{"item":{},"sample":null}', { missingSample: 'empty' })[1]).toBe(
      `{${USUAL},"output_text":""}`,
    );
  });

  test('of --output-field, which leaves the whole row as the item', () => {
    const text = '{"a":1.0,"out":{"b":2.0}}';
    const [item, sample] = lines(text, { outputField: ['out'] });
    expect(item).toBe(text);
    expect(JSON.parse(sample)).toEqual({
      output_tools: [],
      choices: [],
      output_text: '{"b":2.0}',
      output_json: { b: 2 },
    });
    expect(sample).toContain('"output_json":{"b":2.0}');
  });

  test('of a dump of Chat Completions: the first choice', () => {
    const sample = {
      id: 'chatcmpl-1',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: '{"a":1.0}',
            tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }],
            audio: { id: 'audio_1' },
          },
        },
        { index: 1, message: { content: 'other' } },
      ],
    };
    const given: unknown = JSON.parse(lines(JSON.stringify({ item: {}, sample }))[1]);
    expect(given).toEqual({
      id: 'chatcmpl-1',
      choices: sample.choices,
      output_text: '{"a":1.0}',
      output_json: { a: 1 },
      output_tools: sample.choices[0].message.tool_calls,
      output_audio: { id: 'audio_1' },
    });
  });

  test('of a dump of Chat Completions without content', () => {
    const text = '{"item":{},"sample":{"choices":[{"message":{"content":null,"tool_calls":null}}]}}';
    expect(JSON.parse(lines(text)[1])).toMatchObject({ output_text: '', output_tools: [] });
  });

  test('of a dump of Responses: its messages and calls', () => {
    const sample = {
      id: 'resp_1',
      output: [
        { type: 'reasoning', summary: [] },
        { type: 'message', content: [{ type: 'output_text', text: 'It is ' }] },
        { type: 'message', content: [{ type: 'output_text', text: '4' }] },
        { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{"x":1}' },
      ],
    };
    const given: unknown = JSON.parse(lines(JSON.stringify({ item: {}, sample }))[1]);
    expect(given).toEqual({
      ...sample,
      choices: [],
      output_text: 'It is 4',
      output_tools: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"x":1}' } }],
    });
  });
});

describe('output_json is there where output_text is JSON', () => {
  test.each([
    ['{"a": 1.0}', '{"a": 1.0}'],
    ['[1, 2.50]', '[1, 2.50]'],
    ['"text"', '"text"'],
    ['3', '3'],
    ['-0.0', '-0.0'],
    ['1e5', '1e5'],
    ['12345678901234567890', '12345678901234567890'],
    ['true', 'true'],
    ['null', 'null'],
    [' \r\n\t{"a":\n[1,\n\n2]}\n ', '{"a": [1,  2]}'],
    ['\n3\n', '3'],
    ['"a\\nb"', '"a\\nb"'],
    ['"\\u2028\u2028é😀"', '"\\u2028\u2028é😀"'],
    ['{"__proto__": 1, "a": 1, "a": 2}', '{"__proto__": 1, "a": 1, "a": 2}'],
  ])('%j', (text, json) => {
    for (const sample of [text, { output_text: text }]) {
      const row = JSON.stringify({ item: {}, sample });
      expect(lines(row)[1]).toContain(`"output_json":${json},`);
      expect(linesOf(scan(row) as Row)).toEqual(lines(row));
      const library = toRow({ item: {}, sample }) as Row;
      expect(linesOf(library)).toEqual(lines(row));
    }
  });

  test.each([
    '',
    ' ',
    'text',
    '{',
    '{"a":1} x',
    '{a: 1}',
    "{'a': 1}",
    '01',
    '1.',
    '.5',
    'NaN',
    'Infinity',
    '-',
    'tru',
    'True',
    'None',
    '```json\n{}\n```',
    '\uFEFF{}',
    '\u00A01',
    '1 2',
    '"a\nb"',
    '1-1',
    'nulll',
  ])('but not where it is %j', (text) => {
    const row = JSON.stringify({ item: {}, sample: text });
    expect(lines(row)[1]).toBe(`{"output_tools":[],"choices":[],"output_text":${JSON.stringify(text)}}`);
    expect(linesOf(scan(row) as Row)).toEqual(lines(row));
  });
});

const given = (value: Record<string, unknown>) => linesOf(toRow(value) as Row);

const failure = (value: Record<string, unknown>) => {
  try {
    return given(value);
  } catch (error) {
    return error;
  }
};

describe('rows that a program hands in', () => {
  test('undefined and functions are left out; dates and BigInt are written', () => {
    const item = { a: undefined, b: () => 1, c: new Date(0), d: 12345678901234567890n, e: [undefined, 1] };
    const sample = { output_text: 'x', extra: undefined, f: () => 1, when: new Date(0), n: 2n };
    expect(given({ item, sample })).toEqual([
      '{"c":"1970-01-01T00:00:00.000Z","d":12345678901234567890,"e":[null,1]}',
      '{"output_tools":[],"choices":[],"output_text":"x","when":"1970-01-01T00:00:00.000Z","n":2}',
    ]);
  });

  test('halves of characters stay what they are', () => {
    const [item, sample] = given({ item: { '\uD83D': '\uDE00' }, sample: '{"a":"\uD83D"}' });
    expect(JSON.parse(item)).toEqual({ '\uD83D': '\uDE00' });
    expect(JSON.parse(sample)).toMatchObject({
      output_text: '{"a":"\uD83D"}',
      output_json: { a: '\uD83D' },
    });
  });

  test('what cannot be written is a failure of the row, and nothing is added', () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const bad = {
      get x(): never {
        throw new Error('no x');
      },
    };
    for (const [row, message] of [
      [{ item: cycle }, /^item cannot be written as JSON: /],
      [{ item: {}, sample: { output_text: '', meta: cycle } }, /^sample\.meta cannot be written as JSON: /],
      [{ item: bad }, 'item cannot be written as JSON: no x'],
    ] as const) {
      expect(failure(row)).toMatchObject({
        code: 'row_error',
        message: expect.stringMatching(message) as string,
      });
      const buffer = new RowBuffer(8);
      buffer.add({ item: { a: 1 } });
      const { end } = buffer;
      expect(() => buffer.add(toRow(row) as Row)).toThrow();
      expect(buffer.end).toBe(end);
    }
  });

  test('numbers that JSON does not have are null', () => {
    expect(given({ item: { a: NaN, b: Infinity, c: -0 } })[0]).toBe('{"a":null,"b":null,"c":0}');
  });
});

test('a buffer grows, and is given up when it has become large', () => {
  const buffer = new RowBuffer(200);
  const write = () => {
    for (let n = 0; n < 10; n += 1) buffer.add({ item: { n } });
    return buffer.bytes.subarray(0, buffer.end).toString();
  };
  const first = write();
  expect(first.split('\n')).toHaveLength(21);
  buffer.clear();
  expect(buffer.end).toBe(0);
  expect(write()).toBe(first);
  buffer.add({ item: { long: 'x'.repeat(100_000) } });
  expect(buffer.clear()).toBe(false);
});

// Properties

const space = fc.constantFrom('', '', '', ' ', '\t', '\r', ' \r ');
const character = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(..."ab01 {}[]:,.-'é\u2028\u007F".split(''), '😀') },
  fc.constantFrom(
    '\\"',
    '\\\\',
    '\\/',
    '\\n',
    '\\r',
    '\\t',
    '\\u0000',
    '\\u0061',
    '\\ud83d\\ude00',
    '\\ud800',
  ),
);
const stringText = fc.array(character, { maxLength: 12 }).map((parts) => `"${parts.join('')}"`);
const numberText = fc.oneof(
  fc.constantFrom('0', '-0', '-0.0', '1.0', '1E400', '1e-400', '9007199254740993', '1'.repeat(50), '12e0'),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
);
const key = fc.oneof(
  {
    weight: 10,
    arbitrary: fc
      .constantFrom(
        ...'output_text,output_json,output_tools,choices,a,10,9,__proto__,é,item,sample'.split(','),
      )
      .map((name) => `"${name}"`),
  },
  stringText,
);
const joined = (parts: readonly string[], open: string, close: string) => open + parts.join(',') + close;
const { value: valueText, object: objectText } = fc.letrec<{ value: string; object: string }>((tie) => ({
  object: fc
    .array(
      fc
        .tuple(space, key, space, space, tie('value'), space)
        .map(([a, k, b, c, v, d]) => `${a}${k}${b}:${c}${v}${d}`),
      { maxLength: 5 },
    )
    .map((parts) => joined(parts, '{', '}')),
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 3, arbitrary: stringText },
    { weight: 2, arbitrary: numberText },
    { weight: 2, arbitrary: fc.constantFrom('true', 'false', 'null', '{}', '[]', '{ }', '[ ]') },
    { weight: 2, arbitrary: tie('object') },
    {
      weight: 1,
      arbitrary: fc.array(tie('value'), { maxLength: 3 }).map((parts) => joined(parts, '[', ']')),
    },
  ),
}));
const jsonInText = valueText.map((text) => JSON.stringify(text));
const sampleObject = fc
  .tuple(
    fc.option(fc.oneof(stringText, jsonInText), { freq: 6 }),
    fc.array(fc.tuple(key, valueText), { maxLength: 4 }),
    fc.boolean(),
  )
  .map(([text, others, first]) => {
    const own = text === null ? [] : [`"output_text":${text}`];
    const rest = others.map(([name, value]) => `${name}: ${value}`);
    return joined(first ? [...own, ...rest] : [...rest, ...own], '{', '}');
  });
const sampleText = fc.oneof(sampleObject, stringText, jsonInText, fc.constant('null'));
const rowText = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(objectText, sampleText).map(([i, s]) => `{"item":${i},"sample":${s}}`) },
  fc
    .tuple(space, sampleText, objectText, space)
    .map(([a, s, i, b]) => `${a}{"sample": ${s} , "item": ${i} }${b}`),
  fc.tuple(space, objectText, space).map((parts) => parts.join('')),
  objectText.map((item) => `{"item":${item}}`),
);

/** A JSON text with all that Python sees of it: the order and number of keys, and how numbers are written. */
const seen = (text: string): unknown => {
  const marked = text.replaceAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) =>
    token.startsWith('"') ? token : `"number ${token}"`,
  );
  return JSON.stringify(
    JSON.parse(marked, (_, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : value,
    ),
  );
};

const isRow = (text: string): boolean => {
  try {
    parseRow(text);
    return true;
  } catch {
    return false;
  }
};

propertyTest.prop([rowText.filter(isRow)], { numRuns: 3_000 })(
  'a row that is scanned is written as the one that is parsed',
  (text) => {
    const scanned = scan(text);
    fc.pre(scanned !== undefined);
    expect(linesOf(scanned).map(seen)).toEqual(lines(text).map(seen));
  },
);

describe.runIf(process.platform === 'linux')('in Python', () => {
  let loaded: Loaded;
  beforeAll(async () => {
    loaded = await loadSource(`
import zlib
def grade(sample, item):
    return zlib.crc32(repr((sample, item)).encode("utf-8", "surrogatepass"))
`);
  });
  afterAll(() => loaded.python.close());

  const settle = async (row: Row) => {
    const score = loaded.grader.gradeRow(row);
    return outcomeOf(score instanceof LateScore ? await score.toPromise() : await score);
  };

  propertyTest.prop([fc.array(rowText.filter(isRow), { minLength: 1, maxLength: 30 })], { numRuns: 60 })(
    'sample and item are the same values whichever way a row has come',
    async (texts) => {
      const scanned = await Promise.all(texts.map((text) => settle(scan(text) ?? parseRow(text))));
      const parsed = await Promise.all(texts.map((text) => settle(parseRow(text))));
      expect(scanned).toEqual(parsed);
      for (const outcome of parsed) expect(outcome).toBeTypeOf('number');
    },
  );
});
