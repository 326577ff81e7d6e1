import type { Piece } from './source.js';

/** Wakes the one who waits for it. */
export class Bell {
  private wake = (): void => {};

  readonly ring = (): void => this.wake();

  /** Until the bell rings, or so many milliseconds have passed. */
  async rung(ms: number): Promise<void> {
    const timer = ms === Infinity ? undefined : setTimeout(this.ring, ms);
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    clearTimeout(timer);
  }
}

/**
 * The piece of a dataset that comes next, waited for while those before it are graded. A stream may have nothing more for
 * hours, and somebody waits for the results of what it gave.
 */
export class Upcoming {
  private piece: Piece | undefined;
  private isAsked = false;
  private hasEnded = false;
  private failure: { readonly error: unknown } | undefined;

  constructor(
    private readonly pieces: AsyncIterator<Piece, void>,
    private readonly bell: Bell,
  ) {}

  /** The piece, if it has come; otherwise the bell rings when it comes. */
  take(): Piece | undefined {
    const { piece } = this;
    this.piece = undefined;
    if (piece === undefined && !this.isAsked && !this.hasEnded) void this.ask();
    return piece;
  }

  /** No further piece is asked for. */
  fail(error: unknown): void {
    this.failure = { error };
    this.hasEnded = true;
  }

  /** True when no piece comes any more; throws why, if there should have been one. */
  isOver(): boolean {
    if (this.failure !== undefined) throw this.failure.error;
    return this.hasEnded;
  }

  private async ask(): Promise<void> {
    this.isAsked = true;
    try {
      const { value, done } = await this.pieces.next();
      if (done === true) this.hasEnded = true;
      else this.piece = value;
    } catch (error) {
      this.fail(error);
    }
    this.isAsked = false;
    this.bell.ring();
  }
}
