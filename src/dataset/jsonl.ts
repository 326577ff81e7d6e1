import { isAscii, isUtf8 } from 'node:buffer';
import { readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { DatasetError } from './error.js';

/** Rows of a dataset as lines of JSON. The bytes are valid until the next block is asked for. */
export interface LineBlock {
  readonly bytes: Buffer;
  /** Bytes of the file read so far, for progress. */
  readonly position: number;
  /** After these lines comes one that is longer than the limit and was skipped over. */
  readonly tooLong?: boolean;
  /**
   * For formats whose rows are not lines of the file: where each line of `bytes` stands in it, from 1. None of the lines
   * is blank.
   */
  readonly lines?: Int32Array;
  /**
   * What is wrong with a row, by its index in the block; its line of `bytes` is then a JSON text of what was there, such
   * as an array of the cells.
   */
  readonly problems?: ReadonlyMap<number, string>;
}

/** How much of a file is read at once, and what each of its checksums covers. */
export const BLOCK_BYTES = 1 << 20;
/** A longer line becomes a failed row instead of filling the memory. */
export const MAX_LINE_BYTES = 64 << 20;

/** The byte that ends a line. */
export const NEWLINE = 0x0a;
/** What some programs put in front of UTF-8. */
export const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Cuts a stream of chunks into blocks of whole lines. Lines end at `\n` only: U+2028 and a lone `\r` are legal inside
 * JSON text, and a `\r` before `\n` is white space to the parser.
 */
export async function* lineBlocks(
  chunks: AsyncIterable<Chunk>,
  maxLineBytes: number = MAX_LINE_BYTES,
): AsyncGenerator<LineBlock, void, undefined> {
  const rest = new LineStart(maxLineBytes);
  let position = 0;
  for await (const { memory, start, end: filled } of chunks) {
    let from = start;
    if (position === 0 && memory.subarray(start, start + 3).equals(BYTE_ORDER_MARK)) from += 3;
    position += filled - start;
    const newline = memory.subarray(from, filled).indexOf(NEWLINE);
    if (newline === -1) {
      rest.add(memory.subarray(from, filled));
      continue;
    }
    if (!rest.fits(newline)) {
      yield { bytes: NOTHING, position, tooLong: true };
      rest.clear();
      from += newline + 1;
    }
    const end = from + memory.subarray(from, filled).lastIndexOf(NEWLINE) + 1;
    if (end > from) yield { bytes: rest.joinedWith(memory, from, end), position };
    rest.clear();
    rest.add(memory.subarray(end, filled));
  }
  if (!rest.fits(0)) yield { bytes: NOTHING, position, tooLong: true };
  else if (rest.length > 0) yield { bytes: rest.joinedWith(NOTHING, 0, 0), position };
}

const NOTHING = Buffer.alloc(0);

/** The beginning of a line whose end has not been read yet. */
class LineStart {
  length = 0;
  private pieces: Buffer[] = [];
  /** Memory to put a block together in, used again for the next. */
  private room: Buffer = NOTHING;

  constructor(private readonly maxBytes: number) {}

  /** Keeps a copy: the memory is used again for the next chunk. What is too long to be a line is not kept. */
  add(bytes: Buffer): void {
    this.length += bytes.length;
    if (this.length > this.maxBytes) this.pieces = [];
    else if (bytes.length > 0) this.pieces.push(Buffer.from(bytes));
  }

  /** Whether the line is within the limit when `more` bytes follow. */
  fits(more: number): boolean {
    return this.length + more <= this.maxBytes;
  }

  clear(): void {
    this.length = 0;
    this.pieces = [];
  }

  /** The kept bytes and those of `memory`, as one piece; put together in place where there is room in front. */
  joinedWith(memory: Buffer, start: number, end: number): Buffer {
    const at = start - this.length;
    if (at < 0) return this.joined(memory, start, end);
    this.copyPieces(memory, at);
    return memory.subarray(at, end);
  }

  private joined(memory: Buffer, start: number, end: number): Buffer {
    const length = this.length + end - start;
    if (length > this.room.length) this.room = Buffer.allocUnsafeSlow(Math.max(length, 2 * BLOCK_BYTES));
    memory.copy(this.room, this.copyPieces(this.room, 0), start, end);
    const { room } = this;
    // What a long line needed is not kept.
    if (length > 4 * BLOCK_BYTES) this.room = NOTHING;
    return room.subarray(0, length);
  }

  private copyPieces(target: Buffer, at: number): number {
    let offset = at;
    for (const piece of this.pieces) offset += piece.copy(target, offset);
    return offset;
  }
}

/** How much ASCII is decoded at once. */
const PIECE_BYTES = 1 << 14;

/** Walks over the lines of blocks that are not blank. A class and not a generator: it runs once a row. */
export class LineCursor {
  /** Number of the line in its file, from 1. */
  line = 0;
  /** Why the line cannot be read, if it cannot. */
  problem: string | undefined;
  /** Where the line lies in the block. */
  start = 0;
  end = 0;
  /** How many lines of the block there are to walk over. */
  count = 0;
  /** How many lines it has in its file, blank ones included. */
  fileLines = 0;
  /** Whether the whole block is ASCII. */
  ascii = true;
  /** Whether the whole block is valid UTF-8. */
  valid = true;
  private block: LineBlock = NO_BLOCK;
  private index = 0;
  private starts = new Int32Array(1 << 10);
  private ends = new Int32Array(1 << 10);
  /** The line of each start, from 0 at the beginning of the block. */
  private offsets = new Int32Array(1 << 10);
  private firstLine = 1;
  /** Some whole lines of ASCII, decoded together, and where they lie. */
  private piece = '';
  private pieceStart = 0;
  private pieceEnd = 0;

  /** Finds the lines of the next block; the first one of its file has the number `firstLine`. */
  open(block: LineBlock, firstLine = this.firstLine + this.fileLines): void {
    this.block = block;
    this.firstLine = firstLine;
    this.index = 0;
    this.ascii = isAscii(block.bytes);
    this.valid = this.ascii || isUtf8(block.bytes);
    this.pieceStart = this.pieceEnd = 0;
    this.findLines();
  }

  /** Numbers the lines of the open block anew, for a block whose place in the file is learnt late. */
  startAt(firstLine: number): void {
    this.firstLine = firstLine;
  }

  /** Goes to the next line; false at the end of the block. */
  next(): boolean {
    const { index, block } = this;
    if (index >= this.count) return false;
    this.index = index + 1;
    this.start = this.starts[index];
    this.end = this.ends[index];
    this.line = block.lines === undefined ? this.firstLine + this.offsets[index] : block.lines[index];
    this.problem = block.problems?.get(index);
    if (this.start === TOO_LONG) {
      this.start = this.end;
      this.problem = 'the line is too long to be a row';
    } else if (!this.valid && !isUtf8(block.bytes.subarray(this.start, this.end))) {
      this.problem = 'not valid UTF-8';
    }
    return true;
  }

  /** The text of the line. */
  get text(): string {
    const { start, end } = this;
    if (!this.ascii) return this.block.bytes.toString('utf8', start, end);
    if (end > this.pieceEnd || start < this.pieceStart) this.decodePiece();
    return this.piece.substring(start - this.pieceStart, end - this.pieceStart);
  }

  /** Cutting a string is cheaper than decoding one, so ASCII is decoded some lines at a time. */
  private decodePiece(): void {
    const { bytes } = this.block;
    const last = bytes.lastIndexOf(NEWLINE, this.start + PIECE_BYTES);
    this.pieceStart = this.start;
    this.pieceEnd = Math.max(last, this.end);
    this.piece = bytes.toString('latin1', this.pieceStart, this.pieceEnd);
  }

  private findLines(): void {
    const { bytes, tooLong = false } = this.block;
    let count = 0;
    let line = 0;
    for (let start = 0; start < bytes.length; line += 1) {
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline === -1 ? bytes.length : newline;
      if (!isBlank(bytes, start, end)) {
        if (count + 1 >= this.starts.length) this.grow();
        this.starts[count] = start;
        this.ends[count] = end;
        this.offsets[count] = line;
        count += 1;
      }
      start = end + 1;
    }
    if (tooLong) {
      this.starts[count] = TOO_LONG;
      this.ends[count] = bytes.length;
      this.offsets[count] = line;
      count += 1;
      line += 1;
    }
    this.count = count;
    this.fileLines = line;
  }

  private grow(): void {
    this.starts = longer(this.starts);
    this.ends = longer(this.ends);
    this.offsets = longer(this.offsets);
  }
}

const longer = (lines: Int32Array): Int32Array<ArrayBuffer> => {
  const grown = new Int32Array(lines.length * 2);
  grown.set(lines);
  return grown;
};

const TOO_LONG = -1;
const NO_BLOCK: LineBlock = { bytes: NOTHING, position: 0 };

/** Nothing but the white space of JSON; a line of any other is no JSON, and not dropped in silence. */
const isBlank = (bytes: Buffer, start: number, end: number): boolean => {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
  }
  return true;
};

/** Bytes of a source; the memory in front of `start` may be written to. */
export interface Chunk {
  readonly memory: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Room in front of a chunk for the beginning of its first line. */
const HEADROOM_BYTES = 1 << 16;

/**
 * Reads a file in blocks of 1 MiB into memory that is used again.
 *
 * @param onBlock  receives the CRC-32 of every block, in order
 */
export async function* readChunks(
  fd: number,
  onBlock: (crc: number) => void = () => {},
): AsyncGenerator<Chunk, void, undefined> {
  const memory = Buffer.allocUnsafeSlow(HEADROOM_BYTES + BLOCK_BYTES);
  const block = memory.subarray(HEADROOM_BYTES);
  for (let position = 0; ;) {
    const length = readFully(fd, block, position);
    if (length === 0) return;
    position += length;
    onBlock(crc32(block.subarray(0, length)));
    yield { memory, start: HEADROOM_BYTES, end: HEADROOM_BYTES + length };
  }
}

/** Fills the memory from a position of the file; returns how many bytes were read, fewer only at its end. */
export const readFully = (fd: number, memory: Buffer, position: number): number => {
  let length = 0;
  while (length < memory.length) {
    const bytesRead = readSync(fd, memory, length, memory.length - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
};

/**
 * The chunks of standard input or any other stream of bytes or text.
 *
 * @param signal  ends the chunks, also while the stream is silent
 * @throws DatasetError, from the iteration, when the stream fails or gives anything else
 */
export async function* streamChunks(
  stream: Readable,
  signal?: AbortSignal,
): AsyncGenerator<Chunk, void, undefined> {
  const stop = () => stream.destroy();
  signal?.addEventListener('abort', stop);
  try {
    for await (const part of stream as AsyncIterable<unknown>) {
      const memory = bytesOf(part);
      yield { memory, start: 0, end: memory.length };
    }
  } catch (error) {
    if (signal?.aborted === true) return;
    throw error instanceof DatasetError
      ? error
      : new DatasetError(`the dataset cannot be read: ${(error as Error).message}`);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

const bytesOf = (part: unknown): Buffer => {
  if (Buffer.isBuffer(part)) return part;
  if (typeof part === 'string') return Buffer.from(part);
  if (part instanceof Uint8Array) return Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  throw new DatasetError(`the dataset is a stream of ${typeof part}s, expected bytes or text`);
};
