import { describe, expect, test } from 'vitest';
import { IMAGE_TAGS, imageOf, packageOfModule, requireImage } from '../../src/python/images.js';

const ENTRY = /^([a-z\d-]+)==(\S+)(?: ; [^\\\n]+)? \\\n((?: {4}--hash=sha256:[\da-f]{64}(?: \\)?\n)+)/gm;

test('2025-05-08 has the published packages', () => {
  const { packages } = requireImage('2025-05-08');
  expect(packages.map(({ name, version }) => `${name} ${version}`)).toEqual([
    'numpy 2.2.4',
    'scipy 1.15.2',
    'sympy 1.13.3',
    'pandas 2.2.3',
    'rapidfuzz 3.10.1',
    'scikit-learn 1.6.1',
    'rouge-score 0.1.2',
    'deepdiff 8.4.2',
    'jsonschema 4.23.0',
    'pydantic 2.10.6',
    'pyyaml 6.0.2',
    'nltk 3.9.1',
    'sqlparse 0.5.3',
    'rdkit 2024.9.6',
    'scikit-bio 0.6.3',
    'ast-grep-py 0.36.2',
  ]);
});

describe.each(IMAGE_TAGS)('image %s', (tag) => {
  const image = requireImage(tag);

  test('has a lock in which every line belongs to an entry with hashes', () => {
    const rest = `${image.lock}\n`.replace(/^(#.*\n)+/, '').replace(ENTRY, '');
    expect(rest.trim()).toBe('');
  });

  test('pins every package and build tool in the lock', () => {
    const locked = new Map([...image.lock.matchAll(ENTRY)].map(([, name, version]) => [name, version]));
    for (const { name, version } of [...image.packages, ...image.buildTools])
      expect(locked.get(name)).toBe(version);
  });

  test('names only its own packages and data in its other lists', () => {
    const packages = image.packages.map(({ name }) => name);
    expect(packages).toEqual(expect.arrayContaining([...image.builtFromSource]));
    const data = image.nltkData.resources.map(({ name }) => name);
    expect(data).toEqual(expect.arrayContaining([...image.nltkData.onPypi.names]));
    expect(image.pythons.every((version) => /^3\.\d+$/.test(version))).toBe(true);
  });
});

test('a tag that is not known has no image', () => {
  expect(imageOf('2024-01-01')).toBeUndefined();
});

test.each([
  { tag: '2025-05-80', hint: 'did you mean 2025-05-08?' },
  { tag: 'latest', hint: 'known: 2025-05-08' },
])('a tag that has to be known: $tag', ({ tag, hint }) => {
  expect(() => requireImage(tag)).toThrow(
    expect.objectContaining({
      name: 'UnavailableError',
      message: `no package list is known for image "${tag}"`,
      hint,
    }),
  );
});

test.each([
  ['yaml', 'pyyaml'],
  ['sklearn', 'scikit-learn'],
  ['sklearn.metrics', 'scikit-learn'],
  ['rouge_score', 'rouge-score'],
  ['skbio', 'scikit-bio'],
  ['ast_grep_py', 'ast-grep-py'],
  ['numpy', 'numpy'],
])('%s is brought by %s', (module, name) => {
  expect(packageOfModule(module)?.package.name).toBe(name);
});
