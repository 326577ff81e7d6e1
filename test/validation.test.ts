import { test as property, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { template } from '../src/schema.js';
import { checkShape, isAboutKey } from '../src/validation.js';

const schema = z.object({
  name: z.string().optional(),
  input: template,
  mode: z.enum(['strict', 'lenient']),
  limit: z.number().min(1).optional(),
  options: z.object({ depth: z.number() }).optional(),
});

const found = (config: unknown, of: z.ZodType = schema) =>
  checkShape(of, config).issues.map(({ path, message, hint, severity, at }) => ({
    path: path.join('.'),
    message,
    severity,
    hint,
    at,
  }));

interface Case {
  readonly name: string;
  readonly config: unknown;
  readonly issues: readonly Partial<ReturnType<typeof found>[number]>[];
}

describe('checkShape', () => {
  test('a good configuration is parsed and has no issues', () => {
    const { config, issues } = checkShape(schema, { input: 'a {{ item.b }}', mode: 'strict' });
    expect(issues).toEqual([]);
    expect(config?.input.render({ item: { b: '1' } })).toBe('a 1');
  });

  const CASES: readonly Case[] = [
    {
      name: 'wrong types',
      config: { input: 3, mode: 'strict', name: null },
      issues: [
        { path: 'name', message: 'expected a string, got null', severity: 'error' },
        { path: 'input', message: 'expected a string, got 3', severity: 'error' },
      ],
    },
    {
      name: 'missing fields',
      config: {},
      issues: [
        { path: 'input', message: 'is missing, expected a string', severity: 'error' },
        { path: 'mode', message: 'is missing, expected one of strict, lenient', severity: 'error' },
      ],
    },
    {
      name: 'a value close to one that is known',
      config: { input: '', mode: 'Strict' },
      issues: [
        {
          path: 'mode',
          message: 'expected one of strict, lenient, got "Strict"',
          severity: 'error',
          hint: 'did you mean "strict"?',
        },
      ],
    },
    {
      name: 'a mistyped field that must be there: one mistake, not two',
      config: { input: '', moode: 'strict' },
      issues: [
        {
          path: 'moode',
          message: 'unknown key, and mode is missing, expected one of strict, lenient',
          severity: 'error',
          hint: 'did you mean "mode"?',
        },
      ],
    },
    {
      name: 'an unknown key deep inside',
      config: { input: '', mode: 'strict', options: { depth: 1, width: 2 } },
      issues: [{ path: 'options.width', message: 'unknown key, expected one of depth', severity: 'warning' }],
    },
    {
      name: 'every mistake of a template, and its warnings',
      config: { input: '{{ item }} {{ foo }} {{ item.x | f }}', mode: 'strict' },
      issues: [
        {
          path: 'input',
          message: '{{ item }} inserts the whole item as JSON',
          severity: 'warning',
          hint: 'name one field, such as {{ item.answer }}',
          at: 3,
        },
        {
          path: 'input',
          message: '{{ foo }}: unknown name foo, expected item.… or sample.…',
          severity: 'error',
          hint: 'did you mean {{ item.foo }}?',
          at: 14,
        },
        {
          path: 'input',
          message: '{{ item.x | f }}: filters and calls are not supported',
          severity: 'error',
          hint: 'use {{ item.x }}',
          at: 31,
        },
      ],
    },
    {
      name: "a sound template's warnings beside another field's mistake",
      config: { input: '{{ item }}', mode: 'no' },
      issues: [
        { path: 'mode', message: 'expected one of strict, lenient, got "no"', severity: 'error' },
        {
          path: 'input',
          message: '{{ item }} inserts the whole item as JSON',
          severity: 'warning',
          hint: 'name one field, such as {{ item.answer }}',
          at: 3,
        },
      ],
    },
    {
      name: 'a number that is not finite',
      config: { input: '', mode: 'strict', limit: Infinity },
      issues: [{ path: 'limit', message: 'expected a finite number, got Infinity', severity: 'error' }],
    },
    {
      name: "zod's own words where they are the best there are",
      config: { input: '', mode: 'strict', limit: 0 },
      issues: [{ path: 'limit', message: 'Too small: expected number to be >=1, got 0', severity: 'error' }],
    },
    {
      name: 'names of the prototype are names like any other',
      config: { input: '', mode: 'strict', constructor: 1, toString: 2 },
      issues: ['constructor', 'toString'].map((path) => ({
        path,
        message: 'unknown key, expected one of name, input, mode, limit, options',
        severity: 'warning' as const,
      })),
    },
  ];

  test.each(CASES)('$name', ({ config, issues }) => {
    expect(found(config)).toEqual(issues);
  });

  test('unknown keys are errors of a strict schema, and nothing of a loose one', () => {
    const config = { a: 1, b: 2 };
    expect(found(config, z.strictObject({ a: z.number() }))).toEqual([
      { path: 'b', message: 'unknown key, expected one of a', severity: 'error' },
    ]);
    expect(found(config, z.looseObject({ a: z.number() }))).toEqual([]);
  });

  test('of a choice between shapes, the expected ones are named together', () => {
    const either = z.object({ x: z.union([z.record(z.string(), z.number()), z.array(z.number())]) });
    expect(found({ x: 'a' }, either)).toEqual([
      { path: 'x', message: 'expected an object or an array, got "a"', severity: 'error' },
    ]);
    expect(found({ x: [1, '2'] }, either)).toEqual([
      { path: 'x.1', message: 'expected a number, got "2"', severity: 'error' },
    ]);
  });

  test('an unknown key is an issue about the key, a bad value is not', () => {
    const [bad, unknown] = checkShape(schema, { input: '', mode: 1, foo: 2 }).issues;
    expect([isAboutKey(bad), isAboutKey(unknown)]).toEqual([false, true]);
  });

  property.prop([fc.object({ maxDepth: 4 })])(
    'never throws, and errors say that nothing was parsed',
    (config) => {
      const { config: parsed, issues } = checkShape(schema, config);
      expect(parsed === undefined).toBe(issues.some(({ severity }) => severity === 'error'));
    },
  );
});
