/**
 * A text-similarity metric: candidate (the text graded) first, then the reference (the expected text).
 * Pure; the score is in [0, 1] and never NaN.
 */
export type Metric = (candidate: string, reference: string) => number;
