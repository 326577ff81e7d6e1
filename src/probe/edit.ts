import type { EditScope } from './row-edit.js';

/** What an edit is for: to win a reward, to change nothing that matters, or to make an answer worse. */
export type EditKind = 'attack' | 'neutral' | 'harmful';

/** What an attacker knows beside the text. Which reference is that of the item it does not know. */
export interface EditContext {
  /** What the model was asked; undefined where a row has no prompt. */
  readonly prompt?: string;
  /** The reference answer of the item with the most similar prompt that has another one. */
  readonly neighbour?: string;
  /** The short references of the whole dataset, each once, the most frequent first. */
  readonly references: readonly string[];
  /** The labels that a label_model chooses from, or the references where the whole set has only a few. */
  readonly labels: readonly string[];
  /** The verdict that wins most, as a judge would write it: `10`, `"good"`. */
  readonly verdict: string;
  /** The one answer that did best on the other half of the items. */
  readonly constant?: string;
}

/** One thing that is done to texts: an entry in a table, from which reports, help and tests follow. */
export interface Edit {
  /** As flags and reports have it. */
  readonly name: string;
  readonly kind: EditKind;
  /** What becomes of the text, in one line. */
  readonly summary: string;
  /**
   * What the text is put in the place of says nothing about it: the same for all samples of an item. Only attacks; any
   * other attack adds to an answer.
   */
  readonly replaces?: true;
  /** It uses {@link EditContext.constant}, which takes many gradings to find. */
  readonly triesConstants?: true;
  /** What it is given where a field is JSON; default `leaves`. */
  readonly scope?: EditScope;
  /**
   * The edited text. Never throws, whatever the text.
   *
   * @returns undefined where it does not apply to the text
   */
  apply(text: string, context: EditContext): string | undefined;
}
