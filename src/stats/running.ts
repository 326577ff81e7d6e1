/**
 * Count, mean and variance of a stream of numbers, in one pass and constant memory. Welford's updates do not lose
 * digits when the mean is large against the spread. The result depends on the order of the values, so callers add them
 * in row order.
 *
 * @see Welford 1962, https://doi.org/10.1080/00401706.1962.10490022
 */
export class RunningMoments {
  count = 0;
  min = Infinity;
  max = -Infinity;
  private average = 0;
  private squares = 0;

  add(value: number): void {
    this.count += 1;
    const delta = value - this.average;
    this.average += delta / this.count;
    this.squares += delta * (value - this.average);
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  /** undefined without values. */
  get mean(): number | undefined {
    return this.count === 0 ? undefined : this.average;
  }

  /** Sample variance (divided by n − 1); 0 below two values. */
  get variance(): number {
    return this.count < 2 ? 0 : this.squares / (this.count - 1);
  }
}
