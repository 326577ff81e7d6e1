import * as zlib from 'node:zlib';
import type { ColumnMetaData, Compressors, DecodedArray, PageHeader, SchemaElement } from 'hyparquet';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from 'hyparquet/src/delta.js';
import { byteStreamSplit } from 'hyparquet/src/encoding.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { compressors as portableCompressors } from 'hyparquet-compressors';

/** What the pages of a column have in common. */
export interface PageColumn {
  readonly metadata: ColumnMetaData;
  readonly element: SchemaElement;
  /** The level of a value that is there, and of one that continues the innermost list. */
  readonly maxDefinition: number;
  readonly maxRepetition: number;
}

/** A page of values. */
export interface DataPage {
  /** How many values there are, nulls and empty lists counted. */
  readonly count: number;
  /** For each of them, how much of its path is there, and which list it continues; undefined where it is always 0. */
  readonly definitionLevels: Int32Array | undefined;
  readonly repetitionLevels: Int32Array | undefined;
  /** The values that are there, as they are stored. */
  readonly values: DecodedArray;
  /** Whether the values are places in the column's dictionary. */
  readonly areIndexes: boolean;
}

/** No writer makes such pages; a damaged header must not take all memory. */
const MAX_VALUES = 1 << 26;

/** Node's own where it has them: many times faster. */
const compressors: Compressors = {
  ...portableCompressors,
  GZIP: (bytes, length) => zlib.gunzipSync(bytes, { maxOutputLength: Math.max(length, 1) }),
  BROTLI: (bytes, length) => zlib.brotliDecompressSync(bytes, { maxOutputLength: Math.max(length, 1) }),
};

interface Reader {
  readonly view: DataView;
  offset: number;
}

const toReader = (bytes: Uint8Array): Reader => ({
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  offset: 0,
});

/**
 * Reads the values of a dictionary.
 *
 * @throws Error when the page is damaged
 */
export const readDictionaryPage = (
  page: Uint8Array,
  { uncompressed_page_size: size }: PageHeader,
  count: number,
  { metadata, element }: PageColumn,
): DecodedArray =>
  readPlain(
    toReader(decompressPage(page, size, metadata.codec, compressors)),
    metadata.type,
    limited(count),
    element.type_length,
  );

/**
 * Reads a page of data; undefined for any other page.
 *
 * The levels and the dictionary's indexes are read here and not by the library, which trusts the lengths of runs: a
 * damaged one would fill the memory.
 *
 * @throws Error when the page is damaged or has an encoding that is not known
 */
export const readDataPage = (
  page: Uint8Array,
  header: PageHeader,
  column: PageColumn,
): DataPage | undefined => {
  const { data_page_header: first, data_page_header_v2: second, uncompressed_page_size: size } = header;
  const { codec } = column.metadata;
  if (first !== undefined) {
    const reader = toReader(decompressPage(page, size, codec, compressors));
    const repetitionLevels = readLevels(reader, column.maxRepetition, first.num_values, readLength);
    const definitionLevels = readLevels(reader, column.maxDefinition, first.num_values, readLength);
    return toPage(reader, first, column, definitionLevels, repetitionLevels);
  }
  if (second === undefined) return undefined;
  const { repetition_levels_byte_length: repetition, definition_levels_byte_length: definition } = second;
  const levels = toReader(page);
  const repetitionLevels = readLevels(levels, column.maxRepetition, second.num_values, () => repetition);
  const definitionLevels = readLevels(levels, column.maxDefinition, second.num_values, () => definition);
  const rest = page.subarray(repetition + definition);
  const isCompressed = second.is_compressed !== false && rest.length > 0;
  const values = isCompressed
    ? decompressPage(rest, size - repetition - definition, codec, compressors)
    : rest;
  return toPage(toReader(values), second, column, definitionLevels, repetitionLevels);
};

const toPage = (
  reader: Reader,
  { num_values: count, encoding }: { readonly num_values: number; readonly encoding: string },
  { metadata, element, maxDefinition }: PageColumn,
  definitionLevels: Int32Array | undefined,
  repetitionLevels: Int32Array | undefined,
): DataPage => {
  const present = definitionLevels === undefined ? limited(count) : countOf(definitionLevels, maxDefinition);
  const areIndexes = encoding.endsWith('_DICTIONARY');
  const values = areIndexes
    ? readIndexes(reader, present)
    : readValues(reader, encoding, present, metadata.type, element);
  return { count, definitionLevels, repetitionLevels, values, areIndexes };
};

const limited = (count: number): number => {
  if (!(count >= 0 && count <= MAX_VALUES)) throw new Error(`a page says that it has ${count} values`);
  return count;
};

const countOf = (levels: Int32Array, wanted: number): number => {
  let count = 0;
  for (const level of levels) if (level === wanted) count += 1;
  return count;
};

/** A four-byte length, as the first kind of pages has it in front of levels. */
const readLength = (reader: Reader): number => {
  reader.offset += 4;
  return reader.view.getUint32(reader.offset - 4, true);
};

/** Levels take no room where there is only one. */
const readLevels = (
  reader: Reader,
  maxLevel: number,
  count: number,
  lengthOf: (reader: Reader) => number,
): Int32Array | undefined => {
  if (maxLevel === 0) return undefined;
  const end = lengthOf(reader) + reader.offset;
  const levels = readRuns(reader, bitsFor(maxLevel), limited(count));
  reader.offset = end;
  return levels;
};

const bitsFor = (largest: number): number => 32 - Math.clz32(largest);

const readIndexes = (reader: Reader, count: number): Int32Array => {
  if (count === 0) return new Int32Array(0);
  const width = reader.view.getUint8(reader.offset);
  reader.offset += 1;
  return readRuns(reader, width, count);
};

const readValues = (
  reader: Reader,
  encoding: string,
  count: number,
  type: ColumnMetaData['type'],
  { type_length: width }: SchemaElement,
): DecodedArray => {
  if (count === 0) return [];
  switch (encoding) {
    case 'PLAIN':
      return readPlain(reader, type, count, width);
    case 'RLE':
      if (type !== 'BOOLEAN') break;
      readLength(reader);
      return Array.from(readRuns(reader, 1, count), (bit) => bit === 1);
    case 'DELTA_BINARY_PACKED': {
      const numbers = type === 'INT32' ? new Int32Array(count) : new BigInt64Array(count);
      deltaBinaryUnpack(reader, count, numbers);
      return numbers;
    }
    case 'DELTA_LENGTH_BYTE_ARRAY':
    case 'DELTA_BYTE_ARRAY': {
      const texts: Uint8Array[] = [];
      (encoding === 'DELTA_BYTE_ARRAY' ? deltaByteArray : deltaLengthByteArray)(reader, count, texts);
      return texts;
    }
    case 'BYTE_STREAM_SPLIT':
      return byteStreamSplit(reader, count, type, width);
    default:
  }
  throw new Error(`its encoding ${encoding} is not supported for ${type}`);
};

/**
 * Numbers of a fixed width in runs: either one number that is repeated, or groups of eight, packed bit by bit.
 *
 * @param width  bits of a number, 0 to 32
 * @throws Error when there are fewer or more than `count`
 */
const readRuns = (reader: Reader, width: number, count: number): Int32Array => {
  if (width > 32) throw new Error(`a run has numbers of ${width} bits`);
  const numbers = new Int32Array(count);
  for (let done = 0; done < count;) {
    const header = readVarint(reader);
    const length = header % 2 === 1 ? ((header - 1) / 2) * 8 : header / 2;
    // The last group may be filled up; a repeated number needs no filling.
    if (length === 0 || length - (header % 2 === 1 ? 7 : 0) > count - done)
      throw new Error(`a run of ${length} values where ${count - done} are left`);
    const end = Math.min(count, done + length);
    if (header % 2 === 1) unpack(reader, width, numbers, done, end, length);
    else numbers.fill(readNumber(reader, width), done, end);
    done = end;
  }
  return numbers;
};

const readVarint = (reader: Reader): number => {
  let value = 0;
  for (let factor = 1; factor <= 2 ** 28; factor *= 128) {
    const byte = reader.view.getUint8(reader.offset);
    reader.offset += 1;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
  }
  throw new Error('a length has more than five bytes');
};

const readNumber = (reader: Reader, width: number): number => {
  let value = 0;
  for (let shift = 0; shift < width; shift += 8) {
    value |= reader.view.getUint8(reader.offset) << shift;
    reader.offset += 1;
  }
  return value;
};

const unpack = (
  reader: Reader,
  width: number,
  numbers: Int32Array,
  from: number,
  to: number,
  length: number,
): void => {
  const { view } = reader;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const mask = width === 32 ? -1 : (1 << width) - 1;
  const start = reader.offset;
  // Writers may leave out the bytes that only fill the last group.
  if (start + Math.ceil(((to - from) * width) / 8) > bytes.length) throw new Error('a run ends too early');
  let bit = 0;
  for (let index = from; index < to; index += 1) {
    const at = start + (bit >>> 3);
    const shift = bit & 7;
    let word = (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> shift;
    if (shift + width > 32) word |= bytes[at + 4] << (32 - shift);
    numbers[index] = word & mask;
    bit += width;
  }
  reader.offset = start + (length * width) / 8;
};
