import { Worker } from 'node:worker_threads';
import { DatasetError } from '../dataset/error.js';
import type { BlockPlace } from './block.js';
import type { GradedPiece } from './piece.js';
import {
  MAX_IN_FLIGHT,
  SharedPlaces,
  type PieceMessage,
  type WorkerMessage,
  type WorkerSetup,
} from './protocol.js';
import type { Piece } from './source.js';
import { Bell, Upcoming } from './upcoming.js';

/** Enough that no worker waits for the main thread, and few enough to keep memory small. */
const PIECES_PER_WORKER = 3;

/** More threads would only wait for the one that writes. */
export const MAX_WORKERS = Math.floor(MAX_IN_FLIGHT / PIECES_PER_WORKER);

/** A worker thread ended by itself: out of memory, or a bug. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError';
}

/** What has come back of a piece. */
interface ReceivedPiece {
  readonly graded: GradedPiece[];
  isFinished: boolean;
}

/** Worker threads that grade pieces of a dataset; what they give is handed on in the order of the dataset. */
export class WorkerPool {
  /** True once every worker has prepared its grader. */
  ready = false;
  private readonly places = new SharedPlaces();
  private readonly workers: Worker[] = [];
  private readonly pieces = new Map<number, ReceivedPiece>();
  /** Workers that have not prepared their grader yet. */
  private starting: number;
  private failure: Error | undefined;
  private readonly bell = new Bell();

  /** @param url  a module that calls {@link serveWorker} */
  constructor(url: URL, count: number, setup: Omit<WorkerSetup, 'places'>) {
    this.starting = count;
    for (let index = 0; index < count; index += 1) {
      const worker = new Worker(url, { workerData: { ...setup, places: this.places.memory } });
      worker.on('message', (message: WorkerMessage) => this.receive(message));
      worker.on('error', (error: NodeJS.ErrnoException) => this.fail(new WorkerError(describe(error))));
      worker.on('exit', () => this.fail(new WorkerError('a worker thread ended before its work did')));
      this.workers.push(worker);
    }
  }

  /**
   * Grades pieces, from the place on that the next one has. What has been graded is given while the next piece is waited for.
   *
   * @param signal  no further pieces are begun once it is aborted; those on their way are finished
   * @throws DatasetError, once the pieces before the broken one have been given; WorkerError
   */
  async *grade(
    pieces: AsyncIterator<Piece, void>,
    { row, line }: BlockPlace,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<GradedPiece, void, undefined> {
    this.places.leave(0, row, line);
    const upcoming = new Upcoming(pieces, this.bell);
    const most = this.workers.length * PIECES_PER_WORKER;
    signal?.addEventListener('abort', this.bell.ring, { once: true });
    const isAborted = () => signal?.aborted === true;
    let begun = 0;
    for (let next = 0; ;) {
      while (begun - next < most && !isAborted()) {
        const piece = upcoming.take();
        if (piece === undefined) break;
        this.send(begun++, piece);
      }
      const { graded, isFinished } = this.pieceOf(next);
      const first = graded.shift();
      if (first !== undefined) yield first;
      else if (isFinished) this.pieces.delete(next++);
      else if (this.failure !== undefined) throw this.failure;
      else if (next === begun && (isAborted() || upcoming.isOver())) return;
      else await this.bell.rung(Infinity);
    }
  }

  async close(): Promise<void> {
    // One that fails as well, while the failure of another is on its way, has nobody to tell.
    for (const worker of this.workers) worker.removeAllListeners().on('error', () => {});
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  private send(number: number, piece: Piece): void {
    const worker = this.workers[number % this.workers.length];
    if (!('block' in piece)) {
      worker.postMessage({ number, piece } satisfies PieceMessage, []);
      return;
    }
    // A copy: the reader uses its memory again.
    const bytes = new Uint8Array(piece.block.bytes);
    const block = { ...piece.block, bytes: bytes as Buffer };
    worker.postMessage({ number, piece: { ...piece, block } } satisfies PieceMessage, [bytes.buffer]);
  }

  private receive(message: WorkerMessage): void {
    if (message.kind === 'ready') {
      this.starting -= 1;
      this.ready = this.starting === 0;
    } else if (message.kind === 'graded') {
      const { buffer, byteOffset, byteLength } = message.graded.lines;
      const lines = Buffer.from(buffer, byteOffset, byteLength);
      this.pieceOf(message.number).graded.push({ ...message.graded, lines });
    } else if (message.kind === 'finished') {
      this.pieceOf(message.number).isFinished = true;
    } else {
      this.fail(new (message.dataset ? DatasetError : WorkerError)(message.message));
    }
    this.bell.ring();
  }

  private pieceOf(number: number): ReceivedPiece {
    const found = this.pieces.get(number);
    if (found !== undefined) return found;
    const created = { graded: [], isFinished: false };
    this.pieces.set(number, created);
    return created;
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.bell.ring();
  }
}

const describe = (error: NodeJS.ErrnoException): string =>
  error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? 'a worker thread ran out of memory; with -j 1 there is one thread with all of it'
    : `a worker thread failed: ${error.stack ?? error.message}`;
