import { statSync } from 'node:fs';
import { DatasetError } from '../dataset/error.js';
import type { DatasetFormat } from '../dataset/format.js';
import type { RowShape } from '../dataset/row.js';
import type { ReadyGrader } from '../engine.js';
import { UnavailableError, type PathSegment } from '../errors.js';
import { compilePath, TemplateError } from '../template.js';
import { createPython } from '../python/host.js';
import { journalPath, type RunSummary } from '../results/record.js';
import { ResultsExistError, WriteError } from '../results/sink.js';
import { ResumeError } from '../run/resume.js';
import type { RunOptions, RunResult } from '../run/run.js';
import { run } from '../threads.js';
import type { RowFilter } from '../run/select.js';
import { WorkerError } from '../run/pool.js';
import type { Failed } from '../score.js';
import { onOneLine, printable } from '../show.js';
import { formatDiagnostic, readConfigFile, type ConfigFile, type Diagnostic } from './config-file.js';
import { EXIT, UsageError, type CommandContext, type Io } from './context.js';
import { checkGateNames, checkGates, parseGates, type Gate } from './gates.js';
import { budgetFlags, openModels, type JudgeFlags, type ModelsOptions, type OpenModels } from './judge.js';
import { prepareFile, type PrepareFlags } from './prepare.js';
import { ProgressLine } from './progress.js';
import { pythonOptions, PythonOutput, type GradingFlags } from './python-flags.js';
import { renderSummary } from './summary.js';

/** The flags that say how a dataset is read. */
export interface DataFlags {
  readonly format?: DatasetFormat;
  readonly split?: string;
  readonly outputField?: string;
  readonly missingSample?: 'fail' | 'empty';
}

export interface RunFlags extends PrepareFlags, GradingFlags, JudgeFlags, DataFlags {
  readonly output?: string;
  readonly overwrite: boolean;
  readonly resume: boolean;
  readonly retryFailed: boolean;
  readonly limit?: number;
  readonly filter?: readonly string[];
  readonly random?: number;
  readonly seed?: number;
  readonly id?: string;
  readonly group?: string;
  readonly keep?: 'item' | 'sample' | 'all';
  readonly maxFailed: number;
  readonly min?: readonly string[];
  readonly max?: readonly string[];
  readonly minPassRate?: readonly string[];
  readonly json: boolean;
  readonly quiet: boolean;
  /** Where what python graders print goes. */
  readonly pythonOutput?: string;
  /** Only say what models would be asked. */
  readonly dryRun: boolean;
}

/** `assay run GRADER DATA`. */
export const runCommand = async function (
  this: CommandContext,
  flags: RunFlags,
  graderPath: string,
  ...dataPaths: string[]
): Promise<void> {
  this.process.exitCode = await reportErrors(this.io, async () => {
    if (!flags.dryRun) return gradeDataset(this.io, flags, graderPath, dataPaths);
    const { dryRun } = await import('./dry-run.js');
    return dryRun(this.io, flags, graderPath, dataPaths);
  });
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

/** Tells what happens on the way. */
export const tellNotice =
  ({ stderr }: Io) =>
  (text: string): void =>
    void stderr.write(`assay: ${printable(text)}\n`);

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
  const models = await openModels(flags, {
    io,
    onNotice: tellNotice(io),
    mends: flags.retryFailed,
    results: resultsOf(flags),
  });
  let isComplete = false;
  try {
    const { grader, diagnostics } = await prepareFile(config, flags, {
      python: createPython({ ...pythonOptions(flags), onOutput: output.add }),
      judge: models.judge,
      embed: models.embed,
    });
    for (const diagnostic of diagnostics) io.stderr.write(`${formatDiagnostic(diagnostic)}\n`);
    if (grader === undefined) return EXIT.badUsage;
    const { result, failures } = await gradeRows(io, flags, {
      grader,
      diagnostics,
      gates,
      options,
      dataPaths,
    });
    isComplete = result.status === 'complete';
    tellResult(io, flags, result, failures);
    if (!flags.quiet && output.shown !== undefined) io.stderr.write(output.shown);
    return isComplete
      ? exitCode(io, result.summary, flags.maxFailed, gates)
      : exitCodeOfStopped(io, result, flags, models);
  } finally {
    await models.close(isComplete);
  }
};

/** The file of results that replies may be kept beside; devices and pipes are there for everybody. */
const resultsOf = ({ output, resume, retryFailed }: RunFlags): ModelsOptions['results'] => {
  if (output === undefined || statSync(output, { throwIfNoEntry: false })?.isFile() === false)
    return undefined;
  const mode = resume ? 'resume' : retryFailed ? 'retry' : 'new';
  return { path: journalPath(output), mode };
};

interface Grading {
  readonly grader: ReadyGrader;
  readonly diagnostics: readonly Diagnostic[];
  readonly gates: readonly Gate[];
  readonly options: RunOptions;
  readonly dataPaths: readonly string[];
}

/** Grades every row, and closes the grader; the first failures are given in words. */
const gradeRows = async (
  io: Io,
  flags: RunFlags,
  { grader, diagnostics, gates, options, dataPaths }: Grading,
): Promise<{ readonly result: RunResult; readonly failures: readonly string[] }> => {
  const progress = flags.quiet ? undefined : new ProgressLine(io.stderr);
  const failures: string[] = [];
  try {
    checkGateNames(gates, grader);
    const result = await run(grader, {
      ...options,
      configurationWarnings: diagnostics.map(({ path, message }) => `${path}: ${message}`),
      onProgress: (state) => progress?.update(state),
      onFailure: (failure, place) => {
        if (failures.length < SHOWN_FAILURES) failures.push(failureText(failure, place, dataPaths));
      },
    });
    return { result, failures };
  } finally {
    progress?.clear();
    await grader.close();
  }
};

const tellResult = (
  { stdout, stderr }: Io,
  { json, quiet }: RunFlags,
  result: RunResult,
  failures: readonly string[],
): void => {
  if (json) stdout.write(`${JSON.stringify(result.summary, undefined, 2)}\n`);
  if (quiet) return;
  stderr.write(renderSummary(result, failures, { colour: stderr.isTTY === true, columns: stderr.columns }));
  if (failures.some((failure) => failure.endsWith(NO_SAMPLE)))
    stderr.write('  hint: --missing-sample empty takes sample.* as empty text where a row has no sample\n');
};

const NO_SAMPLE = 'is missing; the row has no sample';

/** What is said of a run that ended before its last row, and its exit code. */
const exitCodeOfStopped = (
  { stderr, signal }: Io,
  { halted, summary }: RunResult,
  flags: RunFlags,
  { fatal }: OpenModels,
): number => {
  const isKept = summary.results !== null;
  const again = flags.retryFailed ? '' : ' with --resume';
  if (signal.aborted || halted === undefined) {
    if (isKept) stderr.write(`assay: interrupted; the same command${again} goes on where it stopped\n`);
    return EXIT.interrupted;
  }
  if (fatal !== undefined) {
    stderr.write(`assay: ${printable(fatal.message)}\n`);
    if (isKept)
      stderr.write(`  hint: what was graded is kept; the same command${again} goes on where it stopped\n`);
    return EXIT.badUsage;
  }
  const budget = budgetFlags(flags);
  const goesOn =
    budget === '' || !isKept ? '' : `; the same command${again} goes on, with ${budget} of its own`;
  stderr.write(`assay: stopped: ${printable(halted)}${goesOn}\n`);
  return EXIT.tooManyFailed;
};

const SHOWN_FAILURES = 5;

/** `rows.jsonl:17: row_error: not valid JSON` */
export const failureText = ({ code, message }: Failed, place: string, dataPaths: readonly string[]): string =>
  `${dataPlace(dataPaths, place)}: ${code}: ${onOneLine(withoutPlace(message, place))}`;

/** `rows.jsonl:17, sample 2` for a line of the only file; a place in one of several names its file already. */
export const dataPlace = ([first, ...others]: readonly string[], place: string): string => {
  const [, line] = /^line (\d+(?:, sample \d+)?)$/.exec(place) ?? [];
  return others.length === 0 && line !== undefined ? `${first}:${line}` : place;
};

/** Messages about broken rows start with their place, which stands in front of them already. */
const withoutPlace = (message: string, place: string): string =>
  message.startsWith(`${place}: `) ? message.slice(place.length + 2) : message;

/**
 * What the flags mean for the run.
 *
 * @throws UsageError for flags that exclude each other, or have a value that is none of theirs
 */
export const runOptions = (
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
    precious: [config.path, ...(flags.replay === undefined ? [] : [flags.replay])],
    limit: flags.limit,
    filter: flags.filter?.map(parseFilter),
    random: flags.random,
    seed: flags.seed,
    ...rowShape(flags),
    keep: {
      id: flags.id === undefined ? undefined : parsePath('--id', flags.id),
      group: flags.group === undefined ? undefined : parsePath('--group', flags.group),
      input: flags.keep,
    },
    signal: io.signal,
  };
};

const FLAG_OF = { overwrite: '--overwrite', resume: '--resume', retryFailed: '--retry-failed' } as const;

/** @throws UsageError that names the flag */
export const parsePath = (flag: string, path: string): readonly PathSegment[] => {
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

const exitCode = (io: Io, summary: RunSummary, maxFailed: number, gates: readonly Gate[]): number => {
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
