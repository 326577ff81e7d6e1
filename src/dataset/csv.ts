import { isUtf8 } from 'node:buffer';
import { Parser } from 'csv-parse';
import { BlockBuilder } from './block-builder.js';
import { DatasetError } from './error.js';
import { BYTE_ORDER_MARK, MAX_LINE_BYTES, NEWLINE, type Chunk, type LineBlock } from './jsonl.js';
import { rowLayout, type RowLayout } from './table-row.js';

/** What a table of text is like. */
export interface CsvOptions {
  readonly delimiter: ',' | '\t';
  /** The file, for messages. */
  readonly name: string;
  /** A longer record becomes a failed row. */
  readonly maxBytes?: number;
}

/**
 * The records of a CSV or TSV file as rows. The first record names the columns; see `rowLayout` for what they mean.
 *
 * Every cell is a text, whatever it looks like: `007` and `1.0` stay what they are, and an empty cell is an empty text. A
 * quoted cell may hold delimiters, line breaks and doubled quotes (RFC 4180). Lines end in `\n`, `\r\n` or `\r`; empty
 * lines are no rows.
 *
 * A record that cannot be read is a failed row with the line where it starts: too few or too many cells, a quote in a cell
 * that is not quoted, text behind a closing quote, a quote that is never closed, text that is not UTF-8. After a broken
 * quote, reading goes on with the line behind the one where its record starts.
 *
 * @throws DatasetError, from the iteration, when there is a header that cannot be read
 */
export async function* csvBlocks(
  chunks: AsyncIterable<Chunk>,
  options: CsvOptions,
): AsyncGenerator<LineBlock, void, undefined> {
  const reader = new RecordReader(options);
  let position = 0;
  for await (const { memory, start, end } of chunks) {
    reader.add(memory.subarray(position === 0 ? start + skipMark(memory, start, options.name) : start, end));
    position += end - start;
    while (await reader.step(false)) if (reader.rows.isFull) yield reader.rows.take(position);
  }
  while (await reader.step(true)) if (reader.rows.isFull) yield reader.rows.take(position);
  if (!reader.rows.isEmpty) yield reader.rows.take(position);
}

/** How much is parsed before the rows are handed on. */
const PIECE_BYTES = 1 << 14;

/** How long the byte order mark is. */
const skipMark = (memory: Buffer, start: number, name: string): number => {
  const head = memory.subarray(start, start + 3);
  if (head.equals(BYTE_ORDER_MARK)) return 3;
  if (['fffe', 'feff'].includes(head.toString('hex', 0, 2)))
    throw new DatasetError(
      `${name}: the text is UTF-16, expected UTF-8; save it as "CSV UTF-8", or convert it with iconv`,
    );
  return 0;
};

/** A parser that hands over each record's cells, and where the record ends in what it was given. */
const createParser = (
  delimiter: string,
  onRecord: (cells: readonly string[], end: number) => void,
): Parser => {
  const parser = new Parser({
    delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    skip_empty_lines: true,
    on_record: (cells: string[], { bytes }) => {
      onRecord(cells, bytes);
      return undefined;
    },
  });
  // The write that an error happened in tells it.
  parser.on('error', () => {});
  return parser;
};

/**
 * Parses the text, and makes rows of it. The text is kept from the beginning of the record that is being read, to tell its
 * line and to go on behind it when it is broken.
 */
class RecordReader {
  readonly rows = new BlockBuilder();
  private text = Buffer.allocUnsafeSlow(4 * PIECE_BYTES);
  /** Where in `text` the next record starts, how far the parser has read, and where the text ends. */
  private start = 0;
  private parsed = 0;
  private end = 0;
  /** Where in `text` lay what the parser began with. */
  private parserStart = 0;
  private parser: Parser | undefined;
  /** The line of the next record. */
  private line = 1;
  private header: { readonly columns: number; readonly layout: RowLayout | string } | undefined;
  /** Why the next record cannot be read, while the end of its line is looked for. */
  private problem: string | undefined;
  private lineTooLong = false;
  private readonly maxBytes: number;

  constructor(private readonly options: CsvOptions) {
    this.maxBytes = options.maxBytes ?? MAX_LINE_BYTES;
  }

  /** Adds text to what is to be parsed; it is copied. */
  add(bytes: Buffer): void {
    if (this.end + bytes.length > this.text.length) this.makeRoom(bytes.length);
    this.end += bytes.copy(this.text, this.end);
  }

  /**
   * Parses some of the text that was added.
   *
   * @param final  whether there will be no more of it
   * @returns false when there is nothing left to do
   */
  async step(final: boolean): Promise<boolean> {
    if (this.problem !== undefined) return this.skipLine(final);
    if (this.parsed === this.end && (!final || this.parser === undefined)) return false;
    const error = await this.parse();
    if (error instanceof DatasetError) throw error;
    if (error !== undefined) this.problem = describe(error);
    else if (this.parsed - this.start > this.maxBytes) this.problem = TOO_LONG;
    if (this.problem === undefined) return true;
    if (this.header === undefined)
      throw new DatasetError(`${this.options.name}:${this.line}: the header cannot be read: ${this.problem}`);
    this.parser?.destroy();
    this.parser = undefined;
    return true;
  }

  /** Hands the parser its next piece, or the end; returns what is wrong with it. */
  private parse(): Promise<Error | undefined> {
    if (this.parser === undefined) {
      this.parserStart = this.parsed;
      this.parser = createParser(this.options.delimiter, (cells, end) =>
        this.addRecord(cells, this.parserStart + end),
      );
    }
    const { parser, parsed } = this;
    this.parsed = Math.min(this.end, parsed + PIECE_BYTES);
    // A copy: the parser keeps the last bytes, and the text is moved.
    const piece = Buffer.from(this.text.subarray(parsed, this.parsed));
    return new Promise((resolve) => {
      const done = (error?: Error | null) => resolve(error ?? undefined);
      if (piece.length > 0) parser.write(piece, done);
      else {
        this.parser = undefined;
        parser.end(done);
      }
    });
  }

  private addRecord(cells: readonly string[], end: number): void {
    this.skipEmptyLines(end);
    const record = this.text.subarray(this.start, end);
    const { line } = this;
    this.start = end;
    this.line += countBreaks(record);
    const valid = isUtf8(record);
    if (this.header === undefined) {
      if (!valid) throw new DatasetError(`${this.options.name}:${line}: the header is not valid UTF-8`);
      this.header = { columns: cells.length, layout: rowLayout(cells) };
      return;
    }
    const { columns, layout } = this.header;
    if (!valid) this.rows.addRow(JSON.stringify(cells), line, 'not valid UTF-8');
    else if (typeof layout === 'string') this.rows.addRow(JSON.stringify(cells), line, layout);
    else if (cells.length === columns) this.rows.addRow(rowJson(layout, cells), line);
    else this.rows.addRow(JSON.stringify(cells), line, describeCount(cells.length, columns));
  }

  /** Makes the line where the broken record starts a failed row, and goes on with the next. */
  private skipLine(final: boolean): boolean {
    this.skipEmptyLines(this.end);
    const lineEnd = findBreak(this.text, this.start, this.end, final);
    if (lineEnd === undefined && !final) {
      if (this.end - this.start > this.maxBytes) {
        // Only its end is still of interest.
        this.lineTooLong = true;
        this.start = this.end - 1;
      }
      return false;
    }
    const next = lineEnd ?? this.end;
    const line = this.lineTooLong ? '' : this.text.toString('utf8', this.start, next).replace(/[\r\n]+$/, '');
    this.rows.addRow(this.lineTooLong ? 'null' : JSON.stringify(line), this.line, this.problem);
    this.line += 1;
    this.start = this.parsed = next;
    this.problem = undefined;
    this.lineTooLong = false;
    return true;
  }

  private skipEmptyLines(end: number): void {
    let at = this.start;
    while (at < end && (this.text[at] === NEWLINE || this.text[at] === RETURN)) at += 1;
    this.line += countBreaks(this.text.subarray(this.start, at));
    this.start = at;
  }

  /** Makes room for more text, and forgets the records that have been read. */
  private makeRoom(bytes: number): void {
    const { text, start } = this;
    const kept = this.end - start;
    if (kept + bytes > text.length / 2) this.text = Buffer.allocUnsafeSlow(2 * (kept + bytes));
    text.copy(this.text, 0, start, this.end);
    this.end = kept;
    this.start = 0;
    this.parsed -= start;
    this.parserStart -= start;
  }
}

const RETURN = 0x0d;
const TOO_LONG = 'the record is too long to be a row; is a quote not closed?';

/** How many lines end in the bytes. */
const countBreaks = (bytes: Buffer): number => {
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === NEWLINE || (byte === RETURN && bytes[at + 1] !== NEWLINE)) count += 1;
  }
  return count;
};

/** Where the line ends, behind its line break. */
const findBreak = (text: Buffer, start: number, end: number, final: boolean): number | undefined => {
  for (let at = start; at < end; at += 1) {
    if (text[at] === NEWLINE) return at + 1;
    if (text[at] !== RETURN) continue;
    // A line feed may still come.
    if (at + 1 === end) return final ? end : undefined;
    return text[at + 1] === NEWLINE ? at + 2 : at + 1;
  }
  return undefined;
};

const rowJson = ({ cells, after }: RowLayout, values: readonly string[]): string => {
  let json = '';
  for (const { before, column } of cells) json += before + JSON.stringify(values[column]);
  return json + after;
};

const describeCount = (cells: number, columns: number): string =>
  `${cells} ${cells === 1 ? 'cell' : 'cells'}, the header has ${columns}`;

const describe = (error: Error & { code?: string; column?: unknown }): string => {
  const cell = typeof error.column === 'number' ? `cell ${error.column + 1}` : 'a cell';
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return `the quote that opens ${cell} is never closed`;
    case 'CSV_INVALID_CLOSING_QUOTE':
      return `there is text behind the closing quote of ${cell}; a quote inside a quoted cell is written twice`;
    case 'INVALID_OPENING_QUOTE':
      return `${cell} has a quote inside, and is not quoted; quote it, and write the quote inside twice`;
    default:
      return error.message;
  }
};
