import { LineCursor, type Chunk, type LineBlock } from '../../src/dataset/jsonl.js';

/** A row of a dataset as a test sees it. */
export interface ReadRow {
  readonly text: string;
  readonly line: number;
  readonly problem?: string;
}

/** Bytes in chunks of one memory that is used again, as the file reader gives them. */
export async function* inChunks(bytes: Buffer | string, size = 7): AsyncGenerator<Chunk> {
  const all = Buffer.from(bytes as string);
  const memory = Buffer.alloc(size);
  for (let start = 0; start < all.length; start += size)
    yield { memory, start: 0, end: all.copy(memory, 0, start, start + size) };
}

/** All rows, read as a run reads them. */
export const readRows = async (blocks: AsyncIterable<LineBlock>): Promise<ReadRow[]> => {
  const { rows, message } = await readUntilError(blocks);
  if (message !== undefined) throw new Error(message);
  return rows;
};

/** The rows that come before an error, and its message. */
export const readUntilError = async (
  blocks: AsyncIterable<LineBlock>,
): Promise<{ rows: ReadRow[]; message: string | undefined }> => {
  const cursor = new LineCursor();
  const rows: ReadRow[] = [];
  try {
    for await (const block of blocks) {
      cursor.open(block);
      while (cursor.next()) {
        const { text, line, problem } = cursor;
        rows.push(problem === undefined ? { text, line } : { text, line, problem });
      }
    }
  } catch (error) {
    return { rows, message: (error as Error).message };
  }
  return { rows, message: undefined };
};
