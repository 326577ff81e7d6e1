import { buildCommand } from '@stricli/core';
import type { CommandContext } from '../context.js';
import {
  fileFlags,
  judgeFlags,
  method,
  optional,
  prepareFlags,
  pythonFlags,
  shapeFlags,
  text,
} from '../flags.js';
import type { ValidateFlags } from '../validate.js';

/** `assay validate`: its flags and help. */
export const validateCommand = buildCommand<ValidateFlags, string[], CommandContext>({
  loader: async () => (await import('../validate.js')).validateCommand,
  parameters: {
    positional: {
      kind: 'array',
      parameter: {
        placeholder: 'file',
        brief: 'Grader, testing criteria, eval, or fine-tuning job; with --method, training files',
        parse: text,
      },
      minimum: 1,
    },
    flags: {
      rows: {
        kind: 'parsed',
        parse: text,
        optional: true,
        brief: 'DATA: try the graders on its first 200 rows',
      },
      method: { ...optional, parse: method, brief: 'NAME: check training files of this method' },
      validation: { ...optional, brief: 'FILE: the validation file, for --method' },
      grader: { ...optional, brief: 'JOB: rows need the names in its grader; for --method' },
      ...fileFlags,
      ...shapeFlags,
      ...prepareFlags,
      ...pythonFlags,
      ...judgeFlags,
      json: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Print what was found as JSON on standard output',
      },
    },
  },
  docs: {
    brief: 'Check grader files: every mistake, with its place and what to do',
    fullDescription: [
      'Check grader files and report every mistake, with its place and what to do.',
      '',
      'With --rows the graders also grade the first 200 rows of a dataset, in their order and then in',
      'reverse with a fresh start: rewards that differ depend on what was graded before. Judges and',
      'embedding models are asked for that as in a run, and may cost; what they took is said at the end.',
      '',
      'With --method the files are training files: every row is checked against the documented rules of',
      'supervised, dpo or reinforcement fine-tuning. What is only inferred from them is a warning.',
      '',
      'Exit codes: 0 fine, 1 rewards depend on the order of the rows, 2 bad usage or a mistake in a file,',
      '3 rows failed, 130 interrupted.',
    ].join('\n'),
  },
});
