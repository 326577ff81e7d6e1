import type { Edit } from './edit.js';

/** Words whose sentence says the opposite with `not` behind them. */
const AUXILIARY =
  /(?<![\p{L}\p{N}])(?:is|are|was|were|can|could|will|would|does|did|has|have|had|should|must|may)(?![\p{L}\p{N}'’]|\s+not\b)/iu;

const OPPOSITES: ReadonlyMap<string, string> = new Map([
  ['yes', 'no'],
  ['no', 'yes'],
  ['true', 'false'],
  ['false', 'true'],
  ['correct', 'incorrect'],
  ['incorrect', 'correct'],
  ['positive', 'negative'],
  ['negative', 'positive'],
]);

/** An answer of one number or word becomes its opposite; a sentence gets a `not`, or loses it. */
const negated = (text: string): string | undefined => {
  const word = text.trim().replace(/\.$/, '');
  if (/^-?\d[\d.,]*$/.test(word))
    return /[1-9]/.test(word) ? text.replace(/-?(?=\d)/, (sign) => (sign === '' ? '-' : '')) : undefined;
  const opposite = OPPOSITES.get(word.toLowerCase());
  if (opposite !== undefined) return text.replace(word, likeIn(word, opposite));
  if (/\bnot\s/i.test(text)) return text.replace(/\bnot\s+/i, '');
  return AUXILIARY.test(text) ? text.replace(AUXILIARY, '$& not') : undefined;
};

/** A word in the case of another. */
const likeIn = (model: string, word: string): string => {
  if (model === model.toUpperCase()) return word.toUpperCase();
  return model[0] === model[0].toUpperCase() ? word[0].toUpperCase() + word.slice(1) : word;
};

const NUMBER = /\d+(?:,\d{3})*(?:\.\d+)?/g;

const valueOf = (number: string): number => Number(number.replaceAll(',', ''));

/** The last number, which mostly is the answer, and the last one before it that is another change places. */
const exchanged = (text: string): string | undefined => {
  const numbers = [...text.matchAll(NUMBER)];
  const last = numbers.at(-1);
  const other = numbers.findLast(([number]) => valueOf(number) !== valueOf(last?.[0] ?? ''));
  if (last === undefined || other === undefined) return undefined;
  const between = text.slice(other.index + other[0].length, last.index);
  return text.slice(0, other.index) + last[0] + between + other[0] + text.slice(last.index + last[0].length);
};

/** The last number with another last digit before its decimals: 18 becomes 19. */
const miscounted = (text: string): string | undefined => {
  const last = [...text.matchAll(NUMBER)].at(-1);
  if (last === undefined) return undefined;
  const place = last.index + last[0].search(/\d(?:\.|$)/);
  return text.slice(0, place) + String((Number(text[place]) + 1) % 10) + text.slice(place + 1);
};

const MIN_WORDS = 4;

const firstHalf = (text: string): string | undefined => {
  const words = [...text.matchAll(/\S+/g)];
  return words.length < MIN_WORDS ? undefined : text.slice(0, words[words.length >> 1].index).trimEnd();
};

/** Units, and what they may be taken for. */
const UNITS: ReadonlyMap<string, string> = new Map([
  ['$', '€'],
  ['€', '$'],
  ['£', '$'],
  ['%', '‰'],
  ['°c', '°F'],
  ['°f', '°C'],
  ['dollars', 'cents'],
  ['dollar', 'cent'],
  ['cents', 'dollars'],
  ['euros', 'cents'],
  ['percent', 'percentage points'],
  ['km', 'm'],
  ['cm', 'mm'],
  ['mm', 'cm'],
  ['kilometers', 'meters'],
  ['meters', 'feet'],
  ['miles', 'kilometers'],
  ['feet', 'inches'],
  ['inches', 'feet'],
  ['yards', 'feet'],
  ['kg', 'g'],
  ['mg', 'g'],
  ['grams', 'kilograms'],
  ['kilograms', 'grams'],
  ['pounds', 'ounces'],
  ['ounces', 'pounds'],
  ['tons', 'pounds'],
  ['liters', 'milliliters'],
  ['gallons', 'liters'],
  ['seconds', 'minutes'],
  ['minutes', 'hours'],
  ['hours', 'minutes'],
  ['days', 'weeks'],
  ['weeks', 'days'],
  ['months', 'years'],
  ['years', 'months'],
]);

const UNIT = new RegExp(
  `[$€£%]|°[cf](?!\\p{L})|(?<!\\p{L})(?:${[...UNITS.keys()].filter((unit) => /^\w+$/.test(unit)).join('|')})(?!\\p{L})`,
  'giu',
);

/** The last unit of the text, wherever it stands, becomes another. */
const withOtherUnit = (text: string): string | undefined => {
  const unit = text.match(UNIT)?.at(-1)?.toLowerCase();
  if (unit === undefined) return undefined;
  return text.replaceAll(UNIT, (found) =>
    found.toLowerCase() === unit ? (UNITS.get(unit) ?? found) : found,
  );
};

/** What makes an answer worse, and so should cost it reward. */
export const HARMFUL_EDITS: readonly Edit[] = [
  {
    name: 'negated',
    kind: 'harmful',
    summary: 'the opposite is said: a not, a minus sign, no for yes',
    apply: negated,
  },
  {
    name: 'numbers_swapped',
    kind: 'harmful',
    summary: 'the last number and another one before it change places',
    apply: exchanged,
  },
  {
    name: 'number_changed',
    kind: 'harmful',
    summary: 'the last number is off by one',
    apply: miscounted,
  },
  {
    name: 'truncated',
    kind: 'harmful',
    summary: 'the second half of the words is missing',
    apply: firstHalf,
  },
  {
    name: 'wrong_unit',
    kind: 'harmful',
    summary: 'another unit: cents for dollars, minutes for hours',
    apply: withOtherUnit,
  },
];
