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
  chunks: AsyncIterable<Buffer>,
  maxLineBytes: number = MAX_LINE_BYTES,
): AsyncGenerator<LineBlock, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  let line = 1;
  let position = 0;
  let skipping = false;
  for await (const chunk of chunks) {
    let fresh = chunk;
    if (position === 0 && fresh.subarray(0, 3).equals(BYTE_ORDER_MARK)) fresh = fresh.subarray(3);
    position += chunk.length;
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
    const bytes =
      rest.length === 0 ? fresh.subarray(0, end + 1) : Buffer.concat([rest, fresh.subarray(0, end + 1)]);
    yield { bytes, line, position };
    line += countLines(bytes);
    // A copy: the chunk's memory is used again for the next one.
    rest = Buffer.from(fresh.subarray(end + 1));
  }
  if (skipping) yield { bytes: rest, line, position, tooLong: true };
  else if (rest.length > 0) yield { bytes: rest, line, position };
}

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

/**
 * Reads a file in aligned blocks; the next block is read while the caller works on the last one.
 *
 * @param onBlock  receives the CRC-32 of every block of 1 MiB, in order
 */
export async function* readChunks(
  file: FileHandle,
  onBlock: (crc: number) => void = () => {},
): AsyncGenerator<Buffer, void, undefined> {
  const buffers = [Buffer.allocUnsafeSlow(BLOCK_BYTES), Buffer.allocUnsafeSlow(BLOCK_BYTES)];
  let position = 0;
  let next = readFully(file, buffers[0], 0);
  for (let turn = 1; ; turn += 1) {
    const chunk = await next;
    if (chunk.length === 0) return;
    position += chunk.length;
    next = readFully(file, buffers[turn % 2], position);
    onBlock(crc32(chunk));
    yield chunk;
  }
}

const readFully = async (file: FileHandle, buffer: Buffer, position: number): Promise<Buffer> => {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
};

/** The chunks of standard input or any other byte stream. */
export const streamChunks = (stream: Readable): AsyncIterable<Buffer> => stream as AsyncIterable<Buffer>;
