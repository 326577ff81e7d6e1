import { execFileSync } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { crc32, gzipSync } from 'node:zlib';
import { parquetWriteFile } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { resolveDataset } from '../../src/dataset/files.js';
import type { DatasetFormat } from '../../src/dataset/format.js';
import { openBlocks, openStreamBlocks } from '../../src/dataset/open.js';
import { readRows, readUntilError } from './blocks.js';
import { zstdFrame } from './zstd.js';

const folder = await mkdtemp(join(tmpdir(), 'assay-open-'));

const write = async (name: string, content: string | Buffer): Promise<string> => {
  await writeFile(join(folder, name), content);
  return join(folder, name);
};

const readFile = async (path: string, format?: DatasetFormat) => {
  const [file] = await resolveDataset([path], { format });
  const dataset = await openBlocks(file);
  try {
    return await readUntilError(dataset.blocks);
  } finally {
    await dataset.close();
  }
};

const readStream = async (stream: Readable, format?: DatasetFormat) =>
  readRows((await openStreamBlocks(stream, format)).blocks);

const TRICKY = [
  'plain',
  '',
  'ü 😀',
  'a,b\t"c"',
  'line\nbreak\r\n',
  '\u2028\0',
  '007',
  ' 1.0 ',
  'null',
  '\\n',
  '{}',
];
const NAMES = ['question', 'answer', 'model "x"'];
const ROWS = Array.from({ length: 1000 }, (_, i) =>
  Object.fromEntries(
    NAMES.map((name, at) => [name, `${TRICKY[(i + at * i) % TRICKY.length]}${i % 5 === 0 ? i : ''}`]),
  ),
);
const LINES = ROWS.map((row) => JSON.stringify(row));

const table = (delimiter: string): string =>
  [NAMES, ...ROWS.map((row) => NAMES.map((name) => row[name]))]
    .map((cells) => cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(delimiter))
    .join('\n');

describe('the same rows in every format', () => {
  const texts: Record<string, string> = {
    jsonl: `${LINES.join('\n')}\n`,
    json: JSON.stringify(ROWS),
    csv: table(','),
    tsv: table('\t'),
  };

  test.each(Object.keys(texts))('%s, as it is, compressed, and as a stream', async (ending) => {
    const bytes = Buffer.from(texts[ending]);
    for (const [suffix, content] of [
      ['', bytes],
      ['.gz', gzipSync(bytes)],
      ['.zst', zstdFrame(bytes)],
    ] as const) {
      const { rows, message } = await readFile(await write(`rows.${ending}${suffix}`, content));
      expect(message).toBeUndefined();
      expect(rows.map(({ text }) => text)).toEqual(LINES);
      expect(rows.every(({ problem }) => problem === undefined)).toBe(true);
      const streamed = await readStream(Readable.from([content]), ending as DatasetFormat);
      expect(streamed).toEqual(rows);
    }
  });

  test('parquet', async () => {
    const filename = join(folder, 'rows.parquet');
    parquetWriteFile({
      filename,
      columnData: NAMES.map((name) => ({
        name,
        data: ROWS.map((row) => row[name]),
        type: 'STRING' as const,
      })),
      rowGroupSize: 300,
    });
    expect((await readFile(filename)).rows.map(({ text }) => text)).toEqual(LINES);
  });
});

const readJson = async (content: string) => (await readFile(await write('some.json', content))).rows;

describe('files', () => {
  test('a file of JSON may be JSONL, one object or several', async () => {
    expect(await readJson('{"a":1}\n{"a":\n{"a":3}')).toMatchObject([{ line: 1 }, { line: 2 }, { line: 3 }]);
    expect(await readJson('\n{\n "a": 1\n}\n')).toEqual([{ line: 2, text: '{  "a": 1 }' }]);
    expect(await readJson('{"a": 1,\n "b": 2}\n{"a": 3}')).toMatchObject([{ line: 1 }, { line: 3 }]);
    expect(await readJson('')).toEqual([]);
  });

  test('checksums and position are those of the file on the disk', async () => {
    const bytes = gzipSync(LINES.join('\n'));
    const crcs: number[] = [];
    const [file] = await resolveDataset([await write('crc.jsonl.gz', bytes)]);
    const dataset = await openBlocks(file, { onCrc: (crc) => crcs.push(crc) });
    let position = 0;
    for await (const block of dataset.blocks) ({ position } = block);
    await dataset.close();
    expect(crcs).toEqual([crc32(bytes)]);
    expect(position).toBe(bytes.length);
    expect(dataset).toMatchObject({ bytes: bytes.length, unit: 'line' });
  });

  test('no block is far above 1 MiB, and none but the last far below', async () => {
    const text = `${'a'.repeat(200)},b\n${'1,2\n'.repeat(30_000)}`;
    for (const [name, content] of [
      ['big.csv', text],
      ['big.json', `[${'{"a": "1",\n "b": "2"},'.repeat(250_000)}0]`],
      ['big.csv.gz', gzipSync(text)],
    ] as const) {
      const [file] = await resolveDataset([await write(name, content)]);
      const dataset = await openBlocks(file);
      const sizes: number[] = [];
      for await (const { bytes } of dataset.blocks) sizes.push(bytes.length);
      await dataset.close();
      expect(Math.max(...sizes)).toBeLessThan(2.5 * 2 ** 20);
      expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(0.9 * 2 ** 20);
    }
  });

  test('what cannot be opened is told', async () => {
    await expect(readFile(join(folder, 'missing.csv'))).rejects.toThrow(
      /missing\.csv: there is no such dataset/,
    );
    await expect(openBlocks({ path: folder, name: 'here', format: 'csv' })).rejects.toThrow(/here: a folder/);
  });

  test('a named pipe', async () => {
    const path = join(folder, 'pipe.csv');
    execFileSync('mkfifo', [path]);
    const reading = readFile(path);
    await writeFile(path, 'a,b\n1,2\n');
    expect((await reading).rows).toEqual([{ line: 2, text: '{"a":"1","b":"2"}' }]);
  });
});

describe('streams', () => {
  test.each([
    ['{"a":1}\n{"a":2}\n', ['{"a":1}', '{"a":2}']],
    [' [{"a":1},\n{"a":2}]', ['{"a":1}', '{"a":2}']],
    ['\ufeff[1]', ['1']],
    ['', []],
    ['x', ['x']],
  ])('%j is read as what it begins like', async (text, expected) => {
    for (const content of [Buffer.from(text), gzipSync(text), zstdFrame(Buffer.from(text))]) {
      const bytes = [...content].map((byte) => Buffer.from([byte]));
      for (const pieces of [bytes, [content]])
        expect((await readStream(Readable.from(pieces))).map((row) => row.text)).toEqual(expected);
    }
  });

  test('an array is no array where JSONL was asked for', async () => {
    expect(await readStream(Readable.from([Buffer.from('[\n1]')]), 'jsonl')).toHaveLength(2);
  });

  test('Parquet has to be a file', async () => {
    await expect(readStream(Readable.from([Buffer.from('PAR1....')]))).rejects.toThrow(
      /save it to a file first/,
    );
    await expect(readStream(Readable.from([Buffer.from('{}')]), 'parquet')).rejects.toThrow(
      /save it to a file/,
    );
  });

  test('may be ended from outside in the middle of compressed data', async () => {
    const stream = new PassThrough();
    stream.write(gzipSync(LINES.join('\n')).subarray(0, 5000));
    const stop = new AbortController();
    const { blocks } = await openStreamBlocks(stream, undefined, stop.signal);
    const reading = readUntilError(blocks);
    setTimeout(() => stop.abort(), 50);
    expect((await reading).message).toBeUndefined();
  });
});
