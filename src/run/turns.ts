import { setImmediate } from 'node:timers/promises';

/** Between turns of the event loop no signal, timer or progress of other work in the process is seen. */
const TURN_MS = 20;

/** Gives the event loop a turn now and then, in a loop that waits for nothing. */
export class Turns {
  private last = performance.now();

  async next(): Promise<void> {
    if (performance.now() - this.last < TURN_MS) return;
    await setImmediate();
    this.last = performance.now();
  }
}
