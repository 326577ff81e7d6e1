import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

const ROOT = new URL('..', import.meta.url).pathname;

// Some packages read .env from the working directory when they are loaded.
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-import-'));
  await writeFile(join(folder, '.env'), 'ASSAY_TEST_LEAK=1\n');
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const modules = (
  await Promise.all(['src', 'graders'].map((name) => readdir(join(ROOT, name), { recursive: true })))
)
  .flatMap((names, index) => names.map((name) => join(ROOT, ['src', 'graders'][index], name)))
  .filter((path) => /(?<!\.d)\.ts$/.test(path) && !/cli\/bin|kernels\/(?:assembly|node_modules)/.test(path));

test('importing every module prints nothing and leaves the environment alone', async () => {
  const before = { ...process.env };
  const home = process.cwd();
  const writes = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write'));
  const logs = (['log', 'info', 'warn', 'error'] as const).map((method) => vi.spyOn(console, method));
  process.chdir(folder);
  try {
    for (const path of modules) await import(path);
    for (const spy of [...writes, ...logs]) expect(spy).not.toHaveBeenCalled();
    expect({ ...process.env }).toEqual(before);
  } finally {
    process.chdir(home);
    vi.restoreAllMocks();
  }
});

const built = ['index.js', 'metrics.js']
  .map((name) => join(ROOT, 'dist', name))
  .filter((path) => existsSync(path));

test.runIf(built.length > 0)('importing what is built does not either', async () => {
  const script = `
    const before = JSON.stringify(process.env);
    for (const url of ${JSON.stringify(built.map((path) => pathToFileURL(path).href))}) await import(url);
    if (JSON.stringify(process.env) !== before) throw new Error('process.env has changed');`;
  const argv = ['--input-type=module', '--eval', script];
  expect(await promisify(execFile)(process.execPath, argv, { cwd: folder })).toEqual({
    stdout: '',
    stderr: '',
  });
});
