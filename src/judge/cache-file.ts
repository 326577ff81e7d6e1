import { rmSync } from 'node:fs';
import type { CallStore, StoreOptions } from './cache.js';
import { MAX_LINE_BYTES } from './cache-lines.js';
import { encodeRecord, type CacheRecord, type RecordKind } from './cache-record.js';
import { Segment } from './cache-segment.js';
import { Segments } from './cache-segments.js';

export interface CallFileOptions extends StoreOptions {
  /** Whether what an earlier run left in the file is used; else it is removed. */
  readonly resume: boolean;
}

/** Where the replies of a run are kept until it is complete. */
export const callsPath = (results: string): string => `${results}.calls`;

/**
 * Opens the replies of one run, kept beside its results, so that `--resume` need not ask again what had been answered
 * even where the cache is off. One process has it open at a time.
 *
 * @returns undefined, after a warning, where the file cannot be written or is none of ours
 */
export const openCallFile = (path: string, options: CallFileOptions): CallFile | undefined => {
  try {
    return new CallFile(path, options);
  } catch (error) {
    options.onWarning?.(
      `${path} cannot be used (${(error as Error).message}); after a crash its calls would be made again`,
    );
    return undefined;
  }
};

/** The replies of one run, in one file. */
export class CallFile implements CallStore {
  private readonly segments = new Segments();
  private readonly segment: Segment;
  private readonly file: number;
  private canWrite = true;

  /** @throws Error where the file cannot be written or is none of ours */
  constructor(
    private readonly path: string,
    private readonly options: CallFileOptions,
  ) {
    this.segment = Segment.open(path, options.resume ? 'append' : 'replace', (error) =>
      this.stopWriting(error),
    );
    this.file = this.segments.add(this.segment);
    this.segments.scan(this.file);
  }

  get(kind: RecordKind, key: string): CacheRecord | undefined {
    return this.segments.get(kind, key);
  }

  put(record: Omit<CacheRecord, 'at'>): void {
    const line = encodeRecord({ ...record, at: Date.now() });
    if (!this.canWrite || line.length > MAX_LINE_BYTES) return;
    try {
      this.segments.append(this.file, record.key, line);
    } catch (error) {
      this.stopWriting(error);
    }
  }

  close(): Promise<void> {
    return this.segments.close();
  }

  /** Closes the file and removes it: the run is complete. */
  async remove(): Promise<void> {
    await this.close();
    rmSync(this.path, { force: true });
  }

  private stopWriting(error: unknown): void {
    if (!this.canWrite) return;
    this.canWrite = false;
    this.options.onWarning?.(
      `${this.path} cannot be written (${(error as Error).message}); after a crash calls would be made again`,
    );
  }
}
