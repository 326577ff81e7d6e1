import { DatasetError } from '../dataset/error.js';
import type { DatasetFormat } from '../dataset/format.js';
import type { RowShape } from '../dataset/row.js';
import { UnavailableError, type PathSegment } from '../errors.js';
import { compilePath, TemplateError } from '../template.js';
import type { RunSummary } from '../results/record.js';
import { ResultsExistError, WriteError } from '../results/sink.js';
import { ResumeError } from '../run/resume.js';
import type { RunOptions, RunResult } from '../run/run.js';
import { run } from '../threads.js';
import type { RowFilter } from '../run/select.js';
import { WorkerError } from '../run/pool.js';
import { onOneLine, printable } from '../show.js';
import { formatDiagnostic, readConfigFile, type ConfigFile } from './config-file.js';
import { EXIT, UsageError, type CommandContext, type Io } from './context.js';
import { checkGateNames, checkGates, parseGates, type Gate } from './gates.js';
import { prepareFile, type PrepareFlags } from './prepare.js';
import { ProgressLine } from './progress.js';
import { PythonOutput } from './python-flags.js';
import { renderSummary } from './summary.js';

/** The flags that say how a dataset is read. */
export interface DataFlags {
  readonly format?: DatasetFormat;
  readonly split?: string;
  readonly outputField?: string;
  readonly missingSample?: 'fail' | 'empty';
}

export interface RunFlags extends PrepareFlags, DataFlags {
  readonly output?: string;
  readonly overwrite: boolean;
  readonly resume: boolean;
  readonly retryFailed: boolean;
  readonly threads?: number;
  readonly limit?: number;
  readonly filter?: readonly string[];
  readonly random?: number;
  readonly seed?: number;
  readonly id?: string;
  readonly keep?: 'item' | 'sample' | 'all';
  readonly maxFailed: number;
  readonly min?: readonly string[];
  readonly max?: readonly string[];
  readonly minPassRate?: readonly string[];
  readonly json: boolean;
  readonly quiet: boolean;
  /** Where what python graders print goes. */
  readonly pythonOutput?: string;
}

/** `assay run GRADER DATA`. */
export const runCommand = async function (
  this: CommandContext,
  flags: RunFlags,
  graderPath: string,
  ...dataPaths: string[]
): Promise<void> {
  this.process.exitCode = await reportErrors(this.io, () =>
    gradeDataset(this.io, flags, graderPath, dataPaths),
  );
};

/** Tells the user's mistakes and the machine's without a stack trace; anything else is a bug and goes on. */
export const reportErrors = async (io: Io, work: () => Promise<number>): Promise<number> => {
  try {
    return await work();
  } catch (error) {
    const code = exitCodeOf(error);
    if (code === undefined) throw error;
    io.stderr.write(`assay: ${(error as Error).message}\n`);
    const hint = hintFor(error);
    if (hint !== undefined) io.stderr.write(`  hint: ${hint}\n`);
    return code;
  }
};

const GOES_ON = 'the same command with --resume goes on where it stopped';
/** What the system calls a disk without room. */
const FULL_DISK = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

const hintFor = (error: unknown): string | undefined => {
  if (error instanceof UnavailableError) return error.hint;
  if (error instanceof WorkerError) return `what was graded is kept; ${GOES_ON}`;
  const isFull = error instanceof WriteError && FULL_DISK.has(error.code ?? '');
  return isFull ? `make room, then ${GOES_ON}` : undefined;
};

const USER_ERRORS = [UsageError, UnavailableError, DatasetError, ResultsExistError, ResumeError];

const exitCodeOf = (error: unknown): number | undefined => {
  if (error instanceof WriteError) return EXIT.cannotWrite;
  if (error instanceof WorkerError) return EXIT.bug;
  if (USER_ERRORS.some((kind) => error instanceof kind)) return EXIT.badUsage;
  return undefined;
};

const gradeDataset = async (
  io: Io,
  flags: RunFlags,
  graderPath: string,
  dataPaths: readonly string[],
): Promise<number> => {
  const config = await readConfigFile(graderPath);
  const gates = parseGates(flags);
  const options = runOptions(io, flags, config, dataPaths);
  const output = new PythonOutput(flags.pythonOutput, flags.overwrite, [
    graderPath,
    ...dataPaths,
    ...(flags.output === undefined ? [] : [flags.output]),
  ]);
  const { grader, diagnostics } = await prepareFile(config, flags, {
    onOutput: output.add,
    onNotice: (text) => io.stderr.write(`assay: ${printable(text)}\n`),
  });
  for (const diagnostic of diagnostics) io.stderr.write(`${formatDiagnostic(diagnostic)}\n`);
  if (grader === undefined) return EXIT.badUsage;
  const progress = flags.quiet ? undefined : new ProgressLine(io.stderr);
  const failures: string[] = [];
  let result: RunResult;
  try {
    checkGateNames(gates, grader);
    result = await run(grader, {
      ...options,
      configurationWarnings: diagnostics.map(({ path, message }) => `${path}: ${message}`),
      onProgress: (state) => progress?.update(state),
      onFailure: ({ code, message }, place) => {
        if (failures.length < SHOWN_FAILURES)
          failures.push(
            `${dataPlace(dataPaths, place)}: ${code}: ${onOneLine(withoutPlace(message, place))}`,
          );
      },
    });
  } finally {
    progress?.clear();
    await grader.close();
  }
  if (flags.json) io.stdout.write(`${JSON.stringify(result.summary, undefined, 2)}\n`);
  if (!flags.quiet)
    io.stderr.write(
      renderSummary(result, failures, { colour: io.stderr.isTTY === true, columns: io.stderr.columns }),
    );
  if (!flags.quiet && output.shown !== undefined) io.stderr.write(output.shown);
  if (result.status === 'interrupted' && result.summary.results !== null)
    io.stderr.write(`assay: interrupted; ${GOES_ON}\n`);
  return exitCode(io, result, flags.maxFailed, gates);
};

const SHOWN_FAILURES = 5;

/** `rows.jsonl:17` for a line of the only file; a place in one of several names its file already. */
export const dataPlace = ([first, ...others]: readonly string[], place: string): string => {
  const [, line] = /^line (\d+)$/.exec(place) ?? [];
  return others.length === 0 && line !== undefined ? `${first}:${line}` : place;
};

/** Messages about broken rows start with their place, which stands in front of them already. */
const withoutPlace = (message: string, place: string): string =>
  message.startsWith(`${place}: `) ? message.slice(place.length + 2) : message;

const runOptions = (
  io: Io,
  flags: RunFlags,
  config: ConfigFile,
  dataPaths: readonly string[],
): RunOptions => {
  const fromStdin = dataPaths.length === 1 && dataPaths[0] === '-';
  const modes = ['overwrite', 'resume', 'retryFailed'] as const;
  const chosen = modes.filter((mode) => flags[mode]);
  if (chosen.length > 1) throw new UsageError('--overwrite, --resume and --retry-failed exclude each other');
  if (chosen.length === 1 && flags.output === undefined)
    throw new UsageError(`${FLAG_OF[chosen[0]]} is about a results file; name it with -o`);
  if (fromStdin && flags.random !== undefined) {
    throw new UsageError('--random needs to count the rows first; save standard input to a file');
  }
  return {
    data: fromStdin ? io.stdin : dataPaths,
    format: flags.format,
    split: flags.split,
    threads: flags.threads,
    strict: flags.strict,
    output: flags.output ?? (flags.json ? undefined : io.stdout),
    overwrite: flags.overwrite,
    resume: flags.resume,
    retryFailed: flags.retryFailed,
    precious: [config.path],
    limit: flags.limit,
    filter: flags.filter?.map(parseFilter),
    random: flags.random,
    seed: flags.seed,
    ...rowShape(flags),
    keep: { id: flags.id === undefined ? undefined : parsePath('--id', flags.id), input: flags.keep },
    signal: io.signal,
  };
};

const FLAG_OF = { overwrite: '--overwrite', resume: '--resume', retryFailed: '--retry-failed' } as const;

const parsePath = (flag: string, path: string): readonly PathSegment[] => {
  try {
    return compilePath(path);
  } catch (error) {
    if (error instanceof TemplateError) throw new UsageError(`${flag}: ${error.message}`);
    throw error;
  }
};

/** What the flags say a row is. */
export const rowShape = ({ outputField, missingSample }: DataFlags): Omit<RowShape, 'note'> => ({
  outputField: outputField === undefined ? undefined : withoutItem(parsePath('--output-field', outputField)),
  missingSample,
});

/** In flat rows the row is the item, so `item.x` and `x` are the same field. */
const withoutItem = (path: readonly PathSegment[]): readonly PathSegment[] =>
  path.length > 1 && path[0] === 'item' ? path.slice(1) : path;

const parseFilter = (filter: string): RowFilter => {
  const at = filter.indexOf('=');
  if (at <= 0) throw new UsageError(`--filter: expected path=value, got ${filter}`);
  return { path: parsePath('--filter', filter.slice(0, at)), value: filter.slice(at + 1) };
};

const exitCode = (
  io: Io,
  { status, summary }: RunResult,
  maxFailed: number,
  gates: readonly Gate[],
): number => {
  if (status === 'interrupted') return EXIT.interrupted;
  const share = summary.rows === 0 ? 0 : summary.failed / summary.rows;
  const missed = checkGates(gates, summary);
  for (const message of missed) io.stderr.write(`gate: ${message}\n`);
  if (share > maxFailed) {
    io.stderr.write(`gate: ${tooMany(summary, maxFailed)}\n`);
    return EXIT.tooManyFailed;
  }
  return missed.length > 0 ? EXIT.gateFailed : EXIT.ok;
};

const tooMany = ({ failed, rows }: RunSummary, maxFailed: number): string =>
  `${failed} of ${rows} rows failed, more than the share of ${maxFailed} that --max-failed allows`;
