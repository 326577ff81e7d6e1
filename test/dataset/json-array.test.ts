import { test as propertyTest, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { jsonBlocks } from '../../src/dataset/json-array.js';
import { inChunks, readRows } from './blocks.js';

const read = (text: string | Buffer, chunkSize = 5, maxBytes?: number) =>
  readRows(jsonBlocks(inChunks(text, chunkSize), maxBytes));

/** Line, value or what is wrong. */
const summary = async (text: string, chunkSize?: number, maxBytes?: number) =>
  (await read(text, chunkSize, maxBytes)).map(({ line, text: json, problem }) => [
    line,
    problem ?? JSON.parse(json),
  ]);

describe('an array', () => {
  test('each element is a row with the line where it starts', async () => {
    expect(await summary('\n[{"a": 1},\n {"b":\n  [2, "x,]}"]\n },\n3 , "t"]\n')).toEqual([
      [2, { a: 1 }],
      [3, { b: [2, 'x,]}'] }],
      [6, 3],
      [6, 't'],
    ]);
  });

  test('a byte order mark is skipped', async () => {
    expect(await summary('\ufeff[1]')).toEqual([[1, 1]]);
  });

  test('an element keeps its own text but for line breaks', async () => {
    expect((await read('[{"n": 1.0,\r\n "s": "\\n\\u2028\u2028\\"[" }]'))[0].text).toBe(
      '{"n": 1.0,\r  "s": "\\n\\u2028\u2028\\"[" }',
    );
  });

  test.each(['[]', ' [ \n ] \n', ''])('%j has no rows', async (text) => {
    expect(await read(text)).toEqual([]);
  });
});

describe('what is not an array of JSON', () => {
  test('a broken element is a broken line of its own', async () => {
    const rows = await read('[{"a":1},\n{"b":},\n{"c":3}]');
    expect(rows.map(({ text, line }) => [line, text])).toEqual([
      [1, '{"a":1}'],
      [2, '{"b":}'],
      [3, '{"c":3}'],
    ]);
  });

  test.each([
    [
      '[1,,2]',
      [
        [1, 1],
        [1, 'expected an element in front of ","'],
        [1, 2],
      ],
    ],
    [
      '[1,\n]',
      [
        [1, 1],
        [2, 'expected an element in front of "]"'],
      ],
    ],
    [
      '[,1]',
      [
        [1, 'expected an element in front of ","'],
        [1, 1],
      ],
    ],
    [
      '[1] \n x',
      [
        [1, 1],
        [2, 'text behind the end of the array'],
      ],
    ],
    [
      '[1',
      [
        [1, 1],
        [1, 'the file ends and the array is not closed: "]" is missing'],
      ],
    ],
    [
      '[1,',
      [
        [1, 1],
        [1, 'the file ends and the array is not closed: "]" is missing'],
      ],
    ],
    ['[', [[1, 'the file ends and the array is not closed: "]" is missing']]],
    [
      '[1,\n{"a":\n[2',
      [
        [1, 1],
        [2, 'the file ends in the middle of this element'],
      ],
    ],
    [
      '["a\nb",\n1]',
      [
        [1, 'a line break inside a text, which JSON writes as \\n'],
        [3, 1],
      ],
    ],
  ])('%j', async (text, rows) => {
    for (const chunkSize of [1, 3, 100]) expect(await summary(text, chunkSize)).toEqual(rows);
  });

  test('an element over the limit is told and the next one is read', async () => {
    expect(await summary(`[1, "${'x'.repeat(100)}",\n 2]`, 7, 50)).toEqual([
      [1, 1],
      [1, 'the element is too long to be a row'],
      [2, 2],
    ]);
  });

  test('invalid UTF-8 is told for its element', async () => {
    const bytes = Buffer.concat([Buffer.from('["ok","'), Buffer.from([0xff]), Buffer.from('"]')]);
    expect((await read(bytes)).map(({ problem }) => problem)).toEqual([undefined, 'not valid UTF-8']);
  });
});

describe('values one after the other', () => {
  test('an object over many lines is one row', async () => {
    expect(await summary('{\n "a": [1,\n 2]\n}\n')).toEqual([[1, { a: [1, 2] }]]);
  });

  test('several are several rows', async () => {
    expect(await summary('{\n}\n\n{"a": "}"}{"b": 2}\n')).toEqual([
      [1, {}],
      [4, { a: '}' }],
      [4, { b: 2 }],
    ]);
  });

  test('one that is cut off is told', async () => {
    expect(await summary('{\n"a": "x')).toEqual([[1, 'the file ends in the middle of this element']]);
  });
});

propertyTest.prop([
  fc.array(fc.jsonValue({ maxDepth: 3 })),
  fc.constantFrom(undefined, 1, '\t'),
  fc.integer({ min: 1, max: 40 }),
])('reads what JSON.stringify wrote, however it arrives', async (values, indent, chunkSize) => {
  const rows = await read(JSON.stringify(values, undefined, indent), chunkSize);
  expect(rows.map(({ text }) => text.replaceAll(/\s/g, ''))).toEqual(
    values.map((value) => JSON.stringify(value).replaceAll(/\s/g, '')),
  );
  expect(rows.map(({ text }) => JSON.parse(text) as unknown)).toEqual(JSON.parse(JSON.stringify(values)));
});
