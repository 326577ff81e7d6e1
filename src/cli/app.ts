import {
  buildApplication,
  buildCommand,
  buildRouteMap,
  numberParser,
  text_en,
  type Application,
} from '@stricli/core';
import { version } from '../version.js';
import { UsageError, type CommandContext } from './context.js';
import type { RunFlags } from './run.js';
import type { SchemaFlags } from './schema.js';
import type { ValidateFlags } from './validate.js';

const text = (value: string): string => value;

const share = (value: string): number => {
  const number = numberParser(value);
  if (!(number >= 0 && number <= 1)) throw new UsageError(`expected a share from 0 to 1, got ${value}`);
  return number;
};

const count = (value: string): number => {
  const number = numberParser(value);
  if (!Number.isSafeInteger(number) || number < 0)
    throw new UsageError(`expected a whole number, got ${value}`);
  return number;
};

const prepareFlags = {
  profile: {
    kind: 'parsed',
    parse: text,
    optional: true,
    placeholder: 'name',
    brief: 'Whose numbers to reproduce: hosted-2025 (default), nltk, sacrebleu',
  },
  punktData: {
    kind: 'parsed',
    parse: text,
    optional: true,
    placeholder: 'dir',
    brief: "NLTK's punkt_tab folder, for tokens that equal NLTK's on every text",
  },
  strict: { kind: 'boolean', default: false, withNegated: false, brief: 'Treat warnings as errors' },
} as const;

const gate = {
  kind: 'parsed',
  parse: text,
  optional: true,
  variadic: true,
  placeholder: '[name=]x',
} as const;

const runCommand = buildCommand<RunFlags, [grader: string, data: string], CommandContext>({
  loader: async () => (await import('./run.js')).runCommand,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        {
          placeholder: 'grader',
          brief: 'Grader, testing criteria, eval, or fine-tuning job (JSON or YAML)',
          parse: text,
        },
        { placeholder: 'data', brief: 'Dataset as JSONL; - for standard input', parse: text },
      ],
    },
    flags: {
      output: {
        kind: 'parsed',
        parse: text,
        optional: true,
        placeholder: 'file',
        brief: 'Write result lines here; default standard output',
      },
      overwrite: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Replace the results file if there is one',
      },
      limit: {
        kind: 'parsed',
        parse: count,
        optional: true,
        placeholder: 'n',
        brief: 'Grade at most n rows',
      },
      filter: {
        kind: 'parsed',
        parse: text,
        optional: true,
        variadic: true,
        placeholder: 'path=value',
        brief: 'Only rows with this value',
      },
      random: {
        kind: 'parsed',
        parse: count,
        optional: true,
        placeholder: 'n',
        brief: 'Draw n rows at random',
      },
      seed: {
        kind: 'parsed',
        parse: count,
        optional: true,
        placeholder: 's',
        brief: 'Seed of --random; default 0',
      },
      outputField: {
        kind: 'parsed',
        parse: text,
        optional: true,
        placeholder: 'path',
        brief: 'Flat rows: the row is item, and this field is sample.output_text',
      },
      missingSample: {
        kind: 'enum',
        values: ['fail', 'empty'],
        optional: true,
        brief: 'Rows without a sample: fail them (default), or take sample.* as empty text',
      },
      id: {
        kind: 'parsed',
        parse: text,
        optional: true,
        placeholder: 'path',
        brief: "Add this value as the result's id",
      },
      keep: {
        kind: 'enum',
        values: ['item', 'sample', 'all'],
        optional: true,
        brief: 'Copy this part of the row into its result',
      },
      ...prepareFlags,
      maxFailed: {
        kind: 'parsed',
        parse: share,
        default: '0',
        placeholder: 'share',
        brief: 'Exit 3 when more rows than this share failed',
      },
      min: { ...gate, brief: 'Exit 1 when the mean (of a criterion or member) is below x' },
      max: { ...gate, brief: 'Exit 1 when the mean (of a criterion or member) is above x' },
      minPassRate: { ...gate, brief: 'Exit 1 when the pass rate (of a criterion) is below x' },
      json: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Print the summary as JSON on standard output; rows go only to -o',
      },
      quiet: { kind: 'boolean', default: false, withNegated: false, brief: 'No progress and no summary' },
    },
    aliases: { o: 'output', n: 'limit' },
  },
  docs: {
    brief: 'Grade a dataset',
    fullDescription: [
      'Grade every row of a dataset and write one result line for each, in order.',
      '',
      'A row is {"item": {…}, "sample": …}, where the sample is the output text, an object with output_text,',
      'or a whole chat completion or response; or a flat object, which is the item itself.',
      '',
      'Exit codes: 0 fine, 1 a gate failed, 2 bad usage or configuration, 3 more rows failed than allowed,',
      '4 the results could not be written, 130 interrupted.',
    ].join('\n'),
  },
});

const validateCommand = buildCommand<ValidateFlags, string[], CommandContext>({
  loader: async () => (await import('./validate.js')).validateCommand,
  parameters: {
    positional: {
      kind: 'array',
      parameter: {
        placeholder: 'file',
        brief: 'Grader, testing criteria, eval, or fine-tuning job (JSON or YAML)',
        parse: text,
      },
      minimum: 1,
    },
    flags: {
      ...prepareFlags,
      json: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Print the mistakes as JSON on standard output',
      },
    },
  },
  docs: { brief: 'Check grader files: every mistake, with its place and what to do' },
});

const schemaCommand = buildCommand<SchemaFlags, [], CommandContext>({
  loader: async () => (await import('./schema.js')).schemaCommand,
  parameters: {},
  docs: { brief: 'Print the JSON Schema of grader files, for editors' },
});

export const app: Application<CommandContext> = buildApplication(
  buildRouteMap({
    routes: { run: runCommand, validate: validateCommand, schema: schemaCommand },
    docs: { brief: 'Run grader JSON over datasets on your own machine, with scores you can trust' },
  }),
  {
    name: 'assay',
    versionInfo: { currentVersion: version },
    scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
    documentation: { useAliasInUsageLine: true, onlyRequiredInUsageLine: true },
    localization: {
      text: {
        ...text_en,
        formatException: (error: unknown) => (error instanceof Error ? error.message : String(error)),
      },
    },
  },
);
