import { describe, expect, test } from 'vitest';
import { benchReport } from '../../src/bench/report.js';
import type { FaultName, RewardReport } from '../../src/bench/report.js';
import { CLEAN, FAULTY, simulateBench, type SimulatedGrader } from '../bench/simulated-rewards.js';

/*
 * How often a planted fault is named, and how often a reward without one raises an alarm: 500 items with four samples
 * each. The suite draws few; `ASSAY_SIMULATION=full npx vitest run test/stats/simulation-faults.test.ts` draws many and
 * prints two tables.
 */

/** No alarm depends on the bootstrap. */
const OPTIONS = { replicates: 0 };

const benched = (grader: SimulatedGrader, seed: number, labelled: boolean): RewardReport => {
  const { rows, reward } = simulateBench(grader, seed);
  return benchReport(labelled ? rows : { ...rows, labels: undefined }, [reward], OPTIONS).rewards[0];
};

interface Outcome {
  /** Share of runs with any alarm. */
  readonly any: number;
  /** Shares of runs with an alarm, by fault. */
  readonly shares: ReadonlyMap<FaultName, number>;
}

const outcomeOf = (grader: SimulatedGrader, runs: number, labelled = true): Outcome => {
  const counts = new Map<FaultName, number>();
  let any = 0;
  for (let run = 0; run < runs; run += 1) {
    const { alarms } = benched(grader, run + 1, labelled);
    if (alarms.length > 0) any += 1;
    for (const alarm of alarms) counts.set(alarm, (counts.get(alarm) ?? 0) + 1);
  }
  return { any: any / runs, shares: new Map([...counts].map(([name, count]) => [name, count / runs])) };
};

const PLANTED = Object.entries(FAULTY).flatMap(([fault, graders]) =>
  graders.map((grader: SimulatedGrader) => ({ fault: fault as FaultName, name: grader.name, grader })),
);

const FULL = process.env['ASSAY_SIMULATION'] === 'full';

const percent = (part: number): string => (part * 100).toFixed(1);

const shown = ({ shares }: Outcome, except?: FaultName): string =>
  [...shares].flatMap(([name, part]) => (name === except ? [] : [`${name} ${percent(part)}`])).join(', ') ||
  '–';

const print = (header: readonly string[], lines: readonly (readonly string[])[]): void => {
  const table = [header, header.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`);
  process.stdout.write(`\n${table.join('\n')}\n`);
};

describe.runIf(FULL)('the whole tables', { timeout: 3_600_000 }, () => {
  test('planted faults', () => {
    const lines = PLANTED.map(({ fault, name, grader }) => {
      const [labelled, unlabelled] = [outcomeOf(grader, 400), outcomeOf(grader, 200, false)];
      const found = [labelled, unlabelled].map(({ shares }) => percent(shares.get(fault) ?? 0));
      return [fault, name, ...found, shown(labelled, fault)];
    });
    print(['fault', 'planted as', 'named', 'without labels', 'other alarms'], lines);
  });

  test('rewards without a fault', () => {
    const lines = CLEAN.map((grader) => {
      const [labelled, unlabelled] = [outcomeOf(grader, 400), outcomeOf(grader, 400, false)];
      return [grader.name, percent(labelled.any), percent(unlabelled.any), shown(labelled)];
    });
    print(['reward', 'any alarm', 'without labels', 'which'], lines);
  });
});

describe('500 items with four samples each', () => {
  const FEW = 6;

  test.each(PLANTED)('$fault: $name', ({ fault, grader }) => {
    expect(outcomeOf(grader, FEW).shares.get(fault)).toBe(1);
  });

  test.each(CLEAN)('no fault: $name', (grader) => {
    expect(outcomeOf(grader, FEW).any).toBe(0);
  });
});
