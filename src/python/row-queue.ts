import type { Row } from '../contract.js';
import { LateScore, type Score } from '../score.js';
import { RowBuffer } from './row-json.js';

/** Rows and bytes after which rows go into further memory. */
const CHUNK_ROWS = 1024;
const CHUNK_BYTES = 1 << 20;
/** Memory that is kept for later rows. */
const SPARE_CHUNKS = 8;

/** Rows that lie behind one another in memory, and the scores that they wait for. */
class Chunk {
  readonly scores: LateScore[] = [];
  /** Where each row ends. */
  readonly ends: number[] = [];
  /** How many rows are in batches, and how many have their score. */
  taken = 0;
  settled = 0;

  constructor(readonly rows: RowBuffer) {}

  get isFull(): boolean {
    return this.scores.length === CHUNK_ROWS || this.rows.end >= CHUNK_BYTES;
  }

  /** Only the last row goes beyond the size of a chunk. */
  get endsWithLargeRow(): boolean {
    return this.rows.end > 2 * CHUNK_BYTES;
  }

  get isTaken(): boolean {
    return this.taken === this.scores.length;
  }
}

/** Some rows of a chunk that are graded together, one after the other. */
export class Batch {
  /** How many rows, at its beginning, have their score. */
  settled = 0;
  /** How many supervisors have ended while its next row ran. */
  losses = 0;
  startedAt = 0;

  constructor(
    private readonly chunk: Chunk,
    private readonly first: number,
    readonly size: number,
    private readonly onSettled: (chunk: Chunk) => void,
  ) {}

  get isSettled(): boolean {
    return this.settled === this.size;
  }

  /** The rows. */
  get bytes(): Buffer {
    const { ends, rows } = this.chunk;
    return rows.bytes.subarray(this.first === 0 ? 0 : ends[this.first - 1], ends[this.first + this.size - 1]);
  }

  /** Gives the next row its score. */
  settle(score: Score): void {
    const { chunk } = this;
    const waiting = chunk.scores[this.first + this.settled];
    this.settled += 1;
    chunk.settled += 1;
    if (chunk.settled === chunk.scores.length) this.onSettled(chunk);
    waiting.settle(score);
  }
}

/** Rows that wait to be graded, in their order. */
export class RowQueue {
  private chunks: Chunk[] = [];
  private readonly spare: RowBuffer[] = [];
  private readonly putBacks: Batch[] = [];

  get isEmpty(): boolean {
    return this.putBacks.length === 0 && this.chunks.every(({ isTaken }) => isTaken);
  }

  /** @throws GradingError for a row that cannot be written as JSON */
  add(row: Row): LateScore {
    let chunk = this.chunks.at(-1);
    if (chunk === undefined || chunk.isFull) {
      chunk = new Chunk(this.spare.pop() ?? new RowBuffer(CHUNK_BYTES));
      this.chunks.push(chunk);
    }
    chunk.rows.add(row);
    chunk.ends.push(chunk.rows.end);
    const score = new LateScore();
    chunk.scores.push(score);
    return score;
  }

  /** The rows at the front, at most so many; undefined when there are none. */
  take(rows: number): Batch | undefined {
    const putBack = this.putBacks.pop();
    if (putBack !== undefined) return putBack;
    while (this.chunks.at(0)?.isTaken === true && this.chunks[0].isFull) this.chunks.shift();
    const [chunk] = this.chunks;
    if (chunk === undefined || chunk.isTaken) return undefined;
    const left = chunk.scores.length - chunk.taken;
    // A row that is too large for a page shall harm no other.
    const size = Math.min(rows, chunk.endsWithLargeRow && left > 1 ? left - 1 : left);
    const batch = new Batch(chunk, chunk.taken, size, this.reuse);
    chunk.taken += size;
    return batch;
  }

  /** A batch comes to the front again. */
  putBack(batch: Batch): void {
    this.putBacks.push(batch);
  }

  /** All rows of a chunk have their score: its memory is used again. */
  private readonly reuse = (chunk: Chunk): void => {
    this.chunks = this.chunks.filter((other) => other !== chunk);
    if (chunk.rows.clear() && this.spare.length < SPARE_CHUNKS) this.spare.push(chunk.rows);
  };
}
