import { isUtf8 } from 'node:buffer';
import type { SchemaElement } from 'hyparquet';
import { parseFloat16 } from 'hyparquet/src/convert.js';

/** A value of a column as JSON text; a value that JSON cannot hold as `UNREADABLE` and the reason. */
export type ValueText = (value: never) => string;

/** In front of the reason why a value has no JSON text; no JSON text starts with it. */
export const UNREADABLE = '\0';

const unreadable = (reason: string): string => `${UNREADABLE}${reason}`;

/**
 * How the values of a column become JSON text. None goes through a double that is not one in the file.
 *
 * | column | JSON |
 * |---|---|
 * | integers of any width, signed or not | the number, all digits |
 * | DECIMAL | the number with all digits of its scale: `12.50` |
 * | FLOAT, DOUBLE | the shortest number that reads back the same; NaN and infinities make the row a failed one |
 * | BOOLEAN | `true`, `false` |
 * | STRING, ENUM, UUID | text; bytes that are not UTF-8 make the row a failed one |
 * | bytes without a type | text where they are UTF-8, else base64 |
 * | JSON | the value itself; what is not valid JSON makes the row a failed one |
 * | DATE, TIME | `"2024-02-29"`, `"12:34:56.789"` |
 * | TIMESTAMP | `"2024-02-29T12:34:56.789Z"`, without the Z for times that are local |
 */
export const valueText = (element: SchemaElement): ValueText => {
  const { type, converted_type: converted, logical_type: logical } = element;
  const kind = logical?.type ?? converted;
  if (kind === 'DECIMAL') return decimalText(scaleOf(element));
  if (logical?.type === 'TIMESTAMP') return timestampText(UNITS[logical.unit], logical.isAdjustedToUTC);
  if (logical?.type === 'TIME') return timeText(UNITS[logical.unit]);
  const text = (kind && BY_KIND[kind]) ?? (type && BY_TYPE[type]);
  return (logical?.type === 'INTEGER' && !logical.isSigned && UNSIGNED[logical.bitWidth]) || text || String;
};

const scaleOf = ({ logical_type: logical, scale = 0 }: SchemaElement): number =>
  logical?.type === 'DECIMAL' ? logical.scale : scale;

const numberText = (value: number): string =>
  Number.isFinite(value) ? String(value) : unreadable(`${value}, which JSON cannot hold`);

/** The shortest digits that read back as the same single-precision number. */
const floatText = (value: number): string => {
  for (let digits = 6; digits < 9; digits += 1) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return numberText(rounded);
  }
  return numberText(value);
};

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const stringText = (bytes: Uint8Array): string =>
  isUtf8(bytes) ? quoted(bytes) : unreadable('not valid UTF-8');

const bytesText = (bytes: Uint8Array): string =>
  isUtf8(bytes) ? quoted(bytes) : `"${asBuffer(bytes).toString('base64')}"`;

/** Bytes that JSON writes as escapes: control characters, `"` and the backslash. */
const ESCAPED = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === 0x22 || byte === 0x5c ? 1 : 0,
);

/** As JSON.stringify, at half the time for the many texts that have nothing to escape. */
const quoted = (bytes: Uint8Array): string => {
  const text = asBuffer(bytes).toString();
  for (let at = 0; at < bytes.length; at += 1) if (ESCAPED[bytes[at]] === 1) return JSON.stringify(text);
  return `"${text}"`;
};

const jsonText = (bytes: Uint8Array): string => {
  const text = asBuffer(bytes).toString();
  try {
    JSON.parse(text);
  } catch {
    return unreadable('not valid JSON');
  }
  // Between tokens, for a line break inside a string is not valid.
  return text.replaceAll(/[\r\n]/g, ' ');
};

const uuidText = (bytes: Uint8Array): string => {
  const hex = asBuffer(bytes).toString('hex');
  return `"${[hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')}"`;
};

const decimalText =
  (scale: number) =>
  (value: number | bigint | Uint8Array): string => {
    const unscaled = value instanceof Uint8Array ? signedInteger(value) : BigInt(value);
    if (scale <= 0) return String(unscaled * 10n ** BigInt(-scale));
    const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
    return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  };

/** Two's complement, the highest byte first. */
const signedInteger = (bytes: Uint8Array): bigint =>
  bytes.length === 0 ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${asBuffer(bytes).toString('hex')}`));

/** How many there are in a second. */
const UNITS = { MILLIS: 1_000n, MICROS: 1_000_000n, NANOS: 1_000_000_000n };
const DAY_SECONDS = 86_400n;

const timestampText =
  (perSecond: bigint, utc: boolean) =>
  (value: bigint): string =>
    instantText(value, perSecond, utc ? 'Z' : '');

const instantText = (value: bigint, perSecond: bigint, zone: string): string => {
  const fraction = ((value % perSecond) + perSecond) % perSecond;
  const date = dateOf(Number((value - fraction) / perSecond) * 1000);
  if (date === undefined) return unreadable('a time that is too far away');
  return `"${date.replace('.000Z', '')}${fractionText(fraction, perSecond)}${zone}"`;
};

const dateOf = (milliseconds: number): string | undefined => {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
};

/** In three, six or nine digits, whatever it takes; nothing for a whole second. */
const fractionText = (fraction: bigint, perSecond: bigint): string => {
  if (fraction === 0n) return '';
  const nanos = String((fraction * UNITS.NANOS) / perSecond).padStart(9, '0');
  return `.${nanos.replace(/(?:000){1,2}$/, '')}`;
};

const timeText =
  (perSecond: bigint) =>
  (value: number | bigint): string =>
    instantText(BigInt(value), perSecond, '').replace(/^"1970-01-01T/, '"');

const dateText = (days: number): string => {
  const date = dateOf(days * 86_400_000);
  return date === undefined ? unreadable('a date that is too far away') : `"${date.replace(/T.*/, '')}"`;
};

/** Days since the Julian calendar's beginning, and nanoseconds of the day, as old writers have it. */
const int96Text = (value: bigint): string => {
  const days = (value >> 64n) - 2_440_588n;
  return instantText(days * DAY_SECONDS * UNITS.NANOS + BigInt.asUintN(64, value), UNITS.NANOS, '');
};

const unsigned32Text = (value: number): string => String(value >>> 0);
const unsigned64Text = (value: bigint): string => String(BigInt.asUintN(64, value));
const UNSIGNED: Readonly<Record<number, ValueText>> = { 32: unsigned32Text, 64: unsigned64Text };

const BY_KIND: Readonly<Partial<Record<string, ValueText>>> = {
  STRING: stringText,
  UTF8: stringText,
  ENUM: stringText,
  JSON: jsonText,
  UUID: uuidText,
  DATE: dateText,
  FLOAT16: (bytes: Uint8Array) => numberText(parseFloat16(bytes) ?? Number.NaN),
  TIME_MILLIS: timeText(UNITS.MILLIS),
  TIME_MICROS: timeText(UNITS.MICROS),
  TIMESTAMP_MILLIS: timestampText(UNITS.MILLIS, true),
  TIMESTAMP_MICROS: timestampText(UNITS.MICROS, true),
  UINT_32: unsigned32Text,
  UINT_64: unsigned64Text,
};

const BY_TYPE: Readonly<Partial<Record<string, ValueText>>> = {
  FLOAT: floatText,
  DOUBLE: numberText,
  INT96: int96Text,
  BYTE_ARRAY: bytesText,
  FIXED_LEN_BYTE_ARRAY: bytesText,
};
