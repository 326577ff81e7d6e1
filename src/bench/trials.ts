import type { Row } from '../contract.js';
import { DatasetError } from '../dataset/error.js';
import { promptOf } from '../dataset/row-text.js';
import type { ReadyGrader } from '../engine.js';
import { GradingError, type PathSegment } from '../errors.js';
import type { Judge, JudgeCall } from '../judge-call.js';
import { constantCandidates } from '../probe/constant-answer.js';
import { editedFields, editedRow } from '../probe/row-edit.js';
import { datasetRows } from '../run/dataset-rows.js';
import { gradeRows } from '../run/grade-rows.js';
import { drawRows } from '../run/select.js';
import { openSource } from '../run/source.js';
import { notGradedReason, type Failed } from '../score.js';
import type { BenchRows, BenchRowsOptions } from './measure-rows.js';
import type { Trials } from './measured.js';

/** Of an item with very many samples, the first ones. */
const MAX_SAMPLES = 16;
/** Rows of many MiB each are not all kept. */
const MAX_BYTES = 32 << 20;
/** The same items at every bench, so that nobody draws until the report looks well. */
const SEED = 0;

/** Rows of some items, to be graded again. */
export interface TrialRows {
  /** Their places among the rows of the bench, ascending. */
  readonly places: Int32Array;
  /** The rows, or why they cannot be read. */
  readonly rows: readonly (Row | Failed)[];
  /** The group of each row. */
  readonly groups: Int32Array;
}

/**
 * Draws items and reads their rows, of each at most the first 16.
 *
 * @param items  how many; all of them where there are fewer
 * @param options  those that `bench` was read with
 * @throws DatasetError, also when the dataset has other rows by now
 */
export const drawTrialRows = async (
  bench: BenchRows,
  items: number,
  options: BenchRowsOptions,
): Promise<TrialRows> => {
  const { outputField, missingSample, signal } = options;
  const places = drawPlaces(bench, items);
  const firstPlaces = new Map(
    places.map((place) => [bench.numbers[place], firstOfRow(bench.numbers, place)]),
  );
  const wanted = new Set(places);
  const source = await openSource(options.data, options);
  const found: number[] = [];
  const rows: (Row | Failed)[] = [];
  let bytes = 0;
  const only = new Set(firstPlaces.keys());
  for await (const block of datasetRows(source, { outputField, missingSample, only, signal })) {
    for (const { row, number, sample = 0, bytes: length } of block) {
      const place = (firstPlaces.get(number) ?? NaN) + sample;
      if (!wanted.has(place) || bytes > MAX_BYTES) continue;
      found.push(place);
      rows.push(row);
      bytes += length;
    }
  }
  signal?.throwIfAborted();
  if (found.length !== places.length && bytes <= MAX_BYTES)
    throw new DatasetError(`${source.name} has changed while it was benched: rows that were there are gone`);
  return { places: Int32Array.from(found), rows, groups: Int32Array.from(found, (at) => bench.groups[at]) };
};

/** The places of the rows of some items, ascending. */
const drawPlaces = ({ groups, groupCount }: BenchRows, items: number): readonly number[] => {
  const drawn = drawRows(groupCount, items, SEED);
  const samples = new Map<number, number>();
  const places: number[] = [];
  for (const [place, group] of groups.entries()) {
    if (!drawn.has(group)) continue;
    const taken = samples.get(group) ?? 0;
    samples.set(group, taken + 1);
    if (taken < MAX_SAMPLES) places.push(place);
  }
  return places;
};

/** Where the first sample of a dataset row is. */
const firstOfRow = (numbers: Float64Array, place: number): number => {
  let first = place;
  while (first > 0 && numbers[first - 1] === numbers[place]) first -= 1;
  return first;
};

/** How rewards are tried. */
export interface TrialOptions {
  /**
   * Makes a grader ready that has seen no row.
   *
   * @param anew  whether its judges are to give another verdict on what they were asked before
   */
  readonly prepare: (anew: boolean) => Promise<ReadyGrader>;
  /** Where prompts are; see {@link promptOf}. */
  readonly prompt?: readonly PathSegment[];
  /** Fields that are no answers, whatever they are called: label and group. */
  readonly others?: readonly (readonly PathSegment[])[];
  readonly signal?: AbortSignal;
}

/**
 * Grades rows again, each time with a fresh grader: as they are, once more, from the last to the first, with their prompts
 * as candidates, and with one constant candidate.
 *
 * @throws GradingError with code `not_graded` when a budget is used up; the signal's reason, once it is aborted
 */
export const tryReward = async (trial: TrialRows, options: TrialOptions): Promise<Trials> => {
  const { rows, places } = trial;
  const { signal } = options;
  const [first, texts] = await withGrader(options, false, async (grader) => [
    await rewardsOf(grader, rows, signal),
    await bestConstants(grader, trial, options),
  ]);
  const again = await withGrader(options, true, (grader) => rewardsOf(grader, rows, signal));
  const reversed = await withGrader(options, false, (grader) => rewardsOf(grader, rows.toReversed(), signal));
  const echo = await withGrader(options, false, (grader) => echoRewards(grader, rows, options));
  const constant =
    texts && (await withGrader(options, false, (grader) => constantRewards(grader, trial, texts, signal)));
  return {
    rows: places,
    first,
    again,
    reversed: reversed.toReversed(),
    ...(echo && { echo }),
    ...(constant && { constant }),
  };
};

const withGrader = async <Result>(
  { prepare }: TrialOptions,
  anew: boolean,
  use: (grader: ReadyGrader) => Promise<Result>,
): Promise<Result> => {
  const grader = await prepare(anew);
  try {
    return await use(grader);
  } finally {
    await grader.close();
  }
};

/** NaN where a row fails, or is none. */
const rewardsOf = async (
  grader: ReadyGrader,
  rows: readonly (Row | Failed | undefined)[],
  signal: AbortSignal | undefined,
): Promise<Float64Array> => {
  const rewards = new Float64Array(rows.length).fill(NaN);
  const present = [...rows.keys()].filter((place) => rows[place] !== undefined);
  const scores = await gradeRows(
    grader,
    present.map((place) => rows[place] as Row | Failed),
    signal,
  );
  for (const [index, score] of scores.entries()) {
    const reason = notGradedReason(score);
    if (reason !== undefined) throw new GradingError('not_graded', reason);
    if (score.status === 'scored') rewards[present[index]] = score.reward;
  }
  return rewards;
};

/** Undefined where no row has a prompt that could stand in the place of what the grader reads. */
const echoRewards = async (
  grader: ReadyGrader,
  rows: readonly (Row | Failed)[],
  { prompt, signal }: TrialOptions,
): Promise<Float64Array | undefined> => {
  const fields = editedFields(grader);
  const echoes = rows.map((row) => {
    const text = 'status' in row ? undefined : promptOf(row, prompt)?.text;
    return 'status' in row || text === undefined || text === ''
      ? undefined
      : editedRow(row, fields, () => text);
  });
  return echoes.every((row) => row === undefined) ? undefined : rewardsOf(grader, echoes, signal);
};

/** A constant candidate for the rows of every other item, and one for those of the rest. */
interface ConstantTexts {
  readonly even: string;
  readonly odd: string;
}

/**
 * The best of some constant candidates, for each half of the items chosen on the other one.
 *
 * @returns undefined with less than two items, or when none of the candidates is scored
 */
const bestConstants = async (
  grader: ReadyGrader,
  trial: TrialRows,
  options: TrialOptions,
): Promise<ConstantTexts | undefined> => {
  const [evenPlaces, oddPlaces] = halvesOf(trial.groups);
  const even = await bestConstant(grader, trial, oddPlaces, options);
  const odd = await bestConstant(grader, trial, evenPlaces, options);
  return even === undefined || odd === undefined ? undefined : { even, odd };
};

/** The rewards of constant candidates on the rows that they were not chosen on, and the one that did better there. */
const constantRewards = async (
  grader: ReadyGrader,
  { rows, groups }: TrialRows,
  { even, odd }: ConstantTexts,
  signal: AbortSignal | undefined,
): Promise<NonNullable<Trials['constant']>> => {
  const fields = editedFields(grader);
  const [evenPlaces, oddPlaces] = halvesOf(groups);
  const isEven = new Set(evenPlaces);
  const edited = rows.map((row, place) =>
    'status' in row ? undefined : editedRow(row, fields, () => (isEven.has(place) ? even : odd)),
  );
  const rewards = await rewardsOf(grader, edited, signal);
  const isEvenBetter = meanAt(rewards, evenPlaces) >= meanAt(rewards, oddPlaces);
  return { text: isEvenBetter ? even : odd, rewards };
};

/** The places of the rows of every other item, and those of the rest. */
const halvesOf = (groups: Int32Array): readonly [even: readonly number[], odd: readonly number[]] => {
  const items = new Map([...new Set(groups)].map((group, item) => [group, item]));
  const halves: [number[], number[]] = [[], []];
  for (const [place, group] of groups.entries()) halves[(items.get(group) ?? 0) % 2].push(place);
  return halves;
};

/** The candidate with the highest mean reward on the first row of each item; the first of several. */
const bestConstant = async (
  grader: ReadyGrader,
  { rows, groups }: TrialRows,
  places: readonly number[],
  { prompt, others, signal }: TrialOptions,
): Promise<string | undefined> => {
  const fields = editedFields(grader);
  const seen = new Set<number>();
  const chosenOn = places.flatMap((place) => {
    const row = rows[place];
    if ('status' in row || seen.has(groups[place])) return [];
    seen.add(groups[place]);
    return [row];
  });
  let best: { readonly text: string; readonly mean: number } | undefined;
  for (const text of constantCandidates(chosenOn, grader, { prompt, others })) {
    const edited = chosenOn.map((row) => editedRow(row, fields, () => text));
    const mean = meanAt(await rewardsOf(grader, edited, signal), chosenOn.keys());
    if (mean > (best?.mean ?? -Infinity)) best = { text, mean };
  }
  return best?.text;
};

/** The mean of the rewards at some places; that of failed rows aside, and -Infinity where more than half of them failed. */
const meanAt = (rewards: Float64Array, places: Iterable<number>): number => {
  let [sum, scored, all] = [0, 0, 0];
  for (const place of places) {
    all += 1;
    if (Number.isNaN(rewards[place])) continue;
    sum += rewards[place];
    scored += 1;
  }
  return 2 * scored > all ? sum / scored : -Infinity;
};

/** As many verdicts as a grader can ask of one judge; those of a second opinion are counted from here. */
const MAX_REPEATS = 100;

/** A judge that gives another verdict than the one it is given: with a key of its own, so that it is kept too. */
export const secondOpinion = (judge: Judge): Judge => {
  const { modelFor, check, window, renew } = judge;
  return {
    ...(modelFor && { modelFor: (model) => modelFor.call(judge, model) }),
    ...(check && { check: (models) => check.call(judge, models) }),
    ...(window && { window: (model) => window.call(judge, model) }),
    ...(renew && { renew: (call) => renew.call(judge, another(call)) }),
    get totals() {
      return judge.totals;
    },
    ask: (call, place) => judge.ask(another(call), place),
  };
};

const another = (call: JudgeCall): JudgeCall => ({ ...call, repeat: call.repeat + MAX_REPEATS });
