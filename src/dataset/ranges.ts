import { crc32 } from 'node:zlib';
import { BLOCK_BYTES, BYTE_ORDER_MARK, MAX_LINE_BYTES, NEWLINE, readFully, type LineBlock } from './jsonl.js';

/** How much behind a range is read with it, for the end of its last line. */
const TAIL_BYTES = 1 << 14;

/** A block of lines, with what identifies the bytes it came from. */
export interface RangeBlock extends LineBlock {
  /** CRC-32 of the range's own bytes, without the ends of lines that reach beyond it. */
  readonly crc: number;
}

/** Gives at least so many bytes of memory; what it gave before may be used again. */
export type TakeMemory = (bytes: number) => Buffer;

/** Memory that is kept between calls, but not when it was large. */
export const reusedMemory = (): TakeMemory => {
  let kept = Buffer.alloc(0);
  return (bytes) => {
    if (kept.length >= bytes) return kept;
    const memory = Buffer.allocUnsafeSlow(bytes);
    if (bytes <= 2 * BLOCK_BYTES) kept = memory;
    return memory;
  };
};

/** How many ranges a file of so many bytes has. */
export const rangeCount = (fileBytes: number): number => Math.ceil(fileBytes / BLOCK_BYTES);

/**
 * Reads the lines that start within the `index`th MiB of a JSONL file. Every line starts in one range, so ranges can be
 * read by different threads that know nothing of each other.
 *
 * @param maxLineBytes  at least the length of a range
 *
 * The read is synchronous: bytes that another thread has fetched are cold in this one's cache, which costs more than
 * waiting for the page cache does.
 */
export const readRange = (
  fd: number,
  index: number,
  takeMemory: TakeMemory,
  maxLineBytes: number = MAX_LINE_BYTES,
): RangeBlock => {
  // One byte before the range tells whether a line starts right at its beginning.
  const before = index === 0 ? 0 : 1;
  const from = index * BLOCK_BYTES - before;
  const own = before + BLOCK_BYTES;
  for (let tail = TAIL_BYTES; ; tail = Math.min(tail * 8, maxLineBytes + 1)) {
    const memory = takeMemory(own + tail).subarray(0, own + tail);
    const length = readFully(fd, memory, from);
    const bytes = memory.subarray(0, length);
    const crc = crc32(bytes.subarray(before, Math.min(own, length)));
    const position = from + Math.min(own, length);
    const start = index === 0 ? afterMark(bytes) : bytes.indexOf(NEWLINE) + 1;
    const ownsNone = start >= Math.min(own, length) || (index > 0 && start === 0);
    if (ownsNone) return { bytes: bytes.subarray(0, 0), position, crc };
    const newline = bytes.indexOf(NEWLINE, own - 1);
    const atEnd = length < memory.length;
    if (newline !== -1 || atEnd) {
      const end = newline === -1 ? length : newline + 1;
      return cut(bytes, start, end, own, maxLineBytes, { position, crc });
    }
    if (tail > maxLineBytes) return cut(bytes, start, length, own, maxLineBytes, { position, crc });
  }
};

/** Leaves the last line out when it is too long. */
const cut = (
  bytes: Buffer,
  start: number,
  end: number,
  own: number,
  maxLineBytes: number,
  about: Pick<RangeBlock, 'position' | 'crc'>,
): RangeBlock => {
  const lastStart = Math.max(start, bytes.lastIndexOf(NEWLINE, Math.min(own, end) - 2) + 1);
  const lineEnd = bytes[end - 1] === NEWLINE ? end - 1 : end;
  if (lineEnd - lastStart <= maxLineBytes) return { bytes: bytes.subarray(start, end), ...about };
  return { bytes: bytes.subarray(start, lastStart), tooLong: true, ...about };
};

const afterMark = (bytes: Buffer): number =>
  bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
