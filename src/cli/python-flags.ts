import { appendFileSync, writeFileSync } from 'node:fs';
import type { PythonOptions } from '../python/host.js';
import type { PythonIsolation } from '../python/isolation.js';
import { resolve } from 'node:path';
import { printable } from '../show.js';
import { UsageError } from './context.js';

/** The flags that say how python graders are run. */
export interface PythonFlags {
  readonly python?: string;
  readonly pythonIsolation?: PythonIsolation;
  readonly pythonWrap?: string;
  readonly pythonAllowRead?: readonly string[];
  /** Seconds. */
  readonly pythonTimeout?: number;
  /** MiB. */
  readonly pythonMemory?: number;
}

/** With the flag of commands that grade. */
export interface GradingFlags extends PythonFlags {
  /** How many Python processes run at once. */
  readonly threads?: number;
}

/** What the flags mean for whatever runs the sources. */
export const pythonOptions = (flags: GradingFlags): PythonOptions => ({
  python: flags.python,
  isolation: flags.pythonIsolation,
  wrap: flags.pythonWrap,
  allowRead: flags.pythonAllowRead,
  timeoutMs: flags.pythonTimeout === undefined ? undefined : flags.pythonTimeout * 1000,
  memoryBytes: flags.pythonMemory === undefined ? undefined : flags.pythonMemory * 2 ** 20,
  workers: flags.threads,
  eager: flags.threads !== undefined,
});

const SHOWN_LINES = 10;
const SHOWN_CHARACTERS = 2000;

/** What python graders print: kept in a file where one is named, else its beginning for the end of the run. */
export class PythonOutput {
  private beginning = '';
  private length = 0;

  /**
   * @param path  a new file, unless it may be replaced
   * @param precious  files that are not replaced even so
   * @throws UsageError when it cannot be written
   */
  constructor(
    private readonly path: string | undefined,
    mayReplace: boolean,
    precious: readonly string[],
  ) {
    if (path === undefined) return;
    if (precious.some((other) => resolve(other) === resolve(path)))
      throw new UsageError(`--python-output: ${path} is what this run reads, or writes its results to`);
    try {
      writeFileSync(path, '', { flag: mayReplace ? 'w' : 'wx' });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const reason = code === 'EEXIST' ? `${path} exists; --overwrite replaces it` : message;
      throw new UsageError(`--python-output: ${reason}`);
    }
  }

  readonly add = (text: string): void => {
    this.length += text.length;
    if (this.path !== undefined) appendFileSync(this.path, text);
    else if (this.beginning.length < SHOWN_CHARACTERS) this.beginning += text;
  };

  /** What a user sees of it; undefined when nothing was printed. */
  get shown(): string | undefined {
    if (this.length === 0) return undefined;
    if (this.path !== undefined) return `what the Python grader printed is in ${this.path}\n`;
    const lines = this.beginning.slice(0, SHOWN_CHARACTERS).trimEnd().split('\n');
    const shown = lines.slice(0, SHOWN_LINES).map((line) => `  | ${printable(line)}\n`);
    const rest = lines.length > SHOWN_LINES || this.length > SHOWN_CHARACTERS;
    const hint = rest ? '  | … (--python-output FILE keeps more of it)\n' : '';
    return `the Python grader printed:\n${shown.join('')}${hint}`;
  }
}
