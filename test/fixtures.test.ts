import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { assay } from './cli/assay.js';

const FIXTURES = new URL('../fixtures/', import.meta.url).pathname;

const cases = (await readdir(FIXTURES)).filter((name) => existsSync(join(FIXTURES, name, 'expected.jsonl')));

test('there are cases', () => expect(cases).toContain('support-replies'));

test.each(cases)('fixtures/%s gives its expected lines', async (name) => {
  const folder = join(FIXTURES, name);
  const grader = (await readdir(folder)).find((file) => file.startsWith('grader.')) ?? '';
  const extra = join(folder, 'arguments.json');
  const flags = existsSync(extra) ? (JSON.parse(await readFile(extra, 'utf8')) as string[]) : [];
  const { code, stdout } = await assay([
    'run',
    join(folder, grader),
    join(folder, 'dataset.jsonl'),
    '--quiet',
    '--max-failed',
    '1',
    ...flags,
  ]);
  expect(code).toBe(0);
  expect(stdout).toBe(await readFile(join(folder, 'expected.jsonl'), 'utf8'));
});
