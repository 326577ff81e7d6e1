/** Memory and CPU a row of a file that is larger than most caches, beside smaller ones of the same rows. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { measureRun, STRING_CHECK, writeGrader } from './cli.mjs';
import { repeatFile, withFolder, writeDataset } from './datasets.mjs';
import {
  cpuSecondsPerRow,
  formatNumber,
  measurePrograms,
  ratioCells,
  ratioTable,
  summarize,
  usageTable,
} from './measure.mjs';

const ROUNDS = 5;
const ROW_BYTES = 500;
/** How often the small file's rows are in each file. */
const TIMES = { small: 1, middle: 10, large: 100 };
const THREADS = { '-j 1': ['-j', '1'], 'default threads': [] };

const MAX_MIB = 300;
const GROWTH_GOAL = { atMost: 1.1 };

export const title = 'Large files: string_check, rows of about 500 bytes, scores out';

const writeFiles = (folder, rows) => {
  const fileOf = (size) => join(folder, `${size}.jsonl`);
  writeDataset(fileOf('small'), rows, { rowBytes: ROW_BYTES });
  repeatFile(fileOf('small'), fileOf('middle'), TIMES.middle);
  repeatFile(fileOf('small'), fileOf('large'), TIMES.large);
  process.stderr.write(`large: ${rows * TIMES.large} rows written\n`);
  return fileOf;
};

const measureSizes = async (folder, fileOf, smallRows, flags) => {
  const grader = writeGrader(folder, STRING_CHECK);
  const label = ['assay run', ...flags].join(' ');
  const programs = Object.entries(TIMES).map(([size, times]) => [
    size,
    { label, rows: smallRows * times, run: () => measureRun(folder, grader, fileOf(size), flags) },
  ]);
  process.stderr.write(`large: ${label}\n`);
  return measurePrograms(ROUNDS, Object.fromEntries(programs));
};

const growthRow = (how, large, smaller, goal) => [
  `CPU a row, ${formatNumber(large.rows)} rows to ${formatNumber(smaller.rows)}, ${how}`,
  ...ratioCells(cpuSecondsPerRow(large) / cpuSecondsPerRow(smaller), goal),
];

const memoryLine = (how, { large }) => {
  const { max } = summarize(large.usages.map(({ maxRssMiB }) => maxRssMiB));
  return `- memory, ${how}: at most ${formatNumber(max)} MiB; below ${MAX_MIB}: ${max < MAX_MIB ? 'yes' : '**no**'}`;
};

/** @param rows  of the engine's file; the large one here has ten times as many, for a million 5 GB */
export const run = ({ rows }) =>
  withFolder(async (folder) => {
    const smallRows = Math.ceil(rows / 10);
    const fileOf = writeFiles(folder, smallRows);
    const measured = [];
    for (const [how, flags] of Object.entries(THREADS))
      measured.push([how, await measureSizes(folder, fileOf, smallRows, flags)]);
    return [
      `${formatNumber(statSync(fileOf('large')).size)}B of JSONL, the rows of the smallest file over and over; ${ROUNDS} rounds in turn; ` +
        'median (min–max); process start included.',
      '',
      usageTable(measured.flatMap(([, programs]) => Object.values(programs))),
      '',
      ratioTable(
        measured.flatMap(([how, { small, middle, large }]) => [
          growthRow(how, large, small, GROWTH_GOAL),
          growthRow(how, large, middle),
        ]),
      ),
      '',
      ...measured.map(([how, programs]) => memoryLine(how, programs)),
    ].join('\n');
  });
