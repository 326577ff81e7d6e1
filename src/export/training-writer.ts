import { access, constants, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { cannotWrite, fileSink, ResultsExistError, streamSink, type Sink } from '../results/sink.js';

/**
 * Writes the lines of a training file. They go to `<file>.tmp` first, so that a file of the name is a whole one, whenever
 * the process ends.
 */
export class TrainingWriter {
  lines = 0;
  private memory = Buffer.allocUnsafeSlow(1 << 16);
  private length = 0;

  private constructor(
    private readonly sink: Sink,
    /** Where a file becomes the output at the end; undefined for streams and devices. */
    private readonly place: { readonly temporary: string; readonly path: string } | undefined,
  ) {}

  /**
   * @param output  a file, or a stream
   * @throws ResultsExistError, WriteError
   */
  static async open(output: string | Writable, overwrite: boolean): Promise<TrainingWriter> {
    if (typeof output !== 'string') return new TrainingWriter(streamSink(output), undefined);
    if (!(await checkPlace(output, overwrite)))
      return new TrainingWriter(await fileSink(output, 'overwrite'), undefined);
    const temporary = temporaryPath(output);
    return new TrainingWriter(await fileSink(temporary, 'overwrite'), { temporary, path: output });
  }

  /** Adds a line, which is kept until `flush`. */
  add(line: string): void {
    // A UTF-16 unit takes at most three bytes.
    this.reserve(3 * line.length + 1);
    this.length += this.memory.write(line, this.length);
    this.memory[this.length++] = NEWLINE;
    this.lines += 1;
  }

  async flush(): Promise<void> {
    if (this.length > 0) await this.sink.write(this.memory.subarray(0, this.length));
    this.length = 0;
    // What a long line needed is not kept.
    if (this.memory.length > KEPT_BYTES) this.memory = Buffer.allocUnsafeSlow(1 << 16);
  }

  /** Makes the file the output. */
  async finish(): Promise<void> {
    await this.flush();
    await this.sink.sync();
    await this.sink.close();
    if (this.place === undefined) return;
    const { temporary, path } = this.place;
    await rename(temporary, path).catch((error: Error) => {
      throw cannotWrite(path, error);
    });
  }

  /** Leaves nothing behind. */
  async abandon(): Promise<void> {
    await this.sink.close().catch(() => {});
    if (this.place !== undefined) await unlink(this.place.temporary).catch(() => {});
  }

  private reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.memory.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.memory.length, needed));
    this.memory.copy(grown, 0, 0, this.length);
    this.memory = grown;
  }
}

const NEWLINE = 0x0a;
const KEPT_BYTES = 8 << 20;

/** Where a training file is written before it has its name. */
export const temporaryPath = (path: string): string => `${path}.tmp`;

/**
 * Whether a file is to be made at a path: not for devices and pipes, which are there to be written to.
 *
 * @throws ResultsExistError, WriteError
 */
export const checkPlace = async (path: string, overwrite: boolean): Promise<boolean> => {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    await access(dirname(path), constants.W_OK).catch((error: Error) => {
      throw cannotWrite(path, error);
    });
    return true;
  }
  if (found.isDirectory()) throw new ResultsExistError(`${path} is a folder, expected a file`);
  if (!found.isFile()) return false;
  if (!overwrite) throw new ResultsExistError(`${path} exists already; --overwrite replaces it`);
  return true;
};
