/** The same rows in every format: what reading them costs, and that the scores are the same. */
import { readFileSync, statSync } from 'node:fs';
import { measureRun, resultsFile, STRING_CHECK, writeGrader } from './cli.mjs';
import { withFolder } from './datasets.mjs';
import { NODE_HAS_ZSTD, writeFormats } from './format-files.mjs';
import {
  formatNumber,
  formatRatio,
  measurePrograms,
  medianOf,
  RATIO_HEADER,
  ratioCells,
  table,
  USAGE_HEADER,
  usageCells,
} from './measure.mjs';

const ROUNDS = 5;
const MAX_ROWS = 100_000;
const BASE = 'JSONL';
const THREADS = { 1: ['-j', '1'], default: [] };
const GOALS = {
  'JSONL, gzip': { atMost: 1.3 },
  // The decoder for a Node without one is for correctness.
  ...(NODE_HAS_ZSTD && { 'JSONL, zstd': { atMost: 1.5 } }),
};

export const title = 'Formats: string_check, rows of about 1 kB of strings, scores out';

/** Remembers the first results of all, and whether a format ever gave others. */
const createComparison = (folder) => {
  let expected;
  const differing = new Set();
  const check = (format) => {
    const scores = readFileSync(resultsFile(folder));
    expected ??= scores;
    if (!scores.equals(expected)) differing.add(format);
  };
  return { check, isSame: (format) => !differing.has(format) };
};

const zstdNote = (files) => {
  if (files['JSONL, zstd'] === undefined)
    return 'zstd is left out: neither Node nor a zstd command can write it.';
  return NODE_HAS_ZSTD
    ? `zstd is decompressed by Node ${process.version} itself.`
    : `Node ${process.version} has no zstd of its own: what is measured is the decoder in JavaScript, without a goal.`;
};

const formatRow = ({ format, file, threads, usages }, base, hasSameScores) => {
  const ratio = (field) => medianOf({ usages }, field) / medianOf(base, field);
  return [
    format,
    `${formatNumber(statSync(file).size)}B`,
    threads,
    ...usageCells(usages),
    formatRatio(ratio('cpuSeconds')),
    ...ratioCells(ratio('wallSeconds'), GOALS[format]),
    hasSameScores ? 'yes' : '**no**',
  ];
};

/** Every format with one thread and with the default; by thread, then by format. */
const createPrograms = (folder, files, check) => {
  const grader = writeGrader(folder, STRING_CHECK);
  const programs = Object.entries(THREADS).flatMap(([threads, flags]) =>
    Object.entries(files).map(([format, file]) => {
      const run = () => {
        const usage = measureRun(folder, grader, file, flags);
        check(format);
        return usage;
      };
      return [`${format}/${threads}`, { format, file, threads, run }];
    }),
  );
  return Object.fromEntries(programs);
};

export const run = ({ rows }) =>
  withFolder(async (folder) => {
    const count = Math.min(rows, MAX_ROWS);
    const files = await writeFormats(folder, count);
    process.stderr.write(`formats: ${count} rows written\n`);
    const { check, isSame } = createComparison(folder);
    const measured = await measurePrograms(ROUNDS, createPrograms(folder, files, check));
    const lines = Object.values(measured).map((program) =>
      formatRow(program, measured[`${BASE}/${program.threads}`], isSame(program.format)),
    );
    const [wallRatio, ...goal] = RATIO_HEADER;
    const ratios = ['CPU ratio', `wall ${wallRatio}`, ...goal];
    return [
      `${formatNumber(count)} rows; ${ROUNDS} rounds in turn; median (min–max); process start included.`,
      `Ratios are to ${BASE} with the same threads; the goals are for wall time. Same scores: the same bytes in every round.`,
      zstdNote(files),
      '',
      table(['format', 'size', 'threads', ...USAGE_HEADER, ...ratios, 'same scores'], lines),
    ].join('\n');
  });
