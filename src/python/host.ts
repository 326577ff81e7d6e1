import { closeSync, existsSync, mkdtempSync, mkdirSync, openSync, readSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Environment, Python, PythonProgram, PythonSource } from '../contract.js';
import { UnavailableError } from '../errors.js';
import { show } from '../show.js';
import { askInterpreter } from './base-python.js';
import { installedEnvironment, installedPackages, type Variables } from './environments.js';
import { IMAGE_TAGS, imageOf, packageOfModule, type ImagePackage } from './images.js';
import { findInterpreter, programsOnPath, type Interpreter } from './interpreter.js';
import { PYTHON_ISOLATIONS, type PythonIsolation } from './isolation.js';
import { Pool } from './pool.js';
import type { Started, SupervisorSetup } from './supervisor.js';

/** How Python sources are run. */
export interface PythonOptions {
  /** An interpreter of at least Python 3.9: a path, or a command on PATH. Default: see README.md. */
  readonly python?: string;
  /** Default: `confined`. */
  readonly isolation?: PythonIsolation;
  /** A command that the interpreter is started through, such as `bwrap`. */
  readonly wrap?: string;
  /** Folders that sources may read and import from. */
  readonly allowRead?: readonly string[];
  /** Longest time for a row, and for loading a source. Default 120 000, as hosted. */
  readonly timeoutMs?: number;
  /** Most memory of a process. Default 2 GiB, as hosted. */
  readonly memoryBytes?: number;
  /** Most processes that grade at once, for each source. Default: one for each core. */
  readonly workers?: number;
  /** Start all workers at once instead of when they prove worth it. */
  readonly eager?: boolean;
  /** Most rows that are handed over at once, 1 to 1024. Default: as many as take about 20 ms. */
  readonly batchRows?: number;
  /** Where VIRTUAL_ENV, PATH and the folder of installed images are looked up. Default: this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Receives what sources print, up to a limit. */
  readonly onOutput?: (text: string) => void;
}

/** Runs Python sources; `close` ends whatever still runs. */
export interface PythonHost extends Python {
  close(): Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 120_000;
const DEFAULT_MEMORY_BYTES = 2 * 2 ** 30;
/** Most that a source may write, as hosted. */
const SCRATCH_BYTES = 2 ** 30;

/** Makes what python graders are run with. No process is started before a source is loaded. */
export const createPython = (options: PythonOptions = {}): PythonHost => {
  checkOptions(options);
  const programs = new Set<PythonProgram>();
  return {
    async load(source) {
      const program = await loadProgram(source, options);
      programs.add(program);
      const close = () => {
        programs.delete(program);
        return program.close();
      };
      return { ...program, close };
    },
    async close() {
      await Promise.all([...programs].map((program) => program.close()));
    },
  };
};

/** @throws TypeError for what is no value of an option: a program's mistake */
const checkOptions = (options: PythonOptions): void => {
  const { isolation, allowRead } = options;
  if (isolation !== undefined && !PYTHON_ISOLATIONS.includes(isolation))
    throw new TypeError(`isolation: expected one of ${PYTHON_ISOLATIONS.join(', ')}, got ${show(isolation)}`);
  if (allowRead !== undefined && !Array.isArray(allowRead))
    throw new TypeError('allowRead: expected a list of folders');
  for (const name of ['timeoutMs', 'memoryBytes', 'workers', 'batchRows'] as const) {
    const value = options[name];
    if (value !== undefined && !(Number.isFinite(value) && value > 0))
      throw new TypeError(`${name}: expected a number above 0, got ${show(value)}`);
  }
};

const loadProgram = async (
  { source, imageTag, passThreshold }: PythonSource,
  options: PythonOptions,
): Promise<PythonProgram> => {
  const isolation = options.isolation ?? 'confined';
  checkPlatform(isolation);
  const env = options.env ?? process.env;
  const interpreter = await behindScript(findInterpreter({ python: options.python, imageTag, env }), env);
  const setup = setupOf(source, isolation, interpreter, options, env);
  const root = mkdtempSync(join(tmpdir(), 'assay-python-'));
  const remove = () => rmSync(root, { recursive: true, force: true });
  let folders = 0;
  const newScratch = () => {
    folders += 1;
    const folder = join(root, String(folders));
    mkdirSync(folder, { mode: 0o700, recursive: true });
    return folder;
  };
  const { pool, readiness } = await Pool.load({
    setup,
    newScratch,
    passThreshold,
    workers: options.workers ?? availableParallelism(),
    eager: options.eager ?? false,
    batchRows: options.batchRows,
    onOutput: options.onOutput ?? (() => {}),
  }).catch((error: unknown) => {
    remove();
    throw error;
  });
  const close = async () => {
    await pool.close();
    remove();
  };
  if (readiness.kind === 'refused') {
    await close();
    throw await refused(isolation, interpreter, readiness.text, options);
  }
  const { version } = readiness.started;
  return {
    fault: pool.fault,
    warnings: warningsOf(readiness.started, interpreter, imageTag, env),
    signature: `python ${version} ${isolation}`,
    environment: environmentOf(readiness.started, interpreter, options),
    window: pool.window,
    grade: (row) => pool.grade(row),
    close,
  };
};

/** @throws UnavailableError when an operating system does not have an isolation, as `process.platform` names it */
export const checkPlatform = (
  isolation: PythonIsolation,
  platform: NodeJS.Platform = process.platform,
): void => {
  if (platform === 'win32')
    throw new UnavailableError(
      'python graders do not run on Windows itself: their processes are forked, which it does not have',
      'run assay inside WSL2 or a Linux container',
    );
  if (platform !== 'linux' && isolation !== 'open')
    throw new UnavailableError(
      `python graders cannot be ${isolation} on ${platform}: Landlock and seccomp are Linux's`,
      '--python-isolation open runs them with all your rights, if you trust the source; a Linux container confines them',
    );
};

const ONE_THREAD = Object.fromEntries(
  ['OMP', 'OPENBLAS', 'MKL', 'NUMEXPR', 'VECLIB_MAXIMUM'].map((name) => [`${name}_NUM_THREADS`, '1']),
);

/** All that a source sees of the environment. Nothing of this process's own is among it. */
const scrubbedEnv = (data: readonly string[]): Record<string, string> => ({
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  // Without it sets have another order in every process, and scores would depend on which one a row meets.
  PYTHONHASHSEED: '0',
  PYTHONUTF8: '1',
  PYTHONSAFEPATH: '1',
  PYTHONDONTWRITEBYTECODE: '1',
  // Address space is what the limit of memory counts.
  MALLOC_ARENA_MAX: '2',
  ...ONE_THREAD,
  ...(data.length > 0 && { NLTK_DATA: data.join(':') }),
});

const setupOf = (
  source: string,
  level: PythonIsolation,
  { command, nltkData }: Interpreter,
  { timeoutMs, memoryBytes, allowRead = [], wrap }: PythonOptions,
  env: Variables,
): Omit<SupervisorSetup, 'scratch'> => {
  const own = allowRead.map((folder) => resolve(folder));
  const missing = own.find((folder) => !existsSync(folder));
  if (missing !== undefined) throw new UnavailableError(`--python-allow-read: there is no ${missing}`);
  const readPaths = nltkData === undefined ? [] : [nltkData];
  return {
    command: [...wrapped(wrap, env), command],
    source,
    level,
    timeoutMs: timeoutMs ?? DEFAULT_TIMEOUT_MS,
    memoryBytes: memoryBytes ?? DEFAULT_MEMORY_BYTES,
    scratchBytes: SCRATCH_BYTES,
    allowRead: own,
    readPaths,
    preload: PRELOADED,
    env: scrubbedEnv([...readPaths, ...own]),
  };
};

/** The packages that graders can expect, in any of their versions. */
const KNOWN_PACKAGES = IMAGE_TAGS.flatMap((tag) => imageOf(tag)?.packages ?? []);
const PRELOADED = KNOWN_PACKAGES.flatMap(({ imports }) => imports);
const LISTED = new Set(KNOWN_PACKAGES.map(({ name }) => name));

/** `bwrap` alone stands for a sandbox that shows the machine as it is, read-only, without network and other processes. */
const BWRAP =
  'bwrap --unshare-all --die-with-parent --ro-bind / / --dev /dev --proc /proc --bind {scratch} {scratch} --';

/** The words of a command line; nothing is quoted in it. */
const wrapped = (command: string | undefined, env: Variables): readonly string[] => {
  if (command === undefined) return [];
  const [program, ...words] = (command.trim() === 'bwrap' ? BWRAP : command).trim().split(/\s+/);
  const [found] = program.includes('/') ? [program] : programsOnPath(program, env);
  if (found === undefined)
    throw new UnavailableError(`--python-wrap: ${program} is not on PATH`, 'install it, or name its path');
  return [found, ...words];
};

/** The Python that a script starts, such as pyenv's, which needs the user's environment and takes its time. */
const behindScript = async (interpreter: Interpreter, env: Variables): Promise<Interpreter> => {
  if (!isScript(interpreter.command)) return interpreter;
  const found = await askInterpreter(interpreter.command, env);
  return found === undefined ? interpreter : { ...interpreter, command: found.command };
};

const isScript = (path: string): boolean => {
  const start = Buffer.alloc(2);
  try {
    const file = openSync(path, 'r');
    readSync(file, start);
    closeSync(file);
  } catch {
    return false; // It may be allowed to run and not to be read.
  }
  return start.toString('latin1') === '#!';
};

/** Why a supervisor did not come up: mostly the means of isolation, but it may have been no Python at all. */
const refused = async (
  isolation: PythonIsolation,
  { command }: Interpreter,
  text: string,
  { wrap, env = process.env }: PythonOptions,
): Promise<UnavailableError> => {
  if (wrap !== undefined)
    return new UnavailableError(`python graders do not come up through --python-wrap ${wrap}: ${text}`);
  const found = await askInterpreter(command, env);
  const hint = 'name another one: --python PATH';
  if (found === undefined)
    return new UnavailableError(`${command} does not answer like a Python: ${text}`, hint);
  if (isTooOld(found.version))
    return new UnavailableError(
      `${command} is Python ${found.version}; python graders need 3.9 or newer`,
      hint,
    );
  return new UnavailableError(
    `python graders cannot run ${isolation} with ${command}: ${text}`,
    isolation === 'open' ? undefined : 'assay doctor shows what this machine offers',
  );
};

/** Whether graders cannot run with a Python of this version: `3.8`. */
export const isTooOld = (version: string): boolean => {
  const [major, minor] = version.split('.').map(Number);
  return major < 3 || (major === 3 && minor < 9);
};

const environmentOf = (
  { version, executable, site }: Started,
  { image }: Interpreter,
  { isolation = 'confined', wrap, allowRead, timeoutMs, memoryBytes }: PythonOptions,
): Environment => {
  const found = installedPackages(site);
  return {
    python: version,
    executable,
    isolation,
    wrap,
    allow_read: allowRead,
    timeout_s: (timeoutMs ?? DEFAULT_TIMEOUT_MS) / 1000,
    memory_mb: (memoryBytes ?? DEFAULT_MEMORY_BYTES) / 2 ** 20,
    image,
    packages: Object.fromEntries([...found].filter(([name]) => LISTED.has(name))),
  };
};

type Warning = PythonProgram['warnings'][number];

const warningsOf = (
  { missing, version, swapped }: Started,
  { origin, command }: Interpreter,
  imageTag: string | undefined,
  env: Variables,
): readonly Warning[] => {
  const warnings: Warning[] = [];
  if (swapped)
    warnings.push({
      message: 'grade(item, sample) receives the sample first, whatever its parameters are called',
      hint: 'write def grade(sample, item)',
    });
  if (imageTag !== undefined && origin !== 'image') {
    const install = `assay doctor --image ${imageTag} --install`;
    const message = `is for the packages of image ${imageTag}, and runs with Python ${version} at ${command}`;
    if (imageOf(imageTag) === undefined)
      warnings.push({ message: `no package list is known for image_tag ${JSON.stringify(imageTag)}` });
    else if (origin !== '--python') warnings.push({ message, hint: install });
  }
  for (const module of missing) {
    const known = packageOfModule(module);
    const message = `imports ${module}, which Python ${version} at ${command} does not have`;
    const hint = known === undefined ? ELSEWHERE : imageHint(known.tag, known.package, env);
    warnings.push({ message, hint });
  }
  return warnings;
};

const ELSEWHERE = 'name another Python with --python, or open the folder it lies in with --python-allow-read';

const imageHint = (tag: string, { name, version }: ImagePackage, env: Variables): string => {
  const image = imageOf(tag);
  if (image !== undefined && installedEnvironment(image, env) !== undefined)
    return `image ${tag} has ${name} ${version}: add "image_tag": "${tag}" to the grader`;
  return `image ${tag} has ${name} ${version}: assay doctor --image ${tag} --install`;
};
