import { isObject } from '../json-value.js';
import { jsonSpan, type Span } from '../span.js';
import type { Edit } from './edit.js';

const changed = (text: string, edited: string): string | undefined => (edited === text ? undefined : edited);

/** Letter by letter, and only letters that lose nothing: `ß` has no capital of its own. */
const withCase = (text: string, convert: (letter: string) => string): string =>
  text.replaceAll(/\p{L}/gu, (letter) => {
    const other = convert(letter);
    return other.toLowerCase() === letter.toLowerCase() && other.length === letter.length ? other : letter;
  });

/** A number that stands by itself: no part of a word, a date, a version, a fraction or a formula in letters. */
const NUMBER = /(?<![\p{L}\p{N}_.,/:^-])\d+(?:,\d{3})*(?:\.\d+)?(?![\p{L}\p{N}_/:^]|[.,-]\d)/gu;

/** The last number of a text is mostly its answer; numbers before it may number steps. */
const withLastNumber = (text: string, edit: (number: string) => string | undefined): string | undefined => {
  const last = [...text.matchAll(NUMBER)].at(-1);
  if (last === undefined) return undefined;
  const edited = edit(last[0]);
  return edited === undefined
    ? undefined
    : text.slice(0, last.index) + edited + text.slice(last.index + last[0].length);
};

const thousands = (number: string): string | undefined => {
  if (number.includes(',')) return number.replaceAll(',', '');
  // 1999 and 2024 are mostly years.
  if (!/^[1-9]\d{3,14}(?:\.|$)/.test(number) || /^(?:19|20)\d\d$/.test(number)) return undefined;
  return number.replace(/^\d+/, (whole) => whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ','));
};

const decimals = (number: string): string | undefined => {
  if (/^\d+$/.test(number)) return `${number}.0`;
  return number.endsWith('.0') ? number.slice(0, -2) : undefined;
};

/** The members of an object in reverse, with what stands between them left where it is. */
const reversedMembers = (text: string): string | undefined => {
  const value = objectIn(text);
  if (value === undefined) return undefined;
  const spans = Object.keys(value)
    .map((key) => jsonSpan(text, [key]))
    .filter((span): span is Span => span !== undefined)
    .toSorted((a, b) => a.start - b.start);
  const before = spans.map(({ start }, index) => text.slice(index === 0 ? 0 : spans[index - 1].end, start));
  const gaps = before.map((part) => /^[\s,{]*/.exec(part)?.[0] ?? '');
  // A key that is there twice would come between.
  if (spans.length < 2 || !before.every((part, index) => isName(part.slice(gaps[index].length))))
    return undefined;
  const members = spans.map(
    ({ start, end }, index) => before[index].slice(gaps[index].length) + text.slice(start, end),
  );
  const end = text.slice(spans[spans.length - 1].end);
  return gaps.map((gap, index) => gap + members[members.length - 1 - index]).join('') + end;
};

const isName = (text: string): boolean => /^"[^"\\]*(?:\\.[^"\\]*)*"\s*:\s*$/.test(text);

const objectIn = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const FENCED = /^```[\w-]*\n([^]*)\n```$/;

const fenced = (text: string): string | undefined => {
  if (text.trim() === '') return undefined;
  const inside = FENCED.exec(text)?.[1];
  if (inside !== undefined) return inside;
  return `\`\`\`${objectIn(text) === undefined ? '' : 'json'}\n${text}\n\`\`\``;
};

/** The last line that is not blank. */
const bold = (text: string): string | undefined => {
  const end = text.trimEnd().length;
  const start = 1 + Math.max(text.lastIndexOf('\n', end - 1), text.lastIndexOf('\r', end - 1));
  const line = text.slice(start, end);
  if (/[*`]/.test(line) || !/[\p{L}\p{N}]/u.test(line)) return undefined;
  return `${text.slice(0, start)}**${line}**${text.slice(end)}`;
};

const otherQuotes = (text: string): string =>
  /[‘’“”]/.test(text)
    ? text.replaceAll(/[‘’]/g, "'").replaceAll(/[“”]/g, '"')
    : text.replaceAll(/(?<=[\p{L}\p{N}])'/gu, '’').replaceAll(/"([^"\n]*)"/g, '“$1”');

/** What changes nothing that matters in an answer, and so should not move its reward. */
export const NEUTRAL_EDITS: readonly Edit[] = [
  {
    name: 'lower_case',
    kind: 'neutral',
    summary: 'all letters small',
    apply: (text) =>
      changed(
        text,
        withCase(text, (letter) => letter.toLowerCase()),
      ),
  },
  {
    name: 'upper_case',
    kind: 'neutral',
    summary: 'all letters capital',
    apply: (text) =>
      changed(
        text,
        withCase(text, (letter) => letter.toUpperCase()),
      ),
  },
  {
    name: 'double_blanks',
    kind: 'neutral',
    summary: 'two blanks between words',
    apply: (text) => changed(text, text.replaceAll(/(?<=\S) (?=\S)/g, '  ')),
  },
  {
    name: 'outer_space',
    kind: 'neutral',
    summary: 'a blank before the text, and a line feed behind it',
    apply: (text) => (text === '' ? undefined : ` ${text}\n`),
  },
  {
    name: 'line_ends',
    kind: 'neutral',
    summary: 'lines that end as on Windows, or as everywhere else',
    apply: (text) =>
      changed(text, text.includes('\r\n') ? text.replaceAll('\r\n', '\n') : text.replaceAll('\n', '\r\n')),
  },
  {
    name: 'full_stop',
    kind: 'neutral',
    summary: 'a full stop at the end, or none where there was one',
    apply(text) {
      if (/[\p{L}\p{N})]$/u.test(text)) return `${text}.`;
      return /[\p{L}\p{N})]\.$/u.test(text) ? text.slice(0, -1) : undefined;
    },
  },
  {
    name: 'quotes',
    kind: 'neutral',
    summary: 'curly quotes for straight ones, or the other way round',
    apply: (text) => changed(text, otherQuotes(text)),
  },
  {
    name: 'unicode_form',
    kind: 'neutral',
    summary: 'accents as characters of their own (NFD), or as one with their letters (NFC)',
    apply: (text) => changed(text, text.normalize('NFD')) ?? changed(text, text.normalize('NFC')),
  },
  {
    name: 'thousands',
    kind: 'neutral',
    summary: 'the last number as 1,000 for 1000, or the other way round',
    apply: (text) => withLastNumber(text, thousands),
  },
  {
    name: 'decimals',
    kind: 'neutral',
    summary: 'the last number as 5.0 for 5, or the other way round',
    apply: (text) => withLastNumber(text, decimals),
  },
  {
    name: 'json_key_order',
    kind: 'neutral',
    summary: 'the keys of a JSON object in reverse',
    scope: 'document',
    apply: reversedMembers,
  },
  {
    name: 'code_fence',
    kind: 'neutral',
    summary: 'a Markdown fence around the text, or none where there was one',
    scope: 'document',
    apply: fenced,
  },
  {
    name: 'bold',
    kind: 'neutral',
    summary: 'the last line in Markdown bold',
    apply: bold,
  },
];
