import { describe, expect, test } from 'vitest';
import { comparePaired, type PairedDifferences } from '../../src/stats/paired.js';
import { randomIndex } from '../../src/stats/random.js';

/*
 * How often intervals hold the truth and tests are wrong, found by drawing differences whose true mean is known. The suite
 * draws few; `ASSAY_SIMULATION=full npx vitest run test/stats/simulation.test.ts` draws many and prints a table.
 */

/** What single differences are drawn from. */
interface Scenario {
  readonly name: string;
  readonly mean: number;
  /** Of a difference; for clusters, of a cluster's sum over its mean size. NaN where power is not looked at. */
  readonly deviation: number;
  readonly draw: (random: Uniform, units: number, shift: number) => PairedDifferences;
  /** Whether the differences are spread evenly to both sides when the mean is 0, as the rank and flip tests assume. */
  readonly symmetric: boolean;
}

/** Uniform on (0, 1). */
type Uniform = () => number;

const uniform = (seed: number): Uniform => {
  const random = randomIndex(seed);
  return () => (random(2 ** 32) + 0.5) / 2 ** 32;
};

const normal = (random: Uniform): number =>
  Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());

/** The k-th smallest of n uniform numbers: a beta distribution, as rewards between 0 and 1 look. */
const ordered = (random: Uniform, k: number, n: number): number =>
  Array.from({ length: n }, random).sort((a, b) => a - b)[k - 1];

const independent =
  (one: (random: Uniform) => number, binary = false): Scenario['draw'] =>
  (random, units, shift) => ({
    binary,
    differences: Float64Array.from({ length: units }, () => one(random) + shift),
  });

/** Clusters of 1 to 8 pairs that share half of their variance. */
const clustered =
  (one: (shared: number, random: Uniform) => number): Scenario['draw'] =>
  (random, units, shift) => {
    const sizes = Array.from({ length: units }, () => 1 + Math.floor(random() * 8));
    const clusters = sizes.flatMap((size, cluster) => Array.from({ length: size }, () => cluster));
    const shared = sizes.map(() => normal(random));
    return {
      binary: false,
      clusters: Int32Array.from(clusters),
      differences: Float64Array.from(clusters, (cluster) => one(shared[cluster], random) + shift),
    };
  };

/** gained, lost: the shares of pairs that change from 0 to 1, and from 1 to 0. */
const changing = (gained: number, lost: number): Scenario => ({
  name: `0 or 1, ${gained * 100} % gained, ${lost * 100} % lost`,
  mean: gained - lost,
  deviation: NaN,
  symmetric: gained === lost,
  draw: independent((random) => {
    const at = random();
    return at < gained ? 1 : at < gained + lost ? -1 : 0;
  }, true),
});

const SCENARIOS: readonly Scenario[] = [
  { name: 'normal', mean: 0, deviation: 1, symmetric: true, draw: independent(normal) },
  {
    name: 'difference of two bounded rewards',
    mean: 0,
    deviation: Math.sqrt(2 / 20),
    symmetric: true,
    draw: independent((random) => ordered(random, 2, 3) - ordered(random, 2, 3)),
  },
  {
    name: '80 % ties',
    mean: 0,
    deviation: NaN,
    symmetric: true,
    draw: independent((random) => (random() < 0.8 ? 0 : random() * 0.8 - 0.4)),
  },
  {
    name: 'heavy tails (t with 3 degrees)',
    mean: 0,
    deviation: Math.sqrt(3),
    symmetric: true,
    draw: independent(
      (random) =>
        normal(random) / Math.sqrt((normal(random) ** 2 + normal(random) ** 2 + normal(random) ** 2) / 3),
    ),
  },
  {
    name: 'skewed (exponential)',
    mean: 0,
    deviation: 1,
    symmetric: false,
    draw: independent((random) => -Math.log(random()) - 1),
  },
  {
    name: 'skewed, bounded (beta 1, 4)',
    mean: 0,
    deviation: Math.sqrt(4 / 150),
    symmetric: false,
    draw: independent((random) => ordered(random, 1, 4) - 0.2),
  },
  {
    name: '90 % small gains, 10 % large losses',
    mean: 0,
    deviation: 0.3,
    symmetric: false,
    draw: independent((random) => (random() < 0.9 ? 0.1 : -0.9)),
  },
  changing(0.05, 0.05),
  changing(0.2, 0.2),
  changing(0.15, 0.02),
  {
    name: 'clusters, normal',
    mean: 0,
    // A cluster's sum has the variance n² / 2 + n / 2; sizes 1 to 8 have means 4.5 and 25.5 of n and n².
    deviation: Math.sqrt(25.5 / 2 + 4.5 / 2) / 4.5,
    symmetric: true,
    draw: clustered((shared, random) => (shared + normal(random)) * Math.SQRT1_2),
  },
  {
    name: 'clusters, gained or lost',
    mean: 0,
    deviation: NaN,
    symmetric: true,
    draw: clustered((shared, random) => {
      const leaning = shared + normal(random);
      return leaning > 1.5 ? 1 : leaning < -1.5 ? -1 : 0;
    }),
  },
];

interface Outcome {
  /** Share of intervals that hold the true mean. */
  readonly coverage: number;
  /** Share of tests below 5 % where the true mean is 0. */
  readonly falseAlarms: number;
  /** Share of draws in which test and interval agree on a difference that is not there. */
  readonly falseVerdicts: number;
  /** Share of tests below 5 % where the true mean is what would be noticed with 80 % power. */
  readonly power: number;
}

const simulate = ({ draw, mean, deviation }: Scenario, units: number, draws: number): Outcome => {
  const random = uniform(units);
  let [held, alarms, verdicts, noticed] = [0, 0, 0, 0];
  for (let round = 0; round < draws; round += 1) {
    const result = comparePaired(draw(random, units, 0));
    const [low, high] = result?.interval ?? [result?.mean ?? NaN, result?.mean ?? NaN];
    const rejects = (result?.test.p ?? 1) < 0.05;
    if (low <= mean && mean <= high) held += 1;
    if (rejects) alarms += 1;
    if (rejects && (low > 0 || high < 0)) verdicts += 1;
    const shift = (2.8 * deviation) / Math.sqrt(units);
    if (Number.isFinite(shift) && (comparePaired(draw(random, units, shift))?.test.p ?? 1) < 0.05)
      noticed += 1;
  }
  return {
    coverage: held / draws,
    falseAlarms: alarms / draws,
    falseVerdicts: verdicts / draws,
    power: noticed / draws,
  };
};

const percent = (share: number): string => (share * 100).toFixed(1);

const tableOf = (units: number, draws: number): string[] =>
  SCENARIOS.map((scenario) => {
    const { coverage, falseAlarms, falseVerdicts, power } = simulate(scenario, units, draws);
    const isNull = scenario.mean === 0;
    const shifts = scenario.symmetric && Number.isFinite(scenario.deviation);
    return `| ${[
      scenario.name,
      units,
      percent(coverage),
      isNull && scenario.symmetric ? percent(falseAlarms) : '–',
      isNull ? percent(falseVerdicts) : '–',
      shifts ? percent(power) : '–',
    ].join(' | ')} |`;
  });

const FULL = process.env['ASSAY_SIMULATION'] === 'full';

test.runIf(FULL)('the whole table', { timeout: 3_600_000 }, () => {
  const lines = [10, 20, 50, 100, 300, 1000].flatMap((units) => tableOf(units, units < 300 ? 2000 : 500));
  process.stdout.write(
    `\n${['| differences | n | coverage | test rejects at 0 | wrong verdict at 0 | power |', '|---|---|---|---|---|---|', ...lines].join('\n')}\n`,
  );
});

describe.each(SCENARIOS)('$name', (scenario) => {
  test('intervals hold, tests do not cry wolf', () => {
    const { coverage, falseAlarms, falseVerdicts } = simulate(scenario, 40, 150);
    // 95 % and 5 % give or take three standard errors of 150 draws; rare large losses are missed by any method.
    expect(coverage).toBeGreaterThan(0.89);
    if (scenario.mean !== 0) return;
    expect(falseVerdicts).toBeLessThan(0.11);
    if (scenario.symmetric) expect(falseAlarms).toBeLessThan(0.11);
  });
});
