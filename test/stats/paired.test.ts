import { readFileSync } from 'node:fs';
import { test as propertyTest, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { holmAdjusted } from '../../src/stats/holm.js';
import { mcnemarTest } from '../../src/stats/mcnemar.js';
import { estimateMean, meanDifferenceInterval } from '../../src/stats/mean-difference.js';
import { normalTail } from '../../src/stats/normal.js';
import { pairedShareInterval } from '../../src/stats/paired-proportions.js';
import { comparePaired } from '../../src/stats/paired.js';
import { randomIndex } from '../../src/stats/random.js';
import { signFlipTest } from '../../src/stats/sign-flip.js';
import { studentTail } from '../../src/stats/student.js';
import { wilcoxonTest } from '../../src/stats/wilcoxon.js';

interface Golden {
  readonly wilcoxon: readonly { differences: number[]; p: number; by: string }[];
  readonly mcnemar: readonly { gained: number; lost: number; p: number }[];
  readonly tango: readonly { gained: number; lost: number; pairs: number; interval: [number, number] }[];
  readonly normal_tail: readonly { z: number; p: number }[];
  readonly student_tail: readonly { t: number; df: number; p: number }[];
  readonly holm: readonly { p: number[]; adjusted: number[] }[];
  readonly bootstrap: readonly {
    differences: number[];
    studentised: [number, number];
    bca: [number, number];
  }[];
}

const golden = JSON.parse(
  readFileSync(new URL('../../fixtures/golden/paired.json', import.meta.url), 'utf8'),
) as Golden;

const expectNear = (found: number, expected: number, relative: number): void =>
  expect(Math.abs(found - expected), `${found} for ${expected}`).toBeLessThanOrEqual(
    relative * Math.abs(expected),
  );

/** The interval of independent differences. */
const intervalOf = (differences: readonly number[]) => {
  const units = { sums: Float64Array.from(differences) };
  return meanDifferenceInterval(units, estimateMean(units));
};

describe('agrees with scipy and statsmodels (versions in fixtures/golden/paired.json)', () => {
  test.each(golden.wilcoxon)('wilcoxon, $by, p = $p', ({ differences, p }) => {
    expectNear(wilcoxonTest(Float64Array.from(differences)).p, p, 1e-12);
  });

  test.each(golden.mcnemar)('mcnemar of $gained and $lost', ({ gained, lost, p }) => {
    expectNear(mcnemarTest(gained, lost).p, p, 1e-9);
  });

  test.each(golden.tango)(
    'Tango interval of $gained and $lost of $pairs',
    ({ gained, lost, pairs, interval }) => {
      const [low, high] = pairedShareInterval(gained, lost, pairs);
      // The golden ends come from a search, good to about eight digits.
      expect(low).toBeCloseTo(interval[0], 7);
      expect(high).toBeCloseTo(interval[1], 7);
    },
  );

  test.each(golden.normal_tail)('normal tail beyond $z', ({ z, p }) => expectNear(normalTail(z), p, 1e-12));
  test.each(golden.student_tail)('tail of t beyond $t with $df degrees', ({ t, df, p }) => {
    expectNear(studentTail(t, df), p, 1e-9);
  });

  test.each(golden.holm)('holm of $p', ({ p, adjusted }) => {
    holmAdjusted(p).forEach((value, index) => expect(value).toBeCloseTo(adjusted[index], 12));
  });

  test.each(golden.bootstrap)(
    'the interval of $differences.length differences',
    ({ differences, studentised, bca }) => {
      const interval = intervalOf(differences);
      expect(interval?.method).toBe('studentised_bootstrap');
      const width = studentised[1] - studentised[0];
      interval?.ends.forEach((end, index) => {
        // 4,999 resamples here, 200,000 there.
        expect(Math.abs(end - studentised[index]) / width).toBeLessThan(0.03);
        // Another method, which only says that the scale is right.
        expect(Math.abs(end - bca[index]) / width).toBeLessThan(0.15);
      });
    },
  );
});

describe('wilcoxon', () => {
  test('five changes among a hundred pairs stay exact', () => {
    const differences = Float64Array.from({ length: 100 }, (_, index) => (index < 5 ? index + 1 : 0));
    expect(wilcoxonTest(differences)).toMatchObject({ p: 2 / 32, nonZero: 5, method: 'exact' });
  });

  test('rounding does not break ties', () => {
    const { positiveRanks, negativeRanks } = wilcoxonTest(Float64Array.of(0.3 - 0.2, 0.1 - 0.2, 0.4 - 0.3));
    expect([positiveRanks, negativeRanks]).toEqual([4, 2]);
  });

  propertyTest.prop([fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 80 })])(
    'the other direction has the same p, and ranks swap',
    (differences) => {
      const forth = wilcoxonTest(Float64Array.from(differences));
      const back = wilcoxonTest(Float64Array.from(differences, (d) => -d));
      expect(back.p).toBe(forth.p);
      expect(back.positiveRanks).toBe(forth.negativeRanks);
      expect(forth.positiveRanks + forth.negativeRanks).toBe((forth.nonZero * (forth.nonZero + 1)) / 2);
      expect(forth.p > 0 && forth.p <= 1).toBe(true);
    },
  );
});

describe('mcnemar', () => {
  const counts = fc.integer({ min: 0, max: 2000 });

  propertyTest.prop([counts, counts])('mid-p is at most p, and both are shares', (gained, lost) => {
    const { p, midP } = mcnemarTest(gained, lost);
    expect(midP >= 0 && midP <= p + 1e-12 && p <= 1).toBe(true);
    expect(mcnemarTest(lost, gained).p).toBe(p);
  });

  test('millions of changes cost no digits', () => {
    // scipy.stats.binomtest(5_000_000, 10_001_000).pvalue
    expectNear(mcnemarTest(5_000_000, 5_001_000).p, 0.7520816443490791, 1e-9);
  });

  test('mid-p by hand: 1 of 4 fair coins', () => {
    expect(mcnemarTest(3, 1).midP).toBeCloseTo((2 * (1 + 4 / 2)) / 16, 12);
  });
});

describe('the interval of paired shares', () => {
  const table = fc
    .tuple(fc.nat(200), fc.nat(200), fc.nat(500))
    .filter(([gained, lost, same]) => gained + lost + same > 0);

  propertyTest.prop([table])(
    'is inside [-1, 1], holds the difference, and mirrors',
    ([gained, lost, same]) => {
      const pairs = gained + lost + same;
      const [low, high] = pairedShareInterval(gained, lost, pairs);
      const difference = (gained - lost) / pairs;
      expect(low >= -1 && low <= difference && difference <= high && high <= 1).toBe(true);
      const [mirroredLow, mirroredHigh] = pairedShareInterval(lost, gained, pairs);
      expect(mirroredLow).toBeCloseTo(-high, 12);
      expect(mirroredHigh).toBeCloseTo(-low, 12);
    },
  );
});

describe('the interval of a mean difference', () => {
  test('nothing without spread', () => {
    expect(intervalOf([0.1])).toBeUndefined();
    expect(intervalOf(Array.from({ length: 7 }, () => 0.1))).toBeUndefined();
  });

  test('few changes among many: as wide as their share may be', () => {
    const interval = intervalOf(Array.from({ length: 200 }, (_, index) => (index === 7 ? -0.5 : 0)));
    expect(interval?.method).toBe('few_changes');
    const [low, high] = pairedShareInterval(0, 1, 200);
    expect(interval?.ends[0]).toBeCloseTo(low / 2, 12);
    expect(interval?.ends[1]).toBeCloseTo(high / 2, 12);
  });

  test('many pairs: a formula, and the same as resampling gives', () => {
    const random = randomIndex(3);
    const skewed = Array.from({ length: 5001 }, () => -Math.log((random(1e6) + 1) / 1e6));
    const formula = intervalOf(skewed);
    const resampled = intervalOf(skewed.slice(1));
    expect(formula?.method).toBe('student_t_skewness_corrected');
    expect(resampled?.method).toBe('studentised_bootstrap');
    formula?.ends.forEach((end, index) => expect(end).toBeCloseTo(resampled?.ends[index] ?? NaN, 2));
  });

  test('a skewed spread reaches further to the side of its tail', () => {
    const skewed = Array.from({ length: 40 }, (_, index) => 0.01 * (index + 1) ** 2);
    const [low, high] = intervalOf(skewed)?.ends ?? [NaN, NaN];
    const mean = skewed.reduce((sum, value) => sum + value) / skewed.length;
    expect(high - mean).toBeGreaterThan((mean - low) * 1.1);
  });

  propertyTest.prop([fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 2, maxLength: 40 })])(
    'is deterministic, finite, and holds the mean',
    (eighths) => {
      const differences = eighths.map((value) => value / 8);
      const interval = intervalOf(differences);
      if (interval === undefined) return;
      const mean = differences.reduce((sum, value) => sum + value) / differences.length;
      expect(intervalOf(differences)).toEqual(interval);
      expect(interval.ends[0] < mean && mean < interval.ends[1]).toBe(true);
      expect(interval.ends.every(Number.isFinite)).toBe(true);
    },
  );
});

describe('clusters', () => {
  const differences = Float64Array.of(0.2, 0.4, -0.1, 0.3, 0.3, 0.3, 0, -0.2);

  test('standard error agrees with statsmodels OLS(d, 1).fit(cov_type="cluster")', () => {
    const clusters = Int32Array.of(0, 0, 1, 2, 2, 2, 3, 4);
    // Residuals from the mean 0.15 by cluster: 0.3, −0.25, 0.45, −0.15, −0.35; √(Σe² × 5/4) / 8.
    const squares = 0.3 ** 2 + 0.25 ** 2 + 0.45 ** 2 + 0.15 ** 2 + 0.35 ** 2;
    const result = comparePaired({ differences, binary: false, clusters });
    expect(result?.standardError).toBeCloseTo(Math.sqrt((squares * 5) / 4) / 8, 12);
    expect(result).toMatchObject({ clusters: 5, pairs: 8, better: 5, same: 1, worse: 2 });
    expect(result?.test).toMatchObject({ name: 'cluster_sign_flip', method: 'exact' });
  });

  test('of one pair each are none', () => {
    const clusters = Int32Array.of(7, 6, 5, 4, 3, 2, 1, 0);
    expect(comparePaired({ differences, binary: false, clusters })).toEqual(
      comparePaired({ differences, binary: false }),
    );
  });

  test('copies of every pair make nothing more certain', () => {
    const single = comparePaired({ differences, binary: false });
    const copied = Float64Array.from({ length: 24 }, (_, index) => differences[Math.floor(index / 3)]);
    const clusters = Int32Array.from({ length: 24 }, (_, index) => Math.floor(index / 3));
    const clustered = comparePaired({ differences: copied, binary: false, clusters });
    expect(clustered?.standardError).toBeCloseTo(single?.standardError ?? NaN, 12);
    clustered?.interval?.forEach((end, index) =>
      expect(end).toBeCloseTo(single?.interval?.[index] ?? NaN, 12),
    );
    expect(clustered?.detectable).toBeCloseTo(single?.detectable ?? NaN, 12);
  });
});

describe('sign flips', () => {
  test('by hand: 3 sums have 8 flips, two of them as far from 0', () => {
    expect(signFlipTest(Float64Array.of(1, 2, 3))).toEqual({ p: 2 / 8, method: 'exact' });
    expect(signFlipTest(Float64Array.of(0, 0))).toEqual({ p: 1, method: 'exact' });
  });

  test('random flips are near the exact share, and so is the normal approximation', () => {
    const random = randomIndex(5);
    const sums = Float64Array.from({ length: 16 }, () => random(1000) / 1000 - 0.4);
    const exact = signFlipTest(sums).p;
    // A seventeenth sum that is next to nothing makes it take random flips.
    const { p, method } = signFlipTest(Float64Array.of(...sums, 1e-9));
    expect(method).toBe('random');
    expect(Math.abs(p - exact)).toBeLessThan(0.02);
    const many = Float64Array.from({ length: 1001 }, () => random(1000) / 1000 - 0.4905);
    const near = signFlipTest(many.subarray(1));
    expect(signFlipTest(many).method).toBe('normal');
    expect(Math.abs(signFlipTest(many).p - near.p)).toBeLessThan(0.05);
  });
});

describe('what fits is chosen', () => {
  test('0 or 1: McNemar and Tango', () => {
    const result = comparePaired({ differences: Float64Array.of(1, 1, 1, 0, 0, -1), binary: true });
    expect(result?.test).toMatchObject({ name: 'mcnemar', method: 'exact', p: 10 / 16 });
    expect(result?.intervalMethod).toBe('tango_score');
  });

  test('other rewards: Wilcoxon', () => {
    const result = comparePaired({ differences: Float64Array.of(0.5, 0.25, 1, 0, 0.1, -1), binary: false });
    expect(result?.test.name).toBe('wilcoxon_signed_rank');
    expect(result?.rankBiserial).toBeCloseTo((2 + 3 + 4.5 + 1 - 4.5) / 15, 12);
  });

  test('nothing without pairs', () => {
    expect(comparePaired({ differences: new Float64Array(0), binary: true })).toBeUndefined();
  });

  test('identical runs', () => {
    const result = comparePaired({ differences: new Float64Array(30), binary: false });
    expect(result).toMatchObject({ mean: 0, same: 30, standardError: 0, standardDeviation: 0 });
    expect(result?.interval).toBeUndefined();
    expect(result?.detectable).toBeUndefined();
  });

  test('the difference that would be noticed shrinks with the root of the pairs', () => {
    const quarter = Float64Array.from({ length: 100 }, (_, index) => (index % 5) / 4 - 0.3);
    const whole = Float64Array.from({ length: 400 }, (_, index) => (index % 5) / 4 - 0.3);
    const [few, many] = [quarter, whole].map((differences) => comparePaired({ differences, binary: false }));
    expect((few?.detectable ?? 0) / (many?.detectable ?? 1)).toBeCloseTo(2, 1);
    expect(few?.pairsNeeded).toBeGreaterThan(0);
  });
});

describe('random numbers', () => {
  test('are evenly spread, and the same for the same seed', () => {
    const random = randomIndex(1);
    const counts = new Float64Array(10);
    for (let draw = 0; draw < 100_000; draw += 1) counts[random(10)] += 1;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    expect(chiSquare).toBeLessThan(27.9);
    const [one, same, other] = [randomIndex(8), randomIndex(8), randomIndex(9)];
    const draws = (from: typeof one): number[] => Array.from({ length: 5 }, () => from(1000));
    const first = draws(one);
    expect(draws(same)).toEqual(first);
    expect(draws(other)).not.toEqual(first);
  });
});
