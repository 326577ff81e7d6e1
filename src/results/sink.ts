import { writeSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';

/** Where result lines go. */
export interface Sink {
  /** True for a file that stays, which gets a record beside it. */
  readonly isFile: boolean;
  /** Done when the bytes are no longer needed. */
  write(lines: Buffer): Promise<void>;
  /** Waits until everything written is on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The results could not be written: a full disk, a folder that is not there. */
export class WriteError extends Error {
  override readonly name = 'WriteError';
}

/** The results file exists and may not be written over. */
export class ResultsExistError extends Error {
  override readonly name = 'ResultsExistError';
}

/** Appends to a new file; an existing one is only replaced when `overwrite` is set. */
export const fileSink = async (path: string, overwrite: boolean): Promise<Sink> => {
  const replaces = overwrite || (await isDevice(path));
  const file = await open(path, replaces ? 'w' : 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST')
      throw new ResultsExistError(`${path} exists already; --overwrite replaces it`);
    throw cannotWrite(path, error);
  });
  const isFile = (await file.stat()).isFile();
  return {
    isFile,
    // Synchronous: a block of lines is written in less time than handing it to another thread takes.
    write: async (lines) => {
      try {
        for (let at = 0; at < lines.length;) at += writeSync(file.fd, lines, at);
      } catch (error) {
        throw cannotWrite(path, error as Error);
      }
    },
    sync: async () => {
      // Pipes and devices cannot be synced, and need not be.
      if (isFile) await file.datasync().catch((error: Error) => Promise.reject(cannotWrite(path, error)));
    },
    close: () => file.close(),
  };
};

/** Devices and pipes are there to be written to. */
const isDevice = async (path: string): Promise<boolean> => {
  const stats = await stat(path).catch(() => undefined);
  return stats !== undefined && !stats.isFile() && !stats.isDirectory();
};

/** What went wrong, as the error that a run ends with. */
export const cannotWrite = (path: string, error: Error): WriteError =>
  new WriteError(`cannot write ${path}: ${error.message}`);

/** Writes to a stream such as standard output, at the pace of its reader. */
export const streamSink = (stream: Writable): Sink => ({
  ...nullSink,
  write: (lines) =>
    new Promise((resolve, reject) => {
      // A copy: a stream may hand the bytes on and keep them long after it has called back.
      stream.write(Buffer.from(lines), (error) => (error ? reject(error) : resolve()));
    }),
});

/** For runs that only want the summary. */
export const nullSink: Sink = {
  isFile: false,
  write: async () => {},
  sync: async () => {},
  close: async () => {},
};
