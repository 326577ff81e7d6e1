import type { GatheredRows } from './gather.js';
import type { LabelKind } from './labels.js';
import { pick } from './stratified.js';

/** The rows that have a reward and a label, in the order of the results, as columns. */
export interface LabelledRows {
  readonly kind: LabelKind;
  readonly count: number;
  /** Their places among the rows with a reward. */
  readonly places: Uint32Array;
  readonly rewards: Float64Array;
  /** 0 or 1, numbers, or the codes of texts. */
  readonly labels: Float64Array;
  /** 1 where a row passed, 0 where not, -1 where nothing says what passes. */
  readonly passed: Float64Array;
  readonly clusters: Int32Array;
  /** Codes of the labels that a judge chose; undefined without evidence. */
  readonly verdicts: Float64Array | undefined;
}

/**
 * Picks the rows with a label; of texts only those for which a judge has chosen one, too.
 *
 * @param labels  of each row with a reward; NaN where it has none
 * @returns the rows, and how many lack a verdict
 */
export const labelledRows = (
  gathered: GatheredRows,
  labels: Float64Array,
  kind: LabelKind,
): { readonly rows: LabelledRows; readonly withoutVerdict: number } => {
  const { rewards, passed, clusters, verdicts } = gathered;
  const places: number[] = [];
  let withoutVerdict = 0;
  labels.forEach((label, row) => {
    if (Number.isNaN(label)) return;
    if (kind === 'nominal' && !(verdicts !== undefined && verdicts[row] >= 0)) withoutVerdict += 1;
    else places.push(row);
  });
  const rows: LabelledRows = {
    kind,
    count: places.length,
    places: Uint32Array.from(places),
    rewards: pick(rewards, places),
    labels: pick(labels, places),
    passed: Float64Array.from(places, (row) => passed[row]),
    clusters: Int32Array.from(places, (row) => clusters[row]),
    verdicts: verdicts && pick(verdicts, places),
  };
  return { rows, withoutVerdict };
};
