import { findGraders } from '../criteria.js';
import { valueAt } from '../json-value.js';
import type { Interval } from '../stats/interval.js';

const UNIT: Interval = [0, 1];

/**
 * The least and the greatest reward that a configuration allows; undefined where it does not say, as for a formula or a
 * Python source.
 *
 * @param config  one that has been prepared
 */
export const rewardRange = (config: unknown): Interval | undefined => {
  const plan = findGraders(config);
  return plan.kind === 'criteria' ? UNIT : rangeOf(plan.grader.config);
};

const rangeOf = (grader: unknown): Interval | undefined => {
  const range = valueAt(grader, ['range']);
  switch (valueAt(grader, ['type'])) {
    case 'string_check':
    case 'label_model':
      return UNIT;
    case 'text_similarity':
      return asksForVectors(grader) ? [-1, 1] : UNIT;
    case 'score_model':
      return Array.isArray(range) ? [Number(range[0]), Number(range[1])] : UNIT;
    default:
      return undefined;
  }
};

/** The cosine of two vectors may be negative; that of two bags of words is not. */
const asksForVectors = (grader: unknown): boolean =>
  valueAt(grader, ['evaluation_metric']) === 'cosine' && valueAt(grader, ['assay', 'cosine']) !== 'lexical';
