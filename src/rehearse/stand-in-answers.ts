import type { JsonObject, Row, TemplateVariable } from '../contract.js';
import { promptOf } from '../dataset/row-text.js';
import { GradingError } from '../errors.js';
import { isObject } from '../json-value.js';
import { compileTemplate } from '../template.js';
import type { ReinforcementJob } from './job.js';

/** What stands in for the output of a model: a text made of the references that the grader reads, or the prompt itself. */
export const STAND_INS = ['ideal', 'echo'] as const;

/** One of {@link STAND_INS}. */
export type StandIn = (typeof STAND_INS)[number];

/** Fields of a training row that hold no reference. */
const NO_REFERENCES = new Set<unknown>(['messages', 'tools']);

/**
 * Makes answers for rows of which nobody has sampled any: enough to see whether the grader can grade them at all, what its
 * rewards are like at both ends, and how long it takes.
 */
export class StandInAnswers {
  private readonly referencePaths: readonly TemplateVariable[];
  private readonly outputPaths: readonly (readonly (string | number)[])[];

  /** @param variables  of the grader's templates; undefined where it reads rows otherwise */
  constructor(
    private readonly job: ReinforcementJob,
    variables: readonly TemplateVariable[] | undefined = [],
  ) {
    this.referencePaths = variables.filter(
      ({ namespace, path }) => namespace === 'item' && path.length > 0 && !NO_REFERENCES.has(path[0]),
    );
    this.outputPaths = variables
      .filter(({ namespace, path }) => namespace === 'sample' && path[0] === 'output_json')
      .map(({ path }) => path.slice(1));
  }

  /** The row with an answer; undefined where it has nothing to make the answer of. */
  rowWith(kind: StandIn, row: Row): Row | undefined {
    const pick = kind === 'echo' ? echoOf(row) : this.idealOf(row);
    if (pick === undefined) return undefined;
    const { item, index } = row;
    return {
      item,
      index,
      sample: { output_text: this.outputOf(pick) },
      sourceText: (namespace, path) => (namespace === 'item' ? row.sourceText?.(namespace, path) : undefined),
    };
  }

  private idealOf(row: Row): Pick | undefined {
    const references = this.referencesIn(row);
    if (references.length === 0) return undefined;
    return (name) => (references.find((reference) => reference.name === name) ?? references[0]).text;
  }

  private referencesIn(row: Row): readonly Reference[] {
    const ofTemplates = this.referencePaths.flatMap((variable) => rendered(variable, row));
    if (ofTemplates.length > 0) return ofTemplates;
    const named = this.job.grader.sources.flatMap(namesIn).filter((name) => Object.hasOwn(row.item, name));
    const names = named.length > 0 ? named : Object.keys(row.item);
    return names
      .filter((name) => !NO_REFERENCES.has(name))
      .flatMap((name) => leavesOf(name, row.item[name], 0).slice(0, 1));
  }

  /** In the form that the job asks for, or that the grader's templates look into. */
  private outputOf(pick: Pick): string {
    const { format } = this.job;
    const shaped = format === undefined ? undefined : filled(format.schema, '', pick, 0);
    const output = this.outputPaths.reduce<unknown>((value, path) => withText(value, path, pick), shaped);
    return output === undefined ? pick('') : JSON.stringify(output);
  }
}

/** Gives the text for a field of the output, by its name; the main one for a name that is not known. */
type Pick = (name: string) => string;

interface Reference {
  readonly name: string;
  readonly text: string;
}

const echoOf = (row: Row): Pick => {
  const text = promptOf(row)?.text ?? '';
  return () => text;
};

const rendered = ({ path, expression }: TemplateVariable, row: Row): readonly Reference[] => {
  try {
    return [{ name: String(path.at(-1)), text: compileTemplate(`{{ ${expression} }}`).render(row) }];
  } catch (error) {
    if (!(error instanceof GradingError)) throw error;
    return [];
  }
};

/** The fields that a Python source takes from its item, as far as they stand in it: `item["answer"]`. */
const namesIn = (source: string): readonly string[] =>
  Array.from(source.matchAll(/\bitem\s*(?:\[|\.get\()\s*(["'])([^"'\\\n]{1,100})\1/g), ([, , name]) => name);

const MAX_DEPTH = 20;
const MAX_INDEX = 100;

const leavesOf = (name: string, value: unknown, depth: number): readonly Reference[] => {
  if (typeof value === 'string') return [{ name, text: value }];
  if (typeof value === 'number' || typeof value === 'boolean') return [{ name, text: String(value) }];
  if (typeof value !== 'object' || value === null || depth === MAX_DEPTH) return [];
  return Object.entries(value).flatMap(([key, inside]) => leavesOf(key, inside, depth + 1));
};

/** A value of a JSON Schema's form. */
const filled = (schema: unknown, name: string, pick: Pick, depth: number): unknown => {
  if (!isObject(schema) || depth === MAX_DEPTH) return pick(name);
  const text = pick(name);
  if (Array.isArray(schema.enum)) return schema.enum.includes(text) ? text : (schema.enum[0] as unknown);
  if (Object.hasOwn(schema, 'const')) return schema.const;
  const type: unknown = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === 'number' || type === 'integer') return numberIn(text);
  if (type === 'boolean') return text === 'true';
  if (type === 'null') return null;
  if (type === 'array') return [filled(schema.items, name, pick, depth + 1)];
  if (type === undefined && Array.isArray(schema.anyOf))
    return filled(schema.anyOf[0], name, pick, depth + 1);
  if (!isObject(schema.properties)) return text;
  const fields = Object.entries(schema.properties);
  return Object.fromEntries(fields.map(([key, inside]) => [key, filled(inside, key, pick, depth + 1)]));
};

const numberIn = (text: string): number => {
  const number = Number(text);
  return text.trim() !== '' && Number.isFinite(number) ? number : 0;
};

/** The value with the text for a path of it, where there is nothing yet. */
const withText = (value: unknown, path: readonly (string | number)[], pick: Pick, name = ''): unknown => {
  const [key, ...rest] = path;
  if (key === undefined) return value ?? pick(name);
  if (typeof key === 'number') {
    if (key > MAX_INDEX) return value;
    const list: readonly unknown[] = Array.isArray(value) ? value : [];
    return Array.from({ length: Math.max(list.length, key + 1) }, (_, index) =>
      index === key ? withText(list[index], rest, pick, name) : list[index],
    );
  }
  const fields: JsonObject = isObject(value) ? value : {};
  const inside = Object.hasOwn(fields, key) ? fields[key] : undefined;
  return { ...fields, [key]: withText(inside, rest, pick, key) };
};
