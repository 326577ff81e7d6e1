import type { Row } from '../contract.js';
import { promptOf } from '../dataset/row-text.js';
import type { EditContext } from './edit.js';
import type { JudgeVerdicts } from './judges.js';
import { referencesOf, type ReferenceOptions } from './references.js';
import type { RowReader } from './row-edit.js';

/** References are labels where there are so few of them, and items enough to tell. */
const MAX_LABELS = 20;
const ITEMS_PER_LABEL = 3;

/** What an attacker knows beside the items themselves. */
export interface Knowledge {
  readonly verdicts: JudgeVerdicts;
  /** The short references of the dataset, the most frequent first. */
  readonly references: readonly string[];
}

/**
 * What an attacker knows of each item.
 *
 * @param items  a row of each item
 * @returns in the same order
 */
export const editContexts = (
  items: readonly Row[],
  grader: RowReader,
  { verdicts, references: known }: Knowledge,
  options: ReferenceOptions,
): readonly EditContext[] => {
  const references = items.map((row) => referencesOf(row, grader, options));
  const different = new Set(references.flat()).size;
  const areLabels = different > 1 && different <= MAX_LABELS && items.length >= ITEMS_PER_LABEL * different;
  const prompts = items.map((row) => promptOf(row, options.prompt)?.text);
  const words = prompts.map(wordsOf);
  return items.map((_, item) => ({
    prompt: prompts[item],
    neighbour: neighbourOf(references, words, item),
    references: known,
    labels: verdicts.labels.length > 0 || !areLabels ? verdicts.labels : known,
    verdict: verdicts.best,
  }));
};

/** So many of the items behind one are compared with it. */
const MAX_COMPARED = 300;

/**
 * The first reference of the item whose prompt has most words in common with that of this one, among those that have
 * another reference; without prompts that of the next, in a circle.
 */
const neighbourOf = (
  references: readonly (readonly string[])[],
  words: readonly ReadonlySet<string>[],
  item: number,
): string | undefined => {
  let [neighbour, closest] = [undefined as string | undefined, -1];
  for (let step = 1; step < Math.min(references.length, MAX_COMPARED + 1); step += 1) {
    const other = (item + step) % references.length;
    const [reference] = references[other];
    if (reference === undefined || references[item].includes(reference)) continue;
    const likeness = jaccard(words[item], words[other]);
    if (likeness > closest) [neighbour, closest] = [reference, likeness];
  }
  return neighbour;
};

const wordsOf = (text = ''): ReadonlySet<string> => new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu));

/** Words in common, of all words of two texts. */
const jaccard = (a: ReadonlySet<string>, b: ReadonlySet<string>): number => {
  let common = 0;
  for (const word of a) if (b.has(word)) common += 1;
  return common === 0 ? 0 : common / (a.size + b.size - common);
};
