import { open, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { lineBlocks, readChunks, streamChunks, type LineBlock } from '../dataset/jsonl.js';
import type { DatasetRecord } from '../results/record.js';

/** The dataset cannot be read. */
export class DatasetError extends Error {
  override readonly name = 'DatasetError';
}

/** A dataset that is being read. */
export interface Source {
  readonly name: string;
  readonly bytes: number | undefined;
  readonly blocks: AsyncIterable<LineBlock>;
  identity(): DatasetRecord;
  close(): Promise<void>;
}

/**
 * Opens a dataset: a JSONL file, or a stream of one.
 *
 * @param signal  ends the reading of a stream
 * @throws DatasetError
 */
export const openSource = async (data: string | Readable, signal?: AbortSignal): Promise<Source> =>
  typeof data === 'string' ? openFile(data, signal) : fromStream(data, signal);

const fromStream = (stream: Readable, signal: AbortSignal | undefined): Source => ({
  name: 'standard input',
  bytes: undefined,
  blocks: lineBlocks(streamChunks(stream, signal)),
  identity: () => ({ path: '-' }),
  close: async () => {},
});

const openFile = async (path: string, signal: AbortSignal | undefined): Promise<Source> => {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    throw new DatasetError(
      `${path}: ${error.code === 'ENOENT' ? 'there is no such dataset' : error.message}`,
    );
  });
  const stats = await file.stat();
  if (stats.isDirectory()) {
    await file.close();
    throw new DatasetError(`${path}: a folder, expected a JSONL file`);
  }
  const bytes = stats.isFile() ? stats.size : undefined;
  const crcs: number[] = [];
  const chunks =
    bytes === undefined
      ? streamChunks(file.createReadStream(), signal)
      : readChunks(file.fd, (crc) => crcs.push(crc));
  return {
    name: path,
    bytes,
    blocks: lineBlocks(chunks),
    identity: () => ({ path, bytes, crc32: crcs }),
    close: () => closeQuietly(file),
  };
};

/** A stream made from the file has closed it already. */
const closeQuietly = async (file: FileHandle): Promise<void> => {
  await file.close().catch(() => {});
};
