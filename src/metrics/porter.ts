/** What a suffix is replaced with; within a list the first suffix that the word has decides, even if its condition fails. */
type SuffixRule = readonly [suffix: string, replacement: string];

// Bounds the memory of the cache; a long document has fewer distinct words.
const MAX_CACHED_WORDS = 50_000;
const MAX_CACHED_LENGTH = 64;

const cache = new Map<string, string>();

/**
 * Porter's stemmer in the variant that NLTK uses by default (`PorterStemmer()`, mode NLTK_EXTENSIONS): Porter's
 * algorithm with a list of irregular words, short words left alone, and other rules for `-ies`, `-ied`, `-y`, `-alli`,
 * `-fulli` and `-logi`. The ROUGE stemmer of rouge-score is the same function. Results are cached.
 *
 * @param word         any string; characters outside a-z count as consonants
 * @param toLowerCase  whether to stem the lower-case form of the word, which is the default
 * @returns the stem, not always a word (`happi`)
 * @see Porter 1980, An algorithm for suffix stripping, https://tartarus.org/martin/PorterStemmer/def.txt
 * @see https://www.nltk.org/_modules/nltk/stem/porter.html
 */
export const porterStem = (word: string, toLowerCase = true): string => {
  if (!toLowerCase) return stemWord(word, word);
  const cached = cache.get(word);
  if (cached !== undefined) return cached;
  if (word.length > MAX_CACHED_LENGTH) return stemWord(word, word.toLowerCase());
  // A word cut out of a text keeps that whole text in memory, and its stem does too; the cache must hold a copy.
  const copy = Array.from(word).join('');
  const stem = stemWord(copy, copy.toLowerCase());
  if (cache.size >= MAX_CACHED_WORDS) cache.clear();
  cache.set(copy, stem);
  return stem;
};

const IRREGULAR_STEMS: ReadonlyMap<string, string> = new Map([
  ['sky', 'sky'],
  ['skies', 'sky'],
  ['dying', 'die'],
  ['lying', 'lie'],
  ['tying', 'tie'],
  ['news', 'news'],
  ['innings', 'inning'],
  ['inning', 'inning'],
  ['outings', 'outing'],
  ['outing', 'outing'],
  ['cannings', 'canning'],
  ['canning', 'canning'],
  ['howe', 'howe'],
  ['proceed', 'proceed'],
  ['exceed', 'exceed'],
  ['succeed', 'succeed'],
]);

/** NLTK looks at the word as given, not at its lower-case form, for the irregular words and for the length. */
const stemWord = (given: string, word: string): string => {
  const irregular = IRREGULAR_STEMS.get(given);
  if (irregular !== undefined) return irregular;
  if (codePointLength(given) <= 2) return word;
  const uninflected = step1c(step1b(step1a(word)));
  return step5b(step5a(step4(step3(step2(uninflected)))));
};

/** Plurals: caresses → caress, ponies → poni, ties → tie, cats → cat. */
const step1a = (word: string): string => {
  if (word.endsWith('ies') && codePointLength(word) === 4) return word.slice(0, -1);
  return replaceSuffix(word, PLURAL_SUFFIXES, 0);
};

const PLURAL_SUFFIXES: readonly SuffixRule[] = [
  ['sses', 'ss'],
  ['ies', 'i'],
  ['ss', 'ss'],
  ['s', ''],
];

/** Past tense and -ing: agreed → agree, died → die, spied → spi, plastered → plaster, hopping → hop, filing → file. */
const step1b = (word: string): string => {
  if (word.endsWith('ied')) return word.slice(0, codePointLength(word) === 4 ? -1 : -2);
  if (word.endsWith('eed')) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const suffix = ['ed', 'ing'].find((suffix) => word.endsWith(suffix));
  if (suffix === undefined) return word;
  const stem = word.slice(0, -suffix.length);
  return containsVowel(stem) ? restoreEnding(stem) : word;
};

/** Puts back the -e, or takes away the doubled consonant, that came with -ed or -ing. */
const restoreEnding = (stem: string): string => {
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (endsWithDoubleConsonant(stem))
    return /[lsz]$/.test(stem) ? stem : stem.slice(0, indexBefore(stem, stem.length));
  return measure(stem) === 1 && endsWithConsonantVowelConsonant(stem) ? `${stem}e` : stem;
};

/** happy → happi, but enjoy and by stay. */
const step1c = (word: string): string => {
  if (!word.endsWith('y')) return word;
  const stem = word.slice(0, -1);
  const last = indexBefore(stem, stem.length);
  return last > 0 && !isVowelAt(stem, last) ? `${stem}i` : word;
};

/** Double suffixes: relational → relate, hopefulness → hopeful. */
const step2 = (word: string): string => {
  if (word.endsWith('alli') && measure(word.slice(0, -4)) > 0) return step2(word.slice(0, -2));
  // The l counts as part of the stem, so that short stems (geologi) pass too.
  if (word.endsWith('logi')) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  return replaceSuffix(word, DOUBLE_SUFFIXES, 1);
};

const DOUBLE_SUFFIXES: readonly SuffixRule[] = [
  ['ational', 'ate'],
  ['tional', 'tion'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['izer', 'ize'],
  ['bli', 'ble'],
  ['alli', 'al'],
  ['entli', 'ent'],
  ['eli', 'e'],
  ['ousli', 'ous'],
  ['ization', 'ize'],
  ['ation', 'ate'],
  ['ator', 'ate'],
  ['alism', 'al'],
  ['iveness', 'ive'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['aliti', 'al'],
  ['iviti', 'ive'],
  ['biliti', 'ble'],
  ['fulli', 'ful'],
];

/** formative → form, electrical → electric, goodness → good. */
const step3 = (word: string): string => replaceSuffix(word, DERIVATIONAL_SUFFIXES, 1);

const DERIVATIONAL_SUFFIXES: readonly SuffixRule[] = [
  ['icate', 'ic'],
  ['ative', ''],
  ['alize', 'al'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ful', ''],
  ['ness', ''],
];

/** revival → reviv, adoption → adopt. */
const step4 = (word: string): string => {
  if (word.endsWith('ion') && !/[st]ion$/.test(word)) return word;
  return replaceSuffix(word, SINGLE_SUFFIXES, 2);
};

const SINGLE_SUFFIXES: readonly SuffixRule[] = [
  'al',
  'ance',
  'ence',
  'er',
  'ic',
  'able',
  'ible',
  'ant',
  'ement',
  'ment',
  'ent',
  'ion',
  'ou',
  'ism',
  'ate',
  'iti',
  'ous',
  'ive',
  'ize',
].map((suffix) => [suffix, '']);

/** probate → probat, cease → ceas, but rate stays. */
const step5a = (word: string): string => {
  if (!word.endsWith('e')) return word;
  const stem = word.slice(0, -1);
  const stemMeasure = measure(stem);
  return stemMeasure > 1 || (stemMeasure === 1 && !endsWithConsonantVowelConsonant(stem)) ? stem : word;
};

/** controll → control, but roll stays. */
const step5b = (word: string): string => {
  const shorter = word.slice(0, -1);
  return word.endsWith('ll') && measure(shorter) > 1 ? shorter : word;
};

const replaceSuffix = (word: string, rules: readonly SuffixRule[], minMeasure: number): string => {
  const rule = rules.find(([suffix]) => word.endsWith(suffix));
  if (rule === undefined) return word;
  const [suffix, replacement] = rule;
  const stem = word.slice(0, -suffix.length);
  return measure(stem) >= minMeasure ? stem + replacement : word;
};

/** Porter's m: how often a run of vowels is followed by a run of consonants. */
const measure = (stem: string): number => {
  let count = 0;
  let afterVowel = false;
  for (let index = 0; index < stem.length; index += 1) {
    const vowel = isVowelAfter(stem[index], index > 0 && !afterVowel);
    if (afterVowel && !vowel) count += 1;
    afterVowel = vowel;
  }
  return count;
};

/** Of a y after a y, one of the two is a vowel. */
const containsVowel = (stem: string): boolean => /[aeiou]/.test(stem) || /[^aeiou]y/s.test(stem);

/** A y is a vowel after a consonant and a consonant elsewhere. */
const isVowelAfter = (letter: string, afterConsonant: boolean): boolean =>
  letter === 'y' ? afterConsonant : 'aeiou'.includes(letter);

/** In a run of y the kinds alternate, so the letter before the run and the place in the run decide. */
const isVowelAt = (word: string, index: number): boolean => {
  let start = index;
  while (start > 0 && word[start] === 'y') start -= 1;
  return isVowelAfter(word[start], false) === ((index - start) % 2 === 0);
};

const endsWithDoubleConsonant = (word: string): boolean => {
  const last = indexBefore(word, word.length);
  const previous = indexBefore(word, last);
  return previous >= 0 && word.slice(previous, last) === word.slice(last) && !isVowelAt(word, last);
};

/** Such as -hop or -fil, but not after w, x, y; as the whole word, a vowel and a consonant suffice (`us`). */
const endsWithConsonantVowelConsonant = (word: string): boolean => {
  const last = indexBefore(word, word.length);
  const middle = indexBefore(word, last);
  const first = indexBefore(word, middle);
  if (middle < 0 || isVowelAt(word, last) || !isVowelAt(word, middle)) return false;
  return first < 0 || (!isVowelAt(word, first) && !/[wxy]$/.test(word));
};

/** Where the character before `index` starts: a character outside the basic plane takes two UTF-16 units. Negative if none. */
const indexBefore = (word: string, index: number): number =>
  index - ((word.codePointAt(index - 2) ?? 0) > 0xffff ? 2 : 1);

const SURROGATE_PAIR = /[\u{10000}-\u{10FFFF}]/gu;

const codePointLength = (text: string): number => text.length - (text.match(SURROGATE_PAIR)?.length ?? 0);
