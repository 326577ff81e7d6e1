import type { Row } from '../contract.js';
import { LineCursor, type LineBlock } from '../dataset/jsonl.js';
import { parseRow, type RowShape } from '../dataset/row.js';
import { GradingError, type PathSegment } from '../errors.js';
import type { ReadyGrader } from '../engine.js';
import { resultLine, type LineExtras } from '../results/line.js';
import { failed, type Score } from '../score.js';
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
  /** Most rows in flight at once, for graders that answer with promises. */
  readonly concurrency: number;
  /** Receives every score, in row order. */
  readonly onScore: (score: Score, row: number, line: number) => void;
}

interface Pending {
  readonly row: number;
  readonly line: number;
  readonly score: Score | Promise<Score>;
  readonly extras: LineExtras | undefined;
}

/** Turns blocks of input lines into result lines, in order, one for each selected row. */
export class BlockGrader {
  /** Number of the next row of the dataset, from 0. */
  private nextRow = 0;
  private readonly keepsNothing: boolean;

  constructor(private readonly options: BlockGraderOptions) {
    this.keepsNothing = options.keep.id === undefined && options.keep.input === undefined;
  }

  /** True once every row that was asked for has been graded. */
  get done(): boolean {
    return this.options.selection.exhausted;
  }

  async grade(block: LineBlock): Promise<string> {
    const inFlight: Pending[] = [];
    let out = '';
    for (const lines = new LineCursor(block); !this.done && lines.next();) {
      const pending = this.gradeLine(lines);
      if (pending === undefined) continue;
      if (inFlight.length === 0 && !(pending.score instanceof Promise)) {
        out += this.emit(pending as Settled);
        continue;
      }
      inFlight.push(pending);
      if (inFlight.length >= this.options.concurrency) out += await this.settle(inFlight.shift() as Pending);
    }
    for (const pending of inFlight) out += await this.settle(pending);
    return out;
  }

  /** Grades the line at the cursor; undefined when its row is not selected. */
  private gradeLine({ text, line, problem }: LineCursor): Pending | undefined {
    const { grader, selection, shape } = this.options;
    const number = this.nextRow;
    this.nextRow += 1;
    if (selection.skips(number)) return undefined;
    let row: Row;
    try {
      if (problem !== undefined) throw new GradingError('row_error', problem);
      row = parseRow(text, shape);
    } catch (error) {
      if (!(error instanceof GradingError)) throw error;
      const score = failed(error.code, `line ${line}: ${error.message}`);
      return selection.takesBroken()
        ? { row: number, line, score, extras: this.brokenExtras(text) }
        : undefined;
    }
    if (!selection.takes(row)) return undefined;
    const score = grader.gradeRow(row);
    return { row: number, line, score, extras: this.keepsNothing ? undefined : this.extras(row, text) };
  }

  /** What is not JSON cannot stand in a result line as it is; it is kept as a JSON string. */
  private brokenExtras(text: string): LineExtras | undefined {
    return this.options.keep.input === undefined ? undefined : { input: JSON.stringify(text) };
  }

  private extras(row: Row, text: string): LineExtras {
    const { id, input } = this.options.keep;
    return {
      id: id === undefined ? undefined : (valueText(row, id) ?? 'null'),
      input: input === undefined ? undefined : this.inputText(input, row, text),
    };
  }

  private inputText(input: 'item' | 'sample' | 'all', row: Row, text: string): string {
    if (input === 'all') return text.trim();
    if (input === 'item') return row.sourceText?.('item', []) ?? 'null';
    return jsonSpanText(text, this.options.shape.outputField ?? ['sample']) ?? 'null';
  }

  private async settle(pending: Pending): Promise<string> {
    return this.emit({ ...pending, score: await pending.score });
  }

  private emit({ row, line, score, extras }: Settled): string {
    this.options.onScore(score, row, line);
    return resultLine(row, score, extras);
  }
}

interface Settled extends Pending {
  readonly score: Score;
}
