import { ExitCode, run } from '@stricli/core';
import { app, seeHelp } from './app.js';
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
  if (exitCode === ExitCode.UnknownCommand || exitCode === ExitCode.InvalidArgument) {
    io.stderr.write(`${seeHelp(argv)}\n`);
    return EXIT.badUsage;
  }
  // The parser's own codes are negative.
  return exitCode < 0 ? EXIT.bug : exitCode;
};
