import type { Readable } from 'node:stream';
import { DatasetError } from '../dataset/error.js';
import type { RowShape } from '../dataset/row.js';
import type { ReadyGrader } from '../engine.js';
import type { ErrorCode } from '../errors.js';
import { firstRows, type DatasetRow } from '../run/dataset-rows.js';
import { gradeRows } from '../run/grade-rows.js';
import { openSource, type SourceOptions } from '../run/source.js';
import type { Score } from '../score.js';
import { printable } from '../show.js';
import { EXIT } from './context.js';

/** How many rows of a dataset a grader is tried on. */
const SAMPLE_ROWS = 200;
/** How many rows of each kind are shown in prose. */
const SHOWN_ROWS = 5;

/** A row without a reward. */
export interface FailedRow {
  /** `line 17`, `b.jsonl line 17` */
  readonly place: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** A row whose reward, or that of a member or criterion, depends on the order in which the rows are graded. */
export interface UnstableRow {
  readonly place: string;
  /** The member or criterion; undefined for the reward of the row itself. */
  readonly name?: string;
  /** The reward in the order of the dataset, or the code of the failure. */
  readonly forwards: number | ErrorCode;
  readonly backwards: number | ErrorCode;
}

/** What came of a grader that was tried on some rows. */
export interface Trial {
  readonly rows: number;
  readonly scored: number;
  readonly failed: number;
  readonly failures: readonly FailedRow[];
  readonly unstable: readonly UnstableRow[];
  /** Whether the same rows in the same order give the same rewards again. */
  readonly repeatable: boolean;
}

/** How rows are read. */
export interface TrialRowsOptions extends SourceOptions, Omit<RowShape, 'note'> {
  readonly signal: AbortSignal;
}

/**
 * Reads the rows that graders are tried on: the first 200.
 *
 * @throws DatasetError, also when there is none; the signal's reason, once it is aborted
 */
export const readTrialRows = async (
  data: string | Readable,
  options: TrialRowsOptions,
): Promise<readonly DatasetRow[]> => {
  const source = await openSource(data, options);
  const rows = await firstRows(source, SAMPLE_ROWS, options);
  options.signal.throwIfAborted();
  if (rows.length === 0) throw new DatasetError(`${source.name} has no rows to try the grader on`);
  return rows;
};

/**
 * Grades rows in their order and in reverse, each time with a grader that has seen no row before, so that whatever it
 * keeps from row to row shows in the rewards.
 *
 * @param prepare  makes the grader ready; called two times or three
 * @throws the signal's reason, once it is aborted
 */
export const tryRows = async (
  prepare: () => Promise<ReadyGrader>,
  rows: readonly DatasetRow[],
  signal: AbortSignal,
): Promise<Trial> => {
  const gradeAll = async (order: readonly DatasetRow[]) => {
    const grader = await prepare();
    try {
      return await gradeRows(
        grader,
        order.map(({ row }) => row),
        signal,
      );
    } finally {
      await grader.close();
    }
  };
  const forwards = await gradeAll(rows);
  const backwards = (await gradeAll(rows.toReversed())).toReversed();
  const unstable = differences(rows, forwards, backwards);
  const repeatable = unstable.length === 0 || differences(rows, forwards, await gradeAll(rows)).length === 0;
  const failures = rows.flatMap(({ place }, index) => failureOf(place, forwards[index]));
  const failed = failures.length;
  return { rows: rows.length, scored: rows.length - failed, failed, failures, unstable, repeatable };
};

const failureOf = (place: string, score: Score): readonly FailedRow[] =>
  score.status === 'scored' ? [] : [{ place, code: score.code, message: score.message }];

const differences = (
  rows: readonly DatasetRow[],
  forwards: readonly Score[],
  backwards: readonly Score[],
): readonly UnstableRow[] =>
  rows.flatMap(({ place }, index) => {
    const others = valuesOf(backwards[index]);
    const differing = [...valuesOf(forwards[index])].find(([name, value]) => others.get(name) !== value);
    if (differing === undefined) return [];
    const [name, value] = differing;
    const other = others.get(name) ?? valueOf(backwards[index]);
    return [{ place, name: name === '' ? undefined : name, forwards: value, backwards: other }];
  });

/** The reward of the row, under an empty name, and those of its members or criteria. */
const valuesOf = (score: Score): ReadonlyMap<string, number | ErrorCode> =>
  new Map([
    ['', valueOf(score)],
    ...Object.entries(score.subRewards ?? {}),
    ...(score.results ?? []).map((result) => [result.name, valueOf(result)] as const),
  ]);

const valueOf = (score: Score): number | ErrorCode => (score.status === 'scored' ? score.reward : score.code);

/** The exit code that a trial asks for. */
export const trialExitCode = ({ failed, unstable }: Trial): number => {
  if (failed > 0) return EXIT.tooManyFailed;
  return unstable.length > 0 ? EXIT.gateFailed : EXIT.ok;
};

/**
 * What a person reads of a trial.
 *
 * @param placeOf  a place as it is shown: `rows.jsonl:17`
 */
export const trialText = (path: string, trial: Trial, placeOf: (place: string) => string): string => {
  const { rows, scored, failed, failures, unstable } = trial;
  const lines = [
    `${path}: tried on ${rows === 1 ? '1 row' : `${rows} rows`}: ${scored} scored, ${failed} failed`,
  ];
  lines.push(...shown(failures, ({ place, code, message }) => `${placeOf(place)}: ${code}: ${message}`));
  if (unstable.length > 0) {
    lines.push(`${path}: ${unstable.length} of ${rows} rewards ${dependence(trial)}`);
    lines.push(
      ...shown(unstable, (row) => `${placeOf(row.place)}: ${values(row)}`),
      `  hint: ${hint(trial)}`,
    );
  }
  return `${lines.join('\n')}\n`;
};

const dependence = ({ repeatable }: Trial): string =>
  repeatable ? 'depend on the order of the rows' : 'are not the same when the row is graded again';

const hint = ({ repeatable }: Trial): string =>
  repeatable
    ? 'the grader keeps something from row to row; --python-isolation strict grades every row in a fresh process'
    : 'the rewards differ in the same order too: is there chance, time, or a model in the grader?';

const values = ({ name, forwards, backwards }: UnstableRow): string =>
  `${name === undefined ? '' : `${name} `}${forwards} in the order of the file, ${backwards} in reverse`;

const shown = <Item>(items: readonly Item[], line: (item: Item) => string): readonly string[] => {
  const lines = items.slice(0, SHOWN_ROWS).map((item) => `  ${printable(line(item))}`);
  return items.length > SHOWN_ROWS ? [...lines, `  … and ${items.length - SHOWN_ROWS} more`] : lines;
};
