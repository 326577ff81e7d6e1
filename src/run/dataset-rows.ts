import type { Row } from '../contract.js';
import { LineCursor } from '../dataset/jsonl.js';
import { parseRows, SampleRows, type RowShape } from '../dataset/row.js';
import { GradingError } from '../errors.js';
import { failed, type Failed } from '../score.js';
import { PieceReader } from './piece.js';
import { RowSelection, type SelectOptions } from './select.js';
import type { Source } from './source.js';

/** A row of a dataset, read but not graded; each of several samples of a row is one. */
export interface DatasetRow {
  /** Number of the row in its dataset, from 0. */
  readonly number: number;
  /** Which of several samples of the row, from 0. */
  readonly sample?: number;
  /** Where it stands: `line 17`, `b.jsonl line 17`, `line 17, sample 2`. */
  readonly place: string;
  /** Length of its line. */
  readonly bytes: number;
  /** The row, or why it cannot be read. */
  readonly row: Row | Failed;
}

/** How rows are read, and which; every row when nothing else is said. */
export interface DatasetRowsOptions extends RowShape, SelectOptions {
  readonly signal?: AbortSignal;
}

/**
 * The rows of a dataset in their order, as a run would grade them, but parsed: some thousand at a time, each time to be
 * used up before the next are asked for. Checksums are noted in the source.
 *
 * @throws DatasetError
 */
export async function* datasetRows(
  source: Source,
  options: DatasetRowsOptions = {},
): AsyncGenerator<Iterable<DatasetRow>, void, undefined> {
  const { signal, ...rest } = options;
  const selection = new RowSelection(rest);
  const reader = new PieceReader(source.files);
  const lines = new LineCursor();
  let number = 0;
  try {
    for await (const piece of source.pieces()) {
      if (signal?.aborted === true) return;
      const { block, crc } = reader.read(piece);
      if (crc !== undefined) source.addCrc(piece.file, crc);
      lines.open(block, piece.first ? 1 : undefined);
      const first = number;
      number += lines.count;
      yield rowsOf(lines, first, { prefix: source.files[piece.file].prefix, shape: rest, selection });
      if (selection.endsBefore(number)) return;
    }
  } finally {
    reader.close();
  }
}

interface Reading {
  readonly prefix: string;
  readonly shape: RowShape;
  readonly selection: RowSelection;
}

function* rowsOf(
  lines: LineCursor,
  first: number,
  { prefix, shape, selection }: Reading,
): Generator<DatasetRow, void, undefined> {
  for (let number = first; !selection.endsBefore(number) && lines.next(); number += 1) {
    if (selection.skips(number)) continue;
    const line = { number, place: `${prefix}${lines.line}`, bytes: lines.end - lines.start };
    const row = orFailed(() => {
      if (lines.problem !== undefined) throw new GradingError('row_error', lines.problem);
      return parseRows(lines.text, shape, number);
    });
    const isTaken = 'status' in row ? selection.takesBroken(number) : selection.takes(row, number);
    if (!isTaken) continue;
    if (row instanceof SampleRows) yield* samplesOf(row, line);
    else yield { ...line, row };
  }
}

function* samplesOf(rows: SampleRows, line: Omit<DatasetRow, 'row'>): Generator<DatasetRow, void, undefined> {
  for (let sample = 0; sample < rows.count; sample += 1)
    yield {
      ...line,
      sample,
      place: `${line.place}, sample ${sample}`,
      row: orFailed(() => rows.row(sample)),
    };
}

const orFailed = <Read>(read: () => Read): Read | Failed => {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof GradingError)) throw error;
    return failed(error.code, error.message);
  }
};

/** Rows of many MiB each are not all kept. */
const MAX_SAMPLE_BYTES = 32 << 20;

/**
 * Reads the first rows of a dataset, which can then be graded in any order; of a row with several samples, one each.
 *
 * @param count  at most so many rows
 * @throws DatasetError
 */
export const firstRows = async (
  source: Source,
  count: number,
  shape: RowShape,
): Promise<readonly DatasetRow[]> => {
  const rows: DatasetRow[] = [];
  let bytes = 0;
  for await (const block of datasetRows(source, shape)) {
    for (const row of block) {
      rows.push(row);
      bytes += row.bytes;
      if (rows.length === count || bytes > MAX_SAMPLE_BYTES) return rows;
    }
  }
  return rows;
};
