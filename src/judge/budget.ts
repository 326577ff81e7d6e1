import type { JudgeCall, JudgePart, JudgeUsage } from '../judge-call.js';
import type { Price } from './endpoints.js';

/** What a run may use; what is not given has no limit. */
export interface BudgetLimits {
  readonly maxCalls?: number;
  /** Prompt tokens and tokens of replies together. */
  readonly maxTokens?: number;
  /** In the currency of the prices. */
  readonly maxCost?: number;
}

/** What a call may use at most, as far as that is known before. */
export interface Need {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly price: Price | undefined;
}

interface Amounts {
  calls: number;
  tokens: number;
  cost: number;
}

/** Holds what a call may use until it is known what it has used. */
export type Reservation = Readonly<Amounts>;

/** Counts calls, tokens and money against their limits. Calls under way count with what they may use at most. */
export class Budget {
  private readonly spent: Amounts = { calls: 0, tokens: 0, cost: 0 };
  private readonly held: Amounts = { calls: 0, tokens: 0, cost: 0 };
  private openCount = 0;

  constructor(private readonly limits: BudgetLimits = {}) {}

  /**
   * Takes hold of what a call may use.
   *
   * @returns `wait` when there may be room once calls under way have landed; `used up` when there will be none
   */
  reserve(need: Need): Reservation | 'wait' | 'used up' {
    const wanted: Reservation = {
      calls: 1,
      tokens: need.promptTokens + need.completionTokens,
      cost: costOf(need.promptTokens, need.completionTokens, 0, need.price),
    };
    if (!this.fits(wanted)) return this.openCount > 0 && this.mayFit(wanted) ? 'wait' : 'used up';
    this.add(this.held, wanted, 1);
    this.openCount += 1;
    return wanted;
  }

  /**
   * Gives a reservation back for what was used.
   *
   * @param usage  undefined when the endpoint did not say: then all that was held counts
   */
  settle(reservation: Reservation, usage: JudgeUsage | undefined, price: Price | undefined): void {
    this.release(reservation);
    this.add(this.spent, usage === undefined ? reservation : usedBy(usage, price), 1);
  }

  /** Gives a reservation back for a call that the endpoint turned down: a call, but no tokens. */
  settleUnanswered(reservation: Reservation): void {
    this.release(reservation);
    this.spent.calls += 1;
  }

  /** `10 000 tokens`: the limits, for messages. */
  describe(): string {
    const { maxCalls, maxTokens, maxCost } = this.limits;
    const parts = [
      maxCalls === undefined ? [] : [`${maxCalls} calls`],
      maxTokens === undefined ? [] : [`${maxTokens} tokens`],
      maxCost === undefined ? [] : [`a cost of ${maxCost}`],
    ];
    return parts.flat().join(', ');
  }

  private fits(wanted: Reservation): boolean {
    return LIMITED.every(([limit, what]) => {
      const most = this.limits[limit];
      return most === undefined || this.spent[what] + this.held[what] + wanted[what] <= most;
    });
  }

  /** Whether it would fit if calls under way used nothing. A call under way is a call whatever it uses. */
  private mayFit(wanted: Reservation): boolean {
    return LIMITED.every(([limit, what]) => {
      const most = this.limits[limit];
      const held = what === 'calls' ? this.held.calls : 0;
      return most === undefined || this.spent[what] + held + wanted[what] <= most;
    });
  }

  private release(reservation: Reservation): void {
    this.openCount -= 1;
    this.add(this.held, reservation, -1);
  }

  private add(to: Amounts, amounts: Reservation, sign: 1 | -1): void {
    for (const [, what] of LIMITED) to[what] += sign * amounts[what];
  }
}

const LIMITED = [
  ['maxCalls', 'calls'],
  ['maxTokens', 'tokens'],
  ['maxCost', 'cost'],
] as const;

const usedBy = (usage: JudgeUsage, price: Price | undefined): Reservation => {
  const { prompt_tokens, completion_tokens, total_tokens, cached_tokens = 0 } = usage;
  const cost = costOf(prompt_tokens, completion_tokens, cached_tokens, price);
  return { calls: 1, tokens: Math.max(total_tokens, prompt_tokens + completion_tokens), cost };
};

/** Money for the tokens of a call, of whose prompt tokens `cached` ones had been kept; 0 where there is no price. */
export const costOf = (
  promptTokens: number,
  completionTokens: number,
  cachedTokens: number,
  price: Price | undefined,
): number => {
  if (price === undefined) return 0;
  const cached = Math.min(cachedTokens, promptTokens);
  const fresh = promptTokens - cached;
  const { input, output, cached: cachedPrice = input } = price;
  return (fresh * input + cached * cachedPrice + completionTokens * output) / 1e6;
};

const CHARACTERS_PER_TOKEN = 3;
/** What a large image takes at OpenAI, roughly. */
const IMAGE_TOKENS = 1000;
/** Base64 of MP3: about ten tokens a second. */
const AUDIO_CHARACTERS_PER_TOKEN = 2000;
/** For a reply whose length nobody limits: some steps and a result. */
const REPLY_TOKENS = 1024;

/** What a call may use: its prompt by the number of its characters, rather too much than too little. */
export const needOf = ({ messages, sampling, form }: JudgeCall, price: Price | undefined): Need => {
  const parts = messages.flatMap(({ content }) =>
    typeof content === 'string' ? [textTokens(content)] : content.map(partTokens),
  );
  const promptTokens = parts.reduce((sum, tokens) => sum + tokens, formTokens(form.schema));
  return { promptTokens, completionTokens: sampling.max_completion_tokens ?? REPLY_TOKENS, price };
};

/** About as many tokens as a text has. */
export const textTokens = (text: string): number => Math.ceil(text.length / CHARACTERS_PER_TOKEN);

const partTokens = (part: JudgePart): number => {
  if (part.type === 'text') return textTokens(part.text);
  return part.type === 'image' ? IMAGE_TOKENS : Math.ceil(part.data.length / AUDIO_CHARACTERS_PER_TOKEN);
};

const KNOWN_FORMS = new WeakMap<object, number>();

/** A run has few schemas and many calls. */
const formTokens = (schema: object): number => {
  const known = KNOWN_FORMS.get(schema);
  if (known !== undefined) return known;
  const tokens = textTokens(JSON.stringify(schema));
  KNOWN_FORMS.set(schema, tokens);
  return tokens;
};

/** What calls will take, before any is made. */
export interface Estimate {
  readonly calls: number;
  readonly prompt_tokens: number;
  /** At most, or a guess where the grader sets no limit. */
  readonly completion_tokens: number;
  /** Undefined when a model has no price. */
  readonly cost: number | undefined;
}

/** Adds up what calls may use. */
export const estimateOf = (needs: Iterable<Need>): Estimate => {
  let [calls, prompt, completion, cost] = [0, 0, 0, 0];
  let isPriced = true;
  for (const { promptTokens, completionTokens, price } of needs) {
    calls += 1;
    prompt += promptTokens;
    completion += completionTokens;
    isPriced &&= price !== undefined;
    cost += costOf(promptTokens, completionTokens, 0, price);
  }
  return { calls, prompt_tokens: prompt, completion_tokens: completion, cost: isPriced ? cost : undefined };
};
