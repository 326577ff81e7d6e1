import { stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { DatasetFormat } from '../dataset/format.js';
import type { RowShape } from '../dataset/row.js';
import type { PathSegment } from '../errors.js';
import { FAILED, NOT_PASSED, SCORED } from '../results/score-columns.js';
import { GroupNames } from '../run/group-names.js';
import { openScoredRows, type ScoredRows } from '../run/scored-rows.js';
import { chooseRows, type Choice, type ChoiceOptions } from './choice.js';
import { ContentHash } from './content-hash.js';
import { PairTally } from './pair-tally.js';
import { reportOf, type ExportReport, type FileTally } from './report.js';
import { RowNotes } from './row-notes.js';
import { readScoreTable, type ScoreTable } from './score-table.js';
import { TrainingLines } from './training-lines.js';
import { checkPlace, temporaryPath, TrainingWriter } from './training-writer.js';
import { walkRows, type Walk } from './walk.js';

/** Scores cannot become a training file as they are asked to. */
export class ExportError extends Error {
  override readonly name = 'ExportError';
}

/** What is exported, and to where. */
export interface ExportOptions extends ChoiceOptions {
  /** The results file. */
  readonly scores: string;
  /** The dataset; absent: the one that the record beside the results names. */
  readonly data?: readonly string[];
  readonly format?: DatasetFormat;
  readonly split?: string;
  /** What rows are, where not as the record says. */
  readonly shape?: RowShape;
  /** Where prompts are; absent: see {@link promptOf} in `row-text.ts`. */
  readonly prompt?: readonly PathSegment[];
  /** A message of the system, or of the developer for reinforcement, to put in front of every prompt. */
  readonly system?: string;
  /** Rows share a prompt only if they also have this value in common; absent: as the results say. */
  readonly group?: readonly PathSegment[];
  /** Where the training rows go. */
  readonly output: string | Writable;
  /** Replaces files that exist already. */
  readonly overwrite?: boolean;
  /** A file for some of the prompts, which are then not in the other one. */
  readonly validation?: {
    readonly output: string;
    /** About which part of the prompts, above 0 and below 1. */
    readonly share: number;
    /** Other seeds take other prompts. Default 0. */
    readonly seed?: number;
  };
  readonly signal?: AbortSignal;
}

/**
 * Makes a training file of scores and the rows that they are of. The dataset is read twice: first to note a few numbers
 * of every row, from which the choice is made, then to write the rows that were chosen. So memory does not grow with the
 * texts, but for 40 bytes a row, and one answer for each pair whose other answer is still to come.
 *
 * The same scores, rows and options give the same bytes. Nothing is written when a file would have no rows.
 *
 * @throws ResultsError, DatasetError, ExportError, ResultsExistError, WriteError; the signal's reason
 */
export const exportScores = async (options: ExportOptions): Promise<ExportReport> => {
  const scored = await openRows(options);
  await checkOutputs(options, scored);
  const table = await readScoreTable(scored.results);
  const notes = new RowNotes(table, {
    method: options.method,
    system: options.system,
    group: options.group && new GroupNames(options.group),
  });
  leaveByScore(table, notes, options);
  await walkRows({
    ...walkOf(options, scored, table),
    wants: (result) => notes.isTaken(result),
    visit: (result, parts) => notes.add(result, parts),
  });
  const choice = chooseRows(table, notes, options);
  const sides = splitSides(notes, options);
  const tallies = tallyFiles(choice, notes, sides, options);
  const pairs = new PairTally();
  const isEmpty = tallies.some(({ rows }) => rows === 0);
  if (!isEmpty) {
    // The rows are those that were noted: a dataset that changes meanwhile is told.
    const again = await openRows(options);
    again.source.expect(scored.source.identity());
    await writeRows({ options, scored: again, table, notes, choice, sides, pairs });
  }
  return reportOf({ method: options.method, scored, table, notes, tallies, pairs, isWritten: !isEmpty });
};

const openRows = async ({ scores, data, format, split, signal }: ExportOptions): Promise<ScoredRows> => {
  const scored = await openScoredRows(scores, { data, format, split, signal });
  if (scored.source.bytes === undefined)
    throw new ExportError(`${scored.source.name} cannot be read twice; save it to a file`);
  return scored;
};

const walkOf = (
  { shape, prompt, group, signal }: ExportOptions,
  scored: ScoredRows,
  table: ScoreTable,
): Omit<Walk, 'wants' | 'visit'> => ({
  table,
  results: scored.results,
  source: scored.source,
  parts: {
    shape: { ...scored.shape, ...shape },
    prompt,
    group: group && new GroupNames(group),
  },
  signal,
});

/** Leaves out what need not be looked at. */
const leaveByScore = (table: ScoreTable, notes: RowNotes, { method, minReward }: ExportOptions): void => {
  const { count, outcomes, rewards } = table;
  if (method === 'supervised' && minReward === undefined) needPassed(table);
  for (let result = 0; result < count; result += 1) {
    if (outcomes[result] === FAILED) notes.leave(result, 'failed');
    else if (method !== 'supervised') continue;
    else if (minReward !== undefined && !(rewards[result] >= minReward)) notes.leave(result, 'below_bar');
    else if (minReward === undefined && outcomes[result] === NOT_PASSED) notes.leave(result, 'not_passed');
  }
};

/** @throws ExportError where it is not known which rewards are good */
const needPassed = ({ count, outcomes, rewards }: ScoreTable): void => {
  if (!outcomes.subarray(0, count).includes(SCORED)) return;
  let [least, most] = [Infinity, -Infinity];
  for (const reward of rewards.subarray(0, count)) {
    if (reward < least) least = reward;
    if (reward > most) most = reward;
  }
  throw new ExportError(
    `the results do not say which rows passed; say with --min-reward from which reward on answers are good (rewards are from ${least} to ${most})`,
  );
};

// Which file a prompt goes to

/** Of each prompt whether it is for validation. */
const splitSides = ({ promptTable }: RowNotes, { validation }: ExportOptions): Uint8Array => {
  const { count, splits } = promptTable;
  const sides = new Uint8Array(count);
  if (validation === undefined) return sides;
  const { share, seed = 0 } = validation;
  const hash = new ContentHash();
  for (let prompt = 0; prompt < count; prompt += 1) {
    const { low } = hash.clear().addNumber(splits[prompt]).addNumber(seed);
    sides[prompt] = low / 2 ** 32 < share ? 1 : 0;
  }
  return sides;
};

const tallyFiles = (
  { partners }: Choice,
  { prompts, promptTable }: RowNotes,
  sides: Uint8Array,
  { output, validation }: ExportOptions,
): readonly FileTally[] => {
  const tallies = [
    { use: 'training' as const, path: pathOf(output), rows: 0, prompts: 0, imageRows: 0 },
    ...(validation === undefined
      ? []
      : [{ use: 'validation' as const, path: validation.output, rows: 0, prompts: 0, imageRows: 0 }]),
  ];
  const seen = new Uint8Array(promptTable.count);
  partners.forEach((partner, result) => {
    // Of a pair the first answer counts.
    if (partner < result) return;
    const prompt = prompts[result];
    const tally = tallies[sides[prompt]];
    tally.rows += 1;
    tally.prompts += 1 - seen[prompt];
    if (promptTable.hasImages(prompt)) tally.imageRows += 1;
    seen[prompt] = 1;
  });
  return tallies;
};

const pathOf = (output: string | Writable): string | null => (typeof output === 'string' ? output : null);

// Writing

interface Writing {
  readonly options: ExportOptions;
  readonly scored: ScoredRows;
  readonly table: ScoreTable;
  readonly notes: RowNotes;
  readonly choice: Choice;
  readonly sides: Uint8Array;
  readonly pairs: PairTally;
}

const writeRows = async ({ options, scored, table, notes, choice, sides, pairs }: Writing): Promise<void> => {
  const { output, validation, overwrite = false } = options;
  const writers: TrainingWriter[] = [];
  try {
    for (const place of [output, ...(validation === undefined ? [] : [validation.output])])
      writers.push(await TrainingWriter.open(place, overwrite));
    const lines = new TrainingLines({ options, table, notes, choice, pairs });
    await walkRows({
      ...walkOf(options, scored, table),
      wants: (result) => choice.partners[result] >= 0,
      visit: (result, parts) => {
        const line = 'status' in parts ? undefined : lines.of(result, parts);
        if (line !== undefined) writers[sides[notes.prompts[result]]].add(line);
      },
      pause: async () => {
        for (const writer of writers) await writer.flush();
      },
    });
    for (const writer of writers) await writer.finish();
  } catch (error) {
    for (const writer of writers) await writer.abandon();
    throw error;
  }
};

// What must not be written over

/** @throws ExportError, ResultsExistError */
const checkOutputs = async (
  { output, validation, overwrite = false }: ExportOptions,
  { results, source }: ScoredRows,
): Promise<void> => {
  const paths = [output, validation?.output].filter((path) => typeof path === 'string');
  const inputs = [results, ...source.files.map(({ path }) => path)];
  for (const path of paths) {
    await checkPlace(path, overwrite);
    for (const written of [path, temporaryPath(path)])
      for (const input of inputs)
        if (await isSameFile(written, input))
          throw new ExportError(`${written} is ${input}, which is read; choose another name for the output`);
  }
  if (paths.length === 2 && (paths[0] === paths[1] || (await isSameFile(paths[0], paths[1]))))
    throw new ExportError(`training and validation rows both go to ${paths[0]}; name two files`);
};

const isSameFile = async (a: string, b: string): Promise<boolean> => {
  const [first, second] = await Promise.all([a, b].map((path) => stat(path).catch(() => undefined)));
  return first !== undefined && first.isFile() && first.dev === second?.dev && first.ino === second.ino;
};
