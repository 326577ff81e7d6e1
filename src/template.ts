import type { JsonObject, Row, TemplateVariable } from './contract.js';
import { type ConfigIssue, formatPath, GradingError, type PathSegment } from './errors.js';
import { childOf, isPresent, toJson } from './json-value.js';
import { MAX_EXPRESSION_LENGTH, parsePath, PathMistake, type ShowPath } from './path.js';
import { shorten } from './show.js';
import { jsonSpanText } from './span.js';
import { suggest } from './suggest.js';

/** A mistake in a template or path; `at` is its position in the source, in UTF-16 units from 0. */
export type TemplateIssue = Omit<ConfigIssue, 'path'> & { readonly at: number };

/** A template ready to be rendered, once a row. */
export interface Template {
  readonly source: string;
  readonly variables: readonly TemplateVariable[];
  readonly warnings: readonly TemplateIssue[];
  /**
   * The source with every variable replaced by its text: strings raw, other values as the dataset wrote them.
   * Inserted text is never scanned for variables again.
   *
   * @throws GradingError `invalid_variable_error` when the row lacks a variable; `sample_parse_error` when
   *   `sample.output_json` is asked for and the output is not JSON
   */
  render(row: Row): string;
}

/**
 * The sample of a row that has none where that is no failure (`--missing-sample empty`): every variable of it renders
 * as empty text.
 */
export const EMPTY_SAMPLE: JsonObject = Object.freeze({});

/** A template or path that cannot be used; carries every mistake found, not only the first. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';

  constructor(readonly issues: readonly TemplateIssue[]) {
    super(
      issues.map(({ message, hint }) => (hint === undefined ? message : `${message}; ${hint}`)).join('\n'),
    );
  }
}

const SAMPLE_FIELDS = ['output_text', 'output_json', 'output_tools', 'choices', 'output_audio'];

/** Nobody reads more mistakes of one template. */
const MAX_ISSUES = 100;

/**
 * Compiles text with `{{ item.path }}` and `{{ sample.path }}` variables.
 *
 * White space inside the braces is free. The nearest `}}` closes a variable, and of three or more opening braces the
 * last two open it, so `{ "output": {{sample.output_text}}}` and `{{{item.x}}}` are a variable between literal
 * braces. A lone `}}` is text. Nothing but paths stands inside the braces (see {@link compilePath}).
 *
 * @throws TemplateError with every mistake in the source
 */
export const compileTemplate = (source: string): Template => {
  const issues: TemplateIssue[] = [];
  const literals: string[] = [];
  const variables: TemplateVariable[] = [];
  let literalStart = 0;
  for (const { open, close } of findBraces(source, issues)) {
    const variable = parseVariable(source.slice(open + 2, close), open + 2, issues);
    if (variable !== undefined) variables.push(variable);
    literals.push(source.slice(literalStart, open));
    warnAboutSingleBraces(source, literalStart, open, issues);
    literalStart = close + 2;
  }
  literals.push(source.slice(literalStart));
  warnAboutSingleBraces(source, literalStart, source.length, issues);
  issues.sort((a, b) => a.at - b.at);
  const errors = issues.filter(({ severity }) => severity === 'error');
  if (errors.length > 0)
    throw new TemplateError(issues.length > MAX_ISSUES ? errors.slice(0, MAX_ISSUES) : issues);
  return { source, variables, warnings: issues, render: joinParts(literals, variables.map(compileVariable)) };
};

/**
 * Parses a path without braces: `item.input`, `6b_model.solution`, `choices[0].text`, `["a key"].b`.
 *
 * A name is any run without dots, brackets, braces, quotes and white space; other keys are quoted in brackets, with
 * JSON's escapes. `[0]` is an index of an array, `.0` an index of an array or a key of an object.
 *
 * @throws TemplateError with the mistake
 */
export const compilePath = (expression: string): readonly PathSegment[] => {
  try {
    return parsePath(expression, (path) => (path.length > 0 ? formatPath(path) : undefined));
  } catch (error) {
    if (!(error instanceof PathMistake)) throw error;
    const shown = expression.trim();
    const message = shown === '' ? 'empty, expected a path' : `${shorten(shown)}: ${error.message}`;
    throw new TemplateError([issue('error', error.at, message, error.hint)]);
  }
};

const issue = (
  severity: TemplateIssue['severity'],
  at: number,
  message: string,
  hint?: string,
): TemplateIssue => ({ severity, at, message, ...(hint !== undefined && { hint }) });

const inBraces = (path: readonly PathSegment[]): string => `{{ ${formatPath(path)} }}`;

// Finding the variables

/** Every pair of braces, by the index of its `{{` and of its `}}`. */
function* findBraces(source: string, issues: TemplateIssue[]): Generator<{ open: number; close: number }> {
  let close = -1;
  let open = source.indexOf('{{');
  while (open !== -1) {
    while (source[open + 2] === '{') open++;
    if (close < open + 2) close = source.indexOf('}}', open + 2);
    const next = source.indexOf('{{', open + 2);
    const closed = close !== -1 && (next === -1 || close < next);
    if (closed) yield { open, close };
    else issues.push(unclosed(source, open));
    if (close === -1) return;
    open = next;
  }
}

const unclosed = (source: string, open: number): TemplateIssue => {
  const [path = ''] =
    /^[^\s{}]*/.exec(source.slice(open + 2, open + 2 + MAX_EXPRESSION_LENGTH).trimStart()) ?? [];
  if (path === '') return issue('error', open, '{{ is never closed, expected }}');
  const start = `{{ ${shorten(path)}`;
  return issue('error', open, `${start} is never closed, expected }}`, `write ${start} }}`);
};

/** `{item.answer}` is what other template languages write, and here it is silently plain text. */
const warnAboutSingleBraces = (source: string, start: number, end: number, issues: TemplateIssue[]): void => {
  for (const match of source.slice(start, end).matchAll(/(?<!\{)\{\s*((?:item|sample)[.[][^{}]*)\}/g))
    issues.push(
      issue(
        'warning',
        start + match.index,
        `${shorten(match[0])} has single braces and is plain text`,
        `write {{ ${shorten((match[1] ?? '').trim())} }}`,
      ),
    );
};

/** @returns undefined when the expression is refused; what is wrong is then among the issues */
const parseVariable = (
  inside: string,
  start: number,
  issues: TemplateIssue[],
): TemplateVariable | undefined => {
  const expression = inside.trim();
  const shown = `{{ ${shorten(expression)} }}`;
  try {
    const [namespace, ...path] = parsePath(inside, showVariable);
    const at = start + inside.length - inside.trimStart().length;
    if (namespace !== 'item' && namespace !== 'sample') {
      const message = `${shown}: unknown name ${shorten(String(namespace))}, expected item.… or sample.…`;
      issues.push(issue('error', at, message, suggestNamespace(namespace, path)));
      return undefined;
    }
    const variable: TemplateVariable = { namespace, path, expression };
    issues.push(...variableWarnings(variable, at));
    return variable;
  } catch (error) {
    if (!(error instanceof PathMistake)) throw error;
    if (expression === '')
      issues.push(issue('error', start - 2, '{{ }} is empty, expected item.… or sample.…'));
    else issues.push(issue('error', start + error.at, `${shown}: ${error.message}`, error.hint));
    return undefined;
  }
};

const showVariable: ShowPath = (path) =>
  path[0] === 'item' || path[0] === 'sample' ? inBraces(path) : undefined;

const suggestNamespace = (
  name: PathSegment | undefined,
  path: readonly PathSegment[],
): string | undefined => {
  if (typeof name !== 'string' || !/^[\p{L}\p{N}_$-]+$/u.test(name)) return undefined;
  const namespace = path.length > 0 ? suggest(name, ['item', 'sample']) : undefined;
  if (namespace !== undefined) return `did you mean ${inBraces([namespace, ...path])}?`;
  return `did you mean ${inBraces([SAMPLE_FIELDS.includes(name) ? 'sample' : 'item', name, ...path])}?`;
};

const variableWarnings = ({ namespace, path }: TemplateVariable, at: number): TemplateIssue[] => {
  const [field] = path;
  if (field === undefined) {
    const example = inBraces(namespace === 'item' ? ['item', 'answer'] : ['sample', 'output_text']);
    const message = `{{ ${namespace} }} inserts the whole ${namespace} as JSON`;
    return [issue('warning', at, message, `name one field, such as ${example}`)];
  }
  if (namespace === 'item' || SAMPLE_FIELDS.includes(String(field))) return [];
  const near = suggest(String(field), SAMPLE_FIELDS);
  const message = `${inBraces([namespace, field])} is none of the usual fields ${SAMPLE_FIELDS.join(', ')}`;
  return [
    issue('warning', at, message, near && `did you mean ${inBraces([namespace, near, ...path.slice(1)])}?`),
  ];
};

// Rendering

type Render = (row: Row) => string;

/** `literals` has one more element than `renderers`: the texts around them. */
const joinParts = (literals: readonly string[], renderers: readonly Render[]): Render => {
  const [before = '', after = ''] = literals;
  const [first] = renderers;
  if (first === undefined) return () => before;
  if (renderers.length > 1)
    return (row) => {
      let text = before;
      for (let index = 0; index < renderers.length; index++)
        text += renderers[index](row) + literals[index + 1];
      return text;
    };
  return before === '' && after === '' ? first : (row) => before + first(row) + after;
};

/** Nearly all variables are one key deep and hold a string; those skip the walk. */
const compileVariable = (variable: TemplateVariable): Render => {
  const { namespace, path } = variable;
  const [key] = path;
  // A name that no object inherits needs no check of its own; only the slow path tells missing from inherited.
  if (path.length !== 1 || typeof key !== 'string' || key in Object.prototype)
    return (row) => row.textOf?.(variable) ?? lookUp(variable, row);
  // Two functions of the same shape: each sees mostly one key, which V8 looks up several times faster than many.
  if (namespace === 'item')
    return (row) => {
      const known = row.textOf?.(variable);
      if (known !== undefined) return known;
      const value = row.item[key];
      return typeof value === 'string' ? value : lookUp(variable, row);
    };
  return (row) => {
    const known = row.textOf?.(variable);
    if (known !== undefined) return known;
    const value = row.sample?.[key];
    return typeof value === 'string' ? value : lookUp(variable, row);
  };
};

/** Walks to the variable's value and gives its text. */
const lookUp = (variable: TemplateVariable, row: Row): string => {
  const { namespace, path } = variable;
  let value: unknown = row[namespace];
  if (value === EMPTY_SAMPLE) return '';
  if (value === undefined) throw missing(variable, `the row has no ${namespace}`);
  // The JSON text that the value was parsed from on the way, and how much of the path had been walked by then.
  let innerText: string | undefined;
  let innerDepth = 0;
  let depth = 0;
  if (namespace === 'sample' && needsOutputJson(row.sample, path)) {
    innerText = row.sample?.output_text as string;
    value = parseOutput(variable, innerText);
    depth = innerDepth = 1;
  }
  for (; depth < path.length; depth++) {
    while (typeof value === 'string') {
      const parsed = parseJson(value);
      if (parsed === undefined)
        throw missing(variable, `${walked(variable, depth)} is text that is not JSON`);
      innerText = value;
      innerDepth = depth;
      value = parsed.value;
    }
    const child = childOf(value, path[depth]);
    if (!isPresent(child)) throw missingChild(variable, depth, value);
    value = child;
  }
  if (typeof value === 'string') return value;
  if (value === null || typeof value === 'boolean') return String(value);
  const source =
    innerText === undefined
      ? row.sourceText?.(namespace, path)
      : jsonSpanText(innerText, path.slice(innerDepth));
  return source ?? jsonText(variable, value);
};

/** Whether `output_json` has to be read from `output_text`. */
const needsOutputJson = (sample: Row['sample'], path: readonly PathSegment[]): boolean =>
  path[0] === 'output_json' &&
  sample !== undefined &&
  !Object.hasOwn(sample, 'output_json') &&
  Object.hasOwn(sample, 'output_text') &&
  typeof sample.output_text === 'string';

const parseOutput = (variable: TemplateVariable, outputText: string): unknown => {
  const parsed = parseJson(outputText);
  if (parsed !== undefined) return parsed.value;
  const start =
    outputText === '' ? 'it is empty' : `it starts with ${JSON.stringify(outputText.slice(0, 40))}`;
  throw new GradingError(
    'sample_parse_error',
    `{{ ${variable.expression} }}: sample.output_text is not JSON; ${start}`,
  );
};

let lastJson: { readonly text: string; readonly parsed: { readonly value: unknown } | undefined } | undefined;

/**
 * Parses JSON text, undefined when it is none. Several variables, and the templates of several graders, mostly look
 * into the same text of a row, so the last one is kept. Callers only read the value.
 */
const parseJson = (text: string): { readonly value: unknown } | undefined => {
  if (lastJson?.text !== text) lastJson = { text, parsed: tryParse(text) };
  return lastJson.parsed;
};

const tryParse = (text: string): { readonly value: unknown } | undefined => {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
};

/** The shortest JSON form, for values that have no source text; BigInt in decimal digits. */
const jsonText = (variable: TemplateVariable, value: unknown): string => {
  try {
    return toJson(value);
  } catch {
    throw new GradingError('row_error', `{{ ${variable.expression} }} cannot be written as JSON`);
  }
};

// Missing variables

const MAX_NAMES_SHOWN = 10;
const MAX_NAMES_COMPARED = 1_000;

/** The part of a variable that has been walked, as a path: `item.a`. */
const walked = ({ namespace, path }: TemplateVariable, depth: number): string =>
  formatPath([namespace, ...path.slice(0, depth)]);

const missing = ({ expression }: TemplateVariable, reason: string): GradingError =>
  new GradingError('invalid_variable_error', `{{ ${expression} }} is missing; ${reason}`);

const missingChild = (variable: TemplateVariable, depth: number, value: unknown): GradingError => {
  const { namespace, path } = variable;
  const where = depth === 0 ? `the ${namespace === 'item' ? 'row' : namespace}` : walked(variable, depth);
  if (typeof value !== 'object' || value === null) return missing(variable, `${where} is ${kind(value)}`);
  if (Array.isArray(value))
    return missing(variable, `${where} is a list of ${value.length} element${value.length === 1 ? '' : 's'}`);
  const names = Object.keys(value);
  const name = path[depth];
  const near = typeof name === 'string' ? suggest(name, names.slice(0, MAX_NAMES_COMPARED)) : undefined;
  const hint =
    near === undefined
      ? ''
      : `; did you mean ${inBraces([namespace, ...path.slice(0, depth), near, ...path.slice(depth + 1)])}?`;
  return missing(variable, `${where} has ${listNames(names)}${hint}`);
};

const kind = (value: unknown): string =>
  value === null || typeof value === 'boolean' ? String(value) : 'a number';

const listNames = (names: readonly string[]): string => {
  if (names.length === 0) return 'no fields';
  const shown = names
    .slice(0, MAX_NAMES_SHOWN)
    .map((name) => (/^[\p{L}\p{N}_$-]{1,60}$/u.test(name) ? name : JSON.stringify(shorten(name))));
  return shown.join(', ') + (names.length > MAX_NAMES_SHOWN ? ', …' : '');
};
