import { ScoreCollector } from '../../src/results/score-columns.js';
import { ScoreTally } from '../../src/results/summary.js';
import type { Score } from '../../src/score.js';

/** The tally of some scores. */
export const tallyOf = (scores: readonly Score[]): ScoreTally => {
  const columns = new ScoreCollector();
  for (const score of scores) columns.add(score);
  const tally = new ScoreTally();
  tally.add(columns);
  return tally;
};
