import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import ts from 'typescript';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openCache } from '../../src/judge/cache.js';
import { callsPath, openCallFile } from '../../src/judge/cache-file.js';
import { cacheStats, pruneCache } from '../../src/judge/cache-prune.js';
import { keyOf } from './cache-calls.js';

const ROOT = new URL('../..', import.meta.url).pathname;

/** The code of the cache as JavaScript, for processes that are killed. */
let code: string;
let folder: string;
let warnings: string[];
beforeAll(() => {
  code = mkdtempSync(join(tmpdir(), 'assay-cache-code-'));
  writeFileSync(join(code, 'package.json'), '{"type":"module"}');
  const parts = readdirSync(join(ROOT, 'src/judge')).filter((name) => /^(?:cache|call-key)/.test(name));
  const below = ['errors.ts', 'show.ts', 'json-value.ts'];
  for (const path of [...parts.map((name) => `src/judge/${name}`), ...below.map((name) => `src/${name}`)]) {
    const { outputText } = ts.transpileModule(readFileSync(join(ROOT, path), 'utf8'), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        verbatimModuleSyntax: true,
      },
    });
    const target = join(code, path.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
  writeFileSync(join(code, 'child.js'), CHILD);
});
afterAll(() => rm(code));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-cache-'));
  warnings = [];
});
afterEach(() => rm(folder));
const rm = (path: string): void => rmSync(path, { recursive: true, force: true });

/** Says a number once its record has been put, or what it was warned of. */
const CHILD = `
import { createHash } from 'node:crypto';
import { openCache } from './src/judge/cache.js';
import { openCallFile } from './src/judge/cache-file.js';
const [, , kind, path, from, to, size] = process.argv;
const say = (text) => process.stdout.write(text + '\\n');
const store = kind === 'cache' ? openCache(path, { onWarning: say }) : openCallFile(path, { resume: true, onWarning: say });
const keyOf = (name) => createHash('sha256').update(String(name)).digest('hex');
for (let n = Number(from); n < Number(to); n += 1) {
  store.put({ key: keyOf(n), kind: 'reply', value: n + ' '.repeat(Number(size)) });
  say(String(n));
  if (n % 10 === 0) await new Promise(setImmediate);
}
await store.close();
`;

const childArguments = (kind: 'cache' | 'calls', path: string, from: number, to: number, size: number) =>
  [join(code, 'child.js'), kind, path, from, to, size].map(String);

/** The lines that a process writes; the last of all is how it ended. */
async function* linesOf(child: ChildProcess): AsyncGenerator<string, void, undefined> {
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
  if (child.stdout !== null) yield* createInterface({ input: child.stdout });
  yield (await ended).join(' ').trim();
}

const write = (...what: Parameters<typeof childArguments>) =>
  spawn(process.execPath, childArguments(...what), { stdio: ['ignore', 'pipe', 'inherit'] });

const read = (...numbers: readonly number[]) => {
  const cache = openCache(folder, { onWarning: (message) => warnings.push(message) });
  return { cache, values: numbers.map((n) => cache.get('reply', keyOf(n))?.value) };
};

/** Starts a process, kills it with SIGKILL in the midst of its writing, and gives what it had said. */
const killAfter = async (count: number, ...what: Parameters<typeof childArguments>): Promise<number[]> => {
  const child = write(...what);
  const said: string[] = [];
  for await (const line of linesOf(child)) if (said.push(line) === count) child.kill('SIGKILL');
  expect(said.pop()).toBe('SIGKILL');
  return said.map(Number);
};

test('several processes write and read at once, and each finds what all have written', async () => {
  const reader = openCache(folder, { onWarning: (message) => warnings.push(message) });
  const children = [0, 1, 2].map((n) => linesOf(write('cache', folder, n * 500, n * 500 + 1000, 200)));
  const running = { children: 3 };
  const ends = Promise.all(
    children.map(async (lines) => {
      let last = '';
      for await (const line of lines) last = line;
      running.children -= 1;
      return last;
    }),
  );
  while (running.children > 0) {
    await new Promise(setImmediate);
    await pruneCache(folder, { maxBytes: 10_000_000 });
    reader.get('reply', keyOf('nothing'));
  }
  expect((await ends).map((end) => end.trim())).toEqual(['0', '0', '0']);
  await new Promise((resolve) => setTimeout(resolve, 11));
  const values = Array.from({ length: 2000 }, (_, n) => reader.get('reply', keyOf(n))?.value);
  expect(values.every((value, n) => typeof value === 'string' && Number(value) === n)).toBe(true);
  await reader.close();
  expect(warnings).toEqual([]);
  expect(await cacheStats(folder)).toMatchObject({ replies: 2000, problems: [] });
});

describe('kill -9 in the midst of writing', () => {
  test.each([
    { count: 3, size: 8_000_000 },
    { count: 4, size: 8_000_000 },
    { count: 100, size: 100_000 },
    { count: 1500, size: 300 },
  ])('$count records of $size bytes: none is lost', async ({ count, size }) => {
    const said = await killAfter(count, 'cache', folder, 0, 100_000, size);
    expect(said.length).toBeGreaterThanOrEqual(count);
    const { cache, values } = read(...said);
    expect(values.map((value) => Number.parseInt(String(value), 10))).toEqual(said);
    await cache.close();
    expect(warnings).toEqual([]);
    // What the dead process had open is finished, so that it can be pruned.
    expect(readdirSync(folder).filter((name) => name.endsWith('.live'))).toEqual([]);
  });

  test('the calls of a run are all there when it goes on', async () => {
    const path = callsPath(join(folder, 'scores.jsonl'));
    const said = [
      ...(await killAfter(50, 'calls', path, 0, 100_000, 100_000)),
      ...(await killAfter(3, 'calls', path, 200_000, 300_000, 8_000_000)),
      ...(await killAfter(50, 'calls', path, 400_000, 500_000, 1000)),
    ];
    const calls = openCallFile(path, { resume: true, onWarning: (message) => warnings.push(message) });
    for (const n of said) expect(Number.parseInt(String(calls?.get('reply', keyOf(n))?.value), 10)).toBe(n);
    await calls?.remove();
    expect(warnings).toEqual([]);
  });
});

test.runIf(process.platform === 'linux')(
  'a full disk costs one warning, and nothing of what was there',
  async () => {
    // A limit of the shell's for files stands in for the disk: writes are cut short, then refused.
    const limited = 'trap "" XFSZ; ulimit -f 100; exec "$0" "$@"';
    const child = spawn(
      'bash',
      ['-c', limited, process.execPath, ...childArguments('cache', folder, 0, 200, 1000)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const said: string[] = [];
    for await (const line of linesOf(child)) said.push(line);
    expect(said.pop()).toBe('0');
    const told = said.filter((line) => !/^\d+$/.test(line));
    expect(told).toEqual([
      `judge cache ${folder}: nothing can be written (EFBIG: file too large, write); the run goes on without it`,
    ]);
    const kept = said.indexOf(told[0]);
    const { cache, values } = read(...Array.from({ length: 200 }, (_, n) => n));
    expect(values.map((value) => value !== undefined)).toEqual(values.map((_, n) => n < kept));
    expect(kept).toBeGreaterThan(50);
    await cache.close();
    expect(warnings).toEqual([]);
  },
);
