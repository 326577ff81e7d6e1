import type { Clock } from '../../src/judge/clock.js';

/** Time that passes only as far as something waits for it. */
export class VirtualClock implements Clock {
  private time = 0;
  private timers: { readonly at: number; readonly callback: () => void }[] = [];

  now(): number {
    return this.time;
  }

  date(): number {
    return Date.UTC(2026, 0, 1) + this.time;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.time + ms, callback };
    const index = this.timers.findLastIndex(({ at }) => at <= timer.at);
    this.timers.splice(index + 1, 0, timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  /** A promise that is kept after some time. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  /** Lets time pass until something has happened. */
  async until<Value>(happening: Promise<Value>): Promise<Value> {
    let isDone = false;
    const done = () => {
      isDone = true;
    };
    happening.then(done, done);
    for (;;) {
      await new Promise(setImmediate);
      if (isDone) return happening;
      const next = this.timers.shift();
      if (next === undefined) throw new Error('nothing is waited for, and nothing has happened');
      this.time = next.at;
      next.callback();
    }
  }
}
