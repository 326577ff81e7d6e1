import { isDeepStrictEqual } from 'node:util';
import { formatPath, type PathSegment } from '../errors.js';
import { isObject, valueAt } from '../json-value.js';
import { show } from '../show.js';

/** Checks values against the JSON Schema of a `response_format`. */
export interface OutputSchema {
  /** Keywords of the schema that are not checked, in the order in which they stand in it. */
  readonly unchecked: readonly string[];
  /** What is wrong first with a value, `answer: expected a string, got 12`; undefined where nothing is. */
  mistakeIn(value: unknown): string | undefined;
}

/**
 * Understands the part of JSON Schema (2020-12) that structured outputs are documented with: types, `enum`, `const`,
 * `properties`, `required`, `additionalProperties`, `items`, `anyOf`, `oneOf`, `allOf`, `not`, local `$ref`s, and the
 * limits of numbers, texts and lists. Any other keyword that would refuse something is among `unchecked`.
 *
 * @see https://platform.openai.com/docs/guides/structured-outputs (supported schemas)
 */
export const compileOutputSchema = (schema: unknown): OutputSchema => {
  const unchecked = new Set<string>();
  noteUnchecked(schema, schema, unchecked, new Set());
  return {
    unchecked: [...unchecked],
    mistakeIn: (value) => new Check(schema).mistake(schema, value, [], 0),
  };
};

/** Deeper outputs, and schemas that refer to nothing but themselves, are not followed further. */
const MAX_DEPTH = 256;
const MAX_STEPS = 100_000;
const TOO_DEEP = 'nested too deeply to be checked';

type Schema = Readonly<Record<string, unknown>>;

/** Where a value is wrong, in words. */
type Mistake = string | undefined;

class Check {
  private steps = 0;

  constructor(private readonly root: unknown) {}

  mistake(schema: unknown, value: unknown, path: readonly PathSegment[], depth: number): Mistake {
    if (schema === false) return at(path, `expected nothing, got ${show(value)}`);
    if (!isObject(schema)) return undefined;
    this.steps += 1;
    if (depth > MAX_DEPTH || this.steps > MAX_STEPS) return TOO_DEEP;
    return (
      this.ofType(schema, value, path) ??
      this.ofReference(schema, value, path, depth) ??
      this.ofChoice(schema, value, path) ??
      this.ofCombination(schema, value, path, depth) ??
      this.ofContent(schema, value, path, depth)
    );
  }

  private ofType({ type }: Schema, value: unknown, path: readonly PathSegment[]): Mistake {
    const types = typesOf(type);
    if (types === undefined || types.some((each) => TYPES[each](value))) return undefined;
    return at(path, `expected ${types.map((each) => TYPE_NAMES[each]).join(' or ')}, got ${show(value)}`);
  }

  private ofReference(schema: Schema, value: unknown, path: readonly PathSegment[], depth: number): Mistake {
    const target = referenced(this.root, schema.$ref);
    return target === undefined ? undefined : this.mistake(target, value, path, depth + 1);
  }

  private ofChoice(schema: Schema, value: unknown, path: readonly PathSegment[]): Mistake {
    if (Object.hasOwn(schema, 'const') && !isDeepStrictEqual(schema.const, value))
      return at(path, `expected ${show(schema.const)}, got ${show(value)}`);
    const choices = schema.enum;
    if (!Array.isArray(choices) || choices.some((choice) => isDeepStrictEqual(choice, value)))
      return undefined;
    return at(path, `expected one of ${choices.slice(0, 5).map(show).join(', ')}, got ${show(value)}`);
  }

  private ofCombination(
    schema: Schema,
    value: unknown,
    path: readonly PathSegment[],
    depth: number,
  ): Mistake {
    const mistakes = (keyword: 'allOf' | 'anyOf' | 'oneOf'): readonly Mistake[] => {
      const schemas = schema[keyword];
      if (!Array.isArray(schemas)) return [undefined];
      return schemas.map((each: unknown) => this.mistake(each, value, path, depth + 1));
    };
    const ofAll = mistakes('allOf').find(isMistake);
    if (ofAll !== undefined) return ofAll;
    const [ofAny, ofOne] = [mistakes('anyOf'), mistakes('oneOf')];
    for (const each of [ofAny, ofOne])
      if (each.every(isMistake))
        return each.length === 1 ? each[0] : at(path, `${show(value)} fits none of the alternatives`);
    if (ofOne.length - ofOne.filter(isMistake).length > 1)
      return at(path, `${show(value)} fits several of the alternatives of oneOf`);
    const { not } = schema;
    if (not === undefined || this.mistake(not, value, path, depth + 1) !== undefined) return undefined;
    return at(path, `${show(value)} is what "not" excludes`);
  }

  private ofContent(schema: Schema, value: unknown, path: readonly PathSegment[], depth: number): Mistake {
    if (typeof value === 'number') return ofNumber(schema, value, path);
    if (typeof value === 'string') return ofText(schema, value, path);
    if (Array.isArray(value)) return this.ofList(schema, value, path, depth);
    return isObject(value) ? this.ofObject(schema, value, path, depth) : undefined;
  }

  private ofList(
    schema: Schema,
    value: readonly unknown[],
    path: readonly PathSegment[],
    depth: number,
  ): Mistake {
    const { minItems, maxItems, items } = schema;
    if (isBelow(value.length, minItems))
      return at(path, `expected at least ${minItems} elements, got ${value.length}`);
    if (isAbove(value.length, maxItems))
      return at(path, `expected at most ${maxItems} elements, got ${value.length}`);
    if (items === undefined) return undefined;
    return first(value.keys(), (index) => this.mistake(items, value[index], [...path, index], depth + 1));
  }

  private ofObject(schema: Schema, value: Schema, path: readonly PathSegment[], depth: number): Mistake {
    const { required, additionalProperties } = schema;
    const properties = isObject(schema.properties) ? schema.properties : {};
    const missing = (Array.isArray(required) ? required : []).find(
      (name) => !Object.hasOwn(value, name as string),
    );
    if (missing !== undefined) return at([...path, missing as string], 'is missing');
    return first(Object.keys(value), (name) => {
      const inside = [...path, name];
      if (Object.hasOwn(properties, name))
        return this.mistake(properties[name], value[name], inside, depth + 1);
      if (additionalProperties === false) return at(inside, 'is a key that the schema does not have');
      return this.mistake(additionalProperties, value[name], inside, depth + 1);
    });
  }
}

const isMistake = (mistake: Mistake): boolean => mistake !== undefined;

const at = (path: readonly PathSegment[], text: string): string =>
  path.length === 0 ? text : `${formatPath(path)}: ${text}`;

const first = <Key>(keys: Iterable<Key>, mistakeOf: (key: Key) => Mistake): Mistake => {
  for (const key of keys) {
    const mistake = mistakeOf(key);
    if (mistake !== undefined) return mistake;
  }
  return undefined;
};

const TYPES = {
  string: (value: unknown) => typeof value === 'string',
  number: (value: unknown) => typeof value === 'number',
  integer: (value: unknown) => Number.isInteger(value),
  boolean: (value: unknown) => typeof value === 'boolean',
  null: (value: unknown) => value === null,
  array: (value: unknown) => Array.isArray(value),
  object: isObject,
} as const;

type TypeName = keyof typeof TYPES;

const TYPE_NAMES: Readonly<Record<TypeName, string>> = {
  string: 'a string',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'null',
  array: 'a list',
  object: 'an object',
};

/** Undefined where every type is fine, or one is none. */
const typesOf = (type: unknown): readonly TypeName[] | undefined => {
  const names: readonly unknown[] = Array.isArray(type) ? type : [type];
  const known = names.filter(
    (name): name is TypeName => typeof name === 'string' && Object.hasOwn(TYPES, name),
  );
  return known.length === names.length ? known : undefined;
};

const isBelow = (value: number, limit: unknown): limit is number =>
  typeof limit === 'number' && value < limit;
const isAbove = (value: number, limit: unknown): limit is number =>
  typeof limit === 'number' && value > limit;

const ofNumber = (schema: Schema, value: number, path: readonly PathSegment[]): Mistake => {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  if (isBelow(value, minimum)) return at(path, `expected at least ${minimum}, got ${value}`);
  if (isAbove(value, maximum)) return at(path, `expected at most ${maximum}, got ${value}`);
  if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum)
    return at(path, `expected more than ${exclusiveMinimum}, got ${value}`);
  if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum)
    return at(path, `expected less than ${exclusiveMaximum}, got ${value}`);
  if (typeof multipleOf === 'number' && !isMultiple(value, multipleOf))
    return at(path, `expected a multiple of ${multipleOf}, got ${value}`);
  return undefined;
};

/** 0.3 is a multiple of 0.1, although not in floating point. */
const isMultiple = (value: number, step: number): boolean => {
  const times = value / step;
  return Math.abs(times - Math.round(times)) <= 1e-9 * Math.max(1, Math.abs(times));
};

const ofText = (schema: Schema, value: string, path: readonly PathSegment[]): Mistake => {
  const { minLength, maxLength, pattern } = schema;
  // A schema counts characters, not UTF-16 units.
  const length = minLength === undefined && maxLength === undefined ? 0 : Array.from(value).length;
  if (isBelow(length, minLength)) return at(path, `expected at least ${minLength} characters, got ${length}`);
  if (isAbove(length, maxLength)) return at(path, `expected at most ${maxLength} characters, got ${length}`);
  if (typeof pattern !== 'string' || patternOf(pattern)?.test(value) !== false) return undefined;
  return at(path, `expected a text that matches ${show(pattern)}, got ${show(value)}`);
};

/** Undefined for a text that is no pattern. */
const patternOf = (pattern: string): RegExp | undefined => {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return undefined;
  }
};

/** What a `$ref` inside the schema refers to; undefined for one that is not inside, or refers to nothing. */
const referenced = (root: unknown, reference: unknown): unknown => {
  if (typeof reference !== 'string' || !/^#(?:\/|$)/.test(reference)) return undefined;
  const names = reference.split('/').slice(1);
  return valueAt(
    root,
    names.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~')),
  );
};

/** Keywords whose value holds schemas: one, a list of them, or one for each name. */
const ONE = ['items', 'additionalProperties', 'not'];
const LIST = ['anyOf', 'oneOf', 'allOf'];
const NAMED = ['properties', '$defs', 'definitions'];
const LIMITS = ['minItems', 'maxItems', 'minLength', 'maxLength', 'minimum', 'maximum'];
const OTHERS = ['exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'enum', 'const', 'required'];
const CHECKED = new Set([...ONE, ...LIST, ...NAMED, ...LIMITS, ...OTHERS]);
/** They say something about a schema, and refuse nothing. */
const REMARKS = new Set([
  '$schema',
  '$id',
  '$comment',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
]);

const noteUnchecked = (root: unknown, schema: unknown, found: Set<string>, seen: Set<unknown>): void => {
  if (!isObject(schema) || seen.has(schema)) return;
  seen.add(schema);
  for (const [keyword, value] of Object.entries(schema)) {
    if (!isChecked(root, keyword, value)) found.add(keyword);
    for (const inside of schemasIn(keyword, value)) noteUnchecked(root, inside, found, seen);
  }
};

const isChecked = (root: unknown, keyword: string, value: unknown): boolean => {
  if (REMARKS.has(keyword)) return true;
  if (keyword === '$ref') return referenced(root, value) !== undefined;
  if (keyword === 'pattern') return typeof value === 'string' && patternOf(value) !== undefined;
  if (keyword === 'type') return typesOf(value) !== undefined;
  return CHECKED.has(keyword);
};

const schemasIn = (keyword: string, value: unknown): readonly unknown[] => {
  if (ONE.includes(keyword)) return [value];
  if (LIST.includes(keyword)) return Array.isArray(value) ? value : [];
  return NAMED.includes(keyword) && isObject(value) ? Object.values(value) : [];
};
