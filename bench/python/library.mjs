/** Python graders through the library: started before anything is measured, and ended after it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSecondsOf, sessionsBelow } from './process-tree.mjs';

/** What share of a run's rows is graded before it, so that the code on both sides is warm. */
const WARM_UP = 0.2;

// Built when the benchmarks start, after this module was found.
const assay = () => import('../../dist/index.js');

/**
 * Hands `use` a grader whose processes all run.
 *
 * @param options  those of `createPython`, and `imageTag`
 */
export const withGrader = async (source, { imageTag, workers = 1, ...options }, use) => {
  const { builtinGraders, createEngine, createPython } = await assay();
  const python = createPython({ eager: true, workers, ...options });
  const engine = createEngine({ graders: builtinGraders, python });
  const grader = await engine.prepare({ type: 'python', source, image_tag: imageTag });
  try {
    // A supervisor and a child for each worker, each with a session of its own.
    while (sessionsBelow(process.pid).length < 2 * workers) await sleep(5);
    return await use(grader);
  } finally {
    await grader.close();
    await python.close();
  }
};

/** Grades rows of a file; the summary, and the places of the rows that failed. */
export const gradeFile = async (grader, file, rows) => {
  const { run } = await assay();
  const places = [];
  const { summary } = await run(grader, {
    data: file,
    limit: rows,
    onFailure: (_, place) => places.push(place),
  });
  return { summary, places };
};

/** Seconds of the clock, of this process and of those that it has started. */
const readClocks = (pids) => {
  const { user, system } = process.cpuUsage();
  return { wall: performance.now() / 1e3, node: (user + system) / 1e6, python: cpuSecondsOf(pids) };
};

/**
 * Grades rows of a file in processes that are warm.
 *
 * @returns seconds of the clock (`wall`), of CPU in this process (`node`) and in its children (`python`)
 */
export const measureGrading = async (grader, file, rows) => {
  await gradeFile(grader, file, Math.ceil(rows * WARM_UP));
  const pids = sessionsBelow(process.pid);
  const before = readClocks(pids);
  const { summary, places } = await gradeFile(grader, file, rows);
  const after = readClocks(pids);
  if (places.length > 0 || String(sessionsBelow(process.pid)) !== String(pids))
    throw new Error(
      `${places.length} rows failed or a process was started anew, and no row gives cause for it`,
    );
  const [wall, node, python] = ['wall', 'node', 'python'].map((clock) => after[clock] - before[clock]);
  return { rows, wall, node, python, mean: summary.mean };
};
