import type { Row } from '../contract.js';
import { LineCursor } from '../dataset/jsonl.js';
import { parseRow, type RowShape } from '../dataset/row.js';
import { GradingError } from '../errors.js';
import { failed, type Failed } from '../score.js';
import { PieceReader } from './piece.js';
import type { Source } from './source.js';

/** A row of a dataset, read to be graded by itself. */
export interface SampledRow {
  /** Where it stands: `line 17`, `b.jsonl line 17`. */
  readonly place: string;
  /** The row, or why it cannot be read. */
  readonly row: Row | Failed;
}

/** Rows of many MiB each are not all kept. */
const MAX_SAMPLE_BYTES = 32 << 20;

/**
 * Reads the first rows of a dataset, which can then be graded in any order.
 *
 * @param count  at most so many rows
 * @throws DatasetError
 */
export const firstRows = async (
  source: Source,
  count: number,
  shape: RowShape,
): Promise<readonly SampledRow[]> => {
  const reader = new PieceReader(source.files);
  const lines = new LineCursor();
  const rows: SampledRow[] = [];
  let bytes = 0;
  const isEnough = () => rows.length === count || bytes > MAX_SAMPLE_BYTES;
  try {
    for await (const piece of source.pieces()) {
      lines.open(reader.read(piece).block, piece.first ? 1 : undefined);
      while (!isEnough() && lines.next()) {
        rows.push(rowAt(lines, source.files[piece.file].prefix, shape));
        bytes += lines.end - lines.start;
      }
      if (isEnough()) break;
    }
  } finally {
    reader.close();
  }
  return rows;
};

const rowAt = (lines: LineCursor, prefix: string, shape: RowShape): SampledRow => {
  const place = `${prefix}${lines.line}`;
  try {
    if (lines.problem !== undefined) throw new GradingError('row_error', lines.problem);
    return { place, row: parseRow(lines.text, shape) };
  } catch (error) {
    if (!(error instanceof GradingError)) throw error;
    return { place, row: failed(error.code, error.message) };
  }
};
