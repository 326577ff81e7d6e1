import { describe, expect, test } from 'vitest';
import { show } from '../src/show.js';

describe('show', () => {
  test.each([
    { value: 'a\n"b"', text: String.raw`"a\n\"b\""` },
    { value: 'x'.repeat(100), text: `"${'x'.repeat(60)}…"` },
    { value: Number.NaN, text: 'NaN' },
    { value: null, text: 'null' },
    { value: undefined, text: 'undefined' },
    { value: [1, 2], text: 'an array of 2' },
    { value: [], text: 'an empty array' },
    { value: {}, text: 'an empty object' },
    { value: { a: 1, 'b c': 2 }, text: 'an object with a, "b c"' },
    { value: { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 }, text: 'an object with a, b, c, d, e, …' },
  ])('$text', ({ value, text }) => {
    expect(show(value)).toBe(text);
  });
});
