import { createHash } from 'node:crypto';
import { isObject, valueAt } from '../json-value.js';
import { isJob, jobMethodName } from '../methods/job.js';
import { isMethod, methodNameOf } from '../methods/method.js';

/** What a reinforcement fine-tuning job says, as far as a rehearsal needs it. The job itself is checked elsewhere. */
export interface ReinforcementJob {
  /** The model that is to be trained; undefined for a method alone. */
  readonly model: string | undefined;
  readonly hyperparameters: Readonly<Record<string, unknown>>;
  readonly grader: JobGrader;
  /** The JSON Schema of the outputs; undefined where the job asks for no form. */
  readonly format: { readonly name: string; readonly schema: unknown } | undefined;
  /** SHA-256 of every part of the file that can be the grader of a run: the job, its method, and the grader alone. */
  readonly hashes: ReadonlySet<string>;
}

/** The grader of a job, and of what it is made. */
export interface JobGrader {
  /** The `type` of the grader and of its members. */
  readonly types: ReadonlySet<string>;
  /** The source of every python grader. */
  readonly sources: readonly string[];
  /** Whether a text_similarity compares embeddings. */
  readonly hasCosine: boolean;
  /** Whether it looks into `sample.output_json`. */
  readonly readsJson: boolean;
}

/**
 * Reads a job, or a `method` by itself.
 *
 * @returns what it says, or in words why there is nothing to rehearse
 */
export const reinforcementJobOf = (config: unknown): ReinforcementJob | string => {
  const job = isJob(config) ? config : undefined;
  const method = job === undefined ? config : job.method;
  const name = job === undefined ? methodNameOf(config) : jobMethodName(job);
  if (name === 'supervised' || name === 'dpo')
    return `is a ${name} job, which calls no grader; rehearse is for reinforcement fine-tuning. assay validate checks it, and with --method ${name} its training files`;
  const reinforcement = valueAt(method, ['reinforcement']);
  if (!isObject(reinforcement) || !(job !== undefined || isMethod(config)))
    return 'is no reinforcement fine-tuning job; expected the body of a job, or its method: {"type": "reinforcement", "reinforcement": {"grader": …}}';
  const { grader, hyperparameters, response_format: format } = reinforcement;
  return {
    model: typeof job?.model === 'string' ? job.model : undefined,
    hyperparameters: isObject(hyperparameters) ? hyperparameters : {},
    grader: graderParts(grader),
    format: formatOf(format),
    hashes: new Set([config, method, reinforcement, grader].map(hashOf)),
  };
};

/** As the record of a run has it. */
const hashOf = (config: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(config) ?? '')
    .digest('hex');

const formatOf = (format: unknown): ReinforcementJob['format'] => {
  const inner = isObject(format) && isObject(format.json_schema) ? format.json_schema : format;
  if (!isObject(inner) || inner.schema === undefined) return undefined;
  return { name: String(inner.name), schema: inner.schema };
};

const graderParts = (grader: unknown): JobGrader => {
  const all = [grader, ...membersOf(grader)].filter(isObject);
  const sources = all.filter(({ type, source }) => type === 'python' && typeof source === 'string');
  return {
    types: new Set(all.map(({ type }) => String(type))),
    sources: sources.map(({ source }) => source as string),
    readsJson: /\boutput_json\b/.test(JSON.stringify(grader) ?? ''),
    hasCosine: all.some(({ evaluation_metric }) => evaluation_metric === 'cosine'),
  };
};

const membersOf = (grader: unknown): readonly unknown[] => {
  const members = valueAt(grader, ['graders']);
  return typeof members === 'object' && members !== null ? Object.values(members) : [];
};
