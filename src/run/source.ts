import { open, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { lineBlocks, readChunks, streamChunks, type LineBlock } from '../dataset/jsonl.js';
import type { DatasetRecord } from '../results/record.js';

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
 * @throws the file system's own error
 */
export const openSource = async (data: string | Readable): Promise<Source> => {
  if (typeof data !== 'string') {
    return {
      name: '-',
      bytes: undefined,
      blocks: lineBlocks(streamChunks(data)),
      identity: () => ({ path: '-' }),
      close: async () => {},
    };
  }
  const file = await open(data, 'r');
  const stats = await file.stat();
  const bytes = stats.isFile() ? stats.size : undefined;
  const crcs: number[] = [];
  return {
    name: data,
    bytes,
    blocks: lineBlocks(
      bytes === undefined
        ? streamChunks(file.createReadStream())
        : readChunks(file.fd, (crc) => crcs.push(crc)),
    ),
    identity: () => ({ path: data, bytes, crc32: crcs }),
    close: () => closeQuietly(file),
  };
};

const closeQuietly = async (file: FileHandle): Promise<void> => {
  await file.close().catch(() => {});
};
