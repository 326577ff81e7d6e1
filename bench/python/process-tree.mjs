/** What Linux knows of a process and those that it has started. */
import { readdirSync, readFileSync } from 'node:fs';

const readProc = (pid, file) => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return undefined; // It has just ended.
  }
};

/** Its parent and its session, see proc(5). */
const relationsOf = (pid) => {
  const stat = readProc(pid, 'stat') ?? '';
  const [, parent, , session] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return { pid, parent, session };
};

/** Those of the processes that a process has started, and that those have, which lead a session; parents first. */
export const sessionsBelow = (pid) => {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => relationsOf(Number(name)));
  const found = [{ pid }];
  for (const known of found) found.push(...processes.filter(({ parent }) => parent === known.pid));
  return found.slice(1).flatMap((process) => (process.session === process.pid ? process.pid : []));
};

/** CPU seconds of processes of one thread. */
export const cpuSecondsOf = (pids) =>
  pids.reduce((sum, pid) => sum + Number(readProc(pid, 'schedstat')?.split(' ')[0] ?? 0) / 1e9, 0);

/** The most memory that a process has had at once, in MiB; 0 for one that has ended. */
export const peakMiB = (pid) =>
  Number(/^VmHWM:\s+(\d+)/m.exec(readProc(pid, 'status') ?? '')?.[1] ?? 0) / 1024;
