import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { installedEnvironment, type Variables } from './environments.js';
import { UnavailableError } from '../errors.js';
import { imageOf } from './images.js';

/** The Python that runs the graders. */
export interface Interpreter {
  /** An absolute path. Links are kept: a virtual environment is known by the place of its link. */
  readonly command: string;
  /** How it was found. */
  readonly origin: '--python' | 'image' | 'VIRTUAL_ENV' | 'PATH';
  /** The tag of the image that it is the environment of. */
  readonly image?: string;
  /** The folder for `NLTK_DATA`, when there is one. */
  readonly nltkData?: string;
}

/** What the user asked for, and where to look. */
export interface InterpreterRequest {
  /** `--python`: a path, or a command on `PATH`. */
  readonly python?: string;
  /** The grader's `image_tag`. One that is not installed, or not known, is passed over. */
  readonly imageTag?: string;
  /** Has `PATH`, and may have `VIRTUAL_ENV`, `HOME`, `XDG_CACHE_HOME` and `ASSAY_HOME`. */
  readonly env: Variables;
}

/**
 * Finds the Python for graders, the first of: `--python`, the installed environment of the image, the virtual
 * environment that is active, `python3` on `PATH`, `python` on `PATH`. Starts no process, so nothing says yet whether it works.
 *
 * @throws UnavailableError when there is none, or the one asked for is not there
 */
export const findInterpreter = ({ python, imageTag, env }: InterpreterRequest): Interpreter => {
  if (python !== undefined) return { command: namedInterpreter(python, env), origin: '--python' };
  const found = imageInterpreter(imageTag, env) ?? virtualInterpreter(env) ?? systemInterpreter(env);
  if (found !== undefined) return found;
  throw new UnavailableError(
    'python graders need Python 3.9 or newer, and neither python3 nor python is on PATH',
    'install one, or say where it is: --python PATH',
  );
};

/**
 * The absolute path of an interpreter that a user has named.
 *
 * @param python  a path if it has a slash, else a command on `PATH`
 * @throws UnavailableError when it is not there, or cannot be started
 */
export const namedInterpreter = (python: string, env: Variables): string => {
  if (!python.includes('/')) return commandOnPath(python, env);
  const path = resolve(python);
  if (isProgram(path)) return path;
  const inside = join(path, 'bin', 'python');
  if (isProgram(inside))
    throw new UnavailableError(`--python ${python} is a folder`, `did you mean ${inside}?`);
  throw new UnavailableError(`--python ${python} is ${existsSync(path) ? 'no program' : 'not there'}`);
};

const commandOnPath = (name: string, env: Variables): string => {
  const [command] = programsOnPath(name, env);
  if (command !== undefined) return command;
  const isThere = existsSync(name);
  throw new UnavailableError(
    `--python ${name} is not on PATH`,
    isThere ? `for the one in this folder write --python ./${name}` : undefined,
  );
};

const imageInterpreter = (tag: string | undefined, env: Variables): Interpreter | undefined => {
  const image = tag === undefined ? undefined : imageOf(tag);
  const environment = image && installedEnvironment(image, env);
  if (environment === undefined) return undefined;
  const { command, nltkData } = environment;
  return { command, origin: 'image', image: tag, ...(existsSync(nltkData) && { nltkData }) };
};

const virtualInterpreter = ({ VIRTUAL_ENV }: Variables): Interpreter | undefined => {
  if (!VIRTUAL_ENV) return undefined;
  const command = resolve(VIRTUAL_ENV, 'bin', 'python');
  return isProgram(command) ? { command, origin: 'VIRTUAL_ENV' } : undefined;
};

const systemInterpreter = (env: Variables): Interpreter | undefined => {
  const [command] = [...programsOnPath('python3', env), ...programsOnPath('python', env)];
  return command === undefined ? undefined : { command, origin: 'PATH' };
};

/** Every program of a name on `PATH`, in the order of `PATH`. */
export const programsOnPath = (name: string, { PATH }: Variables): string[] =>
  (PATH ?? '')
    .split(delimiter)
    .map((folder) => resolve(folder, name))
    .filter(isProgram);

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};
