import { ByteWriter, ParquetWriter, schemaFromColumnData, type BasicType } from 'hyparquet-writer';
import type { ColumnType, TableColumn, TableRow } from './table-columns.js';
import type { TableWriter, WriteBytes } from './table.js';

const TYPES: Readonly<Record<ColumnType, BasicType>> = {
  boolean: 'BOOLEAN',
  integer: 'INT64',
  number: 'DOUBLE',
  text: 'STRING',
};

/** A row group ends after so many rows, or so many characters of text. */
const GROUP_ROWS = 1 << 16;
const GROUP_CHARACTERS = 1 << 24;

type Value = boolean | bigint | number | string | null;

/** Writes Parquet, a row group at a time. */
export class ParquetTableWriter implements TableWriter {
  private readonly bytes: FileBytes;
  private readonly writer: ParquetWriter;
  private values: Value[][];
  private characters = 0;

  constructor(
    private readonly columns: readonly TableColumn[],
    write: WriteBytes,
  ) {
    this.bytes = new FileBytes(write);
    this.values = columns.map(() => []);
    this.writer = new ParquetWriter({
      writer: this.bytes,
      schema: schemaFromColumnData({ columnData: this.sources }),
      createdBy: 'assay',
    });
  }

  add(row: TableRow): void {
    this.columns.forEach(({ name, type }, index) => {
      const cell = row.get(name);
      const value = cell === undefined ? null : toValue(cell, type);
      if (typeof value === 'string') this.characters += value.length;
      this.values[index].push(value);
    });
    if (this.values[0].length >= GROUP_ROWS || this.characters >= GROUP_CHARACTERS) this.endGroup();
  }

  finish(): void {
    this.endGroup();
    void this.writer.finish();
  }

  private get sources() {
    return this.columns.map(({ name, type }, index) => ({
      name,
      type: TYPES[type],
      data: this.values[index],
      nullable: name !== 'row',
      offsetIndex: false,
    }));
  }

  private endGroup(): void {
    if (this.values[0].length > 0)
      void this.writer.write({ columnData: this.sources, rowGroupSize: GROUP_ROWS });
    this.values = this.columns.map(() => []);
    this.characters = 0;
  }
}

const toValue = (cell: boolean | number | string, type: ColumnType): Value => {
  if (type === 'text') return String(cell);
  return type === 'integer' ? BigInt(cell) : cell;
};

/** Hands the bytes on after every row group. */
class FileBytes extends ByteWriter {
  constructor(private readonly write: WriteBytes) {
    super();
  }

  flush(): void {
    this.write(this.getBytes());
    this.index = 0;
  }

  override finish(): void {
    this.flush();
  }
}
