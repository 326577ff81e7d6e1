import type * as z from 'zod';
import type { ConfigIssue, PathSegment } from '../errors.js';
import { valueAt } from '../json-value.js';
import { memberGrader } from '../schema.js';
import { aboutKey, shapeOf } from '../validation.js';

/** A part of a configuration and where it lies. */
export interface Part {
  readonly path: readonly PathSegment[];
  readonly config: unknown;
}

/** The graders inside a grader, found by its schema: wherever that has a `memberGrader`. */
export const nestedGraders = (schema: z.ZodType, config: unknown): readonly Part[] =>
  Object.entries(shapeOf(schema) ?? {}).flatMap(([key, field]) => {
    const value = valueAt(config, [key]);
    return holdsGraders(field) && typeof value === 'object' && value !== null
      ? Object.entries(value).map(([name, member]): Part => ({
          path: [key, Array.isArray(value) ? Number(name) : name],
          config: member,
        }))
      : [];
  });

/** A map or an array of graders, or a choice between the two. */
const holdsGraders = (schema: z.ZodType): boolean => {
  const { options = [], valueType, element } = (schema as { def: ContainerDefinition }).def;
  return valueType === memberGrader || element === memberGrader || options.some(holdsGraders);
};

interface ContainerDefinition {
  readonly options?: readonly z.ZodType[];
  readonly valueType?: z.ZodType;
  readonly element?: z.ZodType;
}

/** A place in a configuration; linked, because a path for each place of a deep configuration would fill the memory. */
interface Place {
  readonly value: unknown;
  readonly segment?: PathSegment;
  readonly parent?: Place;
}

/** Every own key `__proto__`, at any depth: no configuration means it, and a copy of it would change its own nature. */
export const prototypeKeys = (config: unknown): readonly ConfigIssue[] => {
  const issues: ConfigIssue[] = [];
  const seen = new Set<object>();
  const waiting: Place[] = [{ value: config }];
  for (let parent = waiting.pop(); parent !== undefined; parent = waiting.pop()) {
    const { value } = parent;
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    for (const [key, inner] of Object.entries(value)) {
      const place = { value: inner, segment: Array.isArray(value) ? Number(key) : key, parent };
      if (key !== '__proto__') waiting.push(place);
      else
        issues.push(
          aboutKey({ severity: 'error', path: pathOf(place), message: 'is not accepted as a key' }),
        );
    }
  }
  return issues;
};

const pathOf = (place: Place): readonly PathSegment[] => {
  const path: PathSegment[] = [];
  for (let at: Place | undefined = place; at?.segment !== undefined; at = at.parent) path.push(at.segment);
  return path.toReversed();
};
