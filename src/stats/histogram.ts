/** A bin holds the values from `from` (included) to `to` (excluded). */
export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

const MAX_BINS = 21;

/**
 * Histogram of a stream whose range is not known beforehand. Bins start at multiples of a round width (… 0.01, 0.05,
 * 0.1, 0.5, 1 …) that grows when the values no longer fit into 21 bins; each width is a whole multiple of the one
 * before, so bins merge exactly and the result does not depend on the order of the values. Rewards from 0 to 1 get
 * bins of 0.05, with 1 in a bin of its own.
 */
export class RunningHistogram {
  private widthIndex = 0;
  private width = widthOf(0);
  private readonly bins = new Map<number, number>();
  private first = Infinity;
  private last = -Infinity;

  add(value: number): void {
    let bin = binOf(value, this.width);
    while (Math.max(this.last, bin) - Math.min(this.first, bin) >= MAX_BINS) {
      this.widen();
      bin = binOf(value, this.width);
    }
    this.bins.set(bin, (this.bins.get(bin) ?? 0) + 1);
    if (bin < this.first) this.first = bin;
    if (bin > this.last) this.last = bin;
  }

  /** The bins from the lowest to the highest value, empty ones in between included. */
  toBins(): Bin[] {
    if (this.bins.size === 0) return [];
    return Array.from({ length: this.last - this.first + 1 }, (_, index) => {
      const bin = this.first + index;
      return {
        from: edge(bin, this.width),
        to: edge(bin + 1, this.width),
        count: this.bins.get(bin) ?? 0,
      };
    });
  }

  private widen(): void {
    const factor = this.widthIndex % 2 === 0 ? 5 : 2;
    const old = [...this.bins];
    this.bins.clear();
    for (const [bin, count] of old) {
      const wider = Math.floor(bin / factor);
      this.bins.set(wider, (this.bins.get(wider) ?? 0) + count);
    }
    this.first = Math.floor(this.first / factor);
    this.last = Math.floor(this.last / factor);
    this.widthIndex += 1;
    this.width = widthOf(this.widthIndex);
  }
}

/** Values are counted in quanta, so that 0.3 / 0.1 is 3 and merged bins equal freshly counted ones (up to 9e9). */
const QUANTA_PER_UNIT = 1e6;

/** Bin widths in quanta: 1, 5, 10, 50, 100 … */
const widthOf = (index: number): number => (index % 2 === 0 ? 1 : 5) * 10 ** Math.floor(index / 2);

const binOf = (value: number, width: number): number =>
  Math.floor(Math.round(value * QUANTA_PER_UNIT) / width);

const edge = (bin: number, width: number): number => (bin * width) / QUANTA_PER_UNIT;
