import type { PathSegment } from '../errors.js';
import { JsonScanner, type JsonNode } from '../json-scanner.js';
import { isAboutKey } from '../validation.js';
import type { Source } from './source.js';

/**
 * Reads JSON. Mistakes are found by a scanner of our own: what JSON.parse says about them differs between versions
 * of Node, and mostly lacks the place. The same scan gives the places of all values and the keys that occur twice.
 */
export const readJson = (text: string): Source => {
  const scanner = new JsonScanner(text);
  const { root, mistake } = scanner.scan();
  const issues = mistake === undefined ? scanner.repeatedKeys : [mistake];
  return {
    value: mistake === undefined ? JSON.parse(text) : undefined,
    issues,
    offsetOf(issue) {
      const { path, at } = issue;
      const { node, depth } = root === undefined ? { node: { start: 0 }, depth: 0 } : descend(root, path);
      if (depth < path.length) return node.start;
      if (isAboutKey(issue)) return node.keyStart ?? node.start;
      return at === undefined ? node.start : offsetInString(text, node.start, at);
    },
  };
};

/** The node at `path`, or the last one on the way to it, and how many steps were found. */
const descend = (root: JsonNode, path: readonly PathSegment[]): { node: JsonNode; depth: number } => {
  let node = root;
  for (let depth = 0; depth < path.length; depth++) {
    const child = node.children?.get(path[depth]);
    if (child === undefined) return { node, depth };
    node = child;
  }
  return { node, depth: path.length };
};

/** Where the unit `at` of a string's value stands in its JSON text, which may write it as an escape. */
const offsetInString = (text: string, start: number, at: number): number => {
  let offset = start + 1;
  for (let unit = 0; unit < at; unit++) {
    if (text[offset] !== '\\') offset += 1;
    else offset += text[offset + 1] === 'u' ? 6 : 2;
  }
  return offset;
};
