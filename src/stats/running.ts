import { CompensatedSum } from '../compensated-sum.js';

/**
 * Count, mean and variance of a stream of numbers, in one pass and constant memory. The mean is a compensated sum over
 * the count: eight ones of ten are 0.8 exactly, and a gate at 0.8 holds. The variance is Welford's, which does not lose
 * digits when the mean is large against the spread. The last bit can depend on the order of the values, so callers add
 * them in row order.
 *
 * @see Welford 1962, https://doi.org/10.1080/00401706.1962.10490022 (variance)
 */
export class RunningMoments {
  count = 0;
  min = Infinity;
  max = -Infinity;
  private readonly sum = new CompensatedSum();
  private average = 0;
  private squares = 0;

  add(value: number): void {
    this.count += 1;
    this.sum.add(value);
    const delta = value - this.average;
    this.average += delta / this.count;
    this.squares += delta * (value - this.average);
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  /** undefined without values. */
  get mean(): number | undefined {
    if (this.count === 0) return undefined;
    const { total } = this.sum;
    // Rewards near the largest double overflow the sum; the running average does not.
    return Number.isFinite(total) ? total / this.count : this.average;
  }

  /** Sample variance (divided by n − 1); 0 below two values. */
  get variance(): number {
    return this.count < 2 ? 0 : this.squares / (this.count - 1);
  }
}
