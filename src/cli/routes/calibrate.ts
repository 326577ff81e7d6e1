import { buildCommand } from '@stricli/core';
import type { CalibrateFlags } from '../calibrate.js';
import { UsageError, type CommandContext } from '../context.js';
import { atLeastOne, fileFlags, optional, switchedOn, text } from '../flags.js';

const finite = (value: string): number => {
  const number = Number(value);
  if (value.trim() !== '' && Number.isFinite(number)) return number;
  throw new UsageError(`expected a number, got ${value}`);
};

/** `assay calibrate`: its flags and help. */
export const calibrateCommand = buildCommand<CalibrateFlags, [scores: string], CommandContext>({
  loader: async () => (await import('../calibrate.js')).calibrateCommand,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ placeholder: 'scores', brief: 'Results file, as assay run -o writes it', parse: text }],
    },
    flags: {
      labels: { kind: 'parsed', parse: text, brief: 'PATH in the rows (item.is_correct), or FILE of labels' },
      passing: { ...optional, variadic: true, brief: 'LABEL that passes, or ">=X" for numbers; others fail' },
      threshold: { ...optional, parse: finite, brief: 'X: a row passes from this reward on' },
      goal: { ...optional, brief: 'GOAL: threshold for balanced_accuracy, f1, precision=X' },
      scale: {
        kind: 'enum',
        values: ['same', 'fitted'],
        optional: true,
        brief: 'Scores are on the scale of the labels, or fitted to it',
      },
      bins: { ...optional, parse: atLeastOne, brief: 'N: bins of the calibration curve; default 10' },
      member: { ...optional, brief: 'NAME: a member of a multi or a criterion, not the whole' },
      group: { ...optional, brief: 'PATH: rows with one value here belong together' },
      position: { ...optional, brief: 'PATH of the position (item.position), or sample' },
      data: { ...optional, variadic: true, brief: 'FILE of the dataset, where it is not found by itself' },
      ...fileFlags,
      minKappa: { ...optional, parse: finite, brief: 'X: exit 1 unless kappa is surely at least X' },
      minAuc: { ...optional, parse: finite, brief: 'X: exit 1 unless the AUC is surely at least X' },
      minAccuracy: {
        ...optional,
        parse: finite,
        brief: 'X: exit 1 unless the accuracy is surely at least X',
      },
      json: switchedOn('Everything as JSON on standard output'),
      quiet: switchedOn('No report, for gates alone'),
    },
  },
  docs: {
    brief: 'Compare the scores of a judge, or any reward, with labels of people',
    fullDescription: [
      'Say how far scores agree with what people say, and where they do not: by class, by threshold, by',
      'length and position of the answer, from one time to the next.',
      '',
      'Labels are true or false, 0 or 1, pass or fail; numbers, such as 1 to 5; or texts, which are compared',
      'with the labels that a label_model chose. They stand in the rows, or in a file of their own (JSONL,',
      'JSON, CSV, TSV, Parquet) with "row", the number of a row from 0 [and "sample"], or "id", and "label",',
      'or a list as "labels". A file may label a row several times, with "annotator" or without: then people',
      'are compared with each other, and scores with their majority, or mean.',
      '',
      'A row passes where the results say so, or from --threshold on, or from the threshold on that is best',
      'on these rows. Rows that failed enter nothing. Samples of a row, rows of a group (run --group), and',
      'rows with one value at --group are taken as one cluster, within which scores may depend on each other.',
      '',
      'Gates look at the lower end of the 95 % interval. --min-kappa is about the quadratic kappa where labels',
      'are numbers of three or more classes. Kappa and accuracy need a "passed" in the results, or --threshold.',
      '',
      'Exit codes: 0 fine, 1 a gate failed, 2 bad usage, or files that cannot be compared, 130 interrupted.',
    ].join('\n'),
  },
});
