/** An entry: the call it belongs to, the entry of the n-gram without its last token, that last token, how often. */
const ENTRY = 4;
const PARENT = 1;
const TOKEN = 2;
const COUNT = 3;

/** 256 KiB are kept between calls; a longer text gets a table of its own, which goes when the call ends. */
const KEPT_ENTRIES = 1 << 14;
const keptTable = new Int32Array(ENTRY * KEPT_ENTRIES);
let keptStamp = 0;

/** The empty n-gram, parent of all unigrams. */
export const ROOT = -1;

/**
 * Counts n-grams of token ids exactly. An n-gram is the n-gram before its last token plus that token, so every order is
 * a pair of integers: one look into an open-addressing hash table, and no key is built.
 *
 * One table is in use at a time: the next one made reuses its memory.
 */
export class NgramTable {
  readonly #table: Int32Array;
  readonly #stamp: number;
  readonly #mask: number;

  /** @param capacity  at most so many different n-grams will be added */
  constructor(capacity: number) {
    // Never more than half full, so a chain of probes stays short and always ends.
    let entries = 64;
    while (entries < 2 * capacity) entries *= 2;
    if (entries <= KEPT_ENTRIES) {
      // Entries of earlier calls carry an older stamp and count as empty: nothing is cleared.
      if (keptStamp === 0x7fff_ffff) {
        keptTable.fill(0);
        keptStamp = 0;
      }
      this.#table = keptTable;
      this.#stamp = ++keptStamp;
    } else {
      this.#table = new Int32Array(ENTRY * entries);
      this.#stamp = 1;
    }
    this.#mask = entries - 1;
  }

  /** Counts one occurrence of the n-gram `parent` + `token`; returns the n-gram. */
  add(parent: number, token: number): number {
    const entry = this.#find(parent, token);
    const table = this.#table;
    if (table[entry] === this.#stamp) {
      table[entry + COUNT]++;
    } else {
      table[entry] = this.#stamp;
      table[entry + PARENT] = parent;
      table[entry + TOKEN] = token;
      table[entry + COUNT] = 1;
    }
    return entry;
  }

  /** The n-gram `parent` + `token`, or undefined when it was never added. */
  get(parent: number, token: number): number | undefined {
    const entry = this.#find(parent, token);
    return this.#table[entry] === this.#stamp ? entry : undefined;
  }

  /** Takes one occurrence away; false when none is left. */
  take(ngram: number): boolean {
    if (this.#table[ngram + COUNT] === 0) return false;
    this.#table[ngram + COUNT]--;
    return true;
  }

  /** Where the n-gram is, or the empty entry where it belongs. */
  #find(parent: number, token: number): number {
    const table = this.#table;
    let hash = Math.imul(parent, 0x9e37_79b1) ^ Math.imul(token, 0x85eb_ca6b);
    hash ^= hash >>> 15;
    for (;;) {
      const entry = ENTRY * (hash & this.#mask);
      if (table[entry] !== this.#stamp) return entry;
      if (table[entry + PARENT] === parent && table[entry + TOKEN] === token) return entry;
      hash++;
    }
  }
}
