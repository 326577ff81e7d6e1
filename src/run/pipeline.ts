import { BLOCK_BYTES } from '../dataset/jsonl.js';
import type { BlockGraderOptions } from './block.js';
import { PieceGrader, type ClaimPiece, type GradedPiece } from './piece.js';
import type { Piece, SourceFile } from './source.js';
import { Bell, Upcoming } from './upcoming.js';

/** How pieces are graded. */
export interface PipelineOptions extends Omit<BlockGraderOptions, 'onScore'> {
  readonly files: readonly SourceFile[];
  /** Most rows in flight at once over all pieces, for graders that answer with promises. */
  readonly concurrency: number;
}

/** How long a row that has been graded may wait to be written. */
const FLUSH_MS = 200;
/** So many times the rows that may wait for a score may be held behind a row whose score takes its time. */
const HELD = 16;
/** How much of a dataset may be in flight: rows of many kB each, for graders that want many rows. */
const MAX_PIECES = 32;
const MAX_BYTES = MAX_PIECES * BLOCK_BYTES;

/**
 * Grades the pieces of a dataset on this thread; what comes of them is given in their order.
 *
 * Where scores are there at once, a piece is finished before the next one is read. Where they are promises, further
 * pieces are opened and their rows handed out, in order, while rows of the first one still wait: a grader that works in
 * other processes is never short of rows. Nothing is read or written but when the next result is asked for.
 */
export class Pipeline {
  private readonly graders: PieceGrader[] = [];
  /** Those that have a piece, in the order of the pieces; only the last one may have rows to hand out. */
  private open: PieceGrader[] = [];
  private readonly bell = new Bell();

  constructor(private readonly options: PipelineOptions) {}

  /**
   * Mostly one result for a piece; more where scores take their time, so that none waits for long before it is written.
   *
   * @throws DatasetError, once the pieces before the broken one have been given
   */
  async *grade(
    pieces: AsyncIterator<Piece, void>,
    claim: ClaimPiece,
  ): AsyncGenerator<GradedPiece, void, undefined> {
    const upcoming = new Upcoming(pieces, this.bell);
    this.open = [];
    this.options.signal?.addEventListener('abort', this.bell.ring, { once: true });
    for (let taken = performance.now(); ;) {
      const front = this.open.at(0);
      front?.rows.settle();
      const halted = front?.rows.halted;
      if (halted !== undefined) {
        await this.landed(halted);
        if (front !== undefined) yield front.take();
        return;
      }
      if (this.isAborted) {
        if (front?.rows.hasLines === true) yield front.take();
        return;
      }
      const wait = front?.rows.hasLines === true ? FLUSH_MS - (performance.now() - taken) : Infinity;
      if (front !== undefined && (front.rows.isFinished || wait <= 0)) {
        if (front.rows.isFinished) this.open.shift();
        const graded = front.take();
        yield graded;
        if (graded.done) return;
        taken = performance.now();
      } else if (!this.goOn(upcoming, claim)) {
        if (front === undefined && upcoming.isOver()) return;
        await this.bell.rung(wait);
      }
    }
  }

  /** Waits for the rows in flight: what they have asked for is paid. */
  private async landed(reason: string): Promise<void> {
    for (const { rows } of this.open) rows.halt(reason);
    while (!this.isAborted) {
      for (const { rows } of this.open) rows.settle();
      if (this.open.every(({ rows }) => rows.isFinished)) return;
      await this.bell.rung(Infinity);
    }
  }

  /** Whether the run was stopped, and works with what may take its time: that is not waited for. */
  private get isAborted(): boolean {
    const { signal, grader } = this.options;
    return signal?.aborted === true && grader.window !== undefined;
  }

  close(): void {
    for (const grader of this.graders) grader.close();
  }

  /** Hands out rows or opens the next piece; false when there is nothing to do but wait. */
  private goOn(upcoming: Upcoming, claim: ClaimPiece): boolean {
    const last = this.open.at(-1);
    const most = Math.max(1, this.options.concurrency);
    const room = most - sum(this.open.map(({ rows }) => rows.waiting));
    const roomBehind = most * HELD - sum(this.open.map(({ rows }) => rows.inFlight));
    if (room <= 0 || roomBehind <= 0 || last?.rows.done === true) return false;
    if (last?.rows.ended === false) {
      last.rows.handOut(last.rows.waiting + room, last.rows.inFlight + roomBehind);
      return true;
    }
    if (this.open.length === MAX_PIECES || sum(this.open.map(({ bytes }) => bytes)) > MAX_BYTES) return false;
    last?.keep();
    const piece = upcoming.take();
    if (piece !== undefined) this.begin(piece, claim, upcoming);
    return piece !== undefined;
  }

  private begin(piece: Piece, claim: ClaimPiece, upcoming: Upcoming): void {
    const grader = this.freeGrader();
    try {
      grader.open(piece, claim);
      this.open.push(grader);
    } catch (error) {
      upcoming.fail(error);
    }
  }

  private freeGrader(): PieceGrader {
    const free = this.graders.find((grader) => !this.open.includes(grader));
    if (free !== undefined) return free;
    const grader = new PieceGrader({ ...this.options, onScore: this.bell.ring }, this.options.files);
    this.graders.push(grader);
    return grader;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
