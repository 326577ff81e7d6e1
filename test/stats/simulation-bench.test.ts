import { describe, expect, test } from 'vitest';
import {
  noiseShare,
  pairwiseAccuracy,
  positionBetween,
  preference,
  ratioStatistic,
  stratifiedSpearman,
  withinCorrelation,
} from '../../src/bench/reward-statistics.js';
import { bcaInterval, bootstrapReplicates, type ResampledStatistic } from '../../src/stats/bootstrap.js';
import {
  clusteredEstimate,
  sumByCluster,
  type ClusteredEstimate,
  type Clusters,
} from '../../src/stats/clustered.js';
import type { Interval } from '../../src/stats/interval.js';
import { randomIndex } from '../../src/stats/random.js';

/*
 * How often 95 % intervals of a bench hold the truth, found by drawing rows whose truth is known. The suite draws few;
 * `ASSAY_SIMULATION=full npx vitest run test/stats/simulation-bench.test.ts` draws many and prints a table.
 */

type Uniform = () => number;

const uniform = (seed: number): Uniform => {
  const random = randomIndex(seed);
  return () => (random(2 ** 32) + 0.5) / 2 ** 32;
};

const normal = (random: Uniform): number =>
  Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());

/** Four samples of each item. */
interface Samples {
  readonly items: Clusters;
  /** 0 or 1; items differ in how often they are solved. */
  readonly labels: Float64Array;
  /** A property of a sample that its label does not depend on. */
  readonly feature: Float64Array;
  /** What is bare chance in a reward. */
  readonly chance: Float64Array;
  /** Further chances: of two gradings, and of each item. */
  readonly first: Float64Array;
  readonly again: Float64Array;
  readonly ofItem: Float64Array;
}

const SAMPLES = 4;

const drawSamples = (random: Uniform, items: number): Samples => {
  const rows = items * SAMPLES;
  const of = Int32Array.from({ length: rows }, (_, row) => Math.floor(row / SAMPLES));
  const ease = Float64Array.from({ length: items }, () => 1.3 * normal(random));
  const itemChance = Float64Array.from({ length: items }, () => normal(random));
  const normals = (): Float64Array => Float64Array.from({ length: rows }, () => normal(random));
  return {
    items: { of, count: items },
    labels: Float64Array.from(of, (item) => (random() < 1 / (1 + Math.exp(-1.7 * ease[item])) ? 1 : 0)),
    feature: normals(),
    chance: normals(),
    first: normals(),
    again: normals(),
    ofItem: Float64Array.from(of, (item) => itemChance[item]),
  };
};

const combined =
  (reward: (samples: Samples, row: number) => number) =>
  (samples: Samples): Float64Array =>
    Float64Array.from(samples.labels, (_, row) => reward(samples, row));

const plain = combined(
  ({ labels, chance, ofItem }, row) => 1.5 * labels[row] + chance[row] + 0.7 * ofItem[row],
);
const sharp = combined(({ labels, chance }, row) => 2.5 * labels[row] + chance[row]);
const rubric = combined(({ labels, chance }, row) =>
  Math.max(0, Math.min(4, Math.round(1.5 + labels[row] + chance[row]))),
);
const biased =
  (weight: number) =>
  (samples: Samples): Float64Array =>
    combined(({ labels, chance, feature }, row) => labels[row] + chance[row] + weight * feature[row])(
      samples,
    );

const levelsOf = ({ labels }: Samples): Int32Array => Int32Array.from(labels);

interface Scenario {
  readonly name: string;
  readonly estimate: (samples: Samples) => ClusteredEstimate | undefined;
  /** By the bootstrap as well, which is what a bench reports of it. */
  readonly statistic?: (samples: Samples) => ResampledStatistic | undefined;
}

const accuracyScenario = (name: string, rewardsOf: (samples: Samples) => Float64Array): Scenario => {
  const find = (all: Samples) => pairwiseAccuracy(rewardsOf(all), all.labels, all.items);
  return { name, estimate: (all) => find(all)?.estimate, statistic: (all) => find(all)?.statistic };
};

const SCENARIOS: readonly Scenario[] = [
  accuracyScenario('pairwise accuracy', plain),
  accuracyScenario('pairwise accuracy, a sharp reward', sharp),
  accuracyScenario('pairwise accuracy, five levels', rubric),
  {
    name: 'preference, none',
    estimate: (all) => preference(plain(all), all.feature, all.items, levelsOf(all))?.estimate,
  },
  {
    name: 'preference, some',
    estimate: (all) => preference(biased(0.6)(all), all.feature, all.items, levelsOf(all))?.estimate,
  },
  {
    name: 'preference, strong, whatever the label',
    estimate: (all) => preference(biased(2)(all), all.feature, all.items)?.estimate,
  },
  {
    name: 'correlation within strata',
    estimate: (all) =>
      stratifiedSpearman(biased(0.6)(all), all.feature, { of: levelsOf(all), count: 2 }, all.items),
  },
  {
    name: 'correlation within items',
    estimate: (all) => withinCorrelation(biased(0.6)(all), all.feature, all.items),
  },
  {
    name: 'correlation within items, a dominating part',
    estimate: (all) => withinCorrelation(biased(6)(all), all.feature, all.items),
  },
  {
    name: 'share of noise, half of the items graded again',
    estimate: ({ items, chance, ofItem, first, again }) => {
      const graded = (noise: Float64Array): Float64Array =>
        chance.map((each, row) => each + ofItem[row] + 0.5 * noise[row]);
      const half = chance.length / 2;
      return noiseShare(graded(first), items, {
        first: graded(first).subarray(0, half),
        again: graded(again).subarray(0, half),
        clusters: { of: items.of.subarray(0, half), count: items.count },
      });
    },
  },
  {
    name: 'place of a bait between wrong and right',
    estimate: ({ items, labels, chance, ofItem }) =>
      positionBetween(
        ofItem.map((each) => 0.6 + 0.3 * each),
        labels.map((label, row) => label + 0.5 * chance[row]),
        Uint8Array.from(labels),
        items,
      ),
  },
  {
    name: 'share of what answers earn',
    estimate: ({ items, labels, ofItem }) => {
      const share = ratioStatistic(
        sumByCluster(
          ofItem.map((each) => (each > 1 ? 1 : 0)),
          items,
        ),
        sumByCluster(labels, items),
      );
      return share && clusteredEstimate(share.value, share.contributions);
    },
  },
];

const truthOf = ({ estimate }: Scenario, items: number): number =>
  estimate(drawSamples(uniform(1), items))?.value ?? NaN;

const holds = (interval: Interval | undefined, truth: number): boolean =>
  interval !== undefined && interval[0] <= truth && truth <= interval[1];

interface Coverage {
  readonly held: number;
  readonly byBootstrap: number;
  readonly cautioned: number;
}

/** @param resampled  so many of the draws are resampled as well */
const coverageOf = (
  { estimate, statistic }: Scenario,
  truth: number,
  items: number,
  draws: number,
  resampled: number,
): Coverage => {
  const random = uniform(items);
  let [held, byBootstrap, cautioned] = [0, 0, 0];
  for (let draw = 0; draw < draws; draw += 1) {
    const samples = drawSamples(random, items);
    const found = estimate(samples);
    if (holds(found?.interval, truth)) held += 1;
    if (found?.caution !== undefined) cautioned += 1;
    const resampling = draw < resampled ? statistic?.(samples) : undefined;
    if (resampling === undefined) continue;
    const [replicates] = bootstrapReplicates([resampling], items, { replicates: 1_000 });
    if (holds(bcaInterval(resampling, replicates) ?? found?.interval, truth)) byBootstrap += 1;
  }
  return { held: held / draws, byBootstrap: byBootstrap / resampled, cautioned: cautioned / draws };
};

const FULL = process.env['ASSAY_SIMULATION'] === 'full';
const RESAMPLED = 2_000;
const percent = (share: number): string => (share * 100).toFixed(1);

test.runIf(FULL)('the whole table', { timeout: 3_600_000 }, () => {
  const lines = SCENARIOS.flatMap((scenario) => {
    const truth = truthOf(scenario, 200_000);
    return [30, 100, 200].map((items) => {
      const { held, byBootstrap, cautioned } = coverageOf(scenario, truth, items, 5_000, RESAMPLED);
      const bootstrap = scenario.statistic === undefined ? '–' : percent(byBootstrap);
      return `| ${[scenario.name, truth.toFixed(3), items, percent(held), bootstrap, percent(cautioned)].join(' | ')} |`;
    });
  });
  const header = ['| what | truth | items | coverage | BCa | with a warning |', '|---|---|---|---|---|---|'];
  process.stdout.write(`\n${[...header, ...lines].join('\n')}\n`);
});

describe.each(SCENARIOS)('$name', (scenario) => {
  test('intervals hold', () => {
    // 95 % give or take three standard errors of 100 draws.
    expect(coverageOf(scenario, truthOf(scenario, 5_000), 100, 100, 0).held).toBeGreaterThan(0.88);
  });
});
