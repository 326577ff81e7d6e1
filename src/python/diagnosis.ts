import { askInterpreter } from './base-python.js';
import { checkPlatform, isTooOld } from './host.js';
import { type ImageStatus, imageStatus, installedPackages, type Variables } from './environments.js';
import { IMAGE_TAGS, imageOf, requireImage, type PythonImage } from './images.js';
import { findInterpreter, type Interpreter, programsOnPath } from './interpreter.js';
import { PYTHON_ISOLATIONS, type PythonIsolation } from './isolation.js';
import { nltkHint } from './nltk-data.js';
import { gradeItem, type ProbeOptions, withProbe } from './probe.js';
import { HARNESS } from './supervisor.js';
import { lastLine, runTool } from './tool.js';

/** What python graders have on this machine. Keys are as in the JSON that `assay doctor` prints. */
export interface Diagnosis {
  readonly python: PythonFinding;
  readonly images: readonly ImageFinding[];
  /** What isolation is made of; empty where no Python can tell. */
  readonly containment: readonly Means[];
  /** Each level has run a grader, or could not. */
  readonly isolation: readonly LevelFinding[];
}

/** What keeps something from working, and what to do about it. */
export interface Obstacle {
  readonly message: string;
  readonly hint?: string;
}

/** The Python that graders would run with. */
export type PythonFinding = UsablePython | UnusablePython;

/** One that is new enough and runs. */
export interface UsablePython {
  readonly usable: true;
  readonly command: string;
  /** What the command starts, which is another file where the command is a script or a link. */
  readonly executable: string;
  readonly origin: Interpreter['origin'];
  /** `3.12.1` */
  readonly version: string;
  /** `cpython` */
  readonly implementation: string;
  /** The packages of the image lists that it has, with their versions. */
  readonly packages: Readonly<Record<string, string>>;
}

/** None, or one that graders cannot run with. */
export interface UnusablePython extends Obstacle {
  readonly usable: false;
  /** undefined when there is none. */
  readonly command?: string;
}

/** What there is of the environment of an image. */
export interface ImageFinding {
  readonly tag: string;
  readonly state: ImageStatus['state'];
  /** The folder of the environment; null when the state is `missing`. */
  readonly folder: string | null;
  /** The version of its Python, `3.12`; null when the state is `missing`. */
  readonly python: string | null;
  /** How many packages are on the list. */
  readonly packages: number;
  /** The versions of Python that it can be installed for, the preferred one first. */
  readonly pythons: readonly string[];
  /** Packages that it lacks as `name version`; empty when the state is `missing`. */
  readonly missing_packages: readonly string[];
  /** Packages that it has in another version, as `name version instead of version`. */
  readonly other_versions: readonly string[];
  /** NLTK's names of data that it lacks; empty when the state is `missing`. */
  readonly missing_nltk_data: readonly string[];
  /** How to put the data there by hand. */
  readonly nltk_hint?: string;
}

/** A means of isolation that this machine offers or not. */
export interface Means {
  /** `landlock`, `seccomp`, …: what the Python side looks for, and `bubblewrap`. */
  readonly name: string;
  readonly offered: boolean;
  /** What of it, or why not. */
  readonly detail: string;
}

/** Whether a level of isolation can be had. */
export interface LevelFinding {
  readonly level: PythonIsolation;
  readonly available: boolean;
  /** Whether it is the one that holds when none is asked for. */
  readonly default: boolean;
  /** Why it cannot be had. */
  readonly reason?: string;
  readonly hint?: string;
}

/** What to look at. */
export interface DiagnosisRequest {
  /** `--python` */
  readonly python?: string;
  /** Only this image, and the Python that graders with this `image_tag` get. */
  readonly imageTag?: string;
  readonly env: Variables;
  /** As `process.platform` names it. Default: this one. */
  readonly platform?: NodeJS.Platform;
}

/** The level that holds when none is asked for. */
export const DEFAULT_ISOLATION: PythonIsolation = 'confined';

/**
 * Finds out what python graders have on this machine. What is not there is part of the result.
 *
 * @throws UnavailableError when no package list is known for the image
 */
export const diagnose = async (request: DiagnosisRequest): Promise<Diagnosis> => {
  const { imageTag, env } = request;
  const images = imageTag === undefined ? IMAGE_TAGS.map(requireImage) : [requireImage(imageTag)];
  const { python, offered } = await findPython(request);
  const containment = Object.entries(offered).map(([name, { offered, detail }]) => ({
    name,
    offered,
    detail,
  }));
  return {
    python,
    images: images.map((image) => imageFinding(image, env)),
    containment: python.usable ? [...containment, await tryBubblewrap(request)] : [],
    isolation: await Promise.all(PYTHON_ISOLATIONS.map((level) => tryLevel(level, python, request))),
  };
};

/** What the Python side prints with `--offered`. */
interface Answer {
  readonly interpreter: Pick<UsablePython, 'version' | 'implementation' | 'executable'> & {
    readonly site: readonly string[];
  };
  readonly offered: Readonly<Record<string, Omit<Means, 'name'>>>;
}

interface Asked {
  readonly python: PythonFinding;
  readonly offered: Answer['offered'];
}

const findPython = async ({ python, imageTag, env, platform }: DiagnosisRequest): Promise<Asked> => {
  try {
    checkPlatform('open', platform);
    return await askPython(findInterpreter({ python, imageTag, env }), env);
  } catch (error) {
    return unusable(obstacleOf(error));
  }
};

const unusable = (obstacle: Obstacle & { readonly command?: string }): Asked => ({
  python: { usable: false, ...obstacle },
  offered: {},
});

const ANOTHER_PYTHON = 'install Python 3.9 or newer, or say where one is: --python PATH';

const askPython = async ({ command, origin }: Interpreter, env: Variables): Promise<Asked> => {
  const unfit = (message: string) => unusable({ command, message, hint: ANOTHER_PYTHON });
  const found = await askInterpreter(command, env);
  if (found === undefined) return unfit(`${command} does not answer like a Python`);
  if (isTooOld(found.version))
    return unfit(`${command} is Python ${found.version}; python graders need 3.9 or newer`);
  const answered = await runTool(command, ['-s', '-B', HARNESS, '--offered'], { env });
  if (answered.code !== 0) return unfit(`${command} cannot run graders: ${lastLine(answered)}`);
  const { interpreter, offered } = JSON.parse(answered.stdout) as Answer;
  const { site, ...facts } = interpreter;
  const packages = listedPackages(site);
  return { python: { usable: true, command, origin, ...facts, packages }, offered };
};

const listedPackages = (site: readonly string[]): Record<string, string> => {
  const packages = IMAGE_TAGS.flatMap((tag) => imageOf(tag)?.packages ?? []);
  const listed = new Set(packages.map(({ name }) => name));
  return Object.fromEntries([...installedPackages(site)].filter(([name]) => listed.has(name)));
};

const imageFinding = (image: PythonImage, env: Variables): ImageFinding => {
  const { state, environment, missingPackages, otherVersions, missingNltkData } = imageStatus(image, env);
  const { tag, packages, pythons } = image;
  const finding = { tag, state, packages: packages.length, pythons };
  if (environment === undefined)
    return {
      ...finding,
      folder: null,
      python: null,
      missing_packages: [],
      other_versions: [],
      missing_nltk_data: [],
    };
  const lacking = missingNltkData.map(({ name }) => name);
  return {
    ...finding,
    folder: environment.folder,
    python: environment.python,
    missing_packages: missingPackages.map(({ name, version }) => `${name} ${version}`),
    other_versions: otherVersions.map(({ name, version, found }) => `${name} ${found} instead of ${version}`),
    missing_nltk_data: lacking,
    ...(lacking.length > 0 && { nltk_hint: nltkHint(image, environment, lacking) }),
  };
};

/** A grader that any level lets grade. */
const HARMLESS = 'def grade(sample, item):\n    return 1.0\n';

/** undefined when a grader can run so, else why it cannot. */
const obstacleTo = async (options: ProbeOptions): Promise<Obstacle | undefined> => {
  try {
    return await withProbe(HARMLESS, options, async (program) => {
      const score = await gradeItem(program, {});
      return score.status === 'scored' ? undefined : { message: score.message };
    });
  } catch (error) {
    return obstacleOf(error);
  }
};

const tryLevel = async (
  level: PythonIsolation,
  python: PythonFinding,
  { platform, ...request }: DiagnosisRequest,
): Promise<LevelFinding> => {
  const finding = { level, default: level === DEFAULT_ISOLATION };
  const obstacle =
    platformObstacle(level, platform) ??
    (python.usable
      ? await obstacleTo({ ...request, isolation: level })
      : { message: 'no Python can run it' });
  if (obstacle === undefined) return { ...finding, available: true };
  return { ...finding, available: false, reason: obstacle.message, hint: obstacle.hint };
};

const platformObstacle = (level: PythonIsolation, platform?: NodeJS.Platform): Obstacle | undefined => {
  try {
    checkPlatform(level, platform);
    return undefined;
  } catch (error) {
    return obstacleOf(error);
  }
};

/** Whether `--python-wrap bwrap` works, by doing it. */
const tryBubblewrap = async ({ python, imageTag, env }: DiagnosisRequest): Promise<Means> => {
  const name = 'bubblewrap';
  if (programsOnPath('bwrap', env).length === 0)
    return { name, offered: false, detail: 'bwrap is not on PATH; only --python-wrap bwrap needs it' };
  const obstacle = await obstacleTo({ python, imageTag, env, isolation: 'open', wrap: 'bwrap' });
  return obstacle === undefined
    ? { name, offered: true, detail: '--python-wrap bwrap works' }
    : { name, offered: false, detail: obstacle.message };
};

/** What an error of this part says, without what the reader of a diagnosis knows. */
const obstacleOf = (error: unknown): Obstacle => {
  const { message, hint } = error as Error & { readonly hint?: string };
  return {
    message: message.replace(/^python graders cannot (?:run \w+ with \S+|be \w+ on \w+): /, ''),
    hint: hint?.startsWith('assay doctor') ? undefined : hint,
  };
};
