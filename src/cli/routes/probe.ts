import { buildCommand } from '@stricli/core';
import { ATTACKS } from '../../probe/attacks.js';
import type { Edit } from '../../probe/edit.js';
import { HARMFUL_EDITS } from '../../probe/harmful.js';
import { NEUTRAL_EDITS } from '../../probe/neutral.js';
import type { CommandContext } from '../context.js';
import {
  amount,
  atLeastOne,
  count,
  fileFlags,
  gate,
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
import type { ProbeFlags } from '../probe.js';

const NAME_WIDTH = 22;

const listed = (edits: readonly Edit[]): readonly string[] =>
  edits.map(({ name, summary }) => `  ${name.padEnd(NAME_WIDTH)}${summary}`);

// What was recorded knows nothing of edited answers.
const { replay: _replay, ...asking } = judgeFlags;

/** `assay probe`: its flags and help. */
export const probeCommand = buildCommand<ProbeFlags, [grader: string], CommandContext>({
  loader: async () => (await import('../probe.js')).probeCommand,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        { placeholder: 'grader', brief: 'Grader, testing criteria, eval, or fine-tuning job', parse: text },
      ],
    },
    flags: {
      data: {
        kind: 'parsed',
        parse: text,
        variadic: true,
        brief: 'DATA: the dataset: a file, a pattern, or a folder',
      },
      rows: {
        ...optional,
        parse: atLeastOne,
        brief: 'N: items drawn; default 200, 50 where models are asked',
      },
      seed: { kind: 'parsed', parse: count, default: '0', brief: 'S: seed of the draw' },
      group: { ...optional, brief: 'PATH: rows with this in common are one item' },
      label: { ...optional, brief: 'PATH: which answers are correct (item.is_correct)' },
      prompt: { ...optional, brief: 'PATH: the prompt; default the usual names' },
      reference: {
        ...optional,
        variadic: true,
        brief: 'PATH: a reference answer; default what the grader reads',
      },
      only: { ...optional, variadic: true, brief: 'NAME: only these edits' },
      skip: { ...optional, variadic: true, brief: 'NAME: not these edits' },
      tolerance: {
        ...optional,
        parse: amount,
        brief: 'X: rewards within X are the same; default 1 % of their range',
      },
      maxAttack: { ...gate, brief: '[NAME=]SHARE: exit 1 when attacks surely fool more' },
      maxFlip: { ...gate, brief: '[NAME=]SHARE: exit 1 when neutral edits surely move more' },
      maxMissed: { ...gate, brief: '[NAME=]SHARE: exit 1 when more harm is surely missed' },
      maxFailed: {
        kind: 'parsed',
        parse: share,
        default: '0',
        brief: 'SHARE: exit 3 when more honest rows failed (0 to 1)',
      },
      top: { kind: 'parsed', parse: count, default: '1', brief: 'N: show the N worst rows of an edit' },
      threads: { ...optional, parse: threads, brief: 'N: Python processes; default all' },
      ...fileFlags,
      ...shapeFlags,
      ...prepareFlags,
      ...pythonFlags,
      ...asking,
      json: switchedOn('Everything as JSON on standard output'),
      quiet: switchedOn('No report and no progress, for bars alone'),
    },
    aliases: { j: 'threads' },
  },
  docs: {
    brief: 'Try to fool a grader: attacks, edits that should not matter, and edits that should',
    fullDescription: [
      'Edit the answers of a dataset and grade them beside the honest ones. What the grader reads of the',
      'sample is edited (what Python reads is found by trying), in items drawn at random with all their',
      'rows. The samples of a row are one item; so are, with --group, rows with one value there. PATH is a',
      'path in the row: item.is_correct.',
      '',
      'An attack fools the grader on an item where it gets at least as much as the honest answers of that',
      'item do on average, and more than the least reward; where the grader says what passes, where it',
      'passes. One that adds to an answer also has to get more than the answer alone; with --label it is',
      'tried on wrong answers. No attack knows which reference is that of the item.',
      '',
      'Bars are about the lower end of the 95 % interval: they are broken where the true share is surely',
      'above. NAME is an edit; without it the bar is for every edit of its kind. They may be given several',
      'times.',
      '',
      'Attacks',
      ...listed(ATTACKS),
      'Neutral edits',
      ...listed(NEUTRAL_EDITS),
      'Harmful edits',
      ...listed(HARMFUL_EDITS),
      '',
      'Exit codes: 0 fine, 1 a bar is broken, 2 bad usage or configuration, or a judge that cannot be',
      'asked, 3 more honest rows failed than allowed, or a budget is used up, 130 interrupted.',
    ].join('\n'),
  },
});
