import { isUtf8 } from 'node:buffer';
import { open, type FileHandle } from 'node:fs/promises';
import { lineBlocks, MAX_LINE_BYTES, NEWLINE, readChunks } from '../dataset/jsonl.js';
import { ERROR_CODES, type ErrorCode, type PathSegment } from '../errors.js';
import { JsonScanner } from '../json-scanner.js';
import { isObject } from '../json-value.js';
import type { CriterionScore, Score } from '../score.js';
import { show } from '../show.js';
import { parsePlainLine } from './plain-line.js';
import { jsonSpanText } from '../span.js';

/** A result line may hold a row of the largest size, escaped. */
export const MAX_RESULT_BYTES = 7 * MAX_LINE_BYTES;

/** One line of a results file. */
export interface ResultRow {
  /** Number of the row in its dataset, from 0. */
  readonly row: number;
  /** Which of several samples of the row. */
  readonly sample?: number;
  /** JSON text of the id, as the line has it. */
  readonly id?: string;
  /** JSON text of the name of the group, or of `null`. */
  readonly group?: string;
  readonly score: Score;
  /** JSON text of the value that was asked for with `value`; undefined where the line has none. */
  readonly value?: string;
  /** Number of the line, from 1. */
  readonly line: number;
  /** Length of the line, with its newline where it has one. */
  readonly lineBytes: number;
}

/** Some rows of a results file, in its order. */
export interface ResultBlock {
  readonly rows: readonly ResultRow[];
  /** The last line, when it is only the beginning of one: its run was stopped while it wrote. */
  readonly torn?: { readonly line: number; readonly lineBytes: number };
}

/** A results file cannot be read, or is none. */
export class ResultsError extends Error {
  override readonly name = 'ResultsError';
}

export interface ReadOptions {
  /** Path of a value in the line that rows are to carry as their `value`: `['input', 'user']`. */
  readonly value?: readonly PathSegment[];
}

/**
 * The rows of a results file as `assay run` writes it, in its order. They end before a last line that breaks off: a run
 * that was killed leaves it behind, and it is no mistake.
 *
 * @throws ResultsError with file and line, at the first line that is not a result
 */
export async function* readResults(
  path: string,
  options?: ReadOptions,
): AsyncGenerator<ResultRow, void, undefined> {
  for await (const { rows } of readResultBlocks(path, options)) yield* rows;
}

/**
 * As {@link readResults}, some thousand rows at a time, which is cheaper for millions; and it tells a torn last line.
 *
 * @throws ResultsError with file and line, after the rows in front of that line
 */
export async function* readResultBlocks(
  path: string,
  options: ReadOptions = {},
): AsyncGenerator<ResultBlock, void, undefined> {
  let rows: ResultRow[] = [];
  for await (const { torn, problem } of parseBlocks(path, options, (row) => rows.push(row))) {
    yield { rows, torn };
    rows = [];
    if (problem !== undefined) throw problem;
  }
}

/**
 * As {@link readResults}, for rows that are not kept: that is the cheapest way.
 *
 * @throws ResultsError with file and line, after the rows in front of that line
 */
export const visitResults = async (path: string, visit: (row: ResultRow) => void): Promise<void> => {
  for await (const { problem } of parseBlocks(path, {}, visit)) if (problem !== undefined) throw problem;
};

interface BlockEnd extends Pick<ResultBlock, 'torn'> {
  readonly problem: ResultsError | undefined;
}

async function* parseBlocks(
  path: string,
  { value }: ReadOptions,
  visit: (row: ResultRow) => void,
): AsyncGenerator<BlockEnd, void, undefined> {
  const file = await openResults(path);
  try {
    let line = 1;
    for await (const { bytes, tooLong } of lineBlocks(readChunks(file.fd), MAX_RESULT_BYTES)) {
      const { rows, torn, mistake } = parseBlock(bytes, line, value, visit);
      line += rows;
      const what = mistake ?? (tooLong === true ? 'the line is too long to be a result' : undefined);
      yield { torn, problem: what === undefined ? undefined : new ResultsError(`${path}:${line}: ${what}`) };
    }
  } finally {
    await file.close();
  }
}

const openResults = async (path: string): Promise<FileHandle> => {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    throw new ResultsError(
      `${path}: ${error.code === 'ENOENT' ? 'there is no such results file' : error.message}`,
    );
  });
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new ResultsError(`${path}: not a file, expected results as assay run -o writes them`);
};

interface ParsedBlock extends Pick<ResultBlock, 'torn'> {
  /** How many. */
  readonly rows: number;
  /** What is wrong with the line behind these rows. */
  readonly mistake?: string;
}

const parseBlock = (
  bytes: Buffer,
  firstLine: number,
  value: ReadOptions['value'],
  visit: (row: ResultRow) => void,
): ParsedBlock => {
  let rows = 0;
  const valid = isUtf8(bytes);
  for (let start = 0; start < bytes.length; rows += 1) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline + 1;
    const place = { line: firstLine + rows, lineBytes: end - start };
    const isUsual = valid && value === undefined && newline !== -1;
    const plain = isUsual ? parsePlainLine(bytes, start, newline, place) : undefined;
    if (plain !== undefined) visit(plain);
    else {
      const text = bytes.toString('utf8', start, end);
      try {
        if (!valid && !isUtf8(bytes.subarray(start, end))) throw new Mistake('not valid UTF-8');
        visit(parseLine(text, place, value));
      } catch (error) {
        if (!(error instanceof Mistake)) throw error;
        return newline === -1 && !isJson(text) ? { rows, torn: place } : { rows, mistake: error.message };
      }
    }
    start = end;
  }
  return { rows };
};

/** What is wrong with a line; the place is added by whoever knows it. */
class Mistake extends Error {}

const isJson = (text: string): boolean => new JsonScanner(text, false).scan().mistake === undefined;

const parseLine = (
  text: string,
  { line, lineBytes }: Pick<ResultRow, 'line' | 'lineBytes'>,
  value: ReadOptions['value'],
): ResultRow => {
  const fields = parseObject(text);
  const { row, sample } = fields;
  if (!isWhole(row)) throw new Mistake(`row: expected a row number, got ${show(row)}${seemsDataset(fields)}`);
  if (sample !== undefined && !isWhole(sample))
    throw new Mistake(`sample: expected a whole number, got ${show(sample)}`);
  return {
    row,
    sample,
    id: fields.id === undefined ? undefined : jsonSpanText(text, ['id']),
    group: fields.group === undefined ? undefined : jsonSpanText(text, ['group']),
    value: value && jsonSpanText(text, value),
    score: parseScore(fields),
    line,
    lineBytes,
  };
};

type Fields = Readonly<Record<string, unknown>>;

const parseObject = (text: string): Fields => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    const { mistake } = new JsonScanner(text, false).scan();
    throw new Mistake(`not JSON: ${mistake?.message ?? 'it cannot be parsed'}`);
  }
  if (!isObject(parsed)) throw new Mistake(`expected a result, got ${show(parsed)}`);
  return parsed;
};

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const seemsDataset = (fields: Fields): string =>
  fields.item === undefined && fields.status !== undefined ? '' : '; is this a dataset and not its results?';

const parseScore = (fields: Fields): Score => {
  const { status, passed, sub_rewards, results } = fields;
  if (status === 'failed') return parseFailed(fields);
  if (status !== 'scored') throw new Mistake(`status: expected "scored" or "failed", got ${show(status)}`);
  if (passed !== undefined && typeof passed !== 'boolean')
    throw new Mistake(`passed: expected true or false, got ${show(passed)}`);
  const reward = finite(fields.reward, 'reward');
  const score: Score = passed === undefined ? { status, reward } : { status, reward, passed };
  return sub_rewards === undefined && results === undefined ? score : { ...score, ...partsOf(fields) };
};

/** What the members or criteria of a score gave. */
const partsOf = ({ sub_rewards, results }: Fields): Pick<Score, 'subRewards' | 'results'> => ({
  ...(sub_rewards === undefined ? {} : { subRewards: numbersOf(sub_rewards, 'sub_rewards') }),
  ...(results === undefined ? {} : { results: criteriaOf(results) }),
});

const parseFailed = (fields: Fields): Score => {
  const { code, message, errors, hosted_reward: hostedReward } = fields;
  return {
    status: 'failed',
    ...parseError(code, message),
    ...(errors === undefined ? {} : { errors: errorsOf(errors) }),
    ...partsOf(fields),
    ...(hostedReward === undefined ? {} : { hostedReward: finite(hostedReward, 'hosted_reward') }),
  };
};

const parseError = (code: unknown, message: unknown): { code: ErrorCode; message: string } => {
  if (typeof code !== 'string' || !Object.hasOwn(ERROR_CODES, code))
    throw new Mistake(`code: expected an error code, got ${show(code)}; was it written by a later assay?`);
  if (typeof message !== 'string') throw new Mistake(`message: expected a text, got ${show(message)}`);
  return { code: code as ErrorCode, message };
};

const errorsOf = (errors: unknown): Record<string, { code: ErrorCode; message: string }> =>
  Object.fromEntries(
    Object.entries(objectOf(errors, 'errors')).map(([key, error]) => {
      const { code, message } = objectOf(error, `errors.${key}`);
      return [key, parseError(code, message)];
    }),
  );

const numbersOf = (values: unknown, name: string): Record<string, number> => {
  const numbers = objectOf(values, name);
  for (const key in numbers) finite(numbers[key], `${name}.${key}`);
  return numbers as Record<string, number>;
};

const criteriaOf = (results: unknown): CriterionScore[] => {
  if (!Array.isArray(results)) throw new Mistake(`results: expected a list, got ${show(results)}`);
  return results.map((result: unknown) => {
    const fields = objectOf(result, 'results');
    if (typeof fields.name !== 'string')
      throw new Mistake(`results: expected a name, got ${show(fields.name)}`);
    return { name: fields.name, ...parseScore(fields) };
  });
};

const objectOf = (value: unknown, name: string): Fields => {
  if (!isObject(value)) throw new Mistake(`${name}: expected an object, got ${show(value)}`);
  return value;
};

const finite = (value: unknown, name: string): number => {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new Mistake(`${name}: expected a number, got ${show(value)}`);
  return value;
};
