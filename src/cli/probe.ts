import type { ReadyGrader } from '../engine.js';
import { drawItems, type DrawnItems } from '../probe/draw-items.js';
import { EDITS } from '../probe/edits.js';
import { judgeVerdicts } from '../probe/judges.js';
import { probe, ProbeError } from '../probe/probe.js';
import { KnownReferences } from '../probe/references.js';
import type { ProbeReport } from '../probe/report.js';
import { createPython } from '../python/host.js';
import { datasetRows } from '../run/dataset-rows.js';
import { GroupNames } from '../run/group-names.js';
import { openSource } from '../run/source.js';
import { printable } from '../show.js';
import { formatDiagnostic, readConfigFile } from './config-file.js';
import { EXIT, UsageError, type CommandContext, type Io } from './context.js';
import { budgetFlags, openModels, type JudgeFlags, type OpenModels } from './judge.js';
import { prepareFile, type PrepareFlags } from './prepare.js';
import { barMessages, chooseEdits, parseBars } from './probe-bars.js';
import { renderProbe } from './probe-text.js';
import { ProgressLine } from './progress.js';
import { pythonOptions, type GradingFlags } from './python-flags.js';
import { parsePath, reportErrors, rowShape, tellNotice, type DataFlags } from './run.js';

/** The flags of `assay probe`. */
export interface ProbeFlags extends PrepareFlags, GradingFlags, Omit<JudgeFlags, 'replay'>, DataFlags {
  readonly data: readonly string[];
  readonly rows?: number;
  readonly seed: number;
  readonly group?: string;
  readonly label?: string;
  readonly prompt?: string;
  readonly reference?: readonly string[];
  readonly only?: readonly string[];
  readonly skip?: readonly string[];
  readonly tolerance?: number;
  readonly maxAttack?: readonly string[];
  readonly maxFlip?: readonly string[];
  readonly maxMissed?: readonly string[];
  readonly maxFailed: number;
  readonly top: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** Items that are drawn where nothing is said. */
const ITEMS = 200;
const ITEMS_OF_MODELS = 50;

/** `assay probe GRADER --data DATA`: the report, or with `--json` all of it as JSON, on standard output. */
export const probeCommand = async function (
  this: CommandContext,
  flags: ProbeFlags,
  graderPath: string,
): Promise<void> {
  const { io } = this;
  const probing = reportErrors(io, () => probeFile(io, flags, graderPath)).catch((error: unknown) => {
    if (!io.signal.aborted) throw error;
    return EXIT.interrupted;
  });
  this.process.exitCode = await probing;
};

const probeFile = async (io: Io, flags: ProbeFlags, graderPath: string): Promise<number> => {
  const config = await readConfigFile(graderPath);
  const edits = chooseEdits(EDITS, flags);
  const bars = parseBars(flags, edits);
  const models = await openModels(flags, { io, onNotice: tellNotice(io) });
  try {
    const { grader, diagnostics } = await prepareFile(config, flags, {
      python: createPython(pythonOptions(flags)),
      judge: models.judge,
      embed: models.embed,
    });
    for (const diagnostic of diagnostics) io.stderr.write(`${formatDiagnostic(diagnostic)}\n`);
    if (grader === undefined) return EXIT.badUsage;
    const report = await probeGrader(io, flags, grader, edits).finally(() => grader.close());
    tell(io, flags, report);
    const broken = barMessages(bars, report);
    for (const message of broken) io.stderr.write(`gate: ${printable(message)}\n`);
    return exitCodeOf(io, flags, report, models) ?? (broken.length > 0 ? EXIT.gateFailed : EXIT.ok);
  } finally {
    await models.close(true);
  }
};

const probeGrader = async (
  io: Io,
  flags: ProbeFlags,
  grader: ReadyGrader,
  edits: typeof EDITS,
): Promise<ProbeReport> => {
  const label = path('--label', flags.label);
  const where = {
    prompt: path('--prompt', flags.prompt),
    references: flags.reference?.map((reference) => parsePath('--reference', reference)),
  };
  const known = new KnownReferences(grader, { ...where, others: label && [label] });
  const drawn = await draw(io, flags, grader, known);
  const progress = flags.quiet ? undefined : new ProgressLine(io.stderr);
  try {
    return await probe(grader, drawn, {
      ...where,
      edits,
      known,
      label,
      tolerance: flags.tolerance,
      top: flags.top,
      seed: flags.seed,
      signal: io.signal,
      onProgress: (rows, of) => progress?.update({ rows, failed: 0, share: of === 0 ? 1 : rows / of }),
    });
  } catch (error) {
    throw error instanceof ProbeError ? new UsageError(error.message) : error;
  } finally {
    progress?.clear();
  }
};

const path = (flag: string, text: string | undefined) =>
  text === undefined ? undefined : parsePath(flag, text);

const draw = async (
  io: Io,
  flags: ProbeFlags,
  grader: ReadyGrader,
  known: KnownReferences,
): Promise<DrawnItems> => {
  const { data, format, split, seed } = flags;
  const { asksModels } = judgeVerdicts(grader.origin.config);
  const count = flags.rows ?? (asksModels ? ITEMS_OF_MODELS : ITEMS);
  const { signal } = io;
  const fromStdin = data.length === 1 && data[0] === '-';
  const source = await openSource(fromStdin ? io.stdin : data, { format, split, signal });
  const group = path('--group', flags.group);
  const drawn = await drawItems(datasetRows(source, { ...rowShape(flags), signal }), {
    count,
    seed,
    group: group && new GroupNames(group),
    onRow: (row) => known.add(row),
  });
  signal.throwIfAborted();
  if (drawn.count === 0) throw new UsageError(`${source.name} has no rows`);
  if (asksModels && flags.rows === undefined && drawn.of > drawn.count && !flags.quiet)
    io.stderr.write(
      `assay: models are asked about ${drawn.count} of ${drawn.of} items; --rows N for more, or fewer\n`,
    );
  return drawn;
};

const tell = ({ stdout }: Io, { json, quiet, data }: ProbeFlags, report: ProbeReport): void => {
  if (json) stdout.write(`${JSON.stringify({ ...report, data }, undefined, 2)}\n`);
  else if (!quiet) stdout.write(renderProbe(report, { data, colour: stdout.isTTY === true, columns: 80 }));
};

/** Where something other than bars decides. */
const exitCodeOf = (
  { stderr }: Io,
  flags: ProbeFlags,
  { stopped, honest }: ProbeReport,
  { fatal }: OpenModels,
): number | undefined => {
  if (fatal !== undefined) {
    stderr.write(`assay: ${printable(fatal.message)}\n`);
    return EXIT.badUsage;
  }
  if (stopped !== null) {
    const budget = budgetFlags(flags);
    const more =
      budget === '' ? '' : `; with more for ${budget}, what was answered so far is taken from the cache`;
    stderr.write(`assay: stopped: ${printable(stopped)}${more}\n`);
    return EXIT.tooManyFailed;
  }
  if (honest.failed <= flags.maxFailed * honest.rows) return undefined;
  stderr.write(
    `gate: ${honest.failed} of ${honest.rows} honest rows failed, more than the share of ${flags.maxFailed} that --max-failed allows\n`,
  );
  return EXIT.tooManyFailed;
};
