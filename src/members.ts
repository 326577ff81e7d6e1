import type { PreparedGrader, Row } from './contract.js';
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

/** Closes graders one after the other. */
export const closeAll = async (graders: readonly PreparedGrader[]): Promise<void> => {
  for (const grader of graders) await grader.close?.();
};
