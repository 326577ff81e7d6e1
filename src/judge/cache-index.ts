import { randomInt } from 'node:crypto';

/** Where a record lies. */
export interface Place {
  /** Number of the file, below 2^21. */
  readonly file: number;
  /** Of the record's first byte; below 2^32. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
}

/** The first 64 bits of a key. */
export interface Fingerprint {
  readonly high: number;
  readonly low: number;
}

/** The largest file whose records have a {@link Place}. */
export const MAX_FILE_BYTES = 2 ** 32;
const FIRST_CAPACITY = 1 << 10;
const MAX_LOAD = 0.75;

/** @param key  hexadecimal digits, at least 16 */
export const fingerprintOf = (key: string): Fingerprint => ({
  high: Number.parseInt(key.slice(0, 8), 16),
  low: Number.parseInt(key.slice(8, 16), 16),
});

/**
 * Keys and where their records lie, in 27 to 53 bytes each: ten million fit where a Map of strings would take
 * gigabytes. It knows the first 64 bits of a key only, so whoever reads a record compares the whole key.
 */
export class KeyIndex {
  size = 0;
  private capacity = FIRST_CAPACITY;
  private keys = new Uint32Array(2 * FIRST_CAPACITY);
  /** The number of the file times 2^32, and the offset. */
  private places = new Float64Array(FIRST_CAPACITY);
  /** 0 in a free slot. */
  private lengths = new Uint32Array(FIRST_CAPACITY);
  /** Nobody who writes a file into the cache can make all its keys meet in one slot. */
  private readonly seed = randomInt(2 ** 32);

  get({ high, low }: Fingerprint): Place | undefined {
    const slot = this.slotOf(high, low);
    const length = this.lengths[slot];
    if (length === 0) return undefined;
    const place = this.places[slot];
    return { file: Math.floor(place / MAX_FILE_BYTES), offset: place % MAX_FILE_BYTES, length };
  }

  /** Where a record lies from now on; its length is above 0. */
  set({ high, low }: Fingerprint, { file, offset, length }: Place): void {
    if (this.size >= this.capacity * MAX_LOAD) this.grow();
    const slot = this.slotOf(high, low);
    if (this.lengths[slot] === 0) this.size++;
    this.fill(slot, high, low, file * MAX_FILE_BYTES + offset, length);
  }

  private fill(slot: number, high: number, low: number, place: number, length: number): void {
    this.keys[2 * slot] = high;
    this.keys[2 * slot + 1] = low;
    this.places[slot] = place;
    this.lengths[slot] = length;
  }

  /** The slot of a key, or the free one where it belongs. */
  private slotOf(high: number, low: number): number {
    const mask = this.capacity - 1;
    let slot = mixed(high, low, this.seed) & mask;
    while (this.lengths[slot] !== 0 && (this.keys[2 * slot] !== high || this.keys[2 * slot + 1] !== low))
      slot = (slot + 1) & mask;
    return slot;
  }

  private grow(): void {
    const { keys, places, lengths } = this;
    this.capacity *= 2;
    this.keys = new Uint32Array(2 * this.capacity);
    this.places = new Float64Array(this.capacity);
    this.lengths = new Uint32Array(this.capacity);
    for (let slot = 0; slot < lengths.length; slot++) {
      if (lengths[slot] === 0) continue;
      const [high, low] = [keys[2 * slot], keys[2 * slot + 1]];
      this.fill(this.slotOf(high, low), high, low, places[slot], lengths[slot]);
    }
  }
}

/** Every bit of the key and of the seed reaches every bit of the result. */
const mixed = (high: number, low: number, seed: number): number => {
  let hash = Math.imul(high ^ seed, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15) ^ low, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
};
