import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { EXIT } from '../../src/cli/context.js';
import { renderCheckup } from '../../src/cli/doctor-report.js';
import { problemOf, type Checkup, type SelfTest } from '../../src/cli/doctor.js';
import { version } from '../../src/version.js';
import { assay } from './assay.js';

const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
  encoding: 'utf8',
}).trim();

/** Lines that are too wide, but for those that are one long word. */
const wide = (text: string): string[] =>
  text.split('\n').filter((line) => line.length > 100 && line.trim().includes(' '));

describe('assay doctor', () => {
  test('proves what this machine offers', async () => {
    const { code, stdout, stderr } = await assay(['doctor', '--python', python]);
    expect(stdout).not.toContain('NOT contained');
    expect(stdout).toMatch(/read \/etc\/passwd +contained +PermissionError: Permission denied\n/);
    expect(stdout).toMatch(/carry state from row to row +contained +three rows counted 1, 1, 1\n/);
    expect(stdout).toMatch(/throughput +[\d,]+ rows\/s +over 20,000 small rows\n/);
    expect(stdout).toMatch(
      /\nFine: Python graders run confined, and what the self-test tried was contained\.\n$/,
    );
    expect(wide(stdout)).toEqual([]);
    expect({ code, stderr }).toEqual({ code: EXIT.ok, stderr: '' });
  });

  test('--json prints all of it', async () => {
    const { code, stdout } = await assay(['doctor', '--python', python, '--json', '--quick']);
    expect(code).toBe(EXIT.ok);
    expect(JSON.parse(stdout)).toMatchObject({
      machine: { assay: version, node: process.versions.node },
      python: { usable: true, command: python },
      isolation: [{ level: 'confined', available: true, default: true }, {}, {}],
      self_test: null,
      problem: null,
    });
  });

  test('without Python says what to do', async () => {
    const { code, stdout } = await assay(['doctor']);
    expect(code).toBe(EXIT.badUsage);
    expect(stdout).toMatch(
      /\nNot fine: python graders need Python 3\.9 or newer, and neither .* is on PATH\n {2}hint: install one/,
    );
    expect(wide(stdout)).toEqual([]);
  });

  test('ends when it is interrupted', async () => {
    const { code } = await assay(['doctor', '--python', python], '', AbortSignal.abort());
    expect(code).toBe(EXIT.interrupted);
  });

  test.each([
    { argv: ['--install'], says: '--install is about an image; name it with --image' },
    { argv: ['--image', '2025-05-80'], says: 'no package list is known for image "2025-05-80"' },
    {
      argv: ['--image', '2025-05-08', '--install', '--python', '/not/there'],
      says: '--python /not/there is not there',
    },
  ])('$argv', async ({ argv, says }) => {
    const { code, stdout, stderr } = await assay(['doctor', ...argv]);
    expect({ code, stdout }).toEqual({ code: EXIT.badUsage, stdout: '' });
    expect(stderr.split('\n')[0]).toBe(`assay: ${says}`);
  });

  test('help fits 100 columns', async () => {
    const { stdout } = await assay(['doctor', '--help']);
    expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
  });
});

const SELF_TEST: SelfTest = {
  attempts: [
    { name: 'list /', contained: true, seen: "PermissionError: [Errno 13] Permission denied: '/'" },
    { name: 'end its process', contained: true, seen: 'the process ended with exit code 0' },
  ],
  strict: [{ name: 'carry state from row to row', contained: true, seen: 'three rows counted 1, 1, 1' }],
  speed: {
    start_ms: 71.84,
    restart_ms: 3.612,
    call_ms: 0.0934,
    rows_per_second: 241_700.9,
    times: { start: 3, restart: 20, call: 500, rows: 20_000 },
  },
};

const FINE: Omit<Checkup, 'problem'> = {
  machine: {
    assay: '1.2.3',
    node: '22.1.0',
    platform: 'linux',
    release: '6.18.0',
    arch: 'x64',
    cores: 8,
    memory_bytes: 16 * 2 ** 30,
  },
  python: {
    usable: true,
    command: '/usr/bin/python3',
    executable: '/usr/bin/python3',
    origin: 'PATH',
    version: '3.12.1',
    implementation: 'cpython',
    packages: { pandas: '2.2.3', numpy: '2.2.4' },
  },
  images: [
    {
      tag: '2025-05-08',
      state: 'missing',
      packages: 16,
      pythons: ['3.12', '3.11'],
      folder: null,
      python: null,
      missing_packages: [],
      other_versions: [],
      missing_nltk_data: [],
    },
  ],
  containment: [
    { name: 'landlock', offered: true, detail: 'ABI 7' },
    { name: 'root', offered: false, detail: 'no (user id 1000), and none is needed' },
  ],
  isolation: [
    { level: 'confined', available: true, default: true },
    { level: 'open', available: true, default: false },
  ],
  self_test: SELF_TEST,
};

const report = (changes: Partial<Checkup>, image?: string): string => {
  const checkup = { ...FINE, ...changes };
  return renderCheckup({ ...checkup, problem: problemOf(checkup, image) }, image);
};

/** The end of a report, after the last empty line. */
const ending = (text: string): string => text.split('\n\n').at(-1) ?? '';

describe('a report', () => {
  test('of a fine machine', () => {
    expect(report({})).toBe(`\
Machine
  assay    1.2.3
  Node.js  22.1.0
  system   linux 6.18.0, x64
  cores    8
  memory   16.0 GiB

Python
  interpreter  /usr/bin/python3
  found        on PATH
  version      3.12.1 (cpython)
  packages     numpy 2.2.4, pandas 2.2.3

Images
  2025-05-08  missing  16 packages, for Python 3.12, 3.11
                       installed by assay doctor --image 2025-05-08 --install

Containment
  Landlock         yes  ABI 7
  running as root  no   (user id 1000), and none is needed

Isolation
  confined  yes  by default
  open      yes  by --python-isolation open

Self-test: a confined grader tries to
  list /           contained  PermissionError: Permission denied
  end its process  contained  the process ended with exit code 0

Self-test: a strict grader tries to
  carry state from row to row  contained  three rows counted 1, 1, 1

Speed of a trivial confined grader on one worker
  start        72 ms           to the first score, median of 3
  restart      3.6 ms          for the row after a crash, median of 20
  single call  0.093 ms        median of 500
  throughput   241,701 rows/s  over 20,000 small rows

Fine: Python graders run confined, and what the self-test tried was contained.
`);
  });

  test('without the self-test does not claim one', () => {
    expect(ending(report({ self_test: null }))).toBe(
      'Fine: Python graders run confined, and the self-test was left out.\n',
    );
  });

  test('of a machine without Landlock', () => {
    const reason =
      'Landlock is not there (the kernel answers ENOSYS; it needs Linux 5.13 with landlock built in)';
    const text = report({
      containment: [{ name: 'landlock', offered: false, detail: reason }],
      isolation: [
        { level: 'confined', available: false, default: true, reason },
        { level: 'open', available: true, default: false },
      ],
      self_test: null,
    });
    expect(text).toContain(`\
Isolation
  confined  no   Landlock is not there (the kernel answers ENOSYS; it needs Linux 5.13 with landlock
                 built in)
  open      yes  by --python-isolation open
`);
    expect(ending(text)).toBe(`\
Not fine: graders cannot run confined, the default: Landlock is not there (the kernel answers
ENOSYS; it needs Linux 5.13 with landlock built in)
  hint: where that cannot be changed: --python-isolation open, for sources that you trust
`);
    expect(wide(text)).toEqual([]);
  });

  test('of a machine without Python', () => {
    const text = report({
      python: { usable: false, message: 'there is none', hint: 'install one' },
      containment: [],
      isolation: [{ level: 'confined', available: false, default: true, reason: 'no Python can run it' }],
      self_test: null,
    });
    expect(text).toContain('\nPython\n  interpreter  there is none\n               install one\n\nImages\n');
    expect(text).not.toContain('Containment');
    expect(ending(text)).toBe('Not fine: there is none\n  hint: install one\n');
  });

  test('of a Mac', () => {
    const hint = '--python-isolation open runs them with all your rights, if you trust the source';
    const text = report({
      isolation: [
        { level: 'confined', available: false, default: true, reason: 'Landlock is of Linux', hint },
        { level: 'open', available: true, default: false },
      ],
      self_test: null,
    });
    expect(ending(text)).toBe(
      `Not fine: graders cannot run confined, the default: Landlock is of Linux\n  hint: ${hint}\n`,
    );
  });

  test('of a grader that got what it should not', () => {
    const attempts = [...SELF_TEST.attempts, { name: 'fork', contained: false, seen: 'it worked' }];
    const text = report({ self_test: { ...SELF_TEST, attempts } });
    expect(text).toContain('  fork             NOT contained  it worked\n');
    expect(ending(text)).toBe(`\
Not fine: a grader could: fork
  hint: run only sources that you trust on this machine, and report this as a bug of assay
`);
  });

  test('of an image that was asked for', () => {
    const image = {
      tag: '2025-05-08',
      state: 'partial',
      packages: 16,
      pythons: ['3.12'],
      folder: '/cache/2025-05-08',
      python: '3.12',
      missing_packages: ['rdkit 2024.9.6'],
      other_versions: ['scipy 1.0 instead of 1.15.2'],
      missing_nltk_data: ['wordnet'],
      nltk_hint: 'unpack them:\n  https://example.org/wordnet.zip to /cache',
    } as const;
    const imports = [
      { name: 'numpy' },
      { name: 'rdkit', fault: "ModuleNotFoundError: No module named 'rdkit'" },
    ];
    const text = report({ images: [image], self_test: { ...SELF_TEST, imports } }, image.tag);
    expect(text).toContain(`\
Images
  2025-05-08  partial  16 packages, Python 3.12
                       /cache/2025-05-08
                       missing packages: rdkit 2024.9.6
                       other versions: scipy 1.0 instead of 1.15.2
                       missing NLTK data: wordnet
                       assay doctor --image 2025-05-08 --install tries to get the rest

NLTK data by hand
  unpack them:
  https://example.org/wordnet.zip to /cache
`);
    expect(text).toContain(`\
Self-test: a confined grader imports
  numpy  ok
  rdkit  FAILED  ModuleNotFoundError: No module named 'rdkit'
`);
    expect(ending(text)).toBe(
      'Not fine: image 2025-05-08 lacks rdkit 2024.9.6\n  hint: assay doctor --image 2025-05-08 --install\n',
    );
  });

  test('of a package that is there and cannot be imported', () => {
    const imports = [{ name: 'numpy', fault: 'ImportError: libgomp.so.1' }];
    expect(ending(report({ self_test: { ...SELF_TEST, imports } }))).toBe(
      'Not fine: graders cannot import numpy\n  hint: what each import says stands above\n',
    );
  });

  test('of an image that was asked for and is not there', () => {
    expect(ending(report({}, '2025-05-08'))).toBe(`\
Not fine: image 2025-05-08 is not installed
  hint: assay doctor --image 2025-05-08 --install
`);
  });
});
