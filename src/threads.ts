import { existsSync } from 'node:fs';
import { builtinGraders } from '../graders/index.js';
import type { ReadyGrader } from './engine.js';
import type { WorkerCode } from './run/grading.js';
import { run as runWith, type RunOptions, type RunResult } from './run/run.js';

const url = new URL('./worker.js', import.meta.url);

/** The worker of the package knows the built-in graders. Sources that were not built have none, and run on one thread. */
const workerCode: WorkerCode | undefined = existsSync(url) ? { url, graders: builtinGraders } : undefined;

/**
 * Grades a dataset: rows in, result lines out, in input order and constant memory; on several threads where that pays.
 *
 * @throws DatasetError, ResultsExistError, ResumeError or WriteError
 */
export const run = (grader: ReadyGrader, options: RunOptions): Promise<RunResult> =>
  runWith(grader, { workerCode, ...options });
