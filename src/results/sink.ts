import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';

/** Where result lines go. */
export interface Sink {
  write(lines: Buffer): Promise<void>;
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
  const file = await open(path, overwrite ? 'w' : 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') throw new ResultsExistError(`${path} exists already`);
    throw cannotWrite(path, error);
  });
  return {
    // Synchronous: a block of lines is written in less time than handing it to another thread takes.
    write: async (lines) => {
      try {
        for (let at = 0; at < lines.length;) at += writeSync(file.fd, lines, at);
      } catch (error) {
        throw cannotWrite(path, error as Error);
      }
    },
    close: async () => {
      await file.datasync().catch((error: NodeJS.ErrnoException) => {
        // Pipes and devices cannot be synced, and need not be.
        if (error.code !== 'EINVAL' && error.code !== 'ENOTSUP') throw cannotWrite(path, error);
      });
      await file.close();
    },
  };
};

const cannotWrite = (path: string, error: Error): WriteError =>
  new WriteError(`cannot write ${path}: ${error.message}`);

/** Writes to a stream such as standard output, at the pace of its reader. */
export const streamSink = (stream: Writable): Sink => ({
  write: async (lines) => {
    if (lines.length > 0 && !stream.write(lines)) await once(stream, 'drain');
  },
  close: async () => {},
});

/** For runs that only want the summary. */
export const nullSink: Sink = { write: async () => {}, close: async () => {} };
