/**
 * A sum that gives back at the end what rounding took from it on the way: of a few terms, or terms of like size, it is
 * as good as exact, so that ten times 0.1 is 1.
 *
 * @see Neumaier 1974, https://doi.org/10.1002/zamm.19740540106
 */
export class CompensatedSum {
  #sum = 0;
  #lost = 0;

  add(term: number): void {
    const sum = this.#sum + term;
    this.#lost += Math.abs(this.#sum) >= Math.abs(term) ? this.#sum - sum + term : term - sum + this.#sum;
    this.#sum = sum;
  }

  /** The sum of the terms so far; not finite if it grew beyond the largest double on the way. */
  get total(): number {
    return this.#sum + this.#lost;
  }
}
