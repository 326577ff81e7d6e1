import { buildCommand } from '@stricli/core';
import type { CommandContext } from '../context.js';
import {
  atLeastOne,
  count,
  judgeFlags,
  optional,
  prepareFlags,
  pythonFlags,
  share,
  switchedOn,
  text,
  threads,
} from '../flags.js';
import type { RehearseFlags } from '../rehearse.js';

/** `assay rehearse`: its flags and help. */
export const rehearseCommand = buildCommand<RehearseFlags, [job: string], CommandContext>({
  loader: async () => (await import('../rehearse.js')).rehearseCommand,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        {
          placeholder: 'job',
          brief: 'Body of a reinforcement fine-tuning job, or its method',
          parse: text,
        },
      ],
    },
    flags: {
      data: { kind: 'parsed', parse: text, brief: 'FILE: the training file' },
      validation: { ...optional, brief: 'FILE: the validation file' },
      samples: { ...optional, brief: 'FILE: results of a run, or a dataset with samples' },
      rows: { ...optional, parse: atLeastOne, brief: 'N: draw N prompts; default 200, 20 with judges' },
      seed: { kind: 'parsed', parse: count, default: '0', brief: 'S: of the draw' },
      group: { ...optional, brief: 'PATH: samples with this in common are of one prompt' },
      assume: { ...optional, variadic: true, brief: 'NAME=N: what the service chooses, such as n_epochs=3' },
      threads: { ...optional, parse: threads, brief: 'N: Python processes; default all' },
      ...prepareFlags,
      strict: switchedOn('Warnings about the job and its files are mistakes'),
      ...pythonFlags,
      ...judgeFlags,
      maxFailed: {
        kind: 'parsed',
        parse: share,
        default: '0',
        brief: 'SHARE: exit 3 when more outputs fail (0 to 1)',
      },
      json: switchedOn('Everything as JSON on standard output'),
    },
    aliases: { j: 'threads' },
  },
  docs: {
    brief: 'Say what a reinforcement fine-tuning job would do to its grader',
    fullDescription: [
      'Grade some outputs with the grader of a job, and say what the job would do: its steps, calls of the',
      'grader, tokens of judges and time; which outputs fail, and how many prompts give a signal.',
      '',
      'The outputs are those of --samples: results of assay run, whose rewards are taken as they are where',
      'they are of the same grader, or a dataset of {"item", "sample"} or {"item", "samples"}. Without it',
      'they are the "samples" of the training rows. Where these have none, answers are made up of the',
      'references that the grader reads and of the prompts: that shows what fails, and how long grading',
      'takes, and not how good the model is.',
      '',
      'What the service does not document is assumed, and listed. --assume sets n_epochs, batch_size,',
      'compute_multiplier, samples_per_prompt, eval_interval, eval_samples or concurrency, as far as the job',
      'leaves them to the service. Judges are asked as in a run, and may cost; how often is said before.',
      '',
      'Exit codes: 0 fine, 2 bad usage, or a mistake in the job or its files, 3 more outputs failed than',
      'allowed, or a budget is used up, 130 interrupted.',
    ].join('\n'),
  },
});
