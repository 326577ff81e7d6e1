import type { PathSegment } from '../errors.js';
import { KeyNumbers } from './key-numbers.js';
import { readResultBlocks, ResultsError, type ResultBlock, type ResultRow } from './read.js';

/** What says that two results are of the same thing. */
export type PairedBy = 'id' | 'row';

/** What was found in one of the two files. */
export interface SideCounts {
  rows: number;
  scored: number;
  failed: number;
  /** Number of the last line, where it breaks off. */
  tornLine: number | undefined;
}

/** How the rows of two files were put together. */
export interface Pairing {
  readonly by: PairedBy;
  /** Rows that both files have, failed ones included. */
  readonly matched: number;
  /** Rows paired by number whose ids are not the same. */
  readonly differentIds: number;
  readonly a: SideCounts;
  readonly b: SideCounts;
}

export interface PairOptions {
  /** Path of a value in the lines that rows are to carry as their `value`. */
  readonly value?: readonly PathSegment[];
}

/** Receives the rows that both files have. */
export interface PairReceiver {
  add(a: ResultRow, b: ResultRow, by: PairedBy): void;
}

/**
 * Finds the rows that two results files have in common. By id, when every scored row has one and none is there twice,
 * each with its `sample` where a row has several; else by row number and sample.
 *
 * Both files are read side by side, and a row waits in memory only until the other file's comes. Of files in the order
 * of their dataset, as runs write them, next to none has to.
 *
 * @param receiver  makes a new receiver; called again when it turns out that the ids do not serve
 * @throws ResultsError when a file is no results file, or has a row twice
 */
export const pairResults = async <Receiver extends PairReceiver>(
  pathA: string,
  pathB: string,
  options: PairOptions,
  receiver: () => Receiver,
): Promise<{ readonly pairing: Pairing; readonly received: Receiver }> => {
  for (const keys of KEYS) {
    const received = receiver();
    try {
      return { pairing: await new Join(pathA, pathB, keys, options, received).run(), received };
    } catch (error) {
      if (!(error instanceof KeysDoNotServe)) throw error;
    }
  }
  throw new Error('row numbers always serve');
};

/** Keys by which rows can be told apart; tried in this order. */
interface Keys {
  readonly by: PairedBy;
  /** Row numbers only go up, so that none can be there twice and none that was passed can still come. */
  readonly ascending: boolean;
}

const KEYS: readonly Keys[] = [
  { by: 'id', ascending: false },
  { by: 'row', ascending: true },
  { by: 'row', ascending: false },
];

/** Thrown in the middle of a file, which is then read again with other keys. */
class KeysDoNotServe extends Error {}

class Join {
  private matched = 0;
  private differentIds = 0;
  private readonly a: Side;
  private readonly b: Side;

  constructor(
    pathA: string,
    pathB: string,
    private readonly keys: Keys,
    options: PairOptions,
    private readonly receiver: PairReceiver,
  ) {
    this.a = new Side(pathA, keys, options);
    this.b = new Side(pathB, keys, options);
  }

  async run(): Promise<Pairing> {
    const { a, b } = this;
    try {
      // The file that is behind is read on, so that few rows have to wait for their other half.
      while (!a.ended || !b.ended) {
        if (b.ended || (!a.ended && a.lastRow <= b.lastRow)) await this.readOn(a, b);
        else await this.readOn(b, a);
      }
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
    const { matched, differentIds } = this;
    return { by: this.keys.by, matched, differentIds, a: a.counts, b: b.counts };
  }

  private async readOn(side: Side, other: Side): Promise<void> {
    for (const row of await side.nextRows()) {
      const key = side.take(row);
      const partner = other.claim(key);
      if (partner === undefined) {
        if (!other.isPast(row)) side.wait(key, row);
        continue;
      }
      if (side === this.a) this.add(row, partner);
      else this.add(partner, row);
    }
  }

  private add(a: ResultRow, b: ResultRow): void {
    this.matched += 1;
    if (a.id !== undefined && b.id !== undefined && sameText(a.id) !== sameText(b.id)) this.differentIds += 1;
    this.receiver.add(a, b, this.keys.by);
  }
}

/** One of the two files. */
class Side {
  readonly counts: SideCounts = { rows: 0, scored: 0, failed: 0, tornLine: undefined };
  ended = false;
  lastRow = -1;
  private lastSample = -1;
  private readonly blocks: AsyncGenerator<ResultBlock, void, undefined>;
  private readonly waiting = new Map<string, ResultRow>();
  private readonly seen = new KeyNumbers();

  constructor(
    private readonly path: string,
    private readonly keys: Keys,
    options: PairOptions,
  ) {
    this.blocks = readResultBlocks(path, options);
  }

  async nextRows(): Promise<readonly ResultRow[]> {
    const { value, done } = await this.blocks.next();
    this.ended = done === true;
    if (value?.torn !== undefined) this.counts.tornLine = value.torn.line;
    return value?.rows ?? [];
  }

  async close(): Promise<void> {
    await this.blocks.return();
  }

  /** Counts a row that was read, and gives what it is known by. */
  take(row: ResultRow): string {
    this.counts.rows += 1;
    this.counts[row.score.status] += 1;
    const key = this.keyOf(row);
    this.refuseTwice(key, row);
    this.lastRow = row.row;
    this.lastSample = row.sample ?? -1;
    return key;
  }

  private keyOf({ row, sample, id, score }: ResultRow): string {
    const which = sample === undefined ? '' : ` ${sample}`;
    if (this.keys.by === 'row') return `${row}${which}`;
    if (id !== undefined && id !== 'null') return `${sameText(id)}${which}`;
    // A row that could not be read has no id, and no reward either.
    if (score.status === 'scored') throw new KeysDoNotServe();
    return `row ${row}${which}`;
  }

  private refuseTwice(key: string, { row, sample = -1, line }: ResultRow): void {
    if (this.keys.ascending) {
      if (row < this.lastRow || (row === this.lastRow && sample <= this.lastSample))
        throw new KeysDoNotServe();
      return;
    }
    const { size } = this.seen;
    if (this.seen.numberOf(key) === size) return;
    if (this.keys.by === 'id') throw new KeysDoNotServe();
    throw new ResultsError(
      `${this.path}:${line}: row ${row} is there a second time; are these the results of one run?`,
    );
  }

  /** Whether the partner of a row of the other file can no longer come. */
  isPast({ row }: ResultRow): boolean {
    return this.ended || (this.keys.ascending && row < this.lastRow);
  }

  wait(key: string, row: ResultRow): void {
    this.waiting.set(key, row);
  }

  /** The waiting row with a key, which then waits no longer. */
  claim(key: string): ResultRow | undefined {
    const row = this.waiting.get(key);
    if (row !== undefined) this.waiting.delete(key);
    return row;
  }
}

/** An id in one way of writing it: datasets of other formats may escape other characters. */
const sameText = (id: string): string =>
  id.startsWith('"') && id.includes('\\') ? JSON.stringify(JSON.parse(id)) : id;
