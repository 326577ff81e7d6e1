import type { Price } from '../judge/endpoints.js';
import type { TrainingFileReport } from '../methods/training-file.js';
import type { RunRecord } from '../results/record.js';
import { judgesOf, timeOf, type JudgeSection, type TimeSection } from './cost.js';
import type { ReinforcementJob } from './job.js';
import type { MeasuredRows } from './measure.js';
import { outcomeOf, type Outcome } from './outcome.js';
import { summariseOutputs, type OutputSummary } from './output-check.js';
import { planJob, type Assumption, type Given, type JobPlan } from './plan.js';
import type { SampleOrigin, Samples } from './samples.js';
import { verdictOf } from './verdict.js';
import { warningsOf, type Warning } from './warnings.js';

/** What a reinforcement fine-tuning job would do to its grader, with the names that `--json` has. */
export interface Rehearsal extends Outcome {
  /** What comes of it, in one or two sentences. */
  readonly verdict: string;
  readonly warnings: readonly Warning[];
  /** What is odd about the job file. */
  readonly configuration_warnings: readonly string[];
  readonly job: JobSection;
  readonly plan: JobPlan;
  /** Everything that the plan rests on. */
  readonly assumptions: readonly Assumption[];
  readonly files: FilesSection;
  readonly samples: SampleSection;
  /** Null where the job has no response_format, or the outputs were made up. */
  readonly outputs: OutputSummary | null;
  /** Prompts of a batch that give a signal, as far as that is known. */
  readonly useful_prompts_per_batch: number | null;
  /** Null where no time is known. */
  readonly time: TimeSection | null;
  readonly judges: readonly JudgeSection[];
}

/** The job. */
export interface JobSection {
  readonly path: string;
  /** The model that is trained; null for a method by itself. */
  readonly model: string | null;
  readonly grader: { readonly name: string; readonly type: string; readonly signature: string };
}

/** What is wrong with the files of the job. */
export interface FilesSection {
  readonly training: CheckedFile;
  /** Null when there is none. */
  readonly validation: CheckedFile | null;
}

/** A training or validation file that has been checked. */
export interface CheckedFile extends TrainingFileReport {
  readonly file: string;
}

/** The outputs that were looked at. */
export interface SampleSection {
  readonly origin: SampleOrigin;
  readonly files: readonly string[];
  /** Prompts whose outputs were looked at, and how many there are. */
  readonly prompts: number;
  readonly available: number;
  /** How many of those are prompts of training rows; null where they all are. */
  readonly matched: number | null;
  readonly rows: number;
  /** Rows whose reward was there already. */
  readonly reused: number;
  /** Why the rewards of a results file were not taken; null where they were, or there are none. */
  readonly not_reused: string | null;
  readonly seed: number;
}

/** Everything that a rehearsal is made of. */
export interface RehearsalFacts {
  readonly job: ReinforcementJob;
  readonly section: JobSection;
  readonly configurationWarnings: readonly string[];
  readonly files: FilesSection;
  readonly samples: Samples;
  readonly seed: number;
  readonly measured: MeasuredRows;
  readonly given: Given;
  /** Flags that give a Python grader more than the service does. */
  readonly loosened: readonly string[];
  /** What a model costs, where that is known. */
  readonly priceOf: (model: string) => Price | undefined;
}

/** Puts a rehearsal together. */
export const rehearsalOf = (facts: RehearsalFacts): Rehearsal => {
  const { job, files, samples, measured, given } = facts;
  const { plan, assumptions } = planJob({
    rows: Math.max(1, files.training.rows),
    validationRows: files.validation?.rows,
    hyperparameters: job.hyperparameters,
    given,
  });
  const { rows } = measured;
  const outcome = outcomeOf(rows);
  const record: RunRecord | undefined = samples.origin === 'results' ? samples.record : undefined;
  const found = {
    configuration_warnings: facts.configurationWarnings,
    job: facts.section,
    plan,
    assumptions,
    files,
    samples: sampleSection(facts),
    ...outcome,
    outputs:
      job.format === undefined || samples.origin === 'stand_ins' ? null : summariseOutputs(job.format, rows),
    useful_prompts_per_batch:
      outcome.signal === null ? null : Math.min(plan.batch_size, plan.rows) * (1 - outcome.signal.flat_share),
    time: timeOf(plan, measured, record, given.concurrency) ?? null,
    judges: judgesOf(plan, rows, record, facts.priceOf),
  };
  return { verdict: verdictOf(found), warnings: warningsOf(found, job, facts.loosened), ...found };
};

const sampleSection = ({ samples, measured: { rows }, seed }: RehearsalFacts): SampleSection => ({
  origin: samples.origin,
  files: samples.files,
  prompts: new Set(rows.map(({ prompt }) => prompt)).size,
  available: samples.available,
  matched: samples.matched ?? null,
  rows: rows.length,
  reused: samples.origin === 'results' ? rows.length : 0,
  not_reused: samples.notReused ?? null,
  seed,
});
