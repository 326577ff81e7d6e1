import { createReadStream } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { LineCursor, lineBlocks, streamChunks } from '../dataset/jsonl.js';
import { MAX_RESULT_BYTES } from '../results/read.js';
import { cannotWrite } from '../results/sink.js';

/** Where the new lines of failed rows are collected. */
export const retryPath = (results: string): string => `${results}.retry`;

const ROW = /^\{"row":(\d+)/;
const WRITTEN_AT_ONCE = 1 << 20;

/**
 * Puts the new lines of rows that were graded again in the place of their old ones. Readers see the old file or the new
 * one, never half of it.
 *
 * @param bytes  how long the results are up to their last whole line
 * @throws WriteError
 */
export const mergeLines = async (results: string, bytes: number): Promise<void> => {
  const temporary = `${results}.tmp`;
  const file = await open(temporary, 'w').catch((error: Error) => {
    throw cannotWrite(temporary, error);
  });
  try {
    for await (const lines of mergedLines(results, bytes)) await file.write(lines);
    await file.datasync();
    await rename(temporary, results);
    await unlink(retryPath(results));
  } catch (error) {
    throw cannotWrite(results, error as Error);
  } finally {
    await file.close();
  }
};

/** The merged lines, many at a time. */
async function* mergedLines(results: string, bytes: number): AsyncGenerator<string, void, undefined> {
  const retried = linesOf(retryPath(results));
  try {
    let pending = '';
    let next = await retried.next();
    for await (const line of linesOf(results, bytes)) {
      if (next.done !== true && rowOf(next.value) === rowOf(line)) {
        pending += `${next.value}\n`;
        next = await retried.next();
      } else {
        pending += `${line}\n`;
      }
      if (pending.length < WRITTEN_AT_ONCE) continue;
      yield pending;
      pending = '';
    }
    yield pending;
  } finally {
    await retried.return();
  }
}

const rowOf = (line: string): string | undefined => ROW.exec(line)?.[1];

async function* linesOf(path: string, bytes = Infinity): AsyncGenerator<string, void, undefined> {
  if (bytes === 0) return;
  const cursor = new LineCursor();
  const chunks = streamChunks(createReadStream(path, { end: bytes - 1 }));
  for await (const block of lineBlocks(chunks, MAX_RESULT_BYTES)) {
    cursor.open(block);
    while (cursor.next()) {
      if (cursor.problem !== undefined) throw new Error(`${path}:${cursor.line}: ${cursor.problem}`);
      yield cursor.text;
    }
  }
}
