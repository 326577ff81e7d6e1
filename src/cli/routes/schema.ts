import { buildCommand } from '@stricli/core';
import type { CommandContext } from '../context.js';
import type { SchemaFlags } from '../schema.js';

/** `assay schema`: its flags and help. */
export const schemaCommand = buildCommand<SchemaFlags, [], CommandContext>({
  loader: async () => (await import('../schema.js')).schemaCommand,
  parameters: {},
  docs: { brief: 'Print the JSON Schema of grader files, for editors' },
});
