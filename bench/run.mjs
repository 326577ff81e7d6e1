/**
 * Runs benchmarks and writes them to `bench/results/YYYY-MM-DD.md`; needs Python for the references, and a network once.
 *
 *     npm run bench -- [metrics] [engine] [formats] [peers] [python] [startup] [judge] [judge-chaos] [large] [python-memory] [rewards] [--rows N]
 *
 * Without names all of them run, but not `judge`, `judge-chaos`, `large`, `python-memory` and `rewards`. A section that was run before on the same day is replaced.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureReferences } from '../fixtures/golden/setup.mjs';

const HERE = import.meta.dirname;
const ROOT = join(HERE, '..');
const DEFAULT_SECTIONS = ['metrics', 'engine', 'formats', 'peers', 'python', 'startup'];
const SECTIONS = [...DEFAULT_SECTIONS, 'judge', 'judge-chaos', 'large', 'python-memory', 'rewards'];
const DEFAULT_ROWS = '1000000';

const readJson = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'));

const commit = () => {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
};

const list = (versions) =>
  Object.entries(versions)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

/** What the numbers depend on. */
const describeMachine = () => {
  const { version } = readJson(ROOT, 'package.json');
  const { dependencies } = readJson(HERE, 'package.json');
  const references = readJson(ROOT, 'fixtures/golden/versions.json');
  return [
    `- machine: ${cpus().length} x ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`,
    `- assay ${version} (${commit()}), Node ${process.version}`,
    `- references: ${list(references)}`,
    `- peers: ${list(dependencies)}`,
  ].join('\n');
};

/** The sections of an earlier run of the same day, by title. */
const readSections = (file) => {
  if (!existsSync(file)) return new Map();
  const [, ...sections] = readFileSync(file, 'utf8').split(/^## /m);
  return new Map(
    sections.map((section) => [
      section.slice(0, section.indexOf('\n')),
      section.slice(section.indexOf('\n')).trim(),
    ]),
  );
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rows: { type: 'string', default: DEFAULT_ROWS } },
});
const unknown = positionals.filter((name) => !SECTIONS.includes(name));
if (unknown.length > 0)
  throw new Error(`unknown section ${unknown.join(', ')}; expected ${SECTIONS.join(', ')}`);

execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
ensureReferences();
const date = new Date().toISOString().slice(0, 10);
const file = join(HERE, 'results', `${date}.md`);
mkdirSync(join(HERE, 'results'), { recursive: true });
const sections = readSections(file);
const chosen = positionals.length > 0 ? positionals : DEFAULT_SECTIONS;
const modules = await Promise.all(SECTIONS.map((name) => import(`./${name}.bench.mjs`)));
for (const [index, { title, run }] of modules.entries()) {
  if (!chosen.includes(SECTIONS[index])) continue;
  const body = await run({ rows: Number(values.rows) });
  process.stdout.write(`## ${title}\n\n${body}\n\n`);
  sections.set(title, body);
  // After every section, so that a stopped run keeps what it has measured.
  const known = modules.filter(({ title }) => sections.has(title));
  const parts = known.map(({ title }) => `## ${title}\n\n${sections.get(title)}\n`);
  writeFileSync(file, [`# Benchmarks, ${date}\n\n${describeMachine()}\n`, ...parts].join('\n'));
}
