import { closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteFile } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { crc32 } from 'node:zlib';
import type { LineBlock } from '../../src/dataset/jsonl.js';
import { parquetBlocks } from '../../src/dataset/parquet.js';
import { jsonSpanText } from '../../src/span.js';
import { readRows, readUntilError } from './blocks.js';

const FILES = new URL('files/', import.meta.url).pathname;
const folder = await mkdtemp(join(tmpdir(), 'assay-parquet-'));

async function* blocksOf(path: string, onCrc?: (crc: number) => void): AsyncGenerator<LineBlock> {
  const fd = openSync(path, 'r');
  try {
    yield* parquetBlocks({ fd, bytes: statSync(path).size, name: 'rows.parquet' }, onCrc);
  } finally {
    closeSync(fd);
  }
}

const read = (name: string) => readRows(blocksOf(join(FILES, name)));

const damagedCopy = (name: string, change: (bytes: Buffer) => Buffer): string => {
  const path = join(folder, `damaged-${name}`);
  writeFileSync(path, change(readFileSync(join(FILES, name))));
  return path;
};

const CODECS = ['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4'];

describe.each(CODECS)('every type, compressed with %s', (codec) => {
  const rows = read(`types-${codec}.parquet`);
  const column = async (name: string) => (await rows).map(({ text }) => jsonSpanText(text, [name]));

  test('numbers, texts, lists and structs as Python reads them, to the last digit', async () => {
    const expected = readFileSync(join(FILES, 'types.jsonl'), 'utf8').trimEnd().split('\n');
    for (const name of Object.keys(JSON.parse(expected[0]) as object))
      expect(await column(name), name).toEqual(expected.map((text) => jsonSpanText(text, [name])));
  });

  test.each([
    ['float', '0.1', '1', '-1e+30', '16777216'],
    ['decimal', '12.50', '-0.05', '0.00', '99999999.99'],
    ['decimal_big', '-123456789012345678901234567890.12345', '0.00001', 'null', 'null'],
    ['date', '"2024-02-29"', '"1969-12-31"', '"0001-01-01"', '"9999-12-31"'],
    ['time', '"12:34:56.789"', '"00:00:00"', '"23:59:59.999999"', '"01:00:00"'],
    [
      'millis',
      '"2024-02-29T12:34:56.789Z"',
      '"1969-12-31T23:59:59.999Z"',
      '"1970-01-01T00:00:00Z"',
      '"9999-12-31T23:59:59.999Z"',
    ],
    [
      'micros',
      '"2024-02-29T12:34:56.789012Z"',
      '"1969-12-31T23:59:59.999999Z"',
      '"1970-01-01T00:00:00Z"',
      '"1970-01-01T00:00:00.001Z"',
    ],
    [
      'nanos',
      '"2024-02-29T12:34:56.789012345"',
      '"1969-12-31T23:59:59.999999999"',
      '"1970-01-01T00:00:00"',
      '"1970-01-01T00:00:00.000001"',
    ],
    ['bytes', '"text"', '"/wA="', '""', '"ü"'],
    ['fixed', '"abcd"', '"/////w=="', '"0000"', '"wxyz"'],
  ])('%s', async (name, ...texts) => {
    expect(await column(name)).toEqual([...texts, 'null']);
  });

  test('maps are objects', async () => {
    expect(await column('map')).toEqual(['{"k":1,"__proto__":null}', '{}', 'null', '{"é":3}', '{"z":4}']);
  });

  test('rows are numbered over the row groups', async () => {
    expect((await rows).map(({ line }) => line)).toEqual([1, 2, 3, 4, 5]);
  });
});

test('columns whose pages end in different places, and lists that go over several pages', async () => {
  const rows = await read('pages.parquet');
  expect(rows.map(({ text }) => JSON.parse(text) as unknown)).toEqual(
    Array.from({ length: 6000 }, (_, i) => ({
      item: { question: `q${i}`, long: 'x'.repeat(i % 97) },
      number: i,
      words: Array.from({ length: i % 23 }, (__, j) => `w${j}`),
    })),
  );
});

test.each(['1.0', '2.0'])('the other encodings, in pages of version %s', async (version) => {
  const rows = await read(`encodings-${version}.parquet`);
  expect(rows.map(({ text }) => text)).toEqual(
    Array.from({ length: 300 }, (_, i) =>
      [
        `{"delta_int":${((i * 7919) % 1009) - 500}`,
        `"delta_long":${(i % 2 === 0 ? 1n : -1n) * 3n ** BigInt(i % 39)}`,
        `"delta_length":"${`text ${i}`.repeat(i % 5)}"`,
        `"delta_bytes":${i % 7 === 0 ? null : `"common prefix ${i}"`}`,
        `"split":${i / 8}`,
        `"run":${i % 4 === 0 ? null : i % 9 < 5}}`,
      ].join(','),
    ),
  );
});

test('a value that JSON cannot hold makes its row a failed one', async () => {
  expect((await read('odd.parquet')).map(({ problem, text }) => problem ?? text)).toEqual([
    '{"score":1.5,"scores":[1]}',
    'column "score": NaN, which JSON cannot hold',
    'column "score": Infinity, which JSON cannot hold',
    'column "scores": NaN, which JSON cannot hold',
  ]);
  expect((await read('bad-utf8.parquet')).map(({ problem }) => problem)).toEqual([
    undefined,
    'column "text": not valid UTF-8',
  ]);
});

test('columns may be called item.x, and JSON columns are values', async () => {
  const filename = join(folder, 'written.parquet');
  parquetWriteFile({
    filename,
    columnData: [
      { name: 'item.q', data: ['a', null], type: 'STRING' },
      { name: 'sample.output_text', data: ['b', 'c'], type: 'STRING' },
      { name: 'meta', data: [{ a: [1, 'x'] }, null], type: 'JSON' },
      { name: '__proto__', data: [1n, 2n], type: 'INT64' },
      {
        name: 'id',
        data: ['0f0e0d0c-0b0a-0908-0706-050403020100', '00000000-0000-0000-0000-000000000001'],
        type: 'UUID',
      },
    ],
  });
  expect((await readRows(blocksOf(filename))).map(({ text }) => text)).toEqual([
    '{"item":{"q":"a"},"sample":{"output_text":"b"},"meta":{"a":[1,"x"]},"__proto__":1,"id":"0f0e0d0c-0b0a-0908-0706-050403020100"}',
    '{"item":{"q":null},"sample":{"output_text":"c"},"meta":null,"__proto__":2,"id":"00000000-0000-0000-0000-000000000001"}',
  ]);
});

test('a file without rows has none', async () => {
  const filename = join(folder, 'none.parquet');
  parquetWriteFile({ filename, columnData: [{ name: 'a', data: [], type: 'STRING' }] });
  expect(await readRows(blocksOf(filename))).toEqual([]);
});

test('checksums are those of the whole file', async () => {
  const crcs: number[] = [];
  await readRows(blocksOf(join(FILES, 'pages.parquet'), (crc) => crcs.push(crc)));
  expect(crcs).toEqual([crc32(readFileSync(join(FILES, 'pages.parquet')))]);
});

describe('a file that is damaged', () => {
  test('without its end', async () => {
    const path = damagedCopy('pages.parquet', (bytes) => bytes.subarray(0, 30_000));
    expect((await readUntilError(blocksOf(path))).message).toMatch(/^rows\.parquet: damaged.*footer/);
  });

  test('in a page: the rows before are read, and the place is told', async () => {
    const path = damagedCopy('pages.parquet', (bytes) => {
      const copy = Buffer.from(bytes);
      copy.fill(0xff, 40_000, 42_000);
      return copy;
    });
    const { rows, message } = await readUntilError(blocksOf(path));
    expect(message).toMatch(/^rows\.parquet: damaged.*column ".*", row group \d: /);
    expect(rows.length).toBeLessThan(6000);
  });

  test.each([
    ['', /the file is empty/],
    ['{"a":1}\n', /not a Parquet file; say what it is with --format/],
    ['PARE....', /encrypted/],
    ['version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n', /git lfs pull/],
    ['PAR1', /damaged/],
    ['PAR1\xff\xff\xff\x7fPAR1', /damaged/],
  ])('%j', async (content, message) => {
    const path = join(folder, 'other.parquet');
    writeFileSync(path, Buffer.from(content, 'latin1'));
    expect((await readUntilError(blocksOf(path))).message).toMatch(message);
  });

  test('two columns that would be one field', async () => {
    const filename = join(folder, 'twice.parquet');
    parquetWriteFile({
      filename,
      columnData: ['item', 'item.a'].map((name) => ({ name, data: ['x'], type: 'STRING' as const })),
    });
    expect((await readUntilError(blocksOf(filename))).message).toMatch(/rename one of them/);
  });
});

test('no single changed byte goes further than a message', async () => {
  const bytes = readFileSync(join(FILES, 'types-snappy.parquet'));
  for (let at = 0; at < bytes.length; at += 37) {
    const path = damagedCopy('types-snappy.parquet', () => {
      const copy = Buffer.from(bytes);
      copy[at] ^= 0x5a;
      return copy;
    });
    const { message } = await readUntilError(blocksOf(path));
    if (message !== undefined) expect(message, `byte ${at}`).toMatch(/^rows\.parquet: /);
  }
});
