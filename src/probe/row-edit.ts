import { isDeepStrictEqual } from 'node:util';
import type { JsonObject, Namespace, Row, TemplateVariable } from '../contract.js';
import type { PathSegment } from '../errors.js';
import { isObject, toJson } from '../json-value.js';
import { jsonSpan, jsonSpanText } from '../span.js';
import { EMPTY_SAMPLE } from '../template.js';

/** Where in the sample a text is that a grader reads: `['output_text']`, `['output_json', 'answer']`. */
export type SampleField = readonly PathSegment[];

/** What a grader says about how it reads rows. */
export interface RowReader {
  readonly variables: readonly TemplateVariable[] | undefined;
  readonly readsJson: boolean | undefined;
}

/** What graders look at that do not say what they read. */
const WHOLE: readonly SampleField[] = [['output_text'], ['output_json']];

/**
 * The fields of the sample that a grader reads: those that its templates name, and the whole output where it does not
 * say, as Python does not. Audio is no text and left out.
 */
export const editedFields = ({ variables, readsJson }: RowReader): readonly SampleField[] => {
  const named = (variables ?? [])
    .filter(({ namespace }) => namespace === 'sample')
    .flatMap(({ path }) => (path.length === 0 ? WHOLE : [path]));
  const fields = variables === undefined || readsJson === true ? [...WHOLE, ...named] : named;
  return outermost(fields.filter(([first]) => first !== 'output_audio'));
};

/** Without fields that lie in others. */
const outermost = (fields: readonly SampleField[]): readonly SampleField[] =>
  fields.filter(
    (field, index) =>
      !fields.some(
        (other, place) =>
          place !== index && startsWith(field, other) && (field.length > other.length || place < index),
      ),
  );

const startsWith = (path: SampleField, start: SampleField): boolean =>
  start.every((segment, index) => String(path[index]) === String(segment));

/** What becomes of a text; undefined where there is nothing to be changed. */
export type TextEdit = (text: string) => string | undefined;

/**
 * What an edit is given where a field is JSON, or a text that is: `leaves` each text and number in it, `document` its
 * JSON text as a whole.
 */
export type EditScope = 'leaves' | 'document';

/**
 * A copy of a row in which an edit was made of every text that the fields name. Whatever it leaves alone is as the dataset
 * wrote it, so that an edit of nothing is no difference. Where `output_text` is the JSON of `output_json`, the two stay
 * the same: the edit is made in the text, and `output_json` is what the text then says. Where it is something else, such as
 * the answer that was found in the text, it is only edited along with the text, if both are named. Numbers in JSON only
 * take edits that leave them numbers.
 *
 * @returns undefined where the edit applies to none of the texts, or the row has none
 */
export const editedRow = (
  row: Row,
  fields: readonly SampleField[],
  edit: TextEdit,
  scope: EditScope = 'leaves',
): Row | undefined => {
  const { sample } = row;
  if (sample === undefined || sample === EMPTY_SAMPLE) return undefined;
  const written = row.sourceText?.('sample', []) ?? toJson(sample);
  const isDerived = isOutputOf(sample);
  const editing = new JsonEdit(edit, scope);
  let text = written;
  for (const field of editedPlaces(sample, fields, isDerived, scope)) {
    text = editing.at(text, field) ?? text;
    if (isWholeText(field) && !editing.isMade) return undefined;
  }
  if (!editing.isMade) return undefined;
  return new EditedRow(row, isDerived && text !== written ? withOwnOutput(text) : text);
};

/** The texts that the fields name in a row, in the order in which an edit is given them. */
export const fieldTexts = (row: Row, fields: readonly SampleField[]): readonly string[] => {
  const texts: string[] = [];
  editedRow(row, fields, (text) => {
    texts.push(text);
    return text;
  });
  return texts;
};

/** A row with another sample. It has no number: in the dataset it is not. */
class EditedRow implements Row {
  readonly item: JsonObject;
  readonly sample: JsonObject;

  constructor(
    private readonly row: Row,
    private readonly text: string,
  ) {
    this.item = row.item;
    this.sample = JSON.parse(text) as JsonObject;
  }

  sourceText(namespace: Namespace, path: readonly PathSegment[]): string | undefined {
    return namespace === 'item' ? this.row.sourceText?.('item', path) : jsonSpanText(this.text, path);
  }
}

/** Whether `output_json` is what `output_text` says, be it written out or not. */
const isOutputOf = (sample: JsonObject): boolean => {
  const { output_text, output_json } = sample;
  const output = typeof output_text === 'string' ? containerIn(output_text) : undefined;
  if (output === undefined) return false;
  return !Object.hasOwn(sample, 'output_json') || isDeepStrictEqual(output, output_json);
};

/** Where in the sample the edit is made; what is read from `output_text` is edited there. */
const editedPlaces = (
  sample: JsonObject,
  fields: readonly SampleField[],
  isDerived: boolean,
  scope: EditScope,
): readonly SampleField[] => {
  const located = textFirst(fields).map((field) =>
    isDerived && field[0] === 'output_json' ? inText(field, scope) : field,
  );
  return outermost(located).filter(([first]) => Object.hasOwn(sample, first));
};

const isWholeText = (field: SampleField): boolean => field.length === 1 && field[0] === 'output_text';

const textFirst = (fields: readonly SampleField[]): readonly SampleField[] =>
  fields.toSorted((a, b) => Number(isWholeText(b)) - Number(isWholeText(a)));

const inText = (field: SampleField, scope: EditScope): SampleField =>
  scope === 'document' ? ['output_text'] : ['output_text', ...field.slice(1)];

/** The sample with `output_json` as `output_text` says it now; without it where that is no JSON any more. */
const withOwnOutput = (text: string): string => {
  const { output_json, ...sample } = JSON.parse(text) as JsonObject;
  if (output_json === undefined) return text;
  const output = String(sample.output_text);
  if (jsonIn(output) === undefined) return toJson(sample);
  const span = jsonSpan(text, ['output_json']);
  return span === undefined ? text : text.slice(0, span.start) + output.trim() + text.slice(span.end);
};

/** Texts of JSON, which may be the name of a member, and numbers. */
const SCALAR = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|-?\d[\d.eE+-]*/g;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** An edit on its way through JSON texts. */
class JsonEdit {
  /** Whether it applied to anything. */
  isMade = false;

  constructor(
    private readonly edit: TextEdit,
    private readonly scope: EditScope,
  ) {}

  /** @returns the JSON text with the value at the path edited; undefined when there is none, or nothing to be changed */
  at(json: string, path: readonly PathSegment[]): string | undefined {
    for (let depth = 0; depth <= path.length; depth += 1) {
      const span = jsonSpan(json, path.slice(0, depth));
      if (span === undefined) return undefined;
      const value = json.slice(span.start, span.end);
      const rest = path.slice(depth);
      // A path goes on inside of a text that is JSON, as in templates.
      if (rest.length > 0 && !value.startsWith('"')) continue;
      const edited = rest.length > 0 ? this.inText(value, rest) : this.ofValue(value);
      return edited === undefined ? undefined : json.slice(0, span.start) + edited + json.slice(span.end);
    }
    return undefined;
  }

  private inText(token: string, path: readonly PathSegment[]): string | undefined {
    const text = JSON.parse(token) as string;
    const edited = jsonIn(text) === undefined ? undefined : this.at(text, path);
    return edited === undefined ? undefined : JSON.stringify(edited);
  }

  private ofValue(value: string): string | undefined {
    if (value.startsWith('"')) return this.ofText(value);
    if (this.scope === 'leaves') return this.ofLeaves(value);
    return this.made(value, (edited) => jsonIn(edited) !== undefined);
  }

  private ofText(token: string): string | undefined {
    const text = JSON.parse(token) as string;
    const isJson = this.scope === 'leaves' && containerIn(text) !== undefined;
    const edited = isJson ? this.ofLeaves(text) : this.made(text);
    return edited === undefined || edited === text ? undefined : JSON.stringify(edited);
  }

  private ofLeaves(json: string): string {
    return json.replaceAll(SCALAR, (token: string, isName: string | undefined) => {
      if (isName !== undefined) return token;
      if (token.startsWith('"')) return this.ofText(token) ?? token;
      return this.made(token, (edited) => NUMBER.test(edited)) ?? token;
    });
  }

  /** What becomes of a text, unless it may not become that. */
  private made(text: string, mayBe: (edited: string) => boolean = () => true): string | undefined {
    const edited = this.edit(text);
    if (edited === undefined || !mayBe(edited)) return undefined;
    this.isMade = true;
    return edited;
  }
}

const jsonIn = (text: string): { readonly value: unknown } | undefined => {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
};

/** The object or list that a text is the JSON of. */
const containerIn = (text: string): unknown => {
  if (!/^\s*[[{]/.test(text)) return undefined;
  const value = jsonIn(text)?.value;
  return Array.isArray(value) || isObject(value) ? value : undefined;
};
