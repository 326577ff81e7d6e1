import { run } from '@stricli/core';
import { app } from './app.js';
import { EXIT, type CommandContext, type Io } from './context.js';

/**
 * The command line, without the process around it.
 *
 * @param argv  the arguments after the command's name
 * @returns the exit code
 */
export const main = async (argv: readonly string[], io: Io): Promise<number> => {
  const process: CommandContext['process'] = { stdout: io.stdout, stderr: io.stderr, env: io.env };
  await run(app, argv, { process, io });
  const exitCode = Number(process.exitCode ?? EXIT.ok);
  // The parser's own codes for unknown commands and flags are negative.
  return exitCode < 0 ? EXIT.badUsage : exitCode;
};
