import type { LineCursor } from '../dataset/jsonl.js';
import { failed, type Failed } from '../score.js';
import { parsedParts } from './parsed-parts.js';
import type { RowParts, RowPartsOptions, SampleParts } from './row-parts.js';
import { PartsScanner } from './scanned-parts.js';

/** Reads the parts of rows: most of them without parsing the row. */
export class PartsReader {
  private readonly scanner: PartsScanner | undefined;
  private scans = false;

  constructor(private readonly options: RowPartsOptions) {
    this.scanner = PartsScanner.for(options);
  }

  /** Gives memory to read a block into; undefined when any will do. */
  get takeMemory(): ((bytes: number) => Buffer) | undefined {
    return this.scanner?.memory;
  }

  /** Goes on with the rows of a block, whose lines the cursor has. */
  open(block: Buffer, lines: LineCursor): void {
    this.scans = lines.valid;
    if (this.scans) this.scanner?.open(block, lines.ascii);
  }

  /** The parts of the row at the cursor, or those of its samples, or why it cannot be read. */
  read(lines: LineCursor): RowParts | SampleParts | Failed {
    if (lines.problem !== undefined) return failed('row_error', lines.problem);
    const parse = () => parsedParts(lines.text, this.options);
    const scanned = this.scans ? this.scanner?.scan(lines.start, lines.end, parse) : undefined;
    return scanned ?? parse();
  }
}
