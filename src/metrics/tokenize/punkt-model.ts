import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lazily } from '../lazily.js';

// The contexts a word was seen in while a Punkt model was trained, as its files encode them.
const BEGINNING_UPPER = 1 << 1;
const MIDDLE_UPPER = 1 << 2;
const UNKNOWN_UPPER = 1 << 3;
const BEGINNING_LOWER = 1 << 4;
const MIDDLE_LOWER = 1 << 5;
const UNKNOWN_LOWER = 1 << 6;

/** Orthographic contexts as bit masks: seen with a capital, inside a sentence with a capital, in lower case, ... */
export const ORTHOGRAPHY = {
  upper: BEGINNING_UPPER | MIDDLE_UPPER | UNKNOWN_UPPER,
  middleUpper: MIDDLE_UPPER,
  lower: BEGINNING_LOWER | MIDDLE_LOWER | UNKNOWN_LOWER,
  beginningLower: BEGINNING_LOWER,
} as const;

/** What Punkt knows about a language. Word types are in lower case; every number is `##number##`. */
export interface PunktModel {
  /** Abbreviations without their last full stop: `u.s`, `mr`. */
  readonly abbreviations: ReadonlySet<string>;
  /** Pairs around a full stop that belong together, as `collocationKey` joins them. */
  readonly collocations: ReadonlySet<string>;
  /** The first words of those pairs. */
  readonly collocationStarts: ReadonlySet<string>;
  /** Words that often begin a sentence. */
  readonly sentenceStarters: ReadonlySet<string>;
  /** `ORTHOGRAPHY` bits per word type. */
  readonly orthographicContexts: ReadonlyMap<string, number>;
}

/** How a pair of word types is written in `PunktModel.collocations`. */
export const collocationKey = (first: string, second: string): string => `${first}\t${second}`;

const words = (text: string): string[] => text.trim().split(/\s+/);

/**
 * Usual abbreviations, as far as NLTK's trained model agrees that they are some: to it, a sentence ends behind
 * `etc.`, `e.g.`, `Sgt.` and `No.`. Ten of the initials (A, B, I, J, O, Q, U, X, Y, Z)
 * are missing for the same reason: with them, the next word decides.
 */
const ABBREVIATIONS = `
  mr mrs ms messrs dr prof st jr sr adm col gen lt maj rep reps sen
  jan feb aug sep sept oct nov dec tues wed fri
  ala ariz calif colo conn fla ga ill kan ky mich minn nev okla ore pa tenn va vt wash wis
  d.c l.a n.c n.d n.h n.j n.m n.y r.i s.c u.k u.n u.s u.s.a u.s.s.r w.va
  ave bros co corp cos ft inc ltd
  a.d a.m h.m j.p ok p.m ph.d vs
  c d e f g h k l m n p r s t v w
`;

/** Words that begin a new sentence behind any abbreviation, initial or number when they have a capital. */
const OPENERS = `
  above according almost along already although altogether always among anyone anything besides better both
  but calculate cannot combined combining consider currently despite does earlier eight either else even
  eventually except finally following furthermore given he hence her here however if in including indeed
  initially instead into it least likewise listen many meanwhile moreover most multiply need neither
  nevertheless nor note nothing okay originally otherwise overall please possibly probably recently
  remember result right same seven similarly simply since slowly so some someone sometimes soon
  specifically still such suddenly suppose surely ten thank thanks the them there therefore these they
  things think this though through thus together tomorrow under unfortunately unless unlike upon us using
  very wait weeks went were when whenever whereas wherever whether which while without yes yesterday
  yet your
`;

/** Words that begin a sentence behind an initial or a number only: they also have capitals inside names. */
const NAME_WORDS = `
  a add after again all also an and another any apart are around as at back based be because been before
  below best by can clearly come could did do down during each every everyone everything few find first
  five for four from full further generally get give go good had half has have his how is its just keep
  know last later less let like likely little look make man may maybe me might more mostly much must my
  nearly never new next nine no nobody none not now obviously of often old on once one only or other
  others our out over part people perhaps quite rather read really returns said say second see set several
  she should show six small something start stop take tell than that their then third those three time to
  today too total two until up use usually want was watch water way we well what whatever where who whose
  why will with women works would year you
  black brown church cross day field fields fox gold grant gray green hall hills holder hope house
  hunt hunter justice key king lake lane law light long love march mark marks mills park post price
  queen rice rich rock rose school sharp short silver singer south steel stone street strong summer
 wall ward west white wild winter wood woods young
`;

const LOWER_AND_NAME = UNKNOWN_LOWER | MIDDLE_UPPER;

/**
 * The model used when NLTK's trained one is not at hand: the usual English abbreviations, and common words
 * as evidence for a new sentence. NLTK's data files are not ours to ship.
 */
export const builtInModel = lazily((): PunktModel => ({
  abbreviations: new Set(words(ABBREVIATIONS)),
  collocations: new Set(),
  collocationStarts: new Set(),
  // "I" is never written in lower case, so it says nothing behind an initial.
  sentenceStarters: new Set([...words(OPENERS), 'i']),
  orthographicContexts: new Map([
    ...words(OPENERS).map((word): [string, number] => [word, UNKNOWN_LOWER]),
    ...words(NAME_WORDS).map((word): [string, number] => [word, LOWER_AND_NAME]),
  ]),
}));

const FILES = ['abbrev_types.txt', 'collocations.tab', 'sent_starters.txt', 'ortho_context.tab'] as const;
/** Where the English model lies below an NLTK data root, a `tokenizers` folder, or `punkt_tab`. */
const SUBFOLDERS = ['', 'english', 'punkt_tab/english', 'tokenizers/punkt_tab/english'];

/** The folder with the model's files, at or below what the user named. */
const findFolder = (path: string): string => {
  const folders = SUBFOLDERS.map((subfolder) => join(path, subfolder));
  const folder = folders.find((candidate) => existsSync(join(candidate, FILES[0]))) ?? path;
  const missing = FILES.find((file) => !existsSync(join(folder, file)));
  if (missing === undefined) return folder;
  throw new Error(
    `${join(folder, missing)} is missing: expected NLTK's English sentence model (${FILES.join(', ')}) in ` +
      `${path} or in its punkt_tab/english\n` +
      `  hint: "python -m nltk.downloader punkt_tab" fetches it to nltk_data/tokenizers/punkt_tab/english`,
  );
};

const readLines = (folder: string, file: (typeof FILES)[number]): string[] => {
  const lines = readFileSync(join(folder, file), 'utf8').split(/\r\n|\r|\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
};

const columns = (line: string): [string, string] => {
  const [first = '', second = ''] = line.split('\t');
  return [first, second];
};

/**
 * Reads NLTK's trained English sentence model (the `punkt_tab` data package) from disk.
 *
 * @param path  the `punkt_tab/english` folder, its parent, or an NLTK data root
 * @throws Error naming the file that is missing and where to get it
 */
export const readPunktModel = (path: string): PunktModel => {
  const folder = findFolder(path);
  const collocations = readLines(folder, 'collocations.tab').map(columns);
  return {
    abbreviations: new Set(readLines(folder, 'abbrev_types.txt')),
    collocations: new Set(collocations.map(([first, second]) => collocationKey(first, second))),
    collocationStarts: new Set(collocations.map(([first]) => first)),
    sentenceStarters: new Set(readLines(folder, 'sent_starters.txt')),
    orthographicContexts: new Map(
      readLines(folder, 'ortho_context.tab').map((line) => {
        const [word, contexts] = columns(line);
        return [word, Number(contexts)];
      }),
    ),
  };
};
