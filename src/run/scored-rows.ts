import type { Row } from '../contract.js';
import { DatasetError } from '../dataset/error.js';
import type { DatasetFormat } from '../dataset/format.js';
import type { RowShape } from '../dataset/row.js';
import type { PathSegment } from '../errors.js';
import { readResultBlocks, ResultsError, type ResultRow } from '../results/read.js';
import { journalPath, readRecord, recordPath, type RunRecord } from '../results/record.js';
import type { Failed } from '../score.js';
import { datasetRows, type DatasetRow } from './dataset-rows.js';
import { openSource, type Source } from './source.js';

/** A line of a results file, and the row that it is about. */
export interface ScoredRow {
  readonly result: ResultRow;
  /** Where the row stands: `line 17`, `b.jsonl line 17`, `line 17, sample 2`. */
  readonly place: string;
  /** The row, or why it cannot be read. */
  readonly row: Row | Failed;
}

/** Where the rows of results are found. */
export interface ScoredRowsOptions {
  /** The dataset; absent: the one that the record beside the results names, which must not have changed since. */
  readonly data?: readonly string[];
  readonly format?: DatasetFormat;
  readonly split?: string;
  readonly signal?: AbortSignal;
  /** Path of a value in the result line that results are to carry. */
  readonly value?: readonly PathSegment[];
}

/** Results that are about to be read together with their rows. */
export interface ScoredRows {
  /** The file with the result lines: of a table, the one that it was made from. */
  readonly results: string;
  /** What the results belong to; undefined when there is no record beside them. */
  readonly record: RunRecord | undefined;
  /** The dataset. */
  readonly source: Source;
  /** What its rows were taken for when they were graded, as far as the record says. */
  readonly shape: RowShape;
  /**
   * Pairs of result and row in the order of the results, some thousand at a time, each time to be used up before the next
   * are asked for. May be asked for once.
   */
  blocks(): AsyncGenerator<readonly ScoredRow[], void, undefined>;
}

/**
 * Finds a results file and its dataset.
 *
 * @param path  the results: `.jsonl` as `assay run -o` writes them, or the table that was made of them
 * @throws ResultsError, DatasetError
 */
export const openScoredRows = async (path: string, options: ScoredRowsOptions = {}): Promise<ScoredRows> => {
  const results = journalPath(path);
  const record = await readRecord(results).catch((error: Error) => {
    throw new ResultsError(error.message);
  });
  const source = await openRows(results, record, options);
  const shape = shapeOf(record);
  return { results, record, source, shape, blocks: () => joined(results, source, shape, options) };
};

const openRows = async (
  results: string,
  record: RunRecord | undefined,
  { data, format, split, signal }: ScoredRowsOptions,
): Promise<Source> => {
  if (data !== undefined) return openSource(data, { format, split, signal });
  if (record === undefined)
    throw new ResultsError(
      `${recordPath(results)} is missing, which names the dataset; say with --data where the rows are`,
    );
  const files = record.dataset.files.map((file) => file.path);
  if (files.length === 0)
    throw new ResultsError(
      `the rows of ${results} came from standard input; say with --data where they can be read again`,
    );
  const source = await openSource(files, { format: record.options.format as DatasetFormat, signal }).catch(
    (error: unknown) => {
      if (!(error instanceof DatasetError)) throw error;
      throw new DatasetError(
        `${error.message}; ${results} was made from it: say with --data where it is now`,
      );
    },
  );
  source.expect(record.dataset);
  return source;
};

const shapeOf = (record: RunRecord | undefined): RowShape => ({
  outputField: record?.options.output_field as RowShape['outputField'],
  missingSample: record?.options.missing_sample as RowShape['missingSample'],
});

async function* joined(
  results: string,
  source: Source,
  shape: RowShape,
  { signal, value }: ScoredRowsOptions,
): AsyncGenerator<readonly ScoredRow[], void, undefined> {
  const lines = new ResultQueue(results, value);
  try {
    let result = await lines.next();
    for await (const block of datasetRows(source, { ...shape, signal })) {
      const pairs: ScoredRow[] = [];
      for (const datasetRow of block) {
        if (result === undefined) break;
        if (isBehind(result, datasetRow)) throw outOfOrder(results, result, datasetRow.place);
        if (!isOf(result, datasetRow)) continue;
        pairs.push({ result, place: datasetRow.place, row: datasetRow.row });
        result = lines.ready ?? (await lines.next());
      }
      if (pairs.length > 0) yield pairs;
      if (result === undefined) return;
    }
    if (result !== undefined && signal?.aborted !== true) throw unknownRow(results, result, source);
  } finally {
    await lines.close();
  }
}

/** The lines of a results file, one after the other, without waiting where they have been read. */
class ResultQueue {
  private readonly blocks: ReturnType<typeof readResultBlocks>;
  private rows: readonly ResultRow[] = [];
  private at = 0;

  constructor(results: string, value: ScoredRowsOptions['value']) {
    this.blocks = readResultBlocks(results, { value });
  }

  /** The next line, if it has been read already. */
  get ready(): ResultRow | undefined {
    return this.rows[this.at++];
  }

  /** The next line; undefined behind the last one. */
  async next(): Promise<ResultRow | undefined> {
    for (;;) {
      const { value, done } = await this.blocks.next();
      if (done === true) return undefined;
      this.rows = value.rows;
      this.at = 0;
      if (this.rows.length > 0) return this.ready;
    }
  }

  async close(): Promise<void> {
    await this.blocks.return();
  }
}

const isOf = (result: ResultRow, { number, sample }: DatasetRow): boolean =>
  result.row === number && (result.sample === sample || result.sample === undefined || sample === undefined);

/** Whether a result is about a row in front of one that has been reached. */
const isBehind = (result: ResultRow, { number, sample = 0 }: DatasetRow): boolean =>
  result.row < number || (result.row === number && (result.sample ?? 0) < sample);

/** Which line of a results file is about which row. */
export type ResultPlace = Pick<ResultRow, 'row' | 'sample' | 'line'>;

/** The error about a line whose row does not come, for the dataset is at a later one: at `place`. */
export const outOfOrder = (results: string, result: ResultPlace, place: string): ResultsError =>
  new ResultsError(
    `${results}:${result.line}: ${nameOf(result)} is not among the rows of the dataset before ${place}; are the results whole and in their order, and of this dataset?`,
  );

/** The error about a line whose row has not come when the dataset is at its end. */
export const unknownRow = (results: string, result: ResultPlace, { name }: Source): DatasetError =>
  new DatasetError(
    `${results}:${result.line} is about ${nameOf(result)}, which ${name} has not behind the rows before it; is it another dataset, or are the results not in their order?`,
  );

const nameOf = ({ row, sample }: ResultPlace): string =>
  sample === undefined ? `row ${row}` : `row ${row}, sample ${sample}`;
