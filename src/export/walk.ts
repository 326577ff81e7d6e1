import { LineCursor } from '../dataset/jsonl.js';
import { PieceReader } from '../run/piece.js';
import { outOfOrder, unknownRow } from '../run/scored-rows.js';
import type { Source } from '../run/source.js';
import { Turns } from '../run/turns.js';
import type { Failed } from '../score.js';
import { PartsReader } from './parts-reader.js';
import type { RowParts, RowPartsOptions } from './row-parts.js';
import { NONE, type ScoreTable } from './score-table.js';

/** A walk over the rows of results. */
export interface Walk {
  readonly table: ScoreTable;
  /** The results file, for messages. */
  readonly results: string;
  readonly source: Source;
  readonly parts: RowPartsOptions;
  readonly signal?: AbortSignal;
  /** Whether the row of a result is to be looked at. */
  wants(result: number): boolean;
  /** Receives the row of a result, in their order; what it gives is to be used up at once. */
  visit(result: number, parts: RowParts | Failed): void;
  /** Called now and then, when nothing of a row is in use. */
  pause?(): Promise<void>;
}

/**
 * Goes over a dataset once, and over the results about it.
 *
 * @throws DatasetError; ResultsError where results are not of these rows; the signal's reason
 */
export const walkRows = async (walk: Walk): Promise<void> => {
  const { source, signal, pause } = walk;
  const rows = new Walker(walk);
  const reader = new PieceReader(source.files, rows.reader.takeMemory);
  const turns = new Turns();
  try {
    for await (const piece of source.pieces()) {
      await turns.next();
      signal?.throwIfAborted();
      const { block, crc } = reader.read(piece);
      if (crc !== undefined) source.addCrc(piece.file, crc);
      rows.lines.open(block, piece.first ? 1 : undefined);
      rows.reader.open(block.bytes, rows.lines);
      rows.walkBlock(source.files[piece.file].prefix);
      await pause?.();
      if (rows.isDone) return;
    }
    signal?.throwIfAborted();
    rows.end();
  } finally {
    reader.close();
  }
};

class Walker {
  readonly lines = new LineCursor();
  readonly reader: PartsReader;
  /** The next result. */
  private at = 0;
  /** The number of the next row. */
  private number = 0;

  constructor(private readonly walk: Walk) {
    this.reader = new PartsReader(walk.parts);
  }

  get isDone(): boolean {
    return this.at === this.walk.table.count;
  }

  walkBlock(prefix: string): void {
    const { lines } = this;
    const { rows } = this.walk.table;
    for (; lines.next(); this.number += 1) {
      if (this.isDone) return;
      if (rows[this.at] < this.number) throw this.behind(prefix);
      if (rows[this.at] === this.number) this.walkRow(prefix);
    }
  }

  /** @throws DatasetError where results are left */
  end(): void {
    const { results, source } = this.walk;
    if (!this.isDone) throw unknownRow(results, this.place, source);
  }

  private walkRow(prefix: string): void {
    const { walk, lines, reader } = this;
    if (!this.isWanted()) return this.skip();
    const parts = reader.read(lines);
    if ('status' in parts) {
      for (; this.isOfRow; this.at += 1) if (walk.wants(this.at)) walk.visit(this.at, parts);
      return;
    }
    if (!('part' in parts)) {
      walk.visit(this.at, parts);
      this.at += 1;
      return;
    }
    const { samples } = walk.table;
    for (let sample = 0; sample < parts.count && this.isOfRow; sample += 1) {
      const wanted = samples[this.at];
      if (wanted !== NONE && wanted < sample) throw this.behind(prefix);
      if (wanted > sample) continue;
      if (walk.wants(this.at)) walk.visit(this.at, parts.part(sample));
      this.at += 1;
    }
  }

  /** Whether the next result is of the row at the cursor. */
  private get isOfRow(): boolean {
    const { table } = this.walk;
    return this.at < table.count && table.rows[this.at] === this.number;
  }

  /** Whether one of the results of the row is. */
  private isWanted(): boolean {
    const { table, wants } = this.walk;
    for (let at = this.at; at < table.count && table.rows[at] === this.number; at += 1)
      if (wants(at)) return true;
    return false;
  }

  private skip(): void {
    while (this.isOfRow) this.at += 1;
  }

  private get place() {
    const { at } = this;
    const { rows, samples } = this.walk.table;
    return { row: rows[at], line: at + 1, ...(samples[at] === NONE ? {} : { sample: samples[at] }) };
  }

  private behind(prefix: string) {
    return outOfOrder(this.walk.results, this.place, `${prefix}${this.lines.line}`);
  }
}
