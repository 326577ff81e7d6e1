import { HYPERPARAMETERS, ruleOf, type Hyperparameter } from '../methods/hyperparameters.js';
import { suggest } from '../suggest.js';

/** What a job may leave to the service, and what is not known of the service; `--assume` can give each of them. */
export const ASSUMABLE = [
  'n_epochs',
  'batch_size',
  'compute_multiplier',
  'samples_per_prompt',
  'eval_interval',
  'eval_samples',
  'concurrency',
] as const;

/** One of {@link ASSUMABLE}. */
export type AssumableName = (typeof ASSUMABLE)[number];

/** What the user assumes, by name. */
export type Given = Readonly<Partial<Record<AssumableName, number>>>;

/** Where a number comes from: the job file, the service's documentation, `--assume`, or nowhere: it is assumed. */
export type FactSource = 'job_file' | 'documented' | 'given' | 'assumed';

/** A number or rule that the plan of a job rests on. */
export interface Assumption {
  readonly name: string;
  /** Null for a rule without a number, and for a number that nothing is known of. */
  readonly value: number | null;
  readonly source: FactSource;
  /** What is known of it, in words. */
  readonly note: string;
}

/** What a job would do, in numbers of steps and calls of its grader. */
export interface JobPlan {
  readonly rows: number;
  /** Null when there is no validation file. */
  readonly validation_rows: number | null;
  readonly n_epochs: number;
  readonly batch_size: number;
  readonly steps_per_epoch: number;
  readonly steps: number;
  readonly samples_per_prompt: number;
  /** Outputs that are graded in a step with a whole batch. */
  readonly calls_per_step: number;
  readonly training_calls: number;
  readonly eval_interval: number;
  readonly evaluations: number;
  /** What follows is null when there is no validation file. */
  readonly calls_per_evaluation: number | null;
  readonly evaluation_calls: number | null;
  /** Of training and, where they are known, evaluations. */
  readonly grader_calls: number;
}

/** What a plan is made of. */
export interface PlanFacts {
  /** Of the training file; at least 1. */
  readonly rows: number;
  /** Of the validation file; undefined without one. */
  readonly validationRows?: number;
  /** As they stand in the job, which has been checked: a number, or anything else for what is left to the service. */
  readonly hyperparameters: Readonly<Record<string, unknown>>;
  readonly given: Given;
}

/** A plan, and everything that it rests on. */
export interface PlannedJob {
  readonly plan: JobPlan;
  readonly assumptions: readonly Assumption[];
}

/** With 8 samples a prompt this makes 512 calls a step, near the 501 of the one step whose metrics are published. */
const BATCH_SIZE = 64;
/** TRL's GRPOTrainer draws as many where nothing is said (`num_generations`). */
const SAMPLES_PER_PROMPT = 8;

const NOT_DOCUMENTED = 'how the service chooses it is not documented';

/**
 * Works out the steps of a job, and how often it calls its grader.
 *
 * Documented are: the meaning of the hyperparameters; that several responses are sampled for a prompt, but not how many;
 * that an evaluation takes the whole validation file, with `eval_samples` outputs for each row.
 *
 * @see https://platform.openai.com/docs/guides/reinforcement-fine-tuning (and its appendix, for the metrics of a step)
 * @see https://help.openai.com/en/articles/11323177 (what eval_samples, eval_interval and compute_multiplier cost)
 */
export const planJob = (facts: PlanFacts): PlannedJob => {
  const { rows, validationRows } = facts;
  const ledger = new Ledger(facts);
  const epochs = ledger.decide('n_epochs', 1, `${NOT_DOCUMENTED}; with 1, totals are those of one epoch`);
  const batch = ledger.decide(
    'batch_size',
    Math.min(BATCH_SIZE, rows),
    `${NOT_DOCUMENTED}; ${BATCH_SIZE}, or all rows where there are fewer, comes near the one step whose metrics are published`,
  );
  const multiplier = ledger.decide('compute_multiplier', 1, NOT_DOCUMENTED);
  const samples = ledger.decide(
    'samples_per_prompt',
    Math.max(1, Math.round(SAMPLES_PER_PROMPT * multiplier)),
    `that there are several is documented, not how many; taken as ${SAMPLES_PER_PROMPT} × compute_multiplier, of which is documented that a step takes more compute`,
  );
  ledger.rule('last_batch', 'the last batch of an epoch, which may be smaller, is a step of its own');
  const stepsPerEpoch = Math.ceil(rows / batch);
  const steps = stepsPerEpoch * epochs;
  const interval = ledger.decide('eval_interval', stepsPerEpoch, `${NOT_DOCUMENTED}; once an epoch is taken`);
  const evalSamples = ledger.decide('eval_samples', 1, NOT_DOCUMENTED);
  ledger.rule(
    'evaluation',
    'takes every row of the validation file, eval_samples times, every eval_interval steps',
    'documented',
  );
  ledger.rule('first_evaluation', 'there is none before the first step, nor an extra one at the end');
  ledger.concurrency();
  const evaluations = Math.floor(steps / interval);
  const perEvaluation = validationRows === undefined ? null : validationRows * evalSamples;
  const evaluationCalls = perEvaluation === null ? null : perEvaluation * evaluations;
  const trainingCalls = rows * epochs * samples;
  const plan: JobPlan = {
    rows,
    validation_rows: validationRows ?? null,
    n_epochs: epochs,
    batch_size: batch,
    steps_per_epoch: stepsPerEpoch,
    steps,
    samples_per_prompt: samples,
    calls_per_step: Math.min(batch, rows) * samples,
    training_calls: trainingCalls,
    eval_interval: interval,
    evaluations,
    calls_per_evaluation: perEvaluation,
    evaluation_calls: evaluationCalls,
    grader_calls: trainingCalls + (evaluationCalls ?? 0),
  };
  return { plan, assumptions: ledger.entries };
};

/** Decides on numbers, and notes where each came from. */
class Ledger {
  readonly entries: Assumption[] = [];

  constructor(private readonly facts: PlanFacts) {}

  /** From the job, from the user, or else as it is assumed. */
  decide(name: AssumableName, assumed: number, note: string): number {
    const { hyperparameters, given } = this.facts;
    const value = hyperparameters[name];
    if (typeof value === 'number') return this.note(name, value, 'job_file', 'as the job says');
    const user = given[name];
    if (user !== undefined) return this.note(name, user, 'given', 'as --assume says');
    return this.note(name, assumed, 'assumed', note);
  }

  rule(name: string, note: string, source: FactSource = 'assumed'): void {
    this.entries.push({ name, value: null, source, note });
  }

  concurrency(): void {
    const { concurrency } = this.facts.given;
    if (concurrency !== undefined) this.note('concurrency', concurrency, 'given', 'as --assume says');
    else this.rule('concurrency', 'graders run in parallel up to a limit that is not documented; as here');
  }

  private note(name: string, value: number, source: FactSource, note: string): number {
    this.entries.push({ name, value, source, note });
    return value;
  }
}

/**
 * What the user assumes, as `NAME=VALUE` each.
 *
 * @param hyperparameters  as they stand in the job: what it says need not be assumed
 * @returns the numbers, or in words what is wrong with the first text that is none
 */
export const parseGiven = (
  texts: readonly string[],
  hyperparameters: PlanFacts['hyperparameters'],
): Given | string => {
  const given: Partial<Record<AssumableName, number>> = {};
  for (const text of texts) {
    const at = text.indexOf('=');
    const [name, value] = at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
    const known = ASSUMABLE.find((each) => each === name);
    if (known === undefined) return unknownName(text, name);
    const problem = problemWith(known, value, hyperparameters[known]);
    if (problem !== undefined) return `${text}: ${problem}`;
    given[known] = Number(value);
  }
  return given;
};

const unknownName = (text: string, name: string): string => {
  const near = suggest(name, ASSUMABLE);
  return `expected NAME=VALUE with one of ${ASSUMABLE.join(', ')}, got ${text}${near === undefined ? '' : `; did you mean ${near}?`}`;
};

const problemWith = (name: AssumableName, value: string, inJob: unknown): string | undefined => {
  if (typeof inJob === 'number')
    return `the job says ${inJob}; --assume is for what a job leaves to the service`;
  const number = value.trim() === '' ? Number.NaN : Number(value);
  const hyperparameter = (HYPERPARAMETERS as readonly Hyperparameter[]).find((each) => each.name === name);
  if (hyperparameter !== undefined) {
    const rule = ruleOf(hyperparameter);
    return rule.accepts(number) ? undefined : `expected ${rule.expected.replace('"auto" or ', '')}`;
  }
  return Number.isSafeInteger(number) && number >= 1 ? undefined : 'expected a whole number of at least 1';
};
