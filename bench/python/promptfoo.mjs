/** promptfoo's own ways to ask Python, on the same rows. */
import { readFileSync, writeFileSync } from 'node:fs';
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
import { installPeers, measurePromptfoo } from '../peers.bench.mjs';
import { measureGrading, withGrader } from './library.mjs';
import { readSource, sourceFile } from './rates.mjs';

const ROUNDS = 5;
/** It starts a process for every assertion, and keeps one for a provider. */
const ROWS = { assertion: 40, provider: 400 };
const GOALS = { assertion: { atLeast: 1000 }, provider: { atLeast: 100 } };
const LABELS = { assertion: 'promptfoo, Python assertion', provider: 'promptfoo, Python provider' };

const ECHO = 'echo';

/** What is asked of promptfoo; the echo provider gives each output back. */
const PROJECTS = {
  assertion: {
    providers: [ECHO],
    assert: [{ type: 'python', value: `file://${sourceFile('promptfoo_assertion')}` }],
  },
  provider: { providers: [`file://${sourceFile('promptfoo_provider')}`] },
};

const writeProject = (folder, name, rows, { providers, assert = [] }) => {
  const tests = join(folder, `${name}.jsonl`);
  const lines = rows.map(({ item, sample }) => ({ vars: { ...item, output: sample.output_text } }));
  writeFileSync(tests, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const config = join(folder, `${name}.json`);
  const project = { prompts: ['{{output}}'], providers, tests: `file://${tests}`, defaultTest: { assert } };
  writeFileSync(config, JSON.stringify(project));
  return config;
};

/** Where {@link measurePromptfoo} leaves what came out. */
const readStats = (folder) => JSON.parse(readFileSync(join(folder, 'promptfoo.json'), 'utf8')).results.stats;

const measureProject = (folder, config, rows) => {
  const usage = measurePromptfoo(folder, config);
  const { successes, failures, errors } = readStats(folder);
  if (errors > 0 || successes + failures !== rows)
    throw new Error(`promptfoo: ${errors} errors in ${rows} rows`);
  return usage;
};

/** Seconds a row that Python adds to a run. */
const measureAdded = (folder, kind, rows) => {
  const some = rows.slice(0, ROWS[kind]);
  const withPython = measureProject(folder, writeProject(folder, kind, some, PROJECTS[kind]), some.length);
  const without = measureProject(
    folder,
    writeProject(folder, 'without', some, { providers: [ECHO] }),
    some.length,
  );
  const added = (field) => (withPython[field] - without[field]) / some.length;
  return { wall: added('wallSeconds'), cpu: added('cpuSeconds') };
};

const measureOurs = (file, rows) =>
  withGrader(readSource('trivial'), {}, async (grader) => {
    const { wall, node, python } = await measureGrading(grader, file, rows);
    return { wall: wall / rows, cpu: (node + python) / rows };
  });

const rates = (usages, field) => usages.map((usage) => 1 / usage[field]);

const rateRow = (label, number, usages) => [
  label,
  formatNumber(number),
  formatSummary(rates(usages, 'wall')),
  formatSummary(rates(usages, 'cpu')),
];

/** @param rows  the first ones of the file */
export const comparePromptfoo = async (folder, interpreter, file, rows, count) => {
  process.stderr.write('python: promptfoo\n');
  installPeers();
  process.env['PROMPTFOO_PYTHON'] = interpreter;
  const { ours, ...theirs } = await interleave(ROUNDS, {
    ours: () => measureOurs(file, count),
    assertion: () => measureAdded(folder, 'assertion', rows),
    provider: () => measureAdded(folder, 'provider', rows),
  });
  const ratio = (field, usages) =>
    summarize(rates(ours, field)).median / summarize(rates(usages, field)).median;
  return [
    table(
      ['what', 'rows', 'rows/s', 'rows a CPU second'],
      [
        rateRow('assay, confined, 1 worker', count, ours),
        ...Object.entries(theirs).map(([kind, usages]) => rateRow(LABELS[kind], ROWS[kind], usages)),
      ],
    ),
    '',
    ratioTable(
      Object.entries(theirs).flatMap(([kind, usages]) => [
        ratioRow(`assay to ${LABELS[kind]}: rows/s`, ratio('wall', usages), GOALS[kind]),
        ratioRow(`assay to ${LABELS[kind]}: rows a CPU second`, ratio('cpu', usages)),
      ]),
    ),
  ];
};

/** How many rows {@link comparePromptfoo} wants. */
export const PROMPTFOO_ROWS = Math.max(...Object.values(ROWS));
