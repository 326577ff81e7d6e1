import type { PathSegment } from './errors.js';
import { shorten } from './show.js';

/** No path is longer; the messages about one quote it. */
export const MAX_EXPRESSION_LENGTH = 1_000;

/** Where a path went wrong, counted from the start of its expression. */
export class PathMistake extends Error {
  constructor(
    readonly at: number,
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** How a path is written in a hint; undefined for one that would be refused. */
export type ShowPath = (path: readonly PathSegment[]) => string | undefined;

const useInstead = (path: readonly PathSegment[], show: ShowPath): string | undefined => {
  const shown = show(path);
  return shown && `use ${shown}`;
};

const NAME = /[^.[\]{}"'\s]+/y;
const BRACKET = /\[\s*(?:(0|[1-9]\d{0,14})|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))\s*\]/y;

/**
 * Reads a path of names joined by dots, indexes and quoted keys in brackets.
 *
 * @param show  writes a path as the user would, for hints
 * @throws PathMistake with the place of the first mistake
 */
export const parsePath = (expression: string, show: ShowPath): PathSegment[] => {
  if (expression.length > MAX_EXPRESSION_LENGTH)
    throw new PathMistake(0, `longer than ${MAX_EXPRESSION_LENGTH} characters`);
  const end = expression.trimEnd().length;
  const start = expression.length - expression.trimStart().length;
  if (start >= end) throw new PathMistake(0, 'empty');
  const path: PathSegment[] = [];
  let at = start;
  while (at < end) {
    if (expression[at] === '[') {
      at = readBracket(expression, at, path, show);
      continue;
    }
    if (at > start) {
      if (expression[at] !== '.') throw unexpected(expression, at, path, show);
      at++;
    }
    at = readName(expression, at, path, show);
  }
  return path;
};

/** Adds the name at `at` to the path; returns the position behind it. */
const readName = (expression: string, at: number, path: PathSegment[], show: ShowPath): number => {
  NAME.lastIndex = at;
  const name = NAME.exec(expression)?.[0];
  if (name === undefined) throw unexpected(expression, at, path, show);
  if (name === '*') throw new PathMistake(at, 'wildcards are not supported, expected one name or index');
  if (/[()|]/.test(name)) {
    const [before = ''] = name.split(/[()|]/, 1);
    const isFilter = name[before.length] === '|';
    throw noCalls(
      expression,
      isFilter ? at + before.length : at,
      isFilter && before ? [...path, before] : path,
      show,
    );
  }
  // `line-item`, `a+1` and `c++` are names like any other; a variable behind an operator, with a path of its own, is not.
  const next = expression[at + name.length];
  const operator =
    next === '.' || next === '['
      ? /[-+*/%^<>=!&,;]+(?:item|sample)$/.exec(name)
      : /[,;]$/.exec(next === undefined ? '' : name);
  if (operator !== null) {
    const use = useInstead([...path, name.slice(0, operator.index)], show);
    const hint = use && `${use}; a key with that name is ${show([...path, name])}`;
    throw noOperators(at + operator.index, hint);
  }
  path.push(name);
  return at + name.length;
};

/** Adds the `[0]` or `["key"]` at `at` to the path; returns the position behind it. */
const readBracket = (expression: string, at: number, path: PathSegment[], show: ShowPath): number => {
  BRACKET.lastIndex = at;
  const [text, index, quoted] = BRACKET.exec(expression) ?? [];
  if (text === undefined) throw refusedBracket(expression, at, path, show);
  path.push(quoted === undefined ? Number(index) : unquote(quoted, at));
  return at + text.length;
};

/** The key that a quoted one says, with JSON's escapes and `\'`. */
const unquote = (quoted: string, at: number): string => {
  const inside = quoted.slice(1, -1);
  if (!inside.includes('\\')) return inside;
  const json = inside.replaceAll(/\\.|"/g, (escape) =>
    escape === "\\'" ? "'" : escape === '"' ? '\\"' : escape,
  );
  try {
    return JSON.parse(`"${json}"`) as string;
  } catch {
    throw new PathMistake(at, `[${quoted}] has an escape that JSON does not know`);
  }
};

const refusedBracket = (expression: string, at: number, path: PathSegment[], show: ShowPath): PathMistake => {
  const close = expression.indexOf(']', at);
  if (close === -1) return new PathMistake(at, '[ is never closed, expected ]');
  const inside = expression.slice(at + 1, close).trim();
  const mistake = (what: string, hint?: string): PathMistake =>
    new PathMistake(at, `[${shorten(inside)}] ${what}, expected [0], [1], … or ["a key"]`, hint);
  if (/^-\s*\d/.test(inside)) return mistake('is a negative index');
  if (inside === '') return mistake('is empty');
  if (/^["']/.test(inside)) return mistake('is not one quoted key');
  if (inside.includes('*')) return mistake('is a wildcard');
  if (inside.includes(':')) return mistake('is a slice');
  if (/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(inside))
    return mistake('is a key without quotes', `did you mean ${show([...path, inside])}?`);
  return mistake('is not an index');
};

/** Names what stands where a path should go on or end. */
const unexpected = (
  expression: string,
  from: number,
  path: readonly PathSegment[],
  show: ShowPath,
): PathMistake => {
  const rest = expression.slice(from).trimStart();
  const at = expression.length - rest.length;
  const [first = ''] = rest;
  if (first === '(' || first === '|') return noCalls(expression, at, path, show);
  const use = useInstead(path, show);
  if (/^[-+*/%^<>=!&?]/.test(rest)) return noOperators(at, use);
  if (first === '{' || first === '}')
    return new PathMistake(at, `${first} cannot stand in a path`, 'leave it out');
  if (first === ']') return new PathMistake(at, '] without [');
  if (first === '"' || first === "'")
    return new PathMistake(at, `a quoted key stands in brackets: ["a key"]`);
  if (rest === '' || expression[from] === '.')
    return new PathMistake(from, 'a name is missing, expected names joined by single dots');
  if (at === from) return new PathMistake(at, `expected . or [ before ${shorten(rest.trimEnd(), 20)}`);
  return spaceInPath(expression, at, path, show);
};

/** White space is part of a key that should be quoted, or stands around dots, or between words of another language. */
const spaceInPath = (
  expression: string,
  at: number,
  path: readonly PathSegment[],
  show: ShowPath,
): PathMistake => {
  const rest = expression.slice(at);
  const mistake = (hint: string | undefined): PathMistake =>
    new PathMistake(at, 'white space cannot stand in a path', hint);
  const use = useInstead(path, show);
  if (/^[.[]/.test(rest) || expression.slice(0, at).trimEnd().endsWith('.'))
    return mistake('leave out the spaces around dots and brackets');
  const last = path.at(-1);
  if (typeof last !== 'string' || path.length < 2 || !/^[\p{L}\p{N}_]/u.test(rest)) return mistake(use);
  if (/^(?:if|else|or|and|not|in|is|as)\b/.test(rest))
    return new PathMistake(at, 'expressions are not supported, expected one path', use);
  const [words = ''] = rest.split(/[.[\]{}"'()|]/, 1);
  const key = `${last} ${words.trim()}`;
  return mistake(`the key ${JSON.stringify(key)} is written ${show([...path.slice(0, -1), key])}`);
};

const noCalls = (
  expression: string,
  at: number,
  path: readonly PathSegment[],
  show: ShowPath,
): PathMistake => {
  // `len(item.name)`: the variable stands behind the call.
  const [inner] = /\b(?:item|sample)\.[^\s.[\]{}"'()|,]+/.exec(expression) ?? [];
  const use = useInstead(path, show) ?? useInstead(inner?.split('.') ?? [], show);
  return new PathMistake(at, 'filters and calls are not supported', use);
};

const noOperators = (at: number, hint: string | undefined): PathMistake =>
  new PathMistake(at, 'operators are not supported, expected one path', hint);
