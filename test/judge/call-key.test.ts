import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { callKey, canonicalJson, questionKey } from '../../src/judge/call-key.js';
import { explainDifference, fieldsOf, sketchOf } from '../../src/judge/cache-sketch.js';
import { ADDRESS, callOf } from './cache-calls.js';

const call = callOf();

describe('everything that decides an answer is in the key', () => {
  test.each([
    { change: { model: 'gpt-4o' } },
    { change: { messages: call.messages.slice(1) } },
    { change: { messages: [{ role: 'user', content: 'x' }, call.messages[1]] } },
    { change: { messages: [{ role: 'user', content: [{ type: 'text' as const, text: 'x' }] }] } },
    { change: { sampling: {} } },
    { change: { sampling: { temperature: 1 } } },
    { change: { sampling: { temperature: 0, seed: 1 } } },
    { change: { form: { ...call.form, name: 'other' } } },
    { change: { form: { ...call.form, schema: { type: 'object', properties: { result: {}, steps: {} } } } } },
    { change: { repeat: 1 } },
  ])('$change', ({ change }) => {
    const other = callOf(change);
    const sent = { ...ADDRESS, model: other.model };
    expect(callKey(sent, other)).not.toBe(callKey(ADDRESS, call));
    expect(questionKey(other)).not.toBe(questionKey(call));
    expect(explainDifference(fieldsOf(sent, other), sketchOf(fieldsOf(ADDRESS, call)))).not.toEqual([]);
  });

  test.each([
    { ...ADDRESS, url: 'https://api.openai.com/v1/chat/completions' },
    { ...ADDRESS, url: 'http://api.openai.com/v1/responses' },
    { ...ADDRESS, model: 'gpt-4.1-2025-04-14' },
  ])('the address $url $model, but not for the question', (address) => {
    expect(callKey(address, call)).not.toBe(callKey(ADDRESS, call));
  });
});

describe('nothing else is in the key', () => {
  test.each([
    'https://user:secret@api.openai.com/v1/responses',
    'https://api.openai.com/v1/responses?key=secret',
    'https://api.openai.com/v1/responses#secret',
  ])('credentials and query: %s', (url) => {
    expect(callKey({ ...ADDRESS, url }, call)).toBe(callKey(ADDRESS, call));
    expect(JSON.stringify(sketchOf(fieldsOf({ ...ADDRESS, url }, call)))).not.toContain('secret');
  });

  test('the order of parameters, and those that are undefined', () => {
    const [a, b] = [
      { temperature: 0, seed: 1 },
      { seed: 1, top_p: undefined, temperature: 0 },
    ].map((sampling) => callKey(ADDRESS, callOf({ sampling })));
    expect(a).toBe(b);
  });
});

test.prop([fc.json()])('canonical JSON is JSON of the same value, whatever the order of its keys', (text) => {
  const value: unknown = JSON.parse(text);
  const canonical = canonicalJson(value);
  expect(JSON.parse(canonical)).toEqual(JSON.parse(JSON.stringify(value)));
  expect(canonicalJson(reversed(value))).toBe(canonical);
});

/** The same value with the keys of its objects the other way round. */
const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, member]) => [key, reversed(member)] as const);
  return Object.fromEntries(entries.toReversed());
};

const texts = fc.oneof(
  fc.string(),
  fc.string({ minLength: 300, maxLength: 9_000, unit: 'binary' }),
  fc.integer({ min: 0, max: 40_000 }).map((length) => 'long '.repeat(length / 5)),
);
const asked = (text: string) => fieldsOf(ADDRESS, callOf({ messages: [{ role: 'user', content: text }] }));

describe('a sketch tells where calls differ', () => {
  test.prop([texts])('never from itself', (text) => {
    expect(explainDifference(asked(text), sketchOf(asked(text)))).toEqual([]);
  });

  test.prop([texts, texts])('from another text no later than where it begins to differ', (a, b) => {
    fc.pre(a !== b);
    const [difference, ...others] = explainDifference(asked(a), sketchOf(asked(b)));
    expect(others).toEqual([]);
    expect(difference.path).toBe('messages[0].content');
    expect(a.slice(0, difference.from)).toBe(b.slice(0, difference.from));
  });

  test('is small, and no prompt can be read from it', () => {
    const text = 'The patient is called Jane Doe. '.repeat(40_000);
    const sketch = JSON.stringify(sketchOf(asked(text)));
    expect(sketch.length).toBeLessThan(4_000);
    expect(sketch.match(/Jane/g)).toHaveLength(2);
  });

  test('shows both values, or where a long text becomes another', () => {
    const text = `${'the same '.repeat(100)}and then `;
    const now = fieldsOf(ADDRESS, callOf({ messages: [{ role: 'user', content: `${text}A` }], repeat: 1 }));
    const then = sketchOf(
      fieldsOf(ADDRESS, callOf({ messages: [{ role: 'user', content: `${text}B` }], sampling: { seed: 3 } })),
    );
    expect(explainDifference(now, then)).toEqual([
      { path: 'sampling.temperature', asked: '0', cached: '(nothing)' },
      { path: 'repeat', asked: '1', cached: '0' },
      {
        path: 'messages[0].content',
        asked: '…" same the same the same and then A"',
        cached: '910 characters',
        from: 896,
      },
      { path: 'sampling.seed', asked: '(nothing)', cached: '3' },
    ]);
  });
});
