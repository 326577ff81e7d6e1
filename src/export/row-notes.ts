import { KeyNumbers } from '../results/key-numbers.js';
import type { GroupNames } from '../run/group-names.js';
import type { Failed } from '../score.js';
import { ContentHash } from './content-hash.js';
import { reasonNumber, TAKEN, type Reason } from './reasons.js';
import type { RowParts } from './row-parts.js';
import { longer, NONE, type ScoreTable } from './score-table.js';
import { Contexts, type Context } from './contexts.js';
import type { PromptOptions } from './training-line.js';

/** How rows are noted. */
export interface RowNotesOptions extends PromptOptions {
  /** What names the groups of rows, where not the results do. */
  readonly group?: GroupNames;
}

/**
 * What the choice of rows needs to know of each of them, as columns: 14 bytes a result, whatever the texts are. Rows that
 * share a prompt have the same messages and tools, and are of the same group where there are groups.
 */
export class RowNotes {
  /** Of each result the number of its prompt, in the order in which prompts come; {@link NONE} for rows left out. */
  readonly prompts: Int32Array;
  /** Of each result the number of the reason to leave it out; {@link TAKEN} for those that can be chosen from. */
  readonly reasons: Uint8Array;
  /** Of each result the field that its prompt is in. */
  readonly fields: Int8Array;
  readonly promptTable = new PromptTable();
  /** Of each result a hash of its answer, in two halves. */
  readonly answerLows: Uint32Array;
  readonly answerHighs: Uint32Array;
  private readonly contexts: Contexts;
  private readonly hash = new ContentHash();
  private readonly promptNumbers = new KeyNumbers();
  private readonly groupHash = new ContentHash();
  private readonly groupNumbers = new KeyNumbers();
  /** How many prompts belong to a group. */
  groupPrompts = 0;
  private readonly needsAnswer: boolean;

  constructor(
    private readonly table: ScoreTable,
    private readonly options: RowNotesOptions,
  ) {
    const { count } = table;
    this.prompts = new Int32Array(count).fill(NONE);
    this.reasons = new Uint8Array(count);
    this.fields = new Int8Array(count);
    this.needsAnswer = options.method !== 'reinforcement';
    this.answerLows = new Uint32Array(this.needsAnswer ? count : 0);
    this.answerHighs = new Uint32Array(this.needsAnswer ? count : 0);
    this.contexts = new Contexts(options);
  }

  /** Leaves a result out. */
  leave(result: number, reason: Reason): void {
    this.reasons[result] = reasonNumber(reason);
  }

  /** Takes a result back that was left out. */
  take(result: number): void {
    this.reasons[result] = TAKEN;
  }

  /** How many groups there are. */
  get groups(): number {
    return this.groupNumbers.size;
  }

  isTaken(result: number): boolean {
    return this.reasons[result] === TAKEN;
  }

  /** Notes the row of a result. */
  add(result: number, parts: RowParts | Failed): void {
    if ('status' in parts) return this.leave(result, 'unreadable');
    const field = parts.findPrompt();
    if (field === -1) return this.leave(result, 'no_prompt');
    const context = this.contexts.of(parts, field);
    const problem = context.problem ?? (this.needsAnswer ? this.noteAnswer(result, parts, field) : undefined);
    if (problem !== undefined) return this.leave(result, problem);
    this.fields[result] = field;
    this.prompts[result] = this.promptOf(result, parts, context);
  }

  /** A number for the answer of a result: the same for the same answer, and for others with a probability of 2^-53. */
  answerKey(result: number): number {
    return (this.answerHighs[result] & 0x1fffff) * 2 ** 32 + this.answerLows[result];
  }

  /** @returns why the answer is none to learn from */
  private noteAnswer(result: number, parts: RowParts, field: number): Reason | undefined {
    const { hash } = this;
    const calls = parts.callsJson();
    const problem = calls === undefined ? undefined : this.contexts.problemOfCalls(parts, field);
    if (problem !== undefined) return problem;
    const text = parts.answerBytes();
    const isEmpty = text === undefined || text.start === text.end;
    if (calls === undefined && isEmpty) return text === undefined ? 'no_sample' : 'empty_answer';
    hash.clear();
    if (!isEmpty) hash.add(text);
    if (calls !== undefined) hash.addNumber(1).addText(calls);
    this.answerLows[result] = hash.low;
    this.answerHighs[result] = hash.high;
    return undefined;
  }

  private promptOf(result: number, parts: RowParts, context: Context): number {
    const { hash, promptTable } = this;
    const group = this.groupOf(result, parts);
    hash.clear().addNumber(context.low).addNumber(context.high);
    if (group !== undefined) hash.addNumber(group);
    const number = this.promptNumbers.numberOfHash(hash.low, hash.high);
    if (number < promptTable.count) return number;
    promptTable.add(context);
    if (group !== undefined) this.groupPrompts += 1;
    return number;
  }

  /** The number of the group by a path, else of that of the results, else of the row that has several samples. */
  private groupOf(result: number, { row }: RowParts): number | undefined {
    const { table, options, groupHash, groupNumbers } = this;
    groupHash.clear();
    if (options.group !== undefined) {
      const name = options.group.of(row);
      if (name === undefined) return undefined;
      groupHash.addNumber(1).addText(name);
    } else if (table.groups[result] !== NONE) groupHash.addNumber(2).addNumber(table.groups[result]);
    else if (table.samples[result] !== NONE) groupHash.addNumber(3).addNumber(table.rows[result]);
    else return undefined;
    return groupNumbers.numberOfHash(groupHash.low, groupHash.high);
  }
}

const FIRST_ROOM = 1 << 10;
const IMAGES = 1;
const SYSTEM = 2;
const LEARNT = 4;

/** What is known of prompts, as columns. */
export class PromptTable {
  count = 0;
  /** A hash of the messages alone. */
  splits = new Uint32Array(FIRST_ROOM);
  /** A hash of messages and tools, in two halves. */
  lows = new Uint32Array(FIRST_ROOM);
  highs = new Uint32Array(FIRST_ROOM);
  private flags = new Uint8Array(FIRST_ROOM);

  add(prompt: Context): void {
    if (this.count === this.flags.length) this.grow();
    const at = this.count++;
    this.splits[at] = prompt.split;
    this.lows[at] = prompt.low;
    this.highs[at] = prompt.high;
    this.flags[at] =
      (prompt.hasImages ? IMAGES : 0) | (prompt.hasSystem ? SYSTEM : 0) | (prompt.isLearnt ? LEARNT : 0);
  }

  hasImages(prompt: number): boolean {
    return (this.flags[prompt] & IMAGES) !== 0;
  }

  /** Whether it has messages of the system that the method calls otherwise. */
  hasSystem(prompt: number): boolean {
    return (this.flags[prompt] & SYSTEM) !== 0;
  }

  /** Whether it has messages of the assistant that are learnt, too. */
  isLearnt(prompt: number): boolean {
    return (this.flags[prompt] & LEARNT) !== 0;
  }

  private grow(): void {
    const room = 2 * this.flags.length;
    this.splits = longer(this.splits, new Uint32Array(room));
    this.lows = longer(this.lows, new Uint32Array(room));
    this.highs = longer(this.highs, new Uint32Array(room));
    this.flags = longer(this.flags, new Uint8Array(room));
  }
}
