import {
  calibrateScores,
  findLabels,
  type CalibrateOptions,
  type CalibrationReport,
} from '../calibrate/calibrate.js';
import type { Estimate } from '../calibrate/estimates.js';
import type { DatasetFormat } from '../dataset/format.js';
import { ResultsError } from '../results/read.js';
import type { ThresholdGoal } from '../stats/calibration.js';
import { renderCalibration } from './calibrate-text.js';
import { EXIT, UsageError, type CommandContext } from './context.js';
import { parsePath, reportErrors } from './run.js';

/** The flags of `assay calibrate`. */
export interface CalibrateFlags {
  /** A path in the rows, or a file. */
  readonly labels: string;
  readonly passing?: readonly string[];
  readonly threshold?: number;
  readonly goal?: string;
  readonly scale?: 'same' | 'fitted';
  readonly bins?: number;
  readonly member?: string;
  readonly group?: string;
  readonly position?: string;
  readonly data?: readonly string[];
  readonly format?: DatasetFormat;
  readonly split?: string;
  readonly minKappa?: number;
  readonly minAuc?: number;
  readonly minAccuracy?: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** `assay calibrate SCORES --labels L`: the report, or with `--json` all of it as JSON, on standard output. */
export const calibrateCommand = async function (
  this: CommandContext,
  flags: CalibrateFlags,
  path: string,
): Promise<void> {
  const { stdout, stderr, signal } = this.io;
  this.process.exitCode = await reportErrors(this.io, async () => {
    const gates = gatesOf(flags);
    const options = await optionsOf(flags, signal);
    const report = await calibrateScores(path, options).catch((error: unknown) => {
      throw error instanceof ResultsError ? new UsageError(error.message) : error;
    });
    if (report === undefined) return EXIT.interrupted;
    const missed = checkGates(gates, report);
    if (flags.json) stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    else if (!flags.quiet)
      stdout.write(renderCalibration(report, { colour: stdout.isTTY === true, columns: 80 }));
    for (const message of missed) stderr.write(`gate: ${message}\n`);
    return missed.length > 0 ? EXIT.gateFailed : EXIT.ok;
  });
};

const optionsOf = async (flags: CalibrateFlags, signal: AbortSignal): Promise<CalibrateOptions> => ({
  labels: await findLabels(flags.labels, (path) => parsePath('--labels', path)),
  passing: flags.passing && parsePassing(flags.passing),
  threshold: flags.threshold,
  goal: flags.goal === undefined ? undefined : parseGoal(flags.goal),
  scale: flags.scale,
  bins: flags.bins,
  member: flags.member,
  group: flags.group === undefined ? undefined : parsePath('--group', flags.group),
  position: flags.position === undefined ? undefined : parsePath('--position', flags.position),
  data: flags.data,
  format: flags.format,
  split: flags.split,
  signal,
});

/** `good`, `>=4` */
const parsePassing = (labels: readonly string[]): CalibrateOptions['passing'] => {
  const [first] = labels;
  if (!first.startsWith('>=')) return { texts: new Set(labels.map((label) => label.trim())) };
  if (labels.length > 1) throw new UsageError('--passing: expected ">=X" only once, and no other label');
  const least = Number(first.slice(2));
  if (first.length > 2 && Number.isFinite(least)) return { least };
  throw new UsageError(`--passing: expected a label, or >= and a number, got ${first}`);
};

const parseGoal = (goal: string): ThresholdGoal => {
  if (goal === 'balanced_accuracy' || goal === 'f1') return goal;
  const [, digits] = /^precision=(.+)$/.exec(goal) ?? [];
  const precision = Number(digits);
  if (precision > 0 && precision <= 1) return { precision };
  throw new UsageError(
    `--goal: expected balanced_accuracy, f1, or precision=X with X above 0 and up to 1, got ${goal}`,
  );
};

/** A condition on the agreement. */
interface Gate {
  readonly flag: '--min-kappa' | '--min-auc' | '--min-accuracy';
  readonly bound: number;
}

const gatesOf = ({ minKappa, minAuc, minAccuracy }: CalibrateFlags): readonly Gate[] =>
  (
    [
      ['--min-kappa', minKappa],
      ['--min-auc', minAuc],
      ['--min-accuracy', minAccuracy],
    ] as const
  ).flatMap(([flag, bound]) => (bound === undefined ? [] : [{ flag, bound }]));

/**
 * The gates that do not hold, in words: those whose number may be lower than asked for, by its 95 % interval.
 *
 * @throws UsageError where there are no classes but those that a threshold of the same rows makes
 */
const checkGates = (gates: readonly Gate[], report: CalibrationReport): string[] =>
  gates.flatMap(({ flag, bound }) => {
    const { what, estimate } = measured(flag, report);
    if (estimate?.interval == null) return [`${what} cannot be told (${flag} ${bound})`];
    const [lowest] = estimate.interval;
    if (lowest >= bound) return [];
    return [`${what} is ${estimate.value} and may be as low as ${lowest}, ${flag} asks for ${bound}`];
  });

const measured = (
  flag: Gate['flag'],
  { classes, ranking, threshold }: CalibrationReport,
): { readonly what: string; readonly estimate: Estimate | null } => {
  if (flag === '--min-auc') return { what: 'the AUC', estimate: ranking?.auc ?? null };
  if (classes?.by === 'best_threshold')
    throw new UsageError(
      `${flag}: the results do not say what passes; give --threshold X (${threshold?.threshold} is best on these rows)`,
    );
  if (flag === '--min-accuracy') return { what: 'the accuracy', estimate: classes?.accuracy ?? null };
  const quadratic = classes?.quadratic_kappa ?? null;
  if (quadratic !== null) return { what: 'the quadratic kappa', estimate: quadratic };
  return { what: 'kappa', estimate: classes?.kappa ?? null };
};
