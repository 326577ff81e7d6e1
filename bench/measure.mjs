/** Timing for the benchmarks: CPU seconds of functions and of child processes, medians, and tables. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { PYTHON } from '../fixtures/golden/setup.mjs';

const USAGE_SCRIPT = join(import.meta.dirname, 'usage.py');

/** CPU seconds this process needs to call `work` once: garbage collection and compilation count. */
export const cpuSecondsOf = (work) => {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
};

/**
 * Runs a program to its end; its output is dropped.
 *
 * @returns {{ cpuSeconds: number, wallSeconds: number, maxRssMiB: number, status: number }} what the kernel counted for it
 */
export const measureProgram = (command, args, options = {}) =>
  JSON.parse(execFileSync(PYTHON, ['-I', USAGE_SCRIPT, command, ...args], { encoding: 'utf8', ...options }));

/** Runs a program and refuses any other outcome than exit code 0. */
export const measureSuccess = (command, args, options) => {
  const usage = measureProgram(command, args, options);
  if (usage.status !== 0) throw new Error(`${[command, ...args].join(' ')}: exit code ${usage.status}`);
  return usage;
};

/** @returns {{ median: number, min: number, max: number }} */
export const summarize = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1) };
};

/** The ratio of the medians. */
export const ratioOf = (ours, theirs) => summarize(ours).median / summarize(theirs).median;

/** Runs every contender once a round, in turn, so that a slow minute of the machine hits all of them. */
export const interleave = async (rounds, contenders) => {
  const results = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(contenders)) results[name].push(await run());
  }
  return results;
};

const SUFFIXES = [
  [1e6, 'M'],
  [1e3, 'k'],
  [1, ''],
];

/** `1.23M`, `45.6k`, `7.89`. */
export const formatNumber = (value) => {
  const [unit, suffix] = SUFFIXES.find(([unit]) => Math.abs(value) >= unit) ?? [1, ''];
  const digits = Number((value / unit).toPrecision(3));
  return `${digits}${suffix}`;
};

/** `median (min–max)`. */
export const formatSummary = (values, format = formatNumber) => {
  const { median, min, max } = summarize(values);
  return `${format(median)} (${format(min)}–${format(max)})`;
};

/** `12.3x` */
export const formatRatio = (ratio) => `${ratio >= 100 ? Math.round(ratio) : Number(ratio.toPrecision(3))}x`;

/** The head of {@link ratioCells}. */
export const RATIO_HEADER = ['ratio', 'goal', 'holds'];

/**
 * A ratio, its goal, and whether that is reached.
 *
 * @param {{ atLeast?: number, atMost?: number }} [goal]  nothing: no goal
 */
export const ratioCells = (ratio, { atLeast, atMost } = {}) => {
  if (atLeast !== undefined)
    return [formatRatio(ratio), `≥ ${atLeast}x`, ratio >= atLeast ? 'yes' : '**no**'];
  if (atMost !== undefined) return [formatRatio(ratio), `≤ ${atMost}x`, ratio <= atMost ? 'yes' : '**no**'];
  return [formatRatio(ratio), '', ''];
};

/**
 * Measures programs in turn, round by round.
 *
 * @param programs  by name: what stands in the table, and `run`, which gives the usage of one run
 * @returns the same with the `usages` of all rounds
 */
export const measurePrograms = async (rounds, programs) => {
  const entries = Object.entries(programs);
  const usages = await interleave(rounds, Object.fromEntries(entries.map(([name, { run }]) => [name, run])));
  return Object.fromEntries(entries.map(([name, program]) => [name, { ...program, usages: usages[name] }]));
};

/** The head of {@link usageCells}. */
export const USAGE_HEADER = ['CPU s', 'wall s', 'peak MiB'];

const USAGE_FIELDS = ['cpuSeconds', 'wallSeconds', 'maxRssMiB'];

const fieldOf = (usages, field) => usages.map((usage) => usage[field]);

/** One field of a program, the median of its rounds. */
export const medianOf = ({ usages }, field) => summarize(fieldOf(usages, field)).median;

/** What a program used, summarized over its rounds. */
export const usageCells = (usages) => USAGE_FIELDS.map((field) => formatSummary(fieldOf(usages, field)));

/** CPU seconds of a program for each of its rows. */
export const cpuSecondsPerRow = (program) => medianOf(program, 'cpuSeconds') / program.rows;

/** A table of programs and what they used. */
export const usageTable = (programs) =>
  table(
    ['what', 'rows', ...USAGE_HEADER, 'CPU a row'],
    programs.map((program) => [
      program.label,
      formatNumber(program.rows),
      ...usageCells(program.usages),
      `${formatNumber(cpuSecondsPerRow(program) * 1e6)} µs`,
    ]),
  );

/** A row of {@link ratioTable}. */
export const ratioRow = (what, ratio, goal) => [what, ...ratioCells(ratio, goal)];

/** A table of ratios that matter: what, then {@link ratioCells}. */
export const ratioTable = (rows) => table(['what', ...RATIO_HEADER], rows);

/** A markdown table. */
export const table = (header, rows) =>
  [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
