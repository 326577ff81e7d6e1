import type { GraderOrigin } from '../engine.js';
import type { BlockGraderOptions } from './block.js';
import type { GradedPiece } from './piece.js';
import type { SelectOptions } from './select.js';
import type { Piece, SourceFile } from './source.js';

/** What a worker thread has to know: everything in it can be posted. */
export interface WorkerSetup {
  /** What the grader is prepared from. */
  readonly origin: Pick<GraderOrigin, 'config' | 'profile' | 'punktData'>;
  readonly select: SelectOptions;
  readonly files: readonly SourceFile[];
  readonly shape: BlockGraderOptions['shape'];
  readonly keep: BlockGraderOptions['keep'];
  readonly places: SharedArrayBuffer;
}

/** A piece of the dataset for a worker; the numbers count up by one, over all workers. */
export interface PieceMessage {
  readonly number: number;
  readonly piece: Piece;
}

/** What a worker answers: that it can begin, what it has graded of a piece, that the piece is at its end. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'graded'; readonly number: number; readonly graded: GradedPiece }
  | { readonly kind: 'finished'; readonly number: number }
  | { readonly kind: 'broken'; readonly dataset: boolean; readonly message: string };

const SLOTS = 256;

/** More pieces than this are never on their way at once. */
export const MAX_IN_FLIGHT = SLOTS - 1;

/**
 * Where each piece begins, in memory that all threads share. How many rows a piece has is known as soon as its lines are
 * counted, long before they are graded: a thread takes the place that the piece before has left here, leaves that of the
 * next, and grades. So every thread writes the right row numbers, and nobody has to count the rows beforehand.
 */
export class SharedPlaces {
  /** Row and line of each slot. */
  private readonly values: Float64Array;
  /** The number of the piece whose place a slot holds, plus one. */
  private readonly numbers: Int32Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(SLOTS * 20)) {
    this.values = new Float64Array(memory, 0, SLOTS * 2);
    this.numbers = new Int32Array(memory, SLOTS * 16, SLOTS);
  }

  get memory(): SharedArrayBuffer {
    return this.values.buffer as SharedArrayBuffer;
  }

  /** Leaves the place of a piece for the thread that grades it. */
  leave(number: number, row: number, line: number): void {
    const slot = number % SLOTS;
    this.values[2 * slot] = row;
    this.values[2 * slot + 1] = line;
    Atomics.store(this.numbers, slot, number + 1);
    Atomics.notify(this.numbers, slot);
  }

  /** Takes the place of a piece; waits for the thread that has the piece before it to count its lines. */
  take(number: number): { readonly row: number; readonly line: number } {
    const slot = number % SLOTS;
    for (;;) {
      const found = Atomics.load(this.numbers, slot);
      if (found === number + 1) return { row: this.values[2 * slot], line: this.values[2 * slot + 1] };
      Atomics.wait(this.numbers, slot, found);
    }
  }
}
