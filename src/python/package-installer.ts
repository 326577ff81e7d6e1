import { resolve } from 'node:path';
import type { Variables } from './environments.js';
import { programsOnPath } from './interpreter.js';
import { runTool, type ToolResult } from './tool.js';

/** Where packages come from, and what the tools are started with. */
export interface PackageSources {
  /** Has `PATH`; also the tools' own settings. */
  readonly env: Variables;
  /** A folder with wheels and source archives. */
  readonly wheelhouse?: string;
  /** Packages come from the wheelhouse only (uv: or from its cache). */
  readonly offline?: boolean;
}

/** Which packages are installed, and how. */
export interface Installation {
  /** The interpreter of the environment. */
  readonly command: string;
  /** A requirements file that pins everything with hashes; nothing else comes along. */
  readonly requirements: string;
  /** Builds from source with what the environment has; otherwise wheels only. */
  readonly build?: boolean;
  /** A folder to put the packages in, in place of the environment. */
  readonly target?: string;
}

/** uv, or venv and pip. What fails is told by the result, not thrown. */
export interface PackageInstaller {
  readonly name: 'uv' | 'venv and pip';
  /** Makes an environment in an empty folder. */
  createEnvironment(folder: string, python: string): Promise<ToolResult>;
  install(installation: Installation): Promise<ToolResult>;
}

/** uv where it is on `PATH`, which is faster, else venv and pip. */
export const packageInstaller = (sources: PackageSources): PackageInstaller => {
  const [uv] = programsOnPath('uv', sources.env);
  return uv === undefined ? pip(sources) : withUv(uv, sources);
};

const pip = (sources: PackageSources): PackageInstaller => ({
  name: 'venv and pip',
  createEnvironment: (folder, python) => run(python, ['-I', '-m', 'venv', folder], folder, sources),
  install({ command, ...what }) {
    const own = ['-I', '-m', 'pip', 'install', '--no-input', '--disable-pip-version-check'];
    const offline = sources.offline ? ['--no-index'] : [];
    return run(
      command,
      [...own, ...offline, ...commonFlags(what, sources)],
      resolve(command, '../..'),
      sources,
    );
  },
});

const withUv = (uv: string, sources: PackageSources): PackageInstaller => ({
  name: 'uv',
  createEnvironment: (folder, python) =>
    run(uv, ['venv', '--python', python, ...uvOffline(sources), folder], folder, sources),
  install({ command, ...what }) {
    // Copies: an environment shall not change with uv's cache, and a confined grader reads nothing outside of it.
    const own = ['pip', 'install', '--python', command, '--link-mode', 'copy', '--compile-bytecode'];
    const args = [...own, ...uvOffline(sources), ...commonFlags(what, sources)];
    return run(uv, args, resolve(command, '../..'), sources);
  },
});

const uvOffline = ({ offline }: PackageSources): string[] => (offline ? ['--offline'] : []);

const commonFlags = (
  { requirements, build, target }: Omit<Installation, 'command'>,
  { wheelhouse }: PackageSources,
): string[] => [
  '--require-hashes',
  '--no-deps',
  '-r',
  requirements,
  ...(build ? ['--no-build-isolation'] : ['--only-binary', ':all:']),
  ...(target === undefined ? [] : ['--target', target]),
  ...(wheelhouse === undefined ? [] : ['--find-links', resolve(wheelhouse)]),
];

/** Settings of a project that the user is in do not hold: the tools run in the environment's folder. */
const run = (
  command: string,
  args: readonly string[],
  cwd: string,
  { env }: PackageSources,
): Promise<ToolResult> => runTool(command, args, { env, cwd });
