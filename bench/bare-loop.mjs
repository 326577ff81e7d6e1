/**
 * What nobody can do without: reads a JSONL file in 1 MB blocks, splits it at newlines and parses every line.
 *
 *     node bench/bare-loop.mjs FILE
 */
import { closeSync, openSync, readSync } from 'node:fs';

const BLOCK_BYTES = 1 << 20;
const NEWLINE = 10;

const file = openSync(process.argv[2], 'r');
let buffer = Buffer.allocUnsafe(2 * BLOCK_BYTES);
let carried = 0;
let rows = 0;
for (;;) {
  if (buffer.length < carried + BLOCK_BYTES) buffer = Buffer.concat([buffer], 2 * buffer.length);
  const filled = carried + readSync(file, buffer, carried, BLOCK_BYTES, null);
  if (filled === carried) break;
  let start = 0;
  for (let end = buffer.indexOf(NEWLINE); end >= 0 && end < filled; end = buffer.indexOf(NEWLINE, start)) {
    JSON.parse(buffer.utf8Slice(start, end));
    rows++;
    start = end + 1;
  }
  buffer.copyWithin(0, start, filled);
  carried = filled - start;
}
closeSync(file);
process.stdout.write(`${rows}\n`);
