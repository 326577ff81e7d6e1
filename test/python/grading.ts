import { builtinGraders } from '../../graders/index.js';
import type { Row } from '../../src/contract.js';
import { createEngine, type ReadyGrader } from '../../src/engine.js';
import { formatIssue } from '../../src/errors.js';
import { createPython, type PythonHost, type PythonOptions } from '../../src/python/host.js';
import { LateScore, type ComingScore, type Score } from '../../src/score.js';

/** A python grader that has been prepared, and what was said on the way. */
export interface Loaded {
  readonly grader: ReadyGrader;
  readonly python: PythonHost;
  readonly warnings: readonly string[];
}

/** Prepares any configuration with Python of its own, which has to be closed. */
export const load = async (config: unknown, options: PythonOptions = {}): Promise<Loaded> => {
  const python = createPython({ workers: 1, ...options });
  const warnings: string[] = [];
  const engine = createEngine({ graders: builtinGraders, python });
  const grader = await engine.prepare(config, { onWarning: (issue) => warnings.push(formatIssue(issue)) });
  return { grader, python, warnings };
};

/** As `load`, for the source of one python grader. */
export const loadSource = (source: string, options: PythonOptions = {}): Promise<Loaded> =>
  load({ type: 'python', source }, options);

/** Prepares any configuration with Python of its own, hands it to `use`, and closes it. */
export const withGrader = async <Result>(
  config: unknown,
  options: PythonOptions,
  use: (loaded: Loaded) => Result | Promise<Result>,
): Promise<Result> => {
  const loaded = await load(config, options);
  try {
    return await use(loaded);
  } finally {
    await loaded.python.close();
  }
};

/** As `withGrader`, for the source of one python grader. */
export const withSource = <Result>(
  source: string,
  use: (loaded: Loaded) => Result | Promise<Result>,
  options: PythonOptions = {},
): Promise<Result> => withGrader({ type: 'python', source }, options, use);

/** A row of which only the item matters, or one as `grade` takes it. */
export type LooseRow = Row | Record<string, unknown>;

/** Grades rows that are handed in together. */
export const gradeAll = ({ grader }: Loaded, rows: readonly LooseRow[]): Promise<Score[]> =>
  Promise.all(rows.map(async (row) => grader.grade(row)));

/** The score that `gradeRow` gives, whenever it comes. */
export const settled = async (score: ComingScore): Promise<Score> =>
  score instanceof LateScore ? score.toPromise() : score;

/** The reward, or the code and the message of the failure. */
export const outcomeOf = (score: Score): number | string =>
  score.status === 'scored' ? score.reward : `${score.code}: ${score.message}`;

/** The outcomes of a source for rows that are handed in together. */
export const outcomesOf = (
  source: string,
  rows: readonly LooseRow[],
  options: PythonOptions = {},
): Promise<(number | string)[]> =>
  withSource(source, async (loaded) => (await gradeAll(loaded, rows)).map(outcomeOf), options);
