import type { Clusters } from '../stats/clustered.js';
import { RunningMoments } from '../stats/running.js';
import { reported } from './estimate.js';
import { gather, knownRows, type KnownRows } from './known-rows.js';
import type { MeasuredReward } from './measured.js';
import type { Estimate, PartReport } from './report-shape.js';
import { withinCorrelation } from './reward-statistics.js';

/** A part on the rows where it and the reward are there. */
interface PartColumn {
  readonly name: string;
  readonly column: Float64Array;
  readonly known: KnownRows;
  readonly values: Float64Array;
  readonly correlation: Estimate | null;
}

/**
 * What the members of a multi, or the criteria of an eval, add to the reward.
 *
 * @param groups  of each row of the bench
 */
export const partReports = ({ rewards, parts }: MeasuredReward, groups: Clusters): PartReport[] => {
  const columns = Array.from(parts, ([name, column]): PartColumn => {
    const known = knownRows(groups, (row) => Number.isFinite(rewards[row]) && Number.isFinite(column[row]));
    const values = gather(column, known);
    const correlation = withinCorrelation(values, gather(rewards, known), known.clusters);
    return {
      name,
      column,
      known,
      values,
      correlation: correlation === undefined ? null : reported(correlation),
    };
  });
  const strongest = strongestOf(columns);
  return columns.map((part) => {
    const moments = new RunningMoments();
    for (const value of part.values) moments.add(value);
    return {
      name: part.name,
      rows: part.values.length,
      mean: moments.mean ?? null,
      standard_deviation: part.values.length === 0 ? null : Math.sqrt(moments.variance),
      correlation: part.correlation,
      explained: part.correlation && part.correlation.value ** 2,
      correlation_with_strongest:
        strongest === undefined || strongest === part ? null : correlationOf(part, strongest, groups),
    };
  });
};

/** The part that explains most of the reward; the first of equal ones. */
const strongestOf = (columns: readonly PartColumn[]): PartColumn | undefined => {
  const strength = ({ correlation }: PartColumn): number => Math.abs(correlation?.value ?? 0);
  return columns.reduce<PartColumn | undefined>(
    (best, part) => (strength(part) > (best === undefined ? 0 : strength(best)) ? part : best),
    undefined,
  );
};

const correlationOf = (part: PartColumn, other: PartColumn, groups: Clusters): number | null => {
  const both = knownRows(
    groups,
    (row) => Number.isFinite(part.column[row]) && Number.isFinite(other.column[row]),
  );
  const found = withinCorrelation(gather(part.column, both), gather(other.column, both), both.clusters);
  return found?.value ?? null;
};
