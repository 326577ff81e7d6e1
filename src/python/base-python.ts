import type { Variables } from './environments.js';
import { UnavailableError } from '../errors.js';
import type { PythonImage } from './images.js';
import { namedInterpreter, programsOnPath } from './interpreter.js';
import { runTool } from './tool.js';

/** A Python to build an environment with. */
export interface BasePython {
  /** A path; where only uv can get one, the version that it shall get. */
  readonly command: string;
  /** `3.12` */
  readonly version: string;
}

/** Where to look for one. */
export interface BasePythonRequest {
  readonly env: Variables;
  /** What the user named: a path, or a command on `PATH`. */
  readonly python?: string;
  readonly offline?: boolean;
}

/**
 * The Python to build the environment of an image with: the named one, else the one on this machine that the image
 * prefers, else what uv gets.
 *
 * @throws UnavailableError when there is none that the image is for
 */
export const findBasePython = async (image: PythonImage, request: BasePythonRequest): Promise<BasePython> => {
  if (request.python !== undefined) return namedBasePython(image, request.python, request.env);
  for (const candidate of await candidates(image, request)) {
    const found = await askInterpreter(candidate, request.env);
    if (found !== undefined && image.pythons.includes(found.version)) return found;
  }
  const [preferred] = image.pythons;
  if (programsOnPath('uv', request.env).length > 0 && !request.offline)
    return { command: preferred, version: preferred };
  throw new UnavailableError(
    `image ${image.tag} needs a Python of version ${image.pythons.join(', ')}, and none is on PATH`,
    'install one, or name it: --python PATH; where uv is installed, it gets one',
  );
};

const namedBasePython = async (image: PythonImage, python: string, env: Variables): Promise<BasePython> => {
  const named = await askInterpreter(namedInterpreter(python, env), env);
  if (named === undefined) throw new UnavailableError(`--python ${python} does not answer like a Python`);
  if (image.pythons.includes(named.version)) return named;
  throw new UnavailableError(
    `--python ${python} is Python ${named.version}; image ${image.tag} is for ${image.pythons.join(', ')}`,
    'name another one, or none: then one is looked for',
  );
};

/** Interpreters that may do, the preferred ones first. */
const candidates = async (image: PythonImage, { env }: BasePythonRequest): Promise<string[]> => {
  const found: string[] = [];
  for (const version of image.pythons) {
    found.push(...(await knownToUv(version, env)));
    found.push(...programsOnPath(`python${version}`, env));
  }
  return [...found, ...programsOnPath('python3', env), ...programsOnPath('python', env)];
};

/** uv looks in more places than `PATH`. */
const knownToUv = async (version: string, env: Variables): Promise<string[]> => {
  const [uv] = programsOnPath('uv', env);
  if (uv === undefined) return [];
  const { code, stdout } = await runTool(uv, ['python', 'find', '--no-python-downloads', version], { env });
  return code === 0 ? [stdout.trim()] : [];
};

const ASK_VERSION = 'import sys; print(sys.executable); print("%d.%d" % sys.version_info[:2])';

/** What an interpreter says of itself; undefined for what is no Python. A script that starts a Python, like pyenv's, gives the one that it starts. */
export const askInterpreter = async (candidate: string, env: Variables): Promise<BasePython | undefined> => {
  const { code, stdout } = await runTool(candidate, ['-I', '-c', ASK_VERSION], { env });
  const [command, version] = stdout.split('\n');
  return code === 0 && version !== undefined ? { command, version } : undefined;
};
