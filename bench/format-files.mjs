/** The same rows of string fields in every format of a dataset. */
import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { parquetWriteFile } from 'hyparquet-writer';
import { createRows, writeLines, writePieces } from './datasets.mjs';

/** Whether this Node can decompress Zstandard by itself. */
export const NODE_HAS_ZSTD = zlib.createZstdCompress !== undefined;

const createTextRows = (count) =>
  Array.from(
    createRows(count, { distinct: true }),
    ({ item: { question, solution, answer, difficulty }, sample }) => ({
      item: { question, solution, answer, difficulty },
      sample,
    }),
  );

/** A table's columns: `item.answer` is a field of `item`. */
const toColumns = (rows) =>
  Object.entries(rows[0]).flatMap(([part, fields]) =>
    Object.keys(fields).map((field) => ({
      name: `${part}.${field}`,
      data: rows.map((row) => row[part][field]),
      type: 'STRING',
    })),
  );

function* toArray(rows) {
  for (const [index, row] of rows.entries()) yield `${index === 0 ? '[' : ', '}${JSON.stringify(row)}`;
  yield ']\n';
}

/** Quoted where it must be, as spreadsheets and Python do. */
const csvField = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function* toCsv(rows) {
  const columns = toColumns(rows);
  yield `${columns.map(({ name }) => name).join(',')}\r\n`;
  for (const index of rows.keys()) yield `${columns.map(({ data }) => csvField(data[index])).join(',')}\r\n`;
}

const compress = (source, compressor, file) =>
  pipeline(createReadStream(source), compressor, createWriteStream(file));

/** By Node or by the zstd command. @returns  whether there was one of them */
const writeZstd = async (source, file) => {
  if (NODE_HAS_ZSTD) {
    await compress(source, zlib.createZstdCompress(), file);
    return true;
  }
  try {
    execFileSync('zstd', ['--quiet', source, '-o', file]);
    return true;
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return false;
  }
};

/**
 * Writes the rows in every format.
 *
 * @returns {Promise<Record<string, string>>} the files by format; Zstandard only where something can write it
 */
export const writeFormats = async (folder, count) => {
  const rows = createTextRows(count);
  const fileOf = (ending) => join(folder, `rows.${ending}`);
  const lines = fileOf('jsonl');
  writeLines(lines, rows);
  await compress(lines, zlib.createGzip(), fileOf('jsonl.gz'));
  const hasZstd = await writeZstd(lines, fileOf('jsonl.zst'));
  writePieces(fileOf('json'), toArray(rows));
  writePieces(fileOf('csv'), toCsv(rows));
  parquetWriteFile({ filename: fileOf('parquet'), columnData: toColumns(rows) });
  return {
    JSONL: lines,
    'JSONL, gzip': fileOf('jsonl.gz'),
    ...(hasZstd && { 'JSONL, zstd': fileOf('jsonl.zst') }),
    'JSON array': fileOf('json'),
    CSV: fileOf('csv'),
    Parquet: fileOf('parquet'),
  };
};
