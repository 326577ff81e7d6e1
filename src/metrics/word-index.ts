const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** From so many UTF-16 units on, `Buffer` copies a text faster than a loop does; its two-byte encoding is little-endian. */
const BUFFER_LENGTH = IS_LITTLE_ENDIAN ? 100 : Infinity;

// An entry of a word: its hash, how many units it has, where they begin.
const ENTRY = 4;
const LENGTH = 1;
const START = 2;

const SMALLEST = 16;

/** The smallest power of two that is at least `n` and 16: how large the arrays here are made. */
export const roundedUp = (n: number): number => (n <= SMALLEST ? SMALLEST : 1 << (32 - Math.clz32(n - 1)));

/** Adds a unit to the hash of the units before it, which starts at 0 (FNV-1a, by whole units). */
export const addToHash = (hash: number, unit: number): number => Math.imul(hash ^ unit, 0x0100_0193);

/**
 * The words of a reference and of a candidate as numbers, so that what follows compares integers.
 *
 * Every distinct word of the reference has an id: 0, 1, 2, ... in the order in which they come. The words that only the
 * candidate has are all {@link unknown}, since nothing can match them. Words are compared by hash, length and every
 * character, so equal words, and only they, have equal ids, and any string is a legal word.
 *
 * Nothing is allocated for a word: its characters lie in `units`, its entry in arrays that the next texts use again.
 */
export class WordIndex {
  /** The ids of the reference's words, in order, `referenceLength` of them; then come leftovers. */
  referenceIds = new Int32Array(0);
  referenceLength = 0;
  /** The ids of the candidate's words, likewise. */
  candidateIds = new Int32Array(0);
  candidateLength = 0;
  /** How many distinct words the reference has, and so the first number that is no word's id. */
  unknown = 0;
  /** The UTF-16 units of both texts, the reference first. A word is a stretch of it. */
  units = new Uint16Array(0);

  #bytesOfUnits = Buffer.alloc(0);
  /** Where the candidate's units begin. */
  #candidateStart = 0;
  #isReference = true;
  #entries = new Int32Array(0);
  /**
   * An open-addressing hash table of ids. What is in a slot counts from `#firstId` on: what references before this one have
   * left there is less and counts as empty, so that nothing has to be cleared.
   */
  #slots = new Int32Array(2 * SMALLEST);
  #slotMask = 0;
  #firstId = 1;

  /**
   * Forgets everything; the words of a reference follow.
   *
   * @param units  how many UTF-16 units it has at most
   * @param words  how many words
   * @returns where its units go
   */
  beginReference(units: number, words: number): number {
    this.#firstId += this.unknown;
    this.unknown = 0;
    this.#isReference = true;
    if (units > this.units.length) this.#makeRoomForUnits(units);
    if (words > this.referenceIds.length) this.#makeRoomForWords(roundedUp(words));
    this.#candidateStart = units;
    // Never more than half full, so that a chain of probes stays short and always ends.
    this.#slotMask = 2 * roundedUp(words) - 1;
    if (this.#firstId > 0x7fff_ffff - words) {
      this.#slots.fill(0);
      this.#firstId = 1;
    }
    return 0;
  }

  /** Forgets the candidate, if there was one; the words of another one follow. Parameters and result as for the reference. */
  beginCandidate(units: number, words: number): number {
    this.#isReference = false;
    const start = this.#candidateStart;
    if (start + units > this.units.length) this.#makeRoomForUnits(start + units);
    if (words > this.candidateIds.length) this.candidateIds = new Int32Array(roundedUp(words));
    return start;
  }

  #makeRoomForUnits(units: number): void {
    const larger = new Uint16Array(roundedUp(units));
    larger.set(this.units);
    this.units = larger;
    this.#bytesOfUnits = Buffer.from(larger.buffer);
  }

  #makeRoomForWords(words: number): void {
    this.referenceIds = new Int32Array(words);
    this.#entries = new Int32Array(ENTRY * words);
    this.#slots = new Int32Array(2 * words);
  }

  /** Copies a text into `units` if it is so long that this is the faster way to read it; says whether it has done so. */
  copyIfLong(text: string, start: number): boolean {
    if (text.length < BUFFER_LENGTH) return false;
    this.#bytesOfUnits.write(text, 2 * start, 'utf16le');
    return true;
  }

  /**
   * The id of a word in `units`. A word of the reference gets one if it has none yet.
   *
   * @param hash  of its units, by {@link addToHash}
   */
  idOf(hash: number, start: number, length: number): number {
    const slots = this.#slots;
    const entries = this.#entries;
    const firstId = this.#firstId;
    let slot = (hash ^ (hash >>> 15)) & this.#slotMask;
    for (;;) {
      const id = slots[slot] - firstId;
      if (id < 0) break;
      const entry = ENTRY * id;
      if (
        entries[entry] === hash &&
        entries[entry + LENGTH] === length &&
        this.#areEqual(entries[entry + START], start, length)
      ) {
        return id;
      }
      slot = (slot + 1) & this.#slotMask;
    }
    const id = this.unknown;
    if (this.#isReference) {
      const entry = ENTRY * id;
      slots[slot] = firstId + id;
      entries[entry] = hash;
      entries[entry + LENGTH] = length;
      entries[entry + START] = start;
      this.unknown = id + 1;
    }
    return id;
  }

  #areEqual(a: number, b: number, length: number): boolean {
    const { units } = this;
    for (let i = 0; i < length; i++) if (units[a + i] !== units[b + i]) return false;
    return true;
  }
}
