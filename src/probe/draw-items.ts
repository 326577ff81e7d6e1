import { createHash } from 'node:crypto';
import type { Row } from '../contract.js';
import type { DatasetRow } from '../run/dataset-rows.js';
import type { GroupNames } from '../run/group-names.js';
import { KeyNumbers } from '../results/key-numbers.js';

/** A row of one of the items that were drawn. */
export interface DrawnRow extends DatasetRow {
  /** Which of the drawn items it belongs to, from 0, in the order of the dataset. */
  readonly item: number;
}

/** Some items of a dataset with all their rows, in the order of the dataset. */
export interface DrawnItems {
  readonly rows: readonly DrawnRow[];
  /** How many items were drawn, and how many there are. */
  readonly count: number;
  readonly of: number;
  /** Rows without a value that names their group, each of which is an item by itself. */
  readonly ungrouped: number;
}

/** Which items are drawn. */
export interface DrawOptions {
  /** At most so many. */
  readonly count: number;
  /** The same seed draws the same items, on every machine. */
  readonly seed: number;
  /** Rows with one name are an item; absent: the samples of a row. */
  readonly group?: GroupNames;
  /** Receives every row of the dataset that can be read. */
  readonly onRow?: (row: Row) => void;
}

/**
 * Draws items at random in one pass, every set of them as likely: those whose names, hashed with the seed, come first.
 * All rows of an item are drawn with it.
 *
 * @see Broder 1997, https://doi.org/10.1109/SEQUEN.1997.666900 (bottom-k sketches)
 */
export const drawItems = async (
  blocks: AsyncIterable<Iterable<DatasetRow>>,
  { count, seed, group, onRow }: DrawOptions,
): Promise<DrawnItems> => {
  const drawn = new BottomItems(count, seed);
  const names = new KeyNumbers();
  let ungrouped = 0;
  for await (const block of blocks) {
    for (const row of block) {
      const read = 'status' in row.row ? undefined : row.row;
      if (read !== undefined) onRow?.(read);
      const grouped = read && group?.of(read);
      if (group !== undefined && grouped === undefined) ungrouped += 1;
      // No JSON text begins like this.
      const name = grouped ?? `#${row.number}`;
      names.numberOf(name);
      drawn.add(name, row);
    }
  }
  const kept = drawn.items();
  const rows = kept
    .flatMap(({ rows }, item) => rows.map(({ order, row }) => ({ order, row: { ...row, item } })))
    .toSorted((a, b) => a.order - b.order);
  return { rows: rows.map(({ row }) => row), count: kept.length, of: names.size, ungrouped };
};

interface Item {
  readonly priority: number;
  readonly rows: { readonly order: number; readonly row: DatasetRow }[];
}

/** The items whose priorities are the least so far. */
class BottomItems {
  private kept = new Map<string, Item>();
  private limit = Infinity;
  private seen = 0;
  private name: string | undefined;
  private priority = 0;

  constructor(
    private readonly count: number,
    private readonly seed: number,
  ) {}

  add(name: string, row: DatasetRow): void {
    const order = this.seen++;
    if (name !== this.name) {
      this.name = name;
      this.priority = priorityOf(name, this.seed);
    }
    if (this.priority > this.limit) return;
    const item = this.kept.get(name) ?? { priority: this.priority, rows: [] };
    item.rows.push({ order, row });
    this.kept.set(name, item);
    if (this.kept.size > 2 * this.count) this.prune();
  }

  /** In the order of their first rows. */
  items(): readonly Item[] {
    if (this.kept.size > this.count) this.prune();
    return [...this.kept.values()];
  }

  private prune(): void {
    const sorted = [...this.kept.values()].map(({ priority }) => priority).toSorted((a, b) => a - b);
    this.limit = sorted[this.count - 1];
    this.kept = new Map([...this.kept].filter(([, { priority }]) => priority <= this.limit));
  }
}

const priorityOf = (name: string, seed: number): number =>
  createHash('sha256').update(`${seed}\n${name}`).digest().readUIntBE(0, 6);
