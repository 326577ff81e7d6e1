#!/usr/bin/env node
import process from 'node:process';
import { EXIT } from './context.js';
import { main } from './main.js';
import { bugReport } from './parser-text.js';

const interruption = new AbortController();
process.once('SIGINT', () => interruption.abort());
process.once('SIGTERM', () => interruption.abort());
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough (`assay run … | head`) ends the run; that is no mistake of anybody's.
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  process.stderr.write(`assay: cannot write standard output: ${error.message}\n`);
  process.exit(EXIT.cannotWrite);
});
// Nobody is left to be told.
process.stderr.on('error', () => {});
// Node would exit with 1, which means that a gate failed.
process.on('uncaughtException', (error) => {
  process.stderr.write(`${bugReport(error)}\n`);
  process.exit(EXIT.bug);
});

process.exitCode = await main(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: interruption.signal,
});
