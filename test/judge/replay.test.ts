import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { questionKey } from '../../src/judge/call-key.js';
import { openReplay, type CallPlace, type EvidenceLine } from '../../src/judge/replay.js';
import { callOf } from './cache-calls.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-replay-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const replay = (text: string) => {
  const path = join(folder, 'verdicts');
  writeFileSync(path, text);
  return openReplay(path);
};
const lines = (...values: readonly object[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('');

const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
const steps = [{ description: 'compare', conclusion: 'equal' }];
const evidence = (changes: Partial<EvidenceLine> = {}): EvidenceLine => ({
  row: 0,
  judge: 'gpt-4.1',
  model: 'gpt-4.1-2025-04-14',
  finish_reason: 'stop',
  usage,
  result: 0.5,
  steps,
  ...changes,
});
const MISSING = expect.objectContaining({
  code: 'model_grader_server_error',
  message: expect.stringMatching(/^no verdict for this call is recorded in .*verdicts$/),
});

const at = async (line: EvidenceLine) => {
  const judge = replay(lines(line));
  return judge.ask(callOf(), { row: 0 }).finally(() => judge.close());
};

describe('evidence of assay run', () => {
  test('is found by the question, wherever it was asked', async () => {
    const call = callOf({ repeat: 1 });
    const judge = replay(lines(evidence({ row: 7, key: questionKey(call) }), evidence({ row: 8, key: 'x' })));
    expect(judge.recordings).toBe(2);
    expect(await judge.ask(call)).toEqual({
      text: JSON.stringify({ steps, result: 0.5 }),
      finishReason: 'stop',
      model: 'gpt-4.1-2025-04-14',
      usage,
    });
    await expect(judge.ask(callOf())).rejects.toEqual(MISSING);
    judge.close();
  });

  test('another question of the same row is not answered with it', async () => {
    const judge = replay(lines(evidence({ key: questionKey(callOf({ repeat: 5 })) })));
    await expect(judge.ask(callOf(), { row: 0 })).rejects.toEqual(MISSING);
    judge.close();
  });

  test('without a key is found by row, grader, model and repeat', async () => {
    const judge = replay(
      lines(
        evidence({ result: 1 }),
        evidence({ row: 1, result: 2 }),
        evidence({ row: 1, result: 3, repeat: 1 }),
        evidence({ row: 1, result: 4, grader: 'total.tone' }),
        evidence({ row: 1, result: 5, judge: 'o3' }),
      ),
    );
    const resultOf = async (place: CallPlace, changes = {}) =>
      (JSON.parse((await judge.ask(callOf(changes), place)).text) as { result: number }).result;
    expect(await resultOf({ row: 0 })).toBe(1);
    expect(await resultOf({ row: 1 })).toBe(2);
    expect(await resultOf({ row: 1 }, { repeat: 1 })).toBe(3);
    expect(await resultOf({ row: 1, grader: 'total.tone' })).toBe(4);
    expect(await resultOf({ row: 1 }, { model: 'o3' })).toBe(5);
    await expect(judge.ask(callOf(), { row: 2 })).rejects.toEqual(MISSING);
    await expect(judge.ask(callOf())).rejects.toEqual(MISSING);
    judge.close();
  });

  const failure = { result: undefined, steps: undefined };

  test('failures fail again in the same way', async () => {
    const refusal = { code: 'model_grader_refusal_error', message: 'I will not.' } as const;
    await expect(at(evidence({ ...failure, ...refusal }))).rejects.toMatchObject(refusal);
    const unread = { code: 'model_grader_parse_error', message: 'no JSON' } as const;
    await expect(at(evidence({ ...failure, ...unread, text: 'x'.repeat(4001) }))).rejects.toMatchObject(
      unread,
    );
  });

  test('a reply that could not be read is read again, if all of it was kept', async () => {
    const unread = { code: 'model_grader_parse_error', message: 'no JSON' } as const;
    expect((await at(evidence({ ...failure, ...unread, text: 'Score: 3' }))).text).toBe('Score: 3');
  });

  test('lines that are torn, broken or of others are no recordings', async () => {
    const judge = replay(
      `${lines(evidence())}{broken\n[1]\n{"row":1}\n{"row":2,"judge":"gpt-4.1","result":1}`,
    );
    expect(judge.recordings).toBe(1);
    judge.close();
    await expect(at({ row: 0, judge: 'gpt-4.1', code: 'nonsense' as never })).rejects.toEqual(MISSING);
    await expect(at({ row: 0, judge: 'gpt-4.1', model: 5 as never, result: 1 })).rejects.toEqual(MISSING);
  });
});

/** An output item in the shape of the hosted service's own. */
const item = (id: number, text: string, changes: object = {}, model = 'gpt-4.1-2025-04-14') => ({
  id: `outputitem_${id}`,
  created_at: 1_751_000_000,
  datasource_item: { item: { question: 'x' } },
  datasource_item_id: id,
  eval_id: 'eval_1',
  object: 'eval.run.output_item',
  results: [
    { name: 'exact-0b6ae5fd-4e2b-4a4b-a0c4-11ad6a3d9f55', sample: null, passed: true, score: 1 },
    {
      name: 'tone-7a3d0f6e-2b1c-4d5e-8f90-123456789abc',
      passed: true,
      score: 1,
      sample: {
        input: [
          { role: 'system', content: 'Grade the answer from 0 to 1.' },
          { role: 'user', content: `The answer is ${id}.` },
        ],
        output: [{ role: 'assistant', content: text }],
        finish_reason: 'stop',
        model,
        usage: { total_tokens: 7, completion_tokens: 4, prompt_tokens: 3, cached_tokens: 0 },
        error: null,
        seed: null,
        temperature: 1,
        top_p: 1,
        reasoning_effort: null,
        max_completions_tokens: 4096,
        ...changes,
      },
    },
  ],
  run_id: 'evalrun_1',
  sample: null,
  status: 'pass',
});
const question = (id: number, changes = {}) =>
  callOf({
    messages: [
      { role: 'system', content: 'Grade the answer from 0 to 1.' },
      { role: 'user', content: [{ type: 'text', text: `The answer is ${id}.` }] },
    ],
    ...changes,
  });

const page = (data: readonly object[]) => ({
  object: 'list',
  data,
  first_id: 'a',
  last_id: 'b',
  has_more: false,
});

describe('output items of the hosted service', () => {
  const items = [item(1, 'one'), item(0, 'zero'), item(2, 'two')];
  test.each([
    { form: 'a page', text: JSON.stringify(page(items), undefined, 2) },
    { form: 'an array', text: JSON.stringify(items) },
    { form: 'one a line', text: lines(...items) },
    {
      form: 'pages one after the other',
      text: `\ufeff${items.map((each) => JSON.stringify(page([each]), undefined, 1)).join('\n')}`,
    },
    { form: 'an array of pages', text: JSON.stringify([page(items.slice(1)), page(items.slice(0, 1))]) },
  ])('$form', async ({ text }) => {
    const judge = replay(text);
    expect(judge.recordings).toBe(3);
    expect(await judge.ask(question(2))).toEqual({
      text: 'two',
      finishReason: 'stop',
      model: 'gpt-4.1-2025-04-14',
      usage: { ...usage, cached_tokens: 0 },
    });
    expect((await judge.ask(callOf(), { row: 0, grader: 'tone' })).text).toBe('zero');
    await expect(judge.ask(callOf(), { row: 0, grader: 'other' })).rejects.toEqual(MISSING);
    await expect(judge.ask(callOf(), { row: 3 })).rejects.toEqual(MISSING);
    await expect(judge.ask(question(2, { repeat: 1 }))).rejects.toEqual(MISSING);
    judge.close();
  });

  test('rows that are counted from 1, where none is missing', async () => {
    const judge = replay(lines(item(2, 'second'), item(1, 'first')));
    expect((await judge.ask(callOf(), { row: 0 })).text).toBe('first');
    const gap = replay(lines(item(3, 'third'), item(1, 'first')));
    await expect(gap.ask(callOf(), { row: 0 })).rejects.toEqual(MISSING);
    expect((await gap.ask(question(3), { row: 0 })).text).toBe('third');
  });

  test('one question of several models and graders: the verdict that fits best', async () => {
    const other = item(1, 'by o3', {}, 'o3-2025-04-16');
    const judge = replay(lines(item(1, 'by gpt-4.1'), other, item(0, 'x')));
    expect((await judge.ask(question(1, { model: 'o3' }))).text).toBe('by o3');
    expect((await judge.ask(question(1))).text).toBe('by gpt-4.1');
  });

  test('images as the service writes them', async () => {
    const input = [{ role: 'user', content: 'What is this? <image>https://a/b.png</image>' }];
    const judge = replay(lines(item(1, 'a cat', { input })));
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image', url: 'https://a/b.png' },
    ] as const;
    expect((await judge.ask(callOf({ messages: [{ role: 'user', content }] }))).text).toBe('a cat');
  });

  test('refusals and errors stay what they were', async () => {
    const output = [{ role: 'assistant', content: null, refusal: 'I will not.' }];
    const judge = replay(
      lines(
        item(0, '', { output }),
        item(1, '', { output: [], error: { code: 'x', message: 'rate limit' } }),
      ),
    );
    expect(await judge.ask(question(0))).toMatchObject({ text: '', refusal: 'I will not.' });
    await expect(judge.ask(question(1))).rejects.toMatchObject({
      code: 'model_grader_server_error',
      message: 'recorded: rate limit',
    });
  });
});

describe('files without verdicts', () => {
  test.each([
    { text: '', says: 'has no recorded verdicts' },
    { text: '{}', says: 'has no recorded verdicts' },
    {
      text: '[1, null, "x", {"results": [{"name": "a", "sample": "Sample(error=None)"}]}]',
      says: 'no recorded verdicts',
    },
    { text: 'Dear diary', says: 'cannot be replayed' },
    { text: '{"row":0,', says: 'cannot be replayed' },
  ])('$text', ({ text, says }) => {
    expect(() => replay(text)).toThrow(says);
  });

  test('that are not there', () => {
    expect(() => openReplay(join(folder, 'nowhere'))).toThrow(/nowhere cannot be replayed: ENOENT/);
  });
});
