import type { JsonObject, Row } from '../contract.js';
import { RowScanner, type ByteRange } from '../dataset/row-scanner.js';
import { messagesIn, PROMPT_FIELDS } from '../dataset/row-text.js';
import type { PathSegment } from '../errors.js';
import { arrayIndex } from '../json-value.js';
import { variableAt } from '../run/select.js';
import type { Failed } from '../score.js';
import { membersWithout } from './json-text.js';
import { LastBytes } from './last-bytes.js';
import {
  messagesOfText,
  present,
  sampleKeys,
  type RowParts,
  type RowPartsOptions,
  type SampleParts,
} from './row-parts.js';

/** Marks of an item, or of a row that is one. */
interface ItemMarks {
  readonly item: number;
  readonly prompts: readonly number[];
  readonly tools: number;
  readonly parallel: number;
}

/** Marks of a sample. */
interface SampleMarks {
  readonly sample: number;
  readonly text: number;
  readonly tools: number;
  /** What only dumps of other APIs have. */
  readonly output: number;
  readonly choices: number;
}

interface Marks {
  readonly paths: readonly (readonly string[])[];
  /** Of rows with an `item`, and of others. */
  readonly wrapped: ItemMarks;
  readonly flat: ItemMarks;
  readonly sample: SampleMarks;
  readonly samples: number;
  /** The field with the answer, where it is not in a sample. */
  readonly output: number | undefined;
}

/** Paths get the numbers of their marks. */
class MarkList {
  readonly paths: (readonly string[])[] = [];

  add(path: readonly PathSegment[]): number {
    return this.paths.push(path.map(String)) - 1;
  }

  addSample(path: readonly string[]): SampleMarks {
    return {
      sample: this.add(path),
      text: this.add([...path, 'output_text']),
      tools: this.add([...path, 'output_tools']),
      output: this.add([...path, 'output']),
      choices: this.add([...path, 'choices']),
    };
  }

  addItem(path: readonly string[], prompts: readonly (readonly PathSegment[])[]): ItemMarks {
    return {
      item: this.add(path),
      prompts: prompts.map((prompt) => this.add([...path, ...prompt])),
      tools: this.add([...path, 'tools']),
      parallel: this.add([...path, 'parallel_tool_calls']),
    };
  }
}

/** Undefined when a path is one that cannot be scanned for. */
const marksOf = ({ prompt, shape: { outputField } }: RowPartsOptions): Marks | undefined => {
  const variable = prompt && variableAt(prompt);
  if (variable?.namespace === 'sample') return undefined;
  if (![...(prompt ?? []), ...(outputField ?? [])].every(isScannable)) return undefined;
  const prompts = variable === undefined ? PROMPT_FIELDS.map((field) => [field]) : [variable.path];
  const marks = new MarkList();
  return {
    paths: marks.paths,
    wrapped: marks.addItem(['item'], prompts),
    flat: marks.addItem([], prompts),
    sample: marks.addSample(['sample']),
    samples: marks.add(['samples']),
    output: outputField && marks.add(outputField),
  };
};

/** What the scanner finds as a lookup would: no index of a list, and nothing that UTF-8 has not. */
const isScannable = (segment: PathSegment): boolean =>
  arrayIndex(segment) === undefined && Buffer.from(String(segment)).toString() === segment;

/** Finds the parts of rows without parsing them. */
export class PartsScanner {
  private readonly scanner: RowScanner;
  private readonly parts: ScannedParts;

  private constructor(
    private readonly options: RowPartsOptions,
    marks: Marks,
  ) {
    const { group, shape } = options;
    this.scanner = new RowScanner({
      variables: group === undefined ? [] : [group.variable],
      missingSample: shape.missingSample,
      marks: marks.paths,
    });
    this.parts = new ScannedParts(this.scanner, marks, options);
  }

  /** Undefined where rows have to be parsed, for what is looked for in them. */
  static for(options: RowPartsOptions): PartsScanner | undefined {
    const marks = marksOf(options);
    return marks && new PartsScanner(options, marks);
  }

  /** Memory to read a block into. */
  readonly memory = (bytes: number): Buffer => this.scanner.memory(bytes);

  /** Goes on with the rows of a block of valid UTF-8. */
  open(block: Buffer, ascii: boolean): void {
    this.scanner.open(block, ascii);
    this.parts.ascii = ascii;
  }

  /**
   * The parts of the row at [start, end) of the block, or those of its samples; undefined when it has to be parsed.
   *
   * @param parse  parses the row, for samples that are not as usual
   */
  scan(
    start: number,
    end: number,
    parse: () => RowParts | SampleParts | Failed,
  ): RowParts | SampleParts | undefined {
    const { scanner, parts, options } = this;
    if (options.group === undefined)
      return scanner.scanMarks(start, end) ? parts.open(NO_ROW, parse) : undefined;
    const row = scanner.scan(start, end);
    return row && parts.open(row, parse);
  }
}

/** Nobody asks for the row where there are no groups to name. */
const NO_ROW: Row = { item: {} };

/** The parts of the row that was scanned last. One object for all rows: they are handed on one by one. */
class ScannedParts implements RowParts {
  row = NO_ROW;
  ascii = true;
  private item: ItemMarks;
  /** What has scanned the sample, and where the answer is in it. */
  private sampleScanner: RowScanner;
  private answer: number | undefined;
  private calls: string | undefined;
  private readonly samples = new SampleList();
  /** The list that was looked at last, and the messages in it: samples of an item follow each other. */
  private readonly list = new LastBytes();
  private listed: readonly JsonObject[] | undefined;

  constructor(
    private readonly scanner: RowScanner,
    private readonly marks: Marks,
    private readonly options: RowPartsOptions,
  ) {
    this.item = marks.flat;
    this.sampleScanner = scanner;
  }

  /** Goes to the row that was scanned last; undefined when it has to be parsed after all. */
  open(row: Row, parse: () => RowParts | SampleParts | Failed): RowParts | SampleParts | undefined {
    const { scanner, marks, options } = this;
    const { wrapped, flat, output } = marks;
    this.row = row;
    const isFlat = output !== undefined || scanner.markKind(wrapped.item) !== 'object';
    this.item = isFlat ? flat : wrapped;
    this.sampleScanner = scanner;
    this.calls = undefined;
    // A path of the user's own may mean what only a lookup finds.
    if (options.prompt !== undefined && scanner.markKind(this.item.prompts[0]) === 'absent') return undefined;
    if (output !== undefined) return this.openText(output) ? this : undefined;
    if (scanner.markKind(marks.samples) !== 'absent') return this.openSamples(parse);
    return this.openSample(scanner, marks.sample) ? this : undefined;
  }

  /** Whether the sample is one that can be read as it is. */
  private openSample(scanner: RowScanner, marks: SampleMarks): boolean {
    this.sampleScanner = scanner;
    this.calls = undefined;
    switch (scanner.markKind(marks.sample)) {
      case 'absent':
        this.answer = undefined;
        return this.options.shape.missingSample !== 'empty';
      case 'text':
        return this.openText(marks.sample);
      case 'object':
        this.calls = present(scanner.markJson(marks.tools));
        return (
          scanner.markKind(marks.output) === 'absent' &&
          (this.openText(marks.text) || scanner.markKind(marks.choices) === 'absent')
        );
      default:
        return false;
    }
  }

  /** Whether there is a text at the mark. */
  private openText(mark: number): boolean {
    const isText = this.sampleScanner.markKind(mark) === 'text';
    this.answer = isText ? mark : undefined;
    return isText;
  }

  private openSamples(parse: () => RowParts | SampleParts | Failed): SampleParts | undefined {
    const { scanner, marks, samples } = this;
    const isUsual =
      scanner.markKind(marks.samples) === 'list' && scanner.markKind(marks.sample.sample) === 'absent';
    if (!isUsual) return undefined;
    samples.open(scanner.markBytes(marks.samples), this.ascii);
    const { count } = samples;
    if (count === 0) return undefined;
    let parsed: RowParts | SampleParts | Failed | undefined;
    return {
      count,
      part: (sample) => {
        if (samples.scan(sample) && this.openSample(samples.scanner, samples.marks)) return this;
        parsed ??= parse();
        return 'part' in parsed ? parsed.part(sample) : parsed;
      },
    };
  }

  findPrompt(): number {
    const { scanner, item } = this;
    return item.prompts.findIndex((mark) => {
      const kind = scanner.markKind(mark);
      return kind === 'text' || (kind === 'list' && this.messagesAt(mark) !== undefined);
    });
  }

  private messagesAt(mark: number): readonly JsonObject[] | undefined {
    const { scanner, list } = this;
    if (!list.isAgain(scanner.markBytes(mark))) this.listed = messagesIn(JSON.parse(list.text));
    return this.listed;
  }

  messages(field: number): readonly JsonObject[] {
    return this.isText(field)
      ? messagesOfText(JSON.parse(this.promptJson(field)) as string)
      : (this.messagesAt(this.item.prompts[field]) ?? []);
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
    return this.answer === undefined ? undefined : this.sampleScanner.markText(this.answer);
  }

  answerJson(): string | undefined {
    return this.answer === undefined ? undefined : this.sampleScanner.markJson(this.answer);
  }

  callsJson(): string | undefined {
    return this.calls;
  }

  toolsJson(): string | undefined {
    return present(this.scanner.markJson(this.item.tools));
  }

  parallelJson(): string | undefined {
    return present(this.scanner.markJson(this.item.parallel));
  }

  itemMembers(): string {
    const { scanner, item, marks, options } = this;
    const json = scanner.markJson(item.item) ?? '{}';
    const left = ['messages', ...(item === marks.flat ? sampleKeys(options.shape) : [])];
    const hasNone = left.every((key) => !json.includes(`"${key}"`));
    return hasNone ? json.slice(1, -1).trim() : membersWithout(json, left);
  }
}

const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The samples in the list of a row, which are scanned one by one. */
class SampleList {
  readonly marks: SampleMarks;
  readonly scanner: RowScanner;
  /** Where each element starts in the list, and behind the last one. */
  private starts: number[] = [];

  constructor() {
    const list = new MarkList();
    this.marks = list.addSample([]);
    this.scanner = new RowScanner({ variables: [], marks: list.paths });
  }

  /** How many there are. */
  get count(): number {
    return this.starts.length - 1;
  }

  /** @param list  valid JSON */
  open({ view, start, end }: ByteRange, ascii: boolean): void {
    const list = Buffer.from(view.buffer, start, end - start);
    this.scanner.open(list, ascii);
    // One character for each byte, whatever the text is.
    this.starts = startsIn(list.toString('latin1'));
  }

  /** Whether an element could be scanned. */
  scan(element: number): boolean {
    return this.scanner.scanMarks(this.starts[element], this.starts[element + 1] - 1);
  }
}

/** Behind the bracket or comma in front of each element of a list, and behind the bracket that closes it. */
const startsIn = (list: string): number[] => {
  const starts = [1];
  let depth = 0;
  let isEmpty = true;
  for (let at = 1; at < list.length - 1; at += 1) {
    const code = list.charCodeAt(at);
    if (code <= SPACE) continue;
    isEmpty = false;
    if (code === QUOTE) at = endOfText(list, at);
    else if (code === COMMA && depth === 0) starts.push(at + 1);
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth += 1;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth -= 1;
  }
  if (!isEmpty) starts.push(list.length);
  return starts;
};

/** Where the last quote of a text is. */
const endOfText = (list: string, quote: number): number => {
  let at = list.indexOf('"', quote + 1);
  while (isEscaped(list, at)) at = list.indexOf('"', at + 1);
  return at;
};

/** An odd number of backslashes before a quote escapes it. */
const isEscaped = (list: string, quote: number): boolean => {
  let backslash = quote - 1;
  while (list.charCodeAt(backslash) === BACKSLASH) backslash -= 1;
  return (quote - 1 - backslash) % 2 === 1;
};
