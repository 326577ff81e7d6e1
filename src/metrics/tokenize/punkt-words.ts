import { isSpace } from './python-text.js';

const characterSet = (characters: string): Uint8Array => {
  const set = new Uint8Array(128);
  for (const character of characters) set[character.charCodeAt(0)] = 1;
  return set;
};

const NEVER_IN_WORD = characterSet(')";}]*:@\'({[!?');
const NEVER_STARTS_WORD = characterSet('("`{[:;&#*@)}]-,');

/** Marks that cannot stand inside one of Punkt's words; one of them behind a full stop may end a sentence. */
export const isNeverInWord = (unit: number): boolean => unit < 128 && NEVER_IN_WORD[unit] === 1;

const isSpacedEllipsis = (line: string, i: number): boolean =>
  line[i] === '.' &&
  line[i + 2] === '.' &&
  line[i + 4] === '.' &&
  isSpace(line.charCodeAt(i + 1)) &&
  isSpace(line.charCodeAt(i + 3));

const endOfSpacedEllipsis = (line: string, start: number): number => {
  let i = start;
  while (line[i + 2] === '.' && isSpace(line.charCodeAt(i + 1))) i += 2;
  return i + 1;
};

const startsMultiCharacterMark = (line: string, i: number): boolean => {
  const character = line[i];
  if (character !== '-' && character !== '.') return false;
  return line[i + 1] === character || isSpacedEllipsis(line, i);
};

const endOfRun = (line: string, start: number): number => {
  let i = start + 1;
  while (line[i] === line[start]) i++;
  return i;
};

const endsWord = (line: string, i: number): boolean =>
  i >= line.length ||
  isSpace(line.charCodeAt(i)) ||
  isNeverInWord(line.charCodeAt(i)) ||
  startsMultiCharacterMark(line, i);

const endOfWord = (line: string, start: number): number => {
  let i = start + 1;
  while (!endsWord(line, i) && !(line[i] === ',' && endsWord(line, i + 1))) i++;
  return i;
};

const endOfToken = (line: string, start: number): number => {
  if (startsMultiCharacterMark(line, start)) {
    return line[start + 1] === line[start] ? endOfRun(line, start) : endOfSpacedEllipsis(line, start);
  }
  const unit = line.charCodeAt(start);
  return unit < 128 && NEVER_STARTS_WORD[unit] === 1 ? start + 1 : endOfWord(line, start);
};

/**
 * Punkt's own words: punctuation apart from the full stop is split off, runs of hyphens and full stops
 * (also `. . .`) are one token. No token reaches over a line end.
 */
export const punktWords = (text: string): string[] => {
  const words: string[] = [];
  for (const line of text.split('\n')) {
    let i = 0;
    while (i < line.length) {
      if (isSpace(line.charCodeAt(i))) {
        i++;
      } else {
        const end = endOfToken(line, i);
        words.push(line.slice(i, end));
        i = end;
      }
    }
  }
  return words;
};
