import type { ColumnMetaData, DecodedArray, PageHeader, SchemaTree } from 'hyparquet';
import { assembleLists } from 'hyparquet/src/assemble.js';
import { parquetHeader } from 'hyparquet/src/column.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel, isFlatColumn } from 'hyparquet/src/schema.js';
import { readFully } from './jsonl.js';
import { readDataPage, readDictionaryPage, type DataPage, type PageColumn } from './parquet-page.js';
import { valueText } from './parquet-values.js';

/** What a row has in one column of the file: the value's JSON text, null, or lists of those where the column is nested. */
export type ColumnValue = string | null | undefined | ColumnValue[];

/**
 * One physical column of a row group, read page by page, so that a row group of any size takes the memory of a page (about
 * 1 MiB in common files).
 */
export class ColumnReader {
  private values: ColumnValue[] = [];
  /** The first value that has not been taken, and behind the last one that may be. */
  private start = 0;
  private end = 0;
  private readonly bytes: ColumnBytes;
  /** How many values of the pages to come there are, nulls and the elements of lists counted. */
  private valuesLeft: number;
  private dictionary: readonly string[] | undefined;
  private readonly column: PageColumn;
  private readonly isFlat: boolean;
  private readonly toText: (value: unknown) => string;

  /**
   * @param fd  the file
   * @param metadata  where the column lies in it
   * @param schemaPath  from the root to the column's own element
   */
  constructor(
    fd: number,
    metadata: ColumnMetaData,
    private readonly schemaPath: SchemaTree[],
  ) {
    const { element } = schemaPath[schemaPath.length - 1];
    this.bytes = new ColumnBytes(fd, metadata);
    this.valuesLeft = Number(metadata.num_values);
    this.column = {
      metadata,
      element,
      maxDefinition: getMaxDefinitionLevel(schemaPath),
      maxRepetition: getMaxRepetitionLevel(schemaPath),
    };
    this.isFlat = isFlatColumn(schemaPath);
    this.toText = valueText(element) as (value: unknown) => string;
  }

  /** How many rows can be taken; reads a page when there is none left. */
  available(): number {
    while (this.start === this.end && this.valuesLeft > 0) this.readPage();
    return this.end - this.start;
  }

  /** Takes rows, which must be available. */
  take(count: number): ColumnValue[] {
    const { start, values } = this;
    this.start += count;
    return start === 0 && count === values.length ? values : values.slice(start, this.start);
  }

  private readPage(): void {
    const { header, page } = this.bytes.nextPage();
    const { dictionary_page_header: dictionary } = header;
    if (dictionary !== undefined) {
      this.dictionary = this.texts(readDictionaryPage(page, header, dictionary.num_values, this.column));
      return;
    }
    const data = readDataPage(page, header, this.column);
    // Index pages are for other readers; a page without values is allowed.
    if (data === undefined || data.count === 0) return;
    this.valuesLeft -= data.count;
    const texts = data.areIndexes ? this.lookUp(data.values) : this.texts(data.values);
    if (this.isFlat) this.addFlat(texts, data.definitionLevels);
    else this.addNested(texts, data);
  }

  private texts(values: DecodedArray): string[] {
    const { toText } = this;
    const texts: string[] = [];
    for (let index = 0; index < values.length; index += 1) texts.push(toText(values[index]));
    return texts;
  }

  private lookUp(indexes: DecodedArray): string[] {
    const { dictionary } = this;
    if (dictionary === undefined) throw new Error('a page refers to a dictionary, and there is none');
    const texts: string[] = [];
    for (let index = 0; index < indexes.length; index += 1) {
      const text = dictionary[Number(indexes[index])];
      if (text === undefined) throw new Error('a page refers to a value that its dictionary does not have');
      texts.push(text);
    }
    return texts;
  }

  private addFlat(texts: string[], levels: Int32Array | undefined): void {
    this.values =
      levels === undefined || texts.length === levels.length ? texts : this.withNulls(texts, levels);
    this.start = 0;
    this.end = this.values.length;
  }

  private withNulls(texts: readonly string[], levels: Int32Array): ColumnValue[] {
    const values: ColumnValue[] = [];
    let next = 0;
    for (const level of levels) values.push(level === this.column.maxDefinition ? texts[next++] : null);
    return values;
  }

  /** A page may end in the middle of a row: the last row is kept until the next page has begun. */
  private addNested(texts: string[], { definitionLevels, repetitionLevels }: DataPage): void {
    const unfinished = this.values.slice(this.end);
    this.values = assembleLists(
      unfinished,
      definitionLevels && Array.from(definitionLevels),
      Array.from(repetitionLevels ?? []),
      texts,
      this.schemaPath,
    ) as ColumnValue[];
    this.start = 0;
    this.end = Math.max(0, this.values.length - (this.valuesLeft > 0 ? 1 : 0));
  }
}

const WINDOW_BYTES = 1 << 18;
/** Headers may have the smallest and the largest value of the page. */
const MAX_HEADER_BYTES = 1 << 22;

/** The pages of a column as they lie in the file. */
class ColumnBytes {
  private position: number;
  private readonly end: number;
  private window: Buffer = Buffer.alloc(0);
  private windowStart = 0;

  constructor(
    private readonly fd: number,
    { data_page_offset, dictionary_page_offset, total_compressed_size }: ColumnMetaData,
  ) {
    this.position = Number(dictionary_page_offset || data_page_offset);
    this.end = this.position + Number(total_compressed_size);
  }

  /** The next page; its bytes are valid until the one behind it is read. */
  nextPage(): { header: PageHeader; page: Uint8Array } {
    const { header, length } = this.readHeader();
    const size = header.compressed_page_size;
    const start = this.position + length;
    if (!(size >= 0 && start + size <= this.end))
      throw new Error(`a page at byte ${this.position} has no end`);
    this.position = start + size;
    return { header, page: this.view(start, size) };
  }

  private readHeader(): { header: PageHeader; length: number } {
    for (let length = 1 << 10; ; length *= 8) {
      const { position } = this;
      const bytes = this.view(position, Math.min(length, this.end - position));
      const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
      try {
        return { header: parquetHeader(reader), length: reader.offset };
      } catch (error) {
        // A header does not say how long it is: this one may go on behind what was read.
        if (length >= MAX_HEADER_BYTES || position + length >= this.end) throw error;
      }
    }
  }

  private view(start: number, length: number): Buffer {
    const { windowStart, window } = this;
    if (start < windowStart || start + length > windowStart + window.length) {
      const size = Math.max(length, Math.min(WINDOW_BYTES, this.end - start));
      this.window = Buffer.allocUnsafeSlow(Math.max(size, 0));
      this.windowStart = start;
      if (readFully(this.fd, this.window, start) < this.window.length)
        throw new Error('the file ends too early');
    }
    return this.window.subarray(start - this.windowStart, start - this.windowStart + length);
  }
}
