import type { Row } from '../contract.js';
import type { ReadyGrader } from '../engine.js';
import { LateScore, type ComingScore, type Failed, type Score } from '../score.js';
import { Turns } from './turns.js';

/** For graders that answer with promises and do not say how many rows they can make use of. */
const DEFAULT_WINDOW = 64;

/**
 * Grades rows by themselves, without a results file. They are handed out in their order, and as many at once as the grader
 * can make use of.
 *
 * @param rows  rows that could not be read keep their failure
 * @returns their scores, in the same order
 * @throws the signal's reason, once it is aborted
 */
export const gradeRows = async (
  grader: ReadyGrader,
  rows: Iterable<Row | Failed>,
  signal?: AbortSignal,
): Promise<readonly Score[]> => {
  const scores: Score[] = [];
  const waiting = new Set<Promise<void>>();
  const turns = new Turns();
  let count = 0;
  for (const row of rows) {
    signal?.throwIfAborted();
    const at = count++;
    const score: ComingScore = 'status' in row ? row : grader.gradeRow(row);
    if ('status' in score) {
      scores[at] = score;
      await turns.next();
      continue;
    }
    const promise = score instanceof LateScore ? score.toPromise() : score;
    const settled: Promise<void> = promise.then((arrived) => {
      scores[at] = arrived;
      waiting.delete(settled);
    });
    waiting.add(settled);
    if (waiting.size >= (grader.window ?? DEFAULT_WINDOW)) await Promise.race(waiting);
  }
  await Promise.all(waiting);
  signal?.throwIfAborted();
  return scores;
};
