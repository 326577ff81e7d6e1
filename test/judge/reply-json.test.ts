import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { findObjects, type ReplyValue } from '../../src/judge/reply-json.js';

const plain = (value: ReplyValue): unknown => {
  if (value instanceof Map) return [...value].map(([key, inner]) => [key, plain(inner as ReplyValue)]);
  return Array.isArray(value) ? value.map(plain) : value;
};

/** As `plain`, of what JSON.parse gives. */
const parsed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(parsed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value).map(([key, inner]) => [key, parsed(inner)]);
};

describe('agrees with JSON.parse', () => {
  // Keys that look like indexes change their order in an object, not in a map.
  const key = fc.string({ unit: 'binary' }).filter((name) => !/^\d+$/.test(name));
  const { object } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue({ maxDepth: 0 }),
      fc.string({ unit: 'binary' }),
      fc.array(tie('value'), { maxLength: 3 }),
      tie('object'),
    ),
    object: fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  }));

  propertyTest.prop([object, fc.nat({ max: 3 }), fc.stringMatching(/^[^{}"']*$/)])(
    'on any object',
    (value, indent, prose) => {
      const text = JSON.stringify(value, undefined, indent);
      const [found, ...more] = findObjects(`${prose}${text}${prose}`);
      expect(more).toEqual([]);
      expect(found).toMatchObject({
        start: prose.length,
        end: prose.length + text.length,
        repairs: [],
        afterBroken: false,
      });
      expect(plain(found.fields)).toEqual(parsed(JSON.parse(text)));
    },
  );
});

describe('what breaks an object', () => {
  test.each([
    '{',
    '{"a"',
    '{"a":',
    '{"a": 01}',
    '{"a": 1.}',
    '{"a": +1}',
    '{"a": .5}',
    '{"a": 1 "b": 2}',
    '{"a": 1,,}',
    '{,}',
    '{a: 1}',
    '{"a": "b}',
    '{"a": nul}',
    '{"a": nulls}',
    '{"a": [1, 2}',
    "{'a': 'it's'}",
    '{"a": }',
  ])('%s', (text) => {
    expect([...findObjects(text)]).toEqual([]);
  });

  test('reading goes on behind it, and says so once it had a member', () => {
    expect([...findObjects('{x} {"a": 1}')]).toMatchObject([{ afterBroken: false }]);
    expect([...findObjects('{"a": x} {"a": 1}')]).toMatchObject([{ start: 9, end: 17, afterBroken: true }]);
  });
});

test('escapes mean what they mean in JSON, and others are text', () => {
  const text = String.raw`{"a": "\u00e9\n\"\/ \d \' \x41 \\"}`;
  const [{ fields, repairs }] = findObjects(text);
  expect(fields.get('a')).toBe('é\n"/ \\d \' \\x41 \\');
  expect(repairs).toEqual(['escapes']);
});
