import { clusteredMean, clustersOf, type ClusteredEstimate } from '../stats/clustered.js';
import type { Choice } from './choice.js';
import type { RowNotes } from './row-notes.js';
import type { RowParts } from './row-parts.js';
import type { ScoreTable } from './score-table.js';
import {
  answerMessage,
  ContextWriter,
  preferenceLine,
  promptLine,
  supervisedLine,
  type PromptOptions,
} from './training-line.js';

/** What lines are made with. */
export interface TrainingLinesOptions {
  readonly options: PromptOptions;
  readonly table: ScoreTable;
  readonly notes: RowNotes;
  readonly choice: Choice;
  /** Receives the lengths of the answers of pairs. */
  readonly lengths: PairLengths;
}

/** Makes the lines of a training file, of chosen rows in their order. */
export class TrainingLines {
  private readonly contexts: ContextWriter;
  /** The answers of open pairs, by the result whose row is still to come. */
  private readonly open = new Map<number, Answer>();

  constructor(private readonly chosen: TrainingLinesOptions) {
    this.contexts = new ContextWriter(chosen.options);
  }

  /** The line that is complete with the row of a result; undefined for the first one of a pair. */
  of(result: number, parts: RowParts): string | undefined {
    const { options, choice } = this.chosen;
    if (options.method === 'dpo') return this.pair(result, choice.partners[result], parts);
    const context = this.contextOf(result, parts);
    if (options.method === 'supervised') return supervisedLine(context, answerMessage(parts) ?? '');
    return promptLine(context, parts.itemMembers());
  }

  /** A pair stands where its second answer does, so that one answer at most is kept of it. */
  private pair(result: number, partner: number, parts: RowParts): string | undefined {
    const answer = { message: answerMessage(parts) ?? '', length: lengthOf(parts) };
    const other = this.open.get(result);
    if (other === undefined) {
      this.open.set(partner, answer);
      return undefined;
    }
    this.open.delete(result);
    const { table, notes, lengths } = this.chosen;
    const isChosen = table.rewards[result] > table.rewards[partner];
    const [chosen, rejected] = isChosen ? [answer, other] : [other, answer];
    lengths.add(notes.prompts[result], chosen.length, rejected.length);
    return preferenceLine(this.contextOf(result, parts), chosen.message, rejected.message);
  }

  private contextOf(result: number, parts: RowParts) {
    const { notes } = this.chosen;
    const hasSystem = notes.promptTable.hasSystem(notes.prompts[result]);
    return this.contexts.context(parts, notes.fields[result], hasSystem);
  }
}

interface Answer {
  readonly message: string;
  readonly length: number;
}

/** Characters of the text; tool calls have none. */
const lengthOf = (parts: RowParts): number => (JSON.parse(parts.answerJson() ?? '""') as string).length;

/** How long the answers of pairs are: trained on pairs, models learn length first. */
export class PairLengths {
  private readonly differences: number[] = [];
  private readonly prompts: number[] = [];
  private chosen = 0;
  private rejected = 0;

  add(prompt: number, chosen: number, rejected: number): void {
    this.prompts.push(prompt);
    this.differences.push(chosen - rejected);
    this.chosen += chosen;
    this.rejected += rejected;
  }

  /** Means in characters, and how much longer chosen answers are; undefined without pairs. */
  summary(): LengthSummary | undefined {
    const { length } = this.differences;
    const clusters = clustersOf(length, Int32Array.from(this.prompts));
    const difference = clusteredMean(Float64Array.from(this.differences), clusters);
    return difference && { chosen: this.chosen / length, rejected: this.rejected / length, difference };
  }
}

/** How long chosen and rejected answers are, in characters. */
export interface LengthSummary {
  readonly chosen: number;
  readonly rejected: number;
  readonly difference: ClusteredEstimate;
}
