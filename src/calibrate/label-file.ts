import { DatasetError } from '../dataset/error.js';
import { LineCursor } from '../dataset/jsonl.js';
import { isObject } from '../json-value.js';
import { KeyNumbers } from '../results/key-numbers.js';
import type { ResultRow } from '../results/read.js';
import { PieceReader } from '../run/piece.js';
import { openSource, type Source } from '../run/source.js';
import { show } from '../show.js';
import type { LabelColumn } from './labels.js';

/** Labels from a file of their own, to be found by the results that they are about. Kept as numbers. */
export class LabelFile {
  /** By row and by id. */
  private readonly keys = new KeyNumbers();
  private readonly raters = new KeyNumbers();
  /** The key of each label. */
  private readonly keyOf: number[] = [];
  private known = 0;
  private starts = new Uint32Array(1);
  private places = new Uint32Array(0);
  private readonly named = new Set<'row' | 'id'>();
  /** What the first label is about: `row 17`, `id "a"`. */
  private first = '';

  constructor(
    readonly path: string,
    private readonly column: LabelColumn,
  ) {}

  /**
   * Adds a line: `{"row": 3, "label": true}`, also with `sample`, or with `id` in the place of `row`; `labels` is a list.
   *
   * @param line  the line as JSON
   * @param place  where it stands
   * @throws DatasetError
   */
  addLine(line: unknown, place: () => string): void {
    if (!isObject(line)) throw new DatasetError(`${place()}: expected an object, got ${show(line)}`);
    const { label, labels, annotator } = line;
    if (label === undefined && labels === undefined) throw noLabel(line, place());
    const name = this.nameOf(line, place);
    const count = this.column.add(label, place) + this.column.add(labels, place);
    if (count === 0) return;
    const key = this.keys.numberOf(name);
    if (annotator !== undefined && annotator !== null && annotator !== '')
      this.refuseTwice(key, annotator, place);
    for (let each = 0; each < count; each += 1) this.keyOf.push(key);
  }

  private nameOf(line: Readonly<Record<string, unknown>>, place: () => string): string {
    const { row, id } = line;
    const sample = wholeNumber(line.sample, 'sample', place);
    const number = wholeNumber(row, 'row', place);
    if (number !== undefined) {
      this.named.add('row');
      this.first ||= `row ${number}`;
      return rowName(number, sample);
    }
    if (id === undefined || id === null || id === '')
      throw new DatasetError(
        `${place()}: expected "row", the number of a row from 0, or "id", the id of a result; got ${show(line)}`,
      );
    this.named.add('id');
    this.first ||= `id ${show(id)}`;
    return idName(typeof id === 'string' ? id : JSON.stringify(id), sample);
  }

  private refuseTwice(key: number, annotator: unknown, place: () => string): void {
    const { size } = this.raters;
    if (this.raters.numberOf(`${key} ${JSON.stringify(annotator)}`) === size) return;
    throw new DatasetError(
      `${place()}: ${show(annotator)} has labelled this row before; keep one of the lines`,
    );
  }

  /** Sorts the labels by what they are about; to be called once, behind the last line. */
  finish(): void {
    const { keyOf } = this;
    this.known = this.keys.size;
    this.starts = new Uint32Array(this.known + 1);
    for (const key of keyOf) this.starts[key + 1] += 1;
    for (let key = 0; key < this.known; key += 1) this.starts[key + 1] += this.starts[key];
    const next = this.starts.slice();
    this.places = new Uint32Array(keyOf.length);
    keyOf.forEach((key, label) => (this.places[next[key]++] = label));
    keyOf.length = 0;
  }

  /** Finds the labels of results, each of which is asked for once. */
  finder(): LabelFinder {
    const { keys, known, starts, places, path, named, first } = this;
    return new LabelFinder({ keys, known, starts, places, path, named, first });
  }
}

interface SortedLabels {
  readonly keys: KeyNumbers;
  readonly known: number;
  readonly starts: Uint32Array;
  readonly places: Uint32Array;
  readonly path: string;
  readonly named: ReadonlySet<'row' | 'id'>;
  readonly first: string;
}

/** Gives the labels of one result after the other. */
export class LabelFinder {
  private readonly taken: Uint8Array;

  constructor(private readonly sorted: SortedLabels) {
    this.taken = new Uint8Array(sorted.known);
  }

  /** How many rows the labels name that have not been asked for. */
  get missing(): number {
    return this.taken.reduce((sum, each) => sum + 1 - each, 0);
  }

  /** What the first label of the file is about. */
  get first(): string {
    return this.sorted.first;
  }

  /**
   * The places of a result's labels in their column; none where it has no label.
   *
   * @throws DatasetError for a label without a sample where there are several, and for two results of one id
   */
  of({ row, sample, id, line }: ResultRow): Uint32Array {
    const { named } = this.sorted;
    const byRow = named.has('row') ? this.find(rowName(row, sample), sample, line) : NONE;
    const text = id === undefined || id === 'null' || !named.has('id') ? undefined : textOf(id);
    const byId = text === undefined ? NONE : this.find(idName(text, sample), sample, line);
    if (byRow.length === 0 || byId.length === 0) return byRow.length === 0 ? byId : byRow;
    throw new DatasetError(
      `${this.sorted.path}: line ${line} of the results is labelled by its row and by its id; keep one of them`,
    );
  }

  private find(name: string, sample: number | undefined, line: number): Uint32Array {
    const { starts, places, path } = this.sorted;
    const key = this.keyOf(name);
    if (key === undefined) {
      const whole = sample === undefined ? undefined : this.keyOf(name.slice(0, name.lastIndexOf('\0')));
      if (whole === undefined) return NONE;
      throw new DatasetError(
        `${path}: the row of line ${line} of the results has several samples; say with "sample" which one a label is about`,
      );
    }
    if (this.taken[key] === 1)
      throw new DatasetError(
        `${path}: a label is about several results, of which line ${line} is one; name the row, and its sample, instead of the id`,
      );
    this.taken[key] = 1;
    return places.subarray(starts[key], starts[key + 1]);
  }

  private keyOf(name: string): number | undefined {
    const key = this.sorted.keys.numberOf(name);
    return key < this.sorted.known ? key : undefined;
  }
}

const NONE = new Uint32Array(0);

/** The text of an id of a result, which is JSON. */
const textOf = (id: string): string => (id.startsWith('"') ? (JSON.parse(id) as string) : id);

const rowName = (row: number, sample: number | undefined): string => withSample(`row ${row}`, sample);
const idName = (id: string, sample: number | undefined): string => withSample(`id ${id}`, sample);
const withSample = (name: string, sample: number | undefined): string =>
  sample === undefined ? name : `${name}\0${sample}`;

/** A number from 0, also as the text of a table's cell; undefined where there is none. */
const wholeNumber = (value: unknown, name: string, place: () => string): number | undefined => {
  if (value === undefined || value === null || value === '') return undefined;
  const number = typeof value === 'string' ? Number(value) : value;
  if (Number.isSafeInteger(number) && (number as number) >= 0) return number as number;
  throw new DatasetError(`${place()}: ${name}: expected a whole number from 0, got ${show(value)}`);
};

const noLabel = (line: Readonly<Record<string, unknown>>, place: string): DatasetError =>
  new DatasetError(
    `${place}: expected "label", or a list as "labels", got ${show(line)}; null is a row that nobody has labelled`,
  );

/**
 * Reads a file of labels: JSONL, JSON, CSV, TSV or Parquet, a line for each label.
 *
 * @param column  receives the labels
 * @throws DatasetError with the line, at the first one that cannot be read
 */
export const readLabelFile = async (
  path: string,
  column: LabelColumn,
  signal?: AbortSignal,
): Promise<LabelFile> => {
  const source = await openSource([path], { signal });
  const file = new LabelFile(path, column);
  for await (const { text, place, problem } of linesOf(source)) {
    if (problem !== undefined) throw new DatasetError(`${place()}: ${problem}`);
    file.addLine(parsed(text, place), place);
  }
  file.finish();
  if (column.count === 0) throw new DatasetError(`${path}: no line has a label`);
  return file;
};

interface Line {
  readonly text: string;
  readonly problem: string | undefined;
  readonly place: () => string;
}

async function* linesOf(source: Source): AsyncGenerator<Line, void, undefined> {
  const reader = new PieceReader(source.files);
  const lines = new LineCursor();
  try {
    for await (const piece of source.pieces()) {
      const { path, prefix } = source.files[piece.file];
      lines.open(reader.read(piece).block, piece.first ? 1 : undefined);
      while (lines.next()) {
        const { line, problem } = lines;
        const place = () => (prefix === 'line ' ? `${path}:${line}` : `${path}: ${prefix}${line}`);
        yield { text: problem === undefined ? lines.text : '', problem, place };
      }
    }
  } finally {
    reader.close();
  }
}

const parsed = (text: string, place: () => string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw new DatasetError(`${place()}: not valid JSON: ${show(text)}`);
  }
};
