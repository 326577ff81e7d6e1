import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Row } from '../contract.js';
import { promptOf } from '../dataset/row-text.js';
import type { ReadyGrader } from '../engine.js';
import type { PathSegment } from '../errors.js';
import { journalPath, readRecord, recordPath, type RunRecord } from '../results/record.js';
import { ResultsError } from '../results/read.js';
import { datasetRows } from '../run/dataset-rows.js';
import { GroupNames } from '../run/group-names.js';
import { openScoredRows } from '../run/scored-rows.js';
import { openSource } from '../run/source.js';
import type { Failed, Score } from '../score.js';
import { PromptDraw } from './draw.js';
import type { ReinforcementJob } from './job.js';
import { OutputCheck, type CheckedOutput } from './output-check.js';
import { STAND_INS, type StandIn, type StandInAnswers } from './stand-in-answers.js';

/** Where the outputs come from that a rehearsal grades. */
export type SampleOrigin =
  /** The results of a run with the same grader, whose rewards are taken as they are. */
  | 'results'
  /** A dataset of outputs, or the one that the results of another grader are about. */
  | 'dataset'
  /** The training rows, which have samples beside their prompts. */
  | 'training_rows'
  /** Nowhere: there are only answers that were made up. */
  | 'stand_ins';

/** An output to grade, or one that has been graded. */
export interface SampleRow {
  /** Where it stands: `line 17, sample 2`. */
  readonly place: string;
  /** Number of its prompt, from 0. */
  readonly prompt: number;
  /** Undefined where there is a score. */
  readonly row?: Row | Failed;
  readonly score?: Score;
  /** What it is, if it was made up. */
  readonly standIn?: StandIn;
  /** Undefined where the job asks for no form, or there is no output to have one. */
  readonly output?: CheckedOutput;
}

/** The outputs that a rehearsal looks at. */
export interface Samples {
  readonly origin: SampleOrigin;
  /** The files in which the rows stand. */
  readonly files: readonly string[];
  /** How many prompts there are, drawn or not. */
  readonly available: number;
  /** How many of all prompts are prompts of training rows, by their last user message; undefined where they all are. */
  readonly matched?: number;
  /** The run that gave the rewards. */
  readonly record?: RunRecord;
  /** Why the rewards of a results file are not taken. */
  readonly notReused?: string;
  /** The outputs of the drawn prompts, prompt after prompt. */
  readonly rows: readonly SampleRow[];
}

/** Which outputs are looked for, and how. */
export interface SampleOptions {
  readonly job: ReinforcementJob;
  /** The grader of the job. */
  readonly grader: ReadyGrader;
  /** Draw at most so many prompts; undefined for as many as `defaultPrompts`, and for all where nothing has to be graded. */
  readonly prompts?: number;
  readonly defaultPrompts: number;
  readonly seed: number;
  /** A value that outputs of one prompt have in common; undefined: their prompt is the same. */
  readonly group?: readonly PathSegment[];
  readonly signal: AbortSignal;
}

type Member = Omit<SampleRow, 'prompt'>;

const numbered = (draw: PromptDraw<Member>): Samples['rows'] =>
  draw.prompts().flatMap((members, prompt) => members.map((member) => ({ ...member, prompt })));

interface PlacedRow {
  readonly place: string;
  readonly row: Row;
}

/** The rows of a training file: their prompts, their samples if they have any, and a draw of them. */
export interface TrainingRows {
  readonly path: string;
  /** What tells prompts apart. */
  readonly prompts: ReadonlySet<string>;
  readonly sampled: PromptDraw<Member>;
  readonly bare: PromptDraw<PlacedRow>;
}

/**
 * Reads a training file.
 *
 * @throws DatasetError; the signal's reason, once it is aborted
 */
export const readTrainingRows = async (path: string, options: SampleOptions): Promise<TrainingRows> => {
  const { seed, defaultPrompts, prompts: count = defaultPrompts } = options;
  const prompts = new Set<string>();
  const sampled = new PromptDraw<Member>(count, seed);
  const bare = new PromptDraw<PlacedRow>(count, seed);
  const reader = new MemberReader(options);
  for await (const block of datasetRows(await openSource(path), options)) {
    for (const { number, place, row } of block) {
      if ('status' in row) continue;
      prompts.add(textKey(row));
      if (row.sample !== undefined) sampled.add(reader.keyOf(row, number), () => reader.member(place, row));
      // A prompt that occurs twice in the file is two rows of it.
      bare.add(String(number), () => ({ place, row }));
    }
    options.signal.throwIfAborted();
  }
  options.signal.throwIfAborted();
  return { path, prompts, sampled, bare };
};

/** The samples that training rows have, or else answers that stand in for them. */
export const samplesOfTraining = (training: TrainingRows, answers: StandInAnswers): Samples => {
  const { path, sampled, bare } = training;
  const files = [path];
  if (sampled.seen > 0)
    return { origin: 'training_rows', files, available: sampled.seen, rows: numbered(sampled) };
  const rows = bare.prompts().flatMap(([placed], prompt) => standInsFor(placed, prompt, answers));
  return { origin: 'stand_ins', files, available: bare.seen, rows };
};

const standInsFor = (
  { place, row }: PlacedRow,
  prompt: number,
  answers: StandInAnswers,
): readonly SampleRow[] =>
  STAND_INS.flatMap((standIn) => {
    const answered = answers.rowWith(standIn, row);
    return answered === undefined ? [] : [{ place, prompt, row: answered, standIn }];
  });

/**
 * Reads outputs from a file: the results of a run, or a dataset with samples.
 *
 * @throws DatasetError, ResultsError; the signal's reason, once it is aborted
 */
export const readSamples = async (
  path: string,
  training: TrainingRows,
  options: SampleOptions,
): Promise<Samples> => {
  const results = journalPath(path);
  const record = await readRecord(results).catch((error: Error) => {
    throw new ResultsError(error.message);
  });
  return record === undefined
    ? readDatasetSamples(path, training, options)
    : readResultSamples(results, record, training, options);
};

const readDatasetSamples = async (
  path: string,
  training: TrainingRows,
  options: SampleOptions,
): Promise<Samples> => {
  const { seed, defaultPrompts, prompts: count = defaultPrompts, signal } = options;
  const draw = new PromptDraw<Member>(count, seed);
  const reader = new MemberReader(options);
  const matches = new Matches(training);
  const guard = new SampleGuard(path);
  for await (const block of datasetRows(await openSource(path), { signal })) {
    for (const { number, place, row } of block) {
      guard.add(row);
      matches.add(row);
      draw.add(reader.keyOf(row, number), () => reader.member(place, row));
    }
    signal.throwIfAborted();
  }
  signal.throwIfAborted();
  guard.check();
  return {
    origin: 'dataset',
    files: [path],
    available: draw.seen,
    matched: matches.count,
    rows: numbered(draw),
  };
};

const readResultSamples = async (
  results: string,
  record: RunRecord,
  training: TrainingRows,
  options: SampleOptions,
): Promise<Samples> => {
  const files = record.dataset.files.map((file) => file.path);
  const gone = files.find((file) => !existsSync(file));
  if (files.length === 0 || gone !== undefined)
    throw new ResultsError(
      `${gone ?? 'standard input'}, which ${results} is about, cannot be read again; give --samples the dataset with the outputs instead, and they are graded anew`,
    );
  const notReused = reasonAgainst(record, options);
  const { seed, signal } = options;
  const count = options.prompts ?? (notReused === undefined ? Infinity : options.defaultPrompts);
  const draw = new PromptDraw<Member>(count, seed);
  const reader = new MemberReader(options);
  const matches = new Matches(training);
  const scored = await openScoredRows(results, { signal });
  for await (const block of scored.blocks()) {
    for (const { result, place, row } of block) {
      matches.add(row);
      const key = options.group === undefined && result.group !== 'null' ? result.group : undefined;
      const score = notReused === undefined ? result.score : undefined;
      draw.add(key ?? reader.keyOf(row, result.row), () => reader.member(place, row, score));
    }
    signal.throwIfAborted();
  }
  signal.throwIfAborted();
  return {
    origin: notReused === undefined ? 'results' : 'dataset',
    files,
    available: draw.seen,
    matched: matches.count,
    record,
    notReused,
    rows: numbered(draw),
  };
};

/** Why the rewards of a run are not those of the job's grader; undefined where they are. */
const reasonAgainst = ({ grader }: RunRecord, options: SampleOptions): string | undefined => {
  if (!options.job.hashes.has(grader.sha256))
    return `they are of another grader, ${grader.name} (${grader.signature})`;
  return grader.signature === options.grader.signature
    ? undefined
    : `they were made with ${grader.signature}, and here it is ${options.grader.signature}`;
};

/** Refuses results without their record, which look like a dataset of flat rows, and a dataset without any sample. */
class SampleGuard {
  private rows = 0;
  private samples = 0;

  constructor(private readonly path: string) {}

  add(row: Row | Failed): void {
    this.rows += 1;
    if ('status' in row) return;
    if (row.sample !== undefined) this.samples += 1;
    const { row: number, status } = row.item;
    if (this.rows > 1 || typeof number !== 'number' || (status !== 'scored' && status !== 'failed')) return;
    throw new ResultsError(
      `${this.path} holds results, but ${recordPath(this.path)} is missing, which says of which rows; give --samples the dataset with the outputs instead, and they are graded anew`,
    );
  }

  /** @throws ResultsError */
  check(): void {
    if (this.samples > 0) return;
    throw new ResultsError(
      `${this.path} has no samples; expected rows with "sample" or "samples", or results of assay run`,
    );
  }
}

/** What is kept of rows, and by what their prompts are told apart. */
class MemberReader {
  private readonly names: GroupNames | undefined;
  private readonly check: OutputCheck | undefined;
  private lastItem: unknown;
  private lastKey = '';

  constructor({ job, group }: SampleOptions) {
    this.names = group === undefined ? undefined : new GroupNames(group);
    this.check = job.format === undefined ? undefined : new OutputCheck(job.format.schema);
  }

  /** Rows with the same prompt have the same key; a row without a prompt has one of its own. */
  keyOf(row: Row | Failed, number: number): string {
    if ('status' in row) return `row ${number}`;
    if (this.names !== undefined) return this.names.of(row) ?? `row ${number}`;
    // Samples of one row share the item.
    if (row.item !== this.lastItem) {
      const prompt = promptOf(row);
      this.lastKey = prompt === undefined ? `row ${number}` : hashOf(JSON.stringify(prompt.messages));
      this.lastItem = row.item;
    }
    return this.lastKey;
  }

  member(place: string, row: Row | Failed, score?: Score): Member {
    const output = this.check?.of(row);
    return score === undefined ? { place, row, output } : { place, score, output };
  }
}

/** Counts the prompts that are those of training rows. */
class Matches {
  private readonly found = new Set<string>();

  constructor(private readonly training: TrainingRows) {}

  get count(): number {
    return this.found.size;
  }

  add(row: Row | Failed): void {
    if ('status' in row) return;
    const key = textKey(row);
    if (this.training.prompts.has(key)) this.found.add(key);
  }
}

/** By the last message of the user: a dataset may have no more of the prompt than that. */
const textKey = (row: Row): string => hashOf(promptOf(row)?.text ?? '');

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 22);
