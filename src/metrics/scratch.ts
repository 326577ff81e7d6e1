/** Up to so many symbols, memory is kept between calls; a longer text gets memory of its own, which goes with the call. */
const KEPT = 1 << 13;

/**
 * An array to work in. Making a typed array takes longer than comparing two short texts, so one is kept and handed out
 * again: who asks twice gets the same one, with what was left in it.
 *
 * @returns a function that gives an array of at least the length asked for
 */
export const scratch = (): ((length: number) => Int32Array) => {
  const kept = new Int32Array(KEPT);
  return (length) => (length <= KEPT ? kept : new Int32Array(length));
};
