import { open, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { DatasetError } from './error.js';
import type { Compression, DatasetFile, DatasetFormat } from './format.js';
import { lineBlocks, readChunks, streamChunks, type Chunk, type LineBlock } from './jsonl.js';
import { counted, peek } from './stream.js';

/** What wants to know how a file is read. */
export interface OpenHooks {
  /** Receives the CRC-32 of every MiB of the file as it is on the disk, in order. */
  readonly onCrc?: (crc: number) => void;
  /** Ends the reading of a stream. */
  readonly signal?: AbortSignal;
}

/** A dataset that is being read. */
export interface OpenDataset {
  /** The size of the file; undefined for pipes and standard input. */
  readonly bytes: number | undefined;
  readonly blocks: AsyncIterable<LineBlock>;
  /** What the numbers of the blocks' lines count. */
  readonly unit: 'line' | 'row';
  close(): Promise<void>;
}

/**
 * Opens a file of any format. Packages are loaded for the formats that need them.
 *
 * @throws DatasetError when it cannot be opened; what is wrong with its content comes from the iteration of the blocks
 */
export const openBlocks = async (file: DatasetFile, hooks: OpenHooks = {}): Promise<OpenDataset> => {
  const handle = await openFile(file.name, file.path);
  const stats = await handle.stat();
  const bytes = stats.isFile() ? stats.size : undefined;
  const unit = file.format === 'parquet' ? 'row' : 'line';
  try {
    if (stats.isDirectory()) throw new DatasetError(`${file.name}: a folder, expected a file`);
    const blocks = await blocksOf(file, handle, bytes, hooks);
    return { bytes, blocks, unit, close: () => closeQuietly(handle) };
  } catch (error) {
    await closeQuietly(handle);
    throw error;
  }
};

const openFile = (name: string, path: string): Promise<FileHandle> =>
  open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    throw new DatasetError(
      `${name}: ${error.code === 'ENOENT' ? 'there is no such dataset' : error.message}`,
    );
  });

/** A stream made from the file has closed it already. */
const closeQuietly = async (handle: FileHandle): Promise<void> => {
  await handle.close().catch(() => {});
};

const blocksOf = async (
  { format, compression, name }: DatasetFile,
  handle: FileHandle,
  bytes: number | undefined,
  { onCrc, signal }: OpenHooks,
): Promise<AsyncIterable<LineBlock>> => {
  if (format === 'parquet') {
    if (bytes === undefined) throw new DatasetError(`${name}: ${PARQUET_STREAM}`);
    const { parquetBlocks } = await import('./parquet.js');
    return parquetBlocks({ fd: handle.fd, bytes, name }, onCrc);
  }
  const chunks =
    bytes === undefined ? streamChunks(handle.createReadStream(), signal) : readChunks(handle.fd, onCrc);
  return textBlocks(chunks, { format, compression, name, signal });
};

const PARQUET_STREAM =
  'Parquet is read from its end, which a stream does not have yet; save it to a file first';

/** What a text file or stream holds. */
interface TextSource {
  readonly format: Exclude<DatasetFormat, 'parquet'>;
  readonly compression: Compression | undefined;
  readonly name: string;
  readonly signal: AbortSignal | undefined;
}

/** The rows of a text, with the bytes read of the file as it is on the disk for their position. */
async function* textBlocks(
  chunks: AsyncIterable<Chunk>,
  { format, compression, name, signal }: TextSource,
): AsyncGenerator<LineBlock, void, undefined> {
  let position = 0;
  const source = counted(chunks, (bytes) => (position += bytes));
  const text = compression === undefined ? source : await decompressed(source, compression, name);
  try {
    for await (const block of await rowBlocks(text, format, name)) yield { ...block, position };
  } catch (error) {
    // A stream that was ended from outside is cut off, of course.
    if (signal?.aborted !== true) throw error;
  }
}

const decompressed = async (
  chunks: AsyncIterable<Chunk>,
  compression: Compression,
  name: string,
): Promise<AsyncIterable<Chunk>> => {
  const { decompressedChunks } = await import('./compressed.js');
  return decompressedChunks(chunks, compression, name);
};

const rowBlocks = async (
  chunks: AsyncIterable<Chunk>,
  format: TextSource['format'],
  name: string,
): Promise<AsyncIterable<LineBlock>> => {
  if (format === 'jsonl') return lineBlocks(chunks);
  if (format === 'json') return jsonOrLines(chunks);
  const { csvBlocks } = await import('./csv.js');
  return csvBlocks(chunks, { delimiter: format === 'csv' ? ',' : '\t', name });
};

/** A file of JSON is an array, one value over many lines, or JSONL. */
const jsonOrLines = async (chunks: AsyncIterable<Chunk>): Promise<AsyncIterable<LineBlock>> => {
  const { head, chunks: all } = await peek(chunks, (bytes) => firstLine(bytes) !== undefined);
  const line = firstLine(head) ?? startOf(head);
  if (!line.startsWith('[') && !/[{[,]\s*$/.test(line)) return lineBlocks(all);
  const { jsonBlocks } = await import('./json-array.js');
  return jsonBlocks(all);
};

/** How much of a text is looked at to see what it is. */
const HEAD_BYTES = 1 << 16;

const startOf = (bytes: Buffer): string =>
  bytes
    .toString('utf8', 0, HEAD_BYTES)
    .replace(/^\ufeff/, '')
    .trimStart();

/** The first line that is not blank; undefined as long as its end has not been read. */
const firstLine = (bytes: Buffer): string | undefined => {
  const text = startOf(bytes);
  const end = text.indexOf('\n');
  if (end !== -1) return text.slice(0, end);
  return text.startsWith('[') || bytes.length >= HEAD_BYTES ? text : undefined;
};

/**
 * Opens standard input or another stream of bytes. gzip and zstd are known by how they begin; without a format, a text that
 * begins with `[` is an array of JSON, and any other is JSONL.
 *
 * @throws DatasetError for Parquet, which has to be a file
 */
export const openStreamBlocks = async (
  stream: Readable,
  format: DatasetFormat | undefined,
  signal?: AbortSignal,
): Promise<OpenDataset> => {
  const name = 'standard input';
  const { head, chunks } = await peek(streamChunks(stream, signal), (bytes) => bytes.length >= MAGIC_BYTES);
  const compression = compressionOf(head);
  if (format === 'parquet' || head.toString('latin1', 0, MAGIC_BYTES) === 'PAR1')
    throw new DatasetError(`${name}: ${PARQUET_STREAM}`);
  const blocks = textBlocks(chunks, { format: format ?? 'json', compression, name, signal });
  return { bytes: undefined, blocks, unit: 'line', close: async () => {} };
};

const MAGIC_BYTES = 4;

const compressionOf = (head: Buffer): Compression | undefined => {
  const magic = head.toString('hex', 0, MAGIC_BYTES);
  if (magic.startsWith('1f8b')) return 'gzip';
  return magic === '28b52ffd' ? 'zstd' : undefined;
};
