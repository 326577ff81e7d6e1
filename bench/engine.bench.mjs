/** The main job beside a bare read, split and JSON.parse of the same file; threads, growth and memory. */
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { measureRun, similarity, STRING_CHECK, writeGrader } from './cli.mjs';
import { withFolder, writeDataset, writePairs } from './datasets.mjs';
import {
  cpuSecondsPerRow,
  formatNumber,
  measurePrograms,
  measureSuccess,
  medianOf,
  ratioCells,
  ratioTable,
  usageTable,
} from './measure.mjs';

const ROUNDS = 5;
const BARE_LOOP = join(import.meta.dirname, 'bare-loop.mjs');
const BARE_LABEL = 'read + split + JSON.parse';

const ONE_THREAD = ['-j', '1'];
const TWO_THREADS = ['-j', '2'];

/** Graders whose time is in the metric, and pairs for each row of the large file: about five seconds on one thread. */
const PAIRS_PER_ROW = { bleu: 0.5, rouge_l: 2, fuzzy_match: 3 };
const PAIR_LENGTH = 150;

const ONE_THREAD_GOAL = { atMost: 1.3 };
const KEEP_ALL_GOAL = { atMost: 1.4 };
const PAIRS_GOAL = { atLeast: 1.6 };

export const title = 'Engine: string_check, rows of about 1 kB, scores out';

const measureBare = (file) => measureSuccess(process.execPath, [BARE_LOOP, file]);

const measureCopy = (from, to) => {
  rmSync(to, { force: true });
  return measureSuccess('cp', [from, to]);
};

const compareWithBare = async (folder, rows) => {
  const [all, tenth, ascii] = ['all', 'tenth', 'ascii'].map((name) => join(folder, `${name}.jsonl`));
  const tenthOfRows = Math.ceil(rows / 10);
  writeDataset(all, rows);
  writeDataset(tenth, tenthOfRows);
  writeDataset(ascii, rows, { typographic: false });
  process.stderr.write(`engine: ${rows} rows written\n`);
  const grader = writeGrader(folder, STRING_CHECK);
  const assay = (file, ...flags) => measureRun(folder, grader, file, flags);
  const programs = await measurePrograms(ROUNDS, {
    bare: { label: BARE_LABEL, rows, run: () => measureBare(all) },
    one: { label: 'assay run -j 1', rows, run: () => assay(all, ...ONE_THREAD) },
    two: { label: 'assay run -j 2', rows, run: () => assay(all, ...TWO_THREADS) },
    automatic: { label: 'assay run', rows, run: () => assay(all) },
    keepAll: {
      label: 'assay run -j 1 --keep all',
      rows,
      // In the place of the last round's: a virtual machine that has given memory back takes seconds to get it again.
      run: () =>
        measureRun(folder, grader, all, [...ONE_THREAD, '--keep', 'all'], join(folder, 'kept.jsonl')),
    },
    // What the machine takes to write as many bytes, on which --keep all depends.
    copy: { label: 'cp of the same file', rows, run: () => measureCopy(all, join(folder, 'copy')) },
    bareAscii: { label: `${BARE_LABEL}, ASCII only`, rows, run: () => measureBare(ascii) },
    oneAscii: { label: 'assay run -j 1, ASCII only', rows, run: () => assay(ascii, ...ONE_THREAD) },
    oneTenth: { label: 'assay run -j 1', rows: tenthOfRows, run: () => assay(tenth, ...ONE_THREAD) },
    automaticTenth: { label: 'assay run', rows: tenthOfRows, run: () => assay(tenth) },
  });
  return { programs, bytes: statSync(all).size };
};

/** What matters in the table of programs. */
const ratioRows = (programs) => {
  const against = (what, ours, theirs, field, goal) => [
    `${what}, ${field === 'cpuSeconds' ? 'CPU' : 'wall'}`,
    ...ratioCells(medianOf(programs[ours], field) / medianOf(programs[theirs], field), goal),
  ];
  const { one, oneTenth } = programs;
  const [many, few] = [one, oneTenth].map(({ rows }) => `${formatNumber(rows)} rows`);
  const cpu = 'cpuSeconds';
  const wall = 'wallSeconds';
  return [
    against('one thread to the bare loop', 'one', 'bare', cpu, ONE_THREAD_GOAL),
    against('one thread to the bare loop', 'one', 'bare', wall, ONE_THREAD_GOAL),
    against('one thread to the bare loop, ASCII only', 'oneAscii', 'bareAscii', cpu, ONE_THREAD_GOAL),
    against('one thread to the bare loop, ASCII only', 'oneAscii', 'bareAscii', wall, ONE_THREAD_GOAL),
    against('two threads to the bare loop', 'two', 'bare', wall, { atMost: 0.75 }),
    against('default to the bare loop', 'automatic', 'bare', wall),
    against('--keep all to the bare loop', 'keepAll', 'bare', cpu, KEEP_ALL_GOAL),
    against('--keep all to the bare loop', 'keepAll', 'bare', wall, KEEP_ALL_GOAL),
    against(`default to one thread, ${few}`, 'automaticTenth', 'oneTenth', wall),
    [`CPU a row, ${many} to ${few}`, ...ratioCells(cpuSecondsPerRow(one) / cpuSecondsPerRow(oneTenth))],
  ];
};

const compareThreads = async (folder, metric, rows) => {
  process.stderr.write(`engine: ${metric}\n`);
  const pairs = join(folder, 'pairs.jsonl');
  writePairs(pairs, rows, PAIR_LENGTH);
  const grader = writeGrader(folder, similarity(metric));
  const { one, two } = await measurePrograms(ROUNDS, {
    one: { label: `${metric}, -j 1`, rows, run: () => measureRun(folder, grader, pairs, ONE_THREAD) },
    two: { label: `${metric}, -j 2`, rows, run: () => measureRun(folder, grader, pairs, TWO_THREADS) },
  });
  const ratio = medianOf(one, 'wallSeconds') / medianOf(two, 'wallSeconds');
  return {
    programs: [one, two],
    ratioRow: [`${metric}: wall of one thread to that of two`, ...ratioCells(ratio, PAIRS_GOAL)],
  };
};

export const run = ({ rows }) =>
  withFolder(async (folder) => {
    const main = await compareWithBare(folder, rows);
    const pairs = [];
    for (const [metric, share] of Object.entries(PAIRS_PER_ROW))
      pairs.push(await compareThreads(folder, metric, Math.ceil(rows * share)));
    return [
      `${formatNumber(main.bytes)}B of JSONL; ${ROUNDS} rounds in turn; median (min–max); process start included; the goals are for a million rows.`,
      '',
      usageTable(Object.values(main.programs)),
      '',
      ratioTable(ratioRows(main.programs)),
      '',
      `Pairs of sentences of ${PAIR_LENGTH} characters, half of them 30 % edited, half unrelated:`,
      '',
      usageTable(pairs.flatMap(({ programs }) => programs)),
      '',
      ratioTable(pairs.map(({ ratioRow }) => ratioRow)),
    ].join('\n');
  });
