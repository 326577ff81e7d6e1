import type { MethodName } from '../methods/hyperparameters.js';
import { ExportError, exportScores, type ExportOptions } from '../export/export.js';
import type { PathSegment } from '../errors.js';
import { ResultsError } from '../results/read.js';
import { WriteError } from '../results/sink.js';
import { printable } from '../show.js';
import { compilePath, TemplateError } from '../template.js';
import { EXIT, UsageError, type CommandContext, type Io } from './context.js';
import { renderExport } from './export-text.js';
import { reportErrors, rowShape, type DataFlags } from './run.js';

/** The flags of `assay export`. */
export interface ExportFlags extends DataFlags {
  readonly method: MethodName;
  readonly output?: string;
  readonly overwrite: boolean;
  readonly data?: readonly string[];
  readonly prompt?: string;
  readonly system?: string;
  readonly group?: string;
  readonly minReward?: number;
  readonly perPrompt?: number;
  readonly margin?: number;
  readonly keepFlat: boolean;
  readonly minMean?: number;
  readonly maxMean?: number;
  readonly limit?: number;
  readonly validation?: number;
  readonly validationOutput?: string;
  readonly seed?: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

/**
 * `assay export SCORES --method NAME`: the training rows go to a file or standard output, the report to stderr or, with
 * `--json`, to standard output.
 */
export const exportCommand = async function (
  this: CommandContext,
  flags: ExportFlags,
  scores: string,
): Promise<void> {
  const { io } = this;
  this.process.exitCode = await reportErrors(io, () => exportTo(io, flags, scores)).catch(
    (error: unknown) => {
      if (!io.signal.aborted) throw error;
      return EXIT.interrupted;
    },
  );
};

const exportTo = async (io: Io, flags: ExportFlags, scores: string): Promise<number> => {
  const { stdout, stderr } = io;
  const report = await exportScores(exportOptions(io, flags, scores)).catch((error: unknown) => {
    if (error instanceof WriteError) return error;
    const isMistake = error instanceof ResultsError || error instanceof ExportError;
    throw isMistake ? new UsageError(error.message) : error;
  });
  if (report instanceof WriteError) {
    stderr.write(`assay: ${printable(report.message)}\n`);
    return EXIT.cannotWrite;
  }
  if (flags.json) stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  if (!flags.quiet && !flags.json)
    stderr.write(renderExport(report, { colour: stderr.isTTY === true, columns: stderr.columns }));
  if (report.written) return EXIT.ok;
  stderr.write(`assay: nothing to export: ${emptyFile(report.files)}; no file was written\n`);
  return EXIT.tooManyFailed;
};

/** Which file would have no rows. */
const emptyFile = (files: readonly { readonly use: string; readonly rows: number }[]): string =>
  `no ${files.find(({ rows }) => rows === 0)?.use ?? 'training'} rows`;

/** @throws UsageError for flags that do not go together */
const exportOptions = (io: Io, flags: ExportFlags, scores: string): ExportOptions => {
  refuseOthers(flags);
  const { output, validation: share, validationOutput, seed } = flags;
  const { outputField, missingSample } = rowShape(flags);
  return {
    scores,
    method: flags.method,
    data: flags.data,
    format: flags.format,
    split: flags.split,
    shape: {
      ...(outputField !== undefined && { outputField }),
      ...(missingSample !== undefined && { missingSample }),
    },
    prompt: flags.prompt === undefined ? undefined : parsePath('--prompt', flags.prompt),
    system: flags.system,
    group: flags.group === undefined ? undefined : parsePath('--group', flags.group),
    minReward: flags.minReward,
    perPrompt: flags.perPrompt,
    margin: flags.margin,
    keepFlat: flags.keepFlat,
    minMean: flags.minMean,
    maxMean: flags.maxMean,
    limit: flags.limit,
    output: output ?? io.stdout,
    overwrite: flags.overwrite,
    validation:
      share === undefined || validationOutput === undefined
        ? undefined
        : { output: validationOutput, share, seed },
    signal: io.signal,
  };
};

/** Which methods a flag is for. */
const FLAGS_OF = [
  { flag: '--min-reward', name: 'minReward', methods: ['supervised', 'dpo'] },
  { flag: '--per-prompt', name: 'perPrompt', methods: ['supervised', 'dpo'] },
  { flag: '--margin', name: 'margin', methods: ['dpo'] },
  { flag: '--keep-flat', name: 'keepFlat', methods: ['reinforcement'] },
  { flag: '--min-mean', name: 'minMean', methods: ['reinforcement'] },
  { flag: '--max-mean', name: 'maxMean', methods: ['reinforcement'] },
] as const satisfies { flag: string; name: keyof ExportFlags; methods: readonly MethodName[] }[];

const refuseOthers = (flags: ExportFlags): void => {
  for (const { flag, name, methods } of FLAGS_OF) {
    const isGiven = flags[name] !== undefined && flags[name] !== false;
    if (isGiven && !methods.some((each) => each === flags.method))
      throw new UsageError(`${flag} goes with --method ${methods.join(' or ')}, got ${flags.method}`);
  }
  const { output, json, validation, validationOutput, seed } = flags;
  if (json && output === undefined) throw new UsageError('--json is about a training file; name it with -o');
  if ((validation === undefined) !== (validationOutput === undefined))
    throw new UsageError('--validation and --validation-output go together');
  if (validation !== undefined && output === undefined)
    throw new UsageError('--validation needs a name for the training file, too: -o');
  if (seed !== undefined && validation === undefined) throw new UsageError('--seed goes with --validation');
};

const parsePath = (flag: string, path: string): readonly PathSegment[] => {
  try {
    return compilePath(path);
  } catch (error) {
    if (error instanceof TemplateError) throw new UsageError(`${flag}: ${error.message}`);
    throw error;
  }
};
