import type { Estimate } from './report-shape.js';

/** A share as a person reads it: `12.5 %`. */
export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** A number in three digits: `0.765`, `−12.3`. */
export const number = (value: number): string => String(Number(value.toPrecision(3))).replace('-', '−');

/** `97.1 % (95 % interval 96.0 % to 98.0 %)` */
export const shareWithInterval = ({ value, interval }: Estimate): string =>
  interval === null
    ? percent(value)
    : `${percent(value)} (95 % interval ${percent(interval[0])} to ${percent(interval[1])})`;

/** `0.971 (95 % interval 0.96 to 0.98)` */
export const withInterval = ({ value, interval }: Estimate): string =>
  interval === null
    ? number(value)
    : `${number(value)} (95 % interval ${number(interval[0])} to ${number(interval[1])})`;

/** `a`, `a and b`, `a, b and c` */
export const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
