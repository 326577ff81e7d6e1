/** Python graders beside a bare Python process and beside promptfoo; crashes, restarts, single calls. */
import { join } from 'node:path';
import { createRows, withFolder, writeDataset } from './datasets.mjs';
import { compareCrashes, measureTimes } from './python/faults.mjs';
import { withGrader } from './python/library.mjs';
import { comparePromptfoo, PROMPTFOO_ROWS } from './python/promptfoo.mjs';
import { compareRates, readSource } from './python/rates.mjs';

const ROUNDS = 5;
const MOST_ROWS = 100_000;

export const title = 'Python graders: rows of about 1 kB';

/** The Python that graders get here, or why there is none. */
const findPython = async () => {
  try {
    return await withGrader(readSource('trivial'), {}, ({ environment }) => environment);
  } catch (error) {
    if (error.name === 'UnavailableError') return { missing: error.message };
    throw error;
  }
};

export const run = async ({ rows }) => {
  if (process.platform !== 'linux') return 'Not measured: Python graders are confined on Linux only.';
  const { missing, python, executable } = await findPython();
  if (missing !== undefined) return `Not measured: ${missing}.`;
  return withFolder(async (folder) => {
    const file = join(folder, 'rows.jsonl');
    const count = Math.min(rows, MOST_ROWS);
    writeDataset(file, count);
    const few = [...createRows(PROMPTFOO_ROWS)];
    return [
      `Python ${python}; ${ROUNDS} rounds in turn; median (min–max). Limit P is one Python process that reads the file, parses each row`,
      'and calls the same function. Unless it says otherwise, processes are warm and their start is not counted.',
      '',
      ...(await compareRates(folder, executable, file, count)),
      '',
      'promptfoo as a command with one job, what it takes without Python subtracted, and the trivial grader:',
      '',
      ...(await comparePromptfoo(folder, executable, file, few, count)),
      '',
      ...(await compareCrashes(file, count)),
      '',
      ...(await measureTimes(executable, file, few[0])),
    ].join('\n');
  });
};
