import type { ComparedRun } from './compare.js';
import type { Pairing, SideCounts } from './pair.js';
import { journalPath, readRecord, type FileRecord, type RunRecord } from './record.js';

/** A results file as the user named it, with what stands in the record beside it. */
export interface RunFile {
  readonly path: string;
  /** Where its lines are. */
  readonly lines: string;
  /** undefined where there is none that can be used; there is less to warn about then. */
  readonly record: RunRecord | undefined;
  /** Why the record cannot be used, or what it says against the results. */
  readonly warnings: readonly string[];
}

/** Looks what a results file belongs to; never throws, for results can be compared without a record. */
export const readRunFile = async (path: string): Promise<RunFile> => {
  const lines = journalPath(path);
  const without = (...warnings: string[]): RunFile => ({ path, lines, record: undefined, warnings });
  try {
    const record = await readRecord(lines);
    if (record === undefined) return without();
    const { status } = record;
    const warnings = status === 'complete' ? [] : [`${path}: its run is not complete (${status})`];
    return { path, lines, record, warnings };
  } catch (error) {
    return without((error as Error).message);
  }
};

/** @param matched  rows that the other run has as well */
export const comparedRun = (
  { path, record }: RunFile,
  { rows, scored, failed }: SideCounts,
  matched: number,
): ComparedRun => ({
  path,
  rows,
  scored,
  failed,
  unpaired: rows - matched,
  grader: record?.grader ?? null,
  dataset: record?.dataset.path ?? null,
});

/** What may make a comparison another one than it seems to be. */
export const comparisonWarnings = (a: RunFile, b: RunFile, pairing: Pairing): string[] => [
  ...a.warnings,
  ...b.warnings,
  ...tornWarning(a, pairing.a),
  ...tornWarning(b, pairing.b),
  ...idWarning(pairing),
  ...(a.record === undefined || b.record === undefined ? [] : recordWarnings(a.record, b.record, pairing)),
];

const tornWarning = ({ path }: RunFile, { tornLine }: SideCounts): string[] =>
  tornLine === undefined
    ? []
    : [`${path}:${tornLine}: the last line breaks off and is left out; was its run stopped?`];

const idWarning = ({ differentIds, matched }: Pairing): string[] => {
  if (differentIds === 0) return [];
  const why = 'ids repeat, or are missing';
  return [
    `${differentIds} of ${matched} rows were paired by their number although their ids differ (${why})`,
  ];
};

const recordWarnings = (a: RunRecord, b: RunRecord, { by }: Pairing): string[] => {
  const warnings: string[] = [];
  if (a.grader.sha256 !== b.grader.sha256 || a.grader.signature !== b.grader.signature) {
    const graders = `${a.grader.signature} and ${b.grader.signature}`;
    warnings.push(`the graders differ (${graders}), so the difference is theirs as well`);
  }
  if (by === 'row' && !areSameFiles(a.dataset.files, b.dataset.files)) {
    const datasets = `${a.dataset.path} and ${b.dataset.path}`;
    warnings.push(
      `the datasets differ (${datasets}), as they do when they hold outputs: row n of one has to be row n of the ` +
        'other; with --id rows would be paired by it',
    );
  }
  return warnings;
};

const areSameFiles = (a: readonly FileRecord[], b: readonly FileRecord[]): boolean =>
  a.length === b.length && a.every((file, index) => isSameFile(file, b[index]));

/** A run of a few rows has read, and knows checksums of, the beginning of its file alone. */
const isSameFile = (a: FileRecord, b: FileRecord): boolean =>
  a.bytes === b.bytes && (a.crc32.startsWith(b.crc32) || b.crc32.startsWith(a.crc32));
