import { roundedUp, type WordIndex } from './word-index.js';

/**
 * How often each n-gram stands in a reference, exactly.
 *
 * An n-gram is a number: a word's id, or the id of the n-gram before its last word together with that word. Such pairs are
 * found in one hash table for all orders. An n-gram that stands in the reference only once needs no longer ones in the
 * table: they are there once as well, and begin at the same place, so they are read off the reference itself. In most
 * texts few n-grams of two words and more repeat, and the table stays small.
 */
export class NgramCounts {
  /** The highest order that is counted; 0 before the first count. */
  maxOrder = 0;
  /** How many ids there are: words, the one for unknown words, n-grams. */
  #size = 0;
  /** By id: how often the n-gram stands in the reference. */
  #counts = new Int32Array(0);
  /** By id: where it stands in the reference, the last time. */
  #places = new Int32Array(0);
  /** By id: how often the candidate has had it so far. */
  #used = new Int32Array(0);
  /** By place in the reference: for n-grams there that are nowhere else, a bit for each order that has been matched. */
  #usedAt = new Int32Array(0);
  // By id, for n-grams of two words and more: the n-gram without its last word, and that word.
  #parents = new Int32Array(0);
  #lastWords = new Int32Array(0);
  /** As in `WordIndex`: ids counting from `#firstId`, and what is less is empty. */
  #slots = new Int32Array(0);
  #slotMask = 0;
  #firstId = 1;
  // While counting: the places whose n-gram of the current order repeats, and that n-gram.
  #repeatPlaces = new Int32Array(0);
  #repeats = new Int32Array(0);

  /** Counts the n-grams of the orders 1 to `maxOrder` of the index's reference. */
  count({ referenceIds: ids, referenceLength: length, unknown }: WordIndex, maxOrder: number): void {
    this.maxOrder = maxOrder;
    this.#firstId += this.#size;
    this.#size = unknown + 1;
    if (this.#size > this.#counts.length) this.#makeRoomForIds(this.#size);
    const counts = this.#counts;
    const places = this.#places;
    for (let id = 0; id <= unknown; id++) counts[id] = 0;
    for (let i = 0; i < length; i++) {
      const id = ids[i];
      counts[id]++;
      places[id] = i;
    }
    if (maxOrder === 1) return;
    if (length > this.#usedAt.length) this.#makeRoomForPlaces(length);
    // All words differ: nothing to look for.
    if (unknown < length) this.#countLonger(ids, length, maxOrder);
  }

  #countLonger(ids: Int32Array, length: number, maxOrder: number): void {
    const repeats = this.#repeats;
    const repeatPlaces = this.#repeatPlaces;
    let repeatCount = 0;
    for (let i = 0; i < length; i++) {
      repeats[repeatCount] = ids[i];
      repeatPlaces[repeatCount] = i;
      if (this.#counts[ids[i]] > 1) repeatCount++;
    }
    this.#makeRoomForNgrams(repeatCount * (maxOrder - 1));
    for (let order = 2; order <= maxOrder; order++) {
      // An n-gram can repeat only where the one before its last word does.
      let count = 0;
      for (let r = 0; r < repeatCount; r++) {
        const place = repeatPlaces[r];
        const last = place + order - 1;
        if (last === length) continue;
        repeats[count] = this.#add(repeats[r], ids[last], place);
        repeatPlaces[count++] = place;
      }
      repeatCount = 0;
      for (let r = 0; r < count; r++) {
        const ngram = repeats[r];
        repeats[repeatCount] = ngram;
        repeatPlaces[repeatCount] = repeatPlaces[r];
        if (this.#counts[ngram] > 1) repeatCount++;
      }
    }
  }

  /** Counts one occurrence of an n-gram; returns its id. */
  #add(parent: number, lastWord: number, place: number): number {
    const slot = this.#slotOf(parent, lastWord);
    let id = this.#slots[slot] - this.#firstId;
    if (id >= 0) {
      this.#counts[id]++;
    } else {
      id = this.#size++;
      this.#slots[slot] = this.#firstId + id;
      this.#parents[id] = parent;
      this.#lastWords[id] = lastWord;
      this.#counts[id] = 1;
    }
    this.#places[id] = place;
    return id;
  }

  /** The slot with the n-gram's id, or the empty one where it belongs. */
  #slotOf(parent: number, lastWord: number): number {
    const slots = this.#slots;
    const mask = this.#slotMask;
    const firstId = this.#firstId;
    const hash = Math.imul(Math.imul(parent, 0x9e37_79b1) ^ lastWord, 0x85eb_ca6b);
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (;;) {
      const id = slots[slot] - firstId;
      if (id < 0 || (this.#parents[id] === parent && this.#lastWords[id] === lastWord)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  /**
   * Clipped matches of the index's candidate: an n-gram of it matches at most as often as the reference has it.
   *
   * @param matches  set to the number of matches of each order, unigrams first
   * @param maxOrder  at most the order that was counted up to
   */
  match(index: WordIndex, maxOrder: number, matches: Int32Array): void {
    const { candidateIds: ids, candidateLength: length, unknown } = index;
    const counts = this.#counts;
    const used = this.#used;
    for (let order = 0; order < maxOrder; order++) matches[order] = 0;
    clear(used, this.#size);
    if (maxOrder > 1) clear(this.#usedAt, index.referenceLength);
    let unigrams = 0;
    for (let i = 0; i < length; i++) {
      const word = ids[i];
      if (word === unknown) continue;
      if (used[word]++ < counts[word]) unigrams++;
      if (maxOrder > 1) this.#matchLonger(index, i, Math.min(maxOrder, length - i), matches);
    }
    matches[0] = unigrams;
  }

  /** Matches the n-grams of two words and more that begin at a place of the candidate, up to an order. */
  #matchLonger(
    { candidateIds, referenceIds, referenceLength, unknown }: WordIndex,
    start: number,
    maxOrder: number,
    matches: Int32Array,
  ): void {
    let ngram = candidateIds[start];
    let order = 1;
    for (; this.#counts[ngram] > 1; order++) {
      if (order === maxOrder || candidateIds[start + order] === unknown) return;
      ngram = this.#slots[this.#slotOf(ngram, candidateIds[start + order])] - this.#firstId;
      if (ngram < 0) return;
      if (this.#used[ngram]++ < this.#counts[ngram]) matches[order]++;
    }
    const place = this.#places[ngram];
    const longest = Math.min(maxOrder, referenceLength - place);
    for (; order < longest && referenceIds[place + order] === candidateIds[start + order]; order++) {
      const bit = 1 << order;
      if ((this.#usedAt[place] & bit) === 0) matches[order]++;
      this.#usedAt[place] |= bit;
    }
  }

  #makeRoomForIds(ids: number): void {
    const length = roundedUp(ids);
    const counts = new Int32Array(length);
    const places = new Int32Array(length);
    counts.set(this.#counts);
    places.set(this.#places);
    this.#counts = counts;
    this.#places = places;
    this.#used = new Int32Array(length);
    this.#parents = new Int32Array(length);
    this.#lastWords = new Int32Array(length);
  }

  #makeRoomForPlaces(places: number): void {
    const length = roundedUp(places);
    this.#usedAt = new Int32Array(length);
    this.#repeatPlaces = new Int32Array(length);
    this.#repeats = new Int32Array(length);
  }

  #makeRoomForNgrams(ngrams: number): void {
    const size = this.#size + ngrams;
    if (size > this.#counts.length) this.#makeRoomForIds(size);
    // Never more than half full, so that a chain of probes stays short and always ends.
    const slots = 2 * roundedUp(ngrams);
    if (slots > this.#slots.length) this.#slots = new Int32Array(slots);
    this.#slotMask = slots - 1;
    if (this.#firstId > 0x7fff_ffff - size) {
      this.#slots.fill(0);
      this.#firstId = 1;
    }
  }
}

const clear = (array: Int32Array, length: number): void => {
  // A call of `fill` takes longer than a few steps of a loop.
  if (length > 64) array.fill(0, 0, length);
  else for (let i = 0; i < length; i++) array[i] = 0;
};
