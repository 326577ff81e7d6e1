import type { Row } from '../contract.js';
import { LineCursor, type LineBlock } from '../dataset/jsonl.js';
import { parseRow, type RowShape } from '../dataset/row.js';
import { GradingError, type PathSegment } from '../errors.js';
import { JsonScanner } from '../json-scanner.js';
import type { ReadyGrader } from '../engine.js';
import { LineBuffer } from '../results/line-buffer.js';
import type { LineExtras } from '../results/line.js';
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

export interface BlockGraderOptions {
  readonly grader: ReadyGrader;
  readonly shape: RowShape;
  readonly selection: RowSelection;
  readonly keep: Keep;
  /** Ends a block early; the rows in flight are waited for. */
  readonly signal?: AbortSignal;
  /** Most rows in flight at once, for graders that answer with promises. */
  readonly concurrency: number;
  /** Receives every score with its line, in row order. */
  readonly onScore: (score: Score, line: number) => void;
}

/** A row whose score is on its way. */
interface Pending {
  readonly number: number;
  readonly line: number;
  readonly score: Score | Promise<Score>;
  readonly extras: LineExtras | undefined;
}

/** Turns blocks of input lines into result lines, in order, one for each selected row. */
export class BlockGrader {
  /** Number of the next row of the dataset, from 0. */
  private nextRow = 0;
  private readonly lines = new LineCursor();
  private readonly out = new LineBuffer();
  private readonly keepsNothing: boolean;

  constructor(private readonly options: BlockGraderOptions) {
    this.keepsNothing = options.keep.id === undefined && options.keep.input === undefined;
  }

  /** True once every row that was asked for has been graded. */
  get done(): boolean {
    return this.options.selection.exhausted;
  }

  /** The result lines of a block, as bytes; they stay valid until the next block has been graded. */
  async grade(block: LineBlock): Promise<Buffer> {
    const { concurrency, signal } = this.options;
    const inFlight: Pending[] = [];
    this.lines.open(block);
    // Nothing can abort the run while this loop does not wait.
    for (let aborted = signal?.aborted === true; !aborted;) {
      const pending = this.gradeLines(inFlight.length === 0);
      if (pending === undefined) break;
      inFlight.push(pending);
      if (inFlight.length < concurrency) continue;
      await this.settle(inFlight.shift() as Pending);
      aborted = signal?.aborted === true;
    }
    for (const pending of inFlight) await this.settle(pending);
    return this.out.take();
  }

  /**
   * Grades lines up to the first score that has to wait, for itself or for one before it; undefined at the end. Not in
   * the function above, for V8 makes less of a loop in an asynchronous one.
   *
   * @param emits  whether a score that is there at once can be written at once
   */
  private gradeLines(emits: boolean): Pending | undefined {
    const { grader } = this.options;
    const { lines } = this;
    while (!this.done && lines.next()) {
      const number = this.nextRow;
      this.nextRow += 1;
      const row = this.read(lines, number);
      if (row === undefined) continue;
      const { text, line } = lines;
      const score = isFailed(row) ? row : grader.gradeRow(row);
      const extras = this.keepsNothing ? undefined : this.extras(row, text);
      if (!emits || score instanceof Promise) return { number, line, score, extras };
      this.emit(number, line, score, extras);
    }
    return undefined;
  }

  /** The row at the cursor, or why it cannot be read; undefined when it is not selected. */
  private read({ text, line, problem }: LineCursor, number: number): Row | Failed | undefined {
    const { selection, shape } = this.options;
    if (selection.skips(number)) return undefined;
    try {
      if (problem !== undefined) throw new GradingError('row_error', problem);
      const row = parseRow(text, shape);
      return selection.takes(row) ? row : undefined;
    } catch (error) {
      if (!(error instanceof GradingError)) throw error;
      return selection.takesBroken() ? failed(error.code, `line ${line}: ${error.message}`) : undefined;
    }
  }

  private extras(row: Row | Failed, text: string): LineExtras {
    const { id, input } = this.options.keep;
    if (isFailed(row)) return this.extrasOfBroken(text);
    return {
      id: id === undefined ? undefined : (valueText(row, id) ?? 'null'),
      input: input === undefined ? undefined : this.inputText(input, row, text),
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

  private inputText(input: 'item' | 'sample' | 'all', row: Row, text: string): string {
    if (input === 'all') return text.trim();
    if (input === 'item') return row.sourceText?.('item', []) ?? 'null';
    return jsonSpanText(text, this.options.shape.outputField ?? ['sample']) ?? 'null';
  }

  private async settle({ number, line, score, extras }: Pending): Promise<void> {
    this.emit(number, line, await score, extras);
  }

  private emit(number: number, line: number, score: Score, extras: LineExtras | undefined): void {
    this.options.onScore(score, line);
    this.out.add(number, score, extras);
  }
}

const isFailed = (row: Row | Failed): row is Failed => (row as Partial<Failed>).status === 'failed';
