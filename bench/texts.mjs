/** Deterministic English-like texts, from the words of the golden pairs. */
import { readFileSync } from 'node:fs';
import { createRandom } from '../fixtures/golden/random-pairs.mjs';

const SEED = 17;
const NATURAL = new Set(['sentence', 'paraphrase', 'paragraph']);
const WORDS_A_SENTENCE = 12;

const readVocabulary = () => {
  const file = new URL('../fixtures/golden/pairs.jsonl', import.meta.url);
  const pairs = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const natural = pairs.filter(({ category }) => NATURAL.has(category));
  return [...new Set(natural.flatMap(({ reference }) => reference.toLowerCase().match(/[a-z']+/g)))];
};

const vocabulary = readVocabulary();

/** Frequent words first, roughly as in running text. */
const pickWord = (random) => vocabulary[Math.floor(vocabulary.length * random.next() ** 2)];

/** A text of about `length` characters: words, commas, sentences. */
export const createText = (random, length) => {
  const words = [];
  for (let size = 0, index = 0; size < length; index++) {
    let word = pickWord(random);
    const place = index % WORDS_A_SENTENCE;
    if (place === 0) word = word.charAt(0).toUpperCase() + word.slice(1);
    if (place === 5 && random.chance(0.5)) word += ',';
    if (place === WORDS_A_SENTENCE - 1) word += '.';
    words.push(word);
    size += word.length + 1;
  }
  return words.join(' ');
};

/** The text with a share of its words replaced. */
const edited = (random, text, share) =>
  text
    .split(' ')
    .map((word) => (random.chance(share) ? pickWord(random) : word))
    .join(' ');

/**
 * Pairs of texts of about `length` characters: half of them 30 % edited, half unrelated.
 *
 * @returns {{ candidate: string, reference: string }[]}
 */
export const createPairs = (count, length) => {
  const random = createRandom(SEED + length);
  return Array.from({ length: count }, (_, index) => {
    const reference = createText(random, length);
    return {
      candidate: index % 2 === 0 ? edited(random, reference, 0.3) : createText(random, length),
      reference,
    };
  });
};

/** Pairs of texts that differ in a share of their words. */
export const createEditedPairs = (count, length, share) => {
  const random = createRandom(SEED + length);
  return Array.from({ length: count }, () => {
    const reference = createText(random, length);
    return { candidate: edited(random, reference, share), reference };
  });
};

/**
 * Several samples of each item, 30 % edited: `grouped` has an item's samples one after the other, `mixed` the same pairs with
 * another reference every time.
 */
export const createGroups = (groups, samples, length) => {
  const random = createRandom(SEED + length);
  const items = Array.from({ length: groups }, () => {
    const reference = createText(random, length);
    return Array.from({ length: samples }, () => ({ candidate: edited(random, reference, 0.3), reference }));
  });
  const mixed = Array.from({ length: samples }, (_, sample) => items.map((pairs) => pairs[sample]));
  return { grouped: items.flat(), mixed: mixed.flat() };
};
