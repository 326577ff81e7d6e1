import { costOf } from '../judge/budget.js';
import type { Price } from '../judge/endpoints.js';
import type { RunRecord } from '../results/record.js';
import { totalOf } from '../stats/clustered.js';
import { quantileOf, type GradedRow, type MeasuredRows, type Timing } from './measure.js';
import type { JobPlan } from './plan.js';

/** How long grading takes. */
export interface TimeSection {
  /** `measured` here, or the rate of the run that gave the rewards. */
  readonly basis: 'measured' | 'run_record';
  readonly rows_per_second: number;
  /** Most rows at once; null where the run does not say. */
  readonly in_flight: number | null;
  /** Of a single row; null where the run does not say. */
  readonly row_seconds: RowSeconds | null;
  /** Grading alone, for the outputs of a whole batch. */
  readonly seconds_per_step: number;
  /** How much of that the slowest row would take by itself; at most 1. */
  readonly slowest_share: number | null;
  readonly seconds_per_evaluation: number | null;
  /** Of all training steps and evaluations. */
  readonly seconds_total: number;
}

/** Times of single rows, in seconds. */
export interface RowSeconds {
  readonly mean: number;
  readonly median: number;
  readonly p95: number;
  readonly max: number;
}

/** What a judge would be asked by the job. */
export interface JudgeSection {
  /** The model as the grader names it. */
  readonly judge: string;
  /** Calls for an output. */
  readonly calls_per_row: number;
  /** Of a call, as the endpoint counts them; null where it does not. */
  readonly prompt_tokens_per_call: number | null;
  readonly completion_tokens_per_call: number | null;
  /** Of the whole job. */
  readonly calls: number;
  readonly prompt_tokens: number | null;
  readonly completion_tokens: number | null;
  /** In the currency of the prices; null where the model has none, or its tokens are not known. */
  readonly cost: number | null;
}

/**
 * How long the job would grade.
 *
 * @param concurrency  rows that the service grades at once; undefined: as here
 * @returns undefined where no time is known
 */
export const timeOf = (
  plan: JobPlan,
  { timing }: MeasuredRows,
  record: RunRecord | undefined,
  concurrency: number | undefined,
): TimeSection | undefined => {
  const measured = timing === undefined ? undefined : measuredTime(timing, concurrency);
  const rate = measured?.rows_per_second ?? recordedRate(record);
  if (rate === undefined || !(rate > 0 && rate < Infinity)) return undefined;
  const secondsFor = (calls: number) =>
    Math.max(calls / rate, calls === 0 ? 0 : (measured?.row_seconds.max ?? 0));
  const perStep = secondsFor(plan.calls_per_step);
  const perEvaluation = plan.calls_per_evaluation === null ? null : secondsFor(plan.calls_per_evaluation);
  return {
    basis: measured === undefined ? 'run_record' : 'measured',
    rows_per_second: rate,
    in_flight: measured?.in_flight ?? null,
    row_seconds: measured?.row_seconds ?? null,
    seconds_per_step: perStep,
    slowest_share: measured === undefined || perStep === 0 ? null : measured.row_seconds.max / perStep,
    seconds_per_evaluation: perEvaluation,
    seconds_total: plan.training_calls / rate + plan.evaluations * (perEvaluation ?? 0),
  };
};

/** Undefined also where a cache answered in the place of models, which took no time. */
const recordedRate = (record: RunRecord | undefined): number | undefined => {
  const { cached = 0, shared = 0 } = record?.summary?.models ?? {};
  return cached + shared > 0 ? undefined : record?.summary?.rows_per_second;
};

const measuredTime = ({ milliseconds, seconds, inFlight }: Timing, concurrency: number | undefined) => {
  const at = (share: number) => quantileOf(milliseconds, share) / 1000;
  const mean = totalOf(milliseconds) / milliseconds.length / 1000;
  return {
    rows_per_second: concurrency === undefined ? milliseconds.length / seconds : concurrency / mean,
    in_flight: concurrency ?? inFlight,
    row_seconds: { mean, median: at(0.5), p95: at(0.95), max: at(1) },
  };
};

/** Calls of a judge, and the tokens of those whose reply says them. */
interface JudgeUse {
  readonly judge: string;
  calls: number;
  answered: number;
  promptTokens: number;
  completionTokens: number;
}

/**
 * What the job would ask judges, by what they were asked for the outputs that were graded.
 *
 * @param record  of the run that gave the rewards, where they were not made here
 * @param priceOf  of a model, where it is known
 */
export const judgesOf = (
  plan: JobPlan,
  rows: readonly GradedRow[],
  record: RunRecord | undefined,
  priceOf: (model: string) => Price | undefined,
): readonly JudgeSection[] => {
  const { uses, rowCount } =
    record === undefined
      ? { uses: usesOf(rows), rowCount: rows.filter(({ score }) => score.evidence !== undefined).length }
      : { uses: recordedUses(record), rowCount: record.summary?.rows ?? 0 };
  if (rowCount === 0) return [];
  return uses.map((use) => judgeSection(use, rowCount, plan.grader_calls, priceOf(use.judge)));
};

const judgeSection = (
  { judge, calls, answered, promptTokens, completionTokens }: JudgeUse,
  rows: number,
  graderCalls: number,
  price: Price | undefined,
): JudgeSection => {
  const perRow = calls / rows;
  const jobCalls = perRow * graderCalls;
  const [prompt, completion] =
    answered === 0 ? [null, null] : [promptTokens / answered, completionTokens / answered];
  const cost =
    prompt === null || completion === null || price === undefined
      ? null
      : costOf(prompt * jobCalls, completion * jobCalls, 0, price);
  return {
    judge,
    calls_per_row: perRow,
    prompt_tokens_per_call: prompt,
    completion_tokens_per_call: completion,
    calls: Math.round(jobCalls),
    prompt_tokens: prompt === null ? null : Math.round(prompt * jobCalls),
    completion_tokens: completion === null ? null : Math.round(completion * jobCalls),
    cost,
  };
};

const usesOf = (rows: readonly GradedRow[]): readonly JudgeUse[] => {
  const uses = new Map<string, JudgeUse>();
  for (const { score } of rows)
    for (const { judge, usage } of score.evidence ?? []) {
      const use = useOf(uses, judge);
      use.calls += 1;
      if (usage === undefined) continue;
      use.answered += 1;
      use.promptTokens += usage.prompt_tokens;
      use.completionTokens += usage.completion_tokens;
    }
  return [...uses.values()];
};

const recordedUses = ({ summary }: RunRecord): readonly JudgeUse[] => {
  const uses = new Map<string, JudgeUse>();
  for (const { judge, verdicts, failed, usage } of summary?.judges?.flatMap(({ judges }) => judges) ?? []) {
    const use = useOf(uses, judge);
    use.calls += verdicts;
    if (usage === undefined) continue;
    use.answered += verdicts - failed;
    use.promptTokens += usage.prompt_tokens;
    use.completionTokens += usage.completion_tokens;
  }
  return [...uses.values()];
};

const useOf = (uses: Map<string, JudgeUse>, judge: string): JudgeUse => {
  const known = uses.get(judge);
  if (known !== undefined) return known;
  const use = { judge, calls: 0, answered: 0, promptTokens: 0, completionTokens: 0 };
  uses.set(judge, use);
  return use;
};
