import type { GraderDefinition } from '../contract.js';
import type { ConfigIssue } from '../errors.js';
import { show } from '../show.js';
import { suggest } from '../suggest.js';

/** The grader definitions by the `type` that selects them. */
export type Registry = ReadonlyMap<string, GraderDefinition>;

/** @throws TypeError when two definitions have the same type: a program's mistake, not a configuration's */
export const createRegistry = (graders: readonly GraderDefinition[]): Registry => {
  const registry = new Map<string, GraderDefinition>();
  for (const definition of graders) {
    const { type } = definition;
    if (registry.has(type)) throw new TypeError(`two graders have the type ${show(type)}`);
    registry.set(type, definition);
  }
  return registry;
};

/** What a configuration's `type` selects, and what is wrong with it. */
export interface Selection {
  /** Beside an issue: what was most likely meant, so that the rest can be checked as well. */
  readonly definition?: GraderDefinition;
  readonly issue?: ConfigIssue;
}

/** Types of OpenAI's API that may be missing from a registry, for a better message than "unknown". */
const API_TYPES = new Set([
  'string_check',
  'text_similarity',
  'python',
  'score_model',
  'label_model',
  'multi',
]);

/** Finds the definition that a configuration asks for. */
export const selectDefinition = (registry: Registry, config: unknown): Selection => {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    const message = `expected a grader (an object with a "type"), got ${show(config)}`;
    return { issue: { severity: 'error', path: [], message } };
  }
  const { type } = config as { type?: unknown };
  const definition = typeof type === 'string' ? registry.get(type) : undefined;
  return definition === undefined ? refuseType(registry, config, type) : { definition };
};

const refuseType = (registry: Registry, config: object, type: unknown): Selection => {
  const types = [...registry.keys()];
  const known = types.join(', ');
  const refuse = (message: string, near?: string): Selection => ({
    ...(near !== undefined && { definition: registry.get(near) }),
    issue: {
      severity: 'error',
      path: ['type'],
      message,
      ...(near !== undefined && { hint: `did you mean ${JSON.stringify(near)}?` }),
    },
  });
  if (type === undefined) {
    const mistyped = suggest('type', Object.keys(config));
    const near = mistyped === undefined ? guessType(registry, config) : undefined;
    const rest = mistyped === undefined ? '' : `; the grader has ${show(mistyped)}`;
    return refuse(`is missing, expected one of ${known}${rest}`, near);
  }
  if (typeof type !== 'string') return refuse(`expected one of ${known}, got ${show(type)}`);
  if (API_TYPES.has(type)) return refuse(`this version cannot run ${type} graders; it has ${known}`);
  return refuse(`unknown grader type ${show(type)}, expected one of ${known}`, suggest(type, types));
};

/** The type whose own fields are all there: what has an `operation` and all the rest is a string_check. */
const guessType = (registry: Registry, config: object): string | undefined =>
  [...registry.values()].find(({ schema }) => {
    const { required = [] } = schema.toJSONSchema({ io: 'input', unrepresentable: 'any' });
    return required.length > 0 && required.every((key) => Object.hasOwn(config, key));
  })?.type;
