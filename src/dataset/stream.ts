import type { Chunk } from './jsonl.js';

/** The beginning of a stream of chunks, and all of its chunks. */
export interface Peeked {
  readonly head: Buffer;
  readonly chunks: AsyncIterable<Chunk>;
}

/**
 * Looks at the beginning of a stream of chunks.
 *
 * @param enough  says whether what has been read suffices; at the end of the stream it is not asked
 */
export const peek = async (
  chunks: AsyncIterable<Chunk>,
  enough: (head: Buffer) => boolean,
): Promise<Peeked> => {
  const iterator = chunks[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  for (;;) {
    const { value, done } = await iterator.next();
    if (done === true) break;
    const bytes = value.memory.subarray(value.start, value.end);
    // The first chunk is used as it is: the next one is only asked for when it has been read.
    head = head.length === 0 ? bytes : Buffer.concat([head, bytes]);
    if (enough(head)) break;
    head = Buffer.from(head);
  }
  return { head, chunks: replay(head, iterator) };
};

async function* replay(
  head: Buffer,
  rest: AsyncIterator<Chunk, unknown>,
): AsyncGenerator<Chunk, void, undefined> {
  try {
    if (head.length > 0) yield { memory: head, start: 0, end: head.length };
    for (;;) {
      const { value, done } = await rest.next();
      if (done === true) return;
      yield value;
    }
  } finally {
    await rest.return?.();
  }
}

/** Hands chunks on and counts their bytes. */
export async function* counted(
  chunks: AsyncIterable<Chunk>,
  add: (bytes: number) => void,
): AsyncGenerator<Chunk, void, undefined> {
  for await (const chunk of chunks) {
    add(chunk.end - chunk.start);
    yield chunk;
  }
}
