import { builtinGraders } from '../../graders/index.js';
import { createEngine } from '../engine.js';
import type { CommandContext } from './context.js';

export type SchemaFlags = Record<never, never>;

/** `assay schema` */
export function schemaCommand(this: CommandContext): void {
  const schema = createEngine({ graders: builtinGraders }).jsonSchema();
  this.io.stdout.write(`${JSON.stringify(schema, undefined, 2)}\n`);
}
