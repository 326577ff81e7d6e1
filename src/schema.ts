import * as z from 'zod';
import type { GraderDefinition } from './contract.js';
import { compileTemplate, TemplateError } from './template.js';

/** A text with `{{ item.x }}` and `{{ sample.y }}` in it, compiled as the configuration is parsed. */
export const template = z.string().transform((source, context) => {
  try {
    return compileTemplate(source);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    for (const { message, ...params } of error.issues) {
      // `continue` makes it a mistake in a text, not a reason to try what else a union could be.
      context.addIssue({ code: 'custom', message, params, continue: true });
    }
    return z.NEVER;
  }
});

/** A field that may be missing, or null as in what OpenAI's Python package prints. */
const optional = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform((value) => value ?? undefined);

const name = optional(z.string()).describe('How results and messages call this grader');

/** The field of every grader, whatever its type. */
export const nameField = { name };

/** The fields of a grader whose reward is a measure: whether a row passes is a matter of its threshold. */
export const graderFields = {
  name,
  pass_threshold: optional(z.number()).describe('A row passes when its reward is at least this'),
};

/** A grader inside a grader. Its own type's schema checks it, so here it may be anything. */
export const memberGrader = z.unknown().meta({ id: 'grader' });

/** Gives a grader definition its types: `prepare` receives what `schema` parses to. */
export const defineGrader = <Schema extends z.ZodObject>(
  definition: GraderDefinition<Schema>,
): GraderDefinition<Schema> => definition;
