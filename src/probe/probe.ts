import type { Row } from '../contract.js';
import type { ReadyGrader } from '../engine.js';
import { formatPath, type PathSegment } from '../errors.js';
import { groupBy } from '../group-by.js';
import { bestConstants, halfOf } from './best-constant.js';
import { concludeAttacks, concludeHarmful, concludeNeutral } from './conclusion.js';
import { editContexts } from './contexts.js';
import type { DrawnItems } from './draw-items.js';
import type { Edit, EditContext } from './edit.js';
import { GradedTexts } from './graded-texts.js';
import { fieldsRead } from './fields-read.js';
import { gradeHonest, rangeOf, summariseHonest } from './honest.js';
import { judgeVerdicts } from './judges.js';
import { honestMeans, measureAttack, measureHarmful, measureNeutral, type Measures } from './measure.js';
import { KnownReferences, type ReferenceOptions } from './references.js';
import type { AttackResult, HonestResult, ProbeReport } from './report.js';
import { editedFields, fieldTexts, type RowReader, type SampleField } from './row-edit.js';
import { gradeEdits, type EditPlan, type EditTrials, type HonestAnswer } from './trials.js';

/** What cannot be probed, and what to do about it. */
export class ProbeError extends Error {
  override readonly name = 'ProbeError';
}

/** How a grader is probed. */
export interface ProbeOptions extends ReferenceOptions {
  /** In the order in which they are reported, the cheapest attack first. */
  readonly edits: readonly Edit[];
  /** The short references of the dataset that the items were drawn from; absent: those of the items. */
  readonly known?: KnownReferences;
  /** Which answers are correct: true, false or a number, of which 0.5 and more is correct. */
  readonly label?: readonly PathSegment[];
  /** A reward that moves by no more has not moved; default 1 % of the range of the honest rewards. */
  readonly tolerance?: number;
  /** How many examples are kept of an edit. */
  readonly top: number;
  /** That the items were drawn with, for the report. */
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** Receives how many of the edited rows were asked for. */
  readonly onProgress?: (asked: number, of: number) => void;
}

/**
 * Edits the answers of a dataset, grades them beside the honest ones and says what fools the grader, what it minds that
 * it should not, and what it does not see. No item and text is graded twice.
 *
 * @throws ProbeError where there is nothing to be edited; the signal's reason, once it is aborted
 */
export const probe = async (
  grader: ReadyGrader,
  drawn: DrawnItems,
  options: ProbeOptions,
): Promise<ProbeReport> => {
  const { edits, label, signal, onProgress } = options;
  const named = checkedFields(grader, drawn);
  const graded = new GradedTexts(grader, signal);
  const honest = await gradeHonest(drawn.rows, named, graded, label);
  const { answers } = honest;
  const fields = await fieldsRead(named, answers, grader, graded);
  const contexts = await contextsOf(answers, grader, graded, { ...options, fields });
  const plans = edits.map((edit) => ({ edit, answers: choicesFor(edit, answers, label !== undefined) }));
  const total = plans.reduce((sum, plan) => sum + plan.answers.length, 0);
  const onAsked = (asked: number): void => onProgress?.(asked, total);
  const trials = await gradeEdits(plans, { fields, contexts }, graded, onAsked);
  const summary = summariseHonest(honest, label !== undefined);
  const measures = measuresOf(answers, trials, { fields, contexts }, options);
  const results = resultsOf(trials, measures);
  const { sentence, ...attacks } = concludeAttacks(results.attacks, summary);
  const conclusion = [
    ...(results.attacks.length === 0 ? [] : [sentence]),
    concludeNeutral(results.neutral),
    concludeHarmful(results.harmful),
  ];
  return {
    conclusion: conclusion.filter((text) => text !== undefined),
    warnings: warningsOf(summary, results.attacks, drawn, contexts, options),
    grader: { name: grader.name, type: grader.type, signature: grader.signature },
    fields: fields.map(fieldName),
    items: drawn.count,
    items_of: drawn.of,
    seed: options.seed,
    tolerance: measures.tolerance,
    cheapest_attack: attacks.cheapest,
    strongest_attack: attacks.strongest,
    honest: summary,
    ...results,
    stopped: graded.stopped ?? null,
    ...modelsOf(grader),
  };
};

const fieldName = (field: SampleField): string => formatPath(['sample', ...field]);

const modelsOf = (grader: ReadyGrader): Pick<ProbeReport, 'models'> => {
  const models = grader.models();
  return models !== undefined && models.requests + models.cached > 0 ? { models } : {};
};

/** @throws ProbeError where there is nothing to be edited */
const checkedFields = (grader: ReadyGrader, { rows }: DrawnItems): readonly SampleField[] => {
  const fields = editedFields(grader);
  if (fields.length === 0)
    throw new ProbeError(
      'the grader reads nothing of the sample, so no edit of an answer can move its reward',
    );
  if (!rows.some(({ row }) => !('status' in row) && fieldTexts(row, fields).length > 0))
    throw new ProbeError(
      `no row has a text at ${fields.map(fieldName).join(' or ')}; probe edits answers of a model, which rows have in "sample"`,
    );
  return fields;
};

interface ContextOptions extends ReferenceOptions {
  readonly edits: readonly Edit[];
  readonly known?: KnownReferences;
  readonly label?: readonly PathSegment[];
  readonly fields: readonly SampleField[];
}

/** What an attacker knows of each item that has a row that could be read. */
const contextsOf = async (
  answers: readonly HonestAnswer[],
  grader: ReadyGrader,
  graded: GradedTexts,
  { edits, known, label, ...options }: ContextOptions,
): Promise<ReadonlyMap<number, EditContext>> => {
  const items = [...groupBy(answers, ({ item }) => item)];
  const verdicts = judgeVerdicts(grader.origin.config);
  const where = { ...options, others: label === undefined ? [] : [label] };
  const rows = items.map(([, samples]) => samples.map(({ row }) => row));
  const firsts = rows.map(([row]) => row);
  const references = (known ?? referencesIn(firsts, grader, where)).texts;
  const contexts = editContexts(firsts, grader, { verdicts, references }, where);
  const constants = edits.some(({ triesConstants }) => triesConstants)
    ? await bestConstants(rows, grader, graded, { ...where, asksModels: verdicts.asksModels })
    : [];
  return new Map(
    items.map(([item], at) => [item, { ...contexts[at], constant: constants[halfOf(at)] }] as const),
  );
};

const referencesIn = (
  rows: readonly Row[],
  grader: RowReader,
  options: ReferenceOptions,
): KnownReferences => {
  const known = new KnownReferences(grader, options);
  for (const row of rows) known.add(row);
  return known;
};

/** Which answers an edit is made of; see {@link EditPlan}. */
const choicesFor = (
  { kind, replaces }: Edit,
  answers: readonly HonestAnswer[],
  isLabelled: boolean,
): EditPlan['answers'] => {
  if (replaces === true) return [...groupBy(answers, ({ item }) => item).values()];
  const scored = answers.filter(({ score }) => score.status === 'scored');
  if (kind === 'neutral') return scored.map((answer) => [answer]);
  // To make a right answer score is no attack, and a wrong one can hardly be made worse.
  const wanted = scored.filter(({ isCorrect }) => !isLabelled || isCorrect === (kind === 'harmful'));
  return (kind === 'harmful' ? aboveLeast(wanted, rangeOf(answers)) : wanted).map((answer) => [answer]);
};

/** What has the least reward cannot lose any, unless all have the same, which is a finding. */
const aboveLeast = (
  answers: readonly HonestAnswer[],
  range: ReturnType<typeof rangeOf>,
): readonly HonestAnswer[] => {
  if (range === undefined || range[0] === range[1]) return answers;
  return answers.filter(({ score }) => score.status === 'scored' && score.reward > range[0]);
};

/** Of the range of the honest rewards. */
const TOLERANCE = 0.01;
/** What rounding may move. */
const LEAST_TOLERANCE = 1e-9;

const measuresOf = (
  answers: readonly HonestAnswer[],
  trials: readonly EditTrials[],
  editing: Pick<Measures, 'fields' | 'contexts'>,
  { tolerance, label, top }: Pick<ProbeOptions, 'tolerance' | 'label' | 'top'>,
): Measures => {
  const range = rangeOf(answers) ?? [0, 0];
  const attacked = rangeOf(
    trials.filter(({ edit }) => edit.kind === 'attack').flatMap((found) => found.trials),
  );
  return {
    ...editing,
    tolerance: tolerance ?? Math.max(LEAST_TOLERANCE, TOLERANCE * (range[1] - range[0])),
    floor: Math.min(range[0], attacked?.[0] ?? Infinity),
    honest: honestMeans(answers),
    isLabelled: label !== undefined,
    top,
  };
};

const resultsOf = (
  trials: readonly EditTrials[],
  measures: Measures,
): Pick<ProbeReport, 'attacks' | 'neutral' | 'harmful'> => {
  const ofKind = (kind: Edit['kind']) => trials.filter(({ edit }) => edit.kind === kind);
  return {
    attacks: ofKind('attack').map((found) => measureAttack(found, measures)),
    neutral: ofKind('neutral').map((found) => measureNeutral(found, measures)),
    harmful: ofKind('harmful').map((found) => measureHarmful(found, measures)),
  };
};

/** Below, an interval may be too narrow. */
const FEW_ITEMS = 20;

const warningsOf = (
  honest: HonestResult,
  attacks: readonly AttackResult[],
  drawn: DrawnItems,
  contexts: ReadonlyMap<number, EditContext>,
  { label }: Pick<ProbeOptions, 'label'>,
): readonly string[] => {
  const known = [...contexts.values()];
  const failing = attacks.filter(
    ({ rows, failed, failures }) => 2 * (failed - (failures.not_graded ?? 0)) > rows,
  );
  return [
    ...(drawn.count < FEW_ITEMS ? ['few items: the intervals may be too narrow'] : []),
    ...(drawn.ungrouped > 0
      ? [`${drawn.ungrouped} rows have no value that names their group; each of them is an item by itself`]
      : []),
    ...(label === undefined && attacks.some(({ form }) => form === 'adds')
      ? ['without a label, attacks that add to an answer are made of right and wrong answers alike']
      : []),
    ...((honest.unlabelled ?? 0) > 0
      ? [`${honest.unlabelled} rows have a label that is neither true nor false nor a number`]
      : []),
    ...(known.every(({ prompt }) => prompt === undefined) ? ['no prompt was found in the items'] : []),
    ...(known.every(({ references }) => references.length === 0)
      ? ['no short reference answer was found in the items']
      : []),
    ...failing.map(
      ({ name, failed, rows }) => `${name}: ${failed} of ${rows} rows failed, which are in no share`,
    ),
  ];
};
