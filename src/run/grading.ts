import { availableParallelism } from 'node:os';
import { BLOCK_BYTES } from '../dataset/jsonl.js';
import type { GraderDefinition } from '../contract.js';
import { PlaceCounter, type GradedPiece } from './piece.js';
import { Pipeline, type PipelineOptions } from './pipeline.js';
import { MAX_WORKERS, WorkerPool } from './pool.js';
import { RowSelection, type SelectOptions } from './select.js';
import type { Piece, Source } from './source.js';
import { Turns } from './turns.js';

/** Where worker threads find their code, and the graders that it knows: functions do not cross threads. */
export interface WorkerCode {
  readonly url: URL;
  readonly graders: readonly GraderDefinition[];
}

/** How a dataset is graded. */
export interface GradingOptions extends Pick<
  PipelineOptions,
  'grader' | 'shape' | 'keep' | 'signal' | 'concurrency'
> {
  readonly select: SelectOptions;
  /** How many threads grade; undefined: as many as the machine has, where the run is long enough to gain by it. */
  readonly threads: number | undefined;
  readonly workerCode: WorkerCode | undefined;
}

/** A run shorter than this, or with less than this left, would only lose by starting threads. */
const WORTH_MS = 300;

/** Grades a dataset piece by piece, in its order, on this thread or on several. */
export async function* gradeSource(
  source: Source,
  options: GradingOptions,
): AsyncGenerator<GradedPiece, void, undefined> {
  const { select, signal } = options;
  const selection = new RowSelection(select);
  const threads = mayUseThreads(options, selection) ? threadCount(options, source) : 1;
  const places = new PlaceCounter();
  const pieces = source.pieces();
  // Threads that were asked for begin at once, others when the run has proven long enough.
  const startsAtOnce = options.threads !== undefined && threads > 1;
  let pool = startsAtOnce ? startPool(threads, options, source) : undefined;
  const startWhenWorthIt = (elapsedMs: number, read: number) => {
    if (pool === undefined && threads > 1 && isWorthIt(elapsedMs, read, source.bytes))
      pool = startPool(threads, options, source);
    return pool?.ready === true;
  };
  try {
    if (!startsAtOnce) yield* gradeHere(source, pieces, { ...options, selection, places }, startWhenWorthIt);
    if (pool !== undefined) yield* pool.grade(pieces, places, signal);
  } finally {
    await pool?.close();
    source.close();
    await pieces.return();
  }
}

interface GradingHere extends GradingOptions {
  readonly selection: RowSelection;
  readonly places: PlaceCounter;
}

/** Grades pieces on this thread, until others are ready to go on. */
async function* gradeHere(
  { files, bytes }: Source,
  pieces: AsyncIterator<Piece, void>,
  { grader, select, shape, keep, signal, concurrency, selection, places }: GradingHere,
  othersAreReady: (elapsedMs: number, read: number) => boolean,
): AsyncGenerator<GradedPiece, void, undefined> {
  const filters = select.filter !== undefined;
  const pipeline = new Pipeline({ grader, shape, selection, filters, keep, signal, concurrency, files });
  const turns = new Turns();
  let started = performance.now();
  let read = 0;
  const next = async (): Promise<IteratorResult<Piece, void>> => {
    if (othersAreReady(performance.now() - started, read)) return AT_END;
    await turns.next();
    if (signal?.aborted === true) return AT_END;
    const asked = performance.now();
    const piece = await pieces.next();
    const now = performance.now();
    // A stream that pauses, such as a trainer's, gives short runs of work: what came before does not make a long one.
    if (bytes === undefined && now - asked > WORTH_MS) started = now;
    return piece;
  };
  try {
    for await (const graded of pipeline.grade({ next }, places.claim)) {
      read = files[graded.file].offset + graded.position;
      yield graded;
    }
  } finally {
    pipeline.close();
  }
}

const AT_END = { done: true, value: undefined } as const;

const startPool = (threads: number, options: GradingOptions, { files }: Source): WorkerPool => {
  const { grader, select, shape, keep, workerCode } = options;
  const { config, profile, punktData } = grader.origin;
  const { url } = workerCode as WorkerCode;
  return new WorkerPool(url, threads, { origin: { config, profile, punktData }, select, files, shape, keep });
};

/**
 * Threads know only the graders that come with their code, and nothing of each other's rows or of this program. A grader
 * with a window does its work elsewhere already.
 */
const mayUseThreads = ({ grader, workerCode }: GradingOptions, selection: RowSelection): boolean => {
  const { graders } = grader.origin;
  return (
    workerCode !== undefined &&
    grader.window === undefined &&
    !selection.countsMatches &&
    graders.every((definition) => workerCode.graders.includes(definition))
  );
};

const threadCount = ({ threads }: GradingOptions, { bytes = Infinity }: Source): number =>
  bytes <= BLOCK_BYTES ? 1 : Math.min(threads ?? availableParallelism(), MAX_WORKERS);

/** Whether what is left will take long enough, by the pace so far. */
const isWorthIt = (elapsedMs: number, read: number, bytes: number | undefined): boolean =>
  elapsedMs > WORTH_MS && (bytes === undefined || elapsedMs * (bytes / read - 1) > WORTH_MS);
