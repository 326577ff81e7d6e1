/** Time as the scheduler sees it, so that tests need not wait. */
export interface Clock {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Milliseconds since 1970, for dates that servers name. */
  date(): number;
  /** Calls back after some milliseconds. @returns what takes it back */
  after(ms: number, callback: () => void): () => void;
}

/** The machine's own time. */
export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
