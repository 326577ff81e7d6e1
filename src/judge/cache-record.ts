import { crc32 } from 'node:zlib';
import { isObject } from '../json-value.js';
import type { Fingerprint } from './cache-index.js';
import type { CallSketch } from './cache-sketch.js';

/** What a record holds: the reply of a judge, or the vector of a text. */
export type RecordKind = 'reply' | 'embedding';

/** One entry of the cache. */
export interface CacheRecord {
  /** When it was written, in milliseconds since 1970. */
  readonly at: number;
  /** 64 hexadecimal digits; see {@link callKey}. */
  readonly key: string;
  readonly kind: RecordKind;
  /** What was asked, for those who want to know why another call is not found. */
  readonly asked?: CallSketch;
  readonly value: unknown;
}

/** The first line of every file. */
export const FILE_HEADER = Buffer.from('{"assay":"judge-cache","format":1}\n');

/*
 * A record is a line of JSON whose first fields have fixed places, so that millions are indexed without being parsed:
 *
 *   {"crc":"1a2b3c4d","at":1764201600000,"key":"<64 digits>","kind":"reply","value":{…}}
 *
 * The checksum is that of everything behind its comma.
 */
const CRC_START = 8;
const BODY_START = 18;
const AT_START = 23;
const AT_END = 36;
const KEY_START = 44;
const KIND_START = 118;
const LETTER_E = 0x65;
/** `at` has thirteen digits from here until the year 2286. */
const FIRST_TIME = 1e12;

/** The line of a record, with its newline. */
export const encodeRecord = ({ at, key, kind, asked, value }: CacheRecord): Buffer => {
  const time = Math.max(Math.trunc(at), FIRST_TIME);
  const body = JSON.stringify({ at: time, key, kind, asked, value }).slice(1);
  return Buffer.from(`{"crc":"${crc32(body).toString(16).padStart(8, '0')}",${body}\n`);
};

const isSound = (line: Buffer): boolean =>
  line.length > KIND_START && hexAt(line, CRC_START) === crc32(line.subarray(BODY_START));

/** The record of a line, without its newline; undefined for a line that is damaged or none of ours. */
export const decodeRecord = (line: Buffer): CacheRecord | undefined => {
  if (!isSound(line)) return undefined;
  try {
    const record: unknown = JSON.parse(line.toString());
    return isObject(record) ? (record as unknown as CacheRecord) : undefined;
  } catch {
    return undefined;
  }
};

/** What a record says in its fixed places. */
export interface RecordHead {
  readonly at: number;
  readonly fingerprint: Fingerprint;
  readonly kind: RecordKind;
}

/** The head of a record; undefined for a line that is damaged or none of ours. */
export const headOf = (line: Buffer): RecordHead | undefined => {
  if (!isSound(line)) return undefined;
  const at = timeOf(line);
  const fingerprint = { high: hexAt(line, KEY_START), low: hexAt(line, KEY_START + 8) };
  if (!(at >= FIRST_TIME) || Number.isNaN(fingerprint.high + fingerprint.low)) return undefined;
  return { at, fingerprint, kind: line[KIND_START] === LETTER_E ? 'embedding' : 'reply' };
};

/** The bytes of a line that tell its time. */
export const TIME_BYTES = AT_END;

/** When the record was written of which these are the first bytes. */
export const timeOf = (bytes: Buffer): number => Number(bytes.toString('latin1', AT_START, AT_END));

/** The number that eight hexadecimal digits are; NaN where they are none. */
const hexAt = (line: Buffer, start: number): number => {
  let value = 0;
  for (let at = start; at < start + 8; at++) value = value * 16 + HEX_DIGITS[line[at]];
  return value;
};

const HEX_DIGITS = Float64Array.from({ length: 256 }, (_, code) =>
  Math.max(-1, '0123456789abcdef'.indexOf(String.fromCharCode(code))),
).map((digit) => (digit < 0 ? Number.NaN : digit));
