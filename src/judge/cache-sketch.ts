import { crc32 } from 'node:zlib';
import { formatPath, type PathSegment } from '../errors.js';
import type { JudgeCall } from '../judge-call.js';
import { show } from '../show.js';
import { describeCall } from './call-key.js';
import type { JudgeAddress } from './host.js';

/** A value that is not made of others. */
type Leaf = string | number | boolean | null;

/** All that decides the answer of a call, by path: `messages[1].content`. */
export type CallFields = ReadonlyMap<string, Leaf>;

/** A text of which only its length, beginning and checksums are kept. */
interface LongText {
  readonly length: number;
  readonly start: string;
  /** CRC-32 of each of its chunks, eight hexadecimal digits each. */
  readonly checks: string;
}

/** A call shortened: too little to read a prompt from, enough to say where another one differs. */
export type CallSketch = Readonly<Record<string, Leaf | LongText>>;

/** A field in which two calls differ. */
export interface Difference {
  /** `sampling.temperature`, `messages[1].content` */
  readonly path: string;
  /** Both values, short enough to be shown; `(nothing)` where one has none. */
  readonly asked: string;
  readonly cached: string;
  /** For texts: the character, from 0, from which on they differ; the start of their chunk where they are long. */
  readonly from?: number;
}

/** Longer texts are kept as {@link LongText}. */
const MAX_WHOLE = 256;
const START_CHARACTERS = 64;
const FIRST_CHUNK = 128;
/** So many chunks of a size are followed by as many of twice the size: few checksums for an image, fine ones in front. */
const CHUNKS_OF_A_SIZE = 16;
const SHOWN = 60;

/** The fields of a call, in the order in which people look at them. */
export const fieldsOf = (address: JudgeAddress, call: JudgeCall): CallFields => {
  const fields = new Map<string, Leaf>();
  collect(describeCall(address, call), [], fields);
  return fields;
};

const collect = (value: unknown, path: readonly PathSegment[], fields: Map<string, Leaf>): void => {
  if (value === undefined) return;
  if (typeof value !== 'object' || value === null) fields.set(formatPath(path), value as Leaf);
  else if (Array.isArray(value)) value.forEach((item, index) => collect(item, [...path, index], fields));
  else for (const [key, member] of Object.entries(value)) collect(member, [...path, key], fields);
};

/** What the cache keeps of a call. */
export const sketchOf = (fields: CallFields): CallSketch =>
  Object.fromEntries(
    Array.from(fields, ([path, value]) => [
      path,
      typeof value === 'string' && value.length > MAX_WHOLE ? shortened(value) : value,
    ]),
  );

const shortened = (text: string): LongText => ({
  length: text.length,
  start: text.slice(0, START_CHARACTERS),
  checks: chunksOf(text.length)
    .map(([start, end]) => crc32(text.slice(start, end)).toString(16).padStart(8, '0'))
    .join(''),
});

/** Where the chunks of a text start and end; they start at the same places in every text. */
const chunksOf = (length: number): [start: number, end: number][] => {
  const chunks: [number, number][] = [];
  let size = FIRST_CHUNK;
  for (let start = 0; start < length; start += size) {
    if (chunks.length > 0 && chunks.length % CHUNKS_OF_A_SIZE === 0) size *= 2;
    chunks.push([start, Math.min(start + size, length)]);
  }
  return chunks;
};

/** Which fields of a call differ from those of a cached one. */
export const explainDifference = (asked: CallFields, cached: CallSketch): readonly Difference[] => {
  const paths = new Set([...asked.keys(), ...Object.keys(cached)]);
  return [...paths].flatMap((path) => {
    const [now, then] = [asked.get(path), Object.hasOwn(cached, path) ? cached[path] : undefined];
    return isSame(now, then) ? [] : [differenceOf(path, now, then)];
  });
};

type Kept = Leaf | LongText | undefined;

const isLong = (value: Kept): value is LongText => typeof value === 'object' && value !== null;

const isSame = (asked: Leaf | undefined, cached: Kept): boolean => {
  if (!isLong(cached)) return asked === cached;
  return (
    typeof asked === 'string' && asked.length === cached.length && commonStart(asked, cached) === asked.length
  );
};

const differenceOf = (path: string, asked: Leaf | undefined, cached: Kept): Difference => {
  if (typeof asked !== 'string' || !(typeof cached === 'string' || isLong(cached)))
    return { path, asked: shown(asked), cached: isLong(cached) ? excerpt(cached, 0) : shown(cached) };
  const from = commonStart(asked, cached);
  return { path, asked: excerpt(asked, from), cached: excerpt(cached, from), from };
};

const shown = (value: Leaf | undefined): string => (value === undefined ? '(nothing)' : show(value));

/** How many characters two texts have in common at their beginning; whole chunks only where one is long. */
const commonStart = (asked: string, cached: string | LongText): number => {
  if (typeof cached === 'string') return commonPrefix(asked, cached);
  for (const [index, [start, end]] of chunksOf(asked.length).entries()) {
    const check = cached.checks.slice(8 * index, 8 * index + 8);
    if (Number.parseInt(check, 16) !== crc32(asked.slice(start, end))) return start;
  }
  return asked.length;
};

const commonPrefix = (a: string, b: string): number => {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
};

/** A text around the place from which on it is another. */
const excerpt = (text: string | LongText, from: number): string => {
  if (typeof text !== 'string')
    return from < START_CHARACTERS && from === 0
      ? `${show(text.start)} (${text.length} characters)`
      : `${text.length} characters`;
  if (text.length <= SHOWN) return show(text);
  const start = Math.max(0, from - SHOWN / 3);
  return `${start > 0 ? '…' : ''}${show(text.slice(start))}`;
};

/** A text that becomes another at its end counts as much as this many other fields. */
const OTHER_TEXT = 50;

/**
 * How far a call is from a cached one: other parameters weigh less than another text, and a text weighs less the later
 * it becomes another.
 */
export const distance = (asked: CallFields, cached: CallSketch): number => {
  let sum = 0;
  for (const { path, from } of explainDifference(asked, cached)) {
    if (!path.startsWith('messages')) sum += 1;
    else
      sum += 2 * OTHER_TEXT - (OTHER_TEXT * (from ?? 0)) / Math.max(1, String(asked.get(path) ?? '').length);
  }
  return sum;
};
