import type { PreparedGrader, Row, TemplateVariable } from './contract.js';
import type { Score } from './score.js';

/** Grades a row with every grader and merges their scores, in order; synchronous when all of them are. */
export const gradeWithAll = (
  graders: readonly PreparedGrader[],
  row: Row,
  merge: (scores: readonly Score[]) => Score,
): Score | Promise<Score> => {
  const scores = graders.map((grader) => grader.grade(row));
  if (scores.every(isSettled)) return merge(scores);
  return Promise.all(scores.map(async (score) => score)).then(merge);
};

const isSettled = (score: Score | Promise<Score>): score is Score => !(score instanceof Promise);

/** Every variable of the graders' templates; undefined when one of them reads rows otherwise. */
export const variablesOf = (graders: readonly PreparedGrader[]): readonly TemplateVariable[] | undefined => {
  const variables = graders.map((grader) => grader.variables);
  return variables.every((each) => each !== undefined) ? variables.flat() : undefined;
};

/** Closes graders one after the other. */
export const closeAll = async (graders: readonly PreparedGrader[]): Promise<void> => {
  for (const grader of graders) await grader.close?.();
};
