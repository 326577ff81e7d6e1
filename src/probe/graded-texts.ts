import type { Row } from '../contract.js';
import type { ReadyGrader } from '../engine.js';
import { toJson } from '../json-value.js';
import { KeyNumbers } from '../results/key-numbers.js';
import { gradeRows } from '../run/grade-rows.js';
import { notGradedReason, type Score } from '../score.js';

/** Grades rows, and none a second time that has the item and the sample of one before. */
export class GradedTexts {
  /** Why rows were not graded any more; undefined while they are. */
  stopped: string | undefined;
  private readonly keys = new KeyNumbers();
  private readonly scores: Score[] = [];

  constructor(
    private readonly grader: ReadyGrader,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /**
   * Grades rows in their order; each is asked for when there is room for it.
   *
   * @param onAsked  receives how many rows were asked for so far, those that need no grading among them
   * @returns their scores, in the same order
   * @throws the signal's reason, once it is aborted
   */
  async grade(rows: Iterable<Row>, onAsked?: (rows: number) => void): Promise<readonly Score[]> {
    const numbers: number[] = [];
    const fresh = await gradeRows(this.grader, this.unknown(rows, numbers, onAsked), this.signal);
    for (const score of fresh) {
      this.scores.push(score);
      this.stopped ??= notGradedReason(score);
    }
    return numbers.map((number) => this.scores[number]);
  }

  private *unknown(
    rows: Iterable<Row>,
    numbers: number[],
    onAsked: ((rows: number) => void) | undefined,
  ): Generator<Row, void, undefined> {
    for (const row of rows) {
      const { size } = this.keys;
      const number = this.keys.numberOf(keyOf(row));
      numbers.push(number);
      onAsked?.(numbers.length);
      if (number === size) yield row;
    }
  }
}

const keyOf = (row: Row): string =>
  `${row.sourceText?.('item', []) ?? toJson(row.item)}\n${row.sourceText?.('sample', []) ?? toJson(row.sample)}`;
