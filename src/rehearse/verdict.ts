import type { ErrorCode } from '../errors.js';
import { whole } from '../results/conclusion.js';
import type { Findings } from './warnings.js';

/** What comes of a rehearsal, in one or two sentences. */
export const verdictOf = (found: Findings): string => `${planSentence(found)} ${outcomeSentence(found)}`;

const planSentence = ({ plan, assumptions }: Findings): string => {
  const { steps, training_calls, evaluation_calls, evaluations } = plan;
  const guessed = assumptions
    .filter(({ source, value, name }) => source === 'assumed' && value !== null && WEIGHTY.has(name))
    .map(({ name }) => name);
  const basis = guessed.length === 0 ? '' : `, with ${listed(guessed)} assumed`;
  const evaluated =
    evaluation_calls === null
      ? ''
      : `, and ${whole(evaluation_calls)} times in ${counted(evaluations, 'evaluation')}`;
  return `The job would take ${counted(steps, 'step')} and call its grader ${whole(training_calls)} times${evaluated}${basis}.`;
};

/** What steps and calls of training are made of. */
const WEIGHTY = new Set(['n_epochs', 'batch_size', 'samples_per_prompt']);

const outcomeSentence = (found: Findings): string => {
  const { failures, signal, rewards, samples } = found;
  if (failures.rows === 0) return 'Nothing was graded.';
  const failed = failedText(found);
  if (samples.origin === 'stand_ins')
    return `${failed}; how many prompts would give a signal cannot be known without samples of the model.`;
  if (rewards === null) return `${failed}, so nothing is known of the rewards.`;
  if (rewards.min === rewards.max) return `${failed}; all rewards are the same, so no prompt gives a signal.`;
  if (signal === null) return `${failed}; how many prompts give a signal takes two samples of each.`;
  return `${failed}; ${share(signal.flat_share)} of the prompts give no signal.`;
};

const failedText = ({ failures, samples }: Findings): string => {
  const what = samples.origin === 'stand_ins' ? 'made-up answer' : 'output';
  if (failures.failed === 0) return `No ${what} fails`;
  const codes = Object.entries(failures.by_code) as [ErrorCode, number][];
  const [[code, count]] = codes;
  const why = codes.length === 1 ? code : `mostly ${code} (${whole(count)} of ${whole(failures.failed)})`;
  return `${share(failures.share ?? 0)} of the ${what}s fail: ${why}`;
};

/** Never 0 % of something that is there. */
const share = (value: number): string => {
  if (value > 0 && value < 0.001) return 'less than 0.1 %';
  if (value < 1 && value > 0.999) return 'more than 99.9 %';
  return `${Number((value * 100).toFixed(1))} %`;
};

const counted = (count: number, one: string): string => `${whole(count)} ${one}${count === 1 ? '' : 's'}`;

const listed = (names: readonly string[]): string =>
  names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
