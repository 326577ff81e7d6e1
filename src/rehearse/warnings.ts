import type { TrainingFileReport } from '../methods/training-file.js';
import type { ReinforcementJob } from './job.js';
import type { Rehearsal } from './rehearsal.js';

/** Something that the job would suffer from. */
export interface Warning {
  /** What it is about, for programs; the names stay. */
  readonly code: string;
  readonly message: string;
  /** What to do about it. */
  readonly hint: string | null;
}

/** A rehearsal that has not been judged yet. */
export type Findings = Omit<Rehearsal, 'verdict' | 'warnings'>;

/**
 * The hosted service's limits of a python grader: time for a row, and memory. Its limit for the source is checked with
 * the grader.
 *
 * @see https://platform.openai.com/docs/guides/graders (technical constraints)
 */
export const HOSTED_SECONDS = 120;
export const HOSTED_MEBIBYTES = 2048;
/** Slower rows come near the limit on a slower machine. */
const SLOW_SECONDS = HOSTED_SECONDS / 4;
/** More prompts without any signal than this are worth a warning. */
const MANY_FLAT = 0.5;

/**
 * Everything that the job would suffer from, the gravest first.
 *
 * @param loosened  flags that give a Python grader more than the service does
 */
export const warningsOf = (
  found: Findings,
  job: ReinforcementJob,
  loosened: readonly string[],
): readonly Warning[] => [
  ...graderWarnings(job),
  ...nameWarnings(found.files.training),
  ...failureWarnings(found),
  ...formatWarnings(found, job),
  ...rewardWarnings(found),
  ...signalWarnings(found),
  ...standInWarnings(found),
  ...planWarnings(found),
  ...sampleWarnings(found),
  ...timeWarnings(found, job),
  ...limitWarnings(job, loosened),
];

const warning = (code: string, message: string, hint: string | null = null): Warning => ({
  code,
  message,
  hint,
});

/** What jobs accept is narrower than what graders there are. */
const graderWarnings = ({ grader }: ReinforcementJob): readonly Warning[] => [
  ...(grader.types.has('label_model')
    ? [
        warning(
          'not_for_jobs',
          'the grader has a label_model, which the documentation lists for evals alone',
          'a score_model can be told to give 1 for one label and 0 for the others',
        ),
      ]
    : []),
  ...(grader.hasCosine
    ? [
        warning(
          'not_for_jobs',
          'the grader compares by cosine, which the documentation lists for evals alone',
        ),
      ]
    : []),
];

const nameWarnings = ({ counts, findings, rows }: TrainingFileReport): readonly Warning[] => {
  const missing = counts.find(({ rule }) => rule === 'template_name');
  if (missing === undefined) return [];
  const first = findings.find(({ rule }) => rule === 'template_name');
  const example = first === undefined ? '' : `: ${first.message}`;
  const times = missing.count === 1 ? 'once' : `${missing.count} times`;
  return [
    warning(
      'missing_names',
      `the grader asks for names that training rows do not have, ${times} in ${rows} rows, first in line ${missing.first_line}${example}`,
      'their outputs fail with invalid_variable_error, whatever the model says',
    ),
  ];
};

const failureWarnings = ({ failures }: Findings): readonly Warning[] => {
  const raised = failures.by_code.python_grader_runtime_error ?? 0;
  return [
    ...(raised > 0
      ? [
          warning(
            'runtime_errors',
            `the Python grader raised, or gave no number, for ${raised} of ${failures.rows} outputs`,
            'the service ends a job with too many of these; how many are too many is not documented',
          ),
        ]
      : []),
    ...(failures.not_graded > 0
      ? [
          warning(
            'not_graded',
            `${failures.not_graded} outputs were not graded: ${failures.not_graded_reason}`,
          ),
        ]
      : []),
  ];
};

const formatWarnings = ({ outputs }: Findings, job: ReinforcementJob): readonly Warning[] => {
  if (outputs === null)
    return job.format === undefined && job.grader.readsJson
      ? [
          warning(
            'json_without_format',
            'the grader reads sample.output_json, and the job has no response_format',
            'the documentation gives samples an output_json only where the job has one; here it was read from the text',
          ),
        ]
      : [];
  const { checked, not_json, mismatched, first } = outputs;
  const bad = not_json + mismatched;
  if (bad === 0) return [];
  const parts = [
    ...(not_json > 0 ? [`${not_json} ${not_json === 1 ? 'is' : 'are'} not JSON`] : []),
    ...(mismatched > 0 ? [`${mismatched} ${mismatched === 1 ? 'does' : 'do'} not fit the schema`] : []),
  ];
  const [example] = first;
  return [
    warning(
      'response_format',
      `of ${checked} outputs ${parts.join(', and ')} of response_format ${JSON.stringify(outputs.name)}: ${example.place}: ${example.message}`,
      'were they sampled with this response_format? Those of the job would be',
    ),
  ];
};

const rewardWarnings = ({ rewards }: Findings): readonly Warning[] => {
  if (rewards === null) return [];
  const { min, max, scored } = rewards;
  return [
    ...(min < 0 || max > 1 ? [outOfRange(min, max)] : []),
    ...(min === max && scored > 1
      ? [
          warning(
            'constant_reward',
            `every output has the reward ${min}: there is nothing to learn from`,
            'try the grader on outputs that differ, or reward parts of an answer',
          ),
        ]
      : []),
  ];
};

const outOfRange = (min: number, max: number): Warning =>
  warning(
    'reward_range',
    `rewards go from ${number(min)} to ${number(max)}, beyond 0 to 1`,
    'what the trainer makes of such rewards is not documented; a multi can scale them',
  );

const number = (value: number): string => String(Number(value.toPrecision(4)));

const signalWarnings = ({ signal, rewards, samples }: Findings): readonly Warning[] => {
  if (samples.origin === 'stand_ins' || rewards === null || rewards.min === rewards.max) return [];
  if (signal === null)
    return [
      warning(
        'one_sample',
        'no prompt has two rewards, so how many prompts give a signal is not known',
        'give several samples of each prompt, or name what those of one prompt have in common with --group',
      ),
    ];
  if (signal.flat_share <= MANY_FLAT) return [];
  return [
    warning(
      'flat_prompts',
      `${(signal.flat_share * 100).toFixed(0)} % of the prompts give no signal: all their rewards are equal`,
      'leave out prompts that are always solved or never, or give credit for parts',
    ),
  ];
};

const standInWarnings = ({ stand_ins }: Findings): readonly Warning[] => {
  if (stand_ins === null) return [];
  const { answers, compared, same_reward } = stand_ins;
  const ends = answers.flatMap(({ min, max }) => (min === null || max === null ? [] : [min, max]));
  const [min, max] = [Math.min(...ends), Math.max(...ends)];
  return [
    ...(ends.length > 0 && (min < 0 || max > 1) ? [outOfRange(min, max)] : []),
    ...(compared > 0 && same_reward === compared
      ? [
          warning(
            'constant_reward',
            'an answer made of the references and the prompt repeated have the same reward everywhere',
            'look whether the grader reads what it is meant to',
          ),
        ]
      : []),
  ];
};

const planWarnings = ({ plan, files }: Findings): readonly Warning[] => [
  ...(files.validation === null
    ? [
        warning(
          'no_validation',
          'evaluations are not counted: there is no validation file, and a reinforcement job needs one',
          'name it with --validation',
        ),
      ]
    : []),
  ...(plan.evaluations === 0
    ? [
        warning(
          'no_evaluation',
          `with an evaluation every ${plan.eval_interval} steps, a job of ${plan.steps} would have none`,
          'set eval_interval',
        ),
      ]
    : []),
  ...(plan.batch_size > plan.rows
    ? [
        warning(
          'batch_size',
          `batch_size is ${plan.batch_size}, and there are ${plan.rows} training rows: every epoch is a single step`,
        ),
      ]
    : []),
];

const sampleWarnings = ({ samples }: Findings): readonly Warning[] => {
  const { matched, available } = samples;
  if (matched === null || matched >= available) return [];
  return [
    warning(
      'other_prompts',
      matched === 0
        ? 'no sample has the prompt of a training row: are they of other data?'
        : `of the ${available} prompts with samples, ${matched} are those of training rows`,
      'prompts are compared by the last message of the user',
    ),
  ];
};

const timeWarnings = ({ time }: Findings, { grader }: ReinforcementJob): readonly Warning[] => {
  const slowest = time?.row_seconds?.max ?? 0;
  if (!grader.types.has('python') || slowest < SLOW_SECONDS) return [];
  return [
    warning(
      'slow_rows',
      `the slowest row took ${slowest.toFixed(1)} s, and the service stops a Python grader after ${HOSTED_SECONDS} s`,
      'its machine may be slower than this one',
    ),
  ];
};

const limitWarnings = ({ grader }: ReinforcementJob, loosened: readonly string[]): readonly Warning[] =>
  grader.types.has('python') && loosened.length > 0
    ? [
        warning(
          'looser_limits',
          `with ${loosened.join(' and ')} the Python grader may take more here than the service lets it`,
          `there it has ${HOSTED_SECONDS} s for a row, and 2 GB`,
        ),
      ]
    : [];
