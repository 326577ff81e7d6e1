import { BLOCK_BYTES, NEWLINE, type LineBlock } from './jsonl.js';

const ROOM = BLOCK_BYTES + (BLOCK_BYTES >> 2);
/** Memory that one long row has made larger than this is not kept. */
const KEPT_ROOM = 4 * BLOCK_BYTES;

/** Puts rows that are not lines of their file together as blocks of lines of JSON. */
export class BlockBuilder {
  private memory = Buffer.allocUnsafeSlow(ROOM);
  /** Where the row that is being put together starts, and where it ends so far. */
  private rowStart = 0;
  private end = 0;
  private count = 0;
  private lines = new Int32Array(1 << 10);
  private problems = new Map<number, string>();

  /** Whether it is time to hand the block on. */
  get isFull(): boolean {
    return this.rowStart >= BLOCK_BYTES;
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** How long the row is that is being put together. */
  get rowBytes(): number {
    return this.end - this.rowStart;
  }

  /** Adds a row by its JSON text, which has no line break. */
  addRow(json: string, line: number, problem?: string): void {
    // A UTF-16 unit is at most three bytes.
    this.reserve(json.length * 3);
    this.end += this.memory.write(json, this.end);
    this.endRow(line, problem);
  }

  /** Adds to the row that is being put together. */
  append(bytes: Buffer): void {
    this.reserve(bytes.length);
    this.end += bytes.copy(this.memory, this.end);
  }

  /** The bytes of the row that is being put together; they may be changed. */
  get row(): Buffer {
    return this.memory.subarray(this.rowStart, this.end);
  }

  /** Forgets the row that is being put together. */
  dropRow(): void {
    this.end = this.rowStart;
  }

  endRow(line: number, problem?: string): void {
    this.reserve(1);
    this.memory[this.end] = NEWLINE;
    this.end += 1;
    this.rowStart = this.end;
    if (this.count === this.lines.length) {
      const longer = new Int32Array(this.count * 2);
      longer.set(this.lines);
      this.lines = longer;
    }
    this.lines[this.count] = line;
    if (problem !== undefined) this.problems.set(this.count, problem);
    this.count += 1;
  }

  /** The rows so far; their bytes are valid until the next row is added. No row may be half put together. */
  take(position: number): LineBlock {
    const { count, problems } = this;
    const block = {
      bytes: this.memory.subarray(0, this.rowStart),
      position,
      lines: this.lines.slice(0, count),
      ...(problems.size > 0 && { problems }),
    };
    if (this.memory.length > KEPT_ROOM) this.memory = Buffer.allocUnsafeSlow(ROOM);
    this.rowStart = this.end = this.count = 0;
    this.problems = new Map();
    return block;
  }

  private reserve(bytes: number): void {
    if (this.end + bytes + 1 <= this.memory.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.end + bytes + 1, this.memory.length * 2));
    this.memory.copy(larger, 0, 0, this.end);
    this.memory = larger;
  }
}
