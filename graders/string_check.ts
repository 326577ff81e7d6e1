import * as z from 'zod';
import { defineGrader, nameField, template } from '../src/schema.js';
import { scored } from '../src/score.js';

const OPERATIONS = {
  eq: (candidate: string, reference: string) => candidate === reference,
  ne: (candidate: string, reference: string) => candidate !== reference,
  neq: (candidate: string, reference: string) => candidate !== reference,
  like: (candidate: string, reference: string) => candidate.includes(reference),
  ilike: (candidate: string, reference: string) => candidate.toLowerCase().includes(reference.toLowerCase()),
} as const;

const MATCH = Object.freeze(scored(1, 1));
const NO_MATCH = Object.freeze(scored(0, 1));

/** A string_check as it stands in a file. */
export type StringCheckConfig = { readonly type: 'string_check' } & z.input<typeof stringCheck.schema>;

/**
 * Compares `input` with `reference`; the reward is 1 or 0, and 1 passes. Texts are compared as they are: nothing is
 * trimmed or normalised. An empty reference is contained in every text.
 */
export const stringCheck = defineGrader({
  type: 'string_check',
  summary: 'input equals (eq, ne) or contains (like, ilike) the reference',
  schema: z.object({
    ...nameField,
    input: template.describe('The text to check, usually {{ sample.output_text }}'),
    reference: template.describe('The text to compare with, usually {{ item.… }}'),
    operation: z
      .enum(['eq', 'ne', 'like', 'ilike', 'neq'])
      .describe('eq: equal; ne (or neq): different; like: contains; ilike: contains, ignoring case'),
  }),
  prepare({ input, reference, operation }) {
    const matches = OPERATIONS[operation];
    return {
      signature: `string_check:${operation}`,
      variables: [...input.variables, ...reference.variables],
      grade: (row) => (matches(input.render(row), reference.render(row)) ? MATCH : NO_MATCH),
    };
  },
});
