import { availableParallelism } from 'node:os';
import { resolveDataset } from '../dataset/files.js';
import type { ReadyGrader } from '../engine.js';
import { TrainingFileCheck, type TrainingFileOptions } from '../methods/training-file.js';
import { createPython } from '../python/host.js';
import { reinforcementJobOf, type ReinforcementJob } from '../rehearse/job.js';
import { gradeMeasured, type MeasuredRows } from '../rehearse/measure.js';
import { parseGiven, type Given } from '../rehearse/plan.js';
import { rehearsalOf, type CheckedFile, type FilesSection, type Rehearsal } from '../rehearse/rehearsal.js';
import {
  readSamples,
  readTrainingRows,
  samplesOfTraining,
  type SampleOptions,
  type SampleRow,
  type Samples,
} from '../rehearse/samples.js';
import { StandInAnswers } from '../rehearse/stand-in-answers.js';
import { HOSTED_MEBIBYTES, HOSTED_SECONDS } from '../rehearse/warnings.js';
import { ResultsError } from '../results/read.js';
import { gradeRows } from '../run/grade-rows.js';
import { CallCount, leftOf } from './call-count.js';
import { formatDiagnostic, readConfigFile, type ConfigFile, type Diagnostic } from './config-file.js';
import { EXIT, UsageError, type CommandContext, type Io } from './context.js';
import { openClient, openModels, type JudgeFlags } from './judge.js';
import { counted } from './layout.js';
import { prepareFile, type PrepareChoices, type PrepareFlags } from './prepare.js';
import { pythonOptions, type GradingFlags } from './python-flags.js';
import { renderRehearsal } from './rehearse-text.js';
import { dataPlace, parsePath, reportErrors, tellNotice } from './run.js';
import { standIns } from './stand-ins.js';
import { checkRows, storedAs } from './validate-dataset.js';

/** The flags of `assay rehearse`. */
export interface RehearseFlags extends PrepareFlags, GradingFlags, JudgeFlags {
  /** The training file. */
  readonly data: string;
  readonly validation?: string;
  /** Results, or a dataset with samples. */
  readonly samples?: string;
  /** How many prompts are drawn. */
  readonly rows?: number;
  readonly seed: number;
  readonly group?: string;
  /** `NAME=VALUE` each. */
  readonly assume?: readonly string[];
  readonly maxFailed: number;
  readonly json: boolean;
}

/** `assay rehearse JOB --data FILE`: the report, or with `--json` all of it as JSON, on standard output. */
export const rehearseCommand = async function (
  this: CommandContext,
  flags: RehearseFlags,
  path: string,
): Promise<void> {
  const { io } = this;
  this.process.exitCode = await reportErrors(io, () => rehearse(io, flags, path)).catch((error: unknown) => {
    if (!io.signal.aborted) throw error;
    return EXIT.interrupted;
  });
};

/** With judges each row costs, and takes its time. */
const DEFAULT_PROMPTS = 200;
const DEFAULT_JUDGED_PROMPTS = 20;

/** What a rehearsal is made with. */
interface Stage {
  readonly io: Io;
  readonly flags: RehearseFlags;
  readonly config: ConfigFile;
  readonly job: ReinforcementJob;
  readonly given: Given;
}

const rehearse = async (io: Io, flags: RehearseFlags, path: string): Promise<number> => {
  const config = await readConfigFile(path);
  const job = reinforcementJobOf(config.value);
  if (typeof job === 'string') throw new UsageError(`${path} ${job}`);
  const given = parseGiven(flags.assume ?? [], job.hyperparameters);
  if (typeof given === 'string') throw new UsageError(`--assume: ${given}`);
  const stage = { io, flags, config, job, given };
  const { grader, diagnostics } = await withoutAsking(stage);
  for (const diagnostic of diagnostics) io.stderr.write(`${formatDiagnostic(diagnostic)}\n`);
  if (grader === undefined) return EXIT.badUsage;
  try {
    const rehearsal = await rehearsed(stage, grader, diagnostics);
    tell(io, flags, rehearsal);
    return exitCodeOf(rehearsal, flags);
  } finally {
    await grader.close();
  }
};

const tell = ({ stdout }: Io, { json }: RehearseFlags, rehearsal: Rehearsal): void => {
  const text = json
    ? `${JSON.stringify(rehearsal, undefined, 2)}\n`
    : renderRehearsal(rehearsal, { colour: stdout.isTTY === true, columns: 80 });
  stdout.write(text);
};

const exitCodeOf = ({ files, failures }: Rehearsal, { strict, maxFailed }: RehearseFlags): number => {
  const isBad = (file: CheckedFile | null) =>
    file !== null && (file.errors > 0 || (strict && file.warnings > 0));
  if (isBad(files.training) || isBad(files.validation)) return EXIT.badUsage;
  const isBroken = (failures.share ?? 0) > maxFailed || failures.not_graded > 0;
  return isBroken ? EXIT.tooManyFailed : EXIT.ok;
};

const rehearsed = async (
  stage: Stage,
  grader: ReadyGrader,
  diagnostics: readonly Diagnostic[],
): Promise<Rehearsal> => {
  const { io, flags, config, job, given } = stage;
  const { name, type, signature } = grader;
  const files = await checkFiles(stage, grader);
  const samples = await findSamples(stage, grader, files.training.file);
  const measured = await gradeSamples(stage, grader, placed(samples));
  const client = await openClient({}, { io, onNotice: () => {} }, true);
  try {
    return rehearsalOf({
      job,
      section: { path: config.path, model: job.model ?? null, grader: { name, type, signature } },
      configurationWarnings: diagnostics.map((each) => `${each.path}: ${each.message}`),
      files,
      samples,
      seed: flags.seed,
      measured,
      given,
      loosened: loosenedBy(flags),
      priceOf: (model) => client.endpointFor(model).price,
    });
  } finally {
    await client.close();
  }
};

const loosenedBy = ({ pythonTimeout = 0, pythonMemory = 0 }: RehearseFlags): readonly string[] => [
  ...(pythonTimeout > HOSTED_SECONDS ? ['--python-timeout'] : []),
  ...(pythonMemory > HOSTED_MEBIBYTES ? ['--python-memory'] : []),
];

// The files of the job

const checkFiles = async (stage: Stage, { variables }: ReadyGrader): Promise<FilesSection> => {
  const { data, validation } = stage.flags;
  const options = { method: 'reinforcement', variables } as const;
  const [training, report] = await checkFile(stage, data, options);
  if (validation === undefined) return { training: report, validation: null };
  const [, validationReport] = await checkFile(stage, validation, {
    ...options,
    use: 'validation',
    training,
  });
  return { training: report, validation: validationReport };
};

const checkFile = async (
  { io }: Stage,
  path: string,
  options: TrainingFileOptions,
): Promise<readonly [TrainingFileCheck, CheckedFile]> => {
  if (path === '-') throw new UsageError('standard input cannot be read twice; save it to a file');
  const [file, ...others] = await resolveDataset([path], {});
  if (others.length > 0)
    throw new UsageError(
      `${path} stands for ${others.length + 1} files, and a job has one ${options.use ?? 'training'} file`,
    );
  const check = new TrainingFileCheck({ ...options, storedAs: storedAs(file) });
  await checkRows(io, file, undefined, check);
  const report = check.report();
  if (report.rows === 0) throw new UsageError(`${file.path} has no rows`);
  return [check, { file: file.path, ...report }];
};

// The outputs

const findSamples = async (
  { io, flags, job }: Stage,
  grader: ReadyGrader,
  trainingFile: string,
): Promise<Samples> => {
  const options: SampleOptions = {
    job,
    grader,
    prompts: flags.rows,
    defaultPrompts: mayAsk(job) ? DEFAULT_JUDGED_PROMPTS : DEFAULT_PROMPTS,
    seed: flags.seed,
    group: flags.group === undefined ? undefined : parsePath('--group', flags.group),
    signal: io.signal,
  };
  const training = await readTrainingRows(trainingFile, options);
  if (flags.samples === undefined)
    return samplesOfTraining(training, new StandInAnswers(job, grader.variables));
  return readSamples(flags.samples, training, options).catch((error: unknown) => {
    throw error instanceof ResultsError ? new UsageError(`--samples: ${error.message}`) : error;
  });
};

/** With places as they are shown: `samples.jsonl:17, sample 2`. */
const placed = ({ files, rows }: Samples): readonly SampleRow[] =>
  rows.map((row) => {
    const place = dataPlace(files, row.place);
    return { ...row, place: row.standIn === undefined ? place : `${place} (${row.standIn} answer)` };
  });

// Grading

const mayAsk = ({ grader: { types, hasCosine } }: ReinforcementJob): boolean =>
  types.has('score_model') || types.has('label_model') || hasCosine;

/** The grader of the job, to look at it, and to grade with it where it asks no models: these have stand-ins. */
const withoutAsking = async (stage: Stage) => {
  const { io, flags, config } = stage;
  const client = await openClient({}, { io, onNotice: () => {} }, true);
  try {
    return await prepareFile(config, flags, { ...standIns(client, {}), python: pythonOf(flags) });
  } finally {
    await client.close();
  }
};

const threadsOf = ({ threads = availableParallelism() }: RehearseFlags): number => threads;

/** Every row goes by itself, so that its time is its own. */
const pythonOf = (flags: RehearseFlags) =>
  createPython({ ...pythonOptions({ ...flags, threads: threadsOf(flags) }), batchRows: 1 });

const gradeSamples = async (
  stage: Stage,
  grader: ReadyGrader,
  rows: readonly SampleRow[],
): Promise<MeasuredRows> => {
  const { io, flags, job } = stage;
  const isGraded = rows.every(({ score }) => score !== undefined);
  if (isGraded || !mayAsk(job)) return gradeMeasured(grader, rows, threadsOf(flags), io.signal);
  const models = await openModels(flags, { io, onNotice: tellNotice(io) });
  try {
    const asking = await preparedAgain(stage, {
      python: pythonOf(flags),
      judge: models.judge,
      embed: models.embed,
    });
    await announceCalls(stage, rows);
    const inFlight = Math.min(asking.window ?? rows.length, rows.length);
    const measured = await gradeMeasured(asking, rows, inFlight, io.signal).finally(() => asking.close());
    const { cached = 0, shared = 0 } = models.judge.totals ?? {};
    // A reply that was there already took no time.
    return cached + shared === 0 ? measured : { rows: measured.rows };
  } finally {
    await models.close(true);
  }
};

/** Says how often models are going to be asked. */
const announceCalls = async (stage: Stage, rows: readonly SampleRow[]): Promise<void> => {
  const { io, flags } = stage;
  if (flags.replay !== undefined) return;
  const client = await openClient({}, { io, onNotice: () => {} }, true);
  const count = new CallCount(client, undefined);
  try {
    const grader = await preparedAgain(stage, standIns(client, count));
    const asked = rows.flatMap(({ row }) => row ?? []);
    await gradeRows(grader, asked, io.signal).finally(() => grader.close());
  } finally {
    await client.close();
  }
  const uses = [...count.judges.values(), ...count.embeddings.values()];
  const texts = uses.map((use) => `${use.model} ${counted(leftOf(use), 'time')}`);
  const limit = flags.maxCalls === undefined ? '' : `, at most ${counted(flags.maxCalls, 'request')}`;
  tellNotice(io)(`asking ${texts.join(', ') || 'no model'} for ${counted(rows.length, 'output')}${limit}`);
};

/** What was to be said about the file has been said. */
const preparedAgain = async ({ config, flags }: Stage, host: PrepareChoices): Promise<ReadyGrader> => {
  const { grader } = await prepareFile(config, flags, host);
  if (grader === undefined) throw new UsageError(`${config.path} has mistakes`);
  return grader;
};
