/**
 * How far Python sources are kept from the rest of the machine. `confined` (default): no network, reads of Python's own
 * files only, writes to a scratch folder only. `strict`: also a fresh process for every row. `open`: the rights of this
 * program. SECURITY.md says what each level does not stop.
 */
export const PYTHON_ISOLATIONS = ['confined', 'strict', 'open'] as const;

/** One of {@link PYTHON_ISOLATIONS}. */
export type PythonIsolation = (typeof PYTHON_ISOLATIONS)[number];
