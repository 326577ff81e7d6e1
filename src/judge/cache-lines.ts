import { readSync } from 'node:fs';

const BLOCK_BYTES = 1 << 18;
/** No record is longer; what is longer was not written by us. */
export const MAX_LINE_BYTES = 64 << 20;
const NEWLINE = 0x0a;

/** How a scan went. */
export interface ScannedLines {
  /** Behind the last whole line. */
  readonly end: number;
  /** A line was longer than any of ours; the scan stopped in front of it. */
  readonly tooLong: boolean;
}

/**
 * Reads the whole lines of a file from an offset on. A last line without its newline is left alone: it may be half
 * written.
 *
 * @param visit  gets each line without its newline, valid until the next one, and its offset
 */
export const scanLines = (
  fd: number,
  from: number,
  visit: (line: Buffer, offset: number) => void,
): ScannedLines => {
  let memory = Buffer.allocUnsafe(BLOCK_BYTES);
  // memory[0] is the byte at `base` of the file; the first `filled` bytes have been read.
  let [base, filled] = [from, 0];
  for (;;) {
    if (filled === memory.length) {
      if (memory.length >= MAX_LINE_BYTES) return { end: base, tooLong: true };
      memory = Buffer.concat([memory], 4 * memory.length);
    }
    const count = readSync(fd, memory, filled, memory.length - filled, base + filled);
    if (count === 0) return { end: base, tooLong: false };
    let start = 0;
    const end = filled + count;
    for (
      let newline = memory.subarray(0, end).indexOf(NEWLINE, filled);
      newline !== -1;
      newline = memory.subarray(0, end).indexOf(NEWLINE, start)
    ) {
      visit(memory.subarray(start, newline), base + start);
      start = newline + 1;
    }
    memory.copy(memory, 0, start, end);
    base += start;
    filled = end - start;
  }
};
