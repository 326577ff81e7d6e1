import { buildCommand } from '@stricli/core';
import type { CommandContext } from '../context.js';
import { UsageError } from '../context.js';
import {
  amount,
  atLeastOne,
  count,
  fileFlags,
  method,
  optional,
  shapeFlags,
  switchedOn,
  text,
} from '../flags.js';
import type { ExportFlags } from '../export.js';

const reward = (value: string): number => {
  const number = Number(value);
  if (value.trim() !== '' && Number.isFinite(number)) return number;
  throw new UsageError(`expected a number, got ${value}`);
};

const part = (value: string): number => {
  const number = Number(value);
  if (value.trim() !== '' && number > 0 && number < 1) return number;
  throw new UsageError(`expected a share above 0 and below 1, got ${value}`);
};

/** `assay export`: its flags and help. */
export const exportCommand = buildCommand<ExportFlags, [scores: string], CommandContext>({
  loader: async () => (await import('../export.js')).exportCommand,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ placeholder: 'scores', brief: 'Results file, as assay run -o writes it', parse: text }],
    },
    flags: {
      method: { kind: 'parsed', parse: method, brief: 'NAME: supervised, dpo or reinforcement' },
      output: { ...optional, brief: 'FILE: write training rows here; default standard output' },
      overwrite: switchedOn('Replace files that are there'),
      data: { ...optional, variadic: true, brief: 'DATA: the dataset, where it is not as the run named it' },
      ...fileFlags,
      ...shapeFlags,
      prompt: { ...optional, brief: 'PATH: where prompts are; default messages, prompt, question, …' },
      system: { ...optional, brief: 'TEXT: put this system message in front of each prompt' },
      group: { ...optional, brief: 'PATH: answers belong together if they share this, too' },
      minReward: {
        ...optional,
        parse: reward,
        brief: 'X: answers are good from here; default those that passed',
      },
      perPrompt: {
        ...optional,
        parse: atLeastOne,
        brief: 'N: most answers, or pairs, of a prompt; default 1',
      },
      margin: { ...optional, parse: amount, brief: 'X: dpo: least difference of the rewards of a pair' },
      keepFlat: switchedOn('reinforcement: keep prompts with no spread'),
      minMean: { ...optional, parse: reward, brief: 'X: reinforcement: least mean reward of a prompt' },
      maxMean: { ...optional, parse: reward, brief: 'X: reinforcement: greatest mean reward of a prompt' },
      limit: { ...optional, parse: atLeastOne, brief: 'N: at most N prompts' },
      validation: { ...optional, parse: part, brief: 'SHARE: this part of the prompts to another file' },
      validationOutput: { ...optional, brief: 'FILE: the file for --validation' },
      seed: { ...optional, parse: count, brief: 'S: seed of --validation; default 0' },
      json: switchedOn('Report as JSON on standard output; rows to -o'),
      quiet: switchedOn('No report'),
    },
    aliases: { o: 'output', n: 'limit' },
  },
  docs: {
    brief: 'Make a training file of scores: supervised, dpo or reinforcement',
    fullDescription: [
      'Make a training file of the rows of a run and their rewards, in the format that the method has.',
      '',
      'supervised: of each prompt the best answer (--per-prompt N: the best N) from --min-reward on; without',
      'it, of the answers that passed.',
      'dpo: of each prompt the best answer with the worst (--per-prompt N: then the next two), if their',
      'rewards differ by --margin; without it, one that passed with one that did not. Where nothing says',
      'what passes, any difference will do.',
      'reinforcement: prompts whose samples have different rewards, once each, with all fields of the item.',
      '',
      'Rows share a prompt if their messages and tools are the same, and they are samples of one row or of',
      'one group where the run had groups. Identical answers count once. A row that the format does not',
      'take is left out. Every row that is left out is counted, with its reason.',
      '',
      'Exit codes: 0 fine, 2 bad usage or files that cannot be read, 3 nothing to export, 4 the file could',
      'not be written, 130 interrupted.',
    ].join('\n'),
  },
});
