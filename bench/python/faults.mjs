/** What it takes to go on after a crash, to start a child for every row, and to grade a single row. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import {
  formatNumber,
  formatSummary,
  interleave,
  ratioRow,
  ratioTable,
  summarize,
  table,
} from '../measure.mjs';
import { gradeFile, withGrader } from './library.mjs';
import { readSource } from './rates.mjs';

const ROUNDS = 5;
const CRASH_EVERY = 100;
const CRASH_ROWS = 10_000;
const RESTARTS = 100;
const STRICT_ROWS = 500;
const CALLS = 1_000;
const IMAGE_TAG = '2025-05-08';

const CRASH_GOAL = { atLeast: 0.15 };

const crashing = (how) => `import os, signal

def grade(sample, item):
    if item["id"] % ${CRASH_EVERY} == ${CRASH_EVERY - 1}:
        ${how}
    return 1.0 if sample["output_text"] == item["answer"] else 0.0
`;
const CRASHES = {
  segfault: { label: 'SIGSEGV in 1 row of 100', source: crashing('os.kill(os.getpid(), signal.SIGSEGV)') },
  exit: { label: '`os._exit` in 1 row of 100', source: crashing('os._exit(3)') },
};

const DIES = `import os

def grade(sample, item):
    os._exit(3)
`;
const DIES_WITH_PACKAGES = `import pandas, sklearn.linear_model
${DIES}`;

/** Seconds to grade rows, by the clock. */
const timeGrading = async (grader, file, rows) => {
  const started = performance.now();
  const { summary, places } = await gradeFile(grader, file, rows);
  return { rows, seconds: (performance.now() - started) / 1e3, summary, places };
};

const guiltyLines = (rows) =>
  Array.from({ length: rows / CRASH_EVERY }, (_, index) => `line ${(index + 1) * CRASH_EVERY}`);

const measureCrashes = (source, file, rows) =>
  withGrader(source, {}, async (grader) => {
    await gradeFile(grader, file, CRASH_EVERY);
    const { seconds, places } = await timeGrading(grader, file, rows);
    if (places.length > 0 && String(places) !== String(guiltyLines(rows)))
      throw new Error(`other rows failed than those that crash: ${places.join(', ')}`);
    return { rate: rows / seconds, failed: places.length };
  });

const rates = (rounds) => rounds.map(({ rate }) => rate);
const median = (rounds) => summarize(rates(rounds)).median;

/**
 * How crashes slow a run down.
 *
 * @param mostRows  so many has the file
 */
export const compareCrashes = async (file, mostRows) => {
  const rows = Math.min(CRASH_ROWS, mostRows - (mostRows % CRASH_EVERY));
  process.stderr.write('python: crashes\n');
  const { none, ...crashes } = await interleave(ROUNDS, {
    none: () => measureCrashes(readSource('trivial'), file, rows),
    segfault: () => measureCrashes(CRASHES.segfault.source, file, rows),
    exit: () => measureCrashes(CRASHES.exit.source, file, rows),
  });
  const row = (label, rounds) => [label, formatNumber(rows), formatSummary(rates(rounds)), rounds[0].failed];
  const entries = Object.entries(crashes).map(([key, rounds]) => [CRASHES[key].label, rounds]);
  return [
    table(
      ['what', 'rows', 'rows/s', 'failed, all of them guilty'],
      [row('no crash', none), ...entries.map(([label, rounds]) => row(label, rounds))],
    ),
    '',
    ratioTable(
      entries.map(([label, rounds]) =>
        ratioRow(`${label}: rate to that without`, median(rounds) / median(none), CRASH_GOAL),
      ),
    ),
  ];
};

/** Milliseconds a row where every row ends its process: from one's end to that of the next. */
const measureRestart = (source, options, file) =>
  withGrader(source, options, async (grader) => {
    await gradeFile(grader, file, 5);
    const { rows, seconds, places } = await timeGrading(grader, file, RESTARTS);
    if (places.length !== rows) throw new Error(`${rows - places.length} rows did not fail`);
    return (seconds / rows) * 1e3;
  });

/** Milliseconds of a fork, a start and an end of nothing. */
const measureFork = (interpreter) =>
  Number(execFileSync(interpreter, ['-s', '-B', join(import.meta.dirname, 'fork.py'), String(RESTARTS)]));

const measureStrict = (file) =>
  withGrader(readSource('trivial'), { isolation: 'strict' }, async (grader) => {
    await gradeFile(grader, file, 5);
    const { rows, seconds } = await timeGrading(grader, file, STRICT_ROWS);
    return (seconds / rows) * 1e3;
  });

/** Whether the environment with the packages of the image is installed. */
const hasImage = () =>
  withGrader(DIES, { imageTag: IMAGE_TAG }, ({ environment }) => environment?.image === IMAGE_TAG);

/** Milliseconds of single calls, one after the other, sorted. */
const measureCalls = (row) =>
  withGrader(readSource('trivial'), {}, async (grader) => {
    const times = [];
    for (let call = 0; call < 1.2 * CALLS; call += 1) {
      const started = performance.now();
      await grader.grade(row);
      times.push(performance.now() - started);
    }
    return times.slice(-CALLS).toSorted((a, b) => a - b);
  });

const atMost = (what, values, most) => [
  what,
  formatSummary(values),
  ...(most === undefined ? ['', ''] : [`≤ ${most}`, summarize(values).median <= most ? 'yes' : '**no**']),
];

const percentile = (calls, share) => calls.map((times) => times[Math.floor(times.length * share)]);

/** Milliseconds that a child takes to start, and those of a single call. */
export const measureTimes = async (interpreter, file, row) => {
  process.stderr.write('python: restarts, strict, single calls\n');
  const withImage = await hasImage();
  const results = await interleave(ROUNDS, {
    fork: () => measureFork(interpreter),
    confined: () => measureRestart(DIES, {}, file),
    open: () => measureRestart(DIES, { isolation: 'open' }, file),
    ...(withImage && {
      packages: () => measureRestart(DIES_WITH_PACKAGES, { imageTag: IMAGE_TAG }, file),
    }),
    strict: () => measureStrict(file),
    calls: () => measureCalls(row),
  });
  const { fork, confined, open, packages, strict, calls } = results;
  const added = confined.map((ms, round) => ms - open[round]);
  const packagesLabel = `the same with pandas and scikit-learn (image ${IMAGE_TAG})`;
  return [
    table(
      ['what', 'ms', 'goal', 'holds'],
      [
        atMost('limit: bare Python forks a process that ends at once', fork),
        atMost('from the end of a child to that of the next one, which dies in its first row', confined, 5),
        packages === undefined
          ? [packagesLabel, 'not installed', '', '']
          : atMost(packagesLabel, packages, 10),
        atMost('the same, open', open),
        atMost('confined above open', added, 3),
        atMost(`strict, a row (${formatNumber(1e3 / summarize(strict).median)} rows/s)`, strict),
        atMost('a single call, median', percentile(calls, 0.5), 1),
        atMost('a single call, 99th percentile', percentile(calls, 0.99)),
      ],
    ),
  ];
};
