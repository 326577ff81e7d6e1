import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readLabelFile } from '../../src/calibrate/label-file.js';
import { LabelColumn, mergeLabels, TextCodes, type PassingLabels } from '../../src/calibrate/labels.js';

const columnOf = (values: readonly unknown[], passing?: PassingLabels): LabelColumn => {
  const column = new LabelColumn(new TextCodes(), passing);
  for (const value of values) column.add(value, () => 'line 1');
  return column;
};

describe('what labels are', () => {
  test.each([
    { values: [true, false], kind: 'binary', numbers: [1, 0] },
    { values: [1, 0, '1', '0'], kind: 'binary', numbers: [1, 0, 1, 0] },
    { values: ['True', 'false', ' pass ', 'FAIL', 'yes'], kind: 'binary', numbers: [1, 0, 1, 0, 1] },
    { values: [1, 1], kind: 'binary', numbers: [1, 1] },
    { values: [1, '4.5', 0], kind: 'numeric', numbers: [1, 4.5, 0] },
    { values: ['refund', 'pass', 3], kind: 'nominal', numbers: [NaN, 1, 3] },
    { values: ['yes', 3], kind: 'nominal', numbers: [1, 3] },
    { values: [[1, 0], null, undefined, '', ' ', []], kind: 'binary', numbers: [1, 0] },
  ])('$values: $kind', ({ values, kind, numbers }) => {
    const column = columnOf(values);
    expect(column.kind).toBe(kind);
    expect(column.numbers).toEqual(numbers);
  });

  test('that pass are those that are said to', () => {
    expect(columnOf(['good', 'bad', 'fine'], { texts: new Set(['good', 'fine']) })).toMatchObject({
      kind: 'binary',
      numbers: [1, 0, 1],
    });
    expect(columnOf([5, '4', 3.9], { least: 4 })).toMatchObject({ kind: 'binary', numbers: [1, 1, 0] });
    expect(() => columnOf(['good'], { least: 4 })).toThrow(
      'line 1: label: expected a number, as --passing ">=4" asks for, got "good"',
    );
  });

  test('are no objects', () => {
    expect(() => columnOf([{ value: 1 }])).toThrow(
      'line 1: label: expected true, false, a number or a text, got an object with value',
    );
    expect(() => columnOf([[[1]]])).toThrow('got an array of 1');
  });

  test('of more than 1,000 texts lose their texts, not their numbers', () => {
    const column = columnOf(Array.from({ length: 1_002 }, (_, n) => n));
    expect([column.codes.at(999), column.codes.at(-1), column.numbers.at(-1)]).toEqual([999, -1, 1_001]);
  });
});

const merge = (rows: readonly (readonly unknown[])[]) => {
  const column = columnOf(rows);
  let end = 0;
  const ends = rows.map((row) => (end += row.length));
  return mergeLabels({ numbers: column.numbers, codes: column.codes, ends }, column.kind);
};

describe('several labels of a row', () => {
  test('are the majority of yes and no', () => {
    expect(merge([[1, 0, 1], [0], [], [1, 0], [0, 0, 1, 0]])).toEqual({
      values: Float64Array.of(1, 0, NaN, NaN, 0),
      undecided: 1,
    });
  });

  test('are the mean of numbers', () => {
    expect(merge([[1, 2, 2], [5], []])).toEqual({ values: Float64Array.of(5 / 3, 5, NaN), undecided: 0 });
  });

  test('are the commonest text', () => {
    expect(merge([['a', 'b', 'b'], ['c', 'a'], ['c']])).toEqual({
      values: Float64Array.of(1, NaN, 2),
      undecided: 1,
    });
  });
});

const read = async (name: string, content: string) => {
  const path = join(await mkdtemp(join(tmpdir(), 'assay-labels-')), name);
  await writeFile(path, content);
  const column = new LabelColumn(new TextCodes());
  const file = await readLabelFile(path, column).catch((error: Error) => {
    throw new Error(error.message.replaceAll(path, name));
  });
  return { column, finder: file.finder() };
};
const result = (row: number, extras: { sample?: number; id?: string } = {}) => ({
  row,
  ...extras,
  score: { status: 'scored', reward: 1 } as const,
  line: row + 1,
  lineBytes: 0,
});

describe('a file of labels', () => {
  test.each([
    ['l.jsonl', '{"row":1,"label":true}\n\n{"row":0,"labels":[0,1]}\n{"row":1,"label":false}\n'],
    ['l.json', '[{"row":1,"label":true},{"row":0,"labels":[0,1]},{"row":1,"label":false}]'],
    ['l.csv', 'row,label,who\n1,true,\n0,0,x\n0,1,x\n1,false,\n'],
    ['l.tsv', 'row\tlabel\n1\tTrue\n0\t0\n0\t1\n1\tFalse\n2\t\n'],
  ])('%s', async (name, content) => {
    const { column, finder } = await read(name, content);
    const of = (row: number) => [...finder.of(result(row))].map((place) => column.numbers[place]);
    expect([of(0), of(1), of(7)]).toEqual([[0, 1], [1, 0], []]);
  });

  test('may name rows by their id, and samples', async () => {
    const { column, finder } = await read(
      'l.jsonl',
      '{"id":"a","label":1}\n{"id":7,"label":2}\n{"row":3,"sample":1,"label":3}\n{"row":9,"label":4}\n',
    );
    const of = (...args: Parameters<typeof result>) =>
      [...finder.of(result(...args))].map((place) => column.numbers[place]);
    expect(of(0, { id: '"a"' })).toEqual([1]);
    expect(of(1, { id: '"7"' })).toEqual([2]);
    expect(of(3, { sample: 0 })).toEqual([]);
    expect(of(3, { sample: 1 })).toEqual([3]);
    expect(finder.missing).toBe(1);
  });

  test('has to say which sample it is about', async () => {
    const { finder } = await read('l.jsonl', '{"row":3,"label":1}\n');
    expect(() => finder.of(result(3, { sample: 0 }))).toThrow(
      'the row of line 4 of the results has several samples; say with "sample" which one a label is about',
    );
  });

  test('has to say which of several results it is about', async () => {
    const { finder } = await read('l.jsonl', '{"id":"a","label":1}\n');
    finder.of(result(0, { id: '"a"' }));
    expect(() => finder.of(result(1, { id: '"a"' }))).toThrow(
      'a label is about several results, of which line 2 is one',
    );
  });

  test.each([
    ['{"row":0,"label":1}\n{"row":1,"label":}\n', 'l.jsonl:2: not valid JSON'],
    ['{"row":0,"label":1}\n[1]\n', 'l.jsonl:2: expected an object, got an array of 1'],
    [
      '{"label":1}\n',
      'l.jsonl:1: expected "row", the number of a row from 0, or "id", the id of a result; got',
    ],
    ['{"row":-1,"label":1}\n', 'l.jsonl:1: row: expected a whole number from 0, got -1'],
    ['{"row":"x","label":1}\n', 'l.jsonl:1: row: expected a whole number from 0, got "x"'],
    ['{"row":0,"sample":0.5,"label":1}\n', 'l.jsonl:1: sample: expected a whole number from 0, got 0.5'],
    [
      '{"row":0,"lable":1}\n',
      'l.jsonl:1: expected "label", or a list as "labels", got an object with row, lable',
    ],
    [
      '\n\n{"row":0,"label":{}}\n',
      'l.jsonl:3: label: expected true, false, a number or a text, got an empty object',
    ],
    ['{"row":0,"label":null}\n', 'l.jsonl: no line has a label'],
    ['', 'l.jsonl: no line has a label'],
    [
      '{"row":0,"label":1,"annotator":"ann"}\n{"row":0,"label":1,"annotator":"bob"}\n{"row":0,"label":0,"annotator":"ann"}\n',
      'l.jsonl:3: "ann" has labelled this row before; keep one of the lines',
    ],
  ])('%j is refused', async (content, message) => {
    await expect(read('l.jsonl', content)).rejects.toThrow(message);
  });

  test('that is a table is refused with its line', async () => {
    await expect(read('l.csv', 'row,label\n0,1\n1,1,1\n')).rejects.toThrow('l.csv:3: ');
  });
});
