import { readFile } from 'node:fs/promises';
import { formatPath, type ConfigIssue } from '../errors.js';
import { printable } from '../show.js';
import { UsageError } from './context.js';
import type { Source } from './source.js';

/** A configuration as the user wrote it. */
export interface ConfigFile {
  readonly path: string;
  readonly value: unknown;
  /** The text it was read from, for the places of mistakes. */
  readonly text: string;
  readonly source: Source;
}

/** One mistake of one file, with its place. */
export interface Diagnostic {
  readonly file: string;
  /** From 1; null where the whole file is meant. */
  readonly line: number | null;
  /** From 1, in UTF-16 units as editors count; null where the whole file is meant. */
  readonly column: number | null;
  /** Where in the configuration: `graders.exact.operation`; empty for its root. */
  readonly path: string;
  readonly severity: ConfigIssue['severity'];
  readonly message: string;
  readonly hint: string | null;
}

/** A file that cannot be read as JSON or YAML. */
export class ConfigFileError extends UsageError {
  constructor(readonly diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(formatDiagnostic).join('\n'));
  }
}

const MAX_MEBIBYTES = 8;

/**
 * Reads a grader file: JSON, or YAML when the name ends in .yaml or .yml.
 *
 * @throws ConfigFileError with file, line and column
 */
export const readConfigFile = async (path: string): Promise<ConfigFile> => {
  const text = decode(path, await readBytes(path));
  const source = await readSource(path, text);
  if (source.issues.some(({ severity }) => severity === 'error'))
    throw new ConfigFileError(diagnose({ path, text, value: undefined, source }, []));
  return { path, text, value: source.value, source };
};

const readSource = async (path: string, text: string): Promise<Source> =>
  /\.ya?ml$/i.test(path)
    ? (await import('./yaml-source.js')).readYaml(text)
    : (await import('./json-source.js')).readJson(text);

const readBytes = async (path: string): Promise<Buffer> => {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw wholeFile(path, `cannot read the file: ${REASONS[error.code ?? ''] ?? error.message}`);
  });
  const mebibytes = bytes.length / 2 ** 20;
  if (mebibytes <= MAX_MEBIBYTES) return bytes;
  const message = `has ${mebibytes.toFixed(1)} MiB, expected at most ${MAX_MEBIBYTES}`;
  throw wholeFile(path, message, 'is this the dataset?');
};

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
};

const wholeFile = (file: string, message: string, hint: string | null = null): ConfigFileError =>
  new ConfigFileError([{ file, line: null, column: null, path: '', severity: 'error', message, hint }]);

const decode = (path: string, bytes: Buffer): string => {
  const start = bytes.subarray(0, 2).toString('hex');
  if (start === 'fffe' || start === 'feff')
    throw wholeFile(path, 'is encoded as UTF-16, expected UTF-8', 'save it again as UTF-8');
  if (bytes.includes(0)) throw wholeFile(path, 'is not a text file: it has a zero byte');
  try {
    // Takes the byte order mark away that some Windows programs put in front.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const text = new TextDecoder().decode(bytes);
    const place = placesIn(text)(text.indexOf('\ufffd'));
    const mistake = { message: 'a byte that is not UTF-8', hint: 'save the file as UTF-8' };
    throw new ConfigFileError([{ file: path, ...place, path: '', severity: 'error', ...mistake }]);
  }
};

/** Turns offsets into lines and columns. */
const placesIn = (text: string): ((offset: number) => Pick<Diagnostic, 'line' | 'column'>) => {
  const lineStarts = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
  return (offset) => {
    let [line, end] = [0, lineStarts.length];
    while (line + 1 < end) {
      const middle = (line + end) >> 1;
      if (lineStarts[middle] <= offset) line = middle;
      else end = middle;
    }
    return { line: line + 1, column: offset - lineStarts[line] + 1 };
  };
};

/** The mistakes of a configuration with those of its file, in the order of the text. */
export const diagnose = (
  { path: file, text, source }: ConfigFile,
  issues: readonly ConfigIssue[],
): readonly Diagnostic[] => {
  const found = [...source.issues, ...issues.map((issue) => ({ ...issue, at: source.offsetOf(issue) }))];
  const placeOf = placesIn(text);
  return found
    .sort((a, b) => a.at - b.at)
    .map(({ at, path, severity, message, hint = null }) => {
      const { line, column } = placeOf(at);
      return { file, line, column, path: formatPath(path), severity, message, hint };
    });
};

/** `file:line:column: path: message`, with the hint on a line of its own. */
export const formatDiagnostic = (diagnostic: Diagnostic): string => {
  const { file, line, column, path, severity, message, hint } = diagnostic;
  const place = line === null ? file : `${file}:${line}:${column}`;
  const parts = [
    place,
    ...(severity === 'warning' ? ['warning'] : []),
    ...(path === '' ? [] : [path]),
    message,
  ];
  return printable(parts.join(': ')) + (hint === null ? '' : `\n  hint: ${printable(hint)}`);
};
