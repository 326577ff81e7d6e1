/** The command under test, and graders for it. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measureSuccess } from './measure.mjs';

export const CLI = join(import.meta.dirname, '../dist/cli.js');

const TEXTS = { input: '{{ sample.output_text }}', reference: '{{ item.answer }}' };

export const STRING_CHECK = { type: 'string_check', name: 'exact', ...TEXTS, operation: 'eq' };

/** A text_similarity grader. */
export const similarity = (metric) => ({
  type: 'text_similarity',
  name: 'close',
  ...TEXTS,
  evaluation_metric: metric,
  pass_threshold: 0.8,
});

/** Writes a grader's file and gives its path. */
export const writeGrader = (folder, grader) => {
  const file = join(folder, `${grader.evaluation_metric ?? grader.type}.json`);
  writeFileSync(file, JSON.stringify(grader));
  return file;
};

/** Where {@link measureRun} leaves the results. */
export const resultsFile = (folder) => join(folder, 'scores.jsonl');

/** `assay run` with its results in a fresh file; rows that fail would make it exit 3. */
export const measureRun = (folder, grader, dataset, flags = [], out = resultsFile(folder)) => {
  rmSync(out, { force: true });
  rmSync(`${out}.run.json`, { force: true });
  return measureSuccess(process.execPath, [CLI, 'run', grader, dataset, '-o', out, '--quiet', ...flags]);
};
