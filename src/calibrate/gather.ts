import type { Row } from '../contract.js';
import { DatasetError } from '../dataset/error.js';
import type { DatasetFormat } from '../dataset/format.js';
import { candidateOf, valueOf } from '../dataset/row-text.js';
import { formatPath, type PathSegment } from '../errors.js';
import { KeyNumbers } from '../results/key-numbers.js';
import { readResultBlocks, ResultsError, type ResultRow } from '../results/read.js';
import { journalPath } from '../results/record.js';
import { groupKey } from '../results/score-columns.js';
import { GroupNames } from '../run/group-names.js';
import { openScoredRows } from '../run/scored-rows.js';
import type { Score } from '../score.js';
import { suggest } from '../suggest.js';
import type { LabelFile, LabelFinder } from './label-file.js';
import { TextCodes, type LabelColumn, type RowLabels } from './labels.js';
import type { Verdicts } from './verdicts.js';

/** What results are read for. */
export interface GatherOptions {
  /** Where labels are: a path in the rows, or a file. */
  readonly labels: readonly PathSegment[] | LabelFile;
  /** Collects labels that stand in the rows; that of a file holds them already. */
  readonly column: LabelColumn;
  /** The dataset, if it is not where the record of the results says. */
  readonly data?: readonly string[];
  readonly format?: DatasetFormat;
  readonly split?: string;
  /** A member of a multi, or a criterion, whose scores are meant. */
  readonly member?: string;
  /** Rows with the same value here belong together. */
  readonly group?: readonly PathSegment[];
  /** Where the position of a row's answer is; `sample` is its number among several samples. */
  readonly position?: readonly PathSegment[];
  readonly verdicts?: Verdicts;
  readonly signal?: AbortSignal;
}

/** Positions of rows, such as A or B, or the number of a sample. */
export interface Positions {
  /** The path, or `sample`. */
  readonly by: string;
  readonly names: readonly string[];
  /** Of each row the number of its name; -1 where it has none. */
  readonly of: Int32Array;
}

/** The rows with a reward, in the order of the results, as columns. */
export interface GatheredRows {
  /** Result lines, failed ones included. */
  readonly lines: number;
  readonly failed: number;
  /** Failed lines that have a label. */
  readonly failedLabelled: number;
  readonly rewards: Float64Array;
  /** 1 where a row passed, 0 where not, -1 where nothing says what passes. */
  readonly passed: Int8Array;
  /** Any number for each row, the same for rows that belong together. */
  readonly clusters: Int32Array;
  /** What makes rows belong together: a path, `group`, `row` for samples of a row; null where none do. */
  readonly clusteredBy: string | null;
  /** Of the text that was graded, in UTF-16 units; NaN where there is none. Undefined without the dataset. */
  readonly characters: Float64Array | undefined;
  readonly positions: Positions | undefined;
  /** The label that each row was given by a judge; NaN where there is none. Undefined without evidence. */
  readonly verdicts: Float64Array | undefined;
  readonly labels: RowLabels;
  /** How many rows the file of labels names that the results do not have. */
  readonly strangers: number;
  /** Why the dataset could not be read, where it was not needed for more than the length. */
  readonly withoutData: string | undefined;
}

/**
 * Reads results, their labels, and what else is asked of their rows. The dataset is needed for labels in it, for groups and
 * for positions; for labels from a file alone it may be missing.
 *
 * @returns undefined when it was aborted
 * @throws ResultsError, DatasetError
 */
export const gatherRows = async (path: string, options: GatherOptions): Promise<GatheredRows | undefined> => {
  const needsData =
    options.data !== undefined ||
    !('path' in options.labels) ||
    options.group !== undefined ||
    (options.position !== undefined && !isSample(options.position));
  try {
    return await gather(withData(path, options), options, undefined);
  } catch (error) {
    if (needsData || !(error instanceof DatasetError || error instanceof ResultsError)) throw error;
    return gather(withoutData(path), options, error.message);
  }
};

/** A result, and its row where there is a dataset. */
interface Line {
  readonly result: ResultRow;
  readonly place: string;
  readonly row: Row | undefined;
}

async function* withData(
  path: string,
  options: GatherOptions,
): AsyncGenerator<readonly Line[], void, undefined> {
  const rows = await openScoredRows(path, options);
  for await (const block of rows.blocks())
    yield block.map(({ result, place, row }) => ({ result, place, row: 'status' in row ? undefined : row }));
}

async function* withoutData(path: string): AsyncGenerator<readonly Line[], void, undefined> {
  for await (const { rows } of readResultBlocks(journalPath(path)))
    yield rows.map((result) => ({ result, place: `line ${result.line}`, row: undefined }));
}

const gather = async (
  blocks: AsyncIterable<readonly Line[]>,
  options: GatherOptions,
  withoutData: string | undefined,
): Promise<GatheredRows | undefined> => {
  const rows = new RowColumns(options, withoutData);
  for await (const block of blocks) {
    if (options.signal?.aborted === true) return undefined;
    for (const line of block) rows.add(line);
  }
  return options.signal?.aborted === true ? undefined : rows.finish();
};

/** Of how many rows the fields are noted, for a message. */
const NOTED_ROWS = 1_000;
/** More positions than this are none. */
const MAX_POSITIONS = 50;

class RowColumns {
  private lines = 0;
  private failed = 0;
  private failedLabelled = 0;
  private readonly rewards: number[] = [];
  private readonly passed: number[] = [];
  private readonly clusters: number[] = [];
  private readonly characters: number[] = [];
  private readonly positions: number[] = [];
  private readonly positionNames = new TextCodes();
  private readonly verdicts: number[] = [];
  private readonly ends: number[] = [];
  private readonly numbers: number[] = [];
  private readonly codes: number[] = [];
  private readonly clusterNumbers = new KeyNumbers();
  private clusteredBy: string | null = null;
  private readonly groupNames: GroupNames | undefined;
  private readonly finder: LabelFinder | undefined;
  private readonly fields = new Set<string>();
  private readonly members = new Set<string>();
  private firstRow = -1;
  private lastRow = -1;
  private hasSamples = false;

  constructor(
    private readonly options: GatherOptions,
    private readonly withoutData: string | undefined,
  ) {
    const { group, labels } = options;
    this.groupNames = group === undefined ? undefined : new GroupNames(group);
    this.finder = 'finder' in labels ? labels.finder() : undefined;
  }

  add(line: Line): void {
    const { result, row } = line;
    this.lines += 1;
    if (this.firstRow === -1) this.firstRow = result.row;
    this.lastRow = result.row;
    this.hasSamples ||= result.sample !== undefined;
    const score = this.scoreOf(result.score);
    const labels = this.addLabels(line, score.status === 'scored');
    if (score.status === 'failed') {
      this.failed += 1;
      if (labels > 0) this.failedLabelled += 1;
      return;
    }
    this.ends.push(this.numbers.length);
    this.rewards.push(score.reward);
    this.passed.push(score.passed === undefined ? -1 : Number(score.passed));
    this.clusters.push(this.clusterOf(line));
    if (row !== undefined) this.characters.push(candidateOf(row)?.length ?? NaN);
    this.positions.push(this.positionOf(line));
    const { verdicts } = this.options;
    if (verdicts !== undefined) this.verdicts.push(verdicts.labelOf(result.row, result.sample));
  }

  private scoreOf(score: Score): Pick<Score, 'status'> & { reward: number; passed?: boolean } {
    const { member } = this.options;
    const whole = score.status === 'scored' ? score : FAILED;
    if (member === undefined) return whole;
    this.noteMembers(score);
    const criterion = score.results?.find(({ name }) => name === member);
    if (criterion !== undefined) return criterion.status === 'scored' ? criterion : FAILED;
    const reward = score.subRewards?.[member];
    return reward === undefined ? FAILED : { status: 'scored', reward };
  }

  /** The names that there are, for the message when the asked one is not. */
  private noteMembers({ results, subRewards }: Score): void {
    for (const { name } of results ?? []) this.members.add(name);
    for (const name in subRewards) this.members.add(name);
  }

  /** How many labels the row has. They are kept if the row is. */
  private addLabels(line: Line, isKept: boolean): number {
    const { labels, column } = this.options;
    if (this.finder !== undefined) {
      const places = this.finder.of(line.result);
      if (isKept) for (const place of places) this.keep(column, place);
      return places.length;
    }
    const { row, place } = line;
    if (row === undefined) return 0;
    const value = valueOf(row, labels as readonly PathSegment[]);
    if (value === undefined && this.numbers.length === 0 && this.lines <= NOTED_ROWS) this.noteFields(row);
    if (!isKept) return value === undefined || value === null ? 0 : 1;
    const count = column.add(value, () => `${formatPath(labels as readonly PathSegment[])} of ${place}`);
    for (let at = column.count - count; at < column.count; at += 1) this.keep(column, at);
    return count;
  }

  private keep(column: LabelColumn, at: number): void {
    this.numbers.push(column.numbers[at]);
    this.codes.push(column.codes[at]);
  }

  /** The fields that a label could have been meant to be, for the message when there is none. */
  private noteFields({ item, sample }: Row): void {
    for (const name of Object.keys(item)) this.fields.add(formatPath(['item', name]));
    for (const name of Object.keys(sample ?? {})) this.fields.add(formatPath(['sample', name]));
  }

  private clusterOf({ result, row }: Line): number {
    const { group } = this.options;
    if (this.groupNames !== undefined && group !== undefined)
      return this.cluster(row && this.groupNames.of(row), formatPath(group));
    const key = groupKey(result.row, result);
    return this.cluster(
      key === undefined ? undefined : String(key),
      typeof key === 'number' ? 'row' : 'group',
    );
  }

  private cluster(key: string | undefined, by: string): number {
    if (key === undefined) return this.clusterNumbers.next();
    this.clusteredBy ??= by;
    return this.clusterNumbers.numberOf(key);
  }

  private positionOf({ result, row }: Line): number {
    const { position } = this.options;
    if (position === undefined || isSample(position))
      return result.sample === undefined ? -1 : this.positionNames.codeOf(String(result.sample));
    const value = row && valueOf(row, position);
    if (value === undefined || value === null) return -1;
    const code = this.positionNames.codeOf(typeof value === 'string' ? value : JSON.stringify(value));
    if (code !== -1 && code < MAX_POSITIONS) return code;
    throw new DatasetError(
      `--position ${formatPath(position)} has more than ${MAX_POSITIONS} different values; positions are few, such as A and B`,
    );
  }

  finish(): GatheredRows {
    this.refuseNothing();
    const { lines, failed, failedLabelled, clusterNumbers, rewards, withoutData } = this;
    const isClustered = clusterNumbers.size < rewards.length;
    return {
      lines,
      failed,
      failedLabelled,
      rewards: Float64Array.from(rewards),
      passed: Int8Array.from(this.passed),
      clusters: Int32Array.from(this.clusters),
      clusteredBy: isClustered ? this.clusteredBy : null,
      characters: withoutData === undefined ? Float64Array.from(this.characters) : undefined,
      positions: this.positionsFound(),
      verdicts: this.options.verdicts && Float64Array.from(this.verdicts),
      labels: { numbers: this.numbers, codes: this.codes, ends: this.ends },
      strangers: this.finder?.missing ?? 0,
      withoutData,
    };
  }

  private positionsFound(): Positions | undefined {
    const { position } = this.options;
    const { texts: names } = this.positionNames;
    const by = position === undefined || isSample(position) ? 'sample' : formatPath(position);
    if (names.length > 0 && names.length <= MAX_POSITIONS)
      return { by, names, of: Int32Array.from(this.positions) };
    if (position !== undefined && names.length === 0)
      throw new DatasetError(
        `--position ${by}: no row has a value there${by === 'sample' ? ', for none has several samples' : ''}`,
      );
    return undefined;
  }

  /** @throws DatasetError, ResultsError where there is nothing to compare */
  private refuseNothing(): void {
    const { options, rewards, numbers, failedLabelled, lines } = this;
    const { member, labels } = options;
    if (member !== undefined && !this.members.has(member)) throw this.unknownMember(member);
    if (lines === 0) throw new ResultsError('the results have no rows');
    if (numbers.length > 0) return;
    if (failedLabelled > 0)
      throw new ResultsError(
        `every row with a label failed (${failedLabelled}), so no score can be compared`,
      );
    if (rewards.length === 0) throw new ResultsError('no row was scored');
    if (this.finder !== undefined && 'path' in labels)
      throw new DatasetError(
        `${labels.path}: no label is about a result: the first is about ${this.finder.first}, and the results have rows ${this.firstRow} to ${this.lastRow}${this.finder.first.startsWith('id') ? '; were they graded with --id?' : ''}`,
      );
    throw this.noLabels(formatPath(labels as readonly PathSegment[]));
  }

  private unknownMember(member: string): ResultsError {
    const names = [...this.members];
    if (names.length === 0)
      return new ResultsError(`--member ${member}: these results have no members and no criteria`);
    const meant = suggest(member, names);
    const hint = meant === undefined ? '' : `\n  hint: did you mean ${meant}?`;
    return new ResultsError(`--member ${member}: expected one of ${names.join(', ')}${hint}`);
  }

  private noLabels(path: string): DatasetError {
    const fields = [...this.fields];
    const meant = suggest(path, fields);
    const hint = meant === undefined ? '' : `\n  hint: did you mean ${meant}?`;
    const shown = fields.length === 0 ? '' : `; rows have ${fields.slice(0, 12).join(', ')}`;
    return new DatasetError(
      `no row has a label at ${path}, and there is no file of that name${shown}${hint}`,
    );
  }
}

const FAILED = { status: 'failed', reward: NaN } as const;

const isSample = (path: readonly PathSegment[]): boolean => path.length === 1 && path[0] === 'sample';
