const PIECE_LENGTH = 1 << 12;

/**
 * Collects text as UTF-8 bytes. Pieces of a string live until the whole is written, and a block of a thousand result
 * lines held that way keeps the garbage collector busy; so text turns into bytes a few lines at a time.
 */
export class LineBuffer {
  private memory = Buffer.allocUnsafeSlow(1 << 16);
  private length = 0;
  private piece = '';

  add(text: string): void {
    this.piece += text;
    if (this.piece.length >= PIECE_LENGTH) this.flush();
  }

  /** The bytes added since the last call; they stay valid. */
  take(): Buffer {
    this.flush();
    const taken = this.memory.subarray(0, this.length);
    this.memory = Buffer.allocUnsafeSlow(this.memory.length);
    this.length = 0;
    return taken;
  }

  private flush(): void {
    // A UTF-16 unit takes at most three bytes.
    const atMost = this.length + this.piece.length * 3;
    if (atMost > this.memory.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(this.memory.length * 2, atMost));
      this.memory.copy(grown, 0, 0, this.length);
      this.memory = grown;
    }
    this.length += this.memory.write(this.piece, this.length, 'utf8');
    this.piece = '';
  }
}
