import { isUtf8 } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';

/** Whole lines of a JSONL source. The bytes are valid until the next block is asked for. */
export interface LineBlock {
  readonly bytes: Buffer;
  /** The number of the first line in `bytes`, from 1. */
  readonly line: number;
  /** Bytes of the source read so far, for progress. */
  readonly position: number;
  /** Set instead of lines: the line numbered `line` is longer than the limit and was skipped over. */
  readonly tooLong?: boolean;
}

export const BLOCK_BYTES = 1 << 20;
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
  let rest: Buffer = Buffer.alloc(0);
  let line = 1;
  let position = 0;
  let skipping = false;
  for await (const { memory, start, end: filled } of chunks) {
    let fresh = memory.subarray(start, filled);
    const length = fresh.length;
    if (position === 0 && fresh.subarray(0, 3).equals(BYTE_ORDER_MARK)) fresh = fresh.subarray(3);
    position += length;
    if (skipping) {
      const end = fresh.indexOf(NEWLINE);
      if (end === -1) continue;
      yield { bytes: rest, line, position, tooLong: true };
      skipping = false;
      line += 1;
      fresh = fresh.subarray(end + 1);
    }
    const end = fresh.lastIndexOf(NEWLINE);
    if (end === -1) {
      rest = Buffer.concat([rest, fresh]);
      if (rest.length > maxLineBytes) {
        skipping = true;
        rest = Buffer.alloc(0);
      }
      continue;
    }
    const bytes = joined(rest, memory, fresh.byteOffset - memory.byteOffset, end + 1);
    yield { bytes, line, position };
    line += countLines(bytes);
    // A copy: the chunk's memory is used again for the next one.
    rest = Buffer.from(fresh.subarray(end + 1));
  }
  if (skipping) yield { bytes: rest, line, position, tooLong: true };
  else if (rest.length > 0) yield { bytes: rest, line, position };
}

/** `rest` and the `length` bytes of `memory` from `start`, as one piece; put together in place where there is room. */
const joined = (rest: Buffer, memory: Buffer, start: number, length: number): Buffer => {
  if (rest.length > start) return Buffer.concat([rest, memory.subarray(start, start + length)]);
  rest.copy(memory, start - rest.length);
  return memory.subarray(start - rest.length, start + length);
};

const countLines = (bytes: Buffer): number => {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
};

/** Walks over the lines of a block that are not blank. A class and not a generator: it runs once a row. */
export class LineCursor {
  text = '';
  /** Number of the line, from 1. */
  line: number;
  /** Why the line cannot be read, if it cannot. */
  problem: string | undefined;
  private start = 0;
  private readonly valid: boolean;

  constructor(private readonly block: LineBlock) {
    this.line = block.line - 1;
    this.valid = isUtf8(block.bytes);
  }

  /** Goes to the next line; false at the end. */
  next(): boolean {
    const { bytes, tooLong } = this.block;
    if (tooLong === true) return this.nextTooLong();
    while (this.start < bytes.length) {
      const newline = bytes.indexOf(NEWLINE, this.start);
      const end = newline === -1 ? bytes.length : newline;
      this.text = bytes.toString('utf8', this.start, end);
      this.problem = this.valid || isUtf8(bytes.subarray(this.start, end)) ? undefined : 'not valid UTF-8';
      this.start = end + 1;
      this.line += 1;
      if (!isBlank(this.text)) return true;
    }
    return false;
  }

  private nextTooLong(): boolean {
    if (this.problem !== undefined) return false;
    this.problem = 'the line is too long to be a row';
    this.line += 1;
    return true;
  }
}

const isBlank = (text: string): boolean =>
  text.length === 0 || (text.charCodeAt(0) <= 0x20 && text.trim().length === 0);

/** Bytes of a source; the memory in front of `start` may be written to. */
export interface Chunk {
  readonly memory: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Room in front of a chunk for the beginning of its first line. */
const HEADROOM_BYTES = 1 << 16;

/**
 * Reads a file in aligned blocks; the next block is read while the caller works on the last one.
 *
 * @param onBlock  receives the CRC-32 of every block of 1 MiB, in order
 */
export async function* readChunks(
  file: FileHandle,
  onBlock: (crc: number) => void = () => {},
): AsyncGenerator<Chunk, void, undefined> {
  const memories = [0, 1].map(() => Buffer.allocUnsafeSlow(HEADROOM_BYTES + BLOCK_BYTES));
  let position = 0;
  let next = readBlock(file, memories[0], position);
  for (let turn = 1; ; turn += 1) {
    const end = await next;
    if (end === HEADROOM_BYTES) return;
    const memory = memories[(turn - 1) % 2];
    position += end - HEADROOM_BYTES;
    next = readBlock(file, memories[turn % 2], position);
    onBlock(crc32(memory.subarray(HEADROOM_BYTES, end)));
    yield { memory, start: HEADROOM_BYTES, end };
  }
}

/** Fills the memory behind its headroom; returns the end of the bytes read. */
const readBlock = async (file: FileHandle, memory: Buffer, position: number): Promise<number> => {
  let end = HEADROOM_BYTES;
  while (end < memory.length) {
    const { bytesRead } = await file.read(memory, end, memory.length - end, position + end - HEADROOM_BYTES);
    if (bytesRead === 0) break;
    end += bytesRead;
  }
  return end;
};

/** The chunks of standard input or any other byte stream. */
export async function* streamChunks(stream: Readable): AsyncGenerator<Chunk, void, undefined> {
  for await (const memory of stream as AsyncIterable<Buffer>) yield { memory, start: 0, end: memory.length };
}
