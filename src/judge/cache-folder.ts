import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { kill, pid } from 'node:process';

/**
 * A segment in the folder of a cache: `mbz3k1q0-5e1a9c-4711-9f86d081.live` while its process writes it, `….jsonl` once
 * that has finished. The names begin with the time, then machine and process.
 */
export interface SegmentName {
  /** Without the ending: it stays when a segment is finished. */
  readonly base: string;
  readonly isLive: boolean;
}

const NAME = /^([\da-z]+-([\da-f]{6})-(\d+)-[\da-f]{8})\.(live|jsonl)$/;
const TEMPORARY = /^[\da-z]+-[\da-f]{6}-\d+-[\da-f]{8}\.tmp$/;
const DAY_MS = 86_400_000;
/** A folder that changed so shortly ago may change again without its time changing. */
const RACY_MS = 50;

const thisHost = createHash('sha256').update(hostname()).digest('hex').slice(0, 6);

/** A name for a new segment of this process. */
export const newBase = (): string =>
  `${Date.now().toString(36)}-${thisHost}-${pid}-${randomBytes(4).toString('hex')}`;

export const livePath = (folder: string, base: string): string => join(folder, `${base}.live`);
export const finishedPath = (folder: string, base: string): string => join(folder, `${base}.jsonl`);
export const temporaryPath = (folder: string, base: string): string => join(folder, `${base}.tmp`);
export const pathOf = (folder: string, { base, isLive }: SegmentName): string =>
  isLive ? livePath(folder, base) : finishedPath(folder, base);

/** Makes the folder, for this user alone. */
export const makeFolder = (folder: string): void => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { mode } = statSync(folder);
  try {
    if ((mode & 0o077) !== 0) chmodSync(folder, mode & 0o700);
  } catch {
    // Somebody else's folder: whoever shares it has decided who reads it.
  }
};

/** What is in the folder; nothing where there is none. */
export const listSegments = (folder: string): { segments: SegmentName[]; strangers: string[] } => {
  const segments: SegmentName[] = [];
  const strangers: string[] = [];
  for (const name of namesIn(folder).sort()) {
    const [, base, , , ending] = NAME.exec(name) ?? [];
    if (base !== undefined) segments.push({ base, isLive: ending === 'live' });
    else if (!TEMPORARY.test(name) && !name.startsWith('.')) strangers.push(name);
  }
  return { segments, strangers };
};

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
};

/** Finishes the segments that killed processes left behind: of this machine, and old ones of any other. */
export const finishAbandoned = (folder: string): void => {
  for (const name of namesIn(folder)) {
    const [, base, host, owner, ending] = NAME.exec(name) ?? [];
    if (ending !== 'live') continue;
    const isAbandoned = host === thisHost ? !isAlive(Number(owner)) : ageOf(join(folder, name)) > 7 * DAY_MS;
    if (isAbandoned) finish(folder, base);
  }
};

/** Gives a segment the name of a finished one; one that is not there any more has been finished by another process. */
export const finish = (folder: string, base: string): void => {
  try {
    renameSync(livePath(folder, base), finishedPath(folder, base));
  } catch {}
};

const isAlive = (process: number): boolean => {
  try {
    return kill(process, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Removes what was being written when its process was killed, a day later. */
export const removeLeftovers = (folder: string): void => {
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    if (TEMPORARY.test(name) && ageOf(path) > DAY_MS) rmSync(path, { force: true });
  }
};

/** Milliseconds since a file was changed; 0 when it is not there. */
const ageOf = (path: string): number => Date.now() - (changed(path) ?? Date.now());

/** When a folder or a file was last changed, in milliseconds since 1970; undefined when it is not there. */
const changed = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.mtimeMs;

/** Tells whether names in a folder may have changed since it was last asked. */
export class FolderWatch {
  private seen: number | undefined = Number.NaN;

  constructor(private readonly folder: string) {}

  mayHaveChanged(): boolean {
    const now = changed(this.folder);
    if (now === this.seen) return false;
    this.seen = now !== undefined && Date.now() - now < RACY_MS ? Number.NaN : now;
    return true;
  }
}
