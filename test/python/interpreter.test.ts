import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { environmentFor, imageStatus, installedPackages } from '../../src/python/environments.js';
import { requireImage } from '../../src/python/images.js';
import { findInterpreter } from '../../src/python/interpreter.js';

const root = mkdtempSync(join(tmpdir(), 'assay-interpreter-'));
const image = requireImage('2025-05-08');

let folder: string;
let count = 0;
beforeEach(() => {
  count += 1;
  folder = join(root, String(count));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

/** A file that can be started, though nobody will. */
const program = (...path: string[]): string => file(0o755, ...path);
const file = (mode: number, ...path: string[]): string => {
  const full = join(folder, ...path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, '', { mode });
  return full;
};

/** Python, as far as anyone can see who does not start it, for the image. */
const installImage = (home: string, version = '3.12'): ReturnType<typeof environmentFor> => {
  const environment = environmentFor(image, version, { ASSAY_HOME: home });
  program(relative(folder, environment.command));
  return environment;
};

const problem = (request: Parameters<typeof findInterpreter>[0]): unknown => {
  try {
    return findInterpreter(request);
  } catch (error) {
    return error;
  }
};

/** Everything that belongs in the environment, as far as names go. */
const addAll = (environment: ReturnType<typeof environmentFor>): void => {
  const site = join(environment.folder, 'lib', `python${environment.python}`, 'site-packages');
  for (const { name, version } of image.packages)
    mkdirSync(join(site, `${name.replaceAll('-', '_')}-${version}.dist-info`), { recursive: true });
  for (const { path } of image.nltkData.resources)
    mkdirSync(join(environment.nltkData, path), { recursive: true });
};

describe('the interpreter', () => {
  test('is the named one before all others', () => {
    const home = join(folder, 'home');
    const named = program('mine', 'python');
    installImage(home);
    const env = { PATH: dirname(program('bin', 'python3')), ASSAY_HOME: home };
    expect(findInterpreter({ python: named, imageTag: image.tag, env })).toEqual({
      command: named,
      origin: '--python',
    });
  });

  test('is found by the name of a command', () => {
    const command = program('bin', 'python3.12');
    expect(findInterpreter({ python: 'python3.12', env: { PATH: dirname(command) } }).command).toBe(command);
  });

  test('is found by a relative path, which becomes an absolute one', () => {
    const command = program('mine', 'python');
    expect(findInterpreter({ python: relative('.', command), env: {} }).command).toBe(command);
  });

  test('is that of the image before the virtual environment', () => {
    const home = join(folder, 'home');
    const { command } = installImage(home);
    const env = { ASSAY_HOME: home, VIRTUAL_ENV: dirname(dirname(program('venv', 'bin', 'python'))) };
    const found = findInterpreter({ imageTag: image.tag, env });
    expect(found).toEqual({ command, origin: 'image', image: image.tag });
  });

  test('comes with the NLTK data of the image', () => {
    const home = join(folder, 'home');
    const { nltkData } = installImage(home);
    mkdirSync(nltkData);
    expect(findInterpreter({ imageTag: image.tag, env: { ASSAY_HOME: home } })).toMatchObject({ nltkData });
  });

  test.each(['2025-05-08', '1999-01-01'])('is another one where image %s is not installed', (imageTag) => {
    const command = program('bin', 'python3');
    const env = { PATH: dirname(command), ASSAY_HOME: join(folder, 'home') };
    expect(findInterpreter({ imageTag, env })).toEqual({ command, origin: 'PATH' });
  });

  test('is that of the virtual environment before PATH', () => {
    const command = program('venv', 'bin', 'python');
    const env = { PATH: dirname(program('bin', 'python3')), VIRTUAL_ENV: join(folder, 'venv') };
    expect(findInterpreter({ env })).toEqual({ command, origin: 'VIRTUAL_ENV' });
  });

  test('is python3 before python, wherever on PATH they are', () => {
    const command = program('second', 'python3');
    const env = { PATH: `${dirname(program('first', 'python'))}:${dirname(command)}`, VIRTUAL_ENV: '' };
    expect(findInterpreter({ env })).toEqual({ command, origin: 'PATH' });
  });

  test('is python where there is no python3', () => {
    const command = program('bin', 'python');
    expect(findInterpreter({ env: { PATH: dirname(command) } }).command).toBe(command);
  });

  test('is no folder and no file that cannot be started', () => {
    mkdirSync(join(folder, 'first', 'python3'), { recursive: true });
    file(0o644, 'second', 'python3');
    const command = program('third', 'python3');
    const PATH = ['first', 'second', 'third'].map((name) => join(folder, name)).join(':');
    expect(findInterpreter({ env: { PATH } }).command).toBe(command);
  });

  test('keeps the link by which a virtual environment is known', () => {
    const base = program('base', 'python3.12');
    const command = join(folder, 'venv', 'bin', 'python');
    mkdirSync(dirname(command), { recursive: true });
    symlinkSync(base, command);
    expect(findInterpreter({ env: { VIRTUAL_ENV: join(folder, 'venv') } }).command).toBe(command);
  });
});

describe('what cannot be had', () => {
  test('no Python at all', () => {
    expect(problem({ env: {} })).toMatchObject({
      name: 'UnavailableError',
      message: 'python graders need Python 3.9 or newer, and neither python3 nor python is on PATH',
      hint: 'install one, or say where it is: --python PATH',
    });
  });

  test('a path that is not there', () => {
    expect(problem({ python: '/no/python', env: {} })).toMatchObject({
      message: '--python /no/python is not there',
    });
  });

  test('a file that cannot be started', () => {
    const path = file(0o644, 'python');
    expect(problem({ python: path, env: {} })).toMatchObject({ message: `--python ${path} is no program` });
  });

  test('a virtual environment in place of its interpreter', () => {
    const inside = program('venv', 'bin', 'python');
    const venv = join(folder, 'venv');
    expect(problem({ python: venv, env: {} })).toMatchObject({
      message: `--python ${venv} is a folder`,
      hint: `did you mean ${inside}?`,
    });
  });

  test('a command that is not on PATH', () => {
    expect(problem({ python: 'python9', env: { PATH: folder } })).toMatchObject({
      message: '--python python9 is not on PATH',
    });
  });
});

test('packages are read from the names of their folders', () => {
  for (const name of ['numpy-2.2.4', 'scikit_learn-1.6.1', 'PyYAML-6.0.2', 'ruamel.yaml-0.18', 'a-1.0.post1'])
    mkdirSync(join(folder, 'first', `${name}.dist-info`), { recursive: true });
  for (const name of ['numpy-1.0.dist-info', 'six-1.17.0.dist-info', 'numpy', 'old-1.0.egg-info'])
    mkdirSync(join(folder, 'second', name), { recursive: true });
  const found = installedPackages([join(folder, 'first'), join(folder, 'missing'), join(folder, 'second')]);
  expect(Object.fromEntries(found)).toEqual({
    numpy: '2.2.4',
    'scikit-learn': '1.6.1',
    pyyaml: '6.0.2',
    'ruamel-yaml': '0.18',
    a: '1.0.post1',
    six: '1.17.0',
  });
});

describe('the status of an image', () => {
  test('is missing where nothing is installed', () => {
    const status = imageStatus(image, { ASSAY_HOME: folder });
    expect(status).toMatchObject({ state: 'missing', missingPackages: image.packages });
    expect(status.environment).toBeUndefined();
  });

  test('is installed where all of it is there', () => {
    const environment = installImage(folder);
    addAll(environment);
    expect(imageStatus(image, { ASSAY_HOME: folder })).toEqual({
      state: 'installed',
      environment,
      missingPackages: [],
      otherVersions: [],
      missingNltkData: [],
    });
  });

  test('is partial where packages or data lack, and says which', () => {
    const environment = installImage(folder);
    addAll(environment);
    const site = join(environment.folder, 'lib', 'python3.12', 'site-packages');
    rmSync(join(site, 'scikit_bio-0.6.3.dist-info'), { recursive: true });
    rmSync(join(site, 'numpy-2.2.4.dist-info'), { recursive: true });
    mkdirSync(join(site, 'numpy-2.3.0.dist-info'));
    rmSync(join(environment.nltkData, 'corpora', 'names'), { recursive: true });
    const status = imageStatus(image, { ASSAY_HOME: folder });
    expect(status.state).toBe('partial');
    expect(status.missingPackages.map(({ name }) => name)).toEqual(['scikit-bio']);
    expect(status.otherVersions).toEqual([{ name: 'numpy', version: '2.2.4', found: '2.3.0' }]);
    expect(status.missingNltkData.map(({ name }) => name)).toEqual(['names']);
  });

  test('is that of the environment with the preferred Python', () => {
    installImage(folder, '3.10');
    const preferred = installImage(folder, '3.12');
    expect(imageStatus(image, { ASSAY_HOME: folder }).environment).toEqual(preferred);
  });

  test.each([
    { env: { ASSAY_HOME: '/a', XDG_CACHE_HOME: '/x', HOME: '/h' }, below: '/a/python/' },
    { env: { XDG_CACHE_HOME: '/x', HOME: '/h' }, below: '/x/assay/python/' },
    { env: { ASSAY_HOME: '', HOME: '/h' }, below: '/h/.cache/assay/python/' },
  ])('is looked for below $below', ({ env, below }) => {
    expect(environmentFor(image, '3.12', env).folder).toMatch(
      new RegExp(`^${below}2025-05-08-[\\da-f]{12}-py3\\.12$`),
    );
  });
});
