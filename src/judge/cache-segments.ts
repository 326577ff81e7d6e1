import { KeyIndex, fingerprintOf, type Place } from './cache-index.js';
import {
  decodeRecord,
  timeOf,
  TIME_BYTES,
  type CacheRecord,
  type RecordHead,
  type RecordKind,
} from './cache-record.js';
import type { RecordVisitor, Segment } from './cache-segment.js';

/** Some segments and an index of their records; of several records with one key the newest counts. */
export class Segments {
  private readonly index = new KeyIndex();
  private readonly segments: Segment[] = [];

  /** How many keys there are. */
  get size(): number {
    return this.index.size;
  }

  /** How many segments there are; their numbers are from 0 to below this. */
  get count(): number {
    return this.segments.length;
  }

  /** @returns its number, by which it is called from now on */
  add(segment: Segment): number {
    return this.segments.push(segment) - 1;
  }

  /** Takes in what a segment has that has not been seen. @throws SegmentError behind the last record it can read */
  scan(file: number): void {
    this.segments[file].scan((head, offset, line) => this.enter(head, { file, offset, length: line.length }));
  }

  private enter({ fingerprint, at }: RecordHead, place: Place): void {
    const known = this.index.get(fingerprint);
    if (known === undefined || this.timeAt(known) <= at) this.index.set(fingerprint, place);
  }

  private timeAt({ file, offset }: Place): number {
    return timeOf(this.segments[file].read(offset, TIME_BYTES));
  }

  /** How many records a segment has, also those that do not count. */
  recordsOf(file: number): number {
    return this.segments[file].records;
  }

  /** Visits the records of a segment that count, which are the newest with their keys. */
  visit(file: number, visit: RecordVisitor): void {
    this.segments[file].visitAgain((head, offset, line) => {
      if (this.counts(head, file, offset)) visit(head, offset, line);
    });
  }

  private counts({ fingerprint }: RecordHead, file: number, offset: number): boolean {
    const known = this.index.get(fingerprint);
    return known?.file === file && known.offset === offset;
  }

  get(kind: RecordKind, key: string): CacheRecord | undefined {
    const place = this.index.get(fingerprintOf(key));
    const record = place === undefined ? undefined : this.recordAt(place);
    return record?.key === key && record.kind === kind ? record : undefined;
  }

  /** A file that cannot be read any more has no records. */
  private recordAt({ file, offset, length }: Place): CacheRecord | undefined {
    try {
      return decodeRecord(this.segments[file].read(offset, length));
    } catch {
      return undefined;
    }
  }

  /** Appends the line of a record to a segment. @throws the system's error; nothing is changed then */
  append(file: number, key: string, line: Buffer): void {
    const offset = this.segments[file].append(line);
    this.index.set(fingerprintOf(key), { file, offset, length: line.length - 1 });
  }

  async close(): Promise<void> {
    await Promise.all(this.segments.map((segment) => segment.close()));
  }
}
