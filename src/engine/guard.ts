import type { PreparedGrader } from '../contract.js';
import { ERROR_CODES, GradingError } from '../errors.js';
import { isObject } from '../json-value.js';
import { failed, LateScore, type ComingScore, type Failed, type Score } from '../score.js';
import { show } from '../show.js';

/** A grader whose `grade` never throws and never gives a reward that is no number, whoever wrote it. */
export const guard = (type: string, prepared: PreparedGrader): PreparedGrader & { signature: string } => ({
  signature: prepared.signature ?? type,
  environment: prepared.environment,
  members: prepared.members,
  variables: prepared.variables,
  readsJson: prepared.readsJson,
  window: prepared.window,
  grade(row) {
    try {
      const score = prepared.grade(row);
      // Only what comes with the package makes late scores, of what it has checked itself.
      if (score instanceof LateScore) return score;
      return isPromise(score) ? Promise.resolve(score).then(soundScore).catch(toFailure) : soundScore(score);
    } catch (error) {
      return toFailure(error);
    }
  },
  close: () => prepared.close?.(),
});

const isPromise = (score: ComingScore): score is Promise<Score> =>
  typeof (score as Partial<Promise<Score>> | undefined)?.then === 'function';

const soundScore = (score: Score | undefined): Score => {
  if (score?.status === 'scored' && Number.isFinite(score.reward) && isSound(score)) return score;
  if (score?.status === 'failed' && Object.hasOwn(ERROR_CODES, score.code) && isSound(score)) return score;
  const given = score?.status === 'scored' ? `the reward ${show(score.reward)}` : show(score);
  return failed('other_error', `the grader gave ${given}, expected a score with a finite reward`);
};

/** The other fields go into result lines as they are, so they have to be what they say. */
const isSound = (score: Score): boolean => {
  if (score.subRewards !== undefined && !Object.values(score.subRewards).every(Number.isFinite)) return false;
  const { evidence } = score;
  if (evidence !== undefined && !(Array.isArray(evidence) && evidence.every(isObject))) return false;
  if (score.status === 'failed') return typeof score.message === 'string';
  return score.passed === undefined || typeof score.passed === 'boolean';
};

const toFailure = (error: unknown): Failed => {
  if (error instanceof GradingError) return failed(error.code, error.message);
  return failed('other_error', error instanceof Error ? error.message : show(error));
};
