import { describe, expect, test } from 'vitest';
import type { JudgeCall } from '../../src/judge-call.js';
import { resolveEndpoint } from '../../src/judge/endpoints.js';
import { apiFor, FULL_DIALECT, readReply, requestBody, simplerDialect } from '../../src/judge/wire.js';

const openai = resolveEndpoint('o3', {}, { OPENAI_API_KEY: 'key' });
const other = resolveEndpoint('o3', {}, { OPENAI_BASE_URL: 'http://localhost/v1' });

const call: JudgeCall = {
  model: 'o3',
  messages: [
    { role: 'developer', content: 'Grade.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Look:' },
        { type: 'image', url: 'https://host/a.png', detail: 'low' },
      ],
    },
    { role: 'assistant', content: [{ type: 'text', text: 'Well.' }] },
  ],
  sampling: { max_completion_tokens: 50, reasoning_effort: 'low', top_p: 0.5 },
  form: { name: 'score', schema: { type: 'object' } },
  repeat: 1,
};
const withAudio: JudgeCall = {
  ...call,
  messages: [{ role: 'user', content: [{ type: 'audio', data: 'UklG', format: 'wav' }] }],
};

const step = (complaint: string) => simplerDialect(FULL_DIALECT, complaint);
const reply = (message: unknown) => ({ choices: [{ message }] });
const message = (...content: object[]) => ({ type: 'message', content });

describe('a request', () => {
  test('to Chat Completions', () => {
    expect(requestBody(call, openai, 'chat', FULL_DIALECT)).toEqual({
      model: 'o3',
      messages: [
        { role: 'developer', content: 'Grade.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look:' },
            { type: 'image_url', image_url: { url: 'https://host/a.png', detail: 'low' } },
          ],
        },
        { role: 'assistant', content: [{ type: 'text', text: 'Well.' }] },
      ],
      reasoning_effort: 'low',
      top_p: 0.5,
      max_completion_tokens: 50,
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'score', schema: { type: 'object' }, strict: true },
      },
    });
  });

  test('to Responses', () => {
    expect(
      requestBody({ ...call, sampling: { ...call.sampling, seed: 7 } }, openai, 'responses', FULL_DIALECT),
    ).toEqual({
      model: 'o3',
      input: [
        { role: 'developer', content: 'Grade.' },
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'Look:' },
            { type: 'input_image', image_url: 'https://host/a.png', detail: 'low' },
          ],
        },
        { role: 'assistant', content: [{ type: 'output_text', text: 'Well.' }] },
      ],
      top_p: 0.5,
      max_output_tokens: 50,
      reasoning: { effort: 'low' },
      text: { format: { type: 'json_schema', name: 'score', schema: { type: 'object' }, strict: true } },
      store: false,
    });
  });

  test('with audio goes to the API that takes it', () => {
    expect(apiFor(openai, call)).toBe('responses');
    expect(apiFor(openai, withAudio)).toBe('chat');
    expect(apiFor(openai, { ...call, sampling: { seed: 1 } })).toBe('chat');
    expect(apiFor(other, call)).toBe('chat');
    expect(requestBody(withAudio, other, 'chat', FULL_DIALECT)).toMatchObject({
      messages: [{ content: [{ type: 'input_audio', input_audio: { data: 'UklG', format: 'wav' } }] }],
    });
  });

  test('to another server speaks of the system, and in words where no form can be imposed', () => {
    const body = requestBody(call, other, 'chat', { form: 'none', limit: 'max_tokens' }) as Record<
      string,
      unknown
    >;
    expect(body).not.toHaveProperty('response_format');
    expect(body).toMatchObject({
      max_tokens: 50,
      messages: [
        { role: 'system' },
        { role: 'user', content: [{}, {}, { text: expect.stringContaining('JSON Schema') }] },
        {},
      ],
    });
  });

  test('is made simpler only for what was refused', () => {
    expect(step("'response_format' of type 'json_schema' is not supported")).toMatchObject({
      form: 'json_object',
    });
    expect(step('Unsupported parameter: text.format')).toMatchObject({ form: 'json_object' });
    expect(step('unknown field max_completion_tokens')).toMatchObject({
      limit: 'max_tokens',
      form: 'json_schema',
    });
    expect(step("Invalid schema for response_format 'score'")).toBeUndefined();
    expect(step('context too long')).toBeUndefined();
    expect(simplerDialect({ form: 'none', limit: 'max_tokens' }, 'response_format')).toBeUndefined();
  });
});

describe('a reply of Chat Completions', () => {
  test.each([
    { name: 'no usage, no model', body: reply({ content: 'a' }), read: { text: 'a', model: 'sent' } },
    { name: 'no content', body: reply({ content: null }), read: { text: '', model: 'sent' } },
    {
      name: 'parts',
      body: reply({
        content: [
          { type: 'thinking', text: 'hm' },
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      }),
      read: { text: 'ab', model: 'sent' },
    },
    {
      name: 'a refusal among parts',
      body: reply({ content: [{ type: 'refusal', refusal: 'no' }] }),
      read: { text: '', refusal: 'no', model: 'sent' },
    },
    {
      name: 'half of a usage',
      body: { ...reply({ content: 'a' }), usage: { completion_tokens: 3, total_tokens: 'many' } },
      read: { text: 'a', model: 'sent', usage: { prompt_tokens: 0, completion_tokens: 3, total_tokens: 3 } },
    },
  ])('with $name', ({ body, read }) => {
    expect(readReply('chat', body, 'sent')).toEqual(read);
  });

  test.each([null, 7, [], {}, { choices: [] }, { choices: [{}] }, { choices: 'x' }, reply({ content: 5 })])(
    'is not %j',
    (body) => {
      expect(() => readReply('chat', body, 'sent')).toThrow(/^expected /);
    },
  );
});

describe('a reply of Responses', () => {
  test('may have several texts, and things that are none', () => {
    const output = [
      { type: 'reasoning' },
      message({ type: 'output_text', text: 'a' }),
      message({ type: 'output_text', text: 'b' }),
    ];
    expect(readReply('responses', { output, status: 'completed' }, 'sent')).toEqual({
      text: 'ab',
      finishReason: 'stop',
      model: 'sent',
    });
  });

  test.each([
    [{ reason: 'max_output_tokens' }, 'length'],
    [{ reason: 'content_filter' }, 'content_filter'],
    [null, 'length'],
  ])('that is cut off: %j', (incomplete_details, finishReason) => {
    const body = { output: [], status: 'incomplete', incomplete_details };
    expect(readReply('responses', body, 'sent')).toMatchObject({ text: '', finishReason });
  });

  test.each([null, {}, { output: 'x' }, { output: [], status: 'queued' }])('is not %j', (body) => {
    expect(() => readReply('responses', body, 'sent')).toThrow(/^expected /);
  });
});
