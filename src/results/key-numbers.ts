const MAX_LOAD = 0.6;

/**
 * Numbers texts in the order in which they are first seen. Ten million texts take 200 MB: not they are kept, only 64 bits
 * of hash of each. Two of ten million different texts share a hash with a probability of 3 in a million.
 */
export class KeyNumbers {
  /** How many numbers have been given. */
  size = 0;
  private capacity = 1 << 10;
  private lows = new Uint32Array(this.capacity);
  private highs = new Uint32Array(this.capacity);
  private numbers = new Int32Array(this.capacity);
  private used = 0;

  /** The number of a text: that of the equal one before, or the next. */
  numberOf(key: string): number {
    const [low, high] = hash(key);
    return this.numberOfHash(low, high);
  }

  /**
   * As {@link numberOf}, for a key whose hash the caller has: two well mixed halves of 32 bits. Texts and hashes are not to
   * be mixed.
   */
  numberOfHash(low: number, anyHigh: number): number {
    const high = anyHigh || 1;
    const slot = this.slotOf(low, high);
    if (this.isUsed(slot)) return this.numbers[slot];
    const number = this.next();
    this.put(slot, low, high, number);
    this.used += 1;
    if (this.used > this.capacity * MAX_LOAD) this.grow();
    return number;
  }

  /** A number that no text has or gets. */
  next(): number {
    this.size += 1;
    return this.size - 1;
  }

  /** Where a hash is, or where it would go. */
  private slotOf(low: number, high: number): number {
    let slot = low & (this.capacity - 1);
    while (this.isUsed(slot) && (this.lows[slot] !== low || this.highs[slot] !== high))
      slot = (slot + 1) & (this.capacity - 1);
    return slot;
  }

  /** No hash is 0 in both halves. */
  private isUsed(slot: number): boolean {
    return this.lows[slot] !== 0 || this.highs[slot] !== 0;
  }

  private put(slot: number, low: number, high: number, number: number): void {
    this.lows[slot] = low;
    this.highs[slot] = high;
    this.numbers[slot] = number;
  }

  private grow(): void {
    const { lows, highs, numbers } = this;
    this.capacity *= 2;
    this.lows = new Uint32Array(this.capacity);
    this.highs = new Uint32Array(this.capacity);
    this.numbers = new Int32Array(this.capacity);
    numbers.forEach((number, slot) => {
      if (lows[slot] !== 0 || highs[slot] !== 0)
        this.put(this.slotOf(lows[slot], highs[slot]), lows[slot], highs[slot], number);
    });
  }
}

/** Two hashes of 32 bits with different constants, each mixed at the end as in MurmurHash3. */
const hash = (key: string): [low: number, high: number] => {
  let low = 0x9747b28c ^ key.length;
  let high = 0x3c6ef372 ^ key.length;
  for (let at = 0; at < key.length; at += 1) {
    const unit = key.charCodeAt(at);
    low = Math.imul(low ^ unit, 0x9e3779b1);
    low = (low << 13) | (low >>> 19);
    high = Math.imul(high ^ unit, 0x85ebca77);
    high = (high << 17) | (high >>> 15);
  }
  return [mix(low), mix(high)];
};

const mix = (bits: number): number => {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
};
