import * as z from 'zod';
import { CompensatedSum } from '../compensated-sum.js';
import type { PrepareContext, PreparedGrader } from '../contract.js';
import { ConfigError, GradingError, UnavailableError } from '../errors.js';
import type { Judge, JudgeMessage, JudgeReply, ReplyForm, Sampling } from '../judge-call.js';
import { failed, type Evidence, type Failed, type Score } from '../score.js';
import { shorten } from '../show.js';
import { compileMessages, messageItems } from './messages.js';
import { fitSampling } from './model-rules.js';
import { readSampling, samplingParams } from './sampling.js';
import type { Reading } from './verdict.js';

const COMBINATIONS = ['mean', 'median', 'majority'] as const;

type Combination = (typeof COMBINATIONS)[number];

const MAX_REPEAT = 100;
const REPEAT_MESSAGE = `expected a whole number from 1 to ${MAX_REPEAT}`;
const MODEL_MESSAGE = 'expected the name of a model';

/** Choices that the API leaves open, of both model graders. */
const judgeOptions = z
  .object({
    repeat: z
      .int()
      .min(1, REPEAT_MESSAGE)
      .max(MAX_REPEAT, REPEAT_MESSAGE)
      .optional()
      .describe('How many independent verdicts of each judge; default 1'),
    panel: z
      .array(z.string().min(1, MODEL_MESSAGE))
      .min(1, 'expected at least one model')
      .optional()
      .describe('The models that judge, in place of model'),
    combine: z
      .enum(COMBINATIONS)
      .optional()
      .describe('What several verdicts come to; majority takes the lowest of those given most often'),
  })
  .optional();

/** The fields of both model graders. */
export const judgeFields = {
  model: z.string().min(1, MODEL_MESSAGE).describe('The model that judges'),
  input: messageItems.describe('The messages that the model is asked with; templates show it what to grade'),
  sampling_params: samplingParams.describe('How the model samples; what is not given is left to the model'),
  assay: judgeOptions.describe('Choices that the API leaves open'),
};

/** What both model graders have in their configuration. */
export type JudgeConfig = z.output<z.ZodObject<typeof judgeFields>>;

/** What a kind of model grader has of its own. */
export interface JudgedKind<Result extends number | string> {
  readonly type: string;
  readonly form: ReplyForm;
  /** What several verdicts come to where the configuration does not say. */
  readonly combine: Combination;
  read(reply: JudgeReply): Reading<Result>;
  /** What a verdict is worth, in the grader's own units. */
  rewardOf(result: Result): number;
  score(reward: number): Score;
}

/** How many rows are asked about at once; the judge itself decides how many calls are in flight. */
const WINDOW = 512;

/**
 * A grader that asks models.
 *
 * @throws ConfigError for mistakes that are in no single field; UnavailableError when there is no judge
 */
export const prepareJudged = <Result extends number | string>(
  config: JudgeConfig,
  kind: JudgedKind<Result>,
  context: PrepareContext,
): PreparedGrader => {
  const { sampling, issues } = readSampling(config.sampling_params);
  if (issues.length > 0) throw new ConfigError(issues);
  const messages = compileMessages(config.input);
  for (const warning of messages.warnings) context.warn({ ...warning, path: ['input', ...warning.path] });
  const { repeat = 1, combine = kind.combine } = config.assay ?? {};
  const members = seatPanel(config, sampling, context);
  const judge = availableJudge(kind.type, context);
  judge.check?.(members.map(({ model }) => model));
  const calls = members.flatMap((member) =>
    Array.from({ length: repeat }, (_, index) => ({ ...member, repeat: index })),
  );
  const ask = async (messagesOfRow: readonly JudgeMessage[]): Promise<Score> => {
    const outcomes = calls.map((call) => verdictOf(judge, call, messagesOfRow, kind, repeat > 1));
    return merge(await Promise.all(outcomes), kind, combine);
  };
  return {
    signature: signatureOf(kind.type, members, repeat, combine),
    variables: messages.variables,
    window: Math.ceil(WINDOW / calls.length),
    // Rendered at once: the row is gone when the judges have answered.
    grade: (row) => ask(messages.render(row)),
  };
};

/** A model of the panel, and what is sent to it. */
interface Member {
  readonly model: string;
  readonly sampling: Sampling;
}

const seatPanel = (
  { model, assay = {} }: JudgeConfig,
  sampling: Sampling,
  { judge, warn }: PrepareContext,
): readonly Member[] => {
  const { panel = [model], combine, repeat = 1 } = assay;
  warnAboutPanel(model, panel, warn);
  if (combine !== undefined && panel.length * repeat === 1) {
    const message = 'has no effect: there is one verdict';
    warn({ path: ['assay', 'combine'], message, hint: 'ask for more with "repeat" or "panel"' });
  }
  return panel.map((each) => {
    const { name, rules } = judge?.modelFor?.(each) ?? { name: each };
    const fitted = fitSampling(name, sampling, rules);
    for (const key of fitted.dropped) {
      const message = `${key} is not sent: ${name} refuses it`;
      warn({ path: ['sampling_params'], message, hint: 'rules of your own for the model can change that' });
    }
    return { model: each, sampling: fitted.sampling };
  });
};

const warnAboutPanel = (model: string, panel: readonly string[], warn: PrepareContext['warn']): void => {
  panel.forEach((each, index) => {
    if (panel.indexOf(each) === index) return;
    const message = `${each} is in the panel twice, and gives the same verdict twice`;
    warn({ path: ['assay', 'panel', index], message, hint: 'for independent verdicts use "repeat"' });
  });
  if (panel.includes(model)) return;
  const message = `${model} is not in the panel, so it is not asked`;
  warn({ path: ['assay', 'panel'], message });
};

const availableJudge = (type: string, { judge }: PrepareContext): Judge => {
  if (judge !== undefined) return judge;
  throw new UnavailableError(`${type} graders cannot run: this program has not said where models are asked`);
};

/** `score_model:gpt-4.1`, `label_model:majority(gpt-4.1*3, o3*3)`. */
const signatureOf = (
  type: string,
  members: readonly Member[],
  repeat: number,
  combine: Combination,
): string => {
  const judges = members.map(({ model }) => (repeat > 1 ? `${model}*${repeat}` : model));
  return members.length * repeat === 1 ? `${type}:${judges[0]}` : `${type}:${combine}(${judges.join(', ')})`;
};

/** What became of one call. */
interface Outcome<Result extends number | string> {
  readonly reading: Reading<Result>;
  readonly evidence: Evidence;
}

const verdictOf = async <Result extends number | string>(
  judge: Judge,
  { model, sampling, repeat }: Member & { readonly repeat: number },
  messages: readonly JudgeMessage[],
  kind: JudgedKind<Result>,
  isRepeated: boolean,
): Promise<Outcome<Result>> => {
  const place = { judge: model, ...(isRepeated && { repeat }) };
  try {
    const reply = await judge.ask({ model, messages, sampling, form: kind.form, repeat });
    const reading = kind.read(reply);
    return {
      reading,
      evidence: { ...place, ...replyEvidence(reply), ...readingEvidence(reading, reply.text) },
    };
  } catch (error) {
    if (!(error instanceof GradingError)) throw error;
    const { code, message } = error;
    return { reading: failed(code, message), evidence: { ...place, code, message } };
  }
};

const replyEvidence = ({ model, finishReason, usage }: JudgeReply): Partial<Evidence> => ({
  model,
  ...(finishReason !== undefined && { finish_reason: finishReason }),
  ...(usage !== undefined && { usage }),
});

const MAX_TEXT_LENGTH = 4_000;

const readingEvidence = <Result extends number | string>(
  reading: Reading<Result>,
  text: string,
): Partial<Evidence> => {
  const shortened = { text: shorten(text, MAX_TEXT_LENGTH) };
  if (reading.status === 'failed') {
    const { code, message } = reading;
    return { ...(text !== '' && shortened), code, message };
  }
  const { given, steps, repairs } = reading;
  const isReworded = repairs.some((repair) => repair !== 'clamped');
  return {
    result: given,
    ...(steps.length > 0 && { steps }),
    ...(repairs.length > 0 && { repairs }),
    ...(isReworded && shortened),
  };
};

/** A row with a verdict that is missing is failed: fewer judges than were asked for would be another grader. */
const merge = <Result extends number | string>(
  outcomes: readonly Outcome<Result>[],
  kind: JudgedKind<Result>,
  combine: Combination,
): Score => {
  const evidence = outcomes.map((outcome) => outcome.evidence);
  const rewards: number[] = [];
  for (const {
    reading,
    evidence: { judge },
  } of outcomes) {
    if (reading.status === 'failed') return { ...inPanel(reading, judge, outcomes.length), evidence };
    rewards.push(kind.rewardOf(reading.result));
  }
  return { ...kind.score(COMBINE[combine](rewards)), evidence };
};

const inPanel = (failure: Failed, judge: string, size: number): Failed =>
  size === 1 ? failure : { ...failure, message: `${judge}: ${failure.message}` };

const mean = (rewards: readonly number[]): number => {
  const sum = new CompensatedSum();
  for (const reward of rewards) sum.add(reward);
  // Rounding must not take the mean of equal rewards away from them.
  return Math.min(Math.max(sum.total / rewards.length, Math.min(...rewards)), Math.max(...rewards));
};

const median = (rewards: readonly number[]): number => {
  const sorted = rewards.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return mean(sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1));
};

/** The reward that was given most often; of several such the lowest, for a tie convinces nobody. */
const majority = (rewards: readonly number[]): number => {
  const votes = new Map<number, number>();
  for (const reward of rewards) votes.set(reward, (votes.get(reward) ?? 0) + 1);
  const most = Math.max(...votes.values());
  return Math.min(...rewards.filter((reward) => votes.get(reward) === most));
};

const COMBINE: Readonly<Record<Combination, (rewards: readonly number[]) => number>> = {
  mean,
  median,
  majority,
};
