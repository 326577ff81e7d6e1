import { fc, test } from '@fast-check/vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { GradingError } from '../../src/errors.js';
import type { Judge, JudgeCall, JudgeReply } from '../../src/judge-call.js';
import { openCache, type JudgeCache } from '../../src/judge/cache.js';
import { openCallFile } from '../../src/judge/cache-file.js';
import { cachedJudge } from '../../src/judge/cached-judge.js';
import { callKey } from '../../src/judge/call-key.js';
import { ADDRESS, callOf, replyOf } from './cache-calls.js';

let folder: string;
let cache: JudgeCache;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-cached-'));
  cache = openCache(join(folder, 'cache'));
});
afterEach(async () => {
  await cache.close();
  rmSync(folder, { recursive: true });
});

const addressOf = () => ADDRESS;

/** Gives a reply of its own to every call, and counts them. */
const countingJudge = (reply: (n: number) => JudgeReply | Promise<JudgeReply> = (n) => replyOf(`${n}`)) => {
  const judge = {
    asked: 0,
    ask: async (_call: JudgeCall) => reply(judge.asked++),
  };
  return judge satisfies Judge;
};

test('asks once, also when the program is started again', async () => {
  const inner = countingJudge();
  const judge = cachedJudge(inner, cache, addressOf);
  expect(await judge.ask(callOf())).toEqual(replyOf('0'));
  expect(await judge.ask(callOf())).toEqual(replyOf('0'));
  expect(await judge.ask(callOf({ repeat: 1 }))).toEqual(replyOf('1'));
  expect(judge.counts).toEqual({ hits: 1, misses: 2, shared: 0 });
  const later = openCache(join(folder, 'cache'));
  expect(await cachedJudge(inner, later, addressOf).ask(callOf({ repeat: 1 }))).toEqual(replyOf('1'));
  expect(inner.asked).toBe(2);
  await later.close();
});

test('equal calls at the same time are made once, with a cache and without', async () => {
  for (const store of [cache, undefined]) {
    const inner = countingJudge();
    const judge = cachedJudge(inner, store, addressOf);
    const calls = Array.from({ length: 10 }, (_, n) => judge.ask(callOf({ repeat: n % 2 })));
    expect((await Promise.all(calls)).map(({ text }) => text).join('')).toBe('0101010101');
    expect(judge.counts).toEqual({ hits: 0, misses: 2, shared: 8 });
    expect(inner.asked).toBe(2);
  }
});

const usage = fc.record(
  {
    prompt_tokens: fc.nat(),
    completion_tokens: fc.nat(),
    total_tokens: fc.nat(),
    cached_tokens: fc.nat(),
    reasoning_tokens: fc.nat(),
  },
  { requiredKeys: ['prompt_tokens', 'completion_tokens', 'total_tokens'] },
);
const replies = fc.record(
  {
    finishReason: fc.constantFrom('stop', 'length', 'content_filter'),
    usage,
    refusal: fc.string({ unit: 'binary' }),
    model: fc.string(),
    text: fc.string({ unit: 'binary' }),
  },
  { requiredKeys: ['text', 'model'] },
);

let name = 0;
test.prop([replies])('a reply is the same to the byte from the model and from the cache', async (reply) => {
  const judge = cachedJudge(
    countingJudge(() => reply),
    cache,
    addressOf,
  );
  const call = callOf({ model: `model ${(name += 1)}` });
  const [live, stored] = [await judge.ask(call), await judge.ask(call)];
  expect(judge.counts).toEqual({ hits: 1, misses: 1, shared: 0 });
  expect(JSON.stringify(stored)).toBe(JSON.stringify(live));
  expect(live).toEqual(reply);
});

test('failures are told to all who asked, and never kept', async () => {
  const inner = countingJudge((n) => {
    if (n === 0) throw new GradingError('model_grader_server_error', 'HTTP 500');
    return replyOf('better now');
  });
  const judge = cachedJudge(inner, cache, addressOf);
  const outcomes = await Promise.allSettled([judge.ask(callOf()), judge.ask(callOf())]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(cache.size).toBe(0);
  expect(await judge.ask(callOf())).toEqual(replyOf('better now'));
});

describe('asking anew', () => {
  test('what is older than the run is asked again, and replaced', async () => {
    const inner = countingJudge();
    await cachedJudge(inner, cache, addressOf).ask(callOf());
    const judge = cachedJudge(inner, cache, addressOf, { freshSince: Date.now() + 1 });
    expect(await judge.ask(callOf())).toEqual(replyOf('1'));
    expect(await cachedJudge(inner, cache, addressOf).ask(callOf())).toEqual(replyOf('1'));
  });

  test('a run that goes on keeps what it had asked, with the cache passed over or off', async () => {
    const path = join(folder, 'scores.jsonl.calls');
    const inner = countingJudge();
    for (const resume of [false, true, true]) {
      const calls = openCallFile(path, { resume });
      const outer = cachedJudge(inner, cache, addressOf, { freshSince: Date.now() + 1_000 });
      for (const store of [outer, inner])
        expect((await cachedJudge(store, calls, addressOf).ask(callOf())).text).toBe('0');
      await calls?.close();
    }
    expect(inner.asked).toBe(1);
  });
});

test.each([
  { value: null },
  { value: 'text' },
  { value: { text: 'no model' } },
  { value: { text: 1, model: 'm' } },
  { value: { text: '', model: 'm', refusal: 1 } },
  { value: { text: '', model: 'm', usage: { prompt_tokens: '1' } } },
  {
    value: {
      text: '',
      model: 'm',
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2, cached_tokens: '' },
    },
  },
])('what somebody else has put under the key is no reply: $value', async ({ value }) => {
  cache.put({ key: callKey(ADDRESS, callOf()), kind: 'reply', value });
  const judge = cachedJudge(countingJudge(), cache, addressOf);
  expect(await judge.ask(callOf())).toEqual(replyOf('0'));
});

test('hands on what the judge knows about models', () => {
  const inner: Judge = { ...countingJudge(), modelFor: (model) => ({ name: `${model}!` }) };
  expect(cachedJudge(inner, cache, addressOf).modelFor?.('a')).toEqual({ name: 'a!' });
  expect(cachedJudge(countingJudge(), cache, addressOf).modelFor).toBeUndefined();
});
