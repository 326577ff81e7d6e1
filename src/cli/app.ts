import { buildApplication, buildRouteMap, type Application } from '@stricli/core';
import { version } from '../version.js';
import { EXIT, type CommandContext } from './context.js';
import { parserText } from './parser-text.js';
import { benchCommand } from './routes/bench.js';
import { cacheCommands, cacheRoutes } from './routes/cache.js';
import { calibrateCommand } from './routes/calibrate.js';
import { compareCommand } from './routes/compare.js';
import { doctorCommand } from './routes/doctor.js';
import { exportCommand } from './routes/export.js';
import { probeCommand } from './routes/probe.js';
import { rehearseCommand } from './routes/rehearse.js';
import { runCommand } from './routes/run.js';
import { schemaCommand } from './routes/schema.js';
import { validateCommand } from './routes/validate.js';

const routes = {
  run: runCommand,
  validate: validateCommand,
  compare: compareCommand,
  bench: benchCommand,
  calibrate: calibrateCommand,
  export: exportCommand,
  probe: probeCommand,
  rehearse: rehearseCommand,
  doctor: doctorCommand,
  cache: cacheRoutes,
  schema: schemaCommand,
};

export const app: Application<CommandContext> = buildApplication(
  buildRouteMap({
    routes,
    docs: { brief: 'Run grader JSON over datasets on your own machine, with scores you can trust' },
  }),
  {
    name: 'assay',
    versionInfo: { currentVersion: version },
    scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
    documentation: { useAliasInUsageLine: true, onlyRequiredInUsageLine: true },
    localization: { text: parserText },
    determineExitCode: () => EXIT.bug,
  },
);

/** Where a user who gave bad arguments finds the good ones: `see assay run --help`. */
export const seeHelp = ([command = '', part = '']: readonly string[]): string => {
  const words = [
    'assay',
    ...(Object.hasOwn(routes, command) ? [command] : []),
    ...(command === 'cache' && Object.hasOwn(cacheCommands, part) ? [part] : []),
    '--help',
  ];
  return `see ${words.join(' ')}`;
};
