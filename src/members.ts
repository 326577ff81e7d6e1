import type { Environment, PreparedGrader, Row, TemplateVariable } from './contract.js';
import { LateScore, type ComingScore, type Evidence, type Score } from './score.js';

/** Grades a row with every grader and merges their scores, in order; synchronous when all of them are. */
export const gradeWithAll = (
  graders: readonly PreparedGrader[],
  row: Row,
  merge: (scores: readonly Score[]) => Score,
): Score | LateScore => {
  const scores = graders.map((grader) => grader.grade(row));
  if (scores.every(isSettled)) return merge(scores);
  const merged = new LateScore();
  let missing = scores.length;
  scores.forEach((score, index) => {
    receive(score, (settled) => {
      scores[index] = settled;
      missing -= 1;
      if (missing === 0) merged.settle(merge(scores as Score[]));
    });
  });
  return merged;
};

const isSettled = (score: ComingScore): score is Score => 'status' in score;

/** Calls back with the score when it is there. The members of an engine's graders give no promise that is rejected. */
const receive = (score: ComingScore, callBack: (score: Score) => void): void => {
  if (isSettled(score)) callBack(score);
  else if (score instanceof LateScore) score.sendTo({ receive: callBack });
  else void score.then(callBack);
};

/** The merged score of several graders with what the judges of all of them said, under the graders' names. */
export const withEvidence = (merged: Score, names: readonly string[], scores: readonly Score[]): Score => {
  if (scores.every(({ evidence }) => evidence === undefined)) return merged;
  const evidence = scores.flatMap((score, index) =>
    (score.evidence ?? []).map((each) => underName(each, names[index])),
  );
  return { ...merged, evidence };
};

const underName = (evidence: Evidence, name: string): Evidence => ({
  ...evidence,
  grader: evidence.grader === undefined ? name : `${name}.${evidence.grader}`,
});

/** Every variable of the graders' templates; undefined when one of them reads rows otherwise. */
export const variablesOf = (graders: readonly PreparedGrader[]): readonly TemplateVariable[] | undefined => {
  const variables = graders.map((grader) => grader.variables);
  return variables.every((each) => each !== undefined) ? variables.flat() : undefined;
};

/** The environments of the graders by their names; undefined when none has one. */
export const environmentOf = (
  names: readonly string[],
  graders: readonly PreparedGrader[],
): Environment | undefined => {
  const entries = graders.flatMap(({ environment }, index) =>
    environment === undefined ? [] : [[names[index], environment] as const],
  );
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
};

/** The largest window of the graders; undefined when none of them names one. */
export const windowOf = (graders: readonly PreparedGrader[]): number | undefined => {
  const windows = graders.flatMap(({ window }) => window ?? []);
  return windows.length === 0 ? undefined : Math.max(...windows);
};

/** Closes graders one after the other. */
export const closeAll = async (graders: readonly PreparedGrader[]): Promise<void> => {
  for (const grader of graders) await grader.close?.();
};
