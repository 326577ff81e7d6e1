import type { ErrorCode } from '../errors.js';
import type { ModelTotals } from '../judge-call.js';
import type { Interval } from '../stats/interval.js';

/** A cheap property of a candidate that a reward should not follow for its own sake. */
export type Feature = 'characters' | 'words' | 'lines' | 'digits' | 'prompt_overlap';

/** What is known of the rows of a bench, whatever the reward. Columns are in row order; each of several samples is a row. */
export interface MeasuredRows {
  readonly count: number;
  /** The number of each row's group: any whole numbers, the same for rows that share an item. */
  readonly groups: Int32Array;
  /** What is true of each row; NaN where a row has no label. Undefined when no label was asked for. */
  readonly labels?: Float64Array;
  /** Of each row; NaN where it has no text. */
  readonly features: ReadonlyMap<Feature, Float64Array>;
}

/** What one reward function gave, and what that took. */
export interface MeasuredReward {
  /** As reports call it; unique in a bench. */
  readonly name: string;
  /** What the rewards are made with: `bleu/hosted-2025`. */
  readonly signature: string;
  /** Of each row; NaN where it failed or was not graded. */
  readonly rewards: Float64Array;
  /** Of each row, the members of a multi or the criteria of an eval; NaN where there is none. */
  readonly parts: ReadonlyMap<string, Float64Array>;
  /** The least and the greatest reward that the configuration allows; undefined where it does not say. */
  readonly range?: Interval;
  /** How many rows have an outcome, from the first one on; absent: all. The rest is left where a budget was used up. */
  readonly graded?: number;
  /** How many rows failed, by code. */
  readonly failures: Readonly<Partial<Record<ErrorCode, number>>>;
  /** Wall time of grading all rows. */
  readonly seconds: number;
  /** What models were asked; undefined where none was. */
  readonly models?: ModelTotals;
  /** Undefined when no row was graded again. */
  readonly trials?: Trials;
}

/**
 * Some rows graded again: each column has one reward for each of them, NaN where it failed. Every column was graded by a
 * grader that had seen no row before, one row at a time in the order that is said.
 */
export interface Trials {
  /** Which rows: their places in the columns of {@link MeasuredRows}, ascending. */
  readonly rows: Int32Array;
  /** As they are, in their order. */
  readonly first: Float64Array;
  /** As they are, in their order, once more. */
  readonly again: Float64Array;
  /** As they are, from the last to the first. */
  readonly reversed: Float64Array;
  /** With the prompt in the place of the candidate; undefined where rows have no prompt. */
  readonly echo?: Float64Array;
  /** With one text in the place of every candidate: of those that were tried on other rows, the best. */
  readonly constant?: { readonly text: string; readonly rewards: Float64Array };
}
