/** The main job beside a bare read, split and JSON.parse of the same file; growth and memory. */
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withFolder, writeDataset } from './datasets.mjs';
import {
  formatNumber,
  formatRatio,
  formatSummary,
  interleave,
  measureSuccess,
  summarize,
  table,
} from './measure.mjs';

const ROUNDS = 5;
const CLI = join(import.meta.dirname, '../dist/cli.js');
const BARE_LOOP = join(import.meta.dirname, 'bare-loop.mjs');

export const title = 'Engine: string_check, rows of about 1 kB, scores out';

export const GRADER = {
  type: 'string_check',
  name: 'exact',
  input: '{{ sample.output_text }}',
  reference: '{{ item.answer }}',
  operation: 'eq',
};

/** `assay run` with its results in a fresh file; rows that fail would make it exit 3. */
export const measureRun = (folder, grader, dataset) => {
  const out = join(folder, 'scores.jsonl');
  rmSync(out, { force: true });
  rmSync(`${out}.run.json`, { force: true });
  return measureSuccess(process.execPath, [CLI, 'run', grader, dataset, '-o', out, '--quiet']);
};

export const run = ({ rows }) =>
  withFolder(async (folder) => {
    const grader = join(folder, 'grader.json');
    writeFileSync(grader, JSON.stringify(GRADER));
    const datasets = { tenth: Math.ceil(rows / 10), all: rows };
    for (const [name, count] of Object.entries(datasets)) writeDataset(join(folder, `${name}.jsonl`), count);
    const ascii = join(folder, 'ascii.jsonl');
    writeDataset(ascii, rows, { typographic: false });
    process.stderr.write(`engine: ${rows} rows written\n`);

    const all = join(folder, 'all.jsonl');
    const results = await interleave(ROUNDS, {
      bare: () => measureSuccess(process.execPath, [BARE_LOOP, all]),
      assay: () => measureRun(folder, grader, all),
      tenth: () => measureRun(folder, grader, join(folder, 'tenth.jsonl')),
      bareAscii: () => measureSuccess(process.execPath, [BARE_LOOP, ascii]),
      assayAscii: () => measureRun(folder, grader, ascii),
    });
    const median = (name, field) => summarize(results[name].map((usage) => usage[field])).median;
    const row = (name, label, count) => [
      label,
      formatNumber(count),
      ...['cpuSeconds', 'wallSeconds', 'maxRssMiB'].map((field) =>
        formatSummary(results[name].map((usage) => usage[field])),
      ),
      `${formatNumber((median(name, 'cpuSeconds') / count) * 1e6)} µs`,
    ];
    const ratio = (field, ours = 'assay', bare = 'bare') =>
      formatRatio(median(ours, field) / median(bare, field));
    const growth = median('assay', 'cpuSeconds') / rows / (median('tenth', 'cpuSeconds') / datasets.tenth);
    return [
      `${formatNumber(statSync(all).size)}B of JSONL; ${ROUNDS} rounds in turn; median (min–max); process start included.`,
      '',
      table(
        ['what', 'rows', 'CPU s', 'wall s', 'peak MiB', 'CPU a row'],
        [
          row('bare', 'read + split + JSON.parse', rows),
          row('assay', 'assay run', rows),
          row('tenth', 'assay run', datasets.tenth),
          row('bareAscii', 'read + split + JSON.parse, ASCII only', rows),
          row('assayAscii', 'assay run, ASCII only', rows),
        ],
      ),
      '',
      `Against the bare loop: ${ratio('cpuSeconds')} CPU, ${ratio('wallSeconds')} wall; on ASCII only ` +
        `${ratio('cpuSeconds', 'assayAscii', 'bareAscii')} CPU, ${ratio('wallSeconds', 'assayAscii', 'bareAscii')} wall. CPU a row at ${formatNumber(rows)} rows is ` +
        `${formatRatio(growth)} that at ${formatNumber(datasets.tenth)}.`,
    ].join('\n');
  });
