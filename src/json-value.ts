import type { PathSegment } from './errors.js';

/** An object of JSON: neither null nor a list. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `0`, `12`, but not `01` or `-1`: the names that also count as array indexes. */
const ARRAY_INDEX = /^(?:0|[1-9]\d{0,14})$/;

/**
 * The array index that a path segment stands for: a number, or a name of plain digits (`output.0`).
 *
 * @returns undefined for any other name, such as `length`
 */
export const arrayIndex = (segment: PathSegment): number | undefined => {
  if (typeof segment === 'number') return segment;
  return ARRAY_INDEX.test(segment) ? Number(segment) : undefined;
};

/** The own field or element of a JSON value; undefined when there is none, also for names that objects inherit. */
export const childOf = (value: unknown, segment: PathSegment): unknown => {
  if (typeof value !== 'object' || value === null) return undefined;
  const key = Array.isArray(value) ? arrayIndex(segment) : typeof segment === 'string' ? segment : undefined;
  return key !== undefined && Object.hasOwn(value, key)
    ? (value as Record<PathSegment, unknown>)[key]
    : undefined;
};

/** The value at a path from `root`, by own fields and elements only; undefined when there is none. */
export const valueAt = (root: unknown, path: readonly PathSegment[]): unknown => {
  let value = root;
  for (const segment of path) value = childOf(value, segment);
  return value;
};

/** JSON has neither undefined nor functions; a program that hands in such a field has left it out. */
export const isPresent = (value: unknown): boolean =>
  value !== undefined && typeof value !== 'function' && typeof value !== 'symbol';

/**
 * The shortest JSON form of a value of a program's own; BigInt in decimal digits.
 *
 * @throws what a getter or `toJSON` of the value throws; RangeError for a value that contains itself
 */
export const toJson = (value: unknown): string => {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null || 'toJSON' in value)
    return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${Array.from(value, toJson).join(',')}]`;
  const members = Object.entries(value).filter(([, member]) => isPresent(member));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${toJson(member)}`).join(',')}}`;
};
