import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { builtinGraders } from '../../graders/index.js';
import { main } from '../../src/cli/main.js';
import { configurationSchema } from '../../src/json-schema.js';

test('assay schema prints the JSON Schema of the built-in graders', async () => {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const { signal } = new AbortController();
  expect(await main(['schema'], { stdin, stdout, stderr, env: {}, signal })).toBe(0);
  stdout.end();
  const printed = (await stdout.setEncoding('utf8').toArray()).join('');
  expect(JSON.parse(printed)).toEqual(configurationSchema(builtinGraders));
});
