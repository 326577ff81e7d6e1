/**
 * Makes the WordNet 3.0 corpus directory that NLTK's METEOR reads, without NLTK's downloader:
 *
 *     node src/metrics/wordnet/nltk-corpus.mjs NLTK_DATA/corpora/wordnet
 *
 * With `NLTK_DATA` pointing at the folder above `corpora`, `nltk.corpus.wordnet` finds it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PARTS_OF_SPEECH, withWordnetFiles } from './source.mjs';

// The lexicographer files in the order of their numbers, as in WordNet's manual page lexnames(5); no package has this file.
const LEXNAMES = [
  'adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body noun.cognition',
  'noun.communication noun.event noun.feeling noun.food noun.group noun.location noun.motive noun.object noun.person',
  'noun.phenomenon noun.plant noun.possession noun.process noun.quantity noun.relation noun.shape noun.state',
  'noun.substance noun.time verb.body verb.change verb.cognition verb.communication verb.competition verb.consumption',
  'verb.contact verb.creation verb.emotion verb.motion verb.perception verb.possession verb.social verb.stative',
  'verb.weather adj.ppl',
].flatMap((line) => line.split(' '));
const PART_OF_SPEECH_NUMBERS = { noun: 1, verb: 2, adj: 3, adv: 4 };

/**
 * Writes the corpus directory.
 *
 * @param {string} folder  created when missing; files of the same name are overwritten
 */
export const writeNltkCorpus = (folder) => {
  mkdirSync(folder, { recursive: true });
  withWordnetFiles((readFile) => {
    const names = PARTS_OF_SPEECH.flatMap((pos) => [`data.${pos}`, `index.${pos}`, `${pos}.exc`]);
    for (const name of [...names, 'index.sense', 'LICENSE'])
      writeFileSync(join(folder, name), readFile(name));
  });
  writeFileSync(join(folder, 'lexnames'), lexnames());
  // Sense frequencies, read only by Lemma.count(), which METEOR never calls.
  writeFileSync(join(folder, 'cntlist.rev'), '');
};

const lexnames = () =>
  LEXNAMES.map((name, number) => {
    const [partOfSpeech] = name.split('.');
    return `${String(number).padStart(2, '0')}\t${name}\t${PART_OF_SPEECH_NUMBERS[partOfSpeech]}\n`;
  }).join('');

const [, script, folder] = process.argv;
if (script !== undefined && import.meta.url === pathToFileURL(resolve(script)).href) {
  if (folder === undefined)
    throw new Error('expected the folder to write, for example nltk_data/corpora/wordnet');
  writeNltkCorpus(folder);
}
