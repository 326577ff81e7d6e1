import { createHash } from 'node:crypto';

/**
 * Draws some prompts of a file, with all of their rows, in one pass and with memory for those that are drawn alone. Every
 * set of prompts is equally likely; a prompt's rows need not follow each other, and their order changes nothing.
 *
 * Each prompt has a random number, made of the seed and its key: those with the smallest are drawn, so that a smaller draw
 * with the same seed is a part of a larger one.
 */
export class PromptDraw<Member> {
  private readonly drawn = new Map<string, { readonly number: string; readonly members: Member[] }>();
  private readonly numbers = new Set<string>();
  /** The prompt that goes first when there are too many. */
  private last = '';

  /** @param count  at most so many prompts; Infinity for all */
  constructor(
    private readonly count: number,
    private readonly seed: number,
  ) {}

  /** How many prompts there were, drawn or not. */
  get seen(): number {
    return this.numbers.size;
  }

  /**
   * Adds a row of a prompt.
   *
   * @param member  makes what is kept of the row; called where its prompt is among those drawn so far
   */
  add(key: string, member: () => Member): void {
    const known = this.drawn.get(key);
    if (known !== undefined) return void known.members.push(member());
    const number = createHash('sha256').update(`${this.seed}:${key}`).digest('base64url').slice(0, 16);
    this.numbers.add(number);
    // One that had to go before has to again: the greatest number that is drawn only falls.
    if (this.drawn.size >= this.count && number > this.numberOf(this.last)) return;
    this.drawn.set(key, { number, members: [member()] });
    if (this.drawn.size > this.count) this.drawn.delete(this.last);
    if (this.drawn.size === this.count) this.last = this.findLast();
  }

  /** The rows of each drawn prompt, in the order in which these were first seen. */
  prompts(): readonly (readonly Member[])[] {
    return Array.from(this.drawn.values(), ({ members }) => members);
  }

  private numberOf(key: string): string {
    return this.drawn.get(key)?.number ?? '';
  }

  private findLast(): string {
    let last = '';
    for (const [key, { number }] of this.drawn) if (number > this.numberOf(last)) last = key;
    return last;
  }
}
