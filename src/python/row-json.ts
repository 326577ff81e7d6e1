import type { JsonObject, Row, RowJson } from '../contract.js';
import { GradingError } from '../errors.js';
import { isPresent, toJson } from '../json-value.js';

/**
 * Rows as Python receives them, one behind the other: the JSON of `item`, a line feed, the JSON of `sample`, a line feed.
 * Values are as the dataset wrote them: `1.0` stays a float, and a big integer keeps its digits.
 *
 * The sample is an object in which `output_tools` and `choices` are always lists; `output_json` is there where the row
 * has it or its `output_text` is JSON; `output_text` is there unless the row has no sample at all.
 */
export class RowBuffer {
  /** The rows lie in [0, end). */
  bytes: Buffer;
  end = 0;

  /** @param size  what is expected to be enough; more is taken where it is not */
  constructor(private readonly size: number) {
    this.bytes = Buffer.allocUnsafeSlow(Math.min(size, FIRST_BYTES));
  }

  /** Makes it empty; false when it has become so large that it is better given up. */
  clear(): boolean {
    this.end = 0;
    return this.bytes.length <= 2 * this.size;
  }

  /** @throws GradingError for a row that cannot be written as JSON; nothing of it is added */
  add(row: Row): void {
    const json = row.json?.();
    if (json === undefined) this.addText(`${itemJson(row)}\n${sampleJson(row)}\n`);
    else this.copy(json);
  }

  private addText(text: string): void {
    this.reserve(Buffer.byteLength(text));
    this.end += this.bytes.write(text, this.end);
  }

  private copy(json: RowJson): void {
    const { bytes, itemStart, itemEnd, sampleStart, sampleEnd } = json;
    const added = addedFields(json);
    // Quotes, braces and commas are all that comes to these.
    this.reserve(itemEnd - itemStart + sampleEnd - sampleStart + added.length + MARGIN);
    const target = this.bytes;
    bytes.copy(target, this.end, itemStart, itemEnd);
    let at = this.end + itemEnd - itemStart;
    target[at] = LINE_FEED;
    at += 1;
    target.set(added, at);
    at += added.length;
    if (json.sampleKind === 'object') {
      const first = skipSpace(bytes, sampleStart + 1);
      // A comma stands behind what was added, unless the object is empty.
      if (bytes[first] === CLOSE_BRACE && target[at - 1] === COMMA) at -= 1;
      bytes.copy(target, at, first, sampleEnd);
      at += sampleEnd - first;
    } else if (json.sampleKind === 'text') {
      bytes.copy(target, at, sampleStart - 1, sampleEnd + 1);
      at += sampleEnd - sampleStart + 2;
      target[at] = CLOSE_BRACE;
      at += 1;
    }
    target[at] = LINE_FEED;
    this.end = at + 1;
  }

  private reserve(length: number): void {
    if (this.end + length <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.end + length, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.end);
    this.bytes = larger;
  }
}

const LINE_FEED = 0x0a;
const COMMA = 0x2c;
const CLOSE_BRACE = 0x7d;
const SPACE = 0x20;
/** Taken before it is known whether many rows come. */
const FIRST_BYTES = 1 << 14;
/** Quotes, braces and line feeds. */
const MARGIN = 8;

const skipSpace = (bytes: Buffer, start: number): number => {
  let at = start;
  while (bytes[at] <= SPACE) at += 1;
  return at;
};

/** The start of a sample's JSON, with the fields that it lacks. */
const addedFields = (json: RowJson): Uint8Array => {
  const outputJson = json.hasOutputJson ? undefined : outputJsonOf(json);
  const layout = layoutOf(json);
  // Nearly all rows of a dataset lack the same fields.
  return outputJson === undefined ? STARTS[layout] : Buffer.from(sampleStart(layout, outputJson));
};

const NO_TOOLS = 1;
const NO_CHOICES = 2;
const NO_TEXT = 4;
const NO_SAMPLE = 8;
const TEXT_SAMPLE = 9;

const layoutOf = ({ sampleKind, hasOutputTools, hasChoices, hasOutputText }: RowJson): number => {
  if (sampleKind === undefined) return NO_SAMPLE;
  if (sampleKind === 'text') return TEXT_SAMPLE;
  return (hasOutputTools ? 0 : NO_TOOLS) + (hasChoices ? 0 : NO_CHOICES) + (hasOutputText ? 0 : NO_TEXT);
};

const sampleStart = (layout: number, outputJson?: string): string => {
  if (layout === NO_SAMPLE) return '{"output_tools":[],"choices":[]}';
  const added = outputJson === undefined ? '' : `"output_json":${outputJson},`;
  if (layout === TEXT_SAMPLE) return `{"output_tools":[],"choices":[],${added}"output_text":`;
  const tools = (layout & NO_TOOLS) === 0 ? '' : '"output_tools":[],';
  const choices = (layout & NO_CHOICES) === 0 ? '' : '"choices":[],';
  return `{${tools}${choices}${added}${(layout & NO_TEXT) === 0 ? '' : '"output_text":"",'}`;
};

const STARTS = Array.from({ length: TEXT_SAMPLE + 1 }, (_, layout) => Buffer.from(sampleStart(layout)));

const outputJsonOf = (json: RowJson): string | undefined => {
  const { bytes, outputTextStart } = json;
  if (outputTextStart === undefined || STARTS_JSON[bytes[outputTextStart]] === 0) return undefined;
  return jsonIn(json.outputText());
};

/** The first bytes of texts that may be JSON; a backslash may stand for white space. */
const STARTS_JSON = new Uint8Array(256);
for (const character of ' [{"-0123456789tfn\\') STARTS_JSON[character.charCodeAt(0)] = 1;

/** What all texts have in common that are JSON, but for those in brackets and quotes. */
const MAY_BE_JSON = /^[\t\n\r ]*(?:[[{"]|(?:-?\d[\d.eE+-]*|true|false|null)[\t\n\r ]*$)/;

/** Python reads no integer of more digits. */
const TOO_LONG_NUMBER = /\d{4301}/;

/** The text as the JSON that it is, on one line; undefined when it is none. */
const jsonIn = (text: string): string | undefined => {
  if (!MAY_BE_JSON.test(text) || TOO_LONG_NUMBER.test(text)) return undefined;
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  return oneLine(text.trim()).replaceAll(HALF_CHARACTER, escaped);
};

/** UTF-8 cannot hold it, JSON's escapes can. */
const HALF_CHARACTER = /\p{Surrogate}/gu;
const escaped = (half: string): string => `\\u${half.charCodeAt(0).toString(16)}`;

/** Between the tokens of JSON a line feed is a blank like any other, and inside of strings there is none. */
const oneLine = (text: string): string => (text.includes('\n') ? text.replaceAll('\n', ' ') : text);

const itemJson = (row: Row): string => oneLine(row.sourceText?.('item', []) ?? json('item', row.item));

const sampleJson = (row: Row): string => {
  const sample: JsonObject = row.sample ?? {};
  const { output_tools, choices, output_text } = sample;
  const added = new Map<string, string>();
  if (!Array.isArray(output_tools)) added.set('output_tools', '[]');
  if (!Array.isArray(choices)) added.set('choices', '[]');
  const outputJson =
    Object.hasOwn(sample, 'output_json') || typeof output_text !== 'string' ? undefined : jsonIn(output_text);
  if (outputJson !== undefined) added.set('output_json', outputJson);
  if (row.sample !== undefined && typeof output_text !== 'string') added.set('output_text', '""');
  const members = [...added].map(([key, text]) => `"${key}":${text}`);
  return `{${[...members, ...ownMembers(row, sample, added)].join(',')}}`;
};

/** The fields of a sample without those that others stand for, as they are written and in that order where it can be. */
const ownMembers = (row: Row, sample: JsonObject, others: ReadonlyMap<string, string>): readonly string[] => {
  const written = row.sourceText?.('sample', []);
  if (written !== undefined && ![...others.keys()].some((key) => Object.hasOwn(sample, key))) {
    const members = oneLine(written).slice(1, -1).trim();
    return members === '' ? [] : [members];
  }
  return Object.entries(sample)
    .filter(([key, value]) => isPresent(value) && !others.has(key))
    .map(([key, value]) => {
      const text = row.sourceText?.('sample', [key]);
      const isWritten = text !== undefined && isTextOf(text, value);
      return `${JSON.stringify(key)}:${oneLine(isWritten ? text : json(`sample.${key}`, value))}`;
    });
};

/** Whether a text can be the value's: fields of a sample that was put together may hide others of their name. */
const isTextOf = (text: string, value: unknown): boolean => {
  if (typeof value === 'string') return text.startsWith('"');
  if (Array.isArray(value)) return text.startsWith('[');
  return typeof value !== 'object' || value === null || text.startsWith('{');
};

const json = (name: string, value: unknown): string => {
  try {
    return toJson(value);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new GradingError('row_error', `${name} cannot be written as JSON: ${reason}`);
  }
};
