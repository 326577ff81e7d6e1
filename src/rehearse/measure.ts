import type { ReadyGrader } from '../engine.js';
import { gradeRows } from '../run/grade-rows.js';
import { LateScore, type ComingScore, type Score } from '../score.js';
import type { SampleRow } from './samples.js';

/** Outputs with their scores, and how long each took. */
export interface MeasuredRows {
  readonly rows: readonly GradedRow[];
  /** Undefined where nothing was graded, for the scores were there. */
  readonly timing?: Timing;
}

/** An output with its score. */
export interface GradedRow extends SampleRow {
  readonly score: Score;
}

/** How long grading took. */
export interface Timing {
  /** From handing a row to the grader to its score, in milliseconds, ascending. */
  readonly milliseconds: Float64Array;
  /** Wall time of all rows, in seconds. */
  readonly seconds: number;
  /** Most rows that were on their way at once. */
  readonly inFlight: number;
}

/**
 * Grades outputs, and takes the time of each. No more are handed out at once than can be worked on, for a row that waits
 * in a queue would take longer.
 *
 * @param inFlight  most rows at once
 * @throws the signal's reason, once it is aborted
 */
export const gradeMeasured = async (
  grader: ReadyGrader,
  rows: readonly SampleRow[],
  inFlight: number,
  signal: AbortSignal,
): Promise<MeasuredRows> => {
  const open = rows.filter(({ score }) => score === undefined);
  const clock = new RowClock();
  const start = performance.now();
  const scores = await gradeRows(
    { ...grader, window: inFlight, gradeRow: (row) => clock.timed(() => grader.gradeRow(row)) },
    open.flatMap(({ row }) => row ?? []),
    signal,
  );
  const seconds = (performance.now() - start) / 1000;
  let next = 0;
  const graded = rows.map((row): GradedRow => ({ ...row, score: row.score ?? scores[next++] }));
  const milliseconds = Float64Array.from(clock.times).sort();
  return milliseconds.length === 0
    ? { rows: graded }
    : { rows: graded, timing: { milliseconds, seconds, inFlight: clock.mostUnderWay } };
};

/** Takes the time of rows, and how many are on their way. */
class RowClock {
  readonly times: number[] = [];
  mostUnderWay = 1;
  private underWay = 0;

  timed(grade: () => ComingScore): ComingScore {
    const start = performance.now();
    const coming = grade();
    if ('status' in coming) {
      this.times.push(performance.now() - start);
      return coming;
    }
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    const promise = coming instanceof LateScore ? coming.toPromise() : coming;
    return promise.then((score) => {
      this.underWay -= 1;
      this.times.push(performance.now() - start);
      return score;
    });
  }
}

/** The value below which a share of ascending numbers lies: the nearest rank. */
export const quantileOf = (ascending: Float64Array, share: number): number =>
  ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)];
