import { test as propertyTest, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { csvBlocks } from '../../src/dataset/csv.js';
import { inChunks, readRows, readUntilError } from './blocks.js';

const blocks = (text: string | Buffer, chunkSize = 11, delimiter: ',' | '\t' = ',', maxBytes?: number) =>
  csvBlocks(inChunks(text, chunkSize), { delimiter, name: 'rows.csv', maxBytes });

const read = (text: string | Buffer, chunkSize?: number, delimiter?: ',' | '\t', maxBytes?: number) =>
  readRows(blocks(text, chunkSize, delimiter, maxBytes));

/** Line, value or what is wrong. */
const summary = async (...args: Parameters<typeof read>) =>
  (await read(...args)).map(({ line, text, problem }) => [line, problem ?? JSON.parse(text)]);

describe('records', () => {
  test('are objects of texts', async () => {
    expect(await summary('a,b\n1,007\n,true\n')).toEqual([
      [2, { a: '1', b: '007' }],
      [3, { a: '', b: 'true' }],
    ]);
  });

  test('quoted cells have delimiters, quotes and line breaks', async () => {
    expect(await summary('a,b\n"x,""y""","1\n2\r\n3"\n4,5')).toEqual([
      [2, { a: 'x,"y"', b: '1\n2\r\n3' }],
      [5, { a: '4', b: '5' }],
    ]);
  });

  test('lines may end in any way, also within a file; empty lines are no rows', async () => {
    expect(await summary('\r\na,b\r\n1,2\n\n\r\n3,4\r5,6\r\r7,8')).toEqual([
      [3, { a: '1', b: '2' }],
      [6, { a: '3', b: '4' }],
      [7, { a: '5', b: '6' }],
      [9, { a: '7', b: '8' }],
    ]);
  });

  test('columns make up item and sample', async () => {
    const rows = await read('id,item.q,sample.output_text,item.a.b\n1,2,3,4\n');
    expect(rows[0].text).toBe('{"item":{"q":"2","a.b":"4"},"sample":{"output_text":"3"},"id":"1"}');
  });

  test('a column called __proto__ is a field like any other', async () => {
    expect((await read('__proto__,item.__proto__\n1,2\n'))[0].text).toBe(
      '{"item":{"__proto__":"2"},"__proto__":"1"}',
    );
  });

  test('tabs', async () => {
    expect(await summary('a\tb\n1,2\t"3\t4"\n', 3, '\t')).toEqual([[2, { a: '1,2', b: '3\t4' }]]);
  });

  test('U+2028, NUL and other odd characters stay', async () => {
    expect(await summary('a,b\n\u2028x\0,\u{1f600}\ufeff\n')).toEqual([
      [2, { a: '\u2028x\0', b: '\u{1f600}\ufeff' }],
    ]);
  });

  test.each(['', '\ufeff', 'a,b', 'a,b\n', '\n\n'])('%j has no rows', async (text) => {
    expect(await read(text)).toEqual([]);
  });

  test('a byte order mark is not part of the first column', async () => {
    expect(await summary('\ufeff"a",b\n1,2\n')).toEqual([[2, { a: '1', b: '2' }]]);
  });
});

describe('records that cannot be read', () => {
  test('too few or too many cells', async () => {
    expect(await summary('a,b\n1\n1,2,3\n4,5\n')).toEqual([
      [2, '1 cell, the header has 2'],
      [3, '3 cells, the header has 2'],
      [4, { a: '4', b: '5' }],
    ]);
    expect((await read('a,b\n1,2,3\n'))[0].text).toBe('["1","2","3"]');
  });

  test('two columns of one name', async () => {
    expect(await summary('x,a,y,a\n1,2,3,4\n5,6,7,8\n')).toEqual([
      [2, 'columns 2 and 4 are both called "a"'],
      [3, 'columns 2 and 4 are both called "a"'],
    ]);
  });

  test('a column that is part of another', async () => {
    expect((await summary('item,item.a\n1,2\n'))[0][1]).toMatch(/a column "item" and one called "item.a"/);
  });

  test('a quote in a cell that is not quoted', async () => {
    expect(await summary('a,b\n1,5" disk\n2,3\n')).toEqual([
      [2, 'cell 2 has a quote inside, and is not quoted; quote it, and write the quote inside twice'],
      [3, { a: '2', b: '3' }],
    ]);
    expect((await read('a,b\n1,5" disk\n'))[0].text).toBe('"1,5\\" disk"');
  });

  test('text behind a closing quote', async () => {
    expect(await summary('a,b\n"1"x,2\n3,4\n')).toEqual([
      [2, 'there is text behind the closing quote of cell 1; a quote inside a quoted cell is written twice'],
      [3, { a: '3', b: '4' }],
    ]);
  });

  test.each([3, 1000])('a quote that is never closed (chunks of %d bytes)', async (chunkSize) => {
    expect(await summary('a,b\n1,2\n\n3,"4\n5,6\n7,"8"\n9,0\n', chunkSize)).toEqual([
      [2, { a: '1', b: '2' }],
      [4, expect.stringMatching(/closing quote/)],
      [5, { a: '5', b: '6' }],
      [6, { a: '7', b: '8' }],
      [7, { a: '9', b: '0' }],
    ]);
    expect(await summary('a,b\n3,"4\n5,6\n\n7,8', chunkSize)).toEqual([
      [2, 'the quote that opens cell 2 is never closed'],
      [3, { a: '5', b: '6' }],
      [5, { a: '7', b: '8' }],
    ]);
  });

  test('a record over the limit is told once, and reading goes on with the next line', async () => {
    const long = 'x'.repeat(200_000);
    expect(await summary(`a,b\n1,${long}\n2,3\n`, 1000, ',', 100_000)).toEqual([
      [2, 'the record is too long to be a row; is a quote not closed?'],
      [3, { a: '2', b: '3' }],
    ]);
    const lines = await summary(`a,b\n1,"${'y\n'.repeat(100_000)}`, 1000, ',', 100_000);
    expect(lines[0]).toEqual([2, 'the record is too long to be a row; is a quote not closed?']);
    expect(lines).toHaveLength(100_000);
  });

  test('text that is not UTF-8, wherever the chunks end', async () => {
    const bytes = Buffer.concat([Buffer.from('a,b\n1,ü\n2,'), Buffer.from([0xe4]), Buffer.from('\n3,ä\n')]);
    for (const chunkSize of [1, 2, 9, 100])
      expect(await summary(bytes, chunkSize)).toEqual([
        [2, { a: '1', b: 'ü' }],
        [3, 'not valid UTF-8'],
        [4, { a: '3', b: 'ä' }],
      ]);
  });

  test.each([
    ['"a"x,b\n1,2\n', /^rows\.csv:1: the header cannot be read: there is text behind/],
    [Buffer.from('a\0,\0b\0', 'utf16le'), undefined],
    [Buffer.from('\ufeffa,b\n', 'utf16le'), /UTF-16.*CSV UTF-8/],
    [Buffer.from([0x61, 0xff, 0x0a]), /^rows\.csv:1: the header is not valid UTF-8/],
  ])('a header that cannot be read: %j', async (text, message) => {
    const { message: found } = await readUntilError(blocks(text));
    if (message === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(message);
  });
});

const cell = fc.string({
  unit: fc.constantFrom('a', 'ü', '"', ',', '\n', '\r', ' ', '\t', '😀'),
  maxLength: 6,
});
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

propertyTest.prop([
  fc.array(fc.tuple(cell, cell), { maxLength: 12 }),
  fc.integer({ min: 1, max: 30 }),
  fc.constantFrom('\n', '\r\n', '\r'),
])('reads what was written, however it arrives', async (records, chunkSize, lineEnd) => {
  const text = [['a', 'b'], ...records].map((cells) => cells.map(quoted).join(',')).join(lineEnd);
  const rows = await read(text, chunkSize);
  expect(rows.map((row) => JSON.parse(row.text) as unknown)).toEqual(records.map(([a, b]) => ({ a, b })));
  const lineOf = (index: number) =>
    text
      .slice(
        0,
        text.length -
          records
            .slice(index)
            .map((cells) => cells.map(quoted).join(','))
            .join(lineEnd).length,
      )
      .split(/\r\n|\r|\n/).length;
  expect(rows.map(({ line }) => line)).toEqual(records.map((_, index) => lineOf(index)));
});
