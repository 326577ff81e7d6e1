import { setImmediate } from 'node:timers/promises';
import type { TemplateVariable } from '../contract.js';
import { resolveDataset } from '../dataset/files.js';
import type { DatasetFile, DatasetFormat } from '../dataset/format.js';
import { LineCursor } from '../dataset/jsonl.js';
import type { Finding, RuleCount } from '../methods/findings.js';
import type { MethodName } from '../methods/hyperparameters.js';
import {
  TrainingFileCheck,
  type TrainingFileOptions,
  type TrainingFileReport,
} from '../methods/training-file.js';
import { PieceReader } from '../run/piece.js';
import { openSource } from '../run/source.js';
import { printable } from '../show.js';
import { formatDiagnostic, readConfigFile } from './config-file.js';
import { EXIT, UsageError, type Io } from './context.js';
import { prepareFile } from './prepare.js';
import type { ValidateFlags } from './validate.js';

/** The flags of `assay validate --method`. */
export interface DatasetFlags extends ValidateFlags {
  readonly method: MethodName;
}

/** What is wrong with a file. */
interface FileReport extends TrainingFileReport {
  readonly file: string;
}

/**
 * `assay validate FILE... --method NAME`: what is wrong with training files, as prose on stderr or, with `--json`, as an
 * array on stdout.
 *
 * @returns the exit code
 */
export const validateDatasets = async (
  io: Io,
  flags: DatasetFlags,
  paths: readonly string[],
): Promise<number> => {
  refuseOthers(flags, paths);
  const variables = flags.grader === undefined ? undefined : await graderVariables(io, flags, flags.grader);
  if (variables === 'broken') return EXIT.badUsage;
  const options: TrainingFileOptions = { method: flags.method, variables };
  const reports: FileReport[] = [];
  const checkFiles = async (path: string, use: Pick<TrainingFileOptions, 'use' | 'training'>) => {
    let last: TrainingFileCheck | undefined;
    for (const file of await filesOf(path, flags)) {
      const check = new TrainingFileCheck({ ...options, ...use, storedAs: file && storedAs(file) });
      await checkRows(io, file, flags.format, check);
      const report = { file: file?.path ?? 'standard input', ...check.report() };
      reports.push(report);
      if (!flags.json) io.stderr.write(reportText(report));
      last = check;
    }
    return last;
  };
  try {
    let training: TrainingFileCheck | undefined;
    for (const path of paths) training = await checkFiles(path, {});
    if (flags.validation !== undefined) await checkFiles(flags.validation, { use: 'validation', training });
  } catch (error) {
    if (!io.signal.aborted) throw error;
    return EXIT.interrupted;
  }
  if (flags.json) io.stdout.write(`${JSON.stringify(reports, undefined, 2)}\n`);
  else if (flags.method === 'reinforcement' && flags.validation === undefined) io.stderr.write(BOTH_FILES);
  const isBad = ({ errors, warnings }: FileReport) => errors > 0 || (flags.strict && warnings > 0);
  return reports.some(isBad) ? EXIT.badUsage : EXIT.ok;
};

const BOTH_FILES =
  'note: reinforcement fine-tuning needs a validation file, too; check it with --validation FILE\n';

const refuseOthers = (flags: DatasetFlags, paths: readonly string[]): void => {
  if (flags.rows !== undefined)
    throw new UsageError('--rows tries graders on rows, and --method checks training files: use one of them');
  if (flags.grader !== undefined && flags.method !== 'reinforcement')
    throw new UsageError(`--grader goes with --method reinforcement; ${flags.method} has no grader`);
  if (flags.validation !== undefined && paths.length > 1)
    throw new UsageError(`--validation goes with one training file, got ${paths.length}`);
};

/** The files that an argument stands for; undefined is standard input. */
const filesOf = async (
  path: string,
  { format, split }: DatasetFlags,
): Promise<readonly (DatasetFile | undefined)[]> =>
  path === '-' ? [undefined] : resolveDataset([path], { format, split });

/** The variables in the grader's templates; undefined where it reads rows otherwise, which is told. */
const graderVariables = async (
  { stderr }: Io,
  flags: DatasetFlags,
  path: string,
): Promise<readonly TemplateVariable[] | undefined | 'broken'> => {
  const { grader, diagnostics } = await prepareFile(await readConfigFile(path), flags, { checksOnly: true });
  for (const diagnostic of diagnostics) stderr.write(`${formatDiagnostic(diagnostic)}\n`);
  if (grader === undefined) return 'broken';
  const { variables } = grader;
  await grader.close();
  if (variables === undefined)
    stderr.write(
      `note: ${path}: code in the grader reads rows by itself, so the names that it needs are not known\n`,
    );
  return variables;
};

// Reading

/** Checks every row of a file, or of standard input where there is no path. */
export const checkRows = async (
  { stdin, signal }: Io,
  file: DatasetFile | undefined,
  format: DatasetFormat | undefined,
  check: TrainingFileCheck,
): Promise<void> => {
  const source = await openSource(file?.path ?? stdin, { format: file?.format ?? format, signal });
  const reader = new PieceReader(source.files);
  const lines = new LineCursor();
  try {
    for await (const piece of source.pieces()) {
      // Reading is synchronous: Ctrl-C is seen between two pieces.
      await setImmediate();
      signal.throwIfAborted();
      const { block } = reader.read(piece);
      lines.open(block, piece.first ? 1 : undefined);
      checkLines(check, lines, block.bytes);
    }
    signal.throwIfAborted();
  } finally {
    reader.close();
    source.close();
  }
};

const CARRIAGE_RETURN = 0x0d;

const checkLines = (check: TrainingFileCheck, lines: LineCursor, bytes: Buffer): void => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  while (lines.next()) {
    const { line, problem, start, end } = lines;
    if (problem !== undefined) {
      check.unreadable(line, problem);
      continue;
    }
    check.line(lines.text, line);
    check.compare(view, start, bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end, line);
  }
};

/** How a file is stored, where that is not plain JSONL. */
export const storedAs = ({ format, compression }: DatasetFile): string | undefined => {
  if (compression !== undefined) return `compressed with ${compression}`;
  return format === 'jsonl' ? undefined : FORMAT_NAMES[format];
};

const FORMAT_NAMES = { json: 'a JSON array', csv: 'CSV', tsv: 'TSV', parquet: 'Parquet' } as const;

// What a person reads

const reportText = (report: FileReport): string => {
  const { file, findings, counts, errors, warnings } = report;
  const lines = findings.map((finding) => findingText(file, finding));
  lines.push(conclusion(report));
  if (errors + warnings > findings.length) lines.push(...counts.map(countText));
  return `${lines.join('\n')}\n`;
};

const findingText = (file: string, { line, path, severity, message, hint }: Finding): string => {
  const parts = [
    line === null ? file : `${file}:${line}`,
    ...(severity === 'warning' ? ['warning'] : []),
    ...(path === '' ? [] : [path]),
    message,
  ];
  return printable(parts.join(': ')) + (hint === null ? '' : `\n  hint: ${printable(hint)}`);
};

const conclusion = ({ file, rows, method, use, errors, warnings }: FileReport): string => {
  const what = `${plural(rows, 'row')}, ${method}${use === 'validation' ? ' validation' : ''}`;
  const warned = warnings > 0 ? [plural(warnings, 'warning')] : [];
  if (errors === 0) return [`${file}: fine (${what})`, ...warned].join(', ');
  return `${file}: ${[plural(errors, 'mistake'), ...warned].join(', ')} (${what})`;
};

const countText = ({ severity, summary, count, first_line }: RuleCount): string => {
  const first = first_line === null ? '' : `, first in line ${first_line}`;
  return `  ${count} × ${severity === 'warning' ? 'warning: ' : ''}${summary}${first}`;
};

const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;
