import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { NltkResource, PinnedPackage, PythonImage } from './images.js';

/** Variables as in `process.env`. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** The environment of an image: an interpreter of its own and the packages. */
export interface ImageEnvironment {
  /** An absolute path; a link to where the files are. */
  readonly folder: string;
  /** Its interpreter. */
  readonly command: string;
  /** `3.12` */
  readonly python: string;
  /** For `NLTK_DATA`; NLTK finds it by itself too. It need not exist. */
  readonly nltkData: string;
}

/** What a machine has of an image. */
export interface ImageStatus {
  /** `partial`: an environment is there and can be used, but something of the image is missing in it. */
  readonly state: 'installed' | 'partial' | 'missing';
  /** undefined when the state is `missing`. */
  readonly environment?: ImageEnvironment;
  /** Packages of the list that the environment lacks; all of them when the state is `missing`. */
  readonly missingPackages: readonly PinnedPackage[];
  /** Packages that it has in another version. */
  readonly otherVersions: readonly (PinnedPackage & { readonly found: string })[];
  /** NLTK data that it lacks. */
  readonly missingNltkData: readonly NltkResource[];
}

/** The folder below which everything lies that is built once and kept. */
export const cacheFolder = ({ ASSAY_HOME, XDG_CACHE_HOME, HOME }: Variables): string => {
  if (ASSAY_HOME) return resolve(ASSAY_HOME);
  if (XDG_CACHE_HOME) return resolve(XDG_CACHE_HOME, 'assay');
  return resolve(HOME || homedir(), '.cache', 'assay');
};

/** The folder that holds the environments of all images; need not exist. */
export const environmentsFolder = (env: Variables): string => join(cacheFolder(env), 'python');

/**
 * The environment of an image for one Python, whether it is there or not.
 *
 * The name has a hash of the package list, so that another list never meets what an older one has left.
 *
 * @param python  `3.12`
 */
export const environmentFor = (image: PythonImage, python: string, env: Variables): ImageEnvironment => {
  const hash = createHash('sha256').update(image.lock).digest('hex').slice(0, 12);
  return environmentAt(join(environmentsFolder(env), `${image.tag}-${hash}-py${python}`), python);
};

/** The environment in a folder. */
export const environmentAt = (folder: string, python: string): ImageEnvironment => ({
  folder,
  command: join(folder, 'bin', 'python'),
  python,
  nltkData: join(folder, 'nltk_data'),
});

/**
 * The environment that is installed for an image; of several the one with the Python that the image prefers.
 * Starts no process.
 */
export const installedEnvironment = (image: PythonImage, env: Variables): ImageEnvironment | undefined =>
  image.pythons
    .map((python) => environmentFor(image, python, env))
    .find(({ command }) => existsSync(command));

/** What this machine has of an image. Reads names of folders only: no process, no import. */
export const imageStatus = (image: PythonImage, env: Variables): ImageStatus => {
  const environment = installedEnvironment(image, env);
  if (environment === undefined)
    return {
      state: 'missing',
      missingPackages: image.packages,
      otherVersions: [],
      missingNltkData: image.nltkData.resources,
    };
  const lacks = lacksOf(image, environment);
  const complete = Object.values(lacks).every(({ length }) => length === 0);
  return { state: complete ? 'installed' : 'partial', environment, ...lacks };
};

/** What an environment lacks of its image. */
export const lacksOf = (
  image: PythonImage,
  { folder, python, nltkData }: ImageEnvironment,
): Pick<ImageStatus, 'missingPackages' | 'otherVersions' | 'missingNltkData'> => {
  const found = installedPackages([join(folder, 'lib', `python${python}`, 'site-packages')]);
  return {
    missingPackages: image.packages.filter(({ name }) => !found.has(name)),
    otherVersions: image.packages.flatMap(({ name, version }) => {
      const other = found.get(name);
      return other === undefined || other === version ? [] : [{ name, version, found: other }];
    }),
    missingNltkData: image.nltkData.resources.filter(
      ({ path }) => !existsSync(join(nltkData, path)) && !existsSync(join(nltkData, `${path}.zip`)),
    ),
  };
};

/**
 * The packages that lie in folders for packages, read from the names of their `.dist-info` folders.
 * A package of an earlier folder hides one of a later, as on `sys.path`; a folder that is not there has none.
 *
 * @param siteFolders  `site-packages` and the like
 * @returns name in PyPI's normalised spelling → version
 */
export const installedPackages = (siteFolders: readonly string[]): Map<string, string> => {
  const packages = new Map<string, string>();
  for (const entry of siteFolders.flatMap(entriesOf)) {
    const [, name, version] = /^(.+?)-([^-]+)\.dist-info$/.exec(entry) ?? [];
    if (name === undefined || packages.has(normalised(name))) continue;
    packages.set(normalised(name), version);
  }
  return packages;
};

const entriesOf = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

/** `Scikit_Learn` → `scikit-learn` */
const normalised = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, '-');
