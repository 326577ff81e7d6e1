import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as plainTest } from 'vitest';
import type { PathSegment } from '../src/errors.js';
import { jsonSpan, jsonSpanText } from '../src/span.js';

describe('the text of a value is what the source wrote', () => {
  plainTest.each<[name: string, text: string, path: PathSegment[], expected: string | undefined]>([
    ['the whole text, without white space', ' \n{"a": 1}\t', [], '{"a": 1}'],
    ['a float keeps its zero', '{"a": 1.0}', ['a'], '1.0'],
    ['a big integer stays whole', '{"id": 12345678901234567890}', ['id'], '12345678901234567890'],
    ['an exponent', '{"a":-1.50E+3}', ['a'], '-1.50E+3'],
    ['key order, also of integer keys', '{"a": {"10": 1, "2": 2}}', ['a'], '{"10": 1, "2": 2}'],
    ['literals', '[true,false , null ]', [2], 'null'],
    ['a string with its quotes and escapes', '{"a": "x\\"y\\\\"}', ['a'], '"x\\"y\\\\"'],
    ['a string full of brackets', '{"b": "]}{[\\"", "a": [1]}', ['a', 0], '1'],
    ['nested', '{"a":[{"b":[10,[20,30]]}]}', ['a', 0, 'b', 1], '[20,30]'],
    ['an index written as a name', '{"a":[5,6]}', ['a', '1'], '6'],
    ['the empty key', '{"": 1}', [''], '1'],
    ['the last of two equal keys', '{"a": 1, "b": 2, "a": 3}', ['a'], '3'],
    ['the last of two equal keys, one with escapes', '{"a": 1, "\\u0061": 2}', ['a'], '2'],
    ['a key that holds a quote', '{"a\\"b": 1}', ['a"b'], '1'],
    ['a key that looks like an escape', '{"a\\n": 1, "a\\\\n": 2}', ['a\\n'], '2'],
    ['an escape is no literal backslash', '{"a\\n": 1}', ['a\\n'], undefined],
    ['__proto__ is a key like any other', '{"__proto__": {"x": 1}}', ['__proto__', 'x'], '1'],
    ['only own keys', '{}', ['constructor'], undefined],
    ['behind the end of an array', '[1,2]', [2], undefined],
    ['in an empty array', '[ ]', [0], undefined],
    ['no length', '[1,2]', ['length'], undefined],
    ['no index of an object', '{"0": 1}', [0], undefined],
    ['no key of a string', '{"a":"{\\"b\\":1}"}', ['a', 'b'], undefined],
    ['a longer key of the same start', '{"ab": 1}', ['a'], undefined],
  ])('%s', (_name, text, path, expected) => {
    expect(jsonSpanText(text, path)).toBe(expected);
  });

  plainTest('100,000 brackets deep', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(jsonSpan(`{"a":${deep},"b":7}`, ['b'])).toEqual({
      start: 5 + deep.length + 5,
      end: 5 + deep.length + 6,
    });
    expect(jsonSpanText(`{"a":${deep}}`, ['a'])).toBe(deep);
  });

  plainTest('a key with a million escaped quotes takes linear time', () => {
    const key = '\\"'.repeat(1_000_000);
    expect(jsonSpanText(`{"${key}":1,"a":2}`, ['a'])).toBe('2');
  });
});

describe('text that is not JSON has no value', () => {
  plainTest.each([
    ['', []],
    ['{', ['a']],
    ['{"a"', ['a']],
    ['{"a":', ['a']],
    ['{"a":}', ['a']],
    ['{"a":1', ['a']],
    ['{"a":1 "b":2}', ['b']],
    ['{"a":1] "b":2}', ['b']],
    ['{a:1}', ['a']],
    ['{"a":"x', ['a']],
    ['{"\\u00zz":1}', ['a']],
    ['[1,', [1]],
    ['[1}2]', [1]],
    ['[', []],
    ['"abc', []],
    ['"abc\\"', []],
  ])('%s', (text, path) => {
    expect(jsonSpan(text, path)).toBeUndefined();
  });
});

/** Every path of a value, with the value there. */
const places = (value: unknown, path: PathSegment[] = []): [PathSegment[], unknown][] => {
  const here: [PathSegment[], unknown] = [path, value];
  if (Array.isArray(value))
    return [here, ...value.flatMap((child, index) => places(child, [...path, index]))];
  if (typeof value !== 'object' || value === null) return [here];
  return [here, ...Object.entries(value).flatMap(([key, child]) => places(child, [...path, key]))];
};

test.prop([fc.json({ maxDepth: 4 }), fc.constantFrom(undefined, 1, '\t')])(
  'every value of a document is found where JSON.parse has it',
  (json, indent) => {
    const text = JSON.stringify(JSON.parse(json), null, indent);
    for (const [path, value] of places(JSON.parse(text))) {
      const span = jsonSpanText(text, path);
      expect(span?.trim()).toBe(span);
      expect(JSON.parse(span ?? '')).toEqual(value);
    }
  },
);

test.prop([fc.json(), fc.nat(), fc.string({ maxLength: 3 }), fc.array(fc.oneof(fc.nat(3), fc.string()))])(
  'broken text neither throws nor loops, and a span lies inside it',
  (json, position, garbage, path) => {
    const at = position % (json.length + 1);
    const text = json.slice(0, at) + garbage + json.slice(at + 1);
    const span = jsonSpan(text, path);
    if (span !== undefined) expect(span.start < span.end && span.end <= text.length).toBe(true);
  },
);
