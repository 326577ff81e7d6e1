import type { JsonObject, Namespace, Row } from '../contract.js';
import { formatPath, GradingError, type PathSegment } from '../errors.js';
import { childOf, isObject } from '../json-value.js';
import { JsonScanner } from '../json-scanner.js';
import { failed, type Failed } from '../score.js';
import { jsonSpanText } from '../span.js';
import { EMPTY_SAMPLE } from '../template.js';
import { textOfContent } from './row-text.js';
import { SamplesText, SampleText } from './samples-text.js';

/** How dataset rows become `{ item, sample }`. */
export interface RowShape {
  /** The whole row is `item`, and the value at this path is `sample.output_text`. */
  readonly outputField?: readonly PathSegment[];
  /** What `sample.*` is in a row without a sample: a failure (the default), or empty text. */
  readonly missingSample?: 'fail' | 'empty';
  /** Receives what should be said once a run, such as samples with several choices. */
  readonly note?: (note: RowNote) => void;
}

/** Something about a row that does not stop it from being graded. */
export type RowNote = 'several_choices' | 'structured_output' | 'empty_sample' | 'no_group';

/** A row whose values remember how the dataset wrote them. */
class SourceRow implements Row {
  constructor(
    readonly item: JsonObject,
    readonly sample: JsonObject | undefined,
    /** The row's JSON text, or what gives it. */
    private readonly source: string | { readonly text: string },
    private readonly itemPath: readonly PathSegment[],
    /** Where a variable of the sample lies in the text; undefined when it was put together here. */
    private readonly locateSample: (path: readonly PathSegment[]) => readonly PathSegment[] | undefined,
    readonly index: number | undefined,
  ) {}

  sourceText(namespace: Namespace, path: readonly PathSegment[]): string | undefined {
    const located = namespace === 'item' ? [...this.itemPath, ...path] : this.locateSample(path);
    if (located === undefined) return undefined;
    const { source } = this;
    return jsonSpanText(typeof source === 'string' ? source : source.text, located);
  }
}

/**
 * Reads one row of a dataset from its JSON text.
 *
 * @param index  its number in the dataset
 * @throws GradingError with code `row_error` when the text is not JSON or has none of the accepted shapes, or stands for
 *   several rows
 */
export const parseRow = (text: string, shape: RowShape = {}, index?: number): Row => {
  const row = parseRows(text, shape, index);
  if (row instanceof SampleRows) throw new GradingError('row_error', ONE_AT_A_TIME);
  return row;
};

/** As {@link parseRow}, also for a row with `samples`, which stands for several. */
export const parseRows = (text: string, shape: RowShape = {}, index?: number): Row | SampleRows => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new GradingError('row_error', describeMistake(text));
  }
  const samples = samplesOf(value, shape);
  return samples === undefined
    ? shapeRow(value, shape, text, index)
    : new SampleRows(value as JsonObject, samples, shape, text, index);
};

const ONE_AT_A_TIME = 'the row has "samples", and only one can be graded here; give each as "sample"';

/** The list of a row with several samples; undefined for any other row. */
const samplesOf = (value: unknown, { outputField }: RowShape): readonly unknown[] | undefined => {
  if (!isObject(value) || outputField !== undefined) return undefined;
  const { samples, sample } = value;
  if (samples === undefined || samples === null) return undefined;
  if (!Array.isArray(samples)) {
    // A flat row may have a column of that name.
    if (!isObject(value.item)) return undefined;
    throw new GradingError('row_error', `"samples" is ${describe(samples)}, expected a list`);
  }
  if (sample !== undefined && sample !== null)
    throw new GradingError('row_error', 'the row has both "sample" and "samples", expected one of them');
  if (samples.length === 0)
    throw new GradingError('row_error', '"samples" is empty, expected at least one sample');
  return samples;
};

/**
 * The rows that a row with `samples` stands for: one for each, as if it had `sample` in their place. What does not depend
 * on the sample is read once.
 */
export class SampleRows {
  private readonly source: SamplesText;
  private readonly item: JsonObject | undefined;
  /** A flat row without its samples. */
  private readonly rest: JsonObject;

  constructor(
    row: JsonObject,
    private readonly samples: readonly unknown[],
    private readonly shape: RowShape,
    text: string,
    private readonly index: number | undefined,
  ) {
    const { samples: _samples, ...rest } = row;
    this.source = new SamplesText(text);
    this.item = isObject(row.item) ? row.item : undefined;
    this.rest = rest;
  }

  get count(): number {
    return this.samples.length;
  }

  /** @throws GradingError with code `row_error` for a sample that is none */
  row(number: number): Row {
    const sample = this.samples[number];
    if (!isSample(sample))
      throw new GradingError(
        'row_error',
        `"samples"[${number}] is ${describe(sample)}, expected a text or an object`,
      );
    const { item, index } = this;
    const shaped = sampleOf(sample, true, this.shape);
    return new SourceRow(
      item ?? { ...this.rest, sample },
      shaped.sample,
      new SampleText(this.source, number),
      item === undefined ? ROOT : IN_ITEM,
      shaped.locate,
      index,
    );
  }

  /** Whether a row meets a condition; samples that are none do not. */
  some(condition: (row: Row) => boolean): boolean {
    return this.samples.some((sample, number) => isSample(sample) && condition(this.row(number)));
  }

  /** JSON text of the row of a sample. */
  text(number: number): string {
    return this.source.rowText(number);
  }
}

/** In our own words: those of JSON.parse differ between versions of Node, and results must not. */
const describeMistake = (text: string): string => {
  const { mistake } = new JsonScanner(text, false).scan();
  const place = mistake === undefined ? '' : ` at column ${mistake.at + 1}: ${mistake.message}`;
  const isArray = text.trimStart().startsWith('[')
    ? '; a dataset holds one JSON object a line, not an array'
    : '';
  return `not valid JSON${place}${isArray}`;
};

/** As `parseRow`, for a value that has been parsed already; a wrong shape is a failed score. */
export const toRow = (value: unknown, shape: RowShape = {}): Row | Failed => {
  try {
    if (samplesOf(value, shape) !== undefined) return failed('row_error', ONE_AT_A_TIME);
    return shapeRow(value, shape, undefined);
  } catch (error) {
    if (error instanceof GradingError) return failed(error.code, error.message);
    // A getter of the caller's own object.
    return failed(
      'row_error',
      `the row cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
};

/**
 * The accepted shapes: `{ item, sample }` as in an eval's file; a flat object, which is the item itself (training rows
 * with `messages`, plain tables), with an optional `sample`; a flat object whose output lies at `outputField`. Rows with
 * `samples` are {@link SampleRows}.
 */
const shapeRow = (value: unknown, shape: RowShape, text: string | undefined, index?: number): Row => {
  const { outputField, note } = shape;
  if (!isObject(value)) throw new GradingError('row_error', `expected a JSON object, got ${describe(value)}`);
  if (outputField !== undefined) {
    const sample = { output_text: outputText(value, outputField, text, note) };
    return text === undefined
      ? { item: value, sample }
      : new SourceRow(value, sample, text, [], nowhere, index);
  }
  const wrapped = isObject(value.item);
  const item = wrapped ? (value.item as JsonObject) : value;
  const { sample, locate } = sampleOf(value.sample, wrapped, shape);
  return text === undefined
    ? { item, sample }
    : new SourceRow(item, sample, text, wrapped ? IN_ITEM : ROOT, locate, index);
};

const ROOT: readonly PathSegment[] = [];
const IN_ITEM: readonly PathSegment[] = ['item'];

const describe = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return isObject(value) ? 'an object' : `a ${typeof value}`;
};

const SHOWN_KEYS = 10;
const SHOWN_LENGTH = 200;

/** The first keys of an object, in a length that a message can have. */
const shown = (keys: readonly string[]): string => {
  const text = keys.slice(0, SHOWN_KEYS).join(', ') || 'nothing';
  return text.length > SHOWN_LENGTH || keys.length > SHOWN_KEYS ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
};

const outputText = (
  row: JsonObject,
  path: readonly PathSegment[],
  text: string | undefined,
  note: RowShape['note'],
): string => {
  let value: unknown = row;
  for (const segment of path) {
    const child = childOf(value, segment);
    if (child === undefined) {
      const there = isObject(value) ? shown(Object.keys(value)) : describe(value);
      throw new GradingError(
        'row_error',
        `the output field ${formatPath(path)} is missing; there is ${there}`,
      );
    }
    value = child;
  }
  if (typeof value === 'string') return value;
  if (value === null) throw new GradingError('row_error', `the output field ${formatPath(path)} is null`);
  note?.('structured_output');
  return (text === undefined ? undefined : jsonSpanText(text, path)) ?? JSON.stringify(value);
};

/** Where the model gave nothing there is null. */
const isSample = (value: unknown): boolean => value === null || typeof value === 'string' || isObject(value);

interface ShapedSample {
  readonly sample: JsonObject | undefined;
  readonly locate: (path: readonly PathSegment[]) => readonly PathSegment[] | undefined;
}

const nowhere = (): undefined => undefined;
const inSample = (path: readonly PathSegment[]): readonly PathSegment[] => ['sample', ...path];
const NONE: ShapedSample = { sample: undefined, locate: nowhere };
const EMPTY: ShapedSample = { sample: EMPTY_SAMPLE, locate: nowhere };

const sampleOf = (
  value: unknown,
  wrapped: boolean,
  { missingSample, note }: Pick<RowShape, 'missingSample' | 'note'>,
): ShapedSample => {
  const given = shapeSample(value, wrapped, note);
  if (given !== undefined) return given;
  if (missingSample !== 'empty') return NONE;
  note?.('empty_sample');
  return EMPTY;
};

/** A sample may be the output text, an object with the API's names, or a whole chat.completion or response. */
const shapeSample = (value: unknown, wrapped: boolean, note: RowShape['note']): ShapedSample | undefined => {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return { sample: { output_text: value }, locate: nowhere };
  if (!isObject(value)) {
    // A flat row may have a column of that name.
    if (!wrapped) return undefined;
    throw new GradingError('row_error', `"sample" is ${describe(value)}, expected a text or an object`);
  }
  // An SDK's dump of a response has both: the text is a convenience, the calls are only in the output.
  if (Array.isArray(value.output) && !Object.hasOwn(value, 'output_tools'))
    return fromResponse(value, value.output);
  if (typeof value.output_text === 'string') return { sample: value, locate: inSample };
  if (Array.isArray(value.choices)) return fromChatCompletion(value, value.choices, note);
  return { sample: value, locate: inSample };
};

/** A dump of the Chat Completions API; the first choice is the one graded. */
const fromChatCompletion = (
  dump: JsonObject,
  choices: readonly unknown[],
  note: RowShape['note'],
): ShapedSample => {
  if (choices.length > 1) note?.('several_choices');
  const message = isObject(choices[0]) && isObject(choices[0].message) ? choices[0].message : {};
  const places: Record<string, readonly PathSegment[]> = { choices: ['sample', 'choices'] };
  const sample: Record<string, unknown> = {
    ...dump,
    output_text: textOfContent(message.content),
    output_tools: [],
  };
  if (Array.isArray(message.tool_calls)) {
    sample.output_tools = message.tool_calls;
    places.output_tools = ['sample', 'choices', 0, 'message', 'tool_calls'];
  }
  if (isObject(message.audio)) {
    sample.output_audio = message.audio;
    places.output_audio = ['sample', 'choices', 0, 'message', 'audio'];
  }
  return {
    sample,
    locate: ([first, ...rest]) => {
      const place = Object.hasOwn(places, first) ? places[first] : undefined;
      if (place !== undefined) return [...place, ...rest];
      return Object.hasOwn(dump, first) ? ['sample', first, ...rest] : undefined;
    },
  };
};

/** A dump of the Responses API: the text of its messages, and its calls in the shape of chat tool calls. */
const fromResponse = (dump: JsonObject, output: readonly unknown[]): ShapedSample => {
  const entries = output.filter(isObject);
  const texts = entries
    .filter(({ type }) => type === undefined || type === 'message')
    .map(({ content }) => textOfContent(content));
  const tools = entries
    .filter(({ type }) => type === 'function_call' || type === 'mcp_call')
    .map(({ id, call_id, name, arguments: args }) => ({
      id: call_id ?? id,
      type: 'function',
      function: { name, arguments: args },
    }));
  return {
    sample: {
      ...dump,
      output_text: typeof dump.output_text === 'string' ? dump.output_text : texts.join(''),
      output_tools: tools,
    },
    locate: (path) => (Object.hasOwn(dump, path[0]) ? inSample(path) : undefined),
  };
};
