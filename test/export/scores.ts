import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportScores, type ExportOptions } from '../../src/export/export.js';
import type { ExportReport } from '../../src/export/report.js';
import { TrainingFileCheck, type TrainingFileReport } from '../../src/methods/training-file.js';
import type { MethodName } from '../../src/methods/hyperparameters.js';

const folder = await mkdtemp(join(tmpdir(), 'assay-export-'));
let files = 0;

/** A file of its own for a test. */
export const place = (name: string): string => {
  files += 1;
  return join(folder, `${files}-${name}`);
};

/** Writes texts or values as lines of a file. */
export const writeLines = async (name: string, lines: readonly unknown[]): Promise<string> => {
  const path = place(name);
  const texts = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  await writeFile(path, texts.map((text) => `${text}\n`).join(''));
  return path;
};

/** A row of an eval's file with the reward that it got; a result without a reward failed. */
export interface Graded {
  readonly row: unknown;
  readonly reward?: number;
  readonly passed?: boolean;
  readonly group?: string;
}

/** Writes rows and their results. */
export const writeScores = async (
  graded: readonly Graded[],
): Promise<{ readonly data: string; readonly scores: string }> => ({
  data: await writeLines(
    'data.jsonl',
    graded.map(({ row }) => row),
  ),
  scores: await writeLines(
    'scores.jsonl',
    graded.map(({ reward, passed, group }, row) =>
      reward === undefined
        ? { row, group, status: 'failed', code: 'row_error', message: 'broken' }
        : { row, group, status: 'scored', reward, passed },
    ),
  ),
});

/** What came of an export. */
export interface Outcome {
  readonly report: ExportReport;
  /** The lines of the training file. */
  readonly lines: readonly string[];
}

/** Exports graded rows. */
export const exported = async (
  method: MethodName,
  graded: readonly Graded[],
  options: Partial<ExportOptions> = {},
): Promise<Outcome> => {
  const { data, scores } = await writeScores(graded);
  const output = place('train.jsonl');
  const report = await exportScores({ scores, data: [data], method, output, ...options });
  return { report, lines: report.written ? await linesOf(output) : [] };
};

/** The lines of a file. */
export const linesOf = async (path: string): Promise<string[]> =>
  (await readFile(path, 'utf8')).split('\n').slice(0, -1);

/** How often rows were left out for which reason. */
export const reasonsOf = ({ report }: Outcome): Record<string, number> =>
  Object.fromEntries(report.left_out.map(({ reason, rows }) => [reason, rows]));

/** What `assay validate --method` finds. */
export const checked = (method: MethodName, lines: readonly string[]): TrainingFileReport => {
  const check = new TrainingFileCheck({ method });
  for (const [index, line] of lines.entries()) check.line(line, index + 1);
  return check.report();
};
