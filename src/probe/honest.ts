import type { Row } from '../contract.js';
import { labelNumber, valueOf } from '../dataset/row-text.js';
import type { PathSegment } from '../errors.js';
import type { Failed, Score } from '../score.js';
import { clusteredMean, clustersOf } from '../stats/clustered.js';
import type { Interval } from '../stats/interval.js';
import type { DrawnRow } from './draw-items.js';
import type { GradedTexts } from './graded-texts.js';
import { failuresIn, meanEstimate, honestMeans } from './measure.js';
import { estimateOf, type HonestResult } from './report.js';
import { editedRow, type SampleField } from './row-edit.js';
import type { HonestAnswer } from './trials.js';

/** The answers as they stand in the dataset, graded. */
export interface HonestAnswers {
  /** Of rows that could be read. */
  readonly answers: readonly HonestAnswer[];
  /** The others. */
  readonly unreadable: readonly { readonly score: Failed }[];
}

/** Grades the answers of rows as they are, in the form that edited rows have. */
export const gradeHonest = async (
  rows: readonly DrawnRow[],
  fields: readonly SampleField[],
  graded: GradedTexts,
  label: readonly PathSegment[] | undefined,
): Promise<HonestAnswers> => {
  const readable = rows.flatMap((drawn) => {
    const { place, item, row } = drawn;
    return 'status' in row ? [] : [{ place, item, row: editedRow(row, fields, (text) => text) ?? row }];
  });
  const scores = await graded.grade(readable.map(({ row }) => row));
  return {
    answers: readable.map(({ place, item, row }, at) => ({
      place,
      item,
      row,
      score: scores[at],
      isCorrect: label && correctness(row, label),
    })),
    unreadable: rows.flatMap(({ row }) => ('status' in row ? [{ score: row }] : [])),
  };
};

const correctness = (row: Row, label: readonly PathSegment[]): boolean | undefined => {
  const number = labelNumber(valueOf(row, label));
  return number === undefined ? undefined : number >= 0.5;
};

/** The least and the greatest reward of answers; undefined where none was scored. */
export const rangeOf = (scored: readonly { readonly score: Score }[]): Interval | undefined => {
  let [least, greatest] = [Infinity, -Infinity];
  for (const { score } of scored) {
    if (score.status !== 'scored') continue;
    least = Math.min(least, score.reward);
    greatest = Math.max(greatest, score.reward);
  }
  return least > greatest ? undefined : [least, greatest];
};

/** What is told of the honest answers. */
export const summariseHonest = (
  { answers, unreadable }: HonestAnswers,
  isLabelled: boolean,
): HonestResult => {
  const all = [...answers, ...unreadable];
  const failures = failuresIn(all);
  const labels = {
    correct: labelled(answers, true),
    wrong: labelled(answers, false),
    unlabelled: answers.filter(({ isCorrect }) => isCorrect === undefined).length,
  };
  return {
    rows: all.length,
    failed: Object.values(failures).reduce((sum, count) => sum + count, 0),
    failures,
    reward: meanEstimate([...honestMeans(answers).values()]),
    ...(isLabelled ? labels : {}),
    range: rangeOf(answers) ?? null,
  };
};

const labelled = (answers: readonly HonestAnswer[], isCorrect: boolean): HonestResult['correct'] => {
  const found = answers.filter((answer) => answer.isCorrect === isCorrect);
  const scored = found.flatMap(({ item, score }) =>
    score.status === 'scored' ? [{ item, reward: score.reward }] : [],
  );
  const rewards = Float64Array.from(scored, ({ reward }) => reward);
  const items = Int32Array.from(scored, ({ item }) => item);
  return { rows: found.length, reward: estimateOf(clusteredMean(rewards, clustersOf(scored.length, items))) };
};
