import {
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  parseDocument,
  type Document,
  type Node,
  type Scalar,
} from 'yaml';
import type { PathSegment } from '../errors.js';
import { isAboutKey } from '../validation.js';
import type { Source, SourceIssue } from './source.js';

/** Reads one YAML 1.2 document. Tags of other languages are only names here: nothing is ever built from one. */
export const readYaml = (text: string): Source => {
  const { document, value, issues } = parse(text);
  return {
    value,
    issues,
    offsetOf(issue) {
      const { path, at } = issue;
      const { node, keyStart, depth } = descend(document, path);
      const start = node?.range?.[0] ?? 0;
      if (depth < path.length) return start;
      if (isAboutKey(issue)) return keyStart ?? start;
      return at === undefined || !isScalar(node) ? start : offsetInScalar(text, node, at);
    },
  };
};

interface Parsed {
  readonly document?: Document;
  readonly value: unknown;
  readonly issues: readonly SourceIssue[];
}

const parse = (text: string): Parsed => {
  try {
    const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
    const [errors, warnings] = [document.errors, document.warnings].map((found) =>
      found.map(({ pos: [at], code, message }): SourceIssue => ({
        at,
        severity: code === 'TAG_RESOLVE_FAILED' ? 'warning' : 'error',
        path: [],
        ...explain(code, message),
      })),
    );
    if (errors.length > 0) return { document, value: undefined, issues: errors };
    const value: unknown = document.toJS();
    if (value === null || value === undefined) return broken('the file is empty, expected a grader');
    return { document, value, issues: warnings };
  } catch (error) {
    // The parser has its own guard against aliases that multiply; nesting without end exhausts the stack.
    if (error instanceof RangeError) return broken('is nested too deeply');
    return broken(`cannot be read as YAML: ${(error as Error).message}`);
  }
};

const broken = (message: string): Parsed => ({
  value: undefined,
  issues: [{ at: 0, severity: 'error', path: [], message }],
});

const explain = (code: string, message: string): { message: string; hint?: string } => {
  if (code === 'MULTIPLE_DOCS')
    return { message: 'a second YAML document, expected one', hint: 'keep one grader in a file' };
  if (code === 'DUPLICATE_KEY') return { message: 'the key occurs a second time' };
  if (code === 'TAB_AS_INDENT') return { message: 'a tab, expected spaces for indentation' };
  return { message };
};

interface Found {
  readonly node?: Node;
  readonly keyStart?: number;
  /** How many steps of the path were found. */
  readonly depth: number;
}

/** The node at `path`, or the last one on the way to it. */
const descend = (document: Document | undefined, path: readonly PathSegment[]): Found => {
  let found: Found = { node: document?.contents ?? undefined, depth: 0 };
  for (const segment of path) {
    const next = child(document, found.node, segment);
    if (next?.node === undefined) return found;
    found = { ...next, depth: found.depth + 1 };
  }
  return found;
};

const child = (
  document: Document | undefined,
  parent: Node | undefined,
  segment: PathSegment,
): Omit<Found, 'depth'> | undefined => {
  const node = isAlias(parent) && document !== undefined ? parent.resolve(document) : parent;
  if (!isCollection(node)) return undefined;
  if (!isMap(node)) return { node: node.items[Number(segment)] as Node | undefined };
  const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === segment);
  if (!isPair(pair)) return undefined;
  const keyStart = (pair.key as Node).range?.[0];
  return { node: (pair.value ?? pair.key) as Node, keyStart };
};

/**
 * Where the unit `at` of a scalar's value stands in the text. Exact for texts on one line and for literal blocks (`|`);
 * for texts that YAML folds the start has to do.
 */
const offsetInScalar = (text: string, { range, type }: Scalar, at: number): number => {
  const [start, end] = range ?? [0, 0];
  if (type === 'BLOCK_LITERAL') return offsetInBlock(text, start, at);
  if (text.slice(start, end).includes('\n')) return start;
  if (type === 'QUOTE_SINGLE') return skipUnits(text, start + 1, at, /''|[^]/y);
  if (type === 'QUOTE_DOUBLE')
    return skipUnits(text, start + 1, at, /\\(?:x[\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|[^])|[^]/y);
  return start + at;
};

const skipUnits = (text: string, start: number, units: number, unit: RegExp): number => {
  unit.lastIndex = start;
  for (let skipped = 0; skipped < units && unit.test(text); skipped++);
  return unit.lastIndex;
};

/** A literal block keeps its lines, less the indentation of the first one that is not empty. */
const offsetInBlock = (text: string, start: number, at: number): number => {
  let lineStart = text.indexOf('\n', start) + 1;
  const indentation = /^(?: *\r?\n)*( *)/.exec(text.slice(lineStart))?.[1].length ?? 0;
  let left = at;
  for (;;) {
    const lineEnd = text.indexOf('\n', lineStart);
    const length = Math.max(0, (lineEnd === -1 ? text.length : lineEnd) - lineStart - indentation);
    if (left <= length || lineEnd === -1) return lineStart + indentation + left;
    left -= length + 1;
    lineStart = lineEnd + 1;
  }
};
