import type { HttpHeaders } from './transport.js';

const header = (headers: HttpHeaders, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
};

/**
 * How long a server asks to wait, from `retry-after-ms` or `retry-after`, which is seconds or a date.
 *
 * @param date  now, in milliseconds since 1970
 * @returns milliseconds, at least 0; undefined when it does not say
 */
export const retryAfter = (headers: HttpHeaders, date: number): number | undefined => {
  const ms = Number.parseFloat(header(headers, 'retry-after-ms') ?? '');
  if (Number.isFinite(ms)) return Math.max(0, ms);
  return readDelay(header(headers, 'retry-after'), date);
};

/** What counts: the header with what remains of it, and the one with when that is filled up again. */
const COUNTED = ['requests', 'tokens'].flatMap((what) => [
  [`x-ratelimit-remaining-${what}`, `x-ratelimit-reset-${what}`],
  [`anthropic-ratelimit-${what}-remaining`, `anthropic-ratelimit-${what}-reset`],
]);

/** Nobody waits longer on the strength of such headers: they may speak of a day's limit that fills up all the time. */
const MAX_PAUSE_MS = 60_000;

/** How long to send nothing because what remains is used up: milliseconds, 0 when there is no reason to wait. */
export const pauseFor = (headers: HttpHeaders, date: number): number => {
  let pause = 0;
  for (const [remaining, reset] of COUNTED) {
    const left = header(headers, remaining);
    if (left === undefined || !(Number(left) <= 0)) continue;
    pause = Math.max(pause, readDelay(header(headers, reset), date) ?? 0);
  }
  return Math.min(pause, MAX_PAUSE_MS);
};

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/;
/** Seconds since 1970 are larger than any wait. */
const FIRST_EPOCH = 1e9;

/** `12`, `0.5`, `6m0s`, `20ms`, seconds since 1970, or a date. */
const readDelay = (text: string | undefined, date: number): number | undefined => {
  if (text === undefined || text.trim() === '') return undefined;
  const seconds = Number(text);
  if (Number.isFinite(seconds))
    return Math.max(0, seconds < FIRST_EPOCH ? seconds * 1000 : seconds * 1000 - date);
  if (DURATION.test(text)) {
    const parts = text.matchAll(/([\d.]+)(ms|[smhd])/g);
    return Array.from(parts, ([, amount, unit]) => Number(amount) * UNITS[unit]).reduce((a, b) => a + b);
  }
  const until = Date.parse(text);
  return Number.isNaN(until) ? undefined : Math.max(0, until - date);
};
