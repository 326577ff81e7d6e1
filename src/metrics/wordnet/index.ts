import { PARTS_OF_SPEECH, readDatabase, type Database } from './database.js';
import { candidateForms } from './morphy.js';

// Bounds the memory of the cache; a long document has fewer distinct words.
const MAX_CACHED_WORDS = 20_000;
const MAX_CACHED_LENGTH = 64;

let database: Database | undefined;
const cache = new Map<string, ReadonlySet<string>>();

/**
 * The single words that share a sense with a word in WordNet 3.0, over all senses and parts of speech. The same words as
 * NLTK's `lemma.name()` over all lemmas of `wordnet.synsets(word)`, less those with an underscore, and the word itself.
 * Inflected words are found through their base forms. Spelling is WordNet's, so `paris` has `Paris` among its synonyms.
 *
 * The first call loads the database (some 30 ms); results are cached.
 *
 * @param word  a word or stem, in any case; any string is allowed
 * @returns at least the word itself, as given
 */
export const synonyms = (word: string): ReadonlySet<string> => {
  const cached = cache.get(word);
  if (cached !== undefined) return cached;
  const found = findSynonyms(word);
  if (word.length <= MAX_CACHED_LENGTH) {
    if (cache.size >= MAX_CACHED_WORDS) cache.clear();
    cache.set(word, found);
  }
  return found;
};

const findSynonyms = (word: string): Set<string> => {
  database ??= readDatabase();
  const lowerCase = word.toLowerCase();
  const found = new Set([word]);
  for (const partOfSpeech of PARTS_OF_SPEECH) {
    for (const form of candidateForms(lowerCase, partOfSpeech, database.exception(lowerCase, partOfSpeech))) {
      for (const name of database.synsets(form, partOfSpeech).flat()) {
        if (!name.includes('_')) found.add(name);
      }
    }
  }
  return found;
};
