import type { Score } from '../score.js';
import type { GradedTexts } from './graded-texts.js';
import { editedFields, editedRow, type RowReader, type SampleField } from './row-edit.js';
import type { HonestAnswer } from './trials.js';

/** So many of the answers with the highest rewards, and as many of those with the lowest, are tried. */
const TRIED = 20;

/**
 * The fields that move a reward. A grader that does not say what it reads is tried: a field that can be emptied in forty
 * answers without any score being another one is not read, if another field is. An edit of it would look as if the
 * grader had missed it.
 */
export const fieldsRead = async (
  fields: readonly SampleField[],
  answers: readonly HonestAnswer[],
  grader: RowReader,
  graded: GradedTexts,
): Promise<readonly SampleField[]> => {
  const named = new Set(
    editedFields({ variables: grader.variables ?? [], readsJson: false }).map(([first]) => first),
  );
  if (fields.every(([first]) => named.has(first))) return fields;
  const tried = extremes(answers);
  const read: SampleField[] = [];
  for (const field of fields)
    if (named.has(field[0]) || (await movesAny(field, tried, graded))) read.push(field);
  return read.length === 0 ? fields : read;
};

const extremes = (answers: readonly HonestAnswer[]): readonly HonestAnswer[] => {
  const sorted = answers.toSorted((a, b) => rewardOf(b.score) - rewardOf(a.score));
  return sorted.length <= 2 * TRIED ? sorted : [...sorted.slice(0, TRIED), ...sorted.slice(-TRIED)];
};

const rewardOf = (score: Score): number => (score.status === 'scored' ? score.reward : -Infinity);

const movesAny = async (
  field: SampleField,
  answers: readonly HonestAnswer[],
  graded: GradedTexts,
): Promise<boolean> => {
  const emptied = answers.flatMap(({ row, score }) => {
    const edited = editedRow(row, [field], emptiedText);
    return edited === undefined ? [] : [{ row: edited, before: score }];
  });
  const scores = await graded.grade(emptied.map(({ row }) => row));
  return scores.some((after, at) => {
    const { before } = emptied[at];
    return after.status !== before.status || rewardOf(after) !== rewardOf(before);
  });
};

/** Where a schema asks for a number, only another number can stand. */
const emptiedText = (text: string): string => (/^-?\d+$/.test(text) ? '7919' : '');
