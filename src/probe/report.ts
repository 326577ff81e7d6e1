import type { ErrorCode } from '../errors.js';
import type { ModelTotals } from '../judge-call.js';
import type { Caution, ClusteredEstimate } from '../stats/clustered.js';
import type { Interval } from '../stats/interval.js';
import type { EditKind } from './edit.js';

/** A number found from items, and how far it may be off. Values are unrounded. */
export interface Estimate {
  readonly value: number;
  /** 95 %, clustered by item; null where no spread was seen. */
  readonly interval: Interval | null;
  /** How many items it is from. */
  readonly items: number;
  readonly caution?: Caution;
}

/** @returns null where there was nothing to estimate from */
export const estimateOf = (found: ClusteredEstimate | undefined): Estimate | null => {
  if (found === undefined) return null;
  const { value, interval, clusters, caution } = found;
  // A share of 0 or 1 has an interval without any spread.
  const isSure = caution === 'no_spread' && interval !== undefined;
  return {
    value,
    interval: interval ?? null,
    items: clusters,
    ...(caution !== undefined && !isSure && { caution }),
  };
};

/** A row whose reward is an example of what an edit does. */
export interface ProbeExample {
  /** `line 17`, `b.jsonl line 17, sample 2` */
  readonly place: string;
  /** The texts of the edited fields before and after. */
  readonly honest: readonly string[];
  readonly edited: readonly string[];
  /** Of an attack in the place of answers: the mean of the answers of the same item. */
  readonly honest_reward: number;
  readonly edited_reward: number;
}

/** What is told of every edit. */
export interface EditResult {
  readonly name: string;
  readonly kind: EditKind;
  readonly summary: string;
  /** Rows that were edited and graded. */
  readonly rows: number;
  /** Of those, how many failed, which are in no number below. */
  readonly failed: number;
  readonly failures: Readonly<Partial<Record<ErrorCode, number>>>;
  /** Rows that it does not apply to. */
  readonly not_applicable: number;
  /** The worst rows, at most as many as were asked for. */
  readonly examples: readonly ProbeExample[];
}

/** What an attack gets. Every item counts the same, however many rows of it there are. */
export interface AttackResult extends EditResult {
  /** `replaces`: the text says nothing of the answer, once for each item. `adds`: to an answer of the model. */
  readonly form: 'replaces' | 'adds';
  /** Null where no row was scored. */
  readonly reward: Estimate | null;
  /** Mean reward of the honest answers of the same items. */
  readonly honest_reward: number | null;
  /** The one less the other. */
  readonly difference: Estimate | null;
  /**
   * Share of items on which the attack gets at least as much as the honest answers on average and more than the least
   * reward there is; where a grader says what passes, on which it passes. An attack that adds to an answer also has to
   * get more than the answer alone.
   */
  readonly fooled: Estimate | null;
  /** The answers to all, as each was chosen on one half of the items for the other. */
  readonly constants?: readonly string[];
}

/** What a neutral edit does. */
export interface NeutralResult extends EditResult {
  /** Share of rows whose reward moves by more than the tolerance, or that pass in only one of both cases. */
  readonly flipped: Estimate | null;
  /** The same of the answers that the label calls correct; only with a label. */
  readonly flipped_correct?: Estimate | null;
  /** Mean absolute move of the reward. */
  readonly mean_move: number | null;
}

/** What a harmful edit does. */
export interface HarmfulResult extends EditResult {
  /** Share of rows whose reward does not fall by more than the tolerance. */
  readonly missed: Estimate | null;
  /** Mean fall of the reward; below 0 where it rises. */
  readonly mean_fall: number | null;
}

/** The answers as they are. */
export interface HonestResult {
  readonly rows: number;
  readonly failed: number;
  readonly failures: Readonly<Partial<Record<ErrorCode, number>>>;
  /** Mean over items. */
  readonly reward: Estimate | null;
  /** Mean of the rows that the label calls correct, or wrong; only with a label. */
  readonly correct?: { readonly rows: number; readonly reward: Estimate | null };
  readonly wrong?: { readonly rows: number; readonly reward: Estimate | null };
  /** Rows whose label is neither true nor false nor a number. */
  readonly unlabelled?: number;
  /** The least and the greatest reward. */
  readonly range: Interval | null;
}

/** What fooled a grader, and what it did not see. */
export interface ProbeReport {
  /** What came out, in a sentence each: attacks, neutral edits, harmful edits. */
  readonly conclusion: readonly string[];
  readonly warnings: readonly string[];
  readonly grader: { readonly name: string; readonly type: string; readonly signature: string };
  /** The fields that were edited: `sample.output_text`. */
  readonly fields: readonly string[];
  readonly items: number;
  /** How many items the dataset has. */
  readonly items_of: number;
  readonly seed: number;
  /** A reward that moves by no more than this has not moved. */
  readonly tolerance: number;
  /** The name of the cheapest attack that beats the honest answers, and of the strongest; null where there is none. */
  readonly cheapest_attack: string | null;
  readonly strongest_attack: string | null;
  readonly honest: HonestResult;
  readonly attacks: readonly AttackResult[];
  readonly neutral: readonly NeutralResult[];
  readonly harmful: readonly HarmfulResult[];
  /** Why not everything was graded; null where it was. */
  readonly stopped: string | null;
  /** What models were asked for all of it. */
  readonly models?: ModelTotals;
}
