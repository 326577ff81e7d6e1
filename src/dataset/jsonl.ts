import { isAscii, isUtf8 } from 'node:buffer';
import { readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';

/** Whole lines of a JSONL source. The bytes are valid until the next block is asked for. */
export interface LineBlock {
  readonly bytes: Buffer;
  /** Bytes of the source read so far, for progress. */
  readonly position: number;
  /** Set instead of bytes: the next line is longer than the limit and was skipped over. */
  readonly tooLong?: boolean;
}

const BLOCK_BYTES = 1 << 20;
/** A longer line becomes a failed row instead of filling the memory. */
export const MAX_LINE_BYTES = 64 << 20;

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

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
    if (at < 0) return Buffer.concat([...this.pieces, memory.subarray(start, end)]);
    let offset = at;
    for (const piece of this.pieces) offset += piece.copy(memory, offset);
    return memory.subarray(at, end);
  }
}

/** How much ASCII is decoded at once. */
const PIECE_BYTES = 1 << 14;

/** Walks over the lines of blocks that are not blank. A class and not a generator: it runs once a row. */
export class LineCursor {
  text = '';
  /** Number of the line, from 1. */
  line = 0;
  /** Why the line cannot be read, if it cannot. */
  problem: string | undefined;
  private bytes: Buffer = Buffer.alloc(0);
  private start = 0;
  private ascii = true;
  private valid = true;
  private tooLong = false;
  /** Some whole lines of ASCII, decoded together, and where the next one starts. */
  private piece = '';
  private pieceStart = 0;

  /** Goes on with the lines of the next block. */
  open({ bytes, tooLong = false }: LineBlock): void {
    this.bytes = bytes;
    this.start = 0;
    this.tooLong = tooLong;
    this.ascii = isAscii(bytes);
    this.valid = this.ascii || isUtf8(bytes);
    this.piece = '';
    this.pieceStart = 0;
  }

  /** Goes to the next line; false at the end of the block. */
  next(): boolean {
    if (this.tooLong) return this.skipTooLong();
    while (this.ascii ? this.cutLine() : this.decodeLine()) {
      this.line += 1;
      if (!isBlank(this.text)) return true;
    }
    return false;
  }

  private decodeLine(): boolean {
    const { bytes, start } = this;
    if (start >= bytes.length) return false;
    const end = lineEnd(bytes, start);
    this.text = bytes.toString('utf8', start, end);
    this.problem = this.valid || isUtf8(bytes.subarray(start, end)) ? undefined : 'not valid UTF-8';
    this.start = end + 1;
    return true;
  }

  /** As `decodeLine`, for ASCII: cutting a string is cheaper than decoding one. */
  private cutLine(): boolean {
    if (this.pieceStart >= this.piece.length && !this.decodePiece()) return false;
    const newline = this.piece.indexOf('\n', this.pieceStart);
    const end = newline === -1 ? this.piece.length : newline;
    this.text = this.piece.substring(this.pieceStart, end);
    this.problem = undefined;
    this.pieceStart = end + 1;
    return true;
  }

  private decodePiece(): boolean {
    const { bytes, start } = this;
    if (start >= bytes.length) return false;
    const last = bytes.lastIndexOf(NEWLINE, start + PIECE_BYTES);
    this.start = (last > start ? last : lineEnd(bytes, start)) + 1;
    this.piece = bytes.toString('latin1', start, this.start);
    this.pieceStart = 0;
    return true;
  }

  private skipTooLong(): boolean {
    this.tooLong = false;
    this.text = '';
    this.problem = 'the line is too long to be a row';
    this.line += 1;
    return true;
  }
}

const lineEnd = (bytes: Buffer, start: number): number => {
  const newline = bytes.indexOf(NEWLINE, start);
  return newline === -1 ? bytes.length : newline;
};

/** Nothing but the white space of JSON; a line of any other is no JSON, and not dropped in silence. */
const isBlank = (text: string): boolean =>
  text.length === 0 || (text.charCodeAt(0) <= 0x20 && /^[ \t\r]*$/.test(text));

/** Bytes of a source; the memory in front of `start` may be written to. */
export interface Chunk {
  readonly memory: Buffer;
  readonly start: number;
  readonly end: number;
}

const TURN_MS = 20;

/** Room in front of a chunk for the beginning of its first line. */
const HEADROOM_BYTES = 1 << 16;

/**
 * Reads a file in blocks. The read is synchronous: bytes that another thread has fetched are cold in this one's cache,
 * which costs more than waiting for the page cache does.
 *
 * @param onBlock  receives the CRC-32 of every block of 1 MiB, in order
 */
export async function* readChunks(
  fd: number,
  onBlock: (crc: number) => void = () => {},
): AsyncGenerator<Chunk, void, undefined> {
  const memory = Buffer.allocUnsafeSlow(HEADROOM_BYTES + BLOCK_BYTES);
  let lastTurn = performance.now();
  for (let position = 0; ;) {
    const length = readBlock(fd, memory, position);
    if (length === 0) return;
    position += length;
    onBlock(crc32(memory.subarray(HEADROOM_BYTES, HEADROOM_BYTES + length)));
    yield { memory, start: HEADROOM_BYTES, end: HEADROOM_BYTES + length };
    // Nothing above waits, and signals are only seen between turns of the event loop.
    if (performance.now() - lastTurn > TURN_MS) {
      await setImmediate();
      lastTurn = performance.now();
    }
  }
}

/** Fills the memory behind its headroom; returns how many bytes were read. */
const readBlock = (fd: number, memory: Buffer, position: number): number => {
  let length = 0;
  while (length < BLOCK_BYTES) {
    const bytesRead = readSync(fd, memory, HEADROOM_BYTES + length, BLOCK_BYTES - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
};

/**
 * The chunks of standard input or any other byte stream.
 *
 * @param signal  ends the chunks, also while the stream is silent
 */
export async function* streamChunks(
  stream: Readable,
  signal?: AbortSignal,
): AsyncGenerator<Chunk, void, undefined> {
  const stop = () => stream.destroy();
  signal?.addEventListener('abort', stop);
  try {
    for await (const memory of stream as AsyncIterable<Buffer>)
      yield { memory, start: 0, end: memory.length };
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
