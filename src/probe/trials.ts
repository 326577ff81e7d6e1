import { isDeepStrictEqual } from 'node:util';
import type { Row } from '../contract.js';
import { groupBy } from '../group-by.js';
import type { Score } from '../score.js';
import type { Edit, EditContext } from './edit.js';
import type { GradedTexts } from './graded-texts.js';
import { editedRow, fieldTexts, type SampleField } from './row-edit.js';

/** An answer as it stands in the dataset, and its score. */
export interface HonestAnswer {
  readonly place: string;
  /** As edited rows are written, so that an edit of nothing is no difference. */
  readonly row: Row;
  /** The number of its item. */
  readonly item: number;
  readonly score: Score;
  /** Whether it is correct; undefined without a label. */
  readonly isCorrect?: boolean;
}

/** An edited answer, and its score. */
export interface Trial {
  readonly answer: HonestAnswer;
  readonly score: Score;
}

/** All that was graded for an edit. */
export interface EditTrials {
  readonly edit: Edit;
  readonly trials: readonly Trial[];
  /** Answers, or items for an attack that replaces them, that it does not apply to. */
  readonly notApplicable: number;
}

/** What edits are made with. */
export interface Editing {
  readonly fields: readonly SampleField[];
  /** Of each item, by its number. */
  readonly contexts: ReadonlyMap<number, EditContext>;
}

/**
 * The answer as the edit leaves it; undefined where it does not apply. Harm has to be done to all of an answer: one whose
 * `output_json` still says what its `output_text` does not is nothing that a model has written.
 */
export const editedAnswer = (
  edit: Edit,
  { row, item }: Pick<HonestAnswer, 'row' | 'item'>,
  { fields, contexts }: Editing,
): Row | undefined => {
  const context = contexts.get(item);
  const edited = context && editedRow(row, fields, (text) => edit.apply(text, context), edit.scope);
  const isWhole = edit.kind !== 'harmful' || (edited !== undefined && isAllChanged(row, edited, fields));
  return isWhole ? edited : undefined;
};

/** Whether something is changed in `output_text`, and in `output_json`, and in whatever else is read. */
const isAllChanged = (before: Row, after: Row, fields: readonly SampleField[]): boolean =>
  [...groupBy(fields, ([first]) => first).values()].every((group) => {
    const texts = fieldTexts(before, group);
    return texts.length === 0 || !isDeepStrictEqual(texts, fieldTexts(after, group));
  });

/** An edit, and which answers it is made of; of a list of several, the first that it applies to. */
export interface EditPlan {
  readonly edit: Edit;
  readonly answers: readonly (readonly HonestAnswer[])[];
}

/** Grades all edits in one go, so that a grader that waits for models always has enough to do. */
export const gradeEdits = async (
  plans: readonly EditPlan[],
  editing: Editing,
  graded: GradedTexts,
  onAsked?: (rows: number) => void,
): Promise<readonly EditTrials[]> => {
  const edited: HonestAnswer[][] = plans.map(() => []);
  function* rows(): Generator<Row, void, undefined> {
    for (const [place, { edit, answers }] of plans.entries()) {
      for (const choice of answers) {
        const found = firstEdited(edit, choice, editing);
        if (found === undefined) continue;
        edited[place].push(found.answer);
        yield found.row;
      }
    }
  }
  const scores = (await graded.grade(rows(), onAsked)).values();
  return plans.map(({ edit, answers }, place) => ({
    edit,
    trials: edited[place].map((answer) => ({ answer, score: scores.next().value as Score })),
    notApplicable: answers.length - edited[place].length,
  }));
};

const firstEdited = (
  edit: Edit,
  choice: readonly HonestAnswer[],
  editing: Editing,
): { readonly answer: HonestAnswer; readonly row: Row } | undefined => {
  for (const answer of choice) {
    const row = editedAnswer(edit, answer, editing);
    if (row !== undefined) return { answer, row };
  }
  return undefined;
};
