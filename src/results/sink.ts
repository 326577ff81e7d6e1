import { ftruncateSync, writeSync } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import type { Writable } from 'node:stream';

/** Where result lines go. */
export interface Sink {
  /** True for a file that stays, which gets a record beside it. */
  readonly isFile: boolean;
  /** How long the file is. */
  readonly bytes: number;
  /** Done when the bytes are no longer needed. */
  write(lines: Buffer): Promise<void>;
  /** Waits until everything written is on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The results could not be written: a full disk, a folder that is not there. */
export class WriteError extends Error {
  override readonly name = 'WriteError';

  /** @param code  what the system calls the reason, such as `ENOSPC` */
  constructor(
    message: string,
    readonly code: string | undefined,
  ) {
    super(message);
  }
}

/** The results file exists and may not be written over. */
export class ResultsExistError extends Error {
  override readonly name = 'ResultsExistError';
}

/** How a results file is opened: as a new one, in place of an old one, or behind so many bytes of an old one. */
export type OpenMode = 'create' | 'overwrite' | { readonly keepBytes: number };

/**
 * Appends to a file.
 *
 * @throws ResultsExistError or WriteError
 */
export const fileSink = async (path: string, mode: OpenMode): Promise<Sink> => {
  const file = await open(path, await openFlag(path, mode)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') throw existsAlready(path);
    throw cannotWrite(path, error);
  });
  const isFile = (await file.stat()).isFile();
  return new FileSink(file, path, isFile, typeof mode === 'object' ? mode.keepBytes : undefined);
};

class FileSink implements Sink {
  bytes: number;
  /** Where the file is to be cut before anything is written behind it. */
  private cutAt: number | undefined;

  constructor(
    private readonly file: FileHandle,
    private readonly path: string,
    readonly isFile: boolean,
    keepBytes: number | undefined,
  ) {
    this.bytes = keepBytes ?? 0;
    this.cutAt = keepBytes;
  }

  // Synchronous: a block of lines is written in less time than handing it to another thread takes.
  async write(lines: Buffer): Promise<void> {
    try {
      this.cut();
      for (let at = 0; at < lines.length;) {
        const place = this.isFile ? this.bytes : null;
        const written = writeSync(this.file.fd, lines, at, lines.length - at, place);
        at += written;
        this.bytes += written;
      }
    } catch (error) {
      throw cannotWrite(this.path, error as NodeJS.ErrnoException);
    }
  }

  async sync(): Promise<void> {
    // Pipes and devices cannot be synced, and need not be.
    if (!this.isFile) return;
    try {
      this.cut();
      await this.file.datasync();
    } catch (error) {
      throw cannotWrite(this.path, error as NodeJS.ErrnoException);
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }

  /** Late: until its first line, a run may still find that these are not its results. */
  private cut(): void {
    if (this.cutAt !== undefined) ftruncateSync(this.file.fd, this.cutAt);
    this.cutAt = undefined;
  }
}

const openFlag = async (path: string, mode: OpenMode): Promise<string> => {
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isDirectory() === true) throw new ResultsExistError(`${path} is a folder, expected a file`);
  if (typeof mode === 'object') return 'r+';
  // Devices and pipes are there to be written to.
  return mode === 'overwrite' || (stats !== undefined && !stats.isFile()) ? 'w' : 'wx';
};

/** The error about results that are in the way. */
export const existsAlready = (path: string): ResultsExistError =>
  new ResultsExistError(
    `${path} exists already; --resume goes on with it, --retry-failed grades its failed rows again, --overwrite replaces it`,
  );

/** What went wrong, as the error that a run ends with. */
export const cannotWrite = (path: string, error: Error & { readonly code?: string }): WriteError =>
  new WriteError(`cannot write ${path}: ${error.message}`, error.code);

/** Writes to a stream such as standard output, at the pace of its reader. */
export const streamSink = (stream: Writable): Sink => ({
  ...nullSink,
  write: (lines) =>
    new Promise((resolve, reject) => {
      const settle = (error?: Error | null) => {
        stream.off('error', settle);
        stream.off('close', closed);
        if (error) reject(cannotWrite('the results', error));
        else resolve();
      };
      const closed = () => settle(new Error('their reader has gone'));
      stream.once('error', settle);
      stream.once('close', closed);
      // A copy: a stream may hand the bytes on and keep them long after it has called back.
      stream.write(Buffer.from(lines), settle);
    }),
});

/** For runs that only want the summary. */
export const nullSink: Sink = {
  isFile: false,
  bytes: 0,
  write: async () => {},
  sync: async () => {},
  close: async () => {},
};
