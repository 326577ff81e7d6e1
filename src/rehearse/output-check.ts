import type { Row } from '../contract.js';
import { candidateOf } from '../dataset/row-text.js';
import type { Failed } from '../score.js';
import { compileOutputSchema, type OutputSchema } from './output-schema.js';

/** Whether an output has the form that a job asks for. */
export interface CheckedOutput {
  readonly problem?: 'not_json' | 'mismatch';
  /** What is wrong, in words. */
  readonly message?: string;
}

/** How many outputs do not have the form that a job asks for. */
export interface OutputSummary {
  readonly name: string;
  /** Outputs with a text; those that only call tools have none. */
  readonly checked: number;
  readonly not_json: number;
  readonly mismatched: number;
  readonly first: readonly { readonly place: string; readonly message: string }[];
  /** Keywords of the schema that were not checked. */
  readonly unchecked_keywords: readonly string[];
}

/** Checks outputs against the schema of a `response_format`. */
export class OutputCheck {
  private readonly schema: OutputSchema;

  constructor(schema: unknown) {
    this.schema = compileOutputSchema(schema);
  }

  /** @returns undefined for a row without an output, or with tool calls in place of a text */
  of(row: Row | Failed): CheckedOutput | undefined {
    if ('status' in row) return undefined;
    const text = candidateOf(row);
    const calls = row.sample?.output_tools;
    if (text === undefined || (text === '' && Array.isArray(calls) && calls.length > 0)) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return { problem: 'not_json', message: notJson(text) };
    }
    const message = this.schema.mistakeIn(value);
    return message === undefined ? {} : { problem: 'mismatch', message };
  }
}

const notJson = (text: string): string =>
  text === ''
    ? 'is empty, expected JSON'
    : `is not JSON, it starts with ${JSON.stringify(text.slice(0, 40))}`;

const SHOWN = 3;

/** Adds up what came of outputs, in their order. */
export const summariseOutputs = (
  { name, schema }: { readonly name: string; readonly schema: unknown },
  rows: Iterable<{ readonly place: string; readonly output?: CheckedOutput }>,
): OutputSummary => {
  let checked = 0;
  const counts = { not_json: 0, mismatch: 0 };
  const first: { place: string; message: string }[] = [];
  for (const { place, output } of rows) {
    if (output === undefined) continue;
    checked += 1;
    if (output.problem === undefined) continue;
    counts[output.problem] += 1;
    if (first.length < SHOWN) first.push({ place, message: output.message ?? '' });
  }
  return {
    name,
    checked,
    not_json: counts.not_json,
    mismatched: counts.mismatch,
    first,
    unchecked_keywords: compileOutputSchema(schema).unchecked,
  };
};
