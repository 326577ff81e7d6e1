import { afterEach, expect, test } from 'vitest';
import { createEmbed, type EmbedHost, type EmbedOptions } from '../../src/judge/embeddings.js';
import { FakeEndpoint, vectorOf, type FakeOptions } from './fake-endpoint.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const start = async (
  fake: FakeOptions = {},
  options: EmbedOptions = {},
): Promise<{ endpoint: FakeEndpoint; embed: EmbedHost }> => {
  const endpoint = await FakeEndpoint.start(fake);
  const embed = createEmbed({ env: { OPENAI_BASE_URL: endpoint.baseUrl }, ...options });
  closing.push(
    () => embed.close(),
    () => endpoint.close(),
  );
  return { endpoint, embed };
};

const expected = (texts: readonly string[]) => texts.map((text) => [...vectorOf(text)]);

test('texts of many rows go together, each once, and come back in their order', async () => {
  const { endpoint, embed } = await start();
  const rows = Array.from({ length: 300 }, (_, row) => [`candidate ${row}`, 'the reference']);
  const vectors = await Promise.all(rows.map((texts) => embed.embed(texts)));
  expect(vectors).toEqual(rows.map(expected));
  expect(endpoint.seen.map(({ path, body }) => [path, body.input.length])).toEqual([
    ['/v1/embeddings', 256],
    ['/v1/embeddings', 45],
  ]);
  expect(endpoint.seen[0].body).toMatchObject({ model: 'text-embedding-3-large', encoding_format: 'base64' });
  await embed.embed(['the reference', 'candidate 7']);
  expect(endpoint.seen).toHaveLength(2);
});

test('long texts share a request up to its limit', async () => {
  const { endpoint, embed } = await start();
  await embed.embed(Array.from({ length: 4 }, (_, index) => String(index).repeat(300_000)));
  expect(endpoint.seen.map(({ body }) => body.input.length)).toEqual([2, 2]);
});

test('a text that is refused does not take the others along', async () => {
  const { endpoint, embed } = await start({
    script: ({ body }) => (body.input.includes('bad') ? 'bad_request' : 'answer'),
  });
  const texts = ['a', 'b', 'bad', 'c', 'd'];
  const outcomes = await Promise.allSettled(texts.map((text) => embed.embed([text])));
  expect(outcomes.map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
  ]);
  expect(outcomes[2]).toMatchObject({ reason: { code: 'model_grader_server_error' } });
  expect(endpoint.seen.length).toBeLessThanOrEqual(7);
});

test('numbers serve where base64 is not known', async () => {
  const { embed, endpoint } = await start({
    script: ({ body }) => (body.encoding_format === 'base64' ? 'no_encoding' : 'answer'),
  });
  await expect(embed.embed(['a'])).resolves.toEqual(expected(['a']));
  await expect(embed.embed(['b'])).resolves.toEqual(expected(['b']));
  expect(endpoint.seen).toHaveLength(3);
});

test('is tried again like any call, and says what is wrong with a reply', async () => {
  const clock = {
    now: () => performance.now() * 50,
    date: () => Date.now(),
    after(ms: number, callback: () => void) {
      const timer = setTimeout(callback, ms / 50);
      return () => clearTimeout(timer);
    },
  };
  const { embed } = await start({ script: ({ nth }) => (nth === 0 ? 'server_error' : 'answer') }, { clock });
  await expect(embed.embed(['a'])).resolves.toEqual(expected(['a']));
  const wrong = await start({ script: () => 'wrong_shape' });
  await expect(wrong.embed.embed(['a'])).rejects.toThrow(
    'embeddings "text-embedding-3-large": expected 1 embeddings in data',
  );
});

test('a missing key is known before the first row', () => {
  expect(() => createEmbed({ env: {} })).toThrow('wants a key, and OPENAI_API_KEY is not set');
});
