import { rangeOf, type ByteRange } from '../dataset/row-scanner.js';

/** Hashes contents to 64 bits: of n that differ, two have the same hash with a probability of about n² / 2^65. */
export class ContentHash {
  private lowSum = 0;
  private highSum = 0;

  /** Begins anew. */
  clear(): this {
    this.lowSum = this.highSum = 0;
    return this;
  }

  /** Goes on with bytes, and with how many there are. */
  add({ view, start, end }: ByteRange): this {
    let low = mix(this.lowSum ^ (end - start), LOW);
    let high = mix(this.highSum + (end - start), HIGH);
    let at = start;
    for (; at + 4 <= end; at += 4) {
      const word = view.getInt32(at, true);
      low = mix(low ^ word, LOW);
      high = mix(high + word, HIGH);
    }
    for (; at < end; at += 1) {
      const byte = view.getUint8(at);
      low = mix(low ^ byte, LOW);
      high = mix(high + byte, HIGH);
    }
    this.lowSum = low;
    this.highSum = high;
    return this;
  }

  /** Goes on with a text. */
  addText(text: string): this {
    return this.add(rangeOf(Buffer.from(text)));
  }

  /** Goes on with a whole number of 32 bits. */
  addNumber(number: number): this {
    this.lowSum = mix(this.lowSum ^ number, LOW);
    this.highSum = mix(this.highSum + number, HIGH);
    return this;
  }

  /** One half of the hash, from 0 to 2^32 − 1. */
  get low(): number {
    return finish(this.lowSum);
  }

  /** The other half. */
  get high(): number {
    return finish(this.highSum);
  }
}

// Odd multipliers with bits all over: of MurmurHash3 and of xxHash.
const LOW = 0xcc9e2d51 | 0;
const HIGH = 0x9e3779b1 | 0;

/** Spreads what changed over the upper bits, and brings them down for the next word. */
const mix = (hash: number, multiplier: number): number => {
  const product = Math.imul(hash, multiplier);
  return product ^ (product >>> 15);
};

const finish = (hash: number): number => mix(mix(hash, 0x85ebca6b | 0), 0xc2b2ae35 | 0) >>> 0;
