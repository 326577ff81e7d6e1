import { RunningAgreement, nominal } from '../stats/agreement.js';
import { clusteredMean, clustersOf, type ClusteredEstimate } from '../stats/clustered.js';
import {
  classificationQuality,
  cohenKappa,
  confusionOf,
  type ClassificationQuality,
  type KappaWeights,
} from '../stats/kappa.js';
import { atBest, balancedAccuracy, f1Estimate, meanWhere, toReport, type Estimate } from './estimates.js';
import type { LabelledRows } from './labelled.js';

/**
 * What says of which class a row is: whether it passed in the results; a threshold that was asked for; the best one found
 * on these rows; the class next to its score; the label that a judge chose.
 */
export type ClassRule = 'passed' | 'threshold' | 'best_threshold' | 'nearest_score' | 'verdict';

/** The class of each labelled row by the scores, and by the labels. */
export interface RowClasses {
  readonly names: readonly string[];
  /** Whether they are in order of size. */
  readonly ordered: boolean;
  readonly actual: Int32Array;
  readonly predicted: Int32Array;
  readonly by: ClassRule;
  /** A row passes from this reward on. */
  readonly threshold?: number;
}

/** How well one class is found. */
export interface ClassReport {
  readonly class: string;
  /** Rows with this label. */
  readonly rows: number;
  /** Rows taken for this class. */
  readonly judged: number;
  /** Share of the rows taken for this class that are of it. */
  readonly precision: Estimate | null;
  /** Share of the rows of this class that are taken for it. */
  readonly recall: Estimate | null;
  readonly f1: number | null;
}

/** The score's class against the label's. */
export interface ClassesReport {
  readonly names: readonly string[];
  readonly by: ClassRule;
  readonly threshold: number | null;
  /** confusion[label][score], in the order of the names. */
  readonly confusion: readonly (readonly number[])[];
  readonly by_class: readonly ClassReport[];
  readonly accuracy: Estimate;
  /** Mean recall over the classes that occur among the labels. */
  readonly balanced_accuracy: Estimate;
  /** Of two classes: the share of what fails by its label that fails. */
  readonly specificity: Estimate | null;
  /** Of two classes: F1 of what passes. */
  readonly f1: Estimate | null;
  /** Matthews correlation coefficient. */
  readonly matthews: number | null;
  /** Cohen's kappa. */
  readonly kappa: Estimate | null;
  /** Cohen's kappa by the steps between classes, and by these squared; for classes in order, from three on. */
  readonly linear_kappa: Estimate | null;
  readonly quadratic_kappa: Estimate | null;
  /** Krippendorff's alpha of labels and scores, of classes by whether they are equal. */
  readonly alpha: number | null;
  /** How much more often the scores pass than the labels; of two classes. */
  readonly lenience: Estimate | null;
  /** What always giving the most frequent label reaches. */
  readonly constant: ConstantClass;
}

/** A judge that says the same of every row. */
export interface ConstantClass {
  readonly class: string;
  readonly accuracy: number;
  /** Accuracy of the scores less that of the constant, on the same rows. */
  readonly difference: Estimate;
}

/**
 * Finds the classes of labelled rows.
 *
 * @param scores  of each row on the labels' scale
 * @param threshold  of rewards of labels of 0 and 1, and what it comes from; undefined where there is none
 * @param texts  the texts that codes stand for
 * @returns undefined where labels are numbers of too many different values, or there is no threshold
 */
export const classesOf = (
  rows: LabelledRows,
  scores: Float64Array,
  threshold: { readonly by: ClassRule; readonly value?: number } | undefined,
  given: readonly number[],
  texts: readonly string[],
): RowClasses | undefined => {
  if (rows.kind === 'nominal') return textClasses(rows, texts);
  if (rows.kind === 'numeric') return numberClasses(rows, scores, given);
  if (threshold === undefined) return undefined;
  const { by, value } = threshold;
  const predicted = value === undefined ? rows.passed : rows.rewards.map((reward) => Number(reward >= value));
  return {
    names: ['fail', 'pass'],
    ordered: false,
    actual: Int32Array.from(rows.labels),
    predicted: Int32Array.from(predicted),
    by,
    ...(value !== undefined && { threshold: value }),
  };
};

const textClasses = (
  { labels, verdicts = new Float64Array() }: LabelledRows,
  texts: readonly string[],
): RowClasses => {
  const codes = [...new Set([...labels, ...verdicts])].sort((a, b) => (texts[a] < texts[b] ? -1 : 1));
  const numbers = new Map(codes.map((code, number) => [code, number]));
  const toClass = (code: number): number => numbers.get(code) ?? 0;
  return {
    names: codes.map((code) => texts[code]),
    ordered: false,
    actual: Int32Array.from(labels, toClass),
    predicted: Int32Array.from(verdicts, toClass),
    by: 'verdict',
  };
};

/** Numbers of more different values than this are no classes. */
export const MAX_CLASSES = 10;

const numberClasses = (
  { labels }: LabelledRows,
  scores: Float64Array,
  given: readonly number[],
): RowClasses | undefined => {
  const values = new Set<number>();
  for (const label of given) if (values.add(label).size > MAX_CLASSES) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  return {
    names: sorted.map(String),
    ordered: true,
    // The mean of several people's labels may lie between two.
    actual: Int32Array.from(labels, (label) => nearest(label, sorted)),
    predicted: Int32Array.from(scores, (score) => nearest(score, sorted)),
    by: 'nearest_score',
  };
};

/** The place of the nearest value; of two as near, that of the lower. */
const nearest = (value: number, sorted: readonly number[]): number => {
  let best = 0;
  sorted.forEach((each, at) => {
    if (Math.abs(value - each) < Math.abs(value - sorted[best])) best = at;
  });
  return best;
};

/** Compares the classes of scores and labels. */
export const classesReport = (classes: RowClasses, clusters: Int32Array): ClassesReport => {
  const { names, actual, predicted, ordered, by, threshold } = classes;
  const confusion = confusionOf(predicted, actual, names.length);
  const quality = classificationQuality(confusion);
  if (quality === undefined) throw new Error('there are labelled rows');
  const correct = Float64Array.from(actual, (each, row) => Number(each === predicted[row]));
  const groups = clustersOf(actual.length, clusters);
  const accuracy = clusteredMean(correct, groups, [0, 1]) as ClusteredEstimate;
  const kappa = (weights: KappaWeights) => toReport(kappaOf(classes, weights, accuracy, clusters));
  const isBinary = names.length === 2 && !ordered && by !== 'verdict';
  const width = names.length;
  return {
    names,
    by,
    threshold: threshold ?? null,
    confusion: names.map((_, each) => [...confusion.counts.subarray(each * width, (each + 1) * width)]),
    by_class: names.map((name, each) => classReport(classes, correct, clusters, quality, name, each)),
    accuracy: toReport(accuracy) as Estimate,
    balanced_accuracy: toReport(balancedAccuracy(correct, actual, width, clusters)) as Estimate,
    specificity: isBinary ? toReport(shareWhere(correct, clusters, (row) => actual[row] === 0)) : null,
    f1: isBinary ? toReport(f1Estimate(predicted, actual, clusters)) : null,
    matthews: quality.matthews ?? null,
    kappa: kappa('equal'),
    linear_kappa: ordered && width > 2 ? kappa('linear') : null,
    quadratic_kappa: ordered && width > 2 ? kappa('quadratic') : null,
    alpha: alphaOf(classes),
    lenience: isBinary ? toReport(lenienceOf(classes, clusters)) : null,
    constant: constantClass(classes, correct, clusters, quality),
  };
};

const shareWhere = (
  values: Float64Array,
  clusters: Int32Array,
  holds: (row: number) => boolean,
): ClusteredEstimate | undefined => meanWhere(values, clusters, holds, [0, 1]);

const classReport = (
  { actual, predicted }: RowClasses,
  correct: Float64Array,
  clusters: Int32Array,
  { classes }: ClassificationQuality,
  name: string,
  each: number,
): ClassReport => ({
  class: name,
  rows: classes[each].support,
  judged: predicted.reduce((sum, other) => sum + Number(other === each), 0),
  precision: toReport(shareWhere(correct, clusters, (row) => predicted[row] === each)),
  recall: toReport(shareWhere(correct, clusters, (row) => actual[row] === each)),
  f1: classes[each].f1 ?? null,
});

/** Kappa; where every row agrees, with the interval that the accuracy has. undefined where all labels are the same. */
const kappaOf = (
  { actual, predicted, names }: RowClasses,
  weights: KappaWeights,
  accuracy: ClusteredEstimate,
  clusters: Int32Array,
): ClusteredEstimate | undefined => {
  if (actual.every((each) => each === actual[0])) return undefined;
  const kappa = cohenKappa(predicted, actual, names.length, weights, clusters);
  if (kappa?.value !== 1 || kappa.interval !== undefined) return kappa;
  const distance = DISTANCES[weights];
  const shares = new Float64Array(names.length);
  for (const each of actual) shares[each] += 1 / actual.length;
  const apart = (from: number): number =>
    shares.reduce((sum, share, to) => sum + share * distance(from, to), 0);
  const byChance = shares.reduce((sum, share, each) => sum + share * apart(each), 0);
  // At worst so many rows are wrong, and as far apart as classes can be.
  const wrong = (1 - (accuracy.interval?.[0] ?? 0)) * distance(0, names.length - 1);
  return atBest(kappa, Math.max(-1, 1 - wrong / byChance));
};

const DISTANCES: Readonly<Record<KappaWeights, (a: number, b: number) => number>> = {
  equal: (a, b) => Number(a !== b),
  linear: (a, b) => Math.abs(a - b),
  quadratic: (a, b) => (a - b) ** 2,
};

const alphaOf = ({ actual, predicted }: RowClasses): number | null => {
  const agreement = new RunningAgreement<number>(nominal);
  actual.forEach((each, row) => agreement.add([each, predicted[row]]));
  return agreement.alpha ?? null;
};

const lenienceOf = (
  { actual, predicted }: RowClasses,
  clusters: Int32Array,
): ClusteredEstimate | undefined => {
  const excess = Float64Array.from(actual, (each, row) => predicted[row] - each);
  return clusteredMean(excess, clustersOf(actual.length, clusters), [-1, 1]);
};

const constantClass = (
  { names, actual }: RowClasses,
  correct: Float64Array,
  clusters: Int32Array,
  { constant }: ClassificationQuality,
): ConstantClass => {
  const gains = correct.map((each, row) => each - Number(actual[row] === constant.class));
  const difference = clusteredMean(gains, clustersOf(gains.length, clusters), [-1, 1]) as ClusteredEstimate;
  return {
    class: names[constant.class],
    accuracy: constant.accuracy,
    difference: toReport(difference) as Estimate,
  };
};
