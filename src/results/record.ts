import { open, rename } from 'node:fs/promises';
import { cannotWrite } from './sink.js';
import type { ScoreSummary } from './summary.js';

/** Raised when a file's form changes. */
export const RECORD_FORMAT = 1;

/** What a results file belongs to, and how the run went: the content of `<results>.run.json`. */
export interface RunRecord {
  readonly format: typeof RECORD_FORMAT;
  readonly status: 'running' | 'complete' | 'interrupted';
  /** Version of this package. */
  readonly assay: string;
  readonly grader: GraderRecord;
  readonly dataset: DatasetRecord;
  /** The flags that change which rows or lines there are. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly summary?: RunSummary;
}

export interface GraderRecord {
  readonly name: string;
  readonly type: string;
  /** What the scores were made with: `bleu/hosted-2025`. */
  readonly signature: string;
  /** SHA-256 of the grader's configuration as compact JSON. */
  readonly sha256: string;
}

export interface DatasetRecord {
  readonly path: string;
  /** Size of the file; absent for standard input. */
  readonly bytes?: number;
  /** CRC-32 of each block of 1 MiB that was read. */
  readonly crc32?: readonly number[];
}

/** A finished run, as `--json` prints it. */
export interface RunSummary extends ScoreSummary {
  readonly grader: GraderRecord;
  /** The metric profile that applied to graders which named none. */
  readonly profile: string;
  readonly dataset: string;
  readonly results: string | null;
  readonly started: string;
  readonly seconds: number;
  readonly rows_per_second: number;
  /** What was odd about the configuration, such as a threshold that was filled in. */
  readonly configuration_warnings: readonly string[];
  /** What was odd about the rows. */
  readonly warnings: readonly string[];
}

export const recordPath = (results: string): string => `${results}.run.json`;

/**
 * Writes the record so that a reader sees the old one or the new one, never half of it.
 *
 * @throws WriteError
 */
export const writeRecord = async (results: string, record: RunRecord): Promise<void> => {
  const path = recordPath(results);
  const temporary = `${path}.tmp`;
  try {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(`${JSON.stringify(record, undefined, 1)}\n`);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    throw cannotWrite(path, error as Error);
  }
};
