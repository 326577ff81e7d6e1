/** The Python half of the metrics' benchmark, and fastnltk for it. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PYTHON, PYTHON_ENV } from '../fixtures/golden/setup.mjs';

const HERE = import.meta.dirname;
/** What pip is asked for. */
export const FASTNLTK = 'fastnltk==0.5.5';
/** A folder of its own, for it asks for another NLTK than the references are pinned to. */
const FASTNLTK_FOLDER = join(HERE, '.venv', FASTNLTK);

/** Not every Python and machine can have it, so nothing depends on it. */
const installFastnltk = () => {
  if (existsSync(FASTNLTK_FOLDER)) return;
  process.stderr.write(`metrics: ${FASTNLTK}\n`);
  const pip = [
    '-m',
    'pip',
    '--quiet',
    '--disable-pip-version-check',
    'install',
    '--no-deps',
    '--only-binary=:all:',
  ];
  try {
    execFileSync(PYTHON, [...pip, '--retries', '1', '--target', FASTNLTK_FOLDER, FASTNLTK]);
  } catch {
    process.stderr.write(`metrics: ${FASTNLTK} cannot be installed here and is left out\n`);
  }
};

/** A Python process that reads a line and answers it with one. */
const startPython = () => {
  const child = spawn(PYTHON, [join(HERE, 'references_bench.py')], {
    env: { ...PYTHON_ENV, PYTHONPATH: FASTNLTK_FOLDER },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdout.setEncoding('utf8');
  let received = '';
  let answer;
  child.stdout.on('data', (chunk) => {
    received += chunk;
    if (!received.endsWith('\n')) return;
    answer.resolve(JSON.parse(received));
    received = '';
  });
  child.on('exit', (code) => answer?.reject(new Error(`references_bench.py ended with code ${code}`)));
  const ask = (request) =>
    new Promise((resolve, reject) => {
      answer = { resolve, reject };
      child.stdin.write(`${JSON.stringify(request)}\n`);
    });
  return { ask, stop: () => child.stdin.end() };
};

/**
 * Starts the references.
 *
 * - `usePairs(pairs)` sends the pairs that follow
 * - `time(library, cell, passes)` gives the CPU seconds of so many passes over them
 * - `has(library, cell)` says whether a library is there and has this cell
 */
export const startReferences = async () => {
  installFastnltk();
  const { ask, stop } = startPython();
  const { cells } = await ask({ cells: true });
  return {
    usePairs: (pairs) => ask({ pairs }),
    time: async (library, cell, passes) => (await ask({ library, cell, passes })).seconds,
    has: (library, cell) => cells[library]?.includes(cell) ?? false,
    stop,
  };
};
