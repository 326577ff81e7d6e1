import { test } from '@fast-check/vitest';
import { array, integer } from 'fast-check';
import { describe, expect } from 'vitest';
import { PromptDraw } from '../../src/rehearse/draw.js';

const drawn = (keys: readonly string[], count: number, seed = 0) => {
  const draw = new PromptDraw<string>(count, seed);
  keys.forEach((key, index) => draw.add(key, () => `${key}/${index}`));
  return draw;
};

const keysOf = (draw: PromptDraw<string>): readonly string[] =>
  draw.prompts().map(([member]) => member.split('/')[0]);

const keyLists = array(integer({ min: 0, max: 40 }).map(String), { minLength: 1, maxLength: 120 });

test.prop([keyLists, integer({ min: 1, max: 12 })])(
  'draws as many prompts as there can be, each with all of its rows, in their order',
  (keys, count) => {
    const draw = drawn(keys, count);
    expect(draw.seen).toBe(new Set(keys).size);
    expect(draw.prompts()).toHaveLength(Math.min(count, draw.seen));
    for (const members of draw.prompts()) {
      const [key] = members[0].split('/');
      expect(members).toEqual(keys.flatMap((each, index) => (each === key ? [`${key}/${index}`] : [])));
    }
  },
);

test.prop([keyLists, integer({ min: 1, max: 12 })])(
  'does not depend on the order, and a smaller draw is a part of a larger one',
  (keys, count) => {
    const found = new Set(keysOf(drawn(keys, count)));
    expect(new Set(keysOf(drawn(keys.toReversed(), count)))).toEqual(found);
    const larger = new Set(keysOf(drawn(keys, count + 1)));
    for (const key of found) expect(larger).toContain(key);
  },
);

describe('a draw', () => {
  test('takes every prompt as often as any other, over the seeds', () => {
    const keys = Array.from({ length: 10 }, (_, index) => String(index));
    const counts = new Map(keys.map((key) => [key, 0]));
    for (let seed = 0; seed < 2000; seed += 1)
      for (const key of keysOf(drawn(keys, 3, seed))) counts.set(key, (counts.get(key) ?? 0) + 1);
    // 600 expected, with a standard deviation of 20.5.
    for (const count of counts.values()) expect(Math.abs(count - 600)).toBeLessThan(5 * 20.5);
  });

  test('of all keeps all', () => {
    expect(keysOf(drawn(['b', 'a', 'b', 'c'], Infinity))).toEqual(['b', 'a', 'c']);
  });
});
