import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { JudgeCall } from '../../src/judge-call.js';
import { openCache, type JudgeCache } from '../../src/judge/cache.js';
import { fieldsOf, sketchOf } from '../../src/judge/cache-sketch.js';
import { callStatuses, whyJson, whyText } from '../../src/judge/cache-why.js';
import { callKey } from '../../src/judge/call-key.js';
import { ADDRESS, callOf, replyOf } from './cache-calls.js';

let folder: string;
let cache: JudgeCache;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-01T10:00:00Z') });
  folder = mkdtempSync(join(tmpdir(), 'assay-why-'));
  cache = openCache(folder);
});
afterEach(async () => {
  vi.useRealTimers();
  await cache.close();
  rmSync(folder, { recursive: true });
});

const keep = (call: JudgeCall, address = ADDRESS) =>
  cache.put({
    key: callKey(address, call),
    kind: 'reply',
    asked: sketchOf(fieldsOf(address, call)),
    value: replyOf('x'),
  });
const why = (...calls: readonly JudgeCall[]) =>
  callStatuses(
    calls.map((call) => ({ grader: 'tone', address: ADDRESS, call })),
    cache,
  );

test('a call that is there, one of which nothing is like, and nothing at all', () => {
  expect(why(callOf()).map(whyText)).toEqual(['tone: gpt-4.1: not in the cache, and nothing like it is\n']);
  keep(callOf());
  expect(why(callOf()).map(whyText)).toEqual(['tone: gpt-4.1: in the cache since 2026-11-01T10:00:00Z\n']);
  expect(why()).toEqual([]);
});

test('the nearest entry is of the same messages, however many parameters differ', () => {
  keep(
    callOf({
      messages: [
        { role: 'system', content: 'Grade the answer from 0 to 1.' },
        { role: 'user', content: 'The answer is 5.' },
      ],
    }),
  );
  keep(callOf({ sampling: { temperature: 1, seed: 4 }, repeat: 2 }), {
    ...ADDRESS,
    url: 'http://localhost/v1/responses',
  });
  expect(why(callOf()).map(whyText).join('')).toBe(
    [
      'tone: gpt-4.1: not in the cache',
      '  the nearest entry is of 2026-11-01T10:00:00Z and differs in 4 fields:',
      '  endpoint: "https://api.openai.com/v1/responses", in the cache "http://localhost/v1/responses", other from character 4 on',
      '  sampling.temperature: 0, in the cache 1',
      '  repeat: 0, in the cache 2',
      '  sampling.seed: (nothing), in the cache 4',
      '',
    ].join('\n'),
  );
});

const asking = (text: string) => callOf({ messages: [{ role: 'user', content: text }] });

test('of entries with other messages, the one that becomes another last; and each call has its own', () => {
  keep(asking('Is the sky blue? The answer: yes'));
  keep(asking('Is the sea deep? The answer: no'));
  const statuses = why(asking('Is the sky blue? The answer: no'), asking('Is the sea deep? The answer: yes'));
  expect(statuses.map(({ differences }) => differences?.map(({ from }) => from))).toEqual([[29], [29]]);
  expect(whyJson(statuses[0])).toEqual({
    grader: 'tone',
    model: 'gpt-4.1',
    repeat: 0,
    key: expect.stringMatching(/^[\da-f]{64}$/),
    cached: false,
    at: '2026-11-01T10:00:00.000Z',
    differences: [
      {
        path: 'messages[0].content',
        asked: '"Is the sky blue? The answer: no"',
        cached: '"Is the sky blue? The answer: yes"',
        from: 29,
      },
    ],
  });
});

test('of equally near ones, the newest', () => {
  keep(callOf({ repeat: 1 }));
  vi.setSystemTime(new Date('2026-11-02T10:00:00Z'));
  keep(callOf({ repeat: 2 }));
  expect(why(callOf({ repeat: 3 }))[0].record?.at).toBe(Date.parse('2026-11-02T10:00:00Z'));
});

test('what stands in prompts cannot repaint a terminal', () => {
  keep(callOf({ model: '\u001b[2J' }));
  const text = why(callOf({ messages: [{ role: 'user', content: '\u001b[2J\u202e' }] }))
    .map(whyText)
    .join('');
  expect(text).not.toMatch(/[\u001b\u202e]/);
});
