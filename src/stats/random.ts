/** Uniform whole numbers from 0 to below `bound`, a whole number from 1 to 2^32. */
export type RandomIndex = (bound: number) => number;

/**
 * A seeded generator: the same seed gives the same numbers on every machine.
 *
 * xoshiro128** of Blackman and Vigna, its 128 bits of state filled by splitmix32. The index is the upper part of a
 * product instead of a remainder; at bounds below 2^20 no index is favoured by more than 1 in 4,000.
 *
 * @see Blackman & Vigna 2021, https://doi.org/10.1145/3460772
 */
export const randomIndex = (seed: number): RandomIndex => {
  let [a, b, c, d] = splitmix32(seed, 4);
  return (bound) => {
    const scrambled = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return Math.floor((scrambled / 4_294_967_296) * bound);
  };
};

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

/** Well mixed 32-bit numbers, never all zero, from a seed that may be 0 or 1. */
const splitmix32 = (seed: number, count: number): number[] => {
  let state = seed | 0;
  return Array.from({ length: count }, () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  });
};
