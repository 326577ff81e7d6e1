import type { PartOfSpeech } from './database.js';

/** An inflectional ending and what stands in its place in the base form; several rules may fit one word. */
type SuffixRule = readonly [suffix: string, replacement: string];

// The detachment rules of WordNet's morphy(7), with the adjustments NLTK made: `ves` to `f`, no `ful` handling.
const SUFFIX_RULES: Readonly<Record<PartOfSpeech, readonly SuffixRule[]>> = {
  noun: [
    ['s', ''],
    ['ses', 's'],
    ['ves', 'f'],
    ['xes', 'x'],
    ['zes', 'z'],
    ['ches', 'ch'],
    ['shes', 'sh'],
    ['men', 'man'],
    ['ies', 'y'],
  ],
  verb: [
    ['s', ''],
    ['ies', 'y'],
    ['es', 'e'],
    ['es', ''],
    ['ed', 'e'],
    ['ed', ''],
    ['ing', 'e'],
    ['ing', ''],
  ],
  adjective: [
    ['er', ''],
    ['est', ''],
    ['er', 'e'],
    ['est', 'e'],
  ],
  adverb: [],
};

/**
 * The forms under which WordNet may list a word: the word itself, and its base forms. An irregular word has only those of
 * the exception list, any other word one for every suffix rule that fits, applied once. Some of them may not exist; NLTK
 * (3.9) drops these by looking them up, which the caller does anyway.
 *
 * @param word       lower case
 * @param exception  the word's base forms by the exception list, if it is there
 */
export const candidateForms = (
  word: string,
  partOfSpeech: PartOfSpeech,
  exception: readonly string[] | undefined,
): string[] => {
  if (exception !== undefined) return [word, ...exception];
  const fitting = SUFFIX_RULES[partOfSpeech].filter(([suffix]) => word.endsWith(suffix));
  return [word, ...fitting.map(([suffix, replacement]) => word.slice(0, -suffix.length) + replacement)];
};
