import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { DatasetError } from '../dataset/error.js';
import { resolveDataset } from '../dataset/files.js';
import type { DatasetFile, DatasetFormat } from '../dataset/format.js';
import { openBlocks, openStreamBlocks, type OpenDataset } from '../dataset/open.js';
import { BLOCK_BYTES, type LineBlock } from '../dataset/jsonl.js';
import { rangeCount } from '../dataset/ranges.js';
import type { DatasetRecord } from '../results/record.js';

/** A piece of a dataset: a part of a JSONL file that is still to be read, or rows that were read from another format. */
export type Piece = {
  /** Which file of the dataset. */
  readonly file: number;
  /** Whether the file starts with it. */
  readonly first: boolean;
} & ({ readonly range: number } | { readonly block: LineBlock });

/** How a dataset is found and read. */
export interface SourceOptions {
  /** The format of files whose names do not tell. */
  readonly format?: DatasetFormat;
  /** Which part of a Hugging Face dataset folder: `train`, `test`. */
  readonly split?: string;
  readonly signal?: AbortSignal;
}

/** A dataset that is about to be read. */
export interface Source {
  /** As the user named it. */
  readonly name: string;
  /** Size of all files; undefined for a stream. */
  readonly bytes: number | undefined;
  readonly files: readonly SourceFile[];
  /** The pieces in order; may be asked for once. */
  pieces(): AsyncGenerator<Piece, void, undefined>;
  /** Checks from now on that the files are those of an earlier run. */
  expect(earlier: DatasetRecord): void;
  /**
   * Notes the checksum of a file's next MiB.
   *
   * @throws DatasetError when another one was expected
   */
  addCrc(file: number, crc: number): void;
  identity(): DatasetRecord;
  /** Ends a stream, also one whose next piece is being waited for. */
  close(): void;
}

/** A file of a dataset. */
export interface SourceFile {
  readonly path: string;
  /** What stands before the number of a row: `line `, `b.jsonl line `. */
  readonly prefix: string;
  /** Its size; undefined for a pipe. */
  readonly bytes: number | undefined;
  /** Bytes of the files before this one. */
  readonly offset: number;
}

/** @throws DatasetError */
export const openSource = async (
  data: string | readonly string[] | Readable,
  options: SourceOptions = {},
): Promise<Source> => {
  if (typeof data === 'string') return openFiles([data], options);
  if (Array.isArray(data)) return openFiles(data as readonly string[], options);
  return openStream(data as Readable, options);
};

const openStream = (stream: Readable, { format, signal }: SourceOptions): Source => ({
  name: 'standard input',
  bytes: undefined,
  files: [{ path: '-', prefix: 'line ', bytes: undefined, offset: 0 }],
  async *pieces() {
    yield* opened(0, await openStreamBlocks(stream, format, signal));
  },
  expect() {},
  addCrc() {},
  identity: () => ({ path: '-', files: [] }),
  close: () => void stream.destroy(),
});

async function* numbered(
  file: number,
  blocks: AsyncIterable<LineBlock>,
): AsyncGenerator<Piece, void, undefined> {
  let first = true;
  for await (const block of blocks) {
    yield { file, first, block };
    first = false;
  }
}

const openFiles = async (paths: readonly string[], options: SourceOptions): Promise<Source> => {
  const { signal } = options;
  const datasets = await resolveDataset(paths, options);
  const stats = await Promise.all(datasets.map(({ path }) => statOf(path)));
  const sizes = stats.map((found) => (found.isFile() ? found.size : undefined));
  // Of an earlier run, when this one goes on with it: what was graded then is only known to be of that file.
  const modified = stats.map(({ mtimeMs }) => mtimeMs);
  const checksums = datasets.map(({ path }) => new Checksums(path));
  const addCrc = (file: number, crc: number) => checksums[file].add(crc);
  let offset = 0;
  const files = datasets.map((dataset, index) => {
    const prefix = prefixOf(dataset, datasets.length);
    const file = { path: dataset.path, prefix, bytes: sizes[index], offset };
    offset += sizes[index] ?? 0;
    return file;
  });
  const bytes = sizes.includes(undefined) ? undefined : offset;
  const name = paths.join(' ');
  return {
    name,
    bytes,
    files,
    addCrc,
    expect: ({ files: earlier }) =>
      earlier.forEach(({ crc32, modified_ms }, index) => {
        checksums[index]?.expect(crc32);
        modified[index] = modified_ms;
      }),
    async *pieces() {
      for (const [index, dataset] of datasets.entries()) {
        const size = sizes[index];
        if (isPlain(dataset) && size !== undefined) yield* ranges(index, size);
        else yield* opened(index, await openBlocks(dataset, { onCrc: (crc) => addCrc(index, crc), signal }));
      }
    },
    identity: () => ({
      path: name,
      bytes,
      files: datasets.map(({ path }, index) => ({
        path,
        bytes: sizes[index] ?? 0,
        modified_ms: modified[index],
        crc32: checksums[index].text,
      })),
    }),
    close() {},
  };
};

const CRC_DIGITS = 8;

/** The checksums of a file's blocks, as one text. */
class Checksums {
  text = '';
  private at = 0;
  private expected = '';

  constructor(private readonly path: string) {}

  expect(checksums: string): void {
    this.expected = checksums;
    this.text = checksums;
  }

  add(crc: number): void {
    const digits = crc.toString(16).padStart(CRC_DIGITS, '0');
    const { at } = this;
    this.at += CRC_DIGITS;
    if (at >= this.expected.length) this.text += digits;
    else if (!this.expected.startsWith(digits, at)) throw this.changed(at / CRC_DIGITS);
  }

  private changed(block: number): DatasetError {
    const place = `in the MiB that starts at byte ${block * BLOCK_BYTES}`;
    return new DatasetError(
      `${this.path} has changed since its rows were graded (${place}); put it back, or grade it anew with --overwrite`,
    );
  }
}

const statOf = async (path: string) => {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new DatasetError(
      `${path}: ${error.code === 'ENOENT' ? 'there is no such dataset' : error.message}`,
    );
  });
  return found;
};

const isPlain = ({ format, compression }: DatasetFile): boolean =>
  format === 'jsonl' && compression === undefined;

/** Rows of Parquet have numbers, those of texts stand in lines. */
const prefixOf = ({ name, format }: DatasetFile, files: number): string => {
  const unit = format === 'parquet' ? 'row ' : 'line ';
  return files === 1 ? unit : `${name} ${unit}`;
};

async function* ranges(file: number, size: number): AsyncGenerator<Piece, void, undefined> {
  const count = rangeCount(size);
  for (let range = 0; range < count; range += 1) yield { file, first: range === 0, range };
}

async function* opened(file: number, { blocks, close }: OpenDataset): AsyncGenerator<Piece, void, undefined> {
  try {
    yield* numbered(file, blocks);
  } finally {
    await close();
  }
}
