import { shorten } from '../show.js';
import type { Interval } from '../stats/interval.js';

/**
 * Breaks a text into lines at its blanks; further lines are indented by two more, or not at all where the first is not.
 * `n = 12`, `p < 0.01` and `95 %` stay together.
 */
export const wrap = (text: string, columns: number, indent = 0): string[] => {
  const [first, ...words] = text.split(/(?<![=<]) (?![=<%])/);
  const lines = [`${' '.repeat(indent)}${first}`];
  for (const word of words) {
    const longer = `${lines.at(-1)} ${word}`;
    if (longer.length <= columns) lines[lines.length - 1] = longer;
    else lines.push(`${' '.repeat(indent === 0 ? 0 : indent + 2)}${word}`);
  }
  return lines;
};

const GAP = '  ';
const MIN_NAME = 8;

/**
 * A table whose first column is names, to the left, and whose others are numbers, to the right. Names are cut where they
 * would not leave the numbers their room.
 *
 * @param table  the header, then the rows, each with as many cells
 */
export const tableLines = (table: readonly (readonly string[])[], columns: number): string[] => {
  const widths = table[0].map((_, column) => Math.max(...table.map((cells) => cells[column].length)));
  const others = widths.slice(1).reduce((sum, width) => sum + width + GAP.length, GAP.length);
  widths[0] = Math.min(widths[0], Math.max(MIN_NAME, columns - others));
  return table.map(([name, ...numbers]) => {
    const cut = name.length > widths[0] ? shorten(name, widths[0] - 1) : name;
    const padded = numbers.map((text, column) => text.padStart(widths[column + 1]));
    return `${GAP}${[cut.padEnd(widths[0]), ...padded].join(GAP)}`.trimEnd();
  });
};

/** A share as a person reads it: `12.5 %`. */
export const percent = (share: number, decimals = 1): string => `${(share * 100).toFixed(decimals)} %`;

/** A number in four digits: `0.7654`, `−12.3`. */
export const number = (value: number): string => String(Number(value.toPrecision(4))).replace('-', '−');

/** `0.71 to 0.83`; a dash where there is none. */
export const intervalText = (interval: Interval | null | undefined, text: (end: number) => string): string =>
  interval === null || interval === undefined ? '–' : `${text(interval[0])} to ${text(interval[1])}`;

/** A number of things: `1 row`, `2 rows`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
