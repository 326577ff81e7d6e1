import { isAscii } from 'node:buffer';
import type { Choice } from './choice.js';
import type { PairSide, PairTally } from './pair-tally.js';
import type { RowNotes } from './row-notes.js';
import type { RowParts } from './row-parts.js';
import type { ScoreTable } from './score-table.js';
import {
  answerMessage,
  PromptWriter,
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
  /** Receives what the answers of pairs are like. */
  readonly pairs: PairTally;
}

/** Makes the lines of a training file, of chosen rows in their order. */
export class TrainingLines {
  private readonly prompts: PromptWriter;
  /** The answers of open pairs, by the result whose row is still to come. */
  private readonly open = new Map<number, Answer>();

  constructor(private readonly chosen: TrainingLinesOptions) {
    this.prompts = new PromptWriter(chosen.options);
  }

  /** The line that is complete with the row of a result; undefined for the first one of a pair. */
  of(result: number, parts: RowParts): string | undefined {
    const { options, choice } = this.chosen;
    if (options.method === 'dpo') return this.pair(result, choice.partners[result], parts);
    const prompt = this.promptOf(result, parts);
    if (options.method === 'supervised') return supervisedLine(prompt, answerMessage(parts) ?? '');
    return promptLine(prompt, parts.itemMembers());
  }

  /** A pair stands where its second answer does, so that one answer at most is kept of it. */
  private pair(result: number, partner: number, parts: RowParts): string | undefined {
    const { table, notes, pairs } = this.chosen;
    const answer: Answer = {
      message: answerMessage(parts) ?? '',
      reward: table.rewards[result],
      characters: charactersOf(parts),
    };
    const other = this.open.get(result);
    if (other === undefined) {
      this.open.set(partner, answer);
      return undefined;
    }
    this.open.delete(result);
    const [chosen, rejected] = answer.reward > other.reward ? [answer, other] : [other, answer];
    pairs.add(notes.prompts[result], chosen, rejected);
    return preferenceLine(this.promptOf(result, parts), chosen.message, rejected.message);
  }

  private promptOf(result: number, parts: RowParts) {
    const { notes } = this.chosen;
    const hasSystem = notes.promptTable.hasSystem(notes.prompts[result]);
    return this.prompts.prompt(parts, notes.fields[result], hasSystem);
  }
}

interface Answer extends PairSide {
  readonly message: string;
}

/** Characters of the text; tool calls have none. */
const charactersOf = (parts: RowParts): number => {
  const range = parts.answerBytes();
  if (range === undefined) return 0;
  const text = Buffer.from(range.view.buffer, range.start, range.end - range.start);
  return isAscii(text) ? text.length : text.toString().length;
};
