/** The same comparisons by other tools, on the same rows: autoevals as a library, promptfoo as a command. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measureRun, similarity, STRING_CHECK, writeGrader } from './cli.mjs';
import { withFolder, writeDataset } from './datasets.mjs';
import { formatRatio, formatSummary, interleave, measureSuccess, ratioOf, table } from './measure.mjs';

const HERE = import.meta.dirname;
const LIBRARY_RATE = join(HERE, 'library-rate.mjs');
const PROMPTFOO = join(HERE, 'node_modules/promptfoo/dist/src/entrypoint.js');
const ROUNDS = 5;

export const title = 'Peers: rows per CPU second';

const FUZZY_MATCH = similarity('fuzzy_match');

/** promptfoo's own assertions for the two; its Levenshtein threshold counts edits. */
const PROMPTFOO_CELLS = [
  { label: 'promptfoo equals', grader: STRING_CHECK, assertion: { type: 'equals', value: '{{expected}}' } },
  {
    label: 'promptfoo levenshtein',
    grader: FUZZY_MATCH,
    assertion: { type: 'levenshtein', value: '{{expected}}', threshold: 10 },
  },
];

const LIBRARY_CELLS = [
  { scorer: 'ExactMatch', config: STRING_CHECK },
  { scorer: 'Levenshtein', config: FUZZY_MATCH },
];
/** Answer lengths and row counts for the library comparison. */
const LIBRARY_SIZES = [
  { answerLength: 20, rows: 20_000 },
  { answerLength: 200, rows: 10_000 },
  { answerLength: 1_000, rows: 2_000 },
];
/** The command comparison runs twice and takes the difference, so that starting up does not count. */
const COMMAND_ROWS = { promptfoo: { few: 100, many: 3_100 }, assay: { few: 10_000, many: 310_000 } };
const COMMAND_ANSWER_LENGTH = 60;

export const installPeers = () => {
  if (existsSync(PROMPTFOO)) return;
  process.stderr.write('peers: npm ci in bench/ (about 2 GB)\n');
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--no-engine-strict'], {
    cwd: HERE,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
};

const readRows = (file) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Median rates beside each other, as one table row. */
const comparison = (label, ours, theirs) => [
  label,
  formatSummary(ours),
  formatSummary(theirs),
  formatRatio(ratioOf(ours, theirs)),
];

const compareLibrary = async (folder) => {
  const lines = [];
  for (const { answerLength, rows } of LIBRARY_SIZES) {
    const file = join(folder, 'library.jsonl');
    writeDataset(file, rows, { rowBytes: 200 + 2 * answerLength, answerLength });
    for (const { scorer, config } of LIBRARY_CELLS) {
      const measure = (tool, what) =>
        Number(execFileSync(process.execPath, [LIBRARY_RATE, tool, what, file]));
      const { ours, theirs } = await interleave(ROUNDS, {
        ours: () => measure('assay', JSON.stringify(config)),
        theirs: () => measure('autoevals', scorer),
      });
      lines.push(comparison(`autoevals ${scorer}, ${answerLength} characters`, ours, theirs));
    }
  }
  return lines;
};

/** A promptfoo project that grades stored outputs: its echo provider gives each output back. */
const writePromptfooProject = (folder, name, rows, assertion) => {
  const tests = join(folder, `${name}.jsonl`);
  const lines = rows.map(({ item, sample }) => ({
    vars: { output: sample.output_text, expected: item.answer },
  }));
  writeFileSync(tests, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const config = join(folder, `${name}.json`);
  const defaultTest = { assert: [assertion] };
  writeFileSync(
    config,
    JSON.stringify({ prompts: ['{{output}}'], providers: ['echo'], tests: `file://${tests}`, defaultTest }),
  );
  return config;
};

export const measurePromptfoo = (folder, config) => {
  const flags = [
    '--no-cache',
    '--no-write',
    '--no-table',
    '--no-progress-bar',
    '-j',
    '1',
    '-o',
    join(folder, 'promptfoo.json'),
  ];
  const env = {
    ...process.env,
    PROMPTFOO_CONFIG_DIR: join(folder, 'promptfoo'),
    PROMPTFOO_DISABLE_TELEMETRY: '1',
    PROMPTFOO_DISABLE_UPDATE: '1',
    PROMPTFOO_DISABLE_REMOTE_GENERATION: '1',
    // Rows that fail their assertion are a result, not an error.
    PROMPTFOO_FAILED_TEST_EXIT_CODE: '0',
  };
  return measureSuccess(process.execPath, [PROMPTFOO, 'eval', '-c', config, ...flags], {
    env,
    cwd: folder,
    // It says on every start that its Node 20 support has ended.
    stdio: ['ignore', 'pipe', 'ignore'],
  });
};

/** Rows per CPU second of a command, starting up subtracted. */
const marginalRate = ({ few, many }, cpuSeconds) => (many - few) / (cpuSeconds('many') - cpuSeconds('few'));

const compareCommand = async (folder) => {
  const sizes = ['few', 'many'];
  const datasets = {};
  for (const size of sizes) {
    datasets[size] = join(folder, `assay-${size}.jsonl`);
    writeDataset(datasets[size], COMMAND_ROWS.assay[size], {
      rowBytes: 300,
      answerLength: COMMAND_ANSWER_LENGTH,
    });
  }
  const rows = readRows(datasets.few);
  const lines = [];
  for (const { label, grader, assertion } of PROMPTFOO_CELLS) {
    process.stderr.write(`peers: ${label}\n`);
    const graderFile = writeGrader(folder, grader);
    const projects = Object.fromEntries(
      sizes.map((size) => [
        size,
        writePromptfooProject(folder, size, rows.slice(0, COMMAND_ROWS.promptfoo[size]), assertion),
      ]),
    );
    const { ours, theirs } = await interleave(ROUNDS, {
      ours: () =>
        marginalRate(COMMAND_ROWS.assay, (size) => measureRun(folder, graderFile, datasets[size]).cpuSeconds),
      theirs: () =>
        marginalRate(COMMAND_ROWS.promptfoo, (size) => measurePromptfoo(folder, projects[size]).cpuSeconds),
    });
    lines.push(comparison(`${label}, ${COMMAND_ANSWER_LENGTH} characters`, ours, theirs));
  }
  return lines;
};

export const run = async () => {
  installPeers();
  const lines = await withFolder(async (folder) => [
    ...(await compareLibrary(folder)),
    ...(await compareCommand(folder)),
  ]);
  return [
    `autoevals: as a library, rows in memory; ours renders its templates, too. promptfoo: as a command on stored outputs, starting up subtracted.`,
    `Ours is string_check or fuzzy_match, the same way. ${ROUNDS} rounds in turn; median (min–max).`,
    '',
    table(['peer', 'ours', 'theirs', 'ratio'], lines),
  ].join('\n');
};
