import { DATASET_FORMATS, type DatasetFormat } from '../dataset/format.js';
import { METHODS, type MethodName } from '../methods/hyperparameters.js';
import { PYTHON_ISOLATIONS, type PythonIsolation } from '../python/isolation.js';
import { UsageError } from './context.js';

export const text = (value: string): string => value;

export const share = (value: string): number => {
  const number = Number(value);
  if (value.trim() !== '' && number >= 0 && number <= 1) return number;
  throw new UsageError(`expected a share from 0 to 1, got ${value}`);
};

export const count = (value: string): number => {
  const number = Number(value);
  if (value.trim() !== '' && Number.isSafeInteger(number) && number >= 0) return number;
  throw new UsageError(`expected a whole number, got ${value}`);
};

export const threads = (value: string): number => {
  const number = count(value);
  if (number === 0) throw new UsageError('expected at least 1 thread, got 0');
  return number;
};

export const atLeastOne = (value: string): number => {
  const number = count(value);
  if (number === 0) throw new UsageError('expected at least 1, got 0');
  return number;
};

/** As for `repeat` in a grader. */
const MAX_REPEAT = 100;

export const repeats = (value: string): number => {
  const number = count(value);
  if (number >= 1 && number <= MAX_REPEAT) return number;
  throw new UsageError(`expected a whole number from 1 to ${MAX_REPEAT}, got ${value}`);
};

const format = (value: string): DatasetFormat => {
  const found = DATASET_FORMATS.find((name) => name === value);
  if (found !== undefined) return found;
  throw new UsageError(`expected one of ${DATASET_FORMATS.join(', ')}, got ${value}`);
};

const isolation = (value: string): PythonIsolation => {
  const found = PYTHON_ISOLATIONS.find((name) => name === value);
  if (found !== undefined) return found;
  throw new UsageError(`expected one of ${PYTHON_ISOLATIONS.join(', ')}, got ${value}`);
};

export const method = (value: string): MethodName => {
  const found = METHODS.find((name) => name === value);
  if (found !== undefined) return found;
  throw new UsageError(`expected one of ${METHODS.join(', ')}, got ${value}`);
};

export const switchedOn = (brief: string) =>
  ({ kind: 'boolean', default: false, withNegated: false, brief }) as const;

// Help does not show placeholders, so a brief begins with what its flag takes.
export const prepareFlags = {
  profile: {
    kind: 'parsed',
    parse: text,
    optional: true,
    brief: 'NAME: hosted-2025 (default), nltk or sacrebleu',
  },
  punktData: {
    kind: 'parsed',
    parse: text,
    optional: true,
    brief: "DIR: NLTK's punkt_tab folder, for its exact tokens",
  },
  strict: {
    kind: 'boolean',
    default: false,
    withNegated: false,
    brief: 'Warnings are errors; a broken row ends the run',
  },
} as const;

export const positive = (value: string): number => {
  const number = Number(value);
  if (value.trim() !== '' && number > 0 && number < Infinity) return number;
  throw new UsageError(`expected a number above 0, got ${value}`);
};

export const amount = (value: string): number => {
  const number = Number(value);
  if (value.trim() !== '' && number >= 0 && number < Infinity) return number;
  throw new UsageError(`expected a number from 0, got ${value}`);
};

const SECONDS_OF_A_DAY = 86_400;

export const seconds = (value: string): number => {
  const number = positive(value);
  if (number <= SECONDS_OF_A_DAY) return number;
  throw new UsageError(`expected at most ${SECONDS_OF_A_DAY} seconds, got ${value}`);
};

export const optional = { kind: 'parsed', parse: text, optional: true } as const;

/** How python graders are run. */
export const pythonFlags = {
  python: { ...optional, brief: 'PATH: the Python for python graders' },
  pythonIsolation: { ...optional, parse: isolation, brief: 'LEVEL: confined (default), strict, open' },
  pythonAllowRead: { ...optional, variadic: true, brief: 'DIR: they may read and import from here' },
  pythonTimeout: { ...optional, parse: positive, brief: 'SECONDS: longest for a row; default 120' },
  pythonMemory: { ...optional, parse: positive, brief: 'MB: most memory of a process; default 2048' },
  pythonWrap: { ...optional, brief: 'COMMAND: start Python through this, such as bwrap' },
} as const;

/** Which files of a dataset are read, and as what. */
export const fileFlags = {
  format: {
    kind: 'parsed',
    parse: format,
    optional: true,
    brief: 'NAME: jsonl, json, csv, tsv, parquet; else by name',
  },
  split: {
    kind: 'parsed',
    parse: text,
    optional: true,
    brief: 'NAME: part of a Hugging Face dataset folder',
  },
} as const;

/** What a row of a dataset is. */
export const shapeFlags = {
  outputField: {
    kind: 'parsed',
    parse: text,
    optional: true,
    brief: 'PATH: the row is item, this sample.output_text',
  },
  missingSample: {
    kind: 'enum',
    values: ['fail', 'empty'],
    optional: true,
    brief: 'Rows with no sample: fail (default), empty text',
  },
} as const;

export const absent = { kind: 'boolean', optional: true, withNegated: false } as const;

/** How judges are asked. */
export const judgeFlags = {
  repeat: { ...optional, parse: repeats, brief: 'N: verdicts of each judge on a row; default 1' },
  noCache: { ...absent, brief: 'Ask judges anew, and keep no reply' },
  refresh: { ...absent, brief: 'Ask judges anew, and keep the new replies' },
  replay: { ...optional, brief: 'FILE: take recorded verdicts, and ask no model' },
  judgeRetries: { ...optional, parse: count, brief: 'N: tries after a failed call; default 5' },
  judgeConcurrency: {
    ...optional,
    parse: atLeastOne,
    brief: 'N: most calls at once to a model; default 512',
  },
  judgeTimeout: { ...optional, parse: seconds, brief: 'SECONDS: longest for a try; default 300' },
  maxCalls: {
    ...optional,
    parse: count,
    brief: 'N: most requests to models, tries again included',
  },
  maxTokens: { ...optional, parse: count, brief: 'N: stop before more tokens than this are used' },
  maxCost: { ...optional, parse: amount, brief: 'X: stop before more money than this is spent' },
} as const;

export const gate = {
  kind: 'parsed',
  parse: text,
  optional: true,
  variadic: true,
} as const;
