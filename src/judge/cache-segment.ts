import {
  close,
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { MAX_FILE_BYTES } from './cache-index.js';
import { scanLines } from './cache-lines.js';
import { FILE_HEADER, headOf, type RecordHead } from './cache-record.js';

const SYNC_MS = 200;
// Neither a link out of the folder nor a pipe that never answers.
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;
const PRIVATE = 0o600;

/** Why a file is not read, or not to its end. */
export class SegmentError extends Error {
  override readonly name = 'SegmentError';
}

/** How a segment is opened: for reading, as a new one, behind what it has, or in place of what it has. */
export type SegmentMode = 'read' | 'create' | 'append' | 'replace';

const FLAGS: Readonly<Record<SegmentMode, number>> = {
  read: O_RDONLY,
  create: O_RDWR | O_CREAT | O_EXCL,
  append: O_RDWR | O_CREAT,
  replace: O_RDWR | O_CREAT,
};

/** Receives a record: what its fixed places say, where it begins, and its line, which is valid until the next one. */
export type RecordVisitor = (head: RecordHead, offset: number, line: Buffer) => void;

/** A file of records, one a line, that is only ever written at its end, and by one process. */
export class Segment {
  /** Up to here the file has been scanned or written. */
  bytes = 0;
  /** Lines that are records, and lines that are none. */
  records = 0;
  damaged = 0;
  private timer: NodeJS.Timeout | undefined;
  private syncing: Promise<void> | undefined;

  private constructor(
    private readonly fd: number,
    private readonly onSyncError: (error: Error) => void,
  ) {}

  /**
   * Opens a file; one that can be written gets its first line.
   *
   * @param onSyncError  told of a write that failed later, in the system
   * @throws SegmentError for a file that is none of ours; the system's error where it cannot be opened
   */
  static open(path: string, mode: SegmentMode, onSyncError: (error: Error) => void = () => {}): Segment {
    const fd = openSync(path, FLAGS[mode] | O_NOFOLLOW | O_NONBLOCK, PRIVATE);
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) throw new SegmentError('it is not a file');
      const segment = new Segment(fd, onSyncError);
      if (stats.size > 0) segment.checkHeader(stats.size);
      if (mode !== 'read' && (stats.size < FILE_HEADER.length || mode === 'replace')) segment.begin();
      return segment;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  private checkHeader(size: number): void {
    const start = this.read(0, Math.min(size, FILE_HEADER.length));
    if (!FILE_HEADER.subarray(0, start.length).equals(start))
      throw new SegmentError('it is no cache file of this version of assay');
  }

  private begin(): void {
    ftruncateSync(this.fd, 0);
    this.append(FILE_HEADER);
  }

  /** Visits the records that have come since the last time. @throws SegmentError behind the last one it can read */
  scan(visit: RecordVisitor): void {
    if (fstatSync(this.fd).size > MAX_FILE_BYTES) throw new SegmentError('it is too large to be ours');
    const { end, tooLong } = scanLines(this.fd, this.bytes, (line, offset) => {
      const head = headOf(line);
      if (head === undefined) this.damaged += offset > 0 ? 1 : 0;
      else {
        this.records++;
        visit(head, offset, line);
      }
    });
    this.bytes = end;
    if (tooLong) throw new SegmentError('a line of it is too long to be ours');
  }

  /** Visits again all records that have been scanned or written. */
  visitAgain(visit: RecordVisitor): void {
    scanLines(this.fd, 0, (line, offset) => {
      const head = offset < this.bytes ? headOf(line) : undefined;
      if (head !== undefined) visit(head, offset, line);
    });
  }

  /** Whether there is more in the file than has been scanned. */
  hasGrown(): boolean {
    return fstatSync(this.fd).size > this.bytes;
  }

  read(offset: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    return bytes.subarray(0, readSync(this.fd, bytes, 0, length, offset));
  }

  /**
   * Writes bytes behind all that has been scanned and written; a last line that broke off is written over.
   *
   * Once this returns the bytes are the system's, and survive the death of the process. A sync for each would take
   * longer than many a reply; with one every 200 ms a power cut costs at most the replies of that time.
   *
   * @returns the offset of the first one
   * @throws the system's error; the file is then as before
   */
  append(bytes: Buffer): number {
    const offset = this.bytes;
    try {
      for (let at = 0; at < bytes.length;)
        at += writeSync(this.fd, bytes, at, bytes.length - at, offset + at);
    } catch (error) {
      this.cut(offset);
      throw error;
    }
    this.bytes += bytes.length;
    this.syncSoon();
    return offset;
  }

  /** What was half written is ignored by readers even where it cannot be cut off. */
  private cut(length: number): void {
    try {
      ftruncateSync(this.fd, length);
    } catch {}
  }

  private syncSoon(): void {
    this.timer ??= setTimeout(() => {
      this.syncing = this.sync().catch(this.onSyncError);
    }, SYNC_MS).unref();
  }

  private async sync(): Promise<void> {
    await this.syncing;
    clearTimeout(this.timer);
    this.timer = undefined;
    await promisify(fdatasync)(this.fd);
  }

  /** Everything written is on the disk when this is done. */
  async close(): Promise<void> {
    if (this.timer !== undefined) await this.sync().catch(this.onSyncError);
    await this.syncing;
    await promisify(close)(this.fd);
  }
}
