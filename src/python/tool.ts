import { spawn } from 'node:child_process';
import type { Variables } from './environments.js';

/** What a program that has ended leaves. */
export interface ToolResult {
  /** 0 when it succeeded; undefined when it could not be started or was killed. */
  readonly code: number | undefined;
  readonly stdout: string;
  /** All that it said, or the end of much; also why it could not be started. */
  readonly output: string;
}

const KEPT_CHARACTERS = 100_000;
const TAIL_LINES = 15;

/** Runs a program of the user's machine to its end, without a shell and without input. Never rejects. */
export const runTool = (
  command: string,
  args: readonly string[],
  { env, cwd }: { readonly env: Variables; readonly cwd?: string },
): Promise<ToolResult> =>
  new Promise((resolve) => {
    // With the user's Python path, pip would see packages that the environment does not have.
    const clean = { ...env, PYTHONPATH: undefined, PYTHONHOME: undefined };
    const child = spawn(command, args, { env: clean, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let output = '';
    const keep = (text: string): void => {
      output = (output + text).slice(-KEPT_CHARACTERS);
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(-KEPT_CHARACTERS);
      keep(text);
    });
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', ({ message }) => {
      resolve({ code: undefined, stdout, output: `${output}${message}` });
    });
    child.on('close', (code) => {
      resolve({ code: code ?? undefined, stdout, output });
    });
  });

/** The last lines of what a program said, indented. */
export const tail = (result: ToolResult): string =>
  lines(result)
    .slice(-TAIL_LINES)
    .map((line) => `  ${line}`)
    .join('\n');

/** The last line of what a program said. */
export const lastLine = (result: ToolResult): string => lines(result).at(-1) ?? 'it said nothing';

const lines = ({ output }: ToolResult): string[] =>
  output
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
