/** More different texts than these are not kept. */
const MAX_TEXTS = 100_000;

/** How often texts occur. */
export class TextCounts {
  private readonly counts = new Map<string, number>();

  get size(): number {
    return this.counts.size;
  }

  add(text: string): void {
    const times = this.counts.get(text);
    if (times !== undefined || this.counts.size < MAX_TEXTS) this.counts.set(text, (times ?? 0) + 1);
  }

  /**
   * The most frequent texts. Of those that are as frequent as the last of them, so many as there is room for, evenly
   * spread over all: the first of a dataset may be about one thing.
   */
  most(count: number): readonly string[] {
    const sorted = [...this.counts].toSorted(([, a], [, b]) => b - a);
    const least = sorted.at(count - 1)?.[1] ?? 0;
    const above = sorted.filter(([, times]) => times > least);
    const tied = sorted.filter(([, times]) => times === least);
    const room = Math.min(count - above.length, tied.length);
    const spread = Array.from({ length: room }, (_, place) => tied[Math.floor((place * tied.length) / room)]);
    return [...above, ...spread].map(([text]) => text);
  }
}
