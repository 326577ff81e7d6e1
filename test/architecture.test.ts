import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** A part is a folder of src/, or a file that is in none. Imports go to a lower layer or stay in the part. */
const LAYERS = [
  ['errors', 'suggest', 'show', 'version', 'kernels', 'compensated-sum', 'group-by', 'judge-call'],
  ['score', 'json-value', 'json-scanner'],
  ['span', 'path'],
  ['contract'],
  ['template', 'members'],
  ['schema'],
  ['metrics', 'stats', 'formula', 'dataset', 'validation', 'python', 'judge'],
  ['methods'],
  ['criteria', 'json-schema'],
  ['graders', 'engine', 'results'],
  ['run'],
  ['threads', 'assembled-engine'],
  ['probe', 'rehearse', 'calibrate', 'export'],
  ['bench'],
  ['index', 'cli', 'worker'],
];

const layerOf = (part: string): number => LAYERS.findIndex((parts) => parts.includes(part));

/** Only these put the engine and the graders together. */
const ENTRIES = new Set(['index', 'cli', 'threads', 'worker']);

const ROOT = new URL('..', import.meta.url).pathname;

/** `src/metrics/bleu.ts` belongs to `metrics`, `src/engine.ts` to `engine`, `graders/multi.ts` to `graders`. */
const partOf = (path: string): string => path.replace(/^src\//, '').split(/[/.]/)[0];

const files = (
  await Promise.all(['src', 'graders'].map((folder) => readdir(join(ROOT, folder), { recursive: true })))
)
  .flatMap((names, index) => names.map((name) => join(['src', 'graders'][index], name)))
  .filter((path) => /(?<!\.d)\.ts$/.test(path) && !/node_modules|kernels\/assembly/.test(path));

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g;

test.each(files)('%s imports only what lies below it', async (path) => {
  const part = partOf(path);
  expect(LAYERS.flat()).toContain(part);
  for (const [, specifier] of (await readFile(join(ROOT, path), 'utf8')).matchAll(IMPORT)) {
    const target = join(path, '..', specifier);
    if (target === 'package.json' || partOf(target) === part) continue;
    expect(layerOf(partOf(target)), `${path} imports ${specifier}`).toBeLessThan(layerOf(part));
    if (partOf(target) === 'graders') expect(ENTRIES, `${path} imports ${specifier}`).toContain(part);
  }
});
