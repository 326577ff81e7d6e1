import type { PythonProgram } from '../contract.js';
import { gradeItem, type ProbeOptions, withProbe } from './probe.js';

/** How fast a trivial grader is on one worker. */
export interface Speed {
  /** From nothing to the first score. */
  readonly start_ms: number;
  /** The first row after one that has ended its process. */
  readonly restart_ms: number;
  /** A row on its own, by a process that is there. */
  readonly call_ms: number;
  /** Rows that are handed in together. */
  readonly rows_per_second: number;
  /** How often each was done: `start` and so on are medians. */
  readonly times: {
    readonly start: number;
    readonly restart: number;
    readonly call: number;
    readonly rows: number;
  };
}

const TIMES = { start: 3, restart: 20, call: 500, rows: 20_000 };

const TRIVIAL = `import os

def grade(sample, item):
    if item["n"] < 0:
        os._exit(1)
    return item["n"] / 2
`;

/**
 * Measures a trivial grader.
 *
 * @throws UnavailableError when graders cannot run as `options` ask
 */
export const measureSpeed = async (options: ProbeOptions): Promise<Speed> => {
  const startFresh = () => withProbe(TRIVIAL, options, (program) => gradeItem(program, { n: 1 }));
  const start_ms = await medianMs(TIMES.start, startFresh);
  return withProbe(TRIVIAL, options, async (program) => {
    const gradeOne = () => gradeItem(program, { n: 1 });
    await medianMs(TIMES.call, gradeOne); // Warm.
    const call_ms = await medianMs(TIMES.call, gradeOne);
    const crash = () => gradeItem(program, { n: -1 });
    const restart_ms = await medianMs(TIMES.restart, gradeOne, crash);
    const rows_per_second = await rate(program);
    return { start_ms, restart_ms, call_ms, rows_per_second, times: TIMES };
  });
};

/** @param before  what is done before each time, and not measured */
const medianMs = async (
  times: number,
  work: () => Promise<unknown>,
  before?: () => Promise<unknown>,
): Promise<number> => {
  const measured: number[] = [];
  for (let count = 0; count < times; count += 1) {
    await before?.();
    const start = performance.now();
    await work();
    measured.push(performance.now() - start);
  }
  return measured.sort((a, b) => a - b)[Math.floor(times / 2)];
};

const rate = async (program: PythonProgram): Promise<number> => {
  const gradeAll = () => Promise.all(Array.from({ length: TIMES.rows }, (_, n) => gradeItem(program, { n })));
  await gradeAll(); // Warm.
  return (TIMES.rows * 1000) / (await medianMs(1, gradeAll));
};
