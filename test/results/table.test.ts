import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet';
import { describe, expect, test } from 'vitest';
import { csvBlocks } from '../../src/dataset/csv.js';
import { readChunks } from '../../src/dataset/jsonl.js';
import { parquetBlocks } from '../../src/dataset/parquet.js';
import { resultLine } from '../../src/results/line.js';
import { WriteError } from '../../src/results/sink.js';
import { tableFormat } from '../../src/results/record.js';
import { writeTable } from '../../src/results/table.js';
import { failed, scored, type Score } from '../../src/score.js';
import { readRows } from '../dataset/blocks.js';

const folder = await mkdtemp(join(tmpdir(), 'assay-table-'));
let files = 0;

const resultsWith = async (lines: readonly string[]): Promise<string> => {
  const path = join(folder, `results-${(files += 1)}.jsonl`);
  await writeFile(path, lines.join(''));
  return path;
};

const makeTable = async (lines: readonly string[], ending: 'csv' | 'parquet'): Promise<string> => {
  const results = await resultsWith(lines);
  const target = `${results}.${ending}`;
  await writeTable(results, target);
  return target;
};

const csvOf = async (lines: readonly string[]) => readFileSync(await makeTable(lines, 'csv'), 'utf8');

const parquetOf = async (lines: readonly string[]) => {
  const path = await makeTable(lines, 'parquet');
  const fd = openSync(path, 'r');
  const rows = await readRows(parquetBlocks({ fd, bytes: statSync(path).size, name: path }));
  closeSync(fd);
  return rows.map(({ text }) => text);
};

const multi: Score = {
  status: 'failed',
  code: 'other_error',
  message: 'a "quoted", message\nover two lines',
  subRewards: { exact: 1, near: 0.25 },
  hostedReward: 0.5,
  errors: { judge: { code: 'other_error', message: 'x' } },
};
const criteria: Score = {
  status: 'scored',
  reward: 0.5,
  results: [
    { name: 'correct', ...scored(1, 0.5) },
    { name: 'polite, too', ...failed('other_error', 'no') },
  ],
};

const LINES = [
  resultLine(1, scored(1, 0.5), { id: '"a"', input: '{"x": 1.0}' }),
  resultLine(2, scored(0.1), { id: '""' }),
  resultLine(3, multi, { id: '12345678901234567890' }),
  resultLine(4, criteria, { id: 'null' }),
];

describe('CSV', () => {
  test('has the fields of the lines as columns', async () => {
    expect(await csvOf(LINES)).toBe(
      [
        'row,id,status,reward,passed,code,message,sub_rewards.exact,sub_rewards.near,results.correct.status,results.correct.reward,results.correct.passed,"results.polite, too.status","results.polite, too.code","results.polite, too.message",hosted_reward,errors,input',
        '1,a,scored,1,true,,,,,,,,,,,,,"{""x"": 1.0}"',
        '2,"",scored,0.1,,,,,,,,,,,,,,',
        '3,12345678901234567890,failed,,,other_error,"a ""quoted"", message\nover two lines",1,0.25,,,,,,,0.5,"{""judge"":{""code"":""other_error"",""message"":""x""}}",',
        '4,,scored,0.5,,,,,,scored,1,true,failed,other_error,no,,,',
        '',
      ].join('\r\n'),
    );
  });

  test('prints rewards as the lines do', async () => {
    const rewards = [0, 1, 0.1 + 0.2, 1e-7, 1e21, 5e-324, -0.5, 1 / 3];
    const lines = rewards.map((reward, index) => resultLine(index + 1, scored(reward)));
    const cells = (await csvOf(lines))
      .trimEnd()
      .split('\r\n')
      .slice(1)
      .map((record) => record.split(',')[2]);
    expect(cells).toEqual(lines.map((line) => /"reward":([^},]+)/.exec(line)?.[1]));
  });

  test('without rows has a header', async () => {
    expect(await csvOf([])).toBe('row,status,reward\r\n');
  });

  test('of many rows is written piece by piece, and reads back', async () => {
    const lines = Array.from({ length: 30_000 }, (_, i) =>
      resultLine(i + 1, failed('other_error', `say "${i}"\n,`)),
    );
    const fd = openSync(await makeTable(lines, 'csv'), 'r');
    const rows = await readRows(csvBlocks(readChunks(fd), { delimiter: ',', name: 'table' }));
    closeSync(fd);
    expect(rows).toHaveLength(30_000);
    expect(JSON.parse(rows[29_999].text)).toEqual({
      row: '30000',
      status: 'failed',
      reward: '',
      code: 'other_error',
      message: 'say "29999"\n,',
    });
  });
});

describe('Parquet', () => {
  test('has the same columns, with their types', async () => {
    const rows = (await parquetOf(LINES)).map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(rows[0]).toMatchObject({ row: 1, id: 'a', status: 'scored', reward: 1, passed: true, code: null });
    expect(rows[0].input).toBe('{"x": 1.0}');
    expect(rows[2]).toMatchObject({
      id: '12345678901234567890',
      reward: null,
      message: 'a "quoted", message\nover two lines',
      'sub_rewards.exact': 1,
      'sub_rewards.near': 0.25,
      hosted_reward: 0.5,
    });
    expect(rows[3]).toMatchObject({
      'results.correct.passed': true,
      'results.polite, too.code': 'other_error',
    });
    const path = await makeTable([resultLine(1, scored(1, 0), { id: '7' })], 'parquet');
    const { schema } = await parquetMetadataAsync(await asyncBufferFromFile(path));
    expect(schema.slice(1).map(({ name, type, repetition_type }) => [name, type, repetition_type])).toEqual([
      ['row', 'INT64', 'REQUIRED'],
      ['id', 'INT64', 'OPTIONAL'],
      ['status', 'BYTE_ARRAY', 'OPTIONAL'],
      ['reward', 'DOUBLE', 'OPTIONAL'],
      ['passed', 'BOOLEAN', 'OPTIONAL'],
    ]);
  });

  test('without rows', async () => {
    expect(await parquetOf([])).toEqual([]);
  });

  test('of several row groups', async () => {
    const lines = Array.from({ length: 70_000 }, (_, i) => resultLine(i + 1, scored(i / 7)));
    const path = await makeTable(lines, 'parquet');
    const { row_groups: groups, num_rows } = await parquetMetadataAsync(await asyncBufferFromFile(path));
    expect([groups.length, num_rows]).toEqual([2, 70_000n]);
    expect((await parquetOf(lines))[69_999]).toBe(`{"row":70000,"status":"scored","reward":${69_999 / 7}}`);
  });
});

describe('types of columns', () => {
  test('what all values have in common', async () => {
    const rows = await parquetOf([
      '{"row":1,"id":1,"sample":0,"status":"scored","reward":1,"x":1}\n',
      '{"row":2,"id":"b","sample":1,"status":"scored","reward":0,"x":1.5}\n',
      '{"row":3,"id":true,"sample":2,"status":"scored","reward":0,"x":[2]}\n',
    ]);
    expect(rows[0]).toBe('{"row":1,"id":"1","sample":0,"status":"scored","reward":1,"x":"1"}');
    expect(rows[2]).toBe('{"row":3,"id":"true","sample":2,"status":"scored","reward":0,"x":"[2]"}');
  });
});

describe('writing', () => {
  test('leaves nothing behind when it fails', async () => {
    const results = await resultsWith(['{"row":1}\n', 'broken\n']);
    await expect(writeTable(results, `${results}.csv`)).rejects.toThrow(WriteError);
    await expect(writeTable(results, `${results}.csv`)).rejects.toThrow(
      /results-\d+\.jsonl:2 is not a result line/,
    );
    await expect(writeTable(`${results}x`, `${results}.csv`)).rejects.toThrow(/cannot write .*ENOENT/);
    await expect(writeTable(results, join(folder, 'no/such/folder.csv'))).rejects.toThrow(WriteError);
    expect((await readdir(folder)).filter((name) => name.endsWith('tmp'))).toEqual([]);
  });

  test('replaces what is there', async () => {
    const results = await resultsWith([resultLine(1, scored(1))]);
    await writeFile(`${results}.csv`, 'old and longer than the new one, which has but one row and a header');
    await writeTable(results, `${results}.csv`);
    expect(readFileSync(`${results}.csv`, 'utf8')).toBe('row,status,reward\r\n1,scored,1\r\n');
  });

  test.each([
    ['a.csv', 'csv'],
    ['a.PARQUET', 'parquet'],
    ['a.jsonl', undefined],
    ['csv', undefined],
  ])('%s is to be %s', (path, format) => expect(tableFormat(path)).toBe(format));
});
