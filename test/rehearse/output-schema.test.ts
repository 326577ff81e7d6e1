import { describe, expect, test } from 'vitest';
import { compileOutputSchema } from '../../src/rehearse/output-schema.js';

const mistake = (schema: unknown, value: unknown): string | undefined =>
  compileOutputSchema(schema).mistakeIn(value);

interface Case {
  readonly schema: unknown;
  readonly value: unknown;
}

describe('a value that fits', () => {
  const tree = {
    type: 'object',
    properties: { value: { type: 'number' }, next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
    required: ['value', 'next'],
    additionalProperties: false,
  };
  test.each<Case>([
    { schema: {}, value: 7 },
    { schema: true, value: 7 },
    { schema: { type: ['string', 'null'] }, value: null },
    { schema: { type: 'integer' }, value: 7 },
    { schema: { enum: ['a', 1, null, { b: [2] }] }, value: { b: [2] } },
    { schema: { const: 'yes' }, value: 'yes' },
    { schema: { properties: { a: { type: 'string' } } }, value: 'no object, and no type is asked for' },
    { schema: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 2 }, value: ['a', 'b'] },
    { schema: { type: 'string', minLength: 1, maxLength: 1 }, value: '𝒳' },
    { schema: { type: 'string', pattern: '^\\d+$' }, value: '12' },
    { schema: { multipleOf: 0.1 }, value: 0.3 },
    { schema: { minimum: 0, maximum: 1 }, value: 1 },
    { schema: { exclusiveMinimum: 0, exclusiveMaximum: 1 }, value: 0.5 },
    { schema: { allOf: [{ required: ['a'] }, { required: ['b'] }] }, value: { a: 1, b: 2 } },
    { schema: { oneOf: [{ type: 'string' }, { type: 'number' }] }, value: 3 },
    { schema: { not: { type: 'string' } }, value: 3 },
    { schema: { additionalProperties: { type: 'number' } }, value: { a: 1 } },
    { schema: { $ref: '#/$defs/a~1b', $defs: { 'a/b': { type: 'number' } } }, value: 3 },
    { schema: tree, value: { value: 1, next: { value: 2, next: null } } },
  ])('$value of $schema', ({ schema, value }) => {
    expect(mistake(schema, value)).toBeUndefined();
    expect(compileOutputSchema(schema).unchecked).toEqual([]);
  });
});

describe('a value that does not', () => {
  test.each<Case & { readonly text: string }>([
    { schema: { type: 'object' }, value: [], text: 'expected an object, got an empty array' },
    { schema: { type: 'integer' }, value: 0.5, text: 'expected a whole number, got 0.5' },
    { schema: { type: ['string', 'null'] }, value: 3, text: 'expected a string or null, got 3' },
    { schema: { enum: ['a', 'b'] }, value: 'c', text: 'expected one of "a", "b", got "c"' },
    { schema: { const: 1 }, value: 2, text: 'expected 1, got 2' },
    { schema: { required: ['answer'] }, value: { answr: 1 }, text: 'answer: is missing' },
    { schema: { required: ['toString'] }, value: {}, text: 'toString: is missing' },
    {
      schema: { properties: { a: { items: { type: 'string' } } } },
      value: { a: ['x', 1] },
      text: 'a[1]: expected a string, got 1',
    },
    {
      schema: { properties: {}, additionalProperties: false },
      value: { constructor: 1 },
      text: 'constructor: is a key that the schema does not have',
    },
    { schema: { minItems: 2 }, value: [1], text: 'expected at least 2 elements, got 1' },
    { schema: { maxItems: 0 }, value: [1], text: 'expected at most 0 elements, got 1' },
    { schema: { minLength: 3 }, value: '𝒳𝒳', text: 'expected at least 3 characters, got 2' },
    { schema: { maxLength: 1 }, value: 'ab', text: 'expected at most 1 characters, got 2' },
    { schema: { pattern: '^\\d$' }, value: 'x', text: 'expected a text that matches "^\\\\d$", got "x"' },
    { schema: { minimum: 1 }, value: 0, text: 'expected at least 1, got 0' },
    { schema: { maximum: 1 }, value: 2, text: 'expected at most 1, got 2' },
    { schema: { exclusiveMinimum: 1 }, value: 1, text: 'expected more than 1, got 1' },
    { schema: { exclusiveMaximum: 1 }, value: 1, text: 'expected less than 1, got 1' },
    { schema: { multipleOf: 2 }, value: 3, text: 'expected a multiple of 2, got 3' },
    {
      schema: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      value: 3,
      text: '3 fits none of the alternatives',
    },
    { schema: { anyOf: [{ type: 'string' }] }, value: 3, text: 'expected a string, got 3' },
    {
      schema: { oneOf: [{}, { type: 'number' }] },
      value: 3,
      text: '3 fits several of the alternatives of oneOf',
    },
    { schema: { allOf: [{ minimum: 5 }] }, value: 3, text: 'expected at least 5, got 3' },
    { schema: { not: { type: 'number' } }, value: 3, text: '3 is what "not" excludes' },
    { schema: false, value: 3, text: 'expected nothing, got 3' },
  ])('$value of $schema: $text', ({ schema, value, text }) => {
    expect(mistake(schema, value)).toBe(text);
  });
});

test('what is not checked is named', () => {
  const schema = {
    type: 'object',
    title: 'x',
    properties: {
      when: { type: 'string', format: 'date' },
      a: { if: {}, pattern: '(' },
      b: { type: 'text' },
    },
    $defs: { c: { $ref: 'https://example.org/schema' } },
  };
  expect(compileOutputSchema(schema).unchecked).toEqual(['format', 'if', 'pattern', 'type', '$ref']);
  expect(mistake(schema, { when: 'x', a: 1, b: 2 })).toBeUndefined();
});

test('hostile outputs and schemas end', () => {
  const deep = JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`) as unknown;
  expect(mistake({ type: 'array', items: { $ref: '#' } }, deep)).toBe('nested too deeply to be checked');
  expect(mistake({ $ref: '#' }, 1)).toBe('nested too deeply to be checked');
  expect(mistake({ anyOf: [{ $ref: '#' }, { $ref: '#' }] }, 1)).toBe('1 fits none of the alternatives');
  expect(mistake({ required: ['__proto__'] }, {})).toBe('__proto__: is missing');
  expect(mistake({ required: ['__proto__'] }, JSON.parse('{"__proto__":1}'))).toBeUndefined();
  expect(mistake({ $ref: '#/%' }, 1)).toBeUndefined();
});
