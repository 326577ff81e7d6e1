import { setImmediate } from 'node:timers/promises';
import {
  parquetMetadataAsync,
  parquetSchema,
  type FileMetaData,
  type RowGroup,
  type SchemaTree,
} from 'hyparquet';
import { assembleNested } from 'hyparquet/src/assemble.js';
import { getTreePath, isListLike, isMapLike } from 'hyparquet/src/schema.js';
import { BlockBuilder } from './block-builder.js';
import { DatasetError } from './error.js';
import { readChunks, readFully, type LineBlock } from './jsonl.js';
import { ColumnReader, type ColumnValue } from './parquet-column.js';
import { UNREADABLE } from './parquet-values.js';
import { rowLayout, type RowLayout } from './table-row.js';

/** An open Parquet file. */
export interface ParquetFile {
  readonly fd: number;
  readonly bytes: number;
  /** For messages. */
  readonly name: string;
}

/**
 * The rows of a Parquet file, with their numbers from 1 as lines. See `valueText` for what the values become, and
 * `rowLayout` for the names of columns; lists, structs and maps are arrays and objects, and what is missing is null.
 *
 * Memory is a page of each column, however large the row groups are.
 *
 * @param onCrc  receives the CRC-32 of every MiB of the file before the first row is read
 * @throws DatasetError, from the iteration, when the file is damaged or cannot be read
 */
export async function* parquetBlocks(
  file: ParquetFile,
  onCrc?: (crc: number) => void,
): AsyncGenerator<LineBlock, void, undefined> {
  const metadata = await readMetadata(file);
  const table = openTable(file, metadata);
  if (onCrc !== undefined) await readChecksums(file.fd, onCrc);
  const rows = new BlockBuilder();
  const total = Number(metadata.num_rows);
  let row = 0;
  for (const [index, group] of metadata.row_groups.entries()) {
    for (const piece of table.pieces(group, index)) {
      for (let at = 0; at < piece.rows; at += 1) {
        row += 1;
        table.addRow(rows, piece, at, row);
        if (rows.isFull) yield rows.take(Math.floor((file.bytes * row) / total));
      }
    }
  }
  if (!rows.isEmpty) yield rows.take(file.bytes);
}

/** Rows of a row group: for each column of the table, the JSON text of its value in each row. */
interface Piece {
  readonly rows: number;
  readonly columns: readonly (readonly (ColumnValue | undefined)[])[];
}

class TableReader {
  private readonly columns: readonly SchemaTree[];
  /** The paths to the physical columns, in their order in the file, and the column of the table that each is part of. */
  private readonly leaves: readonly { readonly path: SchemaTree[]; readonly column: number }[];
  private readonly layout: RowLayout;

  constructor(
    private readonly file: ParquetFile,
    metadata: FileMetaData,
  ) {
    const root = parquetSchema(metadata);
    this.columns = root.children;
    this.leaves = root.children.flatMap((child, column) =>
      leafPaths(child).map((path) => ({ path: getTreePath(root, path), column })),
    );
    const layout = rowLayout(root.children.map(({ element }) => element.name));
    if (typeof layout === 'string') throw new DatasetError(`${file.name}: ${layout}; rename one of them`);
    this.layout = layout;
    for (const { path } of this.leaves) this.refuseUnsupported(path);
  }

  /** The rows of a row group, a piece at a time: as many as all columns have read. */
  *pieces(group: RowGroup, index: number): Generator<Piece, void, undefined> {
    const readers = this.leaves.map(({ path }, leaf) =>
      this.locate(index, path, () => {
        const { meta_data: metadata, file_path } = group.columns[leaf];
        if (metadata === undefined || file_path !== undefined)
          throw new Error('its data are not in this file');
        return new ColumnReader(this.file.fd, metadata, path);
      }),
    );
    for (let left = Number(group.num_rows); left > 0;) {
      const rows = readers.reduce(
        (fewest, reader, leaf) =>
          this.locate(index, this.leaves[leaf].path, () => {
            const available = reader.available();
            if (available === 0) throw new Error(`it ends ${left} rows early`);
            return Math.min(fewest, available);
          }),
        left,
      );
      yield { rows, columns: this.takeColumns(readers, rows, index) };
      left -= rows;
    }
  }

  /** Adds a row of a piece; a value that JSON cannot hold makes it a failed one. */
  addRow(rows: BlockBuilder, { columns }: Piece, at: number, row: number): void {
    const { cells, after } = this.layout;
    let problem: string | undefined;
    let json = '';
    for (const { before, column } of cells) {
      const text = (columns[column][at] as string | null | undefined) ?? 'null';
      if (text.startsWith(UNREADABLE)) {
        const reason = text.slice(UNREADABLE.length);
        problem ??= `column ${JSON.stringify(this.columns[column].element.name)}: ${reason}`;
        json += before + JSON.stringify(reason);
      } else json += before + text;
    }
    rows.addRow(json + after, row, problem);
  }

  private takeColumns(readers: readonly ColumnReader[], rows: number, group: number): Piece['columns'] {
    const parts = this.columns.map(() => new Map<string, ColumnValue[]>());
    readers.forEach((reader, leaf) => {
      const { path, column } = this.leaves[leaf];
      parts[column].set(path[path.length - 1].path.join('.'), reader.take(rows));
    });
    return this.columns.map((column, index) => {
      const { name } = column.element;
      if (column.children.length === 0 && column.element.repetition_type !== 'REPEATED')
        return parts[index].get(name) ?? [];
      return this.locate(group, [column], () => {
        assembleNested(parts[index], column, NO_PARSERS);
        return (parts[index].get(name) ?? []).map((value) => nestedText(column, value));
      });
    });
  }

  private refuseUnsupported(path: readonly SchemaTree[]): void {
    const variant = path.some(({ element }) => element.logical_type?.type === 'VARIANT');
    // The assembly of structs makes plain objects, which would lose it.
    const lost = path.slice(2).some(({ element }) => element.name === '__proto__');
    if (!variant && !lost) return;
    const what = variant ? 'values of the type VARIANT' : 'a field called __proto__';
    throw new DatasetError(
      `${this.file.name}: column ${JSON.stringify(path[1].element.name)} has ${what}, which cannot be read; leave it out`,
    );
  }

  /** Says where a damage is. */
  private locate<Result>(group: number, path: readonly SchemaTree[], read: () => Result): Result {
    try {
      return read();
    } catch (error) {
      const column = JSON.stringify(path[path.length - 1].path.join('.'));
      throw damaged(this.file.name, `column ${column}, row group ${group + 1}: ${messageOf(error)}`);
    }
  }
}

const openTable = (file: ParquetFile, metadata: FileMetaData): TableReader => {
  try {
    return new TableReader(file, metadata);
  } catch (error) {
    throw error instanceof DatasetError ? error : damaged(file.name, messageOf(error));
  }
};

type Parsers = Parameters<typeof assembleNested>[2];

/** They are for types that are refused. */
const NO_PARSERS = {} as Parsers;

const leafPaths = ({ children, path }: SchemaTree): string[][] =>
  children.length === 0 ? [path] : children.flatMap(leafPaths);

/** The JSON text of a list, struct or map whose leaves are JSON texts. */
const nestedText = (column: SchemaTree, value: ColumnValue): string => {
  let problem: string | undefined;
  const keyText = (key: string): string => {
    const text = valueText(key);
    return text.startsWith('"') ? text : `"${text}"`;
  };
  const valueText = (text: string): string => {
    if (!text.startsWith(UNREADABLE)) return text;
    problem ??= text;
    return 'null';
  };
  const write = (node: SchemaTree, content: unknown, isElement = false): string => {
    if (content === null || content === undefined) return 'null';
    if (node.element.repetition_type === 'REPEATED' && !isElement)
      return `[${(content as unknown[]).map((element) => write(node, element, true)).join(',')}]`;
    if (node.children.length === 0) return valueText(content as string);
    if (isListLike(node)) {
      const element = elementOf(node);
      return `[${(content as unknown[]).map((each) => write(element, each, true)).join(',')}]`;
    }
    if (isMapLike(node)) {
      const element = node.children[0].children[1];
      const entries = Object.entries(content);
      return `{${entries.map(([key, each]) => `${keyText(key)}:${write(element, each)}`).join(',')}}`;
    }
    const fields = content as Record<string, unknown>;
    const members = node.children.map(
      (child) => `${JSON.stringify(child.element.name)}:${write(child, fields[child.element.name])}`,
    );
    return `{${members.join(',')}}`;
  };
  const text = write(column, value);
  return problem ?? text;
};

/** What a list is made of: lists have a level in between, but for those of old writers. */
const elementOf = ({ children: [repeated] }: SchemaTree): SchemaTree =>
  repeated.children.length === 1 ? repeated.children[0] : repeated;

const readMetadata = async ({ fd, bytes, name }: ParquetFile): Promise<FileMetaData> => {
  const slice = (start: number, end = bytes): ArrayBuffer => {
    const memory = new ArrayBuffer(Math.max(end - start, 0));
    readFully(fd, Buffer.from(memory), start);
    return memory;
  };
  const head = Buffer.from(slice(0, Math.min(bytes, 40))).toString('latin1');
  if (head.startsWith('version https://git-lfs'))
    throw new DatasetError(
      `${name}: a pointer of Git LFS and not the file; run "git lfs pull" in its repository`,
    );
  if (bytes === 0) throw new DatasetError(`${name}: the file is empty, expected Parquet`);
  if (!head.startsWith('PAR1'))
    throw new DatasetError(
      `${name}: not a Parquet file${head.startsWith('PARE') ? ', but an encrypted one' : ''}; say what it is with --format`,
    );
  try {
    return await parquetMetadataAsync({ byteLength: bytes, slice }, { geoparquet: false });
  } catch (error) {
    throw damaged(name, messageOf(error));
  }
};

const damaged = (name: string, what: string): DatasetError =>
  new DatasetError(`${name}: damaged, or not as Parquet should be: ${what}; get it or write it again`);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** How many blocks are read before the process looks at signals. */
const BLOCKS_A_TURN = 32;

const readChecksums = async (fd: number, onCrc: (crc: number) => void): Promise<void> => {
  let blocks = 0;
  for await (const _ of readChunks(fd, onCrc)) {
    blocks += 1;
    if (blocks % BLOCKS_A_TURN === 0) await setImmediate();
  }
};
