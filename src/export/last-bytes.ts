import type { ByteRange } from '../dataset/row-scanner.js';

/** Remembers bytes, to tell when the same come again: what is found out about them need not be found out anew. */
export class LastBytes {
  private memory = Buffer.alloc(0);
  private view = new DataView(this.memory.buffer);
  private length = -1;

  /** Whether these are the bytes of the last time; they are kept for the next. */
  isAgain(bytes: ByteRange): boolean {
    if (bytes.end - bytes.start === this.length && this.isEqual(bytes)) return true;
    this.keep(bytes);
    return false;
  }

  /** The bytes of the last time. */
  get range(): ByteRange {
    return { view: this.view, start: 0, end: Math.max(0, this.length) };
  }

  /** The text that they are in UTF-8. */
  get text(): string {
    return this.memory.toString('utf8', 0, Math.max(0, this.length));
  }

  private isEqual({ view, start }: ByteRange): boolean {
    const { length } = this;
    let at = 0;
    for (; at + 4 <= length; at += 4) if (view.getInt32(start + at) !== this.view.getInt32(at)) return false;
    for (; at < length; at += 1) if (view.getUint8(start + at) !== this.view.getUint8(at)) return false;
    return true;
  }

  private keep({ view, start, end }: ByteRange): void {
    this.length = end - start;
    if (this.length > this.memory.length) {
      this.memory = Buffer.allocUnsafeSlow(2 * this.length);
      this.view = new DataView(this.memory.buffer);
    }
    this.memory.set(new Uint8Array(view.buffer, start, this.length));
  }
}
