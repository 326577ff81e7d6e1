import { ConfigFileError, formatDiagnostic, readConfigFile, type Diagnostic } from './config-file.js';
import { EXIT, type CommandContext } from './context.js';
import { prepareFile, type PrepareFlags } from './prepare.js';
import { reportErrors } from './run.js';

/** The flags of `assay validate`. */
export interface ValidateFlags extends PrepareFlags {
  readonly json: boolean;
}

/** `assay validate FILE...`: every mistake of every file; prose on stderr, or with `--json` an array on stdout. */
export const validateCommand = async function (
  this: CommandContext,
  flags: ValidateFlags,
  ...paths: string[]
): Promise<void> {
  const { stdout, stderr } = this.io;
  this.process.exitCode = await reportErrors(this.io, async () => {
    const checks: Check[] = [];
    for (const path of paths) {
      const check = await checkFile(path, flags);
      checks.push(check);
      if (flags.json) continue;
      for (const diagnostic of check.diagnostics) stderr.write(`${formatDiagnostic(diagnostic)}\n`);
      stderr.write(`${path}: ${check.conclusion}\n`);
    }
    const diagnostics = checks.flatMap((check) => check.diagnostics);
    if (flags.json) stdout.write(`${JSON.stringify(diagnostics, undefined, 2)}\n`);
    return diagnostics.some(isError) ? EXIT.badUsage : EXIT.ok;
  });
};

interface Check {
  readonly diagnostics: readonly Diagnostic[];
  /** What is said about the file in the end: `fine (string_check "exact")`. */
  readonly conclusion: string;
}

const checkFile = async (path: string, flags: PrepareFlags): Promise<Check> => {
  try {
    const { grader, diagnostics } = await prepareFile(await readConfigFile(path), flags);
    await grader?.close();
    if (grader === undefined) return { diagnostics, conclusion: count(diagnostics) };
    const { type, name, criteria } = grader;
    const what =
      criteria.length > 0
        ? plural(criteria.length, 'criterion', 'criteria')
        : `${type} ${JSON.stringify(name)}`;
    const warned = diagnostics.length > 0 ? `, ${count(diagnostics)}` : '';
    return { diagnostics, conclusion: `fine (${what})${warned}` };
  } catch (error) {
    if (!(error instanceof ConfigFileError)) throw error;
    return { diagnostics: error.diagnostics, conclusion: count(error.diagnostics) };
  }
};

const isError = ({ severity }: Diagnostic): boolean => severity === 'error';

/** `2 mistakes, 1 warning` */
const count = (diagnostics: readonly Diagnostic[]): string => {
  const errors = diagnostics.filter(isError).length;
  const warnings = diagnostics.length - errors;
  return [
    ...(errors > 0 ? [plural(errors, 'mistake', 'mistakes')] : []),
    ...(warnings > 0 ? [plural(warnings, 'warning', 'warnings')] : []),
  ].join(', ');
};

const plural = (number: number, one: string, many: string): string =>
  `${number} ${number === 1 ? one : many}`;
