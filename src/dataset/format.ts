import { DatasetError } from './error.js';

/** How a dataset's rows are written. */
export type DatasetFormat = 'jsonl' | 'json' | 'csv' | 'tsv' | 'parquet';

/** What a file of text may be compressed with. */
export type Compression = 'gzip' | 'zstd';

/** A file to read, as `resolveDataset` finds it. */
export interface DatasetFile {
  readonly path: string;
  /** What messages call it. */
  readonly name: string;
  readonly format: DatasetFormat;
  readonly compression?: Compression;
}

/** The names that `--format` takes. */
export const DATASET_FORMATS: readonly DatasetFormat[] = ['jsonl', 'json', 'csv', 'tsv', 'parquet'];

const FORMAT_OF_ENDING: ReadonlyMap<string, DatasetFormat> = new Map([
  ['jsonl', 'jsonl'],
  ['ndjson', 'jsonl'],
  ['json', 'json'],
  ['csv', 'csv'],
  ['tsv', 'tsv'],
  ['tab', 'tsv'],
  ['parquet', 'parquet'],
  ['pq', 'parquet'],
]);

const COMPRESSION_OF_ENDING: ReadonlyMap<string, Compression> = new Map([
  ['gz', 'gzip'],
  ['zst', 'zstd'],
]);

const UNPACK = 'unpack it and give the files or the folder';
const FROM_TABLE = "write it as Parquet, with pandas: df.to_parquet('rows.parquet')";
const FROM_ARROW =
  "write it as Parquet: from datasets import Dataset; Dataset.from_file('FILE').to_parquet('rows.parquet')";
const FROM_SHEET = 'save the sheet as CSV (UTF-8)';
const RECOMPRESS = 'decompress it, or compress it with gzip or zstd';

/** Endings that are known to be something else, and what to do about it. */
const OTHER_ENDINGS: ReadonlyMap<string, string> = new Map([
  ...['xlsx', 'xls', 'xlsm', 'ods', 'numbers'].map((ending) => [ending, FROM_SHEET] as const),
  ...['arrow', 'feather', 'ipc'].map((ending) => [ending, FROM_ARROW] as const),
  ...['avro', 'orc', 'pkl', 'pickle', 'npy', 'npz', 'h5', 'hdf5'].map(
    (ending) => [ending, FROM_TABLE] as const,
  ),
  ...['db', 'sqlite', 'sqlite3', 'duckdb'].map((ending) => [ending, 'export the table as CSV'] as const),
  ...['zip', 'tar', 'tgz', '7z', 'rar'].map((ending) => [ending, UNPACK] as const),
  ...['bz2', 'xz', 'lz4', 'br', 'lzma', 'z'].map((ending) => [ending, RECOMPRESS] as const),
]);

const ACCEPTED = '.jsonl, .ndjson, .json, .csv, .tsv (also with .gz or .zst behind it) or .parquet';

/** What a file's name says about its content. */
export interface NamedFormat {
  readonly format: DatasetFormat;
  readonly compression?: Compression;
}

/** The endings of a name, the last one first: `a.csv.gz` → gz, csv. */
const endingsOf = (path: string): readonly string[] => {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.toLowerCase().split('.').slice(1).toReversed();
};

/** What a file whose name ends as a dataset's holds; undefined for any other. */
export const knownFormat = (path: string): NamedFormat | undefined => {
  const [last, before] = endingsOf(path);
  const compression = COMPRESSION_OF_ENDING.get(last ?? '');
  const format = FORMAT_OF_ENDING.get((compression === undefined ? last : before) ?? '');
  if (format === undefined || (format === 'parquet' && compression !== undefined)) return undefined;
  return { format, ...(compression && { compression }) };
};

/**
 * What a file holds by the ending of its name. A name without an ending, or with one that nothing is known about, is
 * JSONL.
 *
 * @param asked  the format that was asked for; the name then only says how the file is compressed
 * @throws DatasetError when the ending belongs to something that is no dataset
 */
const formatOf = (path: string, asked?: DatasetFormat): NamedFormat => {
  const [last = '', before = ''] = endingsOf(path);
  const compression = COMPRESSION_OF_ENDING.get(last);
  if ((asked ?? FORMAT_OF_ENDING.get(before)) === 'parquet' && compression !== undefined)
    throw new DatasetError(
      `${path}: Parquet is compressed inside; decompress the file first (${tool(compression)} -d)`,
    );
  if (asked !== undefined) return { format: asked, ...(compression && { compression }) };
  const known = knownFormat(path);
  if (known !== undefined) return known;
  const advice = OTHER_ENDINGS.get(compression === undefined ? last : before);
  if (advice === undefined) return { format: 'jsonl', ...(compression && { compression }) };
  throw new DatasetError(
    `${path}: a dataset ends in ${ACCEPTED}; ${advice.replace('FILE', path)}` +
      `, or say what it is with --format (${DATASET_FORMATS.join(', ')})`,
  );
};

const tool = (compression: Compression): string => (compression === 'gzip' ? 'gzip' : 'zstd');

/** A file as a dataset, read as `formatOf` says. */
export const toDatasetFile = (path: string, asked?: DatasetFormat): DatasetFile => ({
  path,
  name: path,
  ...formatOf(path, asked),
});
