import type * as z from 'zod';
import type { ConfigIssue, PathSegment } from './errors.js';
import type { Score } from './score.js';

/** The two names a template can start with: the dataset row, and the model output that is graded. */
export type Namespace = 'item' | 'sample';

/** A `{{ item.answer }}` of a template. */
export interface TemplateVariable {
  readonly namespace: Namespace;
  /** The steps after the namespace; empty for a whole `{{ item }}`. */
  readonly path: readonly PathSegment[];
  /** As written between the braces, without the white space around it. */
  readonly expression: string;
}

/** A JSON object whose fields are not known beforehand. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What a grader receives: one dataset row with its model output, already in the API's shape. */
export interface Row {
  /** The fields of the dataset row. */
  readonly item: JsonObject;
  /** The model output: `output_text`, `output_json`, `output_tools`, `choices`, `output_audio`. */
  readonly sample?: JsonObject;
  /**
   * The text of a value as the dataset wrote it (`1.0`, not `1`), or undefined when the row has no source text.
   * Only asked for values that exist in `item` or `sample`.
   */
  sourceText?(namespace: Namespace, path: readonly PathSegment[]): string | undefined;
  /**
   * The text of a template's variable, for rows that know it without having been parsed; undefined means: look it up in
   * `item` and `sample`.
   */
  textOf?(variable: TemplateVariable): string | undefined;
}

/** Vectors for texts, one each and in their order, from an embedding model. */
export interface Embed {
  /** The model's name, recorded with the scores. */
  readonly model: string;
  embed(texts: readonly string[]): Promise<readonly (readonly number[])[]>;
}

/** What `prepare` may use. */
export interface PrepareContext {
  /** The metric profile for graders that do not name one themselves. */
  readonly profile: string;
  /** A directory with NLTK's `punkt_tab/english` files, for tokens that equal NLTK's on every text. */
  readonly punktData?: string;
  readonly embed?: Embed;
  readonly signal?: AbortSignal;
  /**
   * Prepares another grader, for graders made of graders (multi). Mistakes are thrown as a ConfigError whose
   * paths start with `path`.
   */
  prepare(config: unknown, path: readonly PathSegment[]): Promise<PreparedGrader>;
  /** Reports something that is allowed but probably not meant; paths from the grader's own root. */
  warn(issue: Omit<ConfigIssue, 'severity'>): void;
}

/** A grader ready to grade: everything that can be wrong with its configuration has been checked. */
export interface PreparedGrader {
  /**
   * Grades one row. Synchronous where the work is: a million rows must not pay for a million promises.
   * May throw a GradingError; the engine makes it a `failed` score.
   */
  grade(row: Row): Score | Promise<Score>;
  /** What the scores are made with, for people who compare them: `bleu/hosted-2025`. Default: the grader's type. */
  readonly signature?: string;
  /** The names in a score's `subRewards`, for a grader made of graders. */
  readonly members?: readonly string[];
  /**
   * Every variable of its templates, the very objects, for datasets that are scanned for these values instead of
   * parsed. Undefined when the grader reads rows otherwise.
   */
  readonly variables?: readonly TemplateVariable[];
  close?(): void | Promise<void>;
}

/** One kind of grader: what `type` selects in a grader's JSON. */
export interface GraderDefinition<Schema extends z.ZodType = z.ZodType> {
  /** The wire's `type`. */
  readonly type: string;
  /** One line for lists and docs. */
  readonly summary: string;
  /** Parses the configuration, and is its JSON Schema. */
  readonly schema: Schema;
  /**
   * Compiles the configuration once a run; throws a ConfigError with every mistake it finds (paths from the grader's
   * own root).
   */
  prepare(config: z.output<Schema>, context: PrepareContext): PreparedGrader | Promise<PreparedGrader>;
}
