import { test as propertyTest, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { LineCursor, lineBlocks, type Chunk } from '../../src/dataset/jsonl.js';

async function* inChunks(bytes: Buffer, size: number, headroom = 5): AsyncGenerator<Chunk> {
  // One memory for all chunks, as the file reader does it.
  const memory = Buffer.alloc(headroom + size);
  for (let start = 0; start < bytes.length; start += size) {
    const length = bytes.copy(memory, headroom, start, start + size);
    yield { memory, start: headroom, end: headroom + length };
  }
}

const readLines = async (content: string | Buffer, chunkSize = 7, maxLineBytes?: number) => {
  const cursor = new LineCursor();
  const found: { text: string; line: number; problem?: string }[] = [];
  for await (const block of lineBlocks(inChunks(Buffer.from(content as string), chunkSize), maxLineBytes)) {
    cursor.open(block);
    while (cursor.next()) {
      const { text, line, problem } = cursor;
      found.push(problem === undefined ? { text, line } : { text, line, problem });
    }
  }
  return found;
};

describe('lines', () => {
  test('the last line needs no newline', async () => {
    expect(await readLines('{"a":1}\n{"b":2}')).toEqual([
      { text: '{"a":1}', line: 1 },
      { text: '{"b":2}', line: 2 },
    ]);
  });

  test('blank lines are no rows but are counted', async () => {
    expect((await readLines('1\n\n  \n\r\n2\n')).map(({ line }) => line)).toEqual([1, 5]);
  });

  test('U+2028, U+0085 and a lone carriage return do not end a line', async () => {
    expect(await readLines('"a\u2028b\u0085c\rd"\n1')).toHaveLength(2);
  });

  test('a byte order mark is skipped', async () => {
    expect((await readLines('\ufeff{"a":1}\n'))[0].text).toBe('{"a":1}');
  });

  test('invalid UTF-8 is told line by line', async () => {
    const bytes = Buffer.concat([Buffer.from('"ok"\n"'), Buffer.from([0xff]), Buffer.from('"\n"fine"')]);
    expect((await readLines(bytes, 64)).map(({ problem }) => problem)).toEqual([
      undefined,
      'not valid UTF-8',
      undefined,
    ]);
  });

  test('a line over the limit is told and the next one is read', async () => {
    const lines = await readLines(`1\n${'x'.repeat(200)}\n3\n`, 16, 50);
    expect(lines.map(({ line, problem }) => [line, problem !== undefined])).toEqual([
      [1, false],
      [2, true],
      [3, false],
    ]);
  });

  test('an over-long line at the end is told, too', async () => {
    const lines = await readLines(`1\n${'x'.repeat(200)}`, 16, 50);
    expect(lines.map(({ line, problem }) => [line, problem !== undefined])).toEqual([
      [1, false],
      [2, true],
    ]);
  });

  test('the limit does not depend on how the bytes arrive', async () => {
    for (const chunkSize of [3, 16, 60, 1000]) {
      const problems = (await readLines(`${'x'.repeat(50)}\n${'y'.repeat(51)}\n`, chunkSize, 50)).map(
        ({ problem }) => problem !== undefined,
      );
      expect(problems.at(0), String(chunkSize)).toBe(false);
      if (chunkSize < 100) expect(problems.at(1), String(chunkSize)).toBe(true);
    }
  });

  test('a line of white space that JSON does not know is a row, and broken', async () => {
    expect(await readLines(' \u00a0\n')).toHaveLength(1);
  });

  test('an empty source has no lines', async () => expect(await readLines('')).toEqual([]));
});

const line = fc
  .string({ unit: 'binary', maxLength: 12 })
  .map((text) => `"${text.replaceAll(/[\n\ud800-\udfff]/g, '')}"`);

propertyTest.prop([fc.array(line, { maxLength: 20 }), fc.integer({ min: 1, max: 40 })])(
  'the size of the chunks does not matter',
  async (lines, chunkSize) => {
    expect((await readLines(lines.join('\n'), chunkSize)).map(({ text }) => text)).toEqual(lines);
  },
);

propertyTest.prop([
  fc.array(fc.constantFrom('', '\r', '{}', 'x'.repeat(9000), '"ü"', '  '), { maxLength: 30 }),
])(
  'the numbers of lines do not depend on ASCII, blank lines or how much is decoded at once',
  async (lines) => {
    const expected = lines.flatMap((text, index) => (text.trim() === '' ? [] : [[index + 1, text]]));
    const found = (await readLines(lines.join('\n'), 1 << 20)).map(({ line, text }) => [line, text]);
    expect(found).toEqual(expected);
  },
);
