import { stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { DatasetError } from './error.js';
import { toDatasetFile, type DatasetFile, type DatasetFormat } from './format.js';

/** What decides which files a dataset's arguments stand for. */
export interface ResolveOptions {
  /** What the files hold, whatever their names say. */
  readonly format?: DatasetFormat;
  /** Which split of a folder to take. */
  readonly split?: string;
}

/**
 * The files that the arguments of a command stand for, in the order in which their rows are read.
 *
 * - A path is that file. A path that does not exist is kept: opening it says so.
 * - A path with `*`, `?`, `{` or `[` that does not exist is a pattern: `*` within a name, `**` over folders, `{a,b}`, `[ab]`. Its files
 *   come in the order of their names' UTF-16 units, as `sort` in the C locale has them: `rows-10` before `rows-2`.
 * - A folder is a dataset as on the Hugging Face hub, of which one split is taken, or any folder with data files of one
 *   format.
 *
 * The format comes from the ending of the name; see `formatOf`.
 *
 * @throws DatasetError when an argument stands for nothing that can be read, for several splits, or for a file that another
 *   one stands for, too
 */
export const resolveDataset = async (
  args: readonly string[],
  options: ResolveOptions = {},
): Promise<readonly DatasetFile[]> => {
  const files: DatasetFile[] = [];
  let folders = 0;
  for (const argument of args) {
    const stats = await stat(argument).catch(() => undefined);
    if (stats?.isDirectory() === true) {
      folders += 1;
      const { folderFiles } = await import('./folder.js');
      files.push(...(await folderFiles(argument, options)));
    } else if (stats === undefined && PATTERN.test(argument)) {
      files.push(...(await matchingFiles(argument)).map((path) => toDatasetFile(path, options.format)));
    } else files.push(toDatasetFile(argument, options.format));
  }
  if (options.split !== undefined && folders === 0)
    throw new DatasetError(`there are splits in the folder of a dataset only, and ${args.join(' ')} is none`);
  refuseRepeated(files);
  return files;
};

const PATTERN = /[*?{[]/;

const matchingFiles = async (pattern: string): Promise<readonly string[]> => {
  const { glob } = await import('tinyglobby');
  const paths = await glob(pattern, { expandDirectories: false, absolute: isAbsolute(pattern) });
  if (paths.length === 0) throw new DatasetError(`${pattern}: no file has such a name`);
  return paths.sort();
};

/** Rows that are graded twice by mistake are worse than a message. */
const refuseRepeated = (files: readonly DatasetFile[]): void => {
  const seen = new Set<string>();
  for (const { path, name } of files) {
    const absolute = resolve(path);
    if (seen.has(absolute)) throw new DatasetError(`${name}: the dataset has this file twice`);
    seen.add(absolute);
  }
};
