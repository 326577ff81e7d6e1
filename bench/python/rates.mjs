/** How fast rows are graded, beside one bare Python process that parses them and calls the same function. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { measureRun } from '../cli.mjs';
import {
  formatNumber,
  formatSummary,
  interleave,
  measureSuccess,
  ratioRow,
  ratioTable,
  summarize,
  table,
} from '../measure.mjs';
import { measureGrading, withGrader } from './library.mjs';

const ROUNDS = 5;
const LIMIT = join(import.meta.dirname, 'limit.py');

/** Graders of rising cost, and which share of the rows makes them take about as long. */
const GRADERS = { trivial: 1, words: 0.2, similarity: 0.03 };

const ONE_WORKER_GOAL = { atLeast: 0.65 };
const TWO_WORKERS_GOAL = { atLeast: 1.6 };
const CONFINED_GOAL = { atMost: 1.03 };

/** The file of one of the graders here. */
export const sourceFile = (name) => join(import.meta.dirname, `${name}.py`);
export const readSource = (name) => readFileSync(sourceFile(name), 'utf8');

const limitArguments = (name, file, rows) => ['-s', '-B', LIMIT, sourceFile(name), file, String(rows)];

const measureLimit = (interpreter, name, file, rows) => {
  const text = execFileSync(interpreter, limitArguments(name, file, rows), { encoding: 'utf8' });
  const { wallSeconds, cpuSeconds, mean } = JSON.parse(text);
  return { rows, wall: wallSeconds, node: 0, python: cpuSeconds, mean };
};

const measureLibrary = (name, options, file, rows) =>
  withGrader(readSource(name), options, (grader) => measureGrading(grader, file, rows));

/** Writes the grader of a command. */
const writePython = (folder, name) => {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify({ type: 'python', source: readSource(name) }));
  return file;
};

const ofProcess = (rows, { wallSeconds, cpuSeconds }) => ({ rows, wall: wallSeconds, total: cpuSeconds });

const contenders = (folder, interpreter, name, file, rows) => {
  const grader = writePython(folder, name);
  const library = (options) => () => measureLibrary(name, options, file, rows);
  const command = (workers) => () =>
    ofProcess(rows, measureRun(folder, grader, file, ['-j', String(workers), '-n', String(rows)]));
  return {
    limit: () => measureLimit(interpreter, name, file, rows),
    one: library({ workers: 1 }),
    two: library({ workers: 2 }),
    open: library({ workers: 1, isolation: 'open' }),
    limitProcess: () => ofProcess(rows, measureSuccess(interpreter, limitArguments(name, file, rows))),
    commandOne: command(1),
    commandTwo: command(2),
  };
};

const LABELS = {
  limit: 'limit P: bare Python',
  one: 'confined, 1 worker',
  two: 'confined, 2 workers',
  open: 'open, 1 worker',
  limitProcess: 'limit P, with its start',
  commandOne: '`assay run -j 1`, with its start',
  commandTwo: '`assay run -j 2`, with its start',
};

/** The scores are those of plain Python. */
const checkMeans = (name, usages) => {
  const means = Object.values(usages).flatMap((rounds) => rounds.flatMap(({ mean }) => mean ?? []));
  const [first] = means;
  if (means.some((mean) => Math.abs(mean - first) > 1e-12 * Math.abs(first)))
    throw new Error(`${name}: the mean is not the same everywhere: ${[...new Set(means)].join(', ')}`);
};

const microseconds = (usages, secondsOf) => {
  const values = usages.map((usage) => (secondsOf(usage) / usage.rows) * 1e6);
  return values.some(Number.isNaN) ? '' : formatSummary(values);
};

const rateRow = (name, key, usages) => [
  name,
  LABELS[key],
  formatNumber(usages[0].rows),
  formatSummary(usages.map(({ rows, wall }) => rows / wall)),
  microseconds(usages, ({ node }) => node),
  microseconds(usages, ({ python }) => python),
  microseconds(usages, ({ node, python, total = node + python }) => total),
];

const RATE_HEADER = ['grader', 'what', 'rows', 'rows/s', 'Node, µs CPU a row', 'Python', 'both'];

const medianOf = (usages, secondsOf) => summarize(usages.map(secondsOf)).median;

const wallOf = (usages) => medianOf(usages, ({ wall }) => wall);
/** How many times as fast, by the clock. */
const faster = (ours, theirs) => wallOf(theirs) / wallOf(ours);
const cpuOf = (usages) => medianOf(usages, ({ node, python }) => node + python);

const ratioRows = (name, { limit, one, two, open, limitProcess, commandOne, commandTwo }) => {
  const row = (what, ratio, goal) => ratioRow(`${name}: ${what}`, ratio, goal);
  const busy = medianOf(one, ({ node, python, wall }) => (node + python) / wall);
  const cores = availableParallelism();
  return [
    row('rate of 1 worker to limit P', faster(one, limit), ONE_WORKER_GOAL),
    row('rate of 2 workers to 1', faster(two, one), TWO_WORKERS_GOAL),
    row(
      `the same at most, for 1 worker keeps ${formatNumber(busy)} of ${cores} cores busy`,
      Math.min(2, cores / busy),
    ),
    row('rate of 2 workers to limit P', faster(two, limit)),
    row('rate of `-j 1` to limit P, both with their start', faster(commandOne, limitProcess)),
    row('rate of `-j 2` to `-j 1`', faster(commandTwo, commandOne)),
    row('CPU a row, confined to open', cpuOf(one) / cpuOf(open), CONFINED_GOAL),
  ];
};

/** The tables of all graders. */
export const compareRates = async (folder, interpreter, file, mostRows) => {
  const rates = [];
  const ratios = [];
  for (const [name, share] of Object.entries(GRADERS)) {
    process.stderr.write(`python: ${name}\n`);
    const usages = await interleave(
      ROUNDS,
      contenders(folder, interpreter, name, file, Math.ceil(mostRows * share)),
    );
    checkMeans(name, usages);
    rates.push(...Object.entries(usages).map(([key, rounds]) => rateRow(name, key, rounds)));
    ratios.push(...ratioRows(name, usages));
  }
  return [table(RATE_HEADER, rates), '', ratioTable(ratios)];
};
