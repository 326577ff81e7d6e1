import { buildCommand } from '@stricli/core';
import type { BenchFlags } from '../bench.js';
import type { CommandContext } from '../context.js';
import {
  atLeastOne,
  count,
  fileFlags,
  judgeFlags,
  optional,
  prepareFlags,
  pythonFlags,
  shapeFlags,
  share,
  switchedOn,
  text,
  threads,
} from '../flags.js';

/** `assay bench`: its flags and help. */
export const benchCommand = buildCommand<BenchFlags, string[], CommandContext>({
  loader: async () => (await import('../bench.js')).benchCommand,
  parameters: {
    positional: {
      kind: 'array',
      parameter: { placeholder: 'grader', brief: 'Grader files, each of them a reward', parse: text },
      minimum: 1,
    },
    flags: {
      data: {
        kind: 'parsed',
        parse: text,
        variadic: true,
        brief: 'DATA: the dataset: a file, a pattern, or a folder',
      },
      label: { ...optional, brief: 'PATH: what is true of a row (item.is_correct)' },
      group: { ...optional, brief: 'PATH: rows with this in common are one item' },
      prompt: { ...optional, brief: 'PATH: the prompt; default the usual names' },
      limit: { ...optional, parse: count, brief: 'N: at most N rows' },
      filter: { ...optional, variadic: true, brief: 'PATH=VALUE: only these rows; all must hold' },
      random: { ...optional, parse: count, brief: 'N: draw N rows at random' },
      seed: { ...optional, parse: count, brief: 'S: seed of --random; default 0' },
      threads: { ...optional, parse: threads, brief: 'N: threads or Python processes; default all' },
      replicates: {
        kind: 'parsed',
        parse: atLeastOne,
        default: '1000',
        brief: 'N: bootstrap replicates of an interval',
      },
      trialItems: {
        ...optional,
        parse: count,
        brief: 'N: items graded again; default 100, with judges 0',
      },
      failOnAlarm: switchedOn('Exit 1 when there is an alarm about a reward'),
      maxFailed: {
        kind: 'parsed',
        parse: share,
        default: '1',
        brief: 'SHARE: exit 3 when more rows of a reward failed',
      },
      ...fileFlags,
      ...shapeFlags,
      ...prepareFlags,
      ...pythonFlags,
      ...judgeFlags,
      json: switchedOn('Everything as JSON on standard output'),
      quiet: switchedOn('No progress'),
    },
    aliases: { n: 'limit', j: 'threads' },
  },
  docs: {
    brief: 'Measure what rewards are worth: several graders on the same rows, side by side',
    fullDescription: [
      'Grade the same rows with several graders and say what each is worth as a reward: how it is',
      'distributed, whether samples of one item differ by it, whether it follows the labels, or the length',
      'of the text; and whether it is fooled by the prompt or by one constant answer, or depends on chance',
      'or on the order of the rows, for which some items are graded again.',
      '',
      'Rows are as for assay run. The samples of a row are one item; so are, with --group, rows with one',
      'value there. With --label every reward is compared with what is true of a row: true, false or a',
      'number. PATH is a path in the row: item.is_correct, sample.output_json.answer.',
      '',
      'Graders that ask models are asked for every row, as in a run; items are graded again with them only',
      'when --trial-items is given, because it costs. Quote patterns: --data "data/*.jsonl".',
      '',
      'Exit codes: 0 fine, 1 an alarm (with --fail-on-alarm), 2 bad usage or configuration, or a judge that',
      'cannot be asked, 3 more rows failed than allowed, or a budget is used up, 130 interrupted.',
    ].join('\n'),
  },
});
