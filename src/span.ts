import type { PathSegment } from './errors.js';
import { arrayIndex } from './json-value.js';

/** Where a value stands in a text, in UTF-16 units: `text.slice(start, end)` is the value and nothing around it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** What the scanning functions below return for text that is not JSON. */
const BROKEN = -1;

/**
 * Finds the value at `path` in a JSON text without parsing it, so that its text is kept as written: `1.0`, big
 * integers, the order of keys. Where an object has a key twice the last one counts, as in JSON.parse.
 *
 * Made for text that JSON.parse accepts. Other text never throws, loops or overflows the stack, however deep: the
 * result is undefined where the broken part is met on the way to the value.
 *
 * @param path  keys and indexes from the root; `[]` is the whole value
 * @returns undefined when the text has no value there
 */
export const jsonSpan = (text: string, path: readonly PathSegment[]): Span | undefined => {
  let start = skipSpace(text, 0);
  for (const segment of path) {
    start = stepInto(text, start, segment);
    if (start === BROKEN) return undefined;
  }
  const end = skipValue(text, start);
  return end === BROKEN ? undefined : { start, end };
};

/** The text of the value at `path` as the JSON text has it, undefined when there is none; see {@link jsonSpan}. */
export const jsonSpanText = (text: string, path: readonly PathSegment[]): string | undefined => {
  const span = jsonSpan(text, path);
  return span && text.slice(span.start, span.end);
};

/** The start of the child of the object or array at `start`. */
const stepInto = (text: string, start: number, segment: PathSegment): number => {
  switch (text.charCodeAt(start)) {
    case OPEN_BRACE:
      return typeof segment === 'string' ? memberStart(text, start, segment) : BROKEN;
    case OPEN_BRACKET: {
      const index = arrayIndex(segment);
      return index === undefined ? BROKEN : elementStart(text, start, index);
    }
    default:
      return BROKEN;
  }
};

/** The whole object is read, for a later member of the same name wins. */
const memberStart = (text: string, objectStart: number, key: string): number => {
  let found = BROKEN;
  let at = skipSpace(text, objectStart + 1);
  while (text.charCodeAt(at) === QUOTE) {
    const keyEnd = skipString(text, at);
    if (keyEnd === BROKEN) return BROKEN;
    const colon = skipSpace(text, keyEnd);
    if (text.charCodeAt(colon) !== COLON) return BROKEN;
    const value = skipSpace(text, colon + 1);
    if (isKey(text, at, keyEnd, key)) found = value;
    const next = nextChild(text, value);
    if (next === BROKEN) return BROKEN;
    const code = text.charCodeAt(next);
    if (code === CLOSE_BRACE) return found;
    if (code !== COMMA) return BROKEN;
    at = skipSpace(text, next + 1);
  }
  return BROKEN;
};

const elementStart = (text: string, arrayStart: number, index: number): number => {
  let at = skipSpace(text, arrayStart + 1);
  if (text.charCodeAt(at) === CLOSE_BRACKET) return BROKEN;
  for (let passed = 0; passed < index; passed++) {
    const next = nextChild(text, at);
    if (next === BROKEN || text.charCodeAt(next) !== COMMA) return BROKEN;
    at = skipSpace(text, next + 1);
  }
  return at;
};

/** The comma or closing bracket behind the value at `start`. */
const nextChild = (text: string, start: number): number => {
  const end = skipValue(text, start);
  if (end === BROKEN) return BROKEN;
  const at = skipSpace(text, end);
  const code = text.charCodeAt(at);
  return code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET ? at : BROKEN;
};

/** Whether the quoted key in `text` is `key`; a key written with escapes is longer than what it says. */
const isKey = (text: string, start: number, end: number, key: string): boolean => {
  const length = end - start - 2;
  if (length === key.length) return text.startsWith(key, start + 1) && !key.includes('\\');
  if (length < key.length) return false;
  const quoted = text.slice(start, end);
  if (!quoted.includes('\\')) return false;
  try {
    return JSON.parse(quoted) === key;
  } catch {
    return false;
  }
};

const skipSpace = (text: string, start: number): number => {
  let at = start;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
    at++;
  }
};

const skipValue = (text: string, start: number): number => {
  const code = text.charCodeAt(start);
  if (code === QUOTE) return skipString(text, start);
  if (code === OPEN_BRACE || code === OPEN_BRACKET) return skipContainer(text, start);
  return skipScalar(text, start);
};

/** Counts brackets instead of recursing: depth is the writer's choice. */
const skipContainer = (text: string, start: number): number => {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = skipString(text, at);
      if (at === BROKEN) return BROKEN;
      continue;
    }
    at++;
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      depth--;
      if (depth === 0) return at;
    }
  }
  return BROKEN;
};

const skipString = (text: string, start: number): number => {
  let quote = text.indexOf('"', start + 1);
  while (quote !== -1 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote === -1 ? BROKEN : quote + 1;
};

/** An odd number of backslashes before a quote escapes it. */
const isEscaped = (text: string, quote: number): boolean => {
  let backslash = quote - 1;
  while (text.charCodeAt(backslash) === BACKSLASH) backslash--;
  return (quote - 1 - backslash) % 2 === 1;
};

/** Numbers, `true`, `false`, `null`. */
const skipScalar = (text: string, start: number): number => {
  let at = start;
  while (at < text.length && isScalarCode(text.charCodeAt(at))) at++;
  return at > start ? at : BROKEN;
};

/** Letters, digits, `+`, `-` and `.`: wide enough for every scalar, narrow enough to stop at the end of one. */
const isScalarCode = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) ||
  (code >= 0x61 && code <= 0x7a) ||
  code === 0x2b ||
  code === 0x2d ||
  code === 0x2e ||
  code === 0x45;
