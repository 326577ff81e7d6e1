import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { test as propertyTest, fc } from '@fast-check/vitest';
import { afterAll, describe, expect, test } from 'vitest';
import { BLOCK_BYTES, LineCursor } from '../../src/dataset/jsonl.js';
import { rangeCount, readRange, reusedMemory } from '../../src/dataset/ranges.js';

const folder = mkdtempSync(join(tmpdir(), 'assay-ranges-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Line {
  readonly text: string;
  readonly line: number;
  readonly problem: string | undefined;
}

/** The lines of a file, range by range, and the checksums. */
const readRanges = (content: Buffer, maxLineBytes?: number) => {
  const path = join(folder, 'file.jsonl');
  writeFileSync(path, content);
  const fd = openSync(path, 'r');
  try {
    const cursor = new LineCursor();
    const memory = reusedMemory();
    const lines: Line[] = [];
    const crcs: number[] = [];
    for (let index = 0; index < rangeCount(content.length); index += 1) {
      const block = readRange(fd, index, memory, maxLineBytes);
      crcs.push(block.crc);
      cursor.open(block);
      while (cursor.next()) lines.push({ text: cursor.text, line: cursor.line, problem: cursor.problem });
    }
    return { lines, crcs };
  } finally {
    closeSync(fd);
  }
};

const expectedLines = (content: Buffer): Line[] =>
  content
    .toString()
    .split('\n')
    .map((text, index) => ({ text, line: index + 1, problem: undefined }))
    .filter(({ text }) => text.trim() !== '');

describe('every line starts in one range', () => {
  // Most lines are short; some are as long as ranges are, and some end right where a range does.
  const length = fc.oneof(
    { weight: 6, arbitrary: fc.nat({ max: 90_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: BLOCK_BYTES - 3, max: BLOCK_BYTES + 3 }) },
    { weight: 1, arbitrary: fc.nat({ max: 3 * BLOCK_BYTES }) },
  );
  propertyTest.prop([fc.array(length, { maxLength: 25 }), fc.boolean()], { numRuns: 40 })(
    'for lines of any length',
    (lengths, endsWithNewline) => {
      const texts = lengths.map((count, index) => String(index % 10).repeat(count));
      const content = Buffer.from(texts.join('\n') + (endsWithNewline ? '\n' : ''));
      expect(readRanges(content).lines).toEqual(expectedLines(content));
    },
  );

  test.each([-2, -1, 0, 1, 2])('when one ends %d bytes from the end of a range', (distance) => {
    const content = Buffer.from(`${'a'.repeat(BLOCK_BYTES + distance)}\nb\n\nc`);
    expect(readRanges(content).lines).toEqual(expectedLines(content));
  });

  test('behind a byte order mark', () => {
    const content = Buffer.from('\ufeff{"a":1}\n{"b":2}\n');
    expect(readRanges(content).lines.map(({ text }) => text)).toEqual(['{"a":1}', '{"b":2}']);
  });

  test('and an empty file has none', () => {
    expect(readRanges(Buffer.alloc(0))).toEqual({ lines: [], crcs: [] });
  });
});

test('every MiB has its checksum', () => {
  const content = Buffer.from('0123456789abcde\n'.repeat(200_000));
  const expected = [0, 1, 2, 3].map((block) =>
    crc32(content.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES)),
  );
  expect(readRanges(content).crcs).toEqual(expected);
});

test('a line over the limit is told once, and its neighbours are read', () => {
  const long = 'x'.repeat(3 * BLOCK_BYTES + 17);
  const { lines } = readRanges(Buffer.from(`1\n${long}\n3\n`), 2 * BLOCK_BYTES);
  expect(lines.map(({ text, line, problem }) => [text, line, problem])).toEqual([
    ['1', 1, undefined],
    ['', 2, 'the line is too long to be a row'],
    ['3', 3, undefined],
  ]);
});
