import { test as property, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { readJson } from '../../src/cli/json-source.js';
import type { PathSegment } from '../../src/errors.js';
import { jsonSpan } from '../../src/span.js';

const parses = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

const errorOf = (text: string) => readJson(text).issues.find(({ severity }) => severity === 'error');

/** Every path of a value. */
const paths = (value: unknown, path: readonly PathSegment[] = []): (readonly PathSegment[])[] => [
  path,
  ...(typeof value === 'object' && value !== null ? Object.entries(value) : []).flatMap(([key, inner]) =>
    paths(inner, [...path, Array.isArray(value) ? Number(key) : key]),
  ),
];

/** JSON with one piece cut out and another put in. */
const mutated = fc
  .tuple(
    fc.json({ maxDepth: 3 }),
    fc.nat(),
    fc.nat(3),
    fc.constantFrom(...Array.from('{}[],:"\\\n\t 01.eE+-truefalsn\u0001é'), '//', "'"),
  )
  .map(([text, at, cut, piece]) => {
    const start = at % (text.length + 1);
    return text.slice(0, start) + piece + text.slice(start + cut);
  });

describe('readJson', () => {
  property.prop([fc.oneof(mutated, fc.json(), fc.string())], { numRuns: 2_000 })(
    'refuses exactly what JSON.parse refuses, with a place in the text',
    (text) => {
      const mistake = errorOf(text);
      expect(mistake === undefined).toBe(parses(text));
      if (mistake === undefined) return;
      expect(mistake.at >= 0 && mistake.at <= text.length).toBe(true);
      expect(mistake.message).not.toBe('');
    },
  );

  property.prop([fc.json({ maxDepth: 4 }), fc.constantFrom(undefined, 1, '\t')])(
    'finds every value where the span scanner finds it',
    (json, indent) => {
      const text = JSON.stringify(JSON.parse(json), undefined, indent);
      const source = readJson(text);
      for (const path of paths(source.value)) {
        if (path.includes('__proto__')) continue;
        expect(source.offsetOf({ path })).toBe(jsonSpan(text, path)?.start);
      }
    },
  );

  test.each([
    { text: '{"a":1,}', at: 6, message: 'a comma before }, expected none after the last value' },
    { text: '[1,,2]', at: 3, message: 'a second comma' },
    { text: '[,1]', at: 1, message: 'expected a JSON value, got ,' },
    { text: '{"a" 1}', at: 5, message: 'expected a colon after the key "a", got 1' },
    { text: '{"a":}', at: 5, message: 'expected a JSON value, got }' },
    { text: '{"a":1 "b":2}', at: 7, message: 'expected a comma or } before "b"' },
    { text: '{"a":1]', at: 6, message: 'expected a comma, or } for the { of line 1, got ]' },
    { text: '{"a":[1,2}', at: 9, message: 'expected a comma, or ] for the [ of line 1, got }' },
    { text: '{"a":\n', at: 5, message: 'the text ends, but the { of line 1 is not closed' },
    { text: '{"a', at: 1, message: 'this text is not closed, expected " before the end of the line' },
    { text: '"a\tb"', at: 2, message: 'a control character inside a text' },
    { text: '"\\u12"', at: 1, message: '\\u is not followed by four hexadecimal digits' },
    { text: '[.5]', at: 1, message: 'expected a JSON value, got .5' },
    { text: '[+1]', at: 1, message: 'expected a JSON value, got +1' },
    { text: '[1.]', at: 1, message: '1. is not a JSON number' },
    { text: '[0x10]', at: 1, message: '0x10 is not a JSON number' },
    { text: '[truely]', at: 1, message: 'expected a JSON value, got truely' },
    { text: 'undefined', at: 0, message: 'expected a JSON value, got undefined' },
    { text: '  ', at: 0, message: 'the text is empty, expected a JSON value' },
    { text: '1 2', at: 2, message: 'more text after the end of the JSON value: 2' },
    { text: '[1 // one\n]', at: 3, message: 'expected a comma, or ] for the [ of line 1, got a comment' },
  ])('$text: $message', ({ text, at, message }) => {
    expect(errorOf(text)).toMatchObject({ at, message });
  });

  test('a key that occurs twice is a warning at its second place, and the last value counts', () => {
    const { value, issues } = readJson('{"a":{"b":1,"b":2}}');
    expect(value).toEqual({ a: { b: 2 } });
    expect(issues).toMatchObject([{ at: 12, severity: 'warning', path: ['a', 'b'] }]);
  });

  test('what is missing is placed at the object that should have it', () => {
    const source = readJson('{"a": {"b": 1}}');
    expect(source.offsetOf({ path: ['a', 'c', 'd'] })).toBe(6);
    expect(source.offsetOf({ path: ['x'] })).toBe(0);
  });
});
