import type { Score } from '../score.js';
import { holmAdjusted } from '../stats/holm.js';
import { LargestChanges } from './changed-rows.js';
import type { Comparison, FailureComparison, PairingSummary } from './compare.js';
import { KeyNumbers } from './key-numbers.js';
import type { PairedBy, PairReceiver } from './pair.js';
import { PairedMeasure, type MeasureComparison } from './paired-measure.js';
import { ResultsError, type ResultRow } from './read.js';

/** The part of a comparison that pairs of rows give. */
export interface ComparedMeasures extends Pick<
  Comparison,
  'reward' | 'pass' | 'sub_rewards' | 'criteria' | 'failures' | 'regressions' | 'improvements'
> {
  /** What makes pairs depend on each other, where any two do. */
  readonly clusteredBy: PairingSummary['clustered_by'];
}

/** Takes pairs as they come, and keeps what the statistics need. */
export class ComparedPairs implements PairReceiver {
  private readonly reward = new PairedMeasure();
  private readonly passed = new PairedMeasure();
  private readonly failed = new PairedMeasure();
  private readonly members = new Map<string, PairedMeasure>();
  private readonly criteria = new Map<string, PairedMeasure>();
  private readonly clusters = new KeyNumbers();
  private clusteredBy: PairingSummary['clustered_by'] = null;
  private matched = 0;
  private scored = 0;
  private judged = 0;
  private passIsReward = true;
  private readonly onlyFailed = { a: 0, b: 0 };
  private readonly regressions: LargestChanges;
  private readonly improvements: LargestChanges;

  constructor(
    private readonly pathA: string,
    private readonly grouped: boolean,
    top: number,
  ) {
    this.regressions = new LargestChanges(top);
    this.improvements = new LargestChanges(top);
  }

  add(a: ResultRow, b: ResultRow, by: PairedBy): void {
    this.matched += 1;
    const cluster = this.clusterOf(a, by);
    this.addFailure(a.score, b.score, cluster);
    this.addParts(a.score, b.score, cluster);
    if (a.score.status !== 'scored' || b.score.status !== 'scored') return;
    this.scored += 1;
    const rewards = { a: a.score.reward, b: b.score.reward };
    const difference = this.reward.add(rewards.a, rewards.b, cluster);
    if (difference < 0) this.regressions.add(a, b, { ...rewards, difference });
    if (difference > 0) this.improvements.add(a, b, { ...rewards, difference });
    if (a.score.passed === undefined || b.score.passed === undefined) return;
    const [passedA, passedB] = [Number(a.score.passed), Number(b.score.passed)];
    this.judged += 1;
    this.passed.add(passedA, passedB, cluster);
    this.passIsReward &&= passedA === rewards.a && passedB === rewards.b;
  }

  /** Rows of one item belong together: rows of a group, several samples of a row, or rows that share an id. */
  private clusterOf({ row, sample, id, group, value, score, line }: ResultRow, by: PairedBy): number {
    if (this.grouped) {
      if (value === undefined && score.status === 'scored')
        throw new ResultsError(
          `${this.pathA}:${line}: no value at the path of --group; was it graded with --keep?`,
        );
      return this.cluster('group', value === 'null' ? undefined : value);
    }
    if (group !== undefined) return this.cluster('group', group === 'null' ? undefined : group);
    if (by === 'id') return this.cluster('id', sample === undefined ? undefined : id);
    if (id !== undefined && id !== 'null') return this.cluster('id', id);
    return this.cluster('row', sample === undefined ? undefined : `row ${row}`);
  }

  private cluster(by: NonNullable<PairingSummary['clustered_by']>, key: string | undefined): number {
    if (key === undefined) return this.clusters.next();
    this.clusteredBy ??= by;
    return this.clusters.numberOf(key);
  }

  private addFailure(a: Score, b: Score, cluster: number): void {
    const [failedA, failedB] = [a.status === 'failed', b.status === 'failed'];
    this.failed.add(Number(failedA), Number(failedB), cluster);
    if (failedA && !failedB) this.onlyFailed.a += 1;
    if (failedB && !failedA) this.onlyFailed.b += 1;
  }

  /** Members and criteria have rewards of their own, also in rows that failed because of another one. */
  private addParts(a: Score, b: Score, cluster: number): void {
    if (a.subRewards !== undefined && b.subRewards !== undefined) {
      for (const name in a.subRewards)
        if (Object.hasOwn(b.subRewards, name))
          measureOf(this.members, name).add(a.subRewards[name], b.subRewards[name], cluster);
    }
    a.results?.forEach((result, index) => {
      const other = partner(b.results, result.name, index);
      if (result.status === 'scored' && other?.status === 'scored')
        measureOf(this.criteria, result.name).add(result.reward, other.reward, cluster);
    });
  }

  compare(): ComparedMeasures {
    const clustered = this.clusters.size < this.matched;
    const compare = (measure: PairedMeasure) => measure.compare(clustered);
    const pass = this.judged === this.scored && !this.passIsReward ? compare(this.passed) : undefined;
    return {
      clusteredBy: clustered ? this.clusteredBy : null,
      reward: compare(this.reward) ?? null,
      ...(pass === undefined ? {} : { pass }),
      ...adjusted({
        sub_rewards: compareAll(this.members, compare),
        criteria: compareAll(this.criteria, compare),
      }),
      failures: this.failures(compare(this.failed)),
      regressions: this.regressions.result(),
      improvements: this.improvements.result(),
    };
  }

  private failures(compared: MeasureComparison | undefined): FailureComparison | null {
    if (compared === undefined || compared.mean_a + compared.mean_b === 0) return null;
    const { mean_a, mean_b, difference, interval, test, p } = compared;
    const { a, b } = this.onlyFailed;
    return {
      rate_a: mean_a,
      rate_b: mean_b,
      difference,
      interval,
      test,
      p,
      only_b_failed: b,
      only_a_failed: a,
    };
  }
}

const measureOf = (measures: Map<string, PairedMeasure>, name: string): PairedMeasure => {
  const found = measures.get(name);
  if (found !== undefined) return found;
  const created = new PairedMeasure();
  measures.set(name, created);
  return created;
};

/** The criterion of a name, which mostly stands at the same place. */
const partner = <Named extends { readonly name: string }>(
  results: readonly Named[] | undefined,
  name: string,
  index: number,
): Named | undefined =>
  results?.[index]?.name === name ? results[index] : results?.find((result) => result.name === name);

type Compared = readonly (readonly [name: string, comparison: MeasureComparison])[];

const compareAll = (
  measures: ReadonlyMap<string, PairedMeasure>,
  compare: (measure: PairedMeasure) => MeasureComparison | undefined,
): Compared =>
  [...measures].flatMap(([name, measure]) => {
    const comparison = compare(measure);
    return comparison === undefined ? [] : [[name, comparison] as const];
  });

/** Members and criteria are many chances for a false alarm, so their p values are adjusted together. */
const adjusted = (
  parts: Record<'sub_rewards' | 'criteria', Compared>,
): Pick<Comparison, 'sub_rewards' | 'criteria'> => {
  const pValues = holmAdjusted([...parts.sub_rewards, ...parts.criteria].map(([, { p }]) => p));
  const toRecord = (compared: Compared, from: number): Record<string, MeasureComparison> =>
    Object.fromEntries(
      compared.map(([name, comparison], index) => [
        name,
        { ...comparison, p_adjusted: pValues[from + index] },
      ]),
    );
  return {
    ...(parts.sub_rewards.length === 0 ? {} : { sub_rewards: toRecord(parts.sub_rewards, 0) }),
    ...(parts.criteria.length === 0 ? {} : { criteria: toRecord(parts.criteria, parts.sub_rewards.length) }),
  };
};
