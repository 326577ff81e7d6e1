import type { Row } from '../contract.js';
import type { Score } from '../score.js';
import { CompensatedSum } from '../compensated-sum.js';
import { constantCandidates } from './constant-answer.js';
import type { GradedTexts } from './graded-texts.js';
import type { ReferenceOptions } from './references.js';
import { editedRow, type RowReader, type SampleField } from './row-edit.js';

/** Candidates are compared on so many items of each half, and on fewer where each costs a question to a model. */
const ITEMS = 100;
const ITEMS_OF_MODELS = 10;

/** What a constant answer is chosen with. */
export interface ConstantOptions extends ReferenceOptions {
  readonly fields: readonly SampleField[];
  readonly asksModels: boolean;
}

/** In which half of the items an item is. */
export const halfOf = (item: number): 0 | 1 => (item % 2 === 0 ? 0 : 1);

/**
 * The constant answer that does best on each half of the items, to be tried on the other half: what is chosen and scored
 * on the same items looks better than it is.
 *
 * @param rows  the rows of each item
 * @returns for each half the answer to be tried on it; undefined where there is none
 */
export const bestConstants = async (
  rows: readonly (readonly Row[])[],
  grader: RowReader,
  graded: GradedTexts,
  options: ConstantOptions,
): Promise<readonly (string | undefined)[]> => {
  const halves = [0, 1].map((half) => rows.filter((_, item) => halfOf(item) === half));
  const [first, second] = [
    await bestOn(halves[0], grader, graded, options),
    await bestOn(halves[1], grader, graded, options),
  ];
  return [second, first];
};

const bestOn = async (
  items: readonly (readonly Row[])[],
  grader: RowReader,
  graded: GradedTexts,
  options: ConstantOptions,
): Promise<string | undefined> => {
  const candidates = constantCandidates(items.flat(), grader, options);
  const tried = items.slice(0, options.asksModels ? ITEMS_OF_MODELS : ITEMS);
  const owners: number[] = [];
  const rows = candidates.flatMap((text, owner) =>
    tried.flatMap((samples) => {
      const row = firstWith(samples, text, options.fields);
      if (row !== undefined) owners.push(owner);
      return row ?? [];
    }),
  );
  const scores = await graded.grade(rows);
  const means = candidates.map((_, at) => meanOf(scores.filter((_, row) => owners[row] === at)));
  const best = means.reduce((best, mean, at) => (mean > (means[best] ?? -Infinity) ? at : best), -1);
  return candidates[best];
};

const firstWith = (
  samples: readonly Row[],
  text: string,
  fields: readonly SampleField[],
): Row | undefined => {
  for (const row of samples) {
    const edited = editedRow(row, fields, () => text);
    if (edited !== undefined) return edited;
  }
  return undefined;
};

/** A text that fails more often than not is no answer. */
const meanOf = (scores: readonly Score[]): number => {
  const sum = new CompensatedSum();
  let count = 0;
  for (const score of scores) {
    if (score.status !== 'scored') continue;
    sum.add(score.reward);
    count += 1;
  }
  return count === 0 || 2 * count < scores.length ? -Infinity : sum.total / count;
};
