/** Runs one client in a process of its own, so that none profits from what another has warmed up. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const CLIENT = join(import.meta.dirname, 'client.mjs');

/** @returns {Promise<{ seconds: number, cpuSeconds: number, maxRssMiB: number }>} */
export const measureClient = async (name, baseUrl, calls, atOnce) => {
  const args = [CLIENT, name, baseUrl, String(calls), String(atOnce)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { encoding: 'utf8' });
  return JSON.parse(stdout);
};
