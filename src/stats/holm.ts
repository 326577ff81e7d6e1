/**
 * Holm's adjustment of several p values: below 5 % after it, the chance of even one false alarm among all is at most
 * 5 %.
 *
 * Equals statsmodels' `multipletests(p, method="holm")`.
 *
 * @returns in the order given
 * @see Holm 1979, https://www.jstor.org/stable/4615733
 */
export const holmAdjusted = (pValues: readonly number[]): number[] => {
  const order = pValues.map((_, index) => index).sort((a, b) => pValues[a] - pValues[b]);
  const adjusted = Array.from({ length: pValues.length }, () => 0);
  let largest = 0;
  order.forEach((index, rank) => {
    largest = Math.max(largest, Math.min(1, pValues[index] * (pValues.length - rank)));
    adjusted[index] = largest;
  });
  return adjusted;
};
