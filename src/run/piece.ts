import { closeSync, openSync } from 'node:fs';
import { DatasetError } from '../dataset/error.js';
import { BLOCK_BYTES, type LineBlock } from '../dataset/jsonl.js';
import { readRange, reusedMemory, type RangeBlock, type TakeMemory } from '../dataset/ranges.js';
import { BlockGrader, type BlockGraderOptions, type BlockPlace, type GradedBlock } from './block.js';
import type { Piece, SourceFile } from './source.js';

/** What was graded of a piece, and what became known of it. */
export interface GradedPiece extends GradedBlock {
  readonly file: number;
  /** Bytes of the file read so far. */
  readonly position: number;
  /** CRC-32 of the MiB that the piece is, if it is one. */
  readonly crc?: number;
}

/** Learns where a piece stands from how many rows and lines it has. */
export type ClaimPiece = (first: boolean, rows: number, lines: number) => BlockPlace;

/** Reads the pieces of a dataset that are still in their file. */
export class PieceReader {
  private opened: { readonly file: number; readonly fd: number } | undefined;

  constructor(
    private readonly files: readonly SourceFile[],
    private readonly takeMemory: TakeMemory = reusedMemory(),
  ) {}

  /** @throws DatasetError */
  read(piece: Piece): { readonly block: LineBlock; readonly crc?: number } {
    if ('block' in piece) return { block: piece.block };
    const { path, bytes = 0 } = this.files[piece.file];
    const block = this.readRange(piece.file, piece.range, path);
    if (block.position < Math.min((piece.range + 1) * BLOCK_BYTES, bytes))
      throw new DatasetError(`${path} has become shorter while it was read`);
    return { block, crc: block.crc };
  }

  private readRange(file: number, range: number, path: string): RangeBlock {
    try {
      return readRange(this.open(file, path), range, this.takeMemory);
    } catch (error) {
      throw new DatasetError(`${path}: ${(error as Error).message}`);
    }
  }

  close(): void {
    if (this.opened !== undefined) closeSync(this.opened.fd);
    this.opened = undefined;
  }

  private open(file: number, path: string): number {
    if (this.opened?.file !== file) {
      this.close();
      this.opened = { file, fd: openSync(path, 'r') };
    }
    return this.opened.fd;
  }
}

/** Reads and grades pieces of a dataset, one at a time. */
export class PieceGrader {
  /** The rows of the piece. */
  readonly rows: BlockGrader;
  /** How much of the dataset it holds. */
  bytes = 0;
  private readonly reader: PieceReader;
  private about: Pick<GradedPiece, 'file' | 'position' | 'crc'> = { file: 0, position: 0 };
  /** Whether its bytes are in memory of its own. */
  private ownsBytes = true;

  constructor(
    options: BlockGraderOptions,
    private readonly files: readonly SourceFile[],
  ) {
    this.rows = new BlockGrader(options);
    this.reader = new PieceReader(files, this.rows.takeMemory);
  }

  /**
   * Reads a piece and learns its place; the one before must be finished.
   *
   * @throws DatasetError
   */
  open(piece: Piece, claimPiece: ClaimPiece): void {
    const { file, first } = piece;
    const { block, crc } = this.reader.read(piece);
    this.about = { file, position: block.position, crc };
    this.bytes = block.bytes.length;
    this.ownsBytes = !('block' in piece);
    this.rows.open(block, this.files[file].prefix, (rows, lines) => claimPiece(first, rows, lines));
  }

  /** What has been graded since the last time. */
  take(): GradedPiece {
    const graded = { ...this.rows.take(), ...this.about };
    this.about = { ...this.about, crc: undefined };
    return { ...graded, position: Math.max(0, graded.position - this.rows.bytesLeft) };
  }

  /** Keeps the piece while the next one is read. */
  keep(): void {
    if (!this.ownsBytes) this.rows.copyBytes();
    this.ownsBytes = true;
  }

  close(): void {
    this.reader.close();
  }
}

/** Counts the rows and lines of pieces that are opened one after the other. */
export class PlaceCounter {
  row = 0;
  line = 1;

  readonly claim: ClaimPiece = (first, rows, lines) => {
    const place = { row: this.row, line: first ? 1 : this.line };
    this.row += rows;
    this.line = place.line + lines;
    return place;
  };
}
