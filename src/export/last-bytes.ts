/** Remembers bytes, to tell when the same come again: what is found out about them need not be found out anew. */
export class LastBytes {
  private memory = Buffer.alloc(0);
  private length = 0;
  private isSet = false;

  /** Whether these are the bytes of the last time; they are kept for the next. */
  isAgain(bytes: Buffer): boolean {
    if (this.isSet && bytes.length === this.length && bytes.equals(this.bytes)) return true;
    if (bytes.length > this.memory.length) this.memory = Buffer.allocUnsafeSlow(2 * bytes.length);
    this.length = bytes.copy(this.memory);
    this.isSet = true;
    return false;
  }

  /** The bytes of the last time. */
  get bytes(): Buffer {
    return this.memory.subarray(0, this.length);
  }

  /** The text that they are in UTF-8. */
  get text(): string {
    return this.bytes.toString();
  }
}
