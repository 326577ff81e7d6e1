/** A bin holds the values from `from` (included) to `to` (excluded). */
export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

const MAX_BINS = 21;
const MAX_BIN = 2 ** 50;

/**
 * Histogram of a stream whose range is not known beforehand. Bins start at multiples of a round width (… 0.01, 0.05,
 * 0.1, 0.5, 1 …) that grows when the values no longer fit into 21 bins; each width is a whole multiple of the one
 * before, so bins merge exactly and the result does not depend on the order of the values. Rewards from 0 to 1 get
 * bins of 0.05, with 1 in a bin of its own.
 */
export class RunningHistogram {
  private widthIndex = 0;
  private width = widthOf(0);
  /** Number of the first bin; bin n starts at n times the width. */
  private first = 0;
  private counts: number[] = [];

  add(value: number): void {
    let bin = binOf(value, this.width);
    // Numbers of bins have to be exact, or the next bin is the same one.
    while (Math.abs(bin) > MAX_BIN || !this.reaches(bin)) {
      this.widen();
      bin = binOf(value, this.width);
    }
    this.counts[bin - this.first] += 1;
  }

  /** The bins from the lowest to the highest value, empty ones in between included. */
  toBins(): Bin[] {
    return this.counts.map((count, index) => {
      const bin = this.first + index;
      return { from: edge(bin, this.width), to: edge(bin + 1, this.width), count };
    });
  }

  /** Makes room for a bin; false when it is too far away from the others. */
  private reaches(bin: number): boolean {
    const { counts, first } = this;
    if (bin >= first && bin < first + counts.length) return true;
    if (counts.length === 0) this.first = bin;
    const last = this.first + counts.length - 1;
    if (Math.max(last, bin) - Math.min(this.first, bin) >= MAX_BINS) return false;
    for (let added = bin; added < this.first; added += 1) counts.unshift(0);
    this.first = Math.min(this.first, bin);
    while (this.first + counts.length <= bin) counts.push(0);
    return true;
  }

  private widen(): void {
    const factor = this.widthIndex % 2 === 0 ? 5 : 2;
    const { counts, first } = this;
    this.first = Math.floor(first / factor);
    this.counts = [];
    counts.forEach((count, index) => {
      const bin = Math.floor((first + index) / factor) - this.first;
      this.counts[bin] = (this.counts[bin] ?? 0) + count;
    });
    this.widthIndex += 1;
    this.width = widthOf(this.widthIndex);
  }
}

/** Values are counted in quanta, so that 0.3 / 0.1 is 3 and merged bins equal freshly counted ones (up to 9e9). */
const QUANTA_PER_UNIT = 1e6;
const LARGEST_EXACT = 9e9;
/** Beyond it all values share a bin, so that widths stay finite. */
const LARGEST = 1e290;

/** Bin widths in quanta: 1, 5, 10, 50, 100 … */
const widthOf = (index: number): number => (index % 2 === 0 ? 1 : 5) * 10 ** Math.floor(index / 2);

const binOf = (value: number, width: number): number => {
  // Quanta of huge numbers are not whole, or not even finite; there the difference does not show.
  if (Math.abs(value) > LARGEST_EXACT)
    return Math.floor(Math.max(-LARGEST, Math.min(LARGEST, value)) / (width / QUANTA_PER_UNIT));
  return Math.floor(Math.round(value * QUANTA_PER_UNIT) / width);
};

const edge = (bin: number, width: number): number => (bin * width) / QUANTA_PER_UNIT;
