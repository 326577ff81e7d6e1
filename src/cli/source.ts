import type { ConfigIssue, PathSegment } from '../errors.js';

/** Something about the text of a configuration, before anybody asks what it means. */
export interface SourceIssue {
  /** Where it is, as an index into the text. */
  readonly at: number;
  readonly severity: ConfigIssue['severity'];
  readonly path: readonly PathSegment[];
  readonly message: string;
  readonly hint?: string;
}

/** A text that has been read as JSON or YAML, and where in it everything stands. */
export interface Source {
  /** Undefined when there is an error among the issues. */
  readonly value: unknown;
  readonly issues: readonly SourceIssue[];
  /** Where in the text an issue is; for something missing, where that belongs. */
  offsetOf(issue: Omit<ConfigIssue, 'severity' | 'message'>): number;
}
