import type { ImageFinding, LevelFinding, Means, Obstacle, PythonFinding } from '../python/diagnosis.js';
import type { Attempt, PackageTrial } from '../python/self-test.js';
import type { Speed } from '../python/speed.js';
import { printable } from '../show.js';
import type { Checkup, Machine, SelfTest } from './doctor.js';

/** The columns of a line. The last one may be long and is wrapped. */
type Line = readonly string[];

const COLUMNS = 100;

/**
 * What a person reads of a checkup: aligned, without colour, at most 100 columns but for words that are longer.
 *
 * @param image  the image that was asked for, of which more is told
 */
export const renderCheckup = (checkup: Checkup, image?: string): string => {
  const { machine, python, images, containment, isolation, self_test } = checkup;
  const sections = [
    section('Machine', machineLines(machine)),
    section('Python', pythonLines(python)),
    section('Images', images.flatMap(imageLines)),
    section('NLTK data by hand', image === undefined ? [] : images.flatMap(nltkLines)),
    section('Containment', containment.map(meansLine)),
    section('Isolation', isolation.map(levelLine)),
    ...(self_test === null ? [] : selfTestSections(self_test)),
  ];
  const shown = sections.filter((text) => text !== '');
  return `${[...shown, conclusion(checkup)].join('\n\n')}\n`;
};

const section = (title: string, lines: readonly Line[]): string =>
  lines.length === 0 ? '' : [title, ...table(lines)].join('\n');

/** Lines with their columns below each other. */
const table = (lines: readonly Line[]): string[] => {
  const widths = lines.reduce<number[]>((widest, line) => {
    for (const [index, cell] of line.slice(0, -1).entries())
      widest[index] = Math.max(widest[index] ?? 0, cell.length);
    return widest;
  }, []);
  return lines.flatMap((line) => {
    const head = line.slice(0, -1).map((cell, index) => cell.padEnd(widths[index] + 2));
    return wrap(`  ${head.join('')}`, line.at(-1) ?? '');
  });
};

/** A text behind a head, whose further lines begin where its first one does. */
const wrap = (head: string, text: string): string[] => {
  const [first, ...words] = printable(text).split(' ');
  const lines = [head + first];
  for (const word of words) {
    const longer = `${lines.at(-1)} ${word}`;
    if (longer.length <= COLUMNS) lines[lines.length - 1] = longer;
    else lines.push(' '.repeat(head.length) + word);
  }
  return lines.map((line) => line.trimEnd());
};

const machineLines = ({ assay, node, platform, release, arch, cores, memory_bytes }: Machine): Line[] => [
  ['assay', assay],
  ['Node.js', node],
  ['system', `${platform} ${release}, ${arch}`],
  ['cores', String(cores)],
  ['memory', `${(memory_bytes / 2 ** 30).toFixed(1)} GiB`],
];

const ORIGINS = {
  '--python': 'by --python',
  image: 'as the environment of the image',
  VIRTUAL_ENV: 'as the active virtual environment, VIRTUAL_ENV',
  PATH: 'on PATH',
} as const;

const pythonLines = (python: PythonFinding): Line[] => {
  if (!python.usable) return [['interpreter', python.message], ...hintLines(python)];
  const { command, executable, origin, version, implementation, packages } = python;
  const found = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return [
    ['interpreter', command],
    ['found', ORIGINS[origin]],
    ...(executable === command ? [] : [['starts', executable]]),
    ['version', `${version} (${implementation})`],
    ['packages', found.length === 0 ? 'none of those that the images have' : found.sort().join(', ')],
  ];
};

const hintLines = ({ hint }: Obstacle): Line[] => (hint === undefined ? [] : [['', hint]]);

const imageLines = (image: ImageFinding): Line[] => {
  const { tag, state, folder, python, packages, pythons } = image;
  const install = `assay doctor --image ${tag} --install`;
  if (folder === null)
    return [
      [tag, state, `${packages} packages, for Python ${pythons.join(', ')}`],
      ['', '', `installed by ${install}`],
    ];
  return [
    [tag, state, `${packages} packages, Python ${python}`],
    ['', '', folder],
    ...lackLines(image),
    ...(state === 'partial' ? [['', '', `${install} tries to get the rest`]] : []),
  ];
};

const lackLines = ({ missing_packages, other_versions, missing_nltk_data }: ImageFinding): Line[] => {
  const lacks = {
    'missing packages': missing_packages,
    'other versions': other_versions,
    'missing NLTK data': missing_nltk_data,
  };
  const present = Object.entries(lacks).filter(([, names]) => names.length > 0);
  return present.map(([what, names]) => ['', '', `${what}: ${names.join(', ')}`]);
};

const nltkLines = ({ nltk_hint = '' }: ImageFinding): Line[] =>
  nltk_hint === '' ? [] : nltk_hint.split('\n').map((line) => [line.trim()]);

/** How people call what the Python side looks for. */
const MEANS: Readonly<Record<string, string>> = {
  landlock: 'Landlock',
  user_namespaces: 'user namespaces',
  cgroup: 'cgroup delegation',
  root: 'running as root',
  shm: '/dev/shm',
};

const yesOrNo = (answer: boolean): string => (answer ? 'yes' : 'no');

const meansLine = ({ name, offered, detail }: Means): Line => [
  MEANS[name] ?? name,
  yesOrNo(offered),
  // Some details begin with the answer themselves.
  detail.replace(/^(?:yes|no)\b[;,]? */, ''),
];

const levelLine = ({ level, available, default: isDefault, reason, hint }: LevelFinding): Line => [
  level,
  yesOrNo(available),
  available
    ? `by ${isDefault ? 'default' : `--python-isolation ${level}`}`
    : [reason, hint].filter((text) => text !== undefined).join('; '),
];

const selfTestSections = ({ attempts, strict, imports = [], speed }: SelfTest): string[] => [
  section('Self-test: a confined grader tries to', attempts.map(attemptLine)),
  section('Self-test: a strict grader tries to', strict.map(attemptLine)),
  section('Self-test: a confined grader imports', imports.map(importLine)),
  section('Speed of a trivial confined grader on one worker', speedLines(speed)),
];

const attemptLine = ({ name, contained, seen }: Attempt): Line => [
  name,
  contained ? 'contained' : 'NOT contained',
  // Without error numbers and paths, so that it fits a line.
  seen.replace(/\[Errno \d+\] /, '').replace(/: '[^']*'$/, ''),
];

const importLine = ({ name, fault }: PackageTrial): Line => [
  name,
  fault === undefined ? 'ok' : 'FAILED',
  fault ?? '',
];

const speedLines = ({ start_ms, restart_ms, call_ms, rows_per_second, times }: Speed): Line[] => [
  ['start', milliseconds(start_ms), `to the first score, median of ${times.start}`],
  ['restart', milliseconds(restart_ms), `for the row after a crash, median of ${times.restart}`],
  ['single call', milliseconds(call_ms), `median of ${times.call}`],
  ['throughput', `${whole(rows_per_second)} rows/s`, `over ${whole(times.rows)} small rows`],
];

const milliseconds = (value: number): string => `${Number(value.toPrecision(2))} ms`;
const whole = (value: number): string => Math.round(value).toLocaleString('en');

const conclusion = ({ problem, self_test, isolation }: Checkup): string => {
  if (problem !== null) {
    const hint = problem.hint === undefined ? [] : wrap('  hint: ', problem.hint);
    return [...wrap('', `Not fine: ${problem.message}`), ...hint].join('\n');
  }
  const level = isolation.find((finding) => finding.default)?.level;
  const tested = self_test === null ? 'the self-test was left out' : 'what the self-test tried was contained';
  return `Fine: Python graders run ${level}, and ${tested}.`;
};
