import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { LineCursor } from '../dataset/jsonl.js';
import { parseRow, type RowNote, type RowShape } from '../dataset/row.js';
import type { ReadyGrader } from '../engine.js';
import type { PathSegment } from '../errors.js';
import {
  RECORD_FORMAT,
  recordPath,
  writeRecord,
  type GraderRecord,
  type RunRecord,
  type RunSummary,
} from '../results/record.js';
import { fileSink, nullSink, ResultsExistError, streamSink, type Sink } from '../results/sink.js';
import { ScoreTally } from '../results/summary.js';
import type { Failed, Score } from '../score.js';
import { version } from '../version.js';
import { BlockGrader, type Keep } from './block.js';
import { drawRows, matchesFilter, RowSelection, type RowFilter, type SelectOptions } from './select.js';
import { DatasetError, openSource, type Source } from './source.js';

/** Everything a run needs to know beside the grader. */
export interface RunOptions {
  /** The dataset: a JSONL file, or a stream of one. */
  readonly data: string | Readable;
  /** Where result lines go: a file, which gets a `.run.json` beside it, or a stream. Without it only the summary is made. */
  readonly output?: string | Writable;
  /** Replace an existing results file. */
  readonly overwrite?: boolean;
  /** Files that are not written over even so, such as the grader's; the dataset is one of them anyway. */
  readonly precious?: readonly string[];
  /** The configuration the grader was prepared from; its hash goes into the record. */
  readonly config: unknown;
  /** The metric profile it was prepared with; recorded. */
  readonly profile: string;
  /** The whole row is `item`, and the value at this path is `sample.output_text`. */
  readonly outputField?: readonly PathSegment[];
  /** Render `sample.*` as empty text in rows that have no sample. */
  readonly missingSample?: 'fail' | 'empty';
  /** What result lines repeat of their rows. */
  readonly keep?: Keep;
  /** Grade at most this many rows. */
  readonly limit?: number;
  /** Only rows that meet every condition. */
  readonly filter?: readonly RowFilter[];
  /** What was odd about the configuration; kept in the record. */
  readonly configurationWarnings?: readonly string[];
  /** Draw this many rows at random; needs a file. */
  readonly random?: number;
  /** For `random`; default 0. */
  readonly seed?: number;
  /** Most rows in flight, for graders that answer with promises. Default 64. */
  readonly concurrency?: number;
  /** Stops the run after the rows in flight; what was graded stays. */
  readonly signal?: AbortSignal;
  /** Called often; not at every row. */
  readonly onProgress?: (progress: Progress) => void;
  /** Receives every failed row, with its line in the dataset. */
  readonly onFailure?: (failure: Failed, line: number) => void;
}

/** How far a run is. */
export interface Progress {
  /** Rows graded so far, failed ones included. */
  readonly rows: number;
  readonly failed: number;
  /** Share of the limit graded or else of the dataset read, 0 to 1; undefined when neither is known. */
  readonly share?: number;
}

/** How a run ended. */
export interface RunResult {
  readonly status: 'complete' | 'interrupted';
  readonly summary: RunSummary;
}

const NOTES: Record<RowNote, string> = {
  empty_sample: 'some rows have no sample; sample.* was taken as empty text',
  structured_output: 'in some rows the output field is no text; its JSON is graded as it is written',
  several_choices: 'some samples have several choices; the first one is graded',
};

/**
 * Grades a dataset: rows in, result lines out, in input order and constant memory.
 *
 * @throws DatasetError, ResultsExistError or WriteError
 */
export const run = async (grader: ReadyGrader, options: RunOptions): Promise<RunResult> => {
  const source = await openSource(options.data, options.signal);
  try {
    await checkOutput(options);
    const selection = new RowSelection(await selectOptions(options));
    const sink = await openSink(options);
    try {
      return await gradeAndRecord(grader, options, { source, selection, sink });
    } finally {
      await sink.close();
    }
  } finally {
    await source.close();
  }
};

/** The ends of a run: where rows come from, which of them are graded, and where their lines go. */
interface Ends {
  readonly source: Source;
  readonly selection: RowSelection;
  readonly sink: Sink;
}

const gradeAndRecord = async (grader: ReadyGrader, options: RunOptions, ends: Ends): Promise<RunResult> => {
  const { source, sink } = ends;
  const started = new Date();
  const record = startRecord(grader, options, source);
  const save = async (state: RunRecord) => {
    if (sink.isFile) await writeRecord(options.output as string, state);
  };
  await save(record);
  const warnings = new Set<string>();
  const tally = new ScoreTally();
  const status = await gradeAll(grader, options, { ...ends, tally, warnings });
  await sink.sync();
  const seconds = (Date.now() - started.getTime()) / 1000;
  const scores = tally.summary();
  if (scores.rows === 0 && status === 'complete')
    warnings.add('no row was graded: the dataset is empty, or no row was selected');
  const summary: RunSummary = {
    grader: record.grader,
    profile: options.profile,
    dataset: source.name,
    results: sink.isFile ? (options.output as string) : null,
    ...scores,
    started: started.toISOString(),
    seconds,
    rows_per_second: seconds > 0 ? Math.round(scores.rows / seconds) : scores.rows,
    configuration_warnings: options.configurationWarnings ?? [],
    warnings: [...warnings],
  };
  await save({ ...record, status, dataset: source.identity(), summary });
  return { status, summary };
};

/** An output that is an input would be gone before the first row is read, `overwrite` or not. */
const checkOutput = async ({ data, output, precious = [] }: RunOptions): Promise<void> => {
  if (typeof output !== 'string') return;
  const inputs = typeof data === 'string' ? [data, ...precious] : precious;
  for (const written of [output, recordPath(output)]) {
    for (const input of inputs) {
      if (await isSameFile(written, input)) {
        throw new ResultsExistError(
          `${written} is ${input}, which this run reads; choose another name for the results`,
        );
      }
    }
  }
};

const isSameFile = async (a: string, b: string): Promise<boolean> => {
  const [first, second] = await Promise.all([a, b].map((path) => stat(path).catch(() => undefined)));
  return first !== undefined && first.isFile() && first.dev === second?.dev && first.ino === second.ino;
};

const openSink = async ({ output, overwrite = false }: RunOptions): Promise<Sink> => {
  if (output === undefined) return nullSink;
  return typeof output === 'string' ? fileSink(output, overwrite) : streamSink(output);
};

const startRecord = (grader: ReadyGrader, options: RunOptions, source: Source): RunRecord => ({
  format: RECORD_FORMAT,
  status: 'running',
  assay: version,
  grader: graderRecord(grader, options.config),
  dataset: source.identity(),
  options: {
    profile: options.profile,
    output_field: options.outputField,
    missing_sample: options.missingSample,
    id: options.keep?.id,
    keep: options.keep?.input,
    limit: options.limit,
    filter: options.filter,
    random: options.random,
    seed: options.random === undefined ? undefined : (options.seed ?? 0),
  },
});

const graderRecord = ({ name, type, signature }: ReadyGrader, config: unknown): GraderRecord => ({
  name,
  type,
  signature,
  sha256: createHash('sha256')
    .update(JSON.stringify(config) ?? '')
    .digest('hex'),
});

interface Work extends Ends {
  readonly tally: ScoreTally;
  readonly warnings: Set<string>;
}

/** The loop of a run, a block at a time; a slow reader of the results is waited for while the next block is graded. */
const gradeAll = async (
  grader: ReadyGrader,
  options: RunOptions,
  { source, selection, sink, tally, warnings }: Work,
): Promise<RunResult['status']> => {
  const { signal, onFailure, onProgress } = options;
  let position = 0;
  let rows = 0;
  const report = () =>
    onProgress?.({
      rows,
      failed: tally.failedRows,
      share: share(rows, options.limit) ?? share(position, source.bytes),
    });
  const onScore = (score: Score, line: number) => {
    tally.add(score);
    rows += 1;
    if (score.status === 'failed') onFailure?.(score, line);
    if (rows % PROGRESS_ROWS === 0) report();
  };
  const blockGrader = new BlockGrader({
    grader,
    shape: rowShape(options, (note) => warnings.add(NOTES[note])),
    selection,
    keep: options.keep ?? {},
    signal,
    concurrency: options.concurrency ?? DEFAULT_CONCURRENCY,
    onScore,
  });
  let written = Promise.resolve();
  for await (const block of source.blocks) {
    if (signal?.aborted === true) break;
    const lines = await blockGrader.grade(block);
    await written;
    written = sink.write(lines);
    // A failed write is reported by the await above, one block later.
    written.catch(() => {});
    position = block.position;
    report();
    if (blockGrader.done) break;
  }
  await written;
  return signal?.aborted === true ? 'interrupted' : 'complete';
};

const PROGRESS_ROWS = 64;
const DEFAULT_CONCURRENCY = 64;

const share = (done: number, all: number | undefined): number | undefined =>
  all === undefined || all === 0 ? undefined : done / all;

const rowShape = ({ outputField, missingSample }: RunOptions, note?: RowShape['note']): RowShape => ({
  outputField,
  missingSample,
  note,
});

const selectOptions = async (options: RunOptions): Promise<SelectOptions> => {
  const { limit, filter, random, seed = 0 } = options;
  if (random === undefined) return { limit, filter };
  return { limit, filter, drawn: drawRows(await countEligible(options), random, seed) };
};

/** Counts the rows that the filter lets through, so that as many are drawn as were asked for. */
const countEligible = async (options: RunOptions): Promise<number> => {
  const source = await openSource(options.data);
  const shape = rowShape(options);
  const lines = new LineCursor();
  let count = 0;
  try {
    if (source.bytes === undefined)
      throw new DatasetError(
        `${source.name}: rows can only be drawn at random from a file, which is read twice`,
      );
    for await (const block of source.blocks) {
      lines.open(block);
      while (lines.next()) {
        if (options.filter === undefined || isEligible(lines, shape, options.filter)) count += 1;
      }
    }
  } finally {
    await source.close();
  }
  return count;
};

const isEligible = (
  { text, problem }: LineCursor,
  shape: RowShape,
  filter: readonly RowFilter[],
): boolean => {
  if (problem !== undefined) return true;
  try {
    return matchesFilter(parseRow(text, shape), filter);
  } catch {
    // A broken row is graded (and fails) whatever the filter says.
    return true;
  }
};
