import type { ResultRow } from './read.js';

/** A row whose reward changed. */
export interface ChangedRow {
  /** Number of the row in A's dataset, from 0. */
  readonly row: number;
  /** Number of the row in B's dataset; left out where it is the same. */
  readonly row_b?: number;
  readonly sample?: number;
  /** The id as JSON has it; as text where it is a number too large for JavaScript. */
  readonly id?: unknown;
  readonly a: number;
  readonly b: number;
  readonly difference: number;
}

/** The rows that changed most in one direction. */
export interface ChangedRows {
  /** All rows that changed in this direction. */
  readonly count: number;
  /** The largest changes first, those of the same size in the order of the file. */
  readonly rows: readonly ChangedRow[];
}

/** Keeps the largest changes of one direction. */
export class LargestChanges {
  private count = 0;
  private readonly rows: ChangedRow[] = [];

  /** @param most  how many rows are kept */
  constructor(private readonly most: number) {}

  add(a: ResultRow, b: ResultRow, rewards: Pick<ChangedRow, 'a' | 'b' | 'difference'>): void {
    this.count += 1;
    const { rows, most } = this;
    const size = Math.abs(rewards.difference);
    const smallest = rows.length < most ? -1 : Math.abs(rows[most - 1]?.difference ?? Infinity);
    if (size <= smallest) return;
    const at = rows.findIndex((row) => Math.abs(row.difference) < size);
    rows.splice(at === -1 ? rows.length : at, 0, { ...placeOf(a, b), ...rewards });
    rows.length = Math.min(rows.length, most);
  }

  result(): ChangedRows {
    return { count: this.count, rows: this.rows };
  }
}

const placeOf = (a: ResultRow, b: ResultRow): Pick<ChangedRow, 'row' | 'row_b' | 'sample' | 'id'> => ({
  row: a.row,
  ...(a.row === b.row ? {} : { row_b: b.row }),
  ...(a.sample === undefined ? {} : { sample: a.sample }),
  ...(a.id === undefined ? {} : { id: idOf(a.id) }),
});

const idOf = (text: string): unknown => {
  const id = JSON.parse(text) as unknown;
  return typeof id === 'number' && String(id) !== text ? text : id;
};
