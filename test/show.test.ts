import { describe, expect, test } from 'vitest';
import { printable, show } from '../src/show.js';

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

test('what could repaint a terminal is escaped', () => {
  expect(printable('a\u001b]0;pwn\u0007\u009b1m b')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  expect(printable('plain “text” é')).toBe('plain “text” é');
});
