import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES, type ErrorCode } from '../../src/errors.js';
import { resultLine } from '../../src/results/line.js';
import { readResultBlocks, readResults, type ReadOptions, type ResultRow } from '../../src/results/read.js';
import type { Score } from '../../src/score.js';

const folder = await mkdtemp(join(tmpdir(), 'assay-read-'));
const path = join(folder, 'scores.jsonl');

const collect = async <Value>(values: AsyncIterable<Value>): Promise<Value[]> => {
  const collected: Value[] = [];
  for await (const value of values) collected.push(value);
  return collected;
};

const read = async (content: string | Buffer, options?: ReadOptions): Promise<ResultRow[]> => {
  await writeFile(path, content);
  return collect(readResults(path, options));
};

const plain = '{"row":0,"status":"scored","reward":0.5}\n';
const second = '{"row":1,"status":"scored","reward":1,"passed":true}\n';

describe('a line', () => {
  test('becomes a row with its place', async () => {
    expect(await read(plain + second)).toEqual([
      { row: 0, score: { status: 'scored', reward: 0.5 }, line: 1, lineBytes: plain.length },
      { row: 1, score: { status: 'scored', reward: 1, passed: true }, line: 2, lineBytes: second.length },
    ]);
  });

  test('keeps the text of its id, and of the value that was asked for', async () => {
    const line =
      '{"row":3,"sample":2,"id":12345678901234567890,"status":"scored","reward":1,"input":{"user":"ü"}}\n';
    expect(await read(line, { value: ['input', 'user'] })).toMatchObject([
      { sample: 2, id: '12345678901234567890', value: '"ü"', lineBytes: Buffer.byteLength(line) },
    ]);
  });

  test('may lack its newline at the end of the file', async () => {
    expect(await read(plain + second.trimEnd())).toHaveLength(2);
  });
});

describe('a file that was not finished', () => {
  test.each([1, 5, 20, 38, second.length - 2])(
    'breaks off after %d bytes of its last line',
    async (bytes) => {
      await writeFile(path, plain + second.slice(0, bytes));
      const blocks = await collect(readResultBlocks(path));
      expect(blocks.flatMap(({ rows }) => rows)).toHaveLength(1);
      expect(blocks.at(-1)?.torn).toEqual({ line: 2, lineBytes: bytes });
    },
  );

  test('breaks off inside a character', async () => {
    const line = Buffer.from('{"row":1,"id":"ü","status":"scored","reward":1}\n');
    const rows = await read(Buffer.concat([Buffer.from(plain), line.subarray(0, line.indexOf(0xc3) + 1)]));
    expect(rows).toHaveLength(1);
  });

  test('ends in zeros, as a machine without power leaves them', async () => {
    expect(await read(`${plain}${'\0'.repeat(500)}`)).toHaveLength(1);
  });

  test('has no line at all', async () => {
    expect(await read('')).toEqual([]);
    expect(await read('{"row":0')).toEqual([]);
  });
});

describe('what is no result', () => {
  test.each([
    ['not json', /:2: not JSON: /],
    ['[1]', /:2: expected a result, got an array of 1/],
    ['', /:2: not JSON: the text is empty/],
    ['{"item":{},"sample":"x"}', /:2: row: expected a row number, got undefined; is this a dataset/],
    ['{"row":-1,"status":"scored","reward":1}', /:2: row: expected a row number, got -1$/],
    ['{"row":1,"status":"scored","reward":"1"}', /:2: reward: expected a number, got "1"$/],
    ['{"row":1,"status":"scored","reward":1e999}', /:2: reward: expected a number, got Infinity$/],
    ['{"row":1,"status":"scored"}', /:2: reward: expected a number, got undefined$/],
    ['{"row":1,"status":"scored","reward":1,"passed":1}', /:2: passed: expected true or false, got 1$/],
    ['{"row":1,"status":"done","reward":1}', /:2: status: expected "scored" or "failed", got "done"$/],
    ['{"row":1,"sample":"a","status":"scored","reward":1}', /:2: sample: expected a whole number, got "a"$/],
    [
      '{"row":1,"status":"failed","code":"new_error","message":""}',
      /:2: code: expected an error code, got "new_error"; was it/,
    ],
    ['{"row":1,"status":"failed","code":"row_error"}', /:2: message: expected a text, got undefined$/],
    [
      '{"row":1,"status":"scored","reward":1,"sub_rewards":{"a":null}}',
      /:2: sub_rewards.a: expected a number, got null$/,
    ],
    ['{"row":1,"status":"scored","reward":1,"results":{}}', /:2: results: expected a list/],
    [
      '{"row":1,"status":"scored","reward":1,"results":[{"status":"scored"}]}',
      /:2: results: expected a name/,
    ],
  ])('%s', async (line, message) => {
    await expect(read(`${plain}${line}\n${second}`)).rejects.toThrow(message);
  });

  test('the rows in front of a mistake are there', async () => {
    await writeFile(path, `${plain}${second}broken\n`);
    const rows: number[] = [];
    const reading = (async () => {
      for await (const { row } of readResults(path)) rows.push(row);
    })();
    await expect(reading).rejects.toThrow(`${path}:3: not JSON`);
    expect(rows).toEqual([0, 1]);
  });

  test('invalid UTF-8', async () => {
    const line = Buffer.from('{"row":1,"id":"\xff","status":"scored","reward":1}\n', 'latin1');
    await expect(read(Buffer.concat([Buffer.from(plain), line]))).rejects.toThrow(
      `${path}:2: not valid UTF-8`,
    );
  });

  test('a file that is not there, and a folder', async () => {
    await expect(collect(readResults(join(folder, 'none')))).rejects.toThrow('no such results file');
    await expect(collect(readResults(folder))).rejects.toThrow(`${folder}: not a file`);
  });
});

const code = fc.constantFrom(...(Object.keys(ERROR_CODES) as ErrorCode[]));
const names = fc.dictionary(fc.string({ minLength: 1 }), fc.double({ noNaN: true, noDefaultInfinity: true }));
const leaf: fc.Arbitrary<Score> = fc.oneof(
  fc.record(
    {
      status: fc.constant('scored' as const),
      reward: fc.double({ noNaN: true, noDefaultInfinity: true }),
      passed: fc.boolean(),
      subRewards: names,
    },
    { requiredKeys: ['status', 'reward'] },
  ),
  fc.record(
    {
      status: fc.constant('failed' as const),
      code,
      message: fc.string({ unit: 'grapheme' }),
      errors: fc.dictionary(fc.string(), fc.record({ code, message: fc.string() })),
      subRewards: names,
      hostedReward: fc.double({ noNaN: true, noDefaultInfinity: true }),
    },
    { requiredKeys: ['status', 'code', 'message'] },
  ),
);
const score: fc.Arbitrary<Score> = fc
  .tuple(leaf, fc.option(fc.array(fc.tuple(fc.string(), leaf), { maxLength: 3 }), { nil: undefined }))
  .map(([own, results]) => {
    if (results === undefined) return own;
    return Object.assign(own, { results: results.map(([name, result]) => Object.assign(result, { name })) });
  });

propertyTest.prop([fc.array(score, { maxLength: 8 })], { numRuns: 200 })(
  'what is written is read again, byte for byte',
  async (scores) => {
    const lines = scores.map((one, row) => resultLine(row, one, { id: JSON.stringify(`r${row}`) }));
    const rows = await read(lines.join(''));
    expect(rows.map(({ row, id, score: found }) => resultLine(row, found, { id }))).toEqual(lines);
    expect(rows.map(({ lineBytes }) => lineBytes)).toEqual(lines.map((line) => Buffer.byteLength(line)));
  },
);

test('lines across blocks of the file keep their numbers and lengths', async () => {
  const lines = Array.from(
    { length: 3000 },
    (_, row) => `{"row":${row},"status":"scored","reward":${row},"input":"${'ä'.repeat(400)}"}\n`,
  );
  const rows = await read(lines.join(''));
  expect(rows).toHaveLength(3000);
  expect(rows.every(({ row, line }) => line === row + 1)).toBe(true);
  expect(rows.reduce((sum, { lineBytes }) => sum + lineBytes, 0)).toBe(Buffer.byteLength(lines.join('')));
});
