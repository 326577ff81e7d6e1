import { readFile, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { kill, pid } from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { cannotWrite, ResultsExistError } from '../results/sink.js';

/** Holds a results file for one run. */
export interface Lock {
  release(): Promise<void>;
}

/** Who holds a lock. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, in the kernel's own count; tells it from a later one with the same number. */
  readonly began?: string;
}

/** How long a process that was killed may take to go away. */
const PATIENCE_MS = 2_000;
const POLL_MS = 50;

const lockPath = (results: string): string => `${results}.lock`;

/**
 * Takes a results file for this run, by a file beside it that names the process. What a killed process has left is no
 * lock.
 *
 * @throws ResultsExistError when another run is writing the results
 */
export const lockResults = async (results: string): Promise<Lock> => {
  const path = lockPath(results);
  const holder: Holder = { pid, host: hostname(), began: (await processState(pid))?.began };
  for (let patience = PATIENCE_MS; ; patience -= POLL_MS) {
    const created = await createLock(path, holder).catch((error: Error) => {
      throw cannotWrite(results, error);
    });
    if (created) return { release: () => remove(path) };
    const other = await readHolder(path);
    if (other !== undefined && other.host === holder.host && !(await isAlive(other)))
      await removeOf(path, other);
    else if (patience <= 0 || other?.pid === pid) throw new ResultsExistError(describe(results, path, other));
    else await wait(POLL_MS);
  }
};

const createLock = async (path: string, holder: Holder): Promise<boolean> => {
  try {
    await writeFile(path, JSON.stringify(holder), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
};

const remove = async (path: string): Promise<void> => {
  await unlink(path).catch(() => {});
};

/** Removes what a dead process has left, unless another run has been quicker and holds the lock by now. */
const removeOf = async (path: string, dead: Holder): Promise<void> => {
  if (isDeepStrictEqual(await readHolder(path), dead)) await remove(path);
};

/** undefined while the lock is being written, or where it was torn. */
const readHolder = async (path: string): Promise<Holder | undefined> => {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
};

const describe = (results: string, path: string, holder: Holder | undefined): string => {
  const who = holder === undefined ? 'another run' : `process ${holder.pid} on ${holder.host}`;
  return `${results} is being written by ${who}; wait for it, or remove ${path} if there is no such run`;
};

const isAlive = async (holder: Holder): Promise<boolean> => {
  const found = await processState(holder.pid);
  if (found !== undefined) return found.state !== 'Z' && found.began === holder.began;
  try {
    kill(holder.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** State and beginning of a process; undefined where the system does not tell. */
const processState = async (id: number): Promise<{ state: string; began: string } | undefined> => {
  const stat = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => undefined);
  // The name of the program may have spaces and brackets.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields === undefined ? undefined : { state: fields[0], began: fields[19] };
};
