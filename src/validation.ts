import type * as z from 'zod';
import type { ConfigIssue, PathSegment } from './errors.js';
import { isObject, valueAt } from './json-value.js';
import { show } from './show.js';
import { suggest } from './suggest.js';
import type { Template } from './template.js';

/** Marks a mistake as one about a key itself, not about its value, so that its place is the key's. */
export const aboutKey = <Issue extends Partial<ConfigIssue>>(issue: Issue): Issue & { subject: 'key' } => ({
  ...issue,
  subject: 'key',
});

/** Whether the mistake is about the last key of its path; see {@link aboutKey}. */
export const isAboutKey = (issue: Partial<ConfigIssue>): boolean =>
  'subject' in issue && issue.subject === 'key';

/** The same issue, seen from the root of what the user gave. */
export const relocate = (issue: ConfigIssue, path: readonly PathSegment[]): ConfigIssue => ({
  ...issue,
  path: [...path, ...issue.path],
});

/** What a configuration parses to, and everything the schema has to say about it. */
export interface CheckedShape<Schema extends z.ZodType> {
  /** Undefined when the configuration does not have the shape the schema asks for. */
  readonly config: z.output<Schema> | undefined;
  /** Errors and warnings; paths from the configuration's own root. */
  readonly issues: readonly ConfigIssue[];
}

/** Parses a configuration with a grader's schema; every mistake is found, not only the first. */
export const checkShape = <Schema extends z.ZodType>(
  schema: Schema,
  config: unknown,
): CheckedShape<Schema> => {
  const parsed = schema.safeParse(config);
  const fields = parsed.success ? parsed.data : soundFields(schema, config);
  const mistakes = (parsed.error?.issues ?? [])
    .flatMap(innermost)
    .filter(({ code }) => code !== 'unrecognized_keys')
    .map((issue) => toIssue(issue, config));
  const issues = [...withUnknownKeys(mistakes, schema, config), ...templateWarnings(fields, [])];
  return { config: parsed.data, issues: withoutRepeats(issues) };
};

const withoutRepeats = (issues: readonly ConfigIssue[]): readonly ConfigIssue[] => [
  ...new Map(issues.map((issue) => [JSON.stringify([issue.path, issue.at, issue.message]), issue])).values(),
];

// What zod finds

type ZodIssue = z.core.$ZodIssue;

const toIssue = (issue: ZodIssue, config: unknown): ConfigIssue => {
  const path = issue.path.filter((segment): segment is PathSegment => typeof segment !== 'symbol');
  if (issue.code === 'custom') {
    return { severity: 'error', path, message: issue.message, ...issue.params };
  }
  const value = valueAt(config, path);
  const expected = expectation(issue);
  if (expected === undefined)
    return { severity: 'error', path, message: `${issue.message}, got ${show(value)}` };
  if (value === undefined) return { severity: 'error', path, message: `is missing, expected ${expected}` };
  const finite = typeof value === 'number' && !Number.isFinite(value);
  const message = `expected ${finite ? 'a finite number' : expected}, got ${show(value)}`;
  return { severity: 'error', path, message, ...hintFor(issue, value) };
};

const hintFor = (issue: ZodIssue, value: unknown): { hint?: string } => {
  if (issue.code === 'invalid_value' && typeof value === 'string')
    return didYouMean(suggest(value, issue.values.map(String)));
  if (issue.code === 'invalid_union' && typeof value === 'string')
    return didYouMean(suggest(value, kindsOf(issue)));
  const [key] = Object.keys(Object(value) as object);
  // In YAML, braces without quotes are a map in a map.
  if (issue.code === 'invalid_type' && issue.expected === 'string' && key?.startsWith('{'))
    return { hint: 'in YAML, a text that starts with {{ stands in quotes: "{{ … }}"' };
  return {};
};

const didYouMean = (near: string | undefined): { hint?: string } =>
  near === undefined ? {} : { hint: `did you mean ${JSON.stringify(near)}?` };

/** Of a union's branches, the one that got furthest says most about what was meant; all of its mistakes count. */
const innermost = (issue: ZodIssue): readonly ZodIssue[] => {
  if (issue.code !== 'invalid_union') return [issue];
  const branches = issue.errors.map((branch) => branch.flatMap((inner) => innermost(behind(issue, inner))));
  const depths = branches.map((branch) => Math.max(...branch.map(({ path }) => path.length)));
  const furthest = Math.max(...depths);
  return furthest > issue.path.length ? branches[depths.indexOf(furthest)] : [issue];
};

const behind = (outer: ZodIssue, inner: ZodIssue): ZodIssue => ({
  ...inner,
  path: [...outer.path, ...inner.path],
});

/** What the schema wants, as a person says it; undefined when zod's own message is the best there is. */
const expectation = (issue: ZodIssue): string | undefined => {
  switch (issue.code) {
    case 'invalid_type':
      return withArticle(issue.expected);
    case 'invalid_value':
      return issue.values.length === 1 ? String(issue.values[0]) : `one of ${issue.values.join(', ')}`;
    case 'invalid_union': {
      if (issue.errors.length === 0) return `one of ${kindsOf(issue).join(', ')}`;
      const expected = issue.errors.map(([first]) => first && expectation(first));
      return expected.includes(undefined) ? undefined : [...new Set(expected)].join(' or ');
    }
    default:
      return undefined;
  }
};

/** What the union's `type` may be, where it is none of them. */
const kindsOf = (issue: ZodIssue): readonly string[] =>
  'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];

const withArticle = (type: string): string => {
  if (type === 'record') return 'an object';
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
};

// Keys that the schema does not know

/** Keys that other graders and objects of the API have, and that files carry along without harm. */
const TOLERATED_KEYS = new Set([
  'type',
  '$schema',
  'id',
  'name',
  'pass_threshold',
  'image_tag',
  'sampling_params',
  'assay',
]);

interface UnknownKey {
  readonly path: readonly PathSegment[];
  /** The keys that could stand there. */
  readonly known: readonly string[];
  readonly near?: string;
  /** The schema forbids keys it does not know. */
  readonly forbidden: boolean;
}

/** The fields of an object schema, by key. */
export type Shape = Readonly<Record<string, z.ZodType>>;

/** The fields of an object schema; undefined for any other schema. */
export const shapeOf = (schema: z.ZodType): Shape | undefined => (schema as { shape?: Shape }).shape;

/** What the schema says about keys it does not list: `never` in a strict object, anything else in a loose one. */
const otherKeys = (schema: z.ZodType): string | undefined =>
  (schema as { def: { catchall?: z.ZodType } }).def.catchall?.type;

const unknownKeys = (
  schema: z.ZodType,
  config: unknown,
  path: readonly PathSegment[] = [],
): readonly UnknownKey[] => {
  const element = elementOf(schema);
  if (element !== undefined && Array.isArray(config))
    return config.flatMap((value: unknown, index) => unknownKeys(element, value, [...path, index]));
  const shape = shapeOf(schema);
  if (shape === undefined || !isObject(config)) return [];
  const others = otherKeys(schema);
  return Object.entries(config).flatMap(([key, value]): readonly UnknownKey[] => {
    if (Object.hasOwn(shape, key)) return unknownKeys(unwrap(shape[key]), value, [...path, key]);
    if (value === undefined || key === '__proto__') return [];
    if (path.length === 0 && TOLERATED_KEYS.has(key)) return [];
    if (others !== undefined && others !== 'never') return [];
    const known = Object.keys(shape);
    const near = suggest(key, known);
    return [{ path: [...path, key], known, near, forbidden: others === 'never' }];
  });
};

/** The schema of an array's elements; undefined for any other schema. */
const elementOf = (schema: z.ZodType): z.ZodType | undefined => (schema as { element?: z.ZodType }).element;

/** A schema without what makes it optional or nullable. */
const unwrap = (schema: z.ZodType): z.ZodType =>
  elementOf(schema) === undefined && 'unwrap' in schema && typeof schema.unwrap === 'function'
    ? unwrap(schema.unwrap() as z.ZodType)
    : schema;

/** A mistyped key of a field that must be there is one mistake, not an unknown key and a missing field. */
const withUnknownKeys = (
  mistakes: readonly ConfigIssue[],
  schema: z.ZodType,
  config: unknown,
): readonly ConfigIssue[] => {
  const mistyped = new Set<ConfigIssue>();
  const unknown = unknownKeys(schema, config).map(({ path, known, near, forbidden }) => {
    const meant = near === undefined ? undefined : [...path.slice(0, -1), near].join('\0');
    const missing = mistakes.find(
      (issue) => issue.path.join('\0') === meant && valueAt(config, issue.path) === undefined,
    );
    if (missing) mistyped.add(missing);
    const rest = missing ? `and ${near} ${missing.message}` : `expected one of ${known.join(', ')}`;
    const severity: ConfigIssue['severity'] = forbidden || missing ? 'error' : 'warning';
    return aboutKey({ severity, path, message: `unknown key, ${rest}`, ...didYouMean(near) });
  });
  return [...mistakes.filter((issue) => !mistyped.has(issue)), ...unknown];
};

// Templates

/** What the sound fields of a broken configuration parse to. */
const soundFields = (schema: z.ZodType, config: unknown): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(shapeOf(schema) ?? {}).flatMap(([key, field]) => {
      const parsed = field.safeParse(valueAt(config, [key]));
      return parsed.success ? [[key, parsed.data]] : [];
    }),
  );

/** No grader holds templates deeper than a message's part: `input[0].content[0].text`. */
const MAX_TEMPLATE_DEPTH = 6;

const templateWarnings = (value: unknown, path: readonly PathSegment[]): readonly ConfigIssue[] => {
  if (typeof value !== 'object' || value === null || path.length > MAX_TEMPLATE_DEPTH) return [];
  if (isTemplate(value)) return value.warnings.map((warning) => ({ ...warning, path }));
  return Object.entries(value).flatMap(([key, inner]) =>
    templateWarnings(inner, [...path, Array.isArray(value) ? Number(key) : key]),
  );
};

const isTemplate = (value: object): value is Template => 'render' in value && 'warnings' in value;
