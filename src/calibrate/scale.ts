import { totalOf } from '../stats/clustered.js';
import type { LabelledRows } from './labelled.js';

/** How rewards are put on the scale of the labels. */
export interface Scale {
  /** `same`: as they are; `fitted`: by the straight line of least squares through the labelled rows. */
  readonly by: 'same' | 'fitted';
  /** On the labels' scale a reward is intercept + slope × reward. */
  readonly intercept: number;
  readonly slope: number;
}

const SAME: Scale = { by: 'same', intercept: 0, slope: 1 };

/**
 * Whether rewards can be read as labels: those for labels of 0 and 1 when they are all within 0 and 1, those for numbers
 * when they are within the labels and cover more than half of them.
 *
 * @param rewards  of all rows, those without a label among them
 * @param asked  what the user has said
 */
export const scaleOf = (
  { kind, rewards: labelled, labels }: LabelledRows,
  rewards: Float64Array,
  asked?: Scale['by'],
): Scale => {
  if (asked === 'same') return SAME;
  if (asked === undefined) {
    const [least, greatest] = ends(rewards);
    const [low, high] = kind === 'binary' ? [0, 1] : ends(labels);
    const isWithin = least >= low && greatest <= high;
    const isWide = kind === 'binary' || least === greatest || greatest - least > (high - low) / 2;
    if ((isWithin && isWide) || low === high) return SAME;
  }
  return fitted(labelled, labels);
};

const ends = (values: Float64Array): readonly [least: number, greatest: number] =>
  values.reduce<readonly [number, number]>(
    ([least, greatest], value) => [Math.min(least, value), Math.max(greatest, value)],
    [Infinity, -Infinity],
  );

const fitted = (rewards: Float64Array, labels: Float64Array): Scale => {
  const [rewardMean, labelMean] = [totalOf(rewards) / rewards.length, totalOf(labels) / labels.length];
  const square = totalOf(rewards.map((reward) => (reward - rewardMean) ** 2));
  const product = totalOf(rewards.map((reward, row) => (reward - rewardMean) * (labels[row] - labelMean)));
  const slope = square > 0 ? product / square : 0;
  return { by: 'fitted', intercept: labelMean - slope * rewardMean, slope };
};

/** Rewards on the scale of the labels. */
export const onScale = (rewards: Float64Array, { by, intercept, slope }: Scale): Float64Array =>
  by === 'same' ? rewards : rewards.map((reward) => intercept + slope * reward);
