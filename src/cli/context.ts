import type { Readable, Writable } from 'node:stream';

/** The outside world of a command: tests hand in their own. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the user asks the command to stop. */
  readonly signal: AbortSignal;
}

/** What a command's function finds in `this`. */
export interface CommandContext {
  readonly io: Io;
  readonly process: {
    readonly stdout: Writable;
    readonly stderr: Writable;
    readonly env: Io['env'];
    exitCode?: number | string | null;
  };
}

/** What every command ends with, and scripts can rely on. */
export const EXIT = {
  ok: 0,
  gateFailed: 1,
  badUsage: 2,
  tooManyFailed: 3,
  cannotWrite: 4,
  bug: 70,
  interrupted: 130,
} as const;

/** A mistake of the user's, told without a stack trace. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
