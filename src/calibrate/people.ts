import { interval, nominal, RunningAgreement, type Metric } from '../stats/agreement.js';
import type { LabelKind, RowLabels } from './labels.js';

/** How far people agree, where several have labelled the same rows. */
export interface PeopleReport {
  /** Rows with at least two labels. */
  readonly rows: number;
  /** Their labels. */
  readonly labels: number;
  readonly metric: 'nominal' | 'interval';
  /** Krippendorff's alpha between people. */
  readonly alpha: number | null;
  /** Share of these rows whose labels are all equal. */
  readonly all_equal: number;
  /** Krippendorff's alpha between the scores and one person at a time, on the same rows. */
  readonly judge_alpha: number | null;
}

/**
 * Compares people with each other, and the judge with one of them at a time, so that both can be held side by side.
 *
 * @param judged  what the judge says of a row in the terms of the labels; undefined where it says nothing
 * @returns undefined where no row has two labels
 */
export const peopleReport = (
  { ends, numbers, codes }: RowLabels,
  kind: LabelKind,
  judged: (row: number) => number | undefined,
): PeopleReport | undefined => {
  const metric: Metric<number> = kind === 'numeric' ? interval : nominal;
  const between = new RunningAgreement(metric);
  const withJudge = new RunningAgreement(metric);
  const given = kind === 'nominal' ? codes : numbers;
  let [start, count] = [0, 0];
  ends.forEach((end, row) => {
    const labels = end - start < 2 ? [] : given.slice(start, end);
    start = end;
    if (labels.length === 0) return;
    count += labels.length;
    between.add(labels);
    const score = judged(row);
    if (score !== undefined) for (const label of labels) withJudge.add([score, label]);
  });
  const { units, equalShare, alpha } = between;
  if (equalShare === undefined) return undefined;
  return {
    rows: units,
    labels: count,
    metric: kind === 'numeric' ? 'interval' : 'nominal',
    alpha: alpha ?? null,
    all_equal: equalShare,
    judge_alpha: withJudge.alpha ?? null,
  };
};
