/**
 * Every way a row can fail, in one table. The first eleven are the error flags of OpenAI's graders API;
 * the last two are ours and travel as `other_error` on the wire.
 */
export const ERROR_CODES = {
  formula_parse_error: 'calculate_output could not be evaluated to a finite number',
  sample_parse_error: 'the sample is not valid JSON where JSON is needed',
  truncated_observation_error: 'the sample was cut off by a token limit',
  unresponsive_reward_error: 'the grader gave no reward in time',
  invalid_variable_error: 'a template names a variable that the row does not have',
  other_error: 'anything else: a bug or a system failure',
  python_grader_server_error: 'the Python sandbox failed, not the user code',
  python_grader_runtime_error: 'grade() raised an exception or returned something that is not a number',
  model_grader_server_error: 'the judge model could not be asked',
  model_grader_refusal_error: 'the judge model refused',
  model_grader_parse_error: 'the reply of the judge model could not be read',
  row_error: 'the row is broken or does not have the expected shape',
  not_graded: 'the run stopped before this row was graded',
} as const;

/** Why a row failed: one of OpenAI's error flags, `row_error` or `not_graded`. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** A step into a JSON value: an object key or an array index. */
export type PathSegment = string | number;

/** One mistake in a configuration. */
export interface ConfigIssue {
  /** Where in the configuration, from its root: `['graders', 'exact', 'operation']`. */
  readonly path: readonly PathSegment[];
  /** What was expected and what came. */
  readonly message: string;
  /** What to do about it, when there is a good guess: `did you mean "operation"?` */
  readonly hint?: string;
  /** Position inside the string value at `path`, in UTF-16 units from 0 (template and formula mistakes). */
  readonly at?: number;
  /** A warning does not stop a run unless `--strict` is given. */
  readonly severity: 'error' | 'warning';
}

/** `graders.exact.operation`, `testing_criteria[0].name`; keys that are no identifiers are quoted. */
export const formatPath = (path: readonly PathSegment[]): string =>
  path
    .map((segment, index) => {
      if (typeof segment === 'number') return `[${segment}]`;
      if (/^[\p{L}\p{N}_$-]+$/u.test(segment)) return index === 0 ? segment : `.${segment}`;
      return `[${JSON.stringify(segment)}]`;
    })
    .join('');

/** A configuration that cannot be used; carries every mistake found, not only the first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly issues: readonly ConfigIssue[]) {
    super(issues.map(formatIssue).join('\n'));
  }
}

/** One line a mistake, the hint on a second one. */
export const formatIssue = ({ path, message, hint }: ConfigIssue): string =>
  `${path.length > 0 ? `${formatPath(path)}: ` : ''}${message}${hint === undefined ? '' : `\n  hint: ${hint}`}`;

/**
 * Thrown while a row is graded; the engine turns it into a `failed` score, so the run goes on.
 * It carries no stack trace: a dataset with a million bad rows must not pay for a million traces.
 */
export class GradingError extends Error {
  override readonly name = 'GradingError';

  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** What a grader needs of the world outside is not there: an interpreter, a means of isolation, a model's address. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';

  constructor(
    message: string,
    /** What to do about it. */
    readonly hint?: string,
  ) {
    super(message);
  }
}
