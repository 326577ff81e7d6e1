import type { Namespace, Row } from '../contract.js';
import type { PathSegment } from '../errors.js';
import { valueAt } from '../json-value.js';

/** A condition on rows: the value at the path has this text. */
export interface RowFilter {
  readonly path: readonly PathSegment[];
  readonly value: string;
}

/** Which rows of a dataset are graded. */
export interface SelectOptions {
  /** At most this many rows. */
  readonly limit?: number;
  /** Only rows that meet every condition. */
  readonly filter?: readonly RowFilter[];
  /** Of the rows that the filter lets through, only these, counted from 0. */
  readonly drawn?: ReadonlySet<number>;
}

/** Decides row by row; stateful, because it counts. */
export class RowSelection {
  private eligible = 0;
  private taken = 0;
  private readonly most: number;

  constructor(private readonly options: SelectOptions) {
    this.most = Math.min(options.limit ?? Infinity, options.drawn?.size ?? Infinity);
  }

  /** True when no further row will be taken. */
  get exhausted(): boolean {
    return this.taken >= this.most;
  }

  /** A cheap check before the row is parsed: without a filter the drawn numbers are row numbers. */
  skips(number: number): boolean {
    const { drawn, filter } = this.options;
    if (drawn === undefined || filter !== undefined || drawn.has(number)) return false;
    this.eligible += 1;
    return true;
  }

  takes(row: Row): boolean {
    const { filter } = this.options;
    return (filter === undefined || matchesFilter(row, filter)) && this.takesBroken();
  }

  /** A row that cannot be read passes every filter: dropping it would hide it. */
  takesBroken(): boolean {
    const number = this.eligible;
    this.eligible += 1;
    if (this.options.drawn?.has(number) === false) return false;
    this.taken += 1;
    return true;
  }
}

/** Whether a row has the wanted text at every path of a filter. */
export const matchesFilter = (row: Row, filter: readonly RowFilter[]): boolean =>
  filter.every(({ path, value }) => {
    const found = find(row, path);
    return (typeof found.value === 'string' ? found.value : jsonText(row, found)) === value;
  });

/** JSON text of the value at a path, as the dataset wrote it; undefined when there is none. */
export const valueText = (row: Row, path: readonly PathSegment[]): string | undefined =>
  jsonText(row, find(row, path));

interface Found {
  readonly namespace: Namespace;
  readonly path: readonly PathSegment[];
  readonly value: unknown;
}

/** `item.x` and `sample.x` name what they say; any other path is one of the item's. */
const find = (row: Row, fullPath: readonly PathSegment[]): Found => {
  const [first, ...rest] = fullPath;
  const named = first === 'item' || first === 'sample';
  const namespace = named ? first : 'item';
  const path = named ? rest : fullPath;
  return { namespace, path, value: valueAt(row[namespace], path) };
};

const jsonText = (row: Row, { namespace, path, value }: Found): string | undefined =>
  value === undefined ? undefined : (row.sourceText?.(namespace, path) ?? JSON.stringify(value));

/**
 * Draws `count` of `total` rows without replacement, every set equally likely.
 *
 * @param seed  the same seed draws the same rows, on every machine
 * @see Floyd's sampling, https://doi.org/10.1145/30401.315746
 */
export const drawRows = (total: number, count: number, seed: number): Set<number> => {
  const random = mulberry32(seed);
  const drawn = new Set<number>();
  for (let top = Math.max(0, total - count); top < total; top += 1) {
    const candidate = Math.floor(random() * (top + 1));
    drawn.add(drawn.has(candidate) ? top : candidate);
  }
  return drawn;
};

/** Tommy Ettinger's mulberry32: 32 bits of state, plenty for drawing rows. */
const mulberry32 = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};
