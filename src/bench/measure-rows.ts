import type { Row } from '../contract.js';
import { DatasetError } from '../dataset/error.js';
import type { RowShape } from '../dataset/row.js';
import { candidateOf, labelNumber, promptOf, valueOf } from '../dataset/row-text.js';
import { formatPath, type PathSegment } from '../errors.js';
import { KeyNumbers } from '../results/key-numbers.js';
import { countRows } from '../run/count.js';
import { datasetRows, type DatasetRow } from '../run/dataset-rows.js';
import { GroupNames } from '../run/group-names.js';
import { drawRows, type RowFilter } from '../run/select.js';
import { openSource, type Source, type SourceOptions } from '../run/source.js';
import { Turns } from '../run/turns.js';
import { show } from '../show.js';
import { suggest } from '../suggest.js';
import { FeatureReader, FEATURES } from './features.js';
import type { Feature, MeasuredRows } from './measured.js';

/** Which rows of a dataset are benched, and what in them means what. */
export interface BenchRowsOptions extends SourceOptions, Omit<RowShape, 'note'> {
  /** Files, patterns or a folder; no stream, for a dataset is read several times. */
  readonly data: readonly string[];
  readonly limit?: number;
  readonly filter?: readonly RowFilter[];
  readonly random?: number;
  readonly seed?: number;
  /** Rows with the same value here share an item. */
  readonly group?: readonly PathSegment[];
  /** What is true of a row: true, false or a number. */
  readonly label?: readonly PathSegment[];
  /** Where prompts are; see {@link promptOf}. */
  readonly prompt?: readonly PathSegment[];
}

/** The rows of a bench, and where they are in the dataset. */
export interface BenchRows extends MeasuredRows {
  /** The dataset, as the user named it. */
  readonly dataset: string;
  /** Number of each row in the dataset, from 0; the samples of a row share it. */
  readonly numbers: Float64Array;
  /** How many groups there are; they are numbered from 0 in the order of their first rows. */
  readonly groupCount: number;
  /** By what rows are groups: a path, the several samples of dataset rows, or nothing. */
  readonly groupedBy: 'path' | 'samples' | undefined;
  /** How many rows have no value at the group's path: each is a group by itself. */
  readonly withoutGroup: number;
}

/**
 * Reads what a bench needs to know of the rows of a dataset: groups, labels, features of the candidates.
 *
 * @throws DatasetError when it cannot be read, has no rows, has no row with a label or group that was asked for, or a label
 *   that is neither true, false nor a number
 */
export const measureRows = async (options: BenchRowsOptions): Promise<BenchRows> => {
  const { data, filter, random, seed = 0, limit, outputField, missingSample, signal } = options;
  const shape = { outputField, missingSample };
  const source = await openSource(data, options);
  const drawn =
    random === undefined
      ? undefined
      : drawRows(await countRows(await openSource(data, options), filter, shape, signal), random, seed);
  const columns = new RowColumns(source, options);
  const turns = new Turns();
  for await (const block of datasetRows(source, { ...shape, limit, filter, drawn, signal })) {
    for (const row of block) columns.add(row);
    await turns.next();
  }
  signal?.throwIfAborted();
  return columns.finish();
};

/** Puts the columns together, a row at a time. */
class RowColumns {
  private readonly numbers: number[] = [];
  private readonly groups: number[] = [];
  private readonly labels: number[] = [];
  private readonly features = new Map<Feature, number[]>(FEATURES.map((feature) => [feature, []]));
  private readonly reader = new FeatureReader();
  private readonly keys = new KeyNumbers();
  private readonly names: GroupNames | undefined;
  private readonly unnamed: GroupColumn = { without: 0, samples: false };
  private firstRow: Row | undefined;

  constructor(
    private readonly source: Source,
    private readonly options: BenchRowsOptions,
  ) {
    this.names = options.group && new GroupNames(options.group);
  }

  add(found: DatasetRow): void {
    const row = 'status' in found.row ? undefined : found.row;
    this.firstRow ??= row;
    this.groups.push(this.groupOf(found, row));
    this.numbers.push(found.number);
    this.labels.push(row === undefined ? NaN : this.labelOf(row, found.place));
    this.addFeatures(row);
  }

  private groupOf({ number, sample }: DatasetRow, row: Row | undefined): number {
    if (sample !== undefined) this.unnamed.samples = true;
    if (this.names === undefined) {
      const isSameRow = sample !== undefined && this.numbers.at(-1) === number;
      return isSameRow ? this.keys.size - 1 : this.keys.next();
    }
    const name = row && this.names.of(row);
    if (name !== undefined) return this.keys.numberOf(name);
    this.unnamed.without += 1;
    return this.keys.next();
  }

  private labelOf(row: Row, place: string): number {
    const { label } = this.options;
    if (label === undefined) return NaN;
    const value = valueOf(row, label);
    if (value === undefined || value === null) return NaN;
    const number = labelNumber(value);
    if (number !== undefined) return number;
    throw new DatasetError(
      `${this.placeText(place)}: the label ${formatPath(label)} is ${show(value)}, expected true, false or a number`,
    );
  }

  private placeText(place: string): string {
    const { files } = this.source;
    return files.length === 1 ? `${files[0].path}: ${place}` : place;
  }

  private addFeatures(row: Row | undefined): void {
    const candidate = row && candidateOf(row);
    const found =
      row === undefined || candidate === undefined
        ? undefined
        : this.reader.read(candidate, promptOf(row, this.options.prompt)?.text);
    for (const [feature, column] of this.features) column.push(found?.[feature] ?? NaN);
  }

  finish(): BenchRows {
    const { numbers, groups, labels, features, keys, source, unnamed } = this;
    const { group, label } = this.options;
    const count = numbers.length;
    if (count === 0)
      throw new DatasetError(
        `${source.name}: no row to bench; is the dataset empty, or the filter too strict?`,
      );
    if (label !== undefined && labels.every(Number.isNaN)) throw this.missing('label', label);
    if (group !== undefined && unnamed.without === count) throw this.missing('group', group);
    return {
      dataset: source.name,
      count,
      numbers: Float64Array.from(numbers),
      groups: Int32Array.from(groups),
      groupCount: keys.size,
      groupedBy: group !== undefined ? 'path' : unnamed.samples ? 'samples' : undefined,
      withoutGroup: unnamed.without,
      ...(label !== undefined && { labels: Float64Array.from(labels) }),
      features: new Map([...features].map(([feature, column]) => [feature, Float64Array.from(column)])),
    };
  }

  private missing(what: 'label' | 'group', path: readonly PathSegment[]): DatasetError {
    const { source, firstRow } = this;
    const fields = Object.keys(firstRow?.item ?? {});
    const meant = suggest(String(path.at(-1)), fields);
    const hint = meant === undefined ? '' : `; did you mean item.${meant}?`;
    const there =
      firstRow === undefined ? 'no row can be read' : `the first row's item is ${show(firstRow.item)}`;
    return new DatasetError(`${source.name}: no row has the ${what} ${formatPath(path)}; ${there}${hint}`);
  }
}

/** What is to be known of groups beside their numbers. */
interface GroupColumn {
  /** Rows without the value that names their group. */
  without: number;
  /** Whether a dataset row has several samples. */
  samples: boolean;
}
