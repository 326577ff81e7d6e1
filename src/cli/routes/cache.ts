import { buildCommand, buildRouteMap } from '@stricli/core';
import type { CommandContext } from '../context.js';
import {
  amount,
  count,
  fileFlags,
  judgeFlags,
  optional,
  prepareFlags,
  shapeFlags,
  switchedOn,
  text,
} from '../flags.js';
import type { CacheWhyFlags } from '../cache-why.js';
import type { CachePruneFlags, CacheStatsFlags } from '../cache.js';

const cacheStatsCommand = buildCommand<CacheStatsFlags, [], CommandContext>({
  loader: async () => (await import('../cache.js')).cacheStatsCommand,
  parameters: { flags: { json: switchedOn('Everything as JSON on standard output') } },
  docs: { brief: 'Show what is in the judge cache' },
});

const cachePruneCommand = buildCommand<CachePruneFlags, [], CommandContext>({
  loader: async () => (await import('../cache.js')).cachePruneCommand,
  parameters: {
    flags: {
      olderThan: { ...optional, parse: amount, brief: 'DAYS: remove what was asked longer ago; 0 for all' },
      maxSize: { ...optional, parse: amount, brief: 'MB: remove the oldest until the rest is no larger' },
      json: switchedOn('Everything as JSON on standard output'),
    },
  },
  docs: {
    brief: 'Remove old entries of the judge cache',
    fullDescription: [
      'Remove old entries of the judge cache, and those that newer ones have replaced. Runs beside it go',
      'on undisturbed; what they are writing is left alone.',
      '',
      'Exit codes: 0 fine, 2 bad usage, 4 the cache could not be written.',
    ].join('\n'),
  },
});

const cacheWhyCommand = buildCommand<CacheWhyFlags, string[], CommandContext>({
  loader: async () => (await import('../cache-why.js')).cacheWhyCommand,
  parameters: {
    positional: {
      kind: 'array',
      parameter: {
        placeholder: 'grader data',
        brief: 'Grader file, then the dataset, as for assay run',
        parse: text,
      },
      minimum: 2,
    },
    flags: {
      row: { kind: 'parsed', parse: count, brief: 'N: the row, counted from 0' },
      ...fileFlags,
      ...shapeFlags,
      profile: prepareFlags.profile,
      punktData: prepareFlags.punktData,
      repeat: judgeFlags.repeat,
      json: switchedOn('Everything as JSON on standard output'),
    },
  },
  docs: {
    brief: 'Explain why calls of a row are in the judge cache, or are not',
    fullDescription: [
      'List the judge calls that a row makes: whether each is in the cache, and if not, how the nearest',
      'entry differs. Nothing is sent, and no key is needed.',
      '',
      'Exit codes: 0 fine, 2 bad usage, or a row that is not there or asks no judge.',
    ].join('\n'),
  },
});

/** The parts of `assay cache`. */
export const cacheCommands = { stats: cacheStatsCommand, why: cacheWhyCommand, prune: cachePruneCommand };

/** `assay cache`: its flags and help. */
export const cacheRoutes = buildRouteMap({
  routes: cacheCommands,
  docs: { brief: 'Look into the judge cache, or make it smaller' },
});
