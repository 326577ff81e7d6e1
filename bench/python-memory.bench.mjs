/** Memory of Python graders' processes over a long file, beside a shorter one of the same rows. */
import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLI, resultsFile } from './cli.mjs';
import { repeatFile, withFolder, writeDataset } from './datasets.mjs';
import {
  formatNumber,
  formatSummary,
  interleave,
  ratioRow,
  ratioTable,
  summarize,
  table,
} from './measure.mjs';
import { peakMiB, sessionsBelow } from './python/process-tree.mjs';
import { readSource } from './python/rates.mjs';

const ROUNDS = 5;
/** How often the small file's rows are in the large one. */
const TIMES = 10;
const WATCH_MS = 50;
const GROWTH_GOAL = { atMost: 1.1 };

const PROCESSES = ['Node', 'supervisor', 'child'];

export const title = 'Python graders: memory';

/** The most memory that each of {@link PROCESSES} had at once, in MiB. */
const measureMemory = async (grader, file, out) => {
  rmSync(out, { force: true });
  const flags = ['-o', out, '-j', '1', '--overwrite', '--quiet'];
  const node = spawn(process.execPath, [CLI, 'run', grader, file, ...flags], { stdio: 'inherit' });
  const peaks = PROCESSES.map(() => 0);
  while (node.exitCode === null && node.signalCode === null) {
    for (const [index, pid] of [node.pid, ...sessionsBelow(node.pid)].entries())
      peaks[index] = Math.max(peaks[index], peakMiB(pid));
    await sleep(WATCH_MS);
  }
  if (node.exitCode !== 0) throw new Error(`assay run: exit code ${node.exitCode ?? node.signalCode}`);
  return peaks;
};

/** @param rows  of the larger file */
export const run = async ({ rows }) => {
  if (process.platform !== 'linux') return 'Not measured: what it reads is in the /proc of Linux.';
  return withFolder(async (folder) => {
    const fewRows = Math.ceil(rows / TIMES);
    const [few, many] = ['few', 'many'].map((name) => join(folder, `${name}.jsonl`));
    writeDataset(few, fewRows);
    repeatFile(few, many, TIMES);
    const grader = join(folder, 'python.json');
    writeFileSync(grader, JSON.stringify({ type: 'python', source: readSource('trivial') }));
    const peaks = await interleave(ROUNDS, {
      few: () => measureMemory(grader, few, resultsFile(folder)),
      many: () => measureMemory(grader, many, resultsFile(folder)),
    });
    const sizes = { few: fewRows, many: fewRows * TIMES };
    const of = (size, index) => peaks[size].map((round) => round[index]);
    const memoryRow = (size) => [
      formatNumber(sizes[size]),
      ...PROCESSES.map((_, index) => formatSummary(of(size, index))),
    ];
    const growthRow = (name, index) => {
      const [smaller, larger] = Object.keys(sizes).map((size) => summarize(of(size, index)).median);
      const what = `${name}: ${formatNumber(sizes.many)} rows to ${formatNumber(sizes.few)}`;
      return ratioRow(what, larger / smaller, GROWTH_GOAL);
    };
    return [
      `\`assay run -j 1\`, the trivial grader, rows of about 1 kB; ${ROUNDS} rounds in turn; median (min–max) of the most memory at once.`,
      '',
      table(['rows', ...PROCESSES.map((name) => `${name}, MiB`)], Object.keys(sizes).map(memoryRow)),
      '',
      ratioTable(PROCESSES.map(growthRow)),
    ].join('\n');
  });
};
