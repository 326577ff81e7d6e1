import { styleText } from 'node:util';
import type { JudgeSection, TimeSection } from '../rehearse/cost.js';
import type { SignalSection, StandInRewards } from '../rehearse/outcome.js';
import type { Assumption, JobPlan } from '../rehearse/plan.js';
import type { CheckedFile, Rehearsal, SampleSection } from '../rehearse/rehearsal.js';
import { onOneLine, printable } from '../show.js';
import { counted, intervalText, number, percent, wrap } from './layout.js';
import type { SummaryLook } from './summary.js';

/** What a person reads of a rehearsal; what comes of it is said first, then what is wrong. */
export const renderRehearsal = (rehearsal: Rehearsal, { colour, columns = 80 }: SummaryLook): string => {
  const bold = (text: string): string => (colour ? styleText('bold', text, { validateStream: false }) : text);
  const sections = [
    wrap(printable(rehearsal.verdict), columns).map(bold),
    warningLines(rehearsal, columns),
    jobLines(rehearsal, columns),
    planLines(rehearsal, columns),
    outcomeLines(rehearsal, columns),
    assumptionLines(rehearsal.assumptions, columns),
  ];
  const lines = sections.filter((section) => section.length > 0).map((section) => section.join('\n'));
  return `${lines.join('\n\n')}\n`;
};

const LABEL_WIDTH = 14;

/** A line that begins with what it is about. */
const labelled = (label: string, text: string, columns: number): string[] =>
  wrap(printable(text), columns - LABEL_WIDTH).map(
    (line, index) => `${`  ${index === 0 ? label : ''}`.padEnd(LABEL_WIDTH)}${line}`,
  );

const warningLines = ({ warnings }: Rehearsal, columns: number): string[] =>
  warnings.flatMap(({ message, hint }) => [
    ...wrap(printable(`warning: ${onOneLine(message)}`), columns, 2),
    ...(hint === null ? [] : wrap(printable(`hint: ${hint}`), columns, 4)),
  ]);

// The job

const jobLines = ({ job, files, samples }: Rehearsal, columns: number): string[] => {
  const { name, signature } = job.grader;
  const model = job.model === null ? '' : `trains ${job.model}; `;
  return [
    ...labelled('job', `${job.path}: ${model}grader ${name}, ${signature}`, columns),
    ...fileLines('training', files.training, columns),
    ...(files.validation === null
      ? labelled('validation', 'none was given', columns)
      : fileLines('validation', files.validation, columns)),
    ...labelled('outputs', sampleText(samples), columns),
  ];
};

const fileLines = (label: string, report: CheckedFile, columns: number): string[] => {
  const { file, rows, errors, warnings, counts } = report;
  const found = [
    ...(errors > 0 ? [counted(errors, 'mistake')] : []),
    ...(warnings > 0 ? [counted(warnings, 'warning')] : []),
  ];
  const rules = counts.map(({ count, summary, first_line }) => {
    const first = first_line === null ? '' : `, first in line ${first_line}`;
    return `${count} × ${summary}${first}`;
  });
  const conclusion = found.length === 0 ? 'fine' : found.join(', ');
  return [
    ...labelled(label, `${file}: ${counted(rows, 'row')}, ${conclusion}`, columns),
    ...rules.flatMap((rule) => labelled('', rule, columns)),
  ];
};

const sampleText = (samples: SampleSection): string => {
  const { origin, files, prompts, available, rows, not_reused, seed } = samples;
  const of = prompts < available ? ` of ${available.toLocaleString('en')}, drawn with seed ${seed}` : '';
  const outputs = `${counted(rows, 'output')} of ${counted(prompts, 'prompt')}${of}`;
  const from = files.join(' ');
  if (origin === 'results') return `${outputs}, from ${from}; rewards as the results of the same grader say`;
  if (origin === 'training_rows') return `${outputs}, the samples in the training rows`;
  if (origin === 'dataset')
    return `${outputs}, from ${from}, graded ${not_reused === null ? 'here' : `anew: the rewards are not taken, for ${not_reused}`}`;
  return `none was given; ${counted(rows, 'answer')} for ${counted(prompts, 'training row')}${of} are made up: of the references that the grader reads (ideal), and of the prompt itself (echo). How good the model is, and how many prompts give a signal, takes outputs of it: sample each prompt several times, and name the file with --samples`;
};

// What it would do

const planLines = (
  { plan, useful_prompts_per_batch, time, judges }: Rehearsal,
  columns: number,
): string[] => [
  ...labelled('steps', stepsText(plan), columns),
  ...labelled('calls', callsText(plan), columns),
  ...labelled('evaluations', evaluationsText(plan), columns),
  ...(useful_prompts_per_batch === null
    ? []
    : labelled(
        'signal',
        `about ${useful_prompts_per_batch.toFixed(1)} of ${Math.min(plan.batch_size, plan.rows)} prompts of a batch have rewards that differ`,
        columns,
      )),
  ...(time === null ? labelled('time', 'not known', columns) : timeLines(time, columns)),
  ...judges.flatMap((judge) => labelled('judge', judgeText(judge), columns)),
];

const whole = (value: number): string => value.toLocaleString('en');

const stepsText = ({ steps, steps_per_epoch, n_epochs, batch_size, rows }: JobPlan): string =>
  `${whole(steps)}: ${whole(steps_per_epoch)} in each of ${counted(n_epochs, 'epoch')}, with ${batch_size} of ${whole(rows)} training rows in a step`;

const callsText = ({ grader_calls, calls_per_step, training_calls, samples_per_prompt }: JobPlan): string =>
  `${whole(grader_calls)} of the grader: ${whole(training_calls)} in training, ${whole(calls_per_step)} in a step with ${counted(samples_per_prompt, 'sample')} of a prompt`;

const evaluationsText = ({
  evaluations,
  eval_interval,
  evaluation_calls,
  calls_per_evaluation,
}: JobPlan): string => {
  const often = `${whole(evaluations)}, every ${counted(eval_interval, 'step')}`;
  return evaluation_calls === null || calls_per_evaluation === null
    ? `${often}; their calls are not known without --validation`
    : `${often}, of ${whole(calls_per_evaluation)} calls each: ${whole(evaluation_calls)}`;
};

const timeLines = (time: TimeSection, columns: number): string[] => {
  const { basis, rows_per_second, in_flight, row_seconds, seconds_per_step, slowest_share, seconds_total } =
    time;
  const where =
    basis === 'run_record'
      ? 'the rate of the run with the results'
      : `with ${in_flight} at once, as measured`;
  const slowest =
    slowest_share === null || seconds_per_step < WORTH_SECONDS
      ? ''
      : `; the slowest row alone takes ${percent(slowest_share, 0)} of a step`;
  return [
    ...labelled(
      'time',
      `grading takes ${duration(seconds_per_step)} a step and ${duration(seconds_total)} in all, at ${number(rows_per_second)} rows/s (${where})${slowest}. It is billed as time of training`,
      columns,
    ),
    ...(row_seconds === null
      ? []
      : labelled(
          '',
          `a row takes ${duration(row_seconds.median)} (median), ${duration(row_seconds.p95)} (95 %), ${duration(row_seconds.max)} (slowest)`,
          columns,
        )),
  ];
};

/** Of shorter steps nobody asks which row takes long. */
const WORTH_SECONDS = 1;

/** `12 µs`, `1.2 s`, `3 min`, `2.5 h` */
const duration = (seconds: number): string => {
  if (seconds < 1e-3) return `${two(seconds * 1e6)} µs`;
  if (seconds < 1) return `${two(seconds * 1e3)} ms`;
  if (seconds < 90) return `${two(seconds)} s`;
  return seconds < 5400 ? `${two(seconds / 60)} min` : `${two(seconds / 3600)} h`;
};

/** Two digits, and all of those before the point. */
const two = (value: number): string =>
  value >= 10 ? whole(Math.round(value)) : String(Number(value.toPrecision(2)));

const judgeText = (judge: JudgeSection): string => {
  const { calls, calls_per_row, prompt_tokens, completion_tokens, cost } = judge;
  const tokens =
    prompt_tokens === null || completion_tokens === null
      ? 'whose tokens are not known: the endpoint does not say them'
      : `${whole(prompt_tokens)} prompt tokens and ${whole(completion_tokens)} of replies`;
  const price =
    cost === null ? 'with a price in assay.config.json it would say the cost' : `for ${number(cost)}`;
  return `${judge.judge}: ${counted(calls, 'call')}, ${number(calls_per_row)} for an output; ${tokens}; ${price}`;
};

// What came out of grading

const outcomeLines = (rehearsal: Rehearsal, columns: number): string[] => [
  ...failureLines(rehearsal, columns),
  ...rewardLines(rehearsal, columns),
  ...(rehearsal.signal === null ? [] : signalLines(rehearsal.signal, rehearsal.plan, columns)),
  ...standInLines(rehearsal, columns),
  ...outputLines(rehearsal, columns),
];

const failureLines = ({ failures }: Rehearsal, columns: number): string[] => {
  const { rows, failed, share, share_interval, by_code, first } = failures;
  if (failed === 0 || share === null) return labelled('failed', `0 of ${counted(rows, 'output')}`, columns);
  const codes = Object.entries(by_code).map(([code, count]) => `${code} ${whole(count)}`);
  const interval = intervalText(share_interval, percent);
  const more = failed > first.length ? [`    … and ${whole(failed - first.length)} more`] : [];
  return [
    ...labelled(
      'failed',
      `${whole(failed)} of ${counted(rows, 'output')}, ${percent(share)} (95 %: ${interval}): ${codes.join(', ')}`,
      columns,
    ),
    ...first.flatMap(({ place, code, message }) =>
      wrap(printable(`${place}: ${code}: ${onOneLine(message)}`), columns, 4),
    ),
    ...more,
  ];
};

const rewardLines = ({ rewards, failures }: Rehearsal, columns: number): string[] => {
  if (rewards === null) return [];
  const { mean, mean_interval, caution, min, max, distinct, floor_share, ceiling_share, hosted_mean } =
    rewards;
  const few = caution === 'few_clusters' ? ', of so few prompts that it may be too narrow' : '';
  const interval = mean_interval === null ? '' : ` (95 %: ${intervalText(mean_interval, number)}${few})`;
  return [
    ...labelled('rewards', `mean ${number(mean)}${interval}`, columns),
    ...labelled(
      '',
      `${number(min)} to ${number(max)}, ${counted(distinct, 'different value')}; ${percent(floor_share)} at the least, ${percent(ceiling_share)} at the greatest`,
      columns,
    ),
    ...(failures.failed === 0
      ? []
      : labelled(
          '',
          `the service would see a mean of ${number(hosted_mean)}: it counts what failed, mostly as 0`,
          columns,
        )),
  ];
};

const signalLines = (signal: SignalSection, plan: JobPlan, columns: number): string[] => {
  const { prompts, samples_per_prompt, flat_share, flat_interval, all_at_ceiling, all_at_floor } = signal;
  const drawn = plan.samples_per_prompt;
  const bias =
    Math.abs(samples_per_prompt - drawn) < 0.5
      ? ''
      : `; with the ${drawn} of the plan it would be ${samples_per_prompt < drawn ? 'less' : 'more'}`;
  return [
    ...labelled(
      'no spread',
      `${percent(flat_share)} of ${counted(prompts, 'prompt')} (95 %: ${intervalText(flat_interval, percent)}) with ${number(samples_per_prompt)} samples each${bias}`,
      columns,
    ),
    ...labelled(
      '',
      `${percent(all_at_ceiling)} all at the greatest reward, ${percent(all_at_floor)} all at the least; within a prompt rewards spread by ${number(signal.deviation_within)}`,
      columns,
    ),
  ];
};

const standInLines = ({ stand_ins }: Rehearsal, columns: number): string[] =>
  (stand_ins?.answers ?? []).flatMap((answer) => labelled(answer.kind, standInText(answer), columns));

const standInText = ({ rows, failed, mean, min, max }: StandInRewards): string => {
  const counts = `${counted(rows, 'answer')}, ${whole(failed)} failed`;
  if (mean === null || min === null || max === null) return counts;
  return `${counts}; reward ${number(mean)} on average, ${number(min)} to ${number(max)}`;
};

const outputLines = ({ outputs }: Rehearsal, columns: number): string[] => {
  if (outputs === null) return [];
  const { name, checked, not_json, mismatched, first, unchecked_keywords } = outputs;
  const bad = not_json + mismatched;
  const found =
    bad === 0
      ? 'all fit'
      : `${whole(bad)} do not fit: ${whole(not_json)} not JSON, ${whole(mismatched)} against the schema`;
  const unchecked = unchecked_keywords.length === 0 ? '' : `; not checked: ${unchecked_keywords.join(', ')}`;
  return [
    ...labelled('format', `${name}: of ${counted(checked, 'output')} ${found}${unchecked}`, columns),
    ...first.flatMap(({ place, message }) => wrap(printable(`${place}: ${message}`), columns, 4)),
  ];
};

// What it rests on

const SOURCES: Readonly<Record<Assumption['source'], string>> = {
  job_file: 'job file',
  documented: 'documented',
  given: '--assume',
  assumed: 'assumed',
};

const NAME_WIDTH = 24;
const VALUE_WIDTH = 8;

/** Numbers of the job file need no words. */
const assumptionLines = (assumptions: readonly Assumption[], columns: number): string[] => {
  const indent = ' '.repeat(NAME_WIDTH + VALUE_WIDTH);
  return [
    '  the plan rests on',
    ...assumptions.flatMap(({ name, value, source, note }) => {
      const told =
        source === 'job_file' || source === 'given' ? SOURCES[source] : `${SOURCES[source]}: ${note}`;
      const start =
        `    ${name}`.padEnd(NAME_WIDTH) + (value === null ? '' : number(value)).padEnd(VALUE_WIDTH);
      return wrap(told, columns - indent.length).map((line, index) => (index === 0 ? start : indent) + line);
    }),
  ];
};
