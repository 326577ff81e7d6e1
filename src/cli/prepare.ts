import { builtinGraders } from '../../graders/index.js';
import { createEngine, type ReadyGrader } from '../engine.js';
import { ConfigError, type ConfigIssue } from '../errors.js';
import { DEFAULT_PROFILE, resolveProfile } from '../metrics/profiles.js';
import { tokenizer } from '../metrics/tokenize/index.js';
import { diagnose, type ConfigFile, type Diagnostic } from './config-file.js';
import { UsageError } from './context.js';
import { createPython } from '../python/host.js';
import { openJudge, type JudgeFlags, type OpenJudge } from './judge.js';
import { pythonOptions, type GradingFlags, type PythonFlags } from './python-flags.js';

/** The flags that say how a grader is prepared. */
export interface PrepareFlags extends PythonFlags, JudgeFlags {
  readonly profile?: string;
  readonly punktData?: string;
  readonly strict: boolean;
}

/** A grader file that has been checked. */
export interface Prepared {
  /** Undefined when the file has an error, or a warning where `--strict` is given. */
  readonly grader: ReadyGrader | undefined;
  /** Every mistake and warning, in the order of the file. */
  readonly diagnostics: readonly Diagnostic[];
}

/** What depends on the command. */
export interface PrepareChoices {
  /** Receives what python graders print. */
  readonly onOutput?: (text: string) => void;
  /** Receives what should be known of the judges, each once. */
  readonly onNotice?: (text: string) => void;
  /** Nothing will be graded. */
  readonly checksOnly?: boolean;
}

/** Prepares the grader of a file; what is wrong with it is part of the result. */
export const prepareFile = async (
  file: ConfigFile,
  flags: PrepareFlags & GradingFlags,
  { onOutput, onNotice, checksOnly }: PrepareChoices = {},
): Promise<Prepared> => {
  if (flags.punktData !== undefined) checkPunktData(flags.punktData);
  const issues: ConfigIssue[] = [];
  const python = createPython({ ...pythonOptions(flags), onOutput });
  const judge = await openJudge(flags, onNotice ?? (() => {}));
  const preparing = createEngine({ graders: builtinGraders, python, judge }).prepare(file.value, {
    profile: profileName(flags.profile),
    punktData: flags.punktData,
    checksOnly,
    onWarning: (issue) => issues.push(issue),
  });
  const grader = await preparing.catch((error: unknown) => {
    if (!(error instanceof ConfigError)) throw error;
    issues.push(...error.issues);
    return undefined;
  });
  const found = diagnose(file, issues);
  if (grader !== undefined && (!flags.strict || found.length === 0))
    return { grader: closing(grader, judge), diagnostics: found };
  await grader?.close();
  await judge.close();
  if (!flags.strict) return { grader: undefined, diagnostics: found };
  return { grader: undefined, diagnostics: found.map(asError) };
};

/** The grader, with which the judge is closed. */
const closing = (grader: ReadyGrader, judge: OpenJudge): ReadyGrader => ({
  ...grader,
  async close() {
    await grader.close();
    await judge.close();
  },
});

const asError = (diagnostic: Diagnostic): Diagnostic => ({ ...diagnostic, severity: 'error' });

/** Fails before the first row also where the model would be read late. */
const checkPunktData = (punktData: string): void => {
  try {
    tokenizer('nltk', { punktData });
  } catch (error) {
    throw new UsageError(`--punkt-data: ${(error as Error).message}`);
  }
};

/** The full name of the profile that `--profile` names. */
const profileName = (name: string = DEFAULT_PROFILE): string => {
  try {
    return resolveProfile(name).name;
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(`--profile: ${error.message}`);
    throw error;
  }
};
