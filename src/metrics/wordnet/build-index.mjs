/**
 * Writes `wordnet-3.0.bin` and `LICENSE` next to itself, from Princeton's WordNet 3.0 files:
 *
 *     node src/metrics/wordnet/build-index.mjs
 *
 * The file is brotli-compressed ASCII text of eight sections, separated by an empty line: the synsets of the nouns, verbs,
 * adjectives and adverbs, then their exception lists. A synset is a line with its lemma names; an exception is a line with an
 * inflected form and its base forms. Synsets in which every name is a phrase (has an underscore) are left out, as METEOR
 * can only match single words; phrases in the other synsets stay, because a token may be one of them.
 */
import { writeFileSync } from 'node:fs';
import { brotliCompressSync, constants } from 'node:zlib';
import { PARTS_OF_SPEECH, withWordnetFiles } from './source.mjs';

/** The rows of a database file; the licence at its top is indented. */
const readRows = (file) =>
  file
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(' '))
    .map((line) => line.trim().split(/\s+/));

/** Layout of a row, wndb(5): offset, file number, part of speech, number of names in hex, then name and number by turns. */
const lemmaNames = (row) => {
  const count = Number.parseInt(row[3], 16);
  return Array.from({ length: count }, (_, index) => withoutMarker(row[4 + 2 * index]));
};

/** An adjective may carry its position, as in `galore(ip)`; NLTK keeps that apart from the name. */
const withoutMarker = (name) => name.replace(/\(.*\)$/, '');

const synsetLines = (dataFile) =>
  readRows(dataFile)
    .map(lemmaNames)
    .filter((names) => names.some((name) => !name.includes('_')))
    .map((names) => names.join(' '));

/** NLTK keeps the last entry of a form that is listed twice. */
const exceptionLines = (exceptionFile) => {
  const basesOf = new Map(readRows(exceptionFile).map(([form, ...bases]) => [form, bases]));
  return [...basesOf].map(([form, bases]) => [form, ...bases].join(' '));
};

// Neighbours that share a prefix compress better; the order of lines means nothing.
const compareCaseless = (a, b) => compare(a.toLowerCase(), b.toLowerCase()) || compare(a, b);
const compare = (a, b) => (a < b ? -1 : Number(a > b));
const section = (lines) => lines.toSorted(compareCaseless).join('\n');

const compress = (text) =>
  brotliCompressSync(text, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: text.length,
    },
  });

withWordnetFiles((readFile) => {
  const sections = [
    ...PARTS_OF_SPEECH.map((pos) => section(synsetLines(readFile(`data.${pos}`)))),
    ...PARTS_OF_SPEECH.map((pos) => section(exceptionLines(readFile(`${pos}.exc`)))),
  ];
  writeFileSync(new URL('wordnet-3.0.bin', import.meta.url), compress(sections.join('\n\n')));
  writeFileSync(new URL('LICENSE', import.meta.url), readFile('LICENSE'));
});
