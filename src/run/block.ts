import type { Row } from '../contract.js';
import { LineCursor, type LineBlock } from '../dataset/jsonl.js';
import { parseRow, type RowNote, type RowShape } from '../dataset/row.js';
import { RowScanner } from '../dataset/row-scanner.js';
import { GradingError, type PathSegment } from '../errors.js';
import { JsonScanner } from '../json-scanner.js';
import type { ReadyGrader } from '../engine.js';
import { LineBuffer } from '../results/line-buffer.js';
import type { LineExtras } from '../results/line.js';
import { ScoreCollector, snapshot, type ScoreColumns } from '../results/score-columns.js';
import { failed, type Failed, type Score } from '../score.js';
import { jsonSpanText } from '../span.js';
import { valueText, type RowSelection } from './select.js';

/** What a result line repeats of its row. */
export interface Keep {
  /** A path whose value becomes the line's `id`. */
  readonly id?: readonly PathSegment[];
  /** Which part of the input row is written into the line, byte for byte. */
  readonly input?: 'item' | 'sample' | 'all';
}

/** Where a block stands in its dataset. */
export interface BlockPlace {
  /** Number of the block's first row in the dataset, from 0. */
  readonly row: number;
  /** Number of its first line in its file, from 1. */
  readonly line: number;
}

/** Learns the place of a block from how many rows and lines it has; blocks are asked about in their order. */
export type Claim = (rows: number, lines: number) => BlockPlace;

/** How blocks are graded. */
export interface BlockGraderOptions {
  readonly grader: ReadyGrader;
  readonly shape: Omit<RowShape, 'note'>;
  readonly selection: RowSelection;
  /** Whether rows are filtered, which means parsing them. */
  readonly filters: boolean;
  readonly keep: Keep;
  /** Ends a block early; the rows in flight are waited for. */
  readonly signal?: AbortSignal;
  /** Most rows in flight at once, for graders that answer with promises. */
  readonly concurrency: number;
}

/** A failed row, and where it stands. */
export interface RowFailure {
  readonly failure: Failed;
  /** `line 17`, `b.jsonl line 17` */
  readonly place: string;
}

/** A block, graded. */
export interface GradedBlock {
  /** The result lines; valid until the next but one is taken. */
  readonly lines: Buffer;
  readonly scores: ScoreColumns;
  readonly failures: readonly RowFailure[];
  /** What was odd about the rows; every note is told once. */
  readonly notes: readonly RowNote[];
  /** True when no later block has a row that is asked for. */
  readonly done: boolean;
}

/** A row whose score is on its way. */
interface Pending {
  readonly number: number;
  readonly place: string;
  readonly score: Score | Promise<Score>;
  /** Undefined when the line says nothing of its row, or repeats it as it is. */
  readonly extras: LineExtras | undefined;
  readonly start: number;
  readonly end: number;
}

/** How long a row that has been graded may wait to be written. */
const FLUSH_MS = 200;

/** Turns blocks of input lines into result lines, in order, one for each selected row. */
export class BlockGrader {
  /** Gives memory to read a block into. */
  readonly takeMemory: ((bytes: number) => Buffer) | undefined;
  private readonly lines = new LineCursor();
  private readonly out = new LineBuffer();
  private readonly scores = new ScoreCollector();
  private readonly scanner: RowScanner | undefined;
  private readonly shape: RowShape;
  private readonly notesTold = new Set<RowNote>();
  private block: LineBlock = { bytes: Buffer.alloc(0), position: 0 };
  private scans = false;
  private row = 0;
  private prefix = '';
  private failures: RowFailure[] = [];
  private notes: RowNote[] = [];
  private done = false;

  constructor(private readonly options: BlockGraderOptions) {
    const { grader, shape, filters, keep } = options;
    this.shape = { ...shape, note: (note) => this.tell(note) };
    const scannable =
      shape.outputField === undefined &&
      !filters &&
      keep.id === undefined &&
      (keep.input === undefined || keep.input === 'all');
    if (scannable && grader.variables !== undefined) {
      const scanner = new RowScanner({ variables: grader.variables, missingSample: shape.missingSample });
      this.scanner = scanner;
      this.takeMemory = (bytes) => scanner.memory(bytes);
    }
  }

  /**
   * Grades the rows of a block; gives it as one, or as several where scores take their time, so that none waits for
   * long before it is written.
   *
   * @param prefix  stands before the number of a line where rows are told: `line `, `b.jsonl line `
   */
  async *grade(block: LineBlock, prefix: string, claim: Claim): AsyncGenerator<GradedBlock, void, undefined> {
    this.open(block, prefix, claim);
    const { concurrency, signal } = this.options;
    const inFlight: Pending[] = [];
    let lastTaken = performance.now();
    let ended = false;
    while (!ended || inFlight.length > 0) {
      // Nothing can abort the run while this function does not wait.
      const pending: Pending | undefined = ended ? undefined : this.gradeLines(inFlight.length === 0);
      ended ||= pending === undefined || signal?.aborted === true;
      if (pending !== undefined) inFlight.push(pending);
      if (inFlight.length === 0 || (!ended && inFlight.length < concurrency)) continue;
      await this.settle(inFlight.shift() as Pending);
      ended ||= signal?.aborted === true;
      if (performance.now() - lastTaken < FLUSH_MS) continue;
      yield this.take();
      lastTaken = performance.now();
    }
    yield this.take();
  }

  /** What has been graded since the last time. */
  private take(): GradedBlock {
    const { failures, notes, done } = this;
    const scores = snapshot(this.scores);
    this.scores.clear();
    this.failures = [];
    this.notes = [];
    return { lines: this.out.take(), scores, failures, notes, done };
  }

  private open(block: LineBlock, prefix: string, claim: Claim): void {
    this.block = block;
    this.prefix = prefix;
    this.lines.open(block);
    const { row, line } = claim(this.lines.count, this.lines.fileLines);
    this.row = row;
    this.lines.startAt(line);
    this.scans = this.scanner !== undefined && this.lines.valid;
    if (this.scans) this.scanner?.open(block.bytes, this.lines.ascii);
  }

  /**
   * Grades lines up to the first score that has to wait, for itself or for one before it; undefined at the end. Not in
   * the function above, for V8 makes less of a loop in an asynchronous one.
   *
   * @param emits  whether a score that is there at once can be written at once
   */
  private gradeLines(emits: boolean): Pending | undefined {
    const { grader, selection } = this.options;
    const { lines } = this;
    for (;;) {
      const number = this.row;
      if (selection.endsBefore(number)) {
        this.done = true;
        return undefined;
      }
      if (!lines.next()) return undefined;
      this.row = number + 1;
      if (selection.skips(number)) continue;
      const row = this.read(number);
      if (row === undefined) continue;
      const score = isFailed(row) ? row : grader.gradeRow(row);
      if (emits && !(score instanceof Promise)) {
        this.emit(number, score, row);
        continue;
      }
      const { start, end } = lines;
      return { number, place: this.place, score, extras: this.extras(row), start, end };
    }
  }

  /** The row at the cursor, or why it cannot be read; undefined when it is not selected. */
  private read(number: number): Row | Failed | undefined {
    const { selection } = this.options;
    const { problem, start, end } = this.lines;
    if (this.scans && problem === undefined) {
      const row = this.scanner?.scan(start, end);
      if (row !== undefined) return selection.takes(row, number) ? row : undefined;
    }
    try {
      if (problem !== undefined) throw new GradingError('row_error', problem);
      const row = parseRow(this.lines.text, this.shape);
      return selection.takes(row, number) ? row : undefined;
    } catch (error) {
      if (!(error instanceof GradingError)) throw error;
      if (!selection.takesBroken(number)) return undefined;
      return failed(error.code, `${this.place}: ${error.message}`);
    }
  }

  /** Where the row at the cursor stands. */
  private get place(): string {
    return this.prefix + String(this.lines.line);
  }

  private emit(number: number, score: Score, row: Row | Failed): void {
    const { keep } = this.options;
    this.count(score, score.status === 'failed' ? this.place : '');
    if (keep.input === undefined && keep.id === undefined) this.out.add(number, score);
    else this.write(number, score, this.extras(row), this.lines.start, this.lines.end);
  }

  private async settle({ number, place, score, extras, start, end }: Pending): Promise<void> {
    const settled = await score;
    this.count(settled, place);
    this.write(number, settled, extras, start, end);
  }

  private count(score: Score, place: string): void {
    this.scores.add(score);
    if (score.status === 'failed') this.failures.push({ failure: score, place });
  }

  private write(
    number: number,
    score: Score,
    extras: LineExtras | undefined,
    start: number,
    end: number,
  ): void {
    const { keep } = this.options;
    if (keep.input !== 'all' || extras?.input !== undefined) {
      this.out.add(number, score, extras);
      return;
    }
    const { bytes } = this.block;
    this.out.addKeeping(number, score, extras?.id, bytes, afterSpace(bytes, start), beforeSpace(bytes, end));
  }

  /** What the line of the row at the cursor repeats of it; without `input` where the row is copied as it is. */
  private extras(row: Row | Failed): LineExtras | undefined {
    const { id, input } = this.options.keep;
    if (id === undefined && input === undefined) return undefined;
    if (isFailed(row)) return this.extrasOfBroken(this.lines.text);
    return {
      id: id === undefined ? undefined : (valueText(row, id) ?? 'null'),
      input: input === undefined || input === 'all' ? undefined : this.inputText(input, row),
    };
  }

  /** A row of another shape is JSON all the same; any other text is kept as a JSON string. */
  private extrasOfBroken(text: string): LineExtras {
    const { id, input } = this.options.keep;
    const isJson = new JsonScanner(text, false).scan().mistake === undefined;
    if (!isJson) return input === undefined ? {} : { input: JSON.stringify(text) };
    return {
      id: id === undefined ? undefined : (jsonSpanText(text, id) ?? 'null'),
      input: input === undefined ? undefined : text.trim(),
    };
  }

  private inputText(input: 'item' | 'sample', row: Row): string {
    if (input === 'item') return row.sourceText?.('item', []) ?? 'null';
    return jsonSpanText(this.lines.text, this.options.shape.outputField ?? ['sample']) ?? 'null';
  }

  private tell(note: RowNote): void {
    if (this.notesTold.has(note)) return;
    this.notesTold.add(note);
    this.notes.push(note);
  }
}

const isFailed = (row: Row | Failed): row is Failed => (row as Partial<Failed>).status === 'failed';

const afterSpace = (bytes: Buffer, start: number): number => {
  let at = start;
  while (bytes[at] <= SPACE) at += 1;
  return at;
};

const beforeSpace = (bytes: Buffer, end: number): number => {
  let at = end;
  while (bytes[at - 1] <= SPACE) at -= 1;
  return at;
};

const SPACE = 0x20;
