import { CompensatedSum } from '../compensated-sum.js';
import type { MethodName } from '../methods/hyperparameters.js';
import { KeyNumbers } from '../results/key-numbers.js';
import { NOT_PASSED, PASSED } from '../results/score-columns.js';
import { ContentHash } from './content-hash.js';
import type { Reason } from './reasons.js';
import type { RowNotes } from './row-notes.js';
import { NONE, type ScoreTable } from './score-table.js';

/** Which rows become training rows, of those that could. */
export interface ChoiceOptions {
  readonly method: MethodName;
  /** Answers are taken, or preferred, from this reward on. Default: those that passed, where the results say so. */
  readonly minReward?: number;
  /** Supervised: most answers of a prompt; DPO: most pairs of a prompt. Default 1. */
  readonly perPrompt?: number;
  /** DPO: least difference of rewards. Default: any, to an answer that did not pass where the results say so. */
  readonly margin?: number;
  /** Reinforcement: also prompts whose rewards are all the same. */
  readonly keepFlat?: boolean;
  /** Reinforcement: only prompts with at least this mean reward. */
  readonly minMean?: number;
  /** Reinforcement: only prompts with at most this mean reward. */
  readonly maxMean?: number;
  /** At most so many prompts. */
  readonly limit?: number;
}

/** The rows that were chosen. */
export interface Choice {
  /**
   * Of each result the other one of its pair, for DPO; its own number where a training row is made of it alone; else
   * {@link NONE}.
   */
  readonly partners: Int32Array;
  /** How many prompts have training rows. */
  readonly prompts: number;
}

/**
 * Chooses from the rows that are still taken, prompt by prompt in the order of their first rows. Rows that are not used
 * get their reason in the notes.
 */
export const chooseRows = (table: ScoreTable, notes: RowNotes, options: ChoiceOptions): Choice => {
  const chooser = new Chooser(table, notes, options);
  for (const rows of rowsByPrompt(notes)) chooser.choose(rows);
  return chooser;
};

/** The results of each prompt, in their order. */
function* rowsByPrompt({ prompts, promptTable }: RowNotes): Generator<Uint32Array, void, undefined> {
  const { count } = promptTable;
  const starts = new Uint32Array(count + 1);
  for (const prompt of prompts) if (prompt !== NONE) starts[prompt + 1] += 1;
  for (let prompt = 0; prompt < count; prompt += 1) starts[prompt + 1] += starts[prompt];
  const rows = new Uint32Array(starts[count]);
  const next = starts.slice();
  prompts.forEach((prompt, row) => {
    if (prompt !== NONE) rows[next[prompt]++] = row;
  });
  for (let prompt = 0; prompt < count; prompt += 1) yield rows.subarray(starts[prompt], starts[prompt + 1]);
}

/** Two results; the same one twice where it stands alone. */
type Pair = readonly [chosen: number, rejected: number];

class Chooser implements Choice {
  readonly partners: Int32Array;
  prompts = 0;
  private readonly perPrompt: number;
  private readonly hash = new ContentHash();
  /** The training rows so far: another group may have the same prompt and the same answers. */
  private readonly seen = new KeyNumbers();
  /** The answers of a prompt. */
  private readonly answers = new Set<number>();

  constructor(
    private readonly table: ScoreTable,
    private readonly notes: RowNotes,
    private readonly options: ChoiceOptions,
  ) {
    this.partners = new Int32Array(table.count).fill(NONE);
    this.perPrompt = options.perPrompt ?? 1;
  }

  /** @param rows  results with one prompt, in their order */
  choose(rows: Uint32Array): void {
    switch (this.options.method) {
      case 'supervised':
        return this.chooseBest(rows);
      case 'dpo':
        return this.choosePairs(rows);
      case 'reinforcement':
        return this.choosePrompt(rows);
    }
  }

  private chooseBest(rows: Uint32Array): void {
    const answers = this.distinct(this.sorted(rows, DESCENDING));
    this.leave(answers.slice(this.perPrompt), 'better_taken');
    this.take(answers.slice(0, this.perPrompt).map((row) => [row, row]));
  }

  private choosePairs(rows: Uint32Array): void {
    const answers = this.distinct(rows);
    if (answers.length === 1) return this.leave(answers, 'single_answer');
    const chosen = this.sorted(answers, DESCENDING).filter((row) => this.isGood(row));
    const rejected = this.sorted(answers, ASCENDING).filter((row) => this.isBad(row));
    const pairs = this.pairsOf(chosen, rejected);
    if (pairs.length > 0) this.leave(answers, pairs.length === this.perPrompt ? 'pairs_taken' : 'unpaired');
    else if (chosen.length === 0) this.leave(answers, 'no_chosen');
    else this.leave(answers, rejected.length === 0 ? 'no_rejected' : 'margin');
    this.take(pairs);
  }

  /** The best answer with the worst, then the next ones: no answer is in two pairs, for rewards come closer. */
  private pairsOf(chosen: readonly number[], rejected: readonly number[]): readonly Pair[] {
    const pairs: Pair[] = [];
    const most = Math.min(this.perPrompt, chosen.length, rejected.length);
    while (pairs.length < most && this.isApart(chosen[pairs.length], rejected[pairs.length]))
      pairs.push([chosen[pairs.length], rejected[pairs.length]]);
    return pairs;
  }

  private choosePrompt(rows: Uint32Array): void {
    const { keepFlat = false, minMean = -Infinity, maxMean = Infinity } = this.options;
    const { rewards } = this.table;
    const isFlat = rows.every((row) => rewards[row] === rewards[rows[0]]);
    const mean = this.meanOf(rows);
    if (rows.length === 1 && !keepFlat) this.leave(rows, 'single_sample');
    else if (isFlat && !keepFlat) this.leave(rows, 'no_spread');
    else if (mean < minMean) this.leave(rows, 'too_low');
    else if (mean > maxMean) this.leave(rows, 'too_high');
    else if (this.isFull) this.leave(rows, 'limit');
    else {
      this.partners[rows[0]] = rows[0];
      this.prompts += 1;
    }
  }

  private meanOf(rows: Uint32Array): number {
    const sum = new CompensatedSum();
    for (const row of rows) sum.add(this.table.rewards[row]);
    return sum.total / rows.length;
  }

  /** Takes the pairs of a prompt. */
  private take(pairs: readonly Pair[]): void {
    const { notes, partners, isFull } = this;
    if (isFull) return this.leave(pairs.flat(), 'limit');
    let isUsed = false;
    for (const pair of pairs) {
      const [chosen, rejected] = pair;
      if (this.isRepeated(pair)) {
        this.leave(pair, 'duplicate_row');
        continue;
      }
      notes.take(chosen);
      notes.take(rejected);
      partners[chosen] = rejected;
      partners[rejected] = chosen;
      isUsed = true;
    }
    if (isUsed) this.prompts += 1;
  }

  private get isFull(): boolean {
    return this.prompts === this.options.limit;
  }

  /** Whether there is a training row with the same prompt and the same answers. */
  private isRepeated(pair: Pair): boolean {
    const { hash, seen, notes } = this;
    if (notes.groups === 0) return false;
    const { lows, highs } = notes.promptTable;
    const prompt = notes.prompts[pair[0]];
    hash.clear().addNumber(lows[prompt]).addNumber(highs[prompt]);
    for (const row of pair) hash.addNumber(notes.answerLows[row]).addNumber(notes.answerHighs[row]);
    const before = seen.size;
    return seen.numberOfHash(hash.low, hash.high) < before;
  }

  private leave(rows: Iterable<number>, reason: Reason): void {
    for (const row of rows) this.notes.leave(row, reason);
  }

  /** The rows with an answer that none before has; the others are left out. */
  private distinct(rows: Iterable<number>): number[] {
    const { notes, answers } = this;
    const distinct: number[] = [];
    for (const row of rows) {
      const size = answers.add(notes.answerKey(row)).size;
      if (size > distinct.length) distinct.push(row);
      else notes.leave(row, 'duplicate_answer');
    }
    answers.clear();
    return distinct;
  }

  /** By reward; rows with the same one stay in their order. */
  private sorted(rows: Iterable<number>, direction: number): number[] {
    const { rewards } = this.table;
    return [...rows].sort((a, b) => direction * Math.sign(rewards[a] - rewards[b]) || a - b);
  }

  private isGood(row: number): boolean {
    const { minReward } = this.options;
    return minReward === undefined
      ? this.table.outcomes[row] !== NOT_PASSED
      : this.table.rewards[row] >= minReward;
  }

  private isBad(row: number): boolean {
    return this.options.margin !== undefined || this.table.outcomes[row] !== PASSED;
  }

  private isApart(chosen: number, rejected: number): boolean {
    const { rewards } = this.table;
    const difference = rewards[chosen] - rewards[rejected];
    return difference > 0 && difference >= (this.options.margin ?? 0);
  }
}

const ASCENDING = 1;
const DESCENDING = -1;
