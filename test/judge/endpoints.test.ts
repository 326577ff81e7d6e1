import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/errors.js';
import { parseModelsConfig, resolveEndpoint, serviceUrl, shownUrl } from '../../src/judge/endpoints.js';

const env = { OPENAI_API_KEY: 'key-of-openai', LOCAL_KEY: 'key-of-mine' };
const local = 'http://localhost:8000/v1';

const mistakesOf = (value: unknown): readonly string[] => {
  try {
    parseModelsConfig(value);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
  }
  return [];
};

describe('finds the endpoint of a model', () => {
  test('by the environment alone', () => {
    const openai = resolveEndpoint('gpt-4.1', {}, env);
    expect(openai).toMatchObject({ api: 'auto', model: 'gpt-4.1', key: 'key-of-openai', timeoutMs: 300_000 });
    expect(serviceUrl(openai, 'responses').href).toBe('https://api.openai.com/v1/responses');
    const other = resolveEndpoint('llama', {}, { OPENAI_BASE_URL: `${local}/`, OPENAI_API_KEY: 'key' });
    expect(other).toMatchObject({ api: 'chat', key: 'key' });
    expect(serviceUrl(other, 'chat/completions').href).toBe(`${local}/chat/completions`);
  });

  test('by its name, then by the longest pattern, then by default', () => {
    const config = parseModelsConfig({
      models: {
        'gpt-*': { model: 'short' },
        'gpt-4*mini': { model: 'long' },
        'gpt-4.1-mini': { model: 'exact' },
      },
      default: { model: 'default' },
    });
    const sent = (model: string) => resolveEndpoint(model, config, env).model;
    expect(['gpt-4.1-mini', 'gpt-4o-mini', 'gpt-4o', 'o3'].map(sent)).toEqual([
      'exact',
      'long',
      'short',
      'default',
    ]);
  });

  test('and sends a key to no server but its own', () => {
    const config = parseModelsConfig({
      models: {
        open: { base_url: local },
        mine: { base_url: local, key_env: 'LOCAL_KEY' },
        theirs: { base_url: 'https://api.openai.com/v1' },
      },
    });
    const keyOf = (model: string) => resolveEndpoint(model, config, { ...env, OPENAI_BASE_URL: local }).key;
    expect(['open', 'mine', 'theirs'].map(keyOf)).toEqual([undefined, 'key-of-mine', 'key-of-openai']);
  });

  test('with the parameters of a server, which are not shown', () => {
    const base = 'https://x.example/openai/v1?api-version=preview&secret=1';
    const url = serviceUrl(resolveEndpoint('m', {}, { OPENAI_BASE_URL: base }), 'chat/completions');
    expect(url.href).toBe('https://x.example/openai/v1/chat/completions?api-version=preview&secret=1');
    expect(shownUrl(url)).toBe('https://x.example/openai/v1/chat/completions');
  });
});

describe('says what is wrong', () => {
  test('with a key', () => {
    expect(() => resolveEndpoint('gpt-4.1', {}, {})).toThrow(
      'judge "gpt-4.1": api.openai.com wants a key, and OPENAI_API_KEY is not set',
    );
    const config = parseModelsConfig({ default: { base_url: local, key_env: 'NO_KEY' } });
    expect(() => resolveEndpoint('m', config, env)).toThrow(
      'localhost:8000 wants a key, and NO_KEY is not set',
    );
    const broken = { OPENAI_API_KEY: 'secret\r\nx-evil: 1' };
    expect(() => resolveEndpoint('m', {}, broken)).toThrow(/^OPENAI_API_KEY holds characters/);
    expect(() => resolveEndpoint('m', {}, broken)).not.toThrow(/secret/);
  });

  test('with a file, all of it at once', () => {
    expect(
      mistakesOf({
        models: { a: { base_ulr: local, concurrency: 0 }, b: { base_url: 7 }, c: { api: 'completions' } },
        defaults: {},
      }),
    ).toEqual([
      'models.a.concurrency: Too small: expected number to be >=1',
      'models.a.base_ulr: unknown key',
      '  hint: did you mean "base_url"?',
      'models.b.base_url: expected string, received number',
      'models.c.api: Invalid option: expected one of "responses"|"chat"',
      'defaults: unknown key',
      '  hint: did you mean "default"?',
    ]);
    expect(mistakesOf({ default: { base_url: 'https://me:secret@host/v1' } })).toEqual([
      'default.base_url: holds a name or a password; give the key by key_env instead',
    ]);
    expect(mistakesOf({ models: { m: { base_url: 'localhost:1234' } } })[0]).toMatch(
      /expected an address with https:/,
    );
  });
});
