import { compareScores } from '../results/compare.js';
import { ResultsError } from '../results/read.js';
import { compilePath, TemplateError } from '../template.js';
import { checkCompareGates, parseCompareGates } from './compare-gates.js';
import { renderComparison } from './compare-text.js';
import { EXIT, UsageError, type CommandContext } from './context.js';
import { reportErrors } from './run.js';

/** The flags of `assay compare`. */
export interface CompareFlags {
  readonly group?: string;
  readonly top: number;
  readonly maxRegression?: readonly string[];
  readonly minImprovement?: readonly string[];
  readonly json: boolean;
  readonly quiet: boolean;
}

/** `assay compare SCORES_A SCORES_B`: the report, or with `--json` all of it as JSON, on standard output. */
export const compareCommand = async function (
  this: CommandContext,
  flags: CompareFlags,
  pathA: string,
  pathB: string,
): Promise<void> {
  const { stdout, stderr } = this.io;
  this.process.exitCode = await reportErrors(this.io, async () => {
    const gates = parseCompareGates(flags);
    const group = flags.group === undefined ? undefined : parseGroup(flags.group);
    const comparison = await compareScores(pathA, pathB, { group, top: flags.top }).catch(
      (error: unknown) => {
        throw error instanceof ResultsError ? new UsageError(error.message) : error;
      },
    );
    const missed = checkCompareGates(gates, comparison);
    if (flags.json) stdout.write(`${JSON.stringify(comparison, undefined, 2)}\n`);
    else if (!flags.quiet)
      stdout.write(renderComparison(comparison, { colour: stdout.isTTY === true, columns: 80 }));
    for (const message of missed) stderr.write(`gate: ${message}\n`);
    return missed.length > 0 ? EXIT.gateFailed : EXIT.ok;
  });
};

const parseGroup = (path: string) => {
  try {
    return compilePath(path);
  } catch (error) {
    if (error instanceof TemplateError) throw new UsageError(`--group: ${error.message}`);
    throw error;
  }
};
