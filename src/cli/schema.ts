import { builtinGraders } from '../../graders/index.js';
import { createEngine } from '../engine.js';
import type { CommandContext } from './context.js';

/** `assay schema` has no flags. */
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- the type of the parser's own `{}`
export type SchemaFlags = Record<never, never>;

/** `assay schema` */
export const schemaCommand = function (this: CommandContext): void {
  const schema = createEngine({ graders: builtinGraders }).jsonSchema();
  this.io.stdout.write(`${JSON.stringify(schema, undefined, 2)}\n`);
};
