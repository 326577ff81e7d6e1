import type { JsonObject, Row } from '../contract.js';
import type { LineCursor } from '../dataset/jsonl.js';
import { parseRows, SampleRows, type RowShape } from '../dataset/row.js';
import { rangeOf, RowScanner, type ByteRange } from '../dataset/row-scanner.js';
import { candidateOf, messagesIn, PROMPT_FIELDS, valueOf } from '../dataset/row-text.js';
import { GradingError, type PathSegment } from '../errors.js';
import { arrayIndex, toJson } from '../json-value.js';
import type { GroupNames } from '../run/group-names.js';
import { variableAt } from '../run/select.js';
import { failed, type Failed } from '../score.js';
import { jsonSpanText } from '../span.js';
import { membersWithout } from './json-text.js';
import { LastBytes } from './last-bytes.js';

/**
 * The parts of a row that training files are made of, as the JSON texts that the dataset has. Valid until the next row is
 * read.
 */
export interface RowParts {
  /** For names of groups. */
  readonly row: Row;
  /** The number of the field with the prompt, a text or a list of messages; -1 where there is none. */
  findPrompt(): number;
  /** Whether a prompt that was found is a text. */
  isText(field: number): boolean;
  /** JSON text of a prompt that was found. */
  promptJson(field: number): string;
  /** The same as bytes. */
  promptBytes(field: number): ByteRange;
  /** The messages of a prompt that was found. */
  messages(field: number): readonly JsonObject[];
  /** What the answer says, in UTF-8; undefined for a sample without a text. */
  answerBytes(): ByteRange | undefined;
  /** JSON text of the answer. */
  answerJson(): string | undefined;
  /** JSON text of the sample's `output_tools`; undefined where it has none. */
  callsJson(): string | undefined;
  /** JSON text of the item's `tools`; undefined where it has none. */
  toolsJson(): string | undefined;
  /** JSON text of the item's `parallel_tool_calls`. */
  parallelJson(): string | undefined;
  /** JSON texts of the item's members, `"key":value`, without its `messages` and what belongs to the sample; with commas. */
  itemMembers(): string;
}

/** Where the parts of rows are. */
export interface RowPartsOptions {
  readonly shape: RowShape;
  /** Where the prompt is; absent: as {@link PROMPT_FIELDS} says. */
  readonly prompt?: readonly PathSegment[];
  readonly group?: GroupNames;
}

/** Reads the parts of rows: most of them without parsing the row. */
export class RowPartsReader {
  private readonly scanner: RowScanner | undefined;
  private readonly scanned: ScannedParts | undefined;
  private scans = false;

  constructor(private readonly options: RowPartsOptions) {
    const marks = marksOf(options);
    if (marks === undefined) return;
    const { group, shape } = options;
    this.scanner = new RowScanner({
      variables: group === undefined ? [] : [group.variable],
      missingSample: shape.missingSample,
      marks: marks.paths,
    });
    this.scanned = new ScannedParts(this.scanner, marks, shape.outputField);
  }

  /** Memory to read a block into; undefined when any will do. */
  get takeMemory(): ((bytes: number) => Buffer) | undefined {
    const { scanner } = this;
    return scanner && ((bytes) => scanner.memory(bytes));
  }

  /** Goes on with the lines of a block, at which the cursor is. */
  open(bytes: Buffer, lines: LineCursor): void {
    this.scans = this.scanner !== undefined && lines.valid;
    if (this.scans) this.scanner?.open(bytes, lines.ascii);
  }

  /** The parts of the row at the cursor, of each of its samples, or why it cannot be read. */
  read(lines: LineCursor): RowParts | SampleParts | Failed {
    if (lines.problem !== undefined) return failed('row_error', lines.problem);
    const row = this.scans ? this.scanner?.scan(lines.start, lines.end) : undefined;
    return row !== undefined && this.scanned?.open(row) === true
      ? this.scanned
      : parsedParts(lines.text, this.options);
  }
}

/** The parts of a row with several samples. */
export interface SampleParts {
  readonly count: number;
  part(sample: number): RowParts | Failed;
}

// Rows that were scanned

interface Marks {
  readonly paths: readonly (readonly string[])[];
  /** The numbers of the marks of the prompt's fields, for rows with an `item` and without. */
  readonly wrapped: ItemMarks;
  readonly flat: ItemMarks;
  /** The field of an output that is neither of the sample. */
  readonly output: number | undefined;
  /** A path of the user's own: a row that has nothing there is looked at once more. */
  readonly isOwnPrompt: boolean;
}

interface ItemMarks {
  readonly item: number;
  readonly prompts: readonly number[];
  readonly tools: number;
  readonly parallel: number;
}

const SAMPLE = 0;
const OUTPUT_TEXT = 1;
const OUTPUT_TOOLS = 2;
const SAMPLE_MARKS = [['sample'], ['sample', 'output_text'], ['sample', 'output_tools']];

/** Undefined when a path goes through a list or has a key that cannot be scanned for. */
const marksOf = ({ prompt, shape: { outputField } }: RowPartsOptions): Marks | undefined => {
  if (![...(prompt ?? []), ...(outputField ?? [])].every(isScannable)) return undefined;
  const paths: (readonly string[])[] = [...SAMPLE_MARKS];
  const mark = (path: readonly PathSegment[]): number => paths.push(path.map(String)) - 1;
  const variable = prompt && variableAt(prompt);
  const marksIn = (item: readonly string[]): ItemMarks => ({
    item: mark(item),
    prompts:
      variable === undefined
        ? PROMPT_FIELDS.map((field) => mark([...item, field]))
        : [mark([...(variable.namespace === 'item' ? item : ['sample']), ...variable.path])],
    tools: mark([...item, 'tools']),
    parallel: mark([...item, 'parallel_tool_calls']),
  });
  return {
    paths,
    wrapped: marksIn(['item']),
    flat: marksIn([]),
    output: outputField && mark(outputField),
    isOwnPrompt: prompt !== undefined,
  };
};

/** What the scanner finds as a lookup would: no index of a list, and nothing that UTF-8 has not. */
const isScannable = (segment: PathSegment): boolean =>
  arrayIndex(segment) === undefined && Buffer.from(String(segment)).toString() === segment;

class ScannedParts implements RowParts {
  row: Row = NO_ROW;
  private item: ItemMarks;
  private answer: number | undefined;
  private calls: string | undefined;
  /** The list that was looked at last, and the messages in it: samples of an item follow each other. */
  private readonly list = new LastBytes();
  private listed: readonly JsonObject[] | undefined;

  constructor(
    private readonly scanner: RowScanner,
    private readonly marks: Marks,
    private readonly outputField: RowShape['outputField'],
  ) {
    this.item = marks.flat;
  }

  /** Goes to the row that was scanned last; false when it has to be parsed after all. */
  open(row: Row): boolean {
    const { scanner, marks } = this;
    this.row = row;
    const { wrapped, flat, output, isOwnPrompt } = marks;
    const isFlat = output !== undefined || scanner.markKind(wrapped.item) !== 'object';
    this.item = isFlat ? flat : wrapped;
    this.calls = undefined;
    if (isOwnPrompt && scanner.markKind(this.item.prompts[0]) === 'absent') return false;
    if (output !== undefined) return this.openAnswer(output);
    switch (scanner.markKind(SAMPLE)) {
      case 'absent':
        this.answer = undefined;
        return true;
      case 'text':
        return this.openAnswer(SAMPLE);
      case 'object':
        this.calls = scanner.markJson(OUTPUT_TOOLS);
        this.openAnswer(OUTPUT_TEXT);
        return true;
      default:
        return false;
    }
  }

  /** Whether there is a text at the mark. */
  private openAnswer(mark: number): boolean {
    const isText = this.scanner.markKind(mark) === 'text';
    this.answer = isText ? mark : undefined;
    return isText;
  }

  findPrompt(): number {
    const { scanner, item } = this;
    return item.prompts.findIndex((mark) => {
      const kind = scanner.markKind(mark);
      return kind === 'text' || (kind === 'list' && this.messagesIn(mark) !== undefined);
    });
  }

  private messagesIn(mark: number): readonly JsonObject[] | undefined {
    const { scanner, list } = this;
    if (!list.isAgain(scanner.markBytes(mark))) this.listed = messagesIn(JSON.parse(list.text));
    return this.listed;
  }

  messages(field: number): readonly JsonObject[] {
    return this.isText(field)
      ? messagesOfText(JSON.parse(this.promptJson(field)) as string)
      : (this.messagesIn(this.item.prompts[field]) ?? []);
  }

  isText(field: number): boolean {
    return this.scanner.markKind(this.item.prompts[field]) === 'text';
  }

  promptBytes(field: number): ByteRange {
    return this.scanner.markBytes(this.item.prompts[field]);
  }

  promptJson(field: number): string {
    return this.scanner.markJson(this.item.prompts[field]) ?? '""';
  }

  answerBytes(): ByteRange | undefined {
    return this.answer === undefined ? undefined : this.scanner.markText(this.answer);
  }

  answerJson(): string | undefined {
    return this.answer === undefined ? undefined : this.scanner.markJson(this.answer);
  }

  callsJson(): string | undefined {
    return present(this.calls);
  }

  toolsJson(): string | undefined {
    return present(this.scanner.markJson(this.item.tools));
  }

  parallelJson(): string | undefined {
    return present(this.scanner.markJson(this.item.parallel));
  }

  itemMembers(): string {
    const { scanner, item, marks, outputField } = this;
    const json = scanner.markJson(item.item) ?? '{}';
    const left = ['messages', ...(item === marks.flat ? sampleKeys(outputField) : [])];
    const hasNone = left.every((key) => !json.includes(`"${key}"`));
    return hasNone ? json.slice(1, -1).trim() : membersWithout(json, left);
  }
}

const NO_ROW: Row = { item: {} };

const messagesOfText = (content: string): readonly JsonObject[] => [{ role: 'user', content }];

/** What stands for nothing in a dataset. */
const present = (json: string | undefined): string | undefined =>
  json === 'null' || json === '[]' ? undefined : json;

/** The keys of a flat row that are no fields of its item. */
const sampleKeys = (outputField: RowShape['outputField']): readonly string[] =>
  outputField === undefined
    ? ['sample', 'samples']
    : outputField.length === 1
      ? [String(outputField[0])]
      : [];

// Rows that were parsed

const parsedParts = (text: string, options: RowPartsOptions): RowParts | SampleParts | Failed => {
  const { shape } = options;
  const rows = orFailed(() => parseRows(text, shape));
  if ('status' in rows) return rows;
  if (!(rows instanceof SampleRows)) return new ParsedParts(rows, text, options);
  return {
    count: rows.count,
    part: (sample) => {
      const row = orFailed(() => rows.row(sample));
      return 'status' in row ? row : new ParsedParts(row, text, options);
    },
  };
};

const orFailed = <Read>(read: () => Read): Read | Failed => {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof GradingError)) throw error;
    return failed(error.code, error.message);
  }
};

class ParsedParts implements RowParts {
  private readonly paths: readonly (readonly PathSegment[])[];

  constructor(
    readonly row: Row,
    /** Of its line. */
    private readonly text: string,
    private readonly options: RowPartsOptions,
  ) {
    const { prompt } = options;
    this.paths = prompt === undefined ? FIELD_PATHS : [prompt];
  }

  findPrompt(): number {
    return this.paths.findIndex((path) => {
      const value = valueOf(this.row, path);
      return typeof value === 'string' || messagesIn(value) !== undefined;
    });
  }

  isText(field: number): boolean {
    return typeof valueOf(this.row, this.paths[field]) === 'string';
  }

  promptBytes(field: number): ByteRange {
    return rangeOf(Buffer.from(this.promptJson(field)));
  }

  messages(field: number): readonly JsonObject[] {
    const value = valueOf(this.row, this.paths[field]);
    return typeof value === 'string' ? messagesOfText(value) : (messagesIn(value) ?? []);
  }

  promptJson(field: number): string {
    return jsonOf(this.row, this.paths[field]) ?? '""';
  }

  answerBytes(): ByteRange | undefined {
    const text = candidateOf(this.row);
    return text === undefined ? undefined : rangeOf(Buffer.from(text));
  }

  answerJson(): string | undefined {
    const text = candidateOf(this.row);
    return text === undefined ? undefined : JSON.stringify(text);
  }

  callsJson(): string | undefined {
    return present(jsonOf(this.row, ['sample', 'output_tools']));
  }

  toolsJson(): string | undefined {
    return present(jsonOf(this.row, ['item', 'tools']));
  }

  parallelJson(): string | undefined {
    return present(jsonOf(this.row, ['item', 'parallel_tool_calls']));
  }

  itemMembers(): string {
    const { text, options } = this;
    const { outputField } = options.shape;
    const item = outputField === undefined ? jsonSpanText(text, ['item']) : undefined;
    if (item?.startsWith('{') === true) return membersWithout(item, ['messages']);
    return membersWithout(text, ['messages', ...sampleKeys(outputField)]);
  }
}

const FIELD_PATHS = PROMPT_FIELDS.map((field) => ['item', field]);

/** JSON text of a value as the dataset has it; undefined where there is none. */
const jsonOf = (row: Row, path: readonly PathSegment[]): string | undefined => {
  const value = valueOf(row, path);
  if (value === undefined) return undefined;
  const { namespace, path: rest } = variableAt(path);
  return row.sourceText?.(namespace, rest) ?? toJson(value);
};
