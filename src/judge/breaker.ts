/** Tells an endpoint that is down from single calls that fail. */
export class Breaker {
  private straight = 0;
  private hasAnswered = false;
  private openedAt: number | undefined;

  /** While it is open, only one call at a time is sent, as a probe. */
  get isOpen(): boolean {
    return this.openedAt !== undefined;
  }

  /** The endpoint has answered, whatever it said. @returns whether it had been given up before */
  answered(): boolean {
    const wasOpen = this.isOpen;
    this.straight = 0;
    this.hasAnswered = true;
    this.openedAt = undefined;
    return wasOpen;
  }

  /**
   * A call failed for reasons of the endpoint or of the way to it.
   *
   * @returns what follows: nothing, a pause until the next probe, or the end
   */
  failed(now: number, isUnreachable: boolean): 'none' | 'opened' | 'pause' | 'dead' {
    this.straight += 1;
    if (this.straight < STRAIGHT_FAILURES) return 'none';
    if (isUnreachable && !this.hasAnswered) return 'dead';
    if (this.openedAt === undefined) {
      this.openedAt = now;
      return 'opened';
    }
    return now - this.openedAt >= GIVE_UP_MS ? 'dead' : 'pause';
  }
}

const STRAIGHT_FAILURES = 20;
/** An endpoint that is down for longer ends the run, which can be gone on with. */
const GIVE_UP_MS = 600_000;
/** Between two probes of an endpoint that is down. */
export const PROBE_MS = 15_000;
