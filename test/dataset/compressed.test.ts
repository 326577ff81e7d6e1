import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decompressedChunks } from '../../src/dataset/compressed.js';
import type { Compression } from '../../src/dataset/format.js';
import { inChunks } from './blocks.js';
import { zstdFrame } from './zstd.js';

/** What comes out before an error, and its message. */
const unpack = async (bytes: Buffer, compression: Compression, chunkSize = 1000) => {
  const pieces: Buffer[] = [];
  let message: string | undefined;
  try {
    for await (const { memory, start, end } of decompressedChunks(
      inChunks(bytes, chunkSize),
      compression,
      'f',
    ))
      pieces.push(Buffer.from(memory.subarray(start, end)));
  } catch (error) {
    message = (error as Error).message;
  }
  return { text: Buffer.concat(pieces).toString(), message };
};

const text = Array.from({ length: 30_000 }, (_, i) => `{"n":${i},"x":"${'abc'.repeat(i % 40)}"}\n`).join('');

describe('gzip', () => {
  test.each([1000, 1 << 20])('in chunks of %d bytes', async (chunkSize) => {
    expect(await unpack(gzipSync(text), 'gzip', chunkSize)).toEqual({ text, message: undefined });
  });

  test('several members are one text, also when the next begins with a chunk', async () => {
    const members = Buffer.concat([gzipSync('one\n'), gzipSync(''), gzipSync('two\n')]);
    for (const chunkSize of [1, 24, 1000])
      expect(await unpack(members, 'gzip', chunkSize)).toEqual({ text: 'one\ntwo\n', message: undefined });
  });

  test('zeros that fill up the last block of a tape are no data', async () => {
    for (const chunkSize of [1, 7, 10_000]) {
      const padded = Buffer.concat([gzipSync('rows\n'), Buffer.alloc(5000)]);
      expect(await unpack(padded, 'gzip', chunkSize)).toEqual({ text: 'rows\n', message: undefined });
    }
  });

  test.each([1, 10_000])('what follows the data is told (chunks of %d bytes)', async (chunkSize) => {
    for (const zeros of [0, 50]) {
      const bytes = Buffer.concat([gzipSync('rows\n'), Buffer.alloc(zeros), Buffer.from('more')]);
      const found = await unpack(bytes, 'gzip', chunkSize);
      expect(found.message).toMatch(/^f: not gzip data, or damaged: incorrect header check/);
      expect(found.text).toBe(zeros > 0 || chunkSize === 1 ? 'rows\n' : '');
    }
  });

  test('a file that is cut off gives what there is of it', async () => {
    const bytes = gzipSync(text);
    const found = await unpack(bytes.subarray(0, bytes.length / 2), 'gzip');
    expect(found.message).toMatch(/^f: the gzip data end too early; the file is cut off, get it again/);
    expect(text.startsWith(found.text)).toBe(true);
    expect(found.text.length).toBeGreaterThan(text.length / 4);
  });

  test('a file that is damaged', async () => {
    const bytes = gzipSync(text);
    bytes.fill(0, bytes.length / 2, bytes.length / 2 + 100);
    const found = await unpack(bytes, 'gzip');
    expect(found.message).toMatch(/^f: not gzip data, or damaged: .*; check it with gzip -t/);
    expect(text.startsWith(found.text.slice(0, 100_000))).toBe(true);
  });

  test.each([
    ['', /the gzip data end too early/],
    ['{"a":1}\n', /not gzip data, or damaged: incorrect header check/],
  ])('%j is no gzip file', async (content, message) => {
    expect((await unpack(Buffer.from(content), 'gzip')).message).toMatch(message);
  });

  test('whoever stops reading early leaves nothing behind', async () => {
    for await (const chunk of decompressedChunks(inChunks(gzipSync(text), 100), 'gzip', 'f')) {
      expect(chunk.end).toBeGreaterThan(0);
      break;
    }
  });
});

describe('zstd', () => {
  const file = readFileSync(new URL('files/rows.jsonl.zst', import.meta.url));
  const rows = Array.from(
    { length: 3000 },
    (_, i) => `{"item": {"n": ${i}, "text": "${'zstandard '.repeat(i % 9)}"}}\n`,
  ).join('');

  test.each([1, 1000, 1 << 20])('of several frames, in chunks of %d bytes', async (chunkSize) => {
    expect(await unpack(file, 'zstd', chunkSize)).toEqual({ text: rows, message: undefined });
  });

  test('text of many blocks', async () => {
    expect(await unpack(zstdFrame(Buffer.from(text)), 'zstd', 1 << 20)).toEqual({ text, message: undefined });
  });

  test('a file that is cut off gives what there is of it', async () => {
    const bytes = zstdFrame(Buffer.from(text));
    const found = await unpack(bytes.subarray(0, bytes.length / 2), 'zstd');
    expect(found.message).toMatch(/^f: the zstd data end too early; the file is cut off/);
    expect(text.startsWith(found.text)).toBe(true);
    expect(found.text.length).toBeGreaterThan(text.length / 4);
  });

  test.each(['{"a":1}\n', '{"a":"something that is longer than a header"}\n'])(
    'not zstd: %j',
    async (content) => {
      expect((await unpack(Buffer.from(content), 'zstd')).message).toMatch(
        /^f: (not zstd data|the zstd data end)/,
      );
    },
  );
});
