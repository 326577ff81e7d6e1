import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { nestedGraders, prototypeKeys } from '../../src/engine/inspect.js';
import { memberGrader } from '../../src/schema.js';

describe('nestedGraders', () => {
  const holder = z.object({
    graders: z.union([z.record(z.string(), memberGrader), z.array(memberGrader)]),
    other: z.record(z.string(), z.unknown()).optional(),
  });

  test.each([
    { graders: { a: 1, b: 2 }, paths: ['graders.a', 'graders.b'] },
    { graders: [1, 2], paths: ['graders.0', 'graders.1'] },
    { graders: 'none', paths: [] },
  ])('$paths', ({ graders, paths }) => {
    const parts = nestedGraders(holder, { graders, other: { c: 3 } });
    expect(parts.map(({ path }) => path.join('.'))).toEqual(paths);
  });
});

describe('prototypeKeys', () => {
  test('finds own keys only, at any depth', () => {
    const config: unknown = JSON.parse('{"a":[{"__proto__":1}],"b":{"__proto__":{"__proto__":2}}}');
    const paths = prototypeKeys(config).map(({ path }) => path.join('.'));
    expect(paths.sort()).toEqual(['a.0.__proto__', 'b.__proto__']);
    expect(prototypeKeys({ a: [1] })).toEqual([]);
  });

  test('ends on circles', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(prototypeKeys(circle)).toEqual([]);
  });
});
