import { availableParallelism, arch, platform, release, totalmem } from 'node:os';
import {
  DEFAULT_ISOLATION,
  diagnose,
  type Diagnosis,
  type ImageFinding,
  type Obstacle,
} from '../python/diagnosis.js';
import { requireImage } from '../python/images.js';
import { installImage } from '../python/install.js';
import type { ProbeOptions } from '../python/probe.js';
import { type Attempt, type PackageTrial, tryImports, tryState, tryTricks } from '../python/self-test.js';
import { measureSpeed, type Speed } from '../python/speed.js';
import { version } from '../version.js';
import { EXIT, UsageError, type CommandContext, type Io } from './context.js';
import { renderCheckup } from './doctor-report.js';
import { reportErrors } from './run.js';

/** The flags of `assay doctor`. */
export interface DoctorFlags {
  readonly python?: string;
  readonly image?: string;
  readonly install: boolean;
  readonly quick: boolean;
  readonly json: boolean;
}

/** All that `assay doctor` finds; `--json` prints it. */
export interface Checkup extends Diagnosis {
  readonly machine: Machine;
  /** null with `--quick`, and where graders cannot run at the default level. */
  readonly self_test: SelfTest | null;
  /** Why the exit code is not 0. */
  readonly problem: Obstacle | null;
}

export interface Machine {
  readonly assay: string;
  readonly node: string;
  readonly platform: NodeJS.Platform;
  /** Of the kernel. */
  readonly release: string;
  readonly arch: string;
  readonly cores: number;
  readonly memory_bytes: number;
}

/** What came of real graders. */
export interface SelfTest {
  /** What a grader tried at the default level. */
  readonly attempts: readonly Attempt[];
  /** What one tried at the level `strict`. */
  readonly strict: readonly Attempt[];
  /** The packages of the image that was asked for. */
  readonly imports?: readonly PackageTrial[];
  readonly speed: Speed;
}

/** `assay doctor`: the report, or with `--json` all of it as JSON, on stdout; what an installation does on stderr. */
export const doctorCommand = async function (this: CommandContext, flags: DoctorFlags): Promise<void> {
  const { io } = this;
  this.process.exitCode = await reportErrors(io, async () => {
    try {
      if (flags.install) await install(flags, io);
      const checkup = await examine(flags, io);
      io.stdout.write(
        flags.json ? `${JSON.stringify(checkup, undefined, 2)}\n` : renderCheckup(checkup, flags.image),
      );
      return checkup.problem === null ? EXIT.ok : EXIT.badUsage;
    } catch (error) {
      if (io.signal.aborted) return EXIT.interrupted;
      throw error;
    }
  });
};

const install = async ({ image, python }: DoctorFlags, { env, stderr }: Io): Promise<void> => {
  if (image === undefined) throw new UsageError('--install is about an image; name it with --image');
  const tell = (line: string) => stderr.write(`${line}\n`);
  const { notBuilt, missingNltkData } = await installImage(requireImage(image), {
    env,
    python,
    onProgress: tell,
  });
  for (const { name, version, reason } of notBuilt) tell(`${name} ${version} could not be built:\n${reason}`);
  if (missingNltkData !== undefined)
    tell(`no NLTK data ${missingNltkData.names.join(', ')}: ${missingNltkData.reason}`);
};

const examine = async (flags: DoctorFlags, { env, signal }: Io): Promise<Checkup> => {
  // With --install, --python has been the Python to build with; graders run in what was built.
  const python = flags.install ? undefined : flags.python;
  const request = { python, imageTag: flags.image, env };
  const diagnosis = await diagnose(request);
  signal.throwIfAborted();
  const canRun = diagnosis.isolation.some((level) => level.default && level.available);
  const self_test = canRun && !flags.quick ? await testItself(request, signal) : null;
  const checkup = { machine: machine(), ...diagnosis, self_test };
  return { ...checkup, problem: problemOf(checkup, flags.image) };
};

const testItself = async (request: ProbeOptions, signal: AbortSignal): Promise<SelfTest> => {
  const { imageTag } = request;
  const options = { ...request, isolation: DEFAULT_ISOLATION };
  const attempts = await tryTricks(options);
  const strict = [await tryState({ ...request, isolation: 'strict' })];
  signal.throwIfAborted();
  const speed = await measureSpeed(options);
  signal.throwIfAborted();
  if (imageTag === undefined) return { attempts, strict, speed };
  return { attempts, strict, imports: await tryImports({ ...options, imageTag }), speed };
};

const machine = (): Machine => ({
  assay: version,
  node: process.versions.node,
  platform: platform(),
  release: release(),
  arch: arch(),
  cores: availableParallelism(),
  memory_bytes: totalmem(),
});

/**
 * The gravest thing that keeps graders from running, or keeps them less than they should be; null when there is none.
 *
 * @param image  the image that was asked for
 */
export const problemOf = (checkup: Omit<Checkup, 'problem'>, image?: string): Obstacle | null => {
  const { python, isolation, images, self_test } = checkup;
  if (!python.usable) return { message: python.message, hint: python.hint };
  const level = isolation.find((finding) => finding.default);
  if (level !== undefined && !level.available)
    return {
      message: `graders cannot run ${level.level}, the default: ${level.reason}`,
      hint: level.hint ?? 'where that cannot be changed: --python-isolation open, for sources that you trust',
    };
  const failure = self_test === null ? null : failureOf(self_test);
  return imageProblem(images.find(({ tag }) => tag === image)) ?? failure;
};

const imageProblem = (image: ImageFinding | undefined): Obstacle | null => {
  if (image === undefined) return null;
  const { tag, state, missing_packages } = image;
  const hint = `assay doctor --image ${tag} --install`;
  if (state === 'missing') return { message: `image ${tag} is not installed`, hint };
  if (missing_packages.length === 0) return null;
  return { message: `image ${tag} lacks ${missing_packages.join(', ')}`, hint };
};

const failureOf = ({ attempts, strict, imports = [] }: SelfTest): Obstacle | null => {
  const escaped = [...attempts, ...strict].filter(({ contained }) => !contained);
  if (escaped.length > 0)
    return {
      message: `a grader could: ${escaped.map(({ name }) => name).join('; ')}`,
      hint: 'run only sources that you trust on this machine, and report this as a bug of assay',
    };
  const broken = imports.filter(({ fault }) => fault !== undefined);
  if (broken.length === 0) return null;
  return {
    message: `graders cannot import ${broken.map(({ name }) => name).join(', ')}`,
    hint: 'what each import says stands above',
  };
};
