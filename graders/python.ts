import * as z from 'zod';
import { ConfigError, UnavailableError } from '../src/errors.js';
import { onOneLine } from '../src/show.js';
import { defineGrader, graderFields } from '../src/schema.js';

/** The hosted service's own limit. */
const MAX_SOURCE_BYTES = 256 * 1024;

/** A python grader as it stands in a file. */
export type PythonConfig = { readonly type: 'python' } & z.input<typeof python.schema>;

/**
 * Calls the function `grade(sample, item)` of a Python source; the reward is what it returns, in its own units. The source
 * runs in processes of their own, apart from this one. Whatever it does wrong fails the row it happens in.
 */
export const python = defineGrader({
  type: 'python',
  summary: 'the number that grade(sample, item) of a Python source returns',
  schema: z.object({
    ...graderFields,
    source: z
      .string()
      .refine((source) => Buffer.byteLength(source) < MAX_SOURCE_BYTES, {
        message: 'is too large, expected less than 256 kB of Python',
      })
      .describe('Python with a function grade(sample, item) that returns a number'),
    image_tag: z
      .string()
      .nullish()
      .transform((tag) => tag ?? undefined)
      .describe('The set of packages that the source is meant to run with: 2025-05-08'),
  }),
  async prepare({ source, image_tag, pass_threshold }, context) {
    if (context.python === undefined)
      throw new UnavailableError('python graders cannot run: this program has not said how to run Python');
    const program = await context.python.load({
      source,
      imageTag: image_tag,
      passThreshold: pass_threshold,
    });
    if (program.fault !== undefined) {
      const issue = { path: ['source'], message: `every row will fail: ${onOneLine(program.fault)}` };
      // A run goes on, as on the hosted service: its rows say why they fail.
      if (context.checksOnly === true) {
        await program.close();
        throw new ConfigError([{ ...issue, severity: 'error' }]);
      }
      context.warn(issue);
    }
    for (const warning of program.warnings) context.warn({ path: ['source'], ...warning });
    return {
      signature: program.signature,
      environment: program.environment,
      window: program.window,
      variables: [],
      readsJson: true,
      grade: (row) => program.grade(row),
      close: () => program.close(),
    };
  },
});
