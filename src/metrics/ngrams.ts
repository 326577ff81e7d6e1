import { internTokens } from './intern.js';
import { NgramTable, ROOT } from './ngram-table.js';

/** How many n-grams of an order a text of so many tokens has. */
export const ngramCount = (tokens: number, order: number): number => Math.max(0, tokens - order + 1);

/**
 * Clipped n-gram matches of the orders 1 to `maxOrder`: an n-gram of the candidate matches at most as often as the
 * reference has it. Swapping the two changes nothing.
 *
 * @returns the matches of each order, unigrams first
 */
export const clippedMatches = (
  candidate: readonly string[],
  reference: readonly string[],
  maxOrder: number,
): number[] => {
  const ids = internTokens(candidate, reference);
  const table = new NgramTable(maxOrder * reference.length);
  addNgrams(table, ids.reference, maxOrder);
  return takeNgrams(table, ids.candidate, maxOrder);
};

const addNgrams = (table: NgramTable, ids: Int32Array, maxOrder: number): void => {
  for (let start = 0; start < ids.length; start++) {
    const end = Math.min(start + maxOrder, ids.length);
    let ngram = ROOT;
    for (let i = start; i < end; i++) ngram = table.add(ngram, ids[i]);
  }
};

const takeNgrams = (table: NgramTable, ids: Int32Array, maxOrder: number): number[] => {
  const matches = Array.from({ length: maxOrder }, () => 0);
  for (let start = 0; start < ids.length; start++) {
    const end = Math.min(start + maxOrder, ids.length);
    let ngram: number | undefined = ROOT;
    // A longer n-gram cannot match where a shorter one at the same place is not even known.
    for (let i = start; i < end; i++) {
      ngram = table.get(ngram, ids[i]);
      if (ngram === undefined) break;
      if (table.take(ngram)) matches[i - start]++;
    }
  }
  return matches;
};
