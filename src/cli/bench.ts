import { basename } from 'node:path';
import { benchReport, type BenchReport, type RewardReport } from '../bench/report.js';
import { measureReward, type Measurement } from '../bench/measure.js';
import { measureRows, type BenchRows, type BenchRowsOptions } from '../bench/measure-rows.js';
import type { MeasuredReward, Trials } from '../bench/measured.js';
import { drawTrialRows, secondOpinion, tryReward, type TrialRows } from '../bench/trials.js';
import type { ReadyGrader } from '../engine.js';
import { GradingError } from '../errors.js';
import { createPython } from '../python/host.js';
import type { RunOptions } from '../run/run.js';
import { onOneLine } from '../show.js';
import { benchText } from './bench-text.js';
import { formatDiagnostic, readConfigFile, type ConfigFile } from './config-file.js';
import { EXIT, UsageError, type CommandContext, type Io } from './context.js';
import { openModels, type JudgeFlags, type OpenModels } from './judge.js';
import { counted } from './layout.js';
import { prepareFile, type PrepareFlags } from './prepare.js';
import { ProgressLine } from './progress.js';
import { pythonOptions, type GradingFlags } from './python-flags.js';
import { failureText, parsePath, reportErrors, runOptions, tellNotice, type DataFlags } from './run.js';

/** The flags of `assay bench`. */
export interface BenchFlags extends PrepareFlags, GradingFlags, JudgeFlags, DataFlags {
  readonly data: readonly string[];
  readonly label?: string;
  readonly group?: string;
  readonly prompt?: string;
  readonly limit?: number;
  readonly filter?: readonly string[];
  readonly random?: number;
  readonly seed?: number;
  readonly replicates: number;
  /** How many items are graded again; undefined for the default, which differs with judges. */
  readonly trialItems?: number;
  readonly failOnAlarm: boolean;
  readonly maxFailed: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** `assay bench GRADER... --data DATA`: the report, or with `--json` all of it as JSON, on standard output. */
export const benchCommand = async function (
  this: CommandContext,
  flags: BenchFlags,
  ...paths: string[]
): Promise<void> {
  const { io } = this;
  const work = async (): Promise<number> => {
    const plan = await planBench(io, flags, paths);
    const models = await openModels(flags, { io, onNotice: tellNotice(io) });
    return benchFiles(io, flags, plan, models).finally(() => models.close(true));
  };
  this.process.exitCode = await reportErrors(io, work).catch((error: unknown) => {
    if (!io.signal.aborted) throw error;
    return EXIT.interrupted;
  });
};

/** What the flags and files come to. */
interface BenchPlan {
  readonly files: readonly ConfigFile[];
  readonly run: RunOptions;
  readonly rows: BenchRowsOptions;
}

/** How many items are graded again where nothing is said. */
const TRIAL_ITEMS = 100;

/** @throws UsageError */
const planBench = async (io: Io, flags: BenchFlags, paths: readonly string[]): Promise<BenchPlan> => {
  const { data, label, prompt } = flags;
  if (data.includes('-'))
    throw new UsageError('--data: a bench reads its rows several times; save standard input to a file');
  const files: ConfigFile[] = [];
  for (const path of paths) files.push(await readConfigFile(path));
  const { keep, ...run } = runOptions(io, { ...flags, ...WITHOUT_RESULTS }, files[0], data);
  const { limit, filter, random, seed, format, split, outputField, missingSample, signal } = run;
  const rows: BenchRowsOptions = {
    data,
    limit,
    filter,
    random,
    seed,
    format,
    split,
    outputField,
    missingSample,
    signal,
    group: keep?.group,
    label: label === undefined ? undefined : parsePath('--label', label),
    prompt: prompt === undefined ? undefined : parsePath('--prompt', prompt),
  };
  return { files, run, rows };
};

/** A bench keeps no results; standard output is for its report. */
const WITHOUT_RESULTS = {
  output: undefined,
  overwrite: false,
  resume: false,
  retryFailed: false,
  dryRun: false,
  json: true,
} as const;

/** A grader file that has been checked. */
interface BenchedGrader {
  readonly name: string;
  /** Ready for all rows; closed when the bench ends. */
  readonly grader: ReadyGrader;
  /**
   * Makes another one ready, with one Python process, so that it sees the rows in their order.
   *
   * @param anew  judges give another verdict than the one they have given
   */
  prepareAlone(anew: boolean): Promise<ReadyGrader>;
}

const benchFiles = async (
  io: Io,
  flags: BenchFlags,
  plan: BenchPlan,
  models: OpenModels,
): Promise<number> => {
  const graders: BenchedGrader[] = [];
  try {
    for (const file of plan.files) graders.push(...(await checkGrader(io, flags, file, models)));
    if (graders.length < plan.files.length) return EXIT.badUsage;
    return await benchGraders(io, flags, plan, named(graders, plan.files), models);
  } finally {
    await Promise.all(graders.map(({ grader }) => grader.close()));
  }
};

/** None where the file has a mistake, which is told. */
const checkGrader = async (
  io: Io,
  flags: BenchFlags,
  file: ConfigFile,
  models: OpenModels,
): Promise<readonly BenchedGrader[]> => {
  const { grader, diagnostics } = await prepareFile(file, flags, hostOf(flags, models));
  for (const diagnostic of diagnostics) io.stderr.write(`${formatDiagnostic(diagnostic)}\n`);
  if (grader === undefined) return [];
  const prepareAlone = async (anew: boolean) =>
    (await prepareFile(file, flags, hostOf({ ...flags, threads: 1 }, models, anew))).grader as ReadyGrader;
  return [{ name: grader.name, grader, prepareAlone }];
};

const benchGraders = async (
  io: Io,
  flags: BenchFlags,
  plan: BenchPlan,
  graders: readonly BenchedGrader[],
  models: OpenModels,
): Promise<number> => {
  const rows = await measureRows(plan.rows);
  const bench = new Bench(io, flags, plan, rows);
  for (const grader of graders) await bench.measure(grader);
  const report = benchReport(rows, bench.rewards, { replicates: flags.replicates });
  const notes = [...rowNotes(rows, flags), ...bench.notes];
  const about = { dataset: rows.dataset, group: flags.group ?? null, label: flags.label ?? null };
  io.stdout.write(
    flags.json
      ? `${JSON.stringify({ ...about, ...report, notes }, undefined, 2)}\n`
      : benchText(report, { ...about, notes }, { colour: io.stdout.isTTY === true }),
  );
  return exitCode(io, flags, report, bench, models);
};

const hostOf = (flags: GradingFlags, { judge, embed }: OpenModels, anew = false) => ({
  python: createPython(pythonOptions(flags)),
  judge: anew ? secondOpinion(judge) : judge,
  embed,
});

/** Graders of one name are told apart by their files. */
const named = (graders: readonly BenchedGrader[], files: readonly ConfigFile[]): readonly BenchedGrader[] => {
  const names = graders.map(({ name }) => name);
  const withFile = names.map((name, index) =>
    isTaken(names, index) ? `${name} (${basename(files[index].path)})` : name,
  );
  const withPath = withFile.map((name, index) =>
    isTaken(withFile, index) ? `${names[index]} (${files[index].path})` : name,
  );
  return graders.map((grader, index) => ({
    ...grader,
    name: isTaken(withPath, index) ? `${withPath[index]} #${index + 1}` : withPath[index],
  }));
};

const isTaken = (texts: readonly string[], index: number): boolean =>
  texts.some((text, other) => text === texts[index] && other !== index);

/** Measures one reward after the other. */
class Bench {
  readonly rewards: MeasuredReward[] = [];
  readonly notes: string[] = [];
  /** Why a reward was not measured as it was to be; of several the last one. */
  halted: string | undefined;
  private trialRows: TrialRows | undefined;

  constructor(
    private readonly io: Io,
    private readonly flags: BenchFlags,
    private readonly plan: BenchPlan,
    private readonly rows: BenchRows,
  ) {}

  async measure(grader: BenchedGrader): Promise<void> {
    const measurement = await this.grade(grader);
    this.io.signal.throwIfAborted();
    const { reward, halted, graded } = measurement;
    const all = this.rows.count.toLocaleString('en');
    if (halted !== undefined)
      this.stopped(`${grader.name}: stopped after ${counted(graded, 'row')} of ${all}`, halted);
    const items = this.trialItems(grader.name, measurement);
    const trials = items === 0 ? undefined : await this.try(grader, items);
    this.rewards.push({ ...reward, ...(trials && { trials }) });
  }

  private stopped(where: string, reason: string): void {
    this.halted = reason;
    this.notes.push(`${where}: ${reason}`);
  }

  private async grade({ name, grader }: BenchedGrader): Promise<Measurement> {
    const progress = this.flags.quiet ? undefined : new ProgressLine(this.io.stderr, name);
    let firstFailure = '';
    const measuring = measureReward(grader, name, this.rows.count, {
      ...this.plan.run,
      onProgress: (state) => progress?.update(state),
      onFailure: (failure, place) => {
        if (firstFailure === '') firstFailure = failureText(failure, place, this.flags.data);
      },
    });
    const measurement = await measuring.finally(() => progress?.clear());
    const { failed } = measurement;
    if (failed > 0) this.notes.push(`${name}: ${counted(failed, 'row')} failed, the first: ${firstFailure}`);
    return measurement;
  }

  /** How many items are to be graded again; where that is none, why is noted. */
  private trialItems(name: string, { asksModels, halted }: Measurement): number {
    const { trialItems, replay } = this.flags;
    const untried = 'so whether it is fooled, noisy or depends on the order of rows is not known';
    if (halted !== undefined) return 0;
    if (asksModels && replay !== undefined) {
      this.notes.push(
        `${name}: no row was graded again, for --replay has no verdicts on other rows; ${untried}`,
      );
      return 0;
    }
    if (asksModels && trialItems === undefined) {
      this.notes.push(
        `${name}: no row was graded again, for it asks models, which may cost; ${untried}; --trial-items 20 grades 20 items again`,
      );
      return 0;
    }
    if (trialItems === 0) this.notes.push(`${name}: no row was graded again; ${untried}`);
    return trialItems ?? TRIAL_ITEMS;
  }

  /** Undefined when a budget was used up on the way. */
  private async try({ name, prepareAlone }: BenchedGrader, items: number): Promise<Trials | undefined> {
    const { rows: options } = this.plan;
    const { label, group, prompt, signal } = options;
    this.trialRows ??= await drawTrialRows(this.rows, items, options);
    const trying = tryReward(this.trialRows, {
      prepare: prepareAlone,
      prompt,
      others: [label, group].filter((path) => path !== undefined),
      signal,
    });
    return trying.catch((error: unknown) => {
      if (!(error instanceof GradingError)) throw error;
      this.stopped(
        `${name}: stopped while rows were graded again, of which nothing is reported`,
        error.message,
      );
      return undefined;
    });
  }
}

/** What cannot be said of any reward, and why. */
const rowNotes = (rows: BenchRows, { label, group }: BenchFlags): readonly string[] => {
  const { labels, groupedBy, groupCount, count, withoutGroup } = rows;
  const unlabelled = labels?.reduce((sum, value) => sum + (Number.isNaN(value) ? 1 : 0), 0) ?? 0;
  return [
    ...(label === undefined
      ? ['no labels (--label PATH): what the rewards say is compared with nothing that is known to be true.']
      : []),
    ...(unlabelled > 0
      ? [`${counted(unlabelled, 'row')} without a label at ${label} count in no comparison with it.`]
      : []),
    ...(groupedBy === undefined
      ? [
          'no groups: every row is taken as an item of its own; --group PATH says which rows are samples of one.',
        ]
      : groupCount === count
        ? ['no two rows share an item: nothing can be said of samples of one item.']
        : []),
    ...(withoutGroup > 0
      ? [`${counted(withoutGroup, 'row')} without a value at ${group} are items of their own.`]
      : []),
  ];
};

const exitCode = (
  { stderr }: Io,
  { failOnAlarm, maxFailed }: BenchFlags,
  { rewards }: BenchReport,
  { halted }: Bench,
  { fatal }: OpenModels,
): number => {
  if (fatal !== undefined) {
    stderr.write(`assay: ${onOneLine(fatal.message)}\n`);
    return EXIT.badUsage;
  }
  const failing = rewards.filter(({ failed, rows }) => failed > maxFailed * rows);
  for (const { name, failed, rows } of failing)
    stderr.write(
      `gate: ${name}: ${failed} of ${rows} rows failed, more than the share of ${maxFailed} that --max-failed allows\n`,
    );
  if (halted !== undefined || failing.length > 0) return EXIT.tooManyFailed;
  const alarming = failOnAlarm ? rewards.filter(({ alarms }) => alarms.length > 0) : [];
  for (const reward of alarming) stderr.write(`gate: ${alarmText(reward)}\n`);
  return alarming.length > 0 ? EXIT.gateFailed : EXIT.ok;
};

const alarmText = ({ name, alarms }: RewardReport): string => `${name}: ${alarms.join(', ')}`;
