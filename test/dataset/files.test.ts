import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DatasetError } from '../../src/dataset/error.js';
import { resolveDataset, type ResolveOptions } from '../../src/dataset/files.js';

/** A folder with files of these names, or with this content. */
const folderWith = async (files: readonly string[] | Record<string, string>): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'assay-files-'));
  const contents = Array.isArray(files) ? files.map((name) => [name, ''] as const) : Object.entries(files);
  for (const [name, content] of contents) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
};

/** The files' names in the folder. */
const resolveIn = async (folder: string, argument = '', options?: ResolveOptions): Promise<string[]> =>
  (await resolveDataset([join(folder, argument)], options)).map(({ path }) => path.slice(folder.length + 1));

const messageOf = async (args: readonly string[], options?: ResolveOptions): Promise<string> => {
  try {
    await resolveDataset(args, options);
  } catch (error) {
    expect(error).toBeInstanceOf(DatasetError);
    return (error as Error).message;
  }
  return 'no error';
};

describe('the format of a file', () => {
  test.each([
    ['rows.jsonl', 'jsonl', undefined],
    ['rows.ndjson.gz', 'jsonl', 'gzip'],
    ['ROWS.JSON', 'json', undefined],
    ['rows.2024.csv.zst', 'csv', 'zstd'],
    ['rows.tsv', 'tsv', undefined],
    ['a.b/rows.parquet', 'parquet', undefined],
    ['rows', 'jsonl', undefined],
    ['rows.gz', 'jsonl', 'gzip'],
    ['rows.txt', 'jsonl', undefined],
    ['folder.csv/rows', 'jsonl', undefined],
  ])('%s', async (path, format, compression) => {
    expect(await resolveDataset([path])).toEqual([
      { path, name: path, format, ...(compression !== undefined && { compression }) },
    ]);
  });

  test('may be asked for', async () => {
    expect(await resolveDataset(['rows.xlsx', 'b.txt.gz'], { format: 'csv' })).toMatchObject([
      { format: 'csv' },
      { format: 'csv', compression: 'gzip' },
    ]);
  });

  test.each([
    [
      'rows.xlsx',
      /a dataset ends in .jsonl.*save the sheet as CSV.*--format \(jsonl, json, csv, tsv, parquet\)/,
    ],
    ['rows.arrow', /Dataset\.from_file\('rows\.arrow'\)\.to_parquet/],
    ['rows.tar.gz', /unpack it/],
    ['rows.jsonl.xz', /compress it with gzip or zstd/],
    ['rows.parquet.gz', /decompress the file first \(gzip -d\)/],
  ])('%s is told what to do', async (path, message) => {
    expect(await messageOf([path])).toMatch(message);
  });
});

describe('patterns', () => {
  test('stand for the files in the order of their names', async () => {
    const folder = await folderWith([
      'b.csv',
      'a.csv',
      'a-10.csv',
      'a-2.csv',
      'c.txt',
      'in/d.csv',
      '.hidden.csv',
    ]);
    expect(await resolveIn(folder, '*.csv')).toEqual(['a-10.csv', 'a-2.csv', 'a.csv', 'b.csv']);
    expect(await resolveIn(folder, '**/*.csv')).toEqual([
      'a-10.csv',
      'a-2.csv',
      'a.csv',
      'b.csv',
      'in/d.csv',
    ]);
    expect(await resolveIn(folder, '{b,a}.csv')).toEqual(['a.csv', 'b.csv']);
    expect(await resolveIn(folder, 'a-?.csv')).toEqual(['a-2.csv']);
  });

  test('a file of just that name comes first', async () => {
    const folder = await folderWith(['*.csv', 'a.csv']);
    expect(await resolveIn(folder, '*.csv')).toEqual(['*.csv']);
  });

  test('without a file are told, and a path without one is left to the reader', async () => {
    expect(await messageOf(['/nowhere/*.csv'])).toBe('/nowhere/*.csv: no file has such a name');
    expect(await resolveDataset(['/nowhere/a.csv'])).toHaveLength(1);
  });

  test('a file that is there twice is told', async () => {
    const folder = await folderWith(['a.csv']);
    expect(await messageOf([join(folder, 'a.csv'), join(folder, '*.csv')])).toMatch(/has this file twice/);
  });
});

describe('folders', () => {
  test('of data files', async () => {
    const folder = await folderWith([
      'b.jsonl',
      'a.jsonl.gz',
      'deep/c.ndjson',
      'notes.md',
      '.git/x.jsonl',
      'b.jsonl.run.json',
    ]);
    expect(await resolveIn(folder)).toEqual(['a.jsonl.gz', 'b.jsonl', 'deep/c.ndjson']);
  });

  test('of several formats are told', async () => {
    const folder = await folderWith(['a.jsonl', 'b.csv']);
    expect(await messageOf([folder])).toMatch(/several formats \(jsonl, csv\); name those to read/);
  });

  test('without data files are told', async () => {
    expect(await messageOf([await folderWith(['README.md'])])).toMatch(/no data files/);
  });

  test('shards of the hub, in order; other files are left out', async () => {
    const folder = await folderWith([
      'data/train-00001-of-00002.parquet',
      'data/train-00000-of-00002.parquet',
      'data/test-00000-of-00001-0a1b2c.parquet',
      'raw/other.jsonl',
    ]);
    expect(await resolveIn(folder, '', { split: 'train' })).toEqual([
      'data/train-00000-of-00002.parquet',
      'data/train-00001-of-00002.parquet',
    ]);
    expect(await messageOf([folder])).toMatch(
      /the dataset has the splits test \(1 file\), train \(2 files\); choose one with --split/,
    );
    expect(await messageOf([folder], { split: 'tests' })).toMatch(/no split "tests".*did you mean test/);
  });

  test.each([
    [['train.jsonl', 'dev.jsonl'], 'validation', ['dev.jsonl']],
    [['train.jsonl', 'dev.jsonl'], 'dev', ['dev.jsonl']],
    [['training/1.csv', 'training/2.csv', 'my-test_2.csv'], 'train', ['training/1.csv', 'training/2.csv']],
    [['test/latest.csv'], undefined, ['test/latest.csv']],
  ])('splits by the names in %j', async (files, split, expected) => {
    expect(await resolveIn(await folderWith(files), '', { split })).toEqual(expected);
  });

  test('a file that is in no split is told', async () => {
    expect(await messageOf([await folderWith(['train.csv', 'more.csv'])])).toMatch(
      /train\.csv looks like a split and more\.csv does not/,
    );
  });

  test('the files that the README names', async () => {
    const folder = await folderWith({
      'README.md': `---
license: mit
configs:
- config_name: main
  default: true
  data_files:
  - split: train
    path: ["rows/b.csv", "rows/a*.csv"]
  - split: held_out
    path: rows/h.csv
- config_name: other
  data_files: other/*.csv
---
# Title`,
      'rows/a1.csv': '',
      'rows/a2.csv': '',
      'rows/b.csv': '',
      'rows/h.csv': '',
      'other/o.csv': '',
    });
    expect(await resolveIn(folder, '', { split: 'train' })).toEqual([
      'rows/b.csv',
      'rows/a1.csv',
      'rows/a2.csv',
    ]);
    expect(await resolveIn(folder, '', { split: 'held_out' })).toEqual(['rows/h.csv']);
  });

  test.each([
    [
      'configs:\n- config_name: a\n  data_files: a.csv\n- config_name: b\n  data_files: b.csv',
      /configurations a, b/,
    ],
    ['configs:\n- config_name: a\n  data_files: c.csv', /names c\.csv, and there is no such file/],
    ['configs: [', /not valid YAML/],
  ])('a README with %j', async (front, message) => {
    const folder = await folderWith({ 'README.md': `---\n${front}\n---\n`, 'a.csv': '', 'b.csv': '' });
    expect(await messageOf([folder])).toMatch(message);
  });

  test('a README without files', async () => {
    const folder = await folderWith({ 'README.md': '---\nlicense: mit\n---\n', 'rows.csv': '' });
    expect(await resolveIn(folder)).toEqual(['rows.csv']);
  });

  test('links to files are followed', async () => {
    const folder = await folderWith(['elsewhere.bin']);
    await symlink(join(folder, 'elsewhere.bin'), join(folder, 'rows.parquet'));
    expect(await resolveIn(folder)).toEqual(['rows.parquet']);
  });

  test('saved as Arrow files', async () => {
    const folder = await folderWith([
      'dataset_dict.json',
      'train/data-00000-of-00001.arrow',
      'train/state.json',
    ]);
    expect(await messageOf([folder])).toBe(
      `${folder}: a dataset saved as Arrow files; write it as Parquet: from datasets import load_from_disk; ` +
        `load_from_disk('${folder}')['train'].to_parquet('rows.parquet')`,
    );
  });

  test('a clone without Git LFS', async () => {
    const folder = await folderWith({
      'rows.parquet': 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n',
    });
    expect(await messageOf([folder])).toMatch(/a pointer of Git LFS.*git lfs pull/);
  });

  test('a split is only asked of folders', async () => {
    expect(await messageOf(['rows.csv'], { split: 'train' })).toMatch(
      /splits in the folder of a dataset only/,
    );
    expect(await messageOf([await folderWith(['rows.csv'])], { split: 'train' })).toMatch(
      /leave out --split/,
    );
  });
});
