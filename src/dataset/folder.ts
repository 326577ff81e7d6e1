import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { suggest } from '../suggest.js';
import { DatasetError } from './error.js';
import type { ResolveOptions } from './files.js';
import { knownFormat, toDatasetFile, type DatasetFile } from './format.js';

/** Files of a folder that belong together, by the name of the split; a folder without splits has one without a name. */
type Splits = ReadonlyMap<string, readonly string[]>;

const NO_SPLIT = '';

/**
 * The files of a folder: one split of a dataset as on the Hugging Face hub, or all data files of a folder without splits.
 *
 * The hub's rules are followed: `configs` in the README's front matter; else shards called
 * `data/SPLIT-00000-of-00002.parquet`; else the words train, validation and test in the names of files and folders. Files
 * and folders whose names begin with a dot or `_` are left out.
 *
 * @throws DatasetError
 */
export const folderFiles = async (
  folder: string,
  { format, split }: ResolveOptions,
): Promise<readonly DatasetFile[]> => {
  const paths = (await listFiles(folder, '')).sort();
  refuseSavedDataset(folder, paths);
  const data = paths.filter((path) => isData(path));
  const splits = (await configuredSplits(folder, data)) ?? shardedSplits(data) ?? namedSplits(folder, data);
  const chosen = chooseSplit(folder, splits, split);
  const files = chosen.map((path) => toDatasetFile(join(folder, path), format));
  refuseMixed(folder, files);
  for (const { path, name } of files) await refusePointer(path, name);
  return files;
};

/** All files in a folder and those in it, relative to it. */
const listFiles = async (folder: string, inside: string): Promise<string[]> => {
  const entries = await readdir(join(folder, inside), { withFileTypes: true });
  const paths = await Promise.all(
    entries.map(async (entry) => {
      const path = inside === '' ? entry.name : `${inside}/${entry.name}`;
      if (/^[._]/.test(entry.name)) return [];
      if (entry.isDirectory()) return listFiles(folder, path);
      // The hub's cache has links to files; links to folders could lead in a circle.
      const isFile =
        entry.isFile() || (await stat(join(folder, path)).catch(() => undefined))?.isFile() === true;
      return isFile ? [path] : [];
    }),
  );
  return paths.flat();
};

/** Files that have a data file's ending and describe the dataset. */
const DESCRIPTIONS = new Set([
  'dataset_info.json',
  'dataset_infos.json',
  'dataset_dict.json',
  'state.json',
  'config.json',
  'croissant.json',
  'package.json',
]);

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Also the side file of a results file, `<results>.run.json`, is no data. */
const isData = (path: string): boolean =>
  knownFormat(path) !== undefined && !DESCRIPTIONS.has(nameOf(path)) && !path.endsWith('.run.json');

const refuseSavedDataset = (folder: string, paths: readonly string[]): void => {
  if (!paths.some((path) => path.endsWith('.arrow')) || paths.some(isData)) return;
  const dict = paths.includes('dataset_dict.json');
  const loaded = `load_from_disk('${folder}')${dict ? "['train']" : ''}`;
  throw new DatasetError(
    `${folder}: a dataset saved as Arrow files; write it as Parquet: ` +
      `from datasets import load_from_disk; ${loaded}.to_parquet('rows.parquet')`,
  );
};

const chooseSplit = (folder: string, splits: Splits, asked: string | undefined): readonly string[] => {
  const list = [...splits].map(([name, files]) => `${name} (${count(files.length, 'file')})`).join(', ');
  if (splits.size === 0)
    throw new DatasetError(`${folder}: the folder has no data files (.jsonl, .json, .csv, .tsv, .parquet)`);
  if (asked === undefined) {
    if (splits.size === 1) return [...splits.values()][0];
    throw new DatasetError(`${folder}: the dataset has the splits ${list}; choose one with --split`);
  }
  const files = splits.get(asked) ?? splits.get(SPLIT_WORDS.get(asked) ?? asked);
  if (files !== undefined) return files;
  if (splits.has(NO_SPLIT))
    throw new DatasetError(`${folder}: the folder has no splits; leave out --split ${asked}`);
  const near = suggest(asked, splits.keys());
  throw new DatasetError(
    `${folder}: there is no split "${asked}", there is ${list}${near === undefined ? '' : `; did you mean ${near}?`}`,
  );
};

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;

const refuseMixed = (folder: string, files: readonly DatasetFile[]): void => {
  const formats = [...new Set(files.map(({ format }) => format))];
  if (formats.length > 1)
    throw new DatasetError(
      `${folder}: the folder has data files of several formats (${formats.join(', ')}); ` +
        `name those to read, say ${folder}/*.${formats[0]}`,
    );
};

const POINTER = 'version https://git-lfs';

/** What a clone without Git LFS has in the place of large files. */
const refusePointer = async (path: string, name: string): Promise<void> => {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(POINTER.length), 0, POINTER.length, 0);
    if (buffer.toString('latin1', 0, bytesRead) === POINTER)
      throw new DatasetError(
        `${name}: a pointer of Git LFS and not the file; run "git lfs pull" in ${name}'s repository`,
      );
  } finally {
    await file.close();
  }
};

// The README's front matter

interface DataConfig {
  readonly name: string;
  readonly isDefault: boolean;
  /** The patterns of each split's files. */
  readonly patterns: ReadonlyMap<string, readonly string[]>;
}

/** The splits that the README names; undefined where it names no files. */
const configuredSplits = async (folder: string, data: readonly string[]): Promise<Splits | undefined> => {
  const readme = await readFile(join(folder, 'README.md'), 'utf8').catch(() => '');
  const front = /^\ufeff?---\r?\n(.*?)\r?\n---/s.exec(readme)?.[1];
  if (front === undefined) return undefined;
  const configs = await readConfigs(folder, front);
  if (configs.length === 0) return undefined;
  const config =
    configs.length === 1
      ? configs[0]
      : configs.find(({ isDefault, name }) => isDefault || name === 'default');
  if (config === undefined)
    throw new DatasetError(
      `${folder}: the dataset has the configurations ${configs.map(({ name }) => name).join(', ')}; ` +
        'name the files of one of them instead of the folder',
    );
  const splits = new Map<string, readonly string[]>();
  for (const [split, patterns] of config.patterns) splits.set(split, await matching(folder, data, patterns));
  return splits;
};

const matching = async (
  folder: string,
  data: readonly string[],
  patterns: readonly string[],
): Promise<readonly string[]> => {
  const { glob } = await import('tinyglobby');
  const found = new Set<string>();
  for (const pattern of patterns) {
    const paths = data.includes(pattern)
      ? [pattern]
      : await glob(pattern, { cwd: folder, expandDirectories: false });
    if (paths.length === 0)
      throw new DatasetError(`${folder}: its README.md names ${pattern}, and there is no such file`);
    for (const path of paths.sort()) found.add(path);
  }
  return [...found];
};

const readConfigs = async (folder: string, front: string): Promise<readonly DataConfig[]> => {
  const { parse } = await import('yaml');
  let content: unknown;
  try {
    content = parse(front);
  } catch {
    throw new DatasetError(
      `${folder}/README.md: the front matter is not valid YAML; name the data files instead`,
    );
  }
  const configs = (content as { configs?: unknown } | null)?.configs;
  return Array.isArray(configs) ? configs.flatMap(readConfig) : [];
};

const readConfig = (
  config: {
    config_name?: unknown;
    default?: unknown;
    data_dir?: unknown;
    data_files?: unknown;
  } | null,
): readonly DataConfig[] => {
  const { data_files: files, data_dir: inside } = config ?? {};
  const directory = typeof inside === 'string' ? `${inside.replace(/\/+$/, '')}/` : '';
  if (files === undefined && directory === '') return [];
  const patterns = new Map<string, string[]>();
  for (const { split, path } of toEntries(files ?? '**')) {
    const list = patterns.get(split) ?? [];
    list.push(...path.map((pattern) => `${directory}${pattern}`.replace(/^\.\//, '')));
    patterns.set(split, list);
  }
  return [{ name: nameIn(config?.config_name, 'default'), isDefault: config?.default === true, patterns }];
};

const nameIn = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);

/** `data_files` is a pattern, a list of them, or a list of splits with their patterns. */
const toEntries = (files: unknown): readonly { split: string; path: readonly string[] }[] => {
  const list = Array.isArray(files) ? (files as unknown[]) : [files];
  return list.flatMap((entry) => {
    if (typeof entry === 'string') return [{ split: 'train', path: [entry] }];
    const { split, path } = (entry ?? {}) as { split?: unknown; path?: unknown };
    const paths = (Array.isArray(path) ? (path as unknown[]) : [path]).filter(
      (each) => typeof each === 'string',
    );
    return paths.length === 0 ? [] : [{ split: nameIn(split, 'train'), path: paths }];
  });
};

// Names of files

const SHARD = /(?:^|\/)data\/([^/]+?)-\d{5}-of-\d{5}(?:-[^/.]+)?\.[^/]+$/;

const shardedSplits = (data: readonly string[]): Splits | undefined => {
  const splits = group(data, (path) => SHARD.exec(path)?.[1]);
  return splits.size === 0 ? undefined : splits;
};

/** The words that stand for a split in names. */
const SPLIT_WORDS: ReadonlyMap<string, string> = new Map([
  ...['train', 'training'].map((word) => [word, 'train'] as const),
  ...['validation', 'valid', 'dev', 'val'].map((word) => [word, 'validation'] as const),
  ...['test', 'testing', 'eval', 'evaluation'].map((word) => [word, 'test'] as const),
]);

/** `test.csv`, `test/part-1.csv`, `my-test-2.csv`: a word of the path, the file's name first. */
const splitOfName = (path: string): string | undefined => {
  for (const part of path.split('/').toReversed()) {
    const word = part
      .toLowerCase()
      .split(/[^a-z]+/)
      .find((each) => SPLIT_WORDS.has(each));
    if (word !== undefined) return SPLIT_WORDS.get(word);
  }
  return undefined;
};

const namedSplits = (folder: string, data: readonly string[]): Splits => {
  const splits = group(data, splitOfName);
  if (splits.size === 0) return data.length === 0 ? splits : new Map([[NO_SPLIT, data]]);
  const others = data.filter((path) => splitOfName(path) === undefined);
  if (others.length > 0)
    throw new DatasetError(
      `${folder}: ${[...splits.values()][0][0]} looks like a split and ${others[0]} does not; ` +
        'name the files to read instead of the folder',
    );
  return splits;
};

const group = (
  paths: readonly string[],
  splitOf: (path: string) => string | undefined,
): Map<string, string[]> => {
  const groups = new Map<string, string[]>();
  for (const path of paths) {
    const split = splitOf(path);
    if (split === undefined) continue;
    const list = groups.get(split) ?? [];
    list.push(path);
    groups.set(split, list);
  }
  return groups;
};
