import { stat } from 'node:fs/promises';
import { DatasetError } from '../dataset/error.js';
import { knownFormat } from '../dataset/format.js';
import { formatPath, type PathSegment } from '../errors.js';
import { journalPath } from '../results/record.js';
import { show } from '../show.js';
import type { ThresholdGoal } from '../stats/calibration.js';
import { clustersOf } from '../stats/clustered.js';
import { biasReport, type BiasReport } from './bias.js';
import { classesOf, classesReport, type ClassesReport, type ClassRule, type RowClasses } from './classes.js';
import { conclude, type Verdict } from './conclude.js';
import { errorsReport, type ErrorsReport } from './errors.js';
import { gatherRows, type GatheredRows, type GatherOptions } from './gather.js';
import { readLabelFile } from './label-file.js';
import { labelledRows, type LabelledRows } from './labelled.js';
import { LabelColumn, mergeLabels, TextCodes, type LabelKind, type PassingLabels } from './labels.js';
import { meanReport, type MeanReport } from './mean.js';
import { peopleReport, type PeopleReport } from './people.js';
import { rankingReport, thresholdReport, type RankingReport, type ThresholdReport } from './ranking.js';
import { onScale, scaleOf, type Scale } from './scale.js';
import { pick, strataOf } from './stratified.js';
import { readVerdicts, type Consistency, type Verdicts } from './verdicts.js';

/** What scores are compared with, and how. */
export interface CalibrateOptions extends Pick<
  GatherOptions,
  'data' | 'format' | 'split' | 'member' | 'group' | 'position' | 'signal'
> {
  /** A path in the rows, `item.is_correct`, or a file of labels. */
  readonly labels: { readonly path: readonly PathSegment[] } | { readonly file: string };
  /** Which labels say yes, where they do not say so themselves. */
  readonly passing?: PassingLabels;
  /** A row passes from this reward on, whatever the results say. */
  readonly threshold?: number;
  /** What the best threshold is to be best for; balanced accuracy when absent. */
  readonly goal?: ThresholdGoal;
  /** Whether rewards are on the scale of the labels; looked at when absent. */
  readonly scale?: Scale['by'];
  /** Bins of the calibration curve; when absent 10, or fewer where they would have less than 10 rows each. */
  readonly bins?: number;
}

/** How many rows there are, and what of them could be used. */
export interface RowCounts {
  readonly total: number;
  readonly failed: number;
  /** Rows with a reward and a label. */
  readonly labelled: number;
  /** Rows with a reward and none. */
  readonly unlabelled: number;
  /** Rows with as many labels for one thing as for the other. */
  readonly undecided: number;
  /** Failed rows that have a label. */
  readonly failed_labelled: number;
  /** Rows with a text as their label for which no judge has chosen one. */
  readonly without_verdict: number;
  /** Rows of the file of labels that the results do not have. */
  readonly not_in_results: number;
}

/** What a comparison of scores with labels says, as `--json` prints it. */
export interface CalibrationReport {
  readonly verdict: Verdict;
  /** What a person reads first. */
  readonly conclusion: string;
  /** What to keep in mind. */
  readonly cautions: readonly string[];
  readonly results: string;
  /** The path or the file of the labels. */
  readonly labels: string;
  readonly kind: LabelKind;
  readonly rows: RowCounts;
  /** What makes rows depend on each other, and how many independent ones there are among those with a label. */
  readonly clusters: { readonly by: string | null; readonly count: number };
  readonly classes: ClassesReport | null;
  readonly ranking: RankingReport | null;
  readonly errors: ErrorsReport | null;
  readonly threshold: ThresholdReport | null;
  readonly people: PeopleReport | null;
  readonly consistency: readonly Consistency[];
  readonly bias: BiasReport;
  readonly mean: MeanReport | null;
}

/**
 * Compares the scores of a run with labels of people.
 *
 * @param path  the results: `.jsonl` as `assay run -o` writes them, or the table that was made of them
 * @returns undefined when it was aborted
 * @throws ResultsError, DatasetError
 */
export const calibrateScores = async (
  path: string,
  options: CalibrateOptions,
): Promise<CalibrationReport | undefined> => {
  const texts = new TextCodes();
  const column = new LabelColumn(texts, options.passing);
  const file =
    'file' in options.labels ? await readLabelFile(options.labels.file, column, options.signal) : undefined;
  const verdicts = readVerdicts(journalPath(path), options.member, texts);
  const labels = 'path' in options.labels ? options.labels.path : (file as NonNullable<typeof file>);
  const gathered = await gatherRows(path, { ...options, labels, column, verdicts });
  if (gathered === undefined) return undefined;
  const { kind } = column;
  if (kind === 'nominal') refuseTexts(labelsText(options), gathered, verdicts, texts);
  const report = {
    results: path,
    labels: labelsText(options),
    kind,
    ...compared(gathered, kind, texts.texts, options),
    consistency: verdicts?.consistency ?? [],
  };
  const reading = { withoutData: gathered.withoutData, damaged: verdicts?.damaged ?? 0 };
  return { ...conclude(report, reading), ...report };
};

/**
 * Where labels are: a file of that name if there is one, else a path in the rows.
 *
 * @param parsePath  compiles a path
 * @throws DatasetError for what can only be meant to be a file, and is not there
 */
export const findLabels = async (
  labels: string,
  parsePath: (path: string) => readonly PathSegment[],
): Promise<CalibrateOptions['labels']> => {
  const found = await stat(labels).catch(() => undefined);
  if (found?.isDirectory() === false) return { file: labels };
  const isPath = /^(?:item|sample)[.[]/.test(labels);
  if (!isPath && (knownFormat(labels) !== undefined || labels.includes('/')))
    throw new DatasetError(`${labels}: there is no such file of labels`);
  return { path: parsePath(labels) };
};

const labelsText = ({ labels }: CalibrateOptions): string =>
  'file' in labels ? labels.file : formatPath(labels.path);

/** @throws DatasetError where labels are texts that nothing can be compared with */
const refuseTexts = (
  source: string,
  { labels }: GatheredRows,
  verdicts: Verdicts | undefined,
  { texts }: TextCodes,
): void => {
  const code = labels.codes[labels.numbers.findIndex(Number.isNaN)];
  const shown = `${source}: labels are texts such as ${show(texts[code])}`;
  const advice = 'say with --passing which of them pass';
  if (labels.codes.includes(-1))
    throw new DatasetError(`${shown}, and more than 1,000 different ones; are these labels?`);
  if (verdicts === undefined || verdicts.labelling.length === 0)
    throw new DatasetError(`${shown}, and the results have no labels of a label_model to compare; ${advice}`);
  if (verdicts.labelling.length > 1)
    throw new DatasetError(
      `${shown}, and several graders have chosen labels (${verdicts.labelling.join(', ')}); say with --member which one is meant`,
    );
};

const MAX_BINS = 10;
const LEAST_OF_A_BIN = 10;

const binsFor = (rows: number): number => Math.max(1, Math.min(MAX_BINS, Math.floor(rows / LEAST_OF_A_BIN)));

/** The parts of a report that the rows themselves give. */
type Compared = Omit<
  CalibrationReport,
  'verdict' | 'conclusion' | 'cautions' | 'results' | 'labels' | 'kind' | 'consistency'
>;

const compared = (
  gathered: GatheredRows,
  kind: LabelKind,
  texts: readonly string[],
  options: CalibrateOptions,
): Compared => {
  const merged = mergeLabels(gathered.labels, kind);
  const { rows, withoutVerdict } = labelledRows(gathered, merged.values, kind);
  if (rows.count === 0) throw nothingLeft(withoutVerdict);
  const scale = kind === 'nominal' ? undefined : scaleOf(rows, gathered.rewards, options.scale);
  const scores = scale === undefined ? rows.rewards : onScale(rows.rewards, scale);
  const threshold = thresholdReport(rows, options.goal ?? 'balanced_accuracy');
  const rule = ruleOf(rows, options.threshold, threshold?.threshold);
  const classes = classesOf(rows, scores, rule, gathered.labels.numbers, texts);
  return {
    rows: countsOf(gathered, rows, merged.undecided, withoutVerdict),
    clusters: { by: gathered.clusteredBy, count: clustersOf(rows.count, rows.clusters).count },
    classes: classes === undefined ? null : classesReport(classes, rows.clusters),
    ranking: kind === 'nominal' ? null : rankingReport(rows),
    errors:
      scale === undefined ? null : errorsReport(rows, scores, scale, options.bins ?? binsFor(rows.count)),
    threshold: threshold ?? null,
    people: peopleReport(gathered.labels, kind, judgedBy(gathered, kind, scale, classes)) ?? null,
    bias: biasReport({
      errors: errorsOf(rows, scores, classes),
      strata: strataOf(rows.labels, kind === 'numeric'),
      clusters: rows.clusters,
      characters: gathered.characters && pick(gathered.characters, rows.places),
      places: rows.places,
      positions: gathered.positions,
    }),
    mean: scale === undefined ? null : meanReport(gathered, rows, scale),
  };
};

const nothingLeft = (withoutVerdict: number): DatasetError =>
  new DatasetError(
    withoutVerdict > 0
      ? 'no row with a label has one that a judge has chosen'
      : 'people disagree evenly on every labelled row, so that none has a label',
  );

const countsOf = (
  { lines, failed, failedLabelled, strangers, rewards }: GatheredRows,
  { count }: LabelledRows,
  undecided: number,
  withoutVerdict: number,
): RowCounts => ({
  total: lines,
  failed,
  labelled: count,
  unlabelled: rewards.length - count - undecided - withoutVerdict,
  undecided,
  failed_labelled: failedLabelled,
  without_verdict: withoutVerdict,
  not_in_results: strangers,
});

/** What says that a row passes; undefined where nothing does. */
const ruleOf = (
  { passed }: LabelledRows,
  asked: number | undefined,
  best: number | undefined,
): { readonly by: ClassRule; readonly value?: number } | undefined => {
  if (asked !== undefined) return { by: 'threshold', value: asked };
  if (passed.every((each) => each !== -1)) return { by: 'passed' };
  return best === undefined ? undefined : { by: 'best_threshold', value: best };
};

/** How far each score is above its label; of texts 1 where they differ. */
const errorsOf = (
  { kind, labels }: LabelledRows,
  scores: Float64Array,
  classes: RowClasses | undefined,
): Float64Array =>
  kind === 'nominal' && classes !== undefined
    ? Float64Array.from(classes.actual, (each, row) => Number(each !== classes.predicted[row]))
    : scores.map((score, row) => score - labels[row]);

/** What the judge says of a row with a reward, in the terms of labels. */
const judgedBy = (
  { rewards, passed, verdicts = NO_VERDICTS }: GatheredRows,
  kind: LabelKind,
  scale: Scale | undefined,
  classes: RowClasses | undefined,
): ((row: number) => number | undefined) => {
  if (scale !== undefined && kind === 'numeric') {
    const scores = onScale(rewards, scale);
    return (row) => scores[row];
  }
  if (kind === 'nominal') return (row) => (verdicts[row] >= 0 ? verdicts[row] : undefined);
  if (classes === undefined) return () => undefined;
  const { threshold } = classes;
  return threshold === undefined ? (row) => passed[row] : (row) => Number(rewards[row] >= threshold);
};

const NO_VERDICTS = new Float64Array();
