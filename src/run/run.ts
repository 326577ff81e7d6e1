import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { DatasetError } from '../dataset/error.js';
import type { RowNote } from '../dataset/row.js';
import type { DatasetFormat } from '../dataset/format.js';
import type { ReadyGrader } from '../engine.js';
import type { PathSegment } from '../errors.js';
import type { ModelTotals } from '../judge-call.js';
import {
  RECORD_FORMAT,
  evidencePath,
  isTable,
  journalPath,
  type GraderRecord,
  type RunIdentity,
  type RunSummary,
} from '../results/record.js';
import type { ScoreColumns } from '../results/score-columns.js';
import { ResultsExistError } from '../results/sink.js';
import type { Failed } from '../score.js';
import { version } from '../version.js';
import type { Keep, RowFailure } from './block.js';
import { countRows } from './count.js';
import { gradeSource, type WorkerCode } from './grading.js';
import { Journal } from './journal.js';
import type { GradedPiece } from './piece.js';
import { drawRows, type RowFilter, type SelectOptions } from './select.js';
import { openSource, type Source } from './source.js';

/** Everything a run needs to know beside the grader. */
export interface RunOptions {
  /**
   * The dataset: files, patterns such as `data/*.jsonl`, a folder, or a stream. The format follows from the ending:
   * JSONL, a JSON array, CSV, TSV, Parquet, the text ones also with `.gz` or `.zst`.
   */
  readonly data: string | readonly string[] | Readable;
  /** The format of the dataset, where its names do not tell. */
  readonly format?: DatasetFormat;
  /** Which part of a Hugging Face dataset folder, such as `test`. */
  readonly split?: string;
  /**
   * Where result lines go: a file, which gets a `.run.json` beside it, or a stream. A `.csv` or `.parquet` file is made at
   * the end, from the lines in the `.jsonl` beside it. Without it only the summary is made.
   */
  readonly output?: string | Writable;
  /** Replace an existing results file. */
  readonly overwrite?: boolean;
  /** Go on where the run that wrote the results file stopped; the file ends as if it had never stopped. */
  readonly resume?: boolean;
  /** Grade only the rows again that failed in the results file, and put what they give in the place of their lines. */
  readonly retryFailed?: boolean;
  /** Files that are not written over even so, such as the grader's; the dataset is one of them anyway. */
  readonly precious?: readonly string[];
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
  /** Only the rows of these numbers, counted from 0, whatever the other conditions say. */
  readonly rows?: ReadonlySet<number>;
  /** Draw this many rows at random; needs files. */
  readonly random?: number;
  /** For `random`; default 0. */
  readonly seed?: number;
  /** A row that cannot be read ends the run with a DatasetError instead of failing. */
  readonly strict?: boolean;
  /**
   * How many threads grade. Default: as many as the machine has, when the run is long enough to gain by it. Graders of
   * your own stay on this thread: functions do not cross threads.
   */
  readonly threads?: number;
  /** Set by the package's own entries. */
  readonly workerCode?: WorkerCode;
  /** Most rows in flight, for graders that answer with promises. Default: what the grader can make use of, or 64. */
  readonly concurrency?: number;
  /** Stops the run; what was graded stays. Rows that other processes work on are not waited for. */
  readonly signal?: AbortSignal;
  /** What was odd about the configuration; kept in the record. */
  readonly configurationWarnings?: readonly string[];
  /** Receives the scores of this run in row order, some at a time. */
  readonly onScores?: (scores: ScoreColumns) => void;
  /** Called often; not at every row. */
  readonly onProgress?: (progress: Progress) => void;
  /** Receives every failed row, with its place in the dataset: `line 17`, `b.jsonl line 17`, `line 17, sample 2`. */
  readonly onFailure?: (failure: Failed, place: string) => void;
}

/** How far a run is. */
export interface Progress {
  /** Rows graded so far, failed ones included; each of several samples of a row counts. */
  readonly rows: number;
  readonly failed: number;
  /** Share of the limit graded or else of the dataset read, 0 to 1; undefined when neither is known. */
  readonly share?: number;
}

/** How a run ended. */
export interface RunResult {
  readonly status: 'complete' | 'interrupted';
  /** Why the rest was not graded, where the run ended by itself: a budget that is used up, a judge that cannot be asked. */
  readonly halted?: string;
  readonly summary: RunSummary;
}

/**
 * Grades a dataset: rows in, result lines out, in input order and constant memory.
 *
 * @throws DatasetError, ResultsExistError, ResumeError or WriteError
 */
export const run = async (grader: ReadyGrader, options: RunOptions): Promise<RunResult> => {
  const source = await openSource(options.data, options);
  await checkOutput(options, source);
  if (options.random !== undefined && source.bytes === undefined)
    throw new DatasetError(
      `${source.name}: rows can only be drawn at random from a file, which is read twice`,
    );
  const started = new Date();
  const identity = describeRun(grader, options);
  const journal = await Journal.open(options, identity, source);
  try {
    const before = grader.models();
    const halted = await gradeAll(grader, options, source, journal);
    const status = halted !== undefined || options.signal?.aborted === true ? 'interrupted' : 'complete';
    await journal.settle();
    const summary = summarize(options, identity, source, {
      journal,
      started,
      halted,
      status,
      models: usedSince(before, grader.models()),
    });
    await journal.finish(status, summary);
    if (isTable(options.output) && status === 'complete') {
      const { writeTable } = await import('../results/table.js');
      await writeTable(journalPath(options.output), options.output);
    }
    return { status, ...(halted !== undefined && { halted }), summary };
  } catch (error) {
    await journal.abandon();
    throw error;
  } finally {
    await journal.close();
  }
};

/** An output that is an input would be gone before the first row is read, `overwrite` or not. */
const checkOutput = async ({ output, precious = [] }: RunOptions, { files }: Source): Promise<void> => {
  if (typeof output !== 'string') return;
  const inputs = [...files.map(({ path }) => path), ...precious];
  const journal = journalPath(output);
  const evidence = evidencePath(journal);
  const beside = [
    ...['', '.run.json', '.run.json.tmp', '.lock', '.retry', '.tmp', '.calls'].map(
      (ending) => journal + ending,
    ),
    ...['', '.retry', '.tmp'].map((ending) => evidence + ending),
  ];
  for (const written of new Set([output, `${output}.tmp`, ...beside])) {
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

const describeRun = (grader: ReadyGrader, options: RunOptions): RunIdentity => ({
  format: RECORD_FORMAT,
  assay: version,
  grader: graderRecord(grader),
  environment: grader.environment,
  options: {
    profile: grader.origin.profile,
    punkt_data: grader.origin.punktData,
    format: options.format,
    output_field: options.outputField,
    missing_sample: options.missingSample,
    id: options.keep?.id,
    group: options.keep?.group,
    keep: options.keep?.input,
    limit: options.limit,
    filter: options.filter,
    rows: options.rows === undefined ? undefined : [...options.rows],
    random: options.random,
    seed: options.random === undefined ? undefined : (options.seed ?? 0),
  },
});

const graderRecord = ({ name, type, signature, origin }: ReadyGrader): GraderRecord => ({
  name,
  type,
  signature,
  sha256: createHash('sha256')
    .update(JSON.stringify(origin.config) ?? '')
    .digest('hex'),
});

/**
 * The loop of a run, a piece at a time; a slow reader of the results is waited for while the next piece is graded.
 *
 * @returns why it ended before the end of the dataset, if it did so by itself
 */
const gradeAll = async (
  grader: ReadyGrader,
  options: RunOptions,
  source: Source,
  journal: Journal,
): Promise<string | undefined> => {
  const { signal, limit } = options;
  const graded = gradeSource(source, {
    grader,
    select: await selectOptions(options, journal),
    shape: rowShape(options),
    keep: options.keep ?? {},
    signal,
    concurrency: options.concurrency ?? grader.window ?? DEFAULT_CONCURRENCY,
    threads: options.threads,
    workerCode: options.workerCode,
  });
  for await (const piece of graded) {
    if (piece.crc !== undefined) source.addCrc(piece.file, piece.crc);
    for (const failure of piece.failures) tellFailure(options, source, piece, failure);
    for (const note of piece.notes) journal.warn(NOTES[note]);
    await journal.write(piece);
    options.onScores?.(piece.scores);
    options.onProgress?.({
      rows: journal.rows,
      failed: journal.failed,
      share:
        share(journal.datasetRows, limit) ??
        share(source.files[piece.file].offset + piece.position, source.bytes),
    });
    if (piece.halted !== undefined) return piece.halted;
    if (piece.done) break;
  }
  return undefined;
};

const DEFAULT_CONCURRENCY = 64;

const NOTES: Record<RowNote, string> = {
  empty_sample: 'some rows have no sample; sample.* was taken as empty text',
  structured_output: 'in some rows the output field is no text; its JSON is graded as it is written',
  no_group: 'some rows have no value that names their group; each of them is a group by itself',
  several_choices: 'some samples have several choices; the first one is graded',
};

const tellFailure = (
  { strict, onFailure }: RunOptions,
  { files }: Source,
  { file }: GradedPiece,
  { failure, place }: RowFailure,
): void => {
  if (strict === true && failure.code === 'row_error')
    throw new DatasetError(files.length === 1 ? `${files[file].path}: ${failure.message}` : failure.message);
  onFailure?.(failure, place);
};

const share = (done: number, all: number | undefined): number | undefined =>
  all === undefined || all === 0 ? undefined : done / all;

const selectOptions = async (options: RunOptions, journal: Journal): Promise<SelectOptions> => {
  const { limit, filter, random, seed = 0 } = options;
  const { after, only = options.rows } = journal;
  if (random === undefined || only !== undefined) return { limit, filter, after, only };
  const source = await openSource(options.data, options);
  const count = await countRows(source, filter, rowShape(options), options.signal);
  return { limit, filter, after, drawn: drawRows(count, random, seed) };
};

const rowShape = ({ outputField, missingSample }: RunOptions) => ({ outputField, missingSample });

interface Outcome {
  readonly status: RunResult['status'];
  readonly started: Date;
  readonly journal: Journal;
  readonly halted: string | undefined;
  readonly models: ModelTotals | undefined;
}

/** What models have been asked between two looks at what a judge has used; undefined when nothing was. */
const usedSince = (
  before: ModelTotals | undefined,
  after: ModelTotals | undefined,
): ModelTotals | undefined => {
  if (after === undefined) return undefined;
  const less = (key: Exclude<keyof ModelTotals, 'cost'>) => after[key] - (before?.[key] ?? 0);
  if (less('requests') + less('cached') + less('shared') === 0) return undefined;
  return {
    requests: less('requests'),
    replies: less('replies'),
    cached: less('cached'),
    shared: less('shared'),
    prompt_tokens: less('prompt_tokens'),
    completion_tokens: less('completion_tokens'),
    total_tokens: less('total_tokens'),
    cached_tokens: less('cached_tokens'),
    reasoning_tokens: less('reasoning_tokens'),
    cost: after.cost === null ? null : after.cost - (before?.cost ?? 0),
  };
};

const summarize = (
  options: RunOptions,
  { grader, options: recorded, environment }: RunIdentity,
  source: Source,
  { status, halted, started, journal, models }: Outcome,
): RunSummary => {
  const seconds = (Date.now() - started.getTime()) / 1000;
  const scores = journal.tally.summary();
  if (scores.rows === 0 && status === 'complete')
    journal.warn('no row was graded: the dataset is empty, or no row was selected');
  const { judges } = journal;
  const results = journal.isFile ? (options.output as string) : null;
  const evidence =
    results === null || judges.length === 0 ? {} : { evidence: evidencePath(journalPath(results)) };
  return {
    grader,
    environment,
    profile: recorded.profile as string,
    dataset: source.name,
    results,
    ...(halted !== undefined && { halted }),
    ...evidence,
    ...scores,
    ...(judges.length > 0 && { judges }),
    ...(models !== undefined && { models }),
    started: started.toISOString(),
    seconds,
    rows_per_second: seconds > 0 ? Math.round(journal.rows / seconds) : journal.rows,
    configuration_warnings: options.configurationWarnings ?? [],
    warnings: journal.warnings,
  };
};
