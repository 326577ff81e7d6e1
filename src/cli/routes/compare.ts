import { buildCommand } from '@stricli/core';
import type { CommandContext } from '../context.js';
import { count, gate, switchedOn, text } from '../flags.js';
import type { CompareFlags } from '../compare.js';

/** `assay compare`: its flags and help. */
export const compareCommand = buildCommand<CompareFlags, [a: string, b: string], CommandContext>({
  loader: async () => (await import('../compare.js')).compareCommand,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        { placeholder: 'scores_a', brief: 'Results file of the baseline', parse: text },
        { placeholder: 'scores_b', brief: 'Results file of the candidate', parse: text },
      ],
    },
    flags: {
      group: {
        kind: 'parsed',
        parse: text,
        optional: true,
        brief: 'PATH: lines of A with one value here belong together (input.user)',
      },
      top: {
        kind: 'parsed',
        parse: count,
        default: '10',
        brief: 'N: list the N largest regressions and improvements',
      },
      maxRegression: { ...gate, brief: '[NAME=]X: exit 1 unless B is surely not worse by more than X' },
      minImprovement: { ...gate, brief: '[NAME=]X: exit 1 unless B is surely better by at least X' },
      json: switchedOn('Everything as JSON on standard output'),
      quiet: switchedOn('No report, for gates alone'),
    },
  },
  docs: {
    brief: 'Compare the results of two runs over the same rows',
    fullDescription: [
      'Compare two results files row by row: A is the baseline, B the candidate; differences are B - A.',
      '',
      'Rows are paired by id where every row has one of its own (run --id), else by row number. Rows that',
      'failed in either run enter no mean. Several samples of a row, rows with the same id, and rows of one',
      'group (of run --group, or with the same value at --group here) are taken as one cluster, within',
      'which rewards may depend on each other.',
      '',
      'Both gates look at the lower end of the 95 % interval of the mean difference, and may be given',
      'several times. NAME is a member of a multi or a criterion of an eval.',
      '',
      'Exit codes: 0 fine, 1 a gate failed, 2 bad usage, or files that cannot be compared.',
    ].join('\n'),
  },
});
