import { DatasetError } from '../dataset/error.js';
import { labelNumber } from '../dataset/row-text.js';
import { show } from '../show.js';

/**
 * What labels are: yes or no, numbers, or texts. Numbers are numeric unless all are 0 or 1; `true`, `pass`, `yes` and
 * `correct` are 1, their opposites 0.
 */
export type LabelKind = 'binary' | 'numeric' | 'nominal';

/** Which labels are taken to say yes, where not those that say so themselves: some texts, or all numbers from one on. */
export type PassingLabels = { readonly texts: ReadonlySet<string> } | { readonly least: number };

const WORDS: ReadonlyMap<string, number> = new Map([
  ...['true', 'pass', 'passed', 'yes', 'correct'].map((word) => [word, 1] as const),
  ...['false', 'fail', 'failed', 'no', 'incorrect'].map((word) => [word, 0] as const),
]);

/** More different texts than this are no labels. */
export const MAX_TEXTS = 1_000;

/** Numbers texts in the order in which they are first seen, up to {@link MAX_TEXTS} of them. */
export class TextCodes {
  readonly texts: string[] = [];
  private readonly codes = new Map<string, number>();

  /** The number of a text, from 0; -1 where there are too many. */
  codeOf(text: string): number {
    const known = this.codes.get(text);
    if (known !== undefined) return known;
    if (this.texts.length === MAX_TEXTS) return -1;
    this.codes.set(text, this.texts.length);
    return this.texts.push(text) - 1;
  }
}

/** Labels of several rows, one after the other, as numbers. */
export class LabelColumn {
  /** Each label as a number; NaN for a text that is none. */
  readonly numbers: number[] = [];
  /** Each label as the number of its text; -1 for those that would be too many. */
  readonly codes: number[] = [];
  private isBinary = true;
  private isNumeric = true;

  constructor(
    readonly texts: TextCodes,
    private readonly passing?: PassingLabels,
  ) {}

  /** How many labels there are. */
  get count(): number {
    return this.numbers.length;
  }

  /** What the labels are, all of them together. */
  get kind(): LabelKind {
    return this.isBinary ? 'binary' : this.isNumeric ? 'numeric' : 'nominal';
  }

  /**
   * Adds what stands where a label is expected: a label, or a list of them, of several people. Nothing, null and an empty
   * text are no label.
   *
   * @param place  says where it stands, for the error
   * @returns how many labels it was
   * @throws DatasetError for an object, a list in a list, and a text where `passing` asks for numbers
   */
  add(value: unknown, place: () => string): number {
    if (!Array.isArray(value)) return this.addOne(value, place);
    let count = 0;
    for (const each of value) count += this.addOne(each, place);
    return count;
  }

  private addOne(value: unknown, place: () => string): number {
    if (value === undefined || value === null) return 0;
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      throw new DatasetError(
        `${place()}: label: expected true, false, a number or a text, got ${show(value)}`,
      );
    const text = String(value).trim();
    if (text === '') return 0;
    const strict = labelNumber(value);
    const number = this.passing === undefined ? (strict ?? WORDS.get(text.toLowerCase())) : undefined;
    this.isBinary &&= this.passing !== undefined || number === 0 || number === 1;
    this.isNumeric &&= strict !== undefined;
    this.numbers.push(
      this.passing === undefined ? (number ?? NaN) : passes(this.passing, text, strict, place),
    );
    // The numbers of a scale are few; where they are many, nobody asks for their texts.
    this.codes.push(this.texts.codeOf(text));
    return 1;
  }
}

const passes = (
  passing: PassingLabels,
  text: string,
  number: number | undefined,
  place: () => string,
): number => {
  if ('texts' in passing) return passing.texts.has(text) ? 1 : 0;
  if (number === undefined)
    throw new DatasetError(
      `${place()}: label: expected a number, as --passing ">=${passing.least}" asks for, got ${show(text)}`,
    );
  return number >= passing.least ? 1 : 0;
};

/** The labels of each row: those of row r stand from `ends[r - 1]` to `ends[r]`. */
export interface RowLabels {
  readonly numbers: readonly number[];
  readonly codes: readonly number[];
  readonly ends: readonly number[];
}

/** One label for each row. */
export interface MergedLabels {
  /** NaN for rows without one. Of texts, their codes. */
  readonly values: Float64Array;
  /** Rows with labels that say as often one thing as the other; they have no label then. */
  readonly undecided: number;
}

/**
 * What the labels of a row come to: the majority where they are yes or no, or texts; the mean where they are numbers.
 */
export const mergeLabels = (labels: RowLabels, kind: LabelKind): MergedLabels => {
  const { ends } = labels;
  const values = new Float64Array(ends.length);
  const given = kind === 'nominal' ? labels.codes : labels.numbers;
  let [start, undecided] = [0, 0];
  ends.forEach((end, row) => {
    values[row] = end - start === 1 ? given[start] : mergedValue(given.slice(start, end), kind);
    if (end > start && Number.isNaN(values[row])) undecided += 1;
    start = end;
  });
  return { values, undecided };
};

const mergedValue = (labels: readonly number[], kind: LabelKind): number => {
  if (labels.length < 2) return labels[0] ?? NaN;
  if (kind === 'nominal') return commonest(labels);
  const mean = labels.reduce((sum, label) => sum + label, 0) / labels.length;
  if (kind === 'numeric') return mean;
  return mean === 0.5 ? NaN : Math.round(mean);
};

/** The value that occurs most often; NaN where two do. */
export const commonest = (values: readonly number[]): number => {
  const votes = new Map<number, number>();
  for (const value of values) votes.set(value, (votes.get(value) ?? 0) + 1);
  const most = Math.max(...votes.values());
  const winners = [...votes.keys()].filter((value) => votes.get(value) === most);
  return winners.length === 1 ? winners[0] : NaN;
};
