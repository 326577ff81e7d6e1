import { existsSync } from 'node:fs';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type BasePython, findBasePython } from './base-python.js';
import {
  environmentAt,
  environmentFor,
  type ImageEnvironment,
  installedEnvironment,
  lacksOf,
} from './environments.js';
import { UnavailableError } from '../errors.js';
import type { PinnedPackage, PythonImage } from './images.js';
import { fetchNltkData, type NltkGap, nltkHint } from './nltk-data.js';
import { packageInstaller, type PackageInstaller, type PackageSources } from './package-installer.js';
import { tail, type ToolResult } from './tool.js';

/** How an image is installed. The wheelhouse may also hold NLTK's archives. */
export interface InstallOptions extends PackageSources {
  /** The Python to build with, a path or a command on `PATH`; by default the one found that the image prefers. */
  readonly python?: string;
  /** Hears what is going on, a line at a time. */
  readonly onProgress?: (line: string) => void;
}

/** What came of an installation. The environment can be used, also where something is missing. */
export interface InstalledImage {
  readonly environment: ImageEnvironment;
  /** Packages that have no wheel and could not be built here. */
  readonly notBuilt: readonly NotBuilt[];
  /** undefined when all of it is there. */
  readonly missingNltkData?: MissingNltkData;
}

/** A package that could not be built from its source. */
export interface NotBuilt extends PinnedPackage {
  /** The end of what the tool said. */
  readonly reason: string;
}

/** NLTK data that could not be had. */
export interface MissingNltkData extends NltkGap {
  /** How to put it there by hand. */
  readonly hint: string;
}

/** No installation takes longer; what a killed one has left is removed after it. */
const LEFTOVER_MS = 3 * 60 * 60 * 1000;

/**
 * Installs the environment of an image, or what the installed one still lacks. It stays in the cache folder
 * (`ASSAY_HOME`, else `XDG_CACHE_HOME/assay`, else `~/.cache/assay`), so once is enough for a machine.
 * uv does it where it is on `PATH`, else venv and pip.
 *
 * An environment is built in a folder of its own, and a link makes it known when it is complete. So a half-built one is
 * never used, and of two processes that install at the same time the first one's stays.
 *
 * @throws UnavailableError when there is no Python for it or the packages cannot be had, with the end of what the tool said
 */
export const installImage = async (image: PythonImage, options: InstallOptions): Promise<InstalledImage> => {
  const installer = packageInstaller(options);
  const job = { image, options, installer, progress: options.onProgress ?? (() => {}) };
  const { environment, gaps } = await installMissing(job);
  const { notBuilt, nltk } = gaps;
  if (nltk === undefined) return { environment, notBuilt };
  return {
    environment,
    notBuilt,
    missingNltkData: { ...nltk, hint: nltkHint(image, environment, nltk.names) },
  };
};

interface Job {
  readonly image: PythonImage;
  readonly options: InstallOptions;
  readonly installer: PackageInstaller;
  readonly progress: (line: string) => void;
}

/** What could not be put into an environment. */
interface Gaps {
  readonly notBuilt: readonly NotBuilt[];
  readonly nltk?: NltkGap;
}

const installMissing = async (job: Job): Promise<{ environment: ImageEnvironment; gaps: Gaps }> => {
  const { image, options } = job;
  const installed = options.python === undefined ? installedEnvironment(image, options.env) : undefined;
  if (installed !== undefined) return { environment: installed, gaps: await fill(installed, job) };
  const base = await findBasePython(image, options);
  const environment = environmentFor(image, base.version, options.env);
  const gaps = existsSync(environment.command)
    ? await fill(environment, job)
    : await build(environment, base, job);
  return { environment, gaps };
};

const build = async (environment: ImageEnvironment, base: BasePython, job: Job): Promise<Gaps> => {
  await mkdir(dirname(environment.folder), { recursive: true });
  await removeLeftovers(environment.folder);
  const folder = await mkdtemp(`${environment.folder}.`);
  try {
    // Whoever may read the cache folder may use what is in it.
    await chmod(folder, 0o755);
    job.progress(`creating an environment with Python ${base.version}, by ${job.installer.name}`);
    succeeded(await job.installer.createEnvironment(folder, base.command), job);
    const gaps = await fill(environmentAt(folder, environment.python), job);
    await publish(folder, environment);
    return gaps;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
};

/** Makes an environment known; one that another process has made known meanwhile stays. */
const publish = async (folder: string, environment: ImageEnvironment): Promise<void> => {
  if (await link(folder, environment.folder)) return;
  if (existsSync(environment.command)) {
    await rm(folder, { recursive: true });
    return;
  }
  // The environment that the link leads to has lost its Python.
  await link(folder, `${folder}.link`);
  await rename(`${folder}.link`, environment.folder);
};

/** @returns false when the name is taken */
const link = async (folder: string, name: string): Promise<boolean> => {
  try {
    await symlink(basename(folder), name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
};

const removeLeftovers = async (published: string): Promise<void> => {
  const current = await readlink(published).catch(() => undefined);
  for (const name of await readdir(dirname(published))) {
    if (!name.startsWith(`${basename(published)}.`) || name === current) continue;
    const path = join(dirname(published), name);
    const found = await lstat(path).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > LEFTOVER_MS)
      await rm(path, { recursive: true, force: true });
  }
};

/** Puts into an environment what it lacks. */
const fill = async (environment: ImageEnvironment, job: Job): Promise<Gaps> => {
  const { image, options, installer, progress } = job;
  const { missingPackages, otherVersions } = lacksOf(image, environment);
  const lacking = [...missingPackages, ...otherVersions];
  const isSourceOnly = ({ name }: PinnedPackage) => image.builtFromSource.includes(name);
  if (!lacking.every(isSourceOnly)) await installWheels(environment, job);
  const notBuilt: NotBuilt[] = [];
  for (const { name, version } of lacking.filter(isSourceOnly)) {
    const result = await buildFromSource({ name, version }, environment, job);
    if (result.code !== 0) notBuilt.push({ name, version, reason: tail(result) });
  }
  const nltk = await fetchNltkData({ image, environment, sources: options, installer, progress });
  return { notBuilt, nltk };
};

const installWheels = async (environment: ImageEnvironment, job: Job): Promise<void> => {
  const { lock, builtFromSource } = job.image;
  const wheels = [...lockEntries(lock)].filter(([name]) => !builtFromSource.includes(name));
  const requirements = join(environment.folder, 'requirements.txt');
  await writeFile(requirements, wheels.map(([, entry]) => entry).join('\n'));
  job.progress(`installing ${wheels.length} packages`);
  succeeded(await job.installer.install({ command: environment.command, requirements }), job);
};

const buildFromSource = async (
  { name, version }: PinnedPackage,
  { folder, command }: ImageEnvironment,
  { image, installer, progress }: Job,
): Promise<ToolResult> => {
  const requirements = join(folder, `requirements-${name}.txt`);
  await writeFile(requirements, lockEntries(image.lock).get(name) ?? '');
  progress(`building ${name} ${version}`);
  return installer.install({ command, requirements, build: true });
};

/** The entries of a requirements file with hashes: name → its lines. */
const lockEntries = (lock: string): Map<string, string> =>
  new Map(
    lock
      .split(/^(?=[a-z\d])/m)
      .filter((entry) => !entry.startsWith('#'))
      .map((entry) => [entry.slice(0, entry.indexOf('==')), entry.trimEnd()]),
  );

const succeeded = (result: ToolResult, { image, options, installer }: Job): void => {
  if (result.code === 0) return;
  const how = result.code === undefined ? 'did not run to its end' : `ended with exit code ${result.code}`;
  throw new UnavailableError(
    `image ${image.tag} could not be installed: ${installer.name} ${how}:\n${tail(result)}`,
    options.offline ? 'without a network every package has to be in the folder of --wheelhouse' : undefined,
  );
};
