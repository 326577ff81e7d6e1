import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { env } from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diagnose } from '../../src/python/diagnosis.js';
import { environmentFor } from '../../src/python/environments.js';
import { requireImage } from '../../src/python/images.js';
import { tryImports, tryState, tryTricks } from '../../src/python/self-test.js';
import { measureSpeed } from '../../src/python/speed.js';

const ask = (code: string): string => execFileSync('python3', ['-c', code], { encoding: 'utf8' }).trim();
const python = ask('import sys; print(sys.executable)');
const version = ask('import sys; print(*sys.version_info[:3], sep=".")');

const root = mkdtempSync(join(tmpdir(), 'assay-diagnosis-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

/** A program that is no Python. */
const script = (name: string, text: string): string => {
  const path = join(root, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return path;
};

const nowhere = { PATH: '', ASSAY_HOME: join(root, 'home') };

describe('a diagnosis', () => {
  test('of this machine', async () => {
    const found = await diagnose({ python, env: { ...env, ...nowhere } });
    expect(found.python).toMatchObject({
      usable: true,
      command: python,
      origin: '--python',
      version,
      implementation: 'cpython',
    });
    expect(found.images).toEqual([
      {
        tag: '2025-05-08',
        state: 'missing',
        packages: 16,
        pythons: ['3.12', '3.11', '3.13', '3.10'],
        folder: null,
        python: null,
        missing_packages: [],
        other_versions: [],
        missing_nltk_data: [],
      },
    ]);
    expect(found.containment.map(({ name }) => name)).toEqual([
      'landlock',
      'seccomp',
      'no_new_privs',
      'rlimits',
      'user_namespaces',
      'cgroup',
      'root',
      'shm',
      'bubblewrap',
    ]);
    expect(found.containment.at(-1)?.detail).toMatch(/^bwrap is not on PATH/);
    expect(found.isolation).toEqual([
      { level: 'confined', available: true, default: true },
      { level: 'strict', available: true, default: false },
      { level: 'open', available: true, default: false },
    ]);
  });

  test('where a script starts Python, as with pyenv', async () => {
    const shim = script('shim', `exec ${python} "$@"`);
    const found = await diagnose({ python: shim, env: { ...env, ...nowhere } });
    expect(found.python).toMatchObject({ command: shim, executable: python, version });
    expect(found.isolation.map(({ available }) => available)).toEqual([true, true, true]);
  });

  test('where bubblewrap is there and does not work', async () => {
    script('bwrap', 'echo "bwrap: no permission" >&2; exit 1');
    const found = await diagnose({ python, env: { PATH: root } });
    expect(found.containment.at(-1)).toMatchObject({ name: 'bubblewrap', offered: false });
  });

  test.each([
    { what: 'no Python', python: undefined, message: /neither python3 nor python is on PATH$/ },
    {
      what: 'a Python that is not there',
      python: '/not/there',
      message: /^--python \/not\/there is not there$/,
    },
    {
      what: 'no program of Python',
      python: script('other', 'exit 3'),
      message: /other does not answer like a Python$/,
    },
    {
      what: 'an old Python',
      python: script('old', 'echo /old; echo 3.8'),
      message: /old is Python 3\.8; python graders need 3\.9 or newer$/,
    },
  ])('with $what', async ({ python, message }) => {
    const found = await diagnose({ python, env: nowhere });
    expect(found.python).toMatchObject({ usable: false, message: expect.stringMatching(message) });
    expect(found.containment).toEqual([]);
    expect(found.isolation.map(({ available }) => available)).toEqual([false, false, false]);
  });

  test('of macOS: only open', async () => {
    const { isolation } = await diagnose({ python, env: nowhere, platform: 'darwin' });
    expect(isolation).toMatchObject([
      { level: 'confined', available: false, reason: "Landlock and seccomp are Linux's" },
      { level: 'strict', available: false },
      { level: 'open', available: true },
    ]);
  });

  test('of Windows: none, and WSL2 is the way', async () => {
    const { python: found, isolation } = await diagnose({ python, env: nowhere, platform: 'win32' });
    expect(found).toMatchObject({ usable: false, hint: expect.stringContaining('WSL2') });
    expect(isolation.map(({ available }) => available)).toEqual([false, false, false]);
  });

  test('of an environment that lacks something of its image', async () => {
    const image = requireImage('2025-05-08');
    const { folder, command } = environmentFor(image, '3.12', nowhere);
    mkdirSync(join(folder, 'lib/python3.12/site-packages/numpy-2.2.4.dist-info'), { recursive: true });
    mkdirSync(join(folder, 'lib/python3.12/site-packages/scipy-1.0.dist-info'), { recursive: true });
    mkdirSync(join(folder, 'nltk_data/corpora/wordnet'), { recursive: true });
    mkdirSync(dirname(command), { recursive: true });
    writeFileSync(command, '#!/bin/sh\nexit 1', { mode: 0o755 });
    const { images, python: found } = await diagnose({ imageTag: image.tag, env: nowhere });
    expect(images).toHaveLength(1);
    expect(images[0]).toMatchObject({
      state: 'partial',
      folder,
      python: '3.12',
      other_versions: ['scipy 1.0 instead of 1.15.2'],
      nltk_hint: expect.stringContaining(join(folder, 'nltk_data')),
    });
    expect(images[0].missing_packages).toContain('pandas 2.2.3');
    expect(images[0].missing_packages).not.toContain('numpy 2.2.4');
    expect(images[0].missing_nltk_data).not.toContain('wordnet');
    expect(found).toMatchObject({
      usable: false,
      command,
      message: `${command} does not answer like a Python`,
    });
  });

  test('of an image that nobody knows', async () => {
    await expect(diagnose({ imageTag: '2025-05-80', env: nowhere })).rejects.toThrow(
      'no package list is known for image "2025-05-80"',
    );
  });
});

describe('the self-test', () => {
  let contained: Awaited<ReturnType<typeof tryTricks>>;
  beforeAll(async () => {
    contained = await tryTricks({ python, isolation: 'confined' });
  });

  test('finds everything contained at the level confined', () => {
    expect(contained.filter((attempt) => !attempt.contained)).toEqual([]);
    expect(contained.at(-1)?.seen).toBe('13 of 13 graded');
  });

  test('sees what is not contained at the level open', async () => {
    const attempts = await tryTricks({ python, isolation: 'open' });
    const names = attempts.filter((attempt) => !attempt.contained).map(({ name }) => name);
    expect(names).toEqual([
      'connect to a TCP port of this machine',
      'read /etc/passwd',
      'read a temporary file',
      'list /proc',
      'list /',
      'write outside its scratch folder',
      'signal its parent',
      'fork',
      'start another program',
    ]);
  });

  test('leaves nothing in the environment', () => {
    expect(Object.keys(env).filter((name) => name.startsWith('ASSAY_DOCTOR'))).toEqual([]);
  });

  test.each([
    { isolation: 'strict', contained: true, seen: 'three rows counted 1, 1, 1' },
    { isolation: 'confined', contained: false, seen: 'three rows counted 1, 2, 3' },
  ] as const)('sees whether $isolation carries state', async ({ isolation, ...outcome }) => {
    expect(await tryState({ python, isolation })).toMatchObject(outcome);
  });

  test('says of every package whether a grader can import it', async () => {
    const trials = await tryImports({ python, imageTag: '2025-05-08' });
    expect(trials.map(({ name }) => name)).toEqual(
      requireImage('2025-05-08').packages.map(({ name }) => name),
    );
    for (const { fault = '' } of trials) expect(fault).toMatch(/^(ModuleNotFoundError: .*)?$/);
  });

  test('measures', async () => {
    const { times, ...measured } = await measureSpeed({ python });
    expect(times.rows).toBe(20_000);
    for (const value of Object.values(measured)) expect(value).toBeGreaterThan(0);
  });
});
