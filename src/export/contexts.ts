import type { JsonObject } from '../contract.js';
import { ROW_RULES, type RowRule } from '../methods/rules.js';
import { createRowCheck } from '../methods/training-row.js';
import { ContentHash } from './content-hash.js';
import { LastBytes } from './last-bytes.js';
import type { RowParts } from './row-parts.js';
import { answerMessage, isOfSystem, systemRole, type PromptOptions } from './training-line.js';

/** What is to be known of a prompt with its tools, whatever the answer is. */
export interface Context {
  /** Why rows with it cannot be training rows. */
  readonly problem: RowRule | 'prompt_answered' | undefined;
  /** A hash of the messages alone. */
  readonly split: number;
  /** A hash of messages and tools, in two halves. */
  readonly low: number;
  readonly high: number;
  readonly hasImages: boolean;
  /** Whether it has messages of the system that the method calls otherwise. */
  readonly hasSystem: boolean;
  /** Whether it has messages of the assistant that are learnt, too. */
  readonly isLearnt: boolean;
}

const ANSWER: JsonObject = { role: 'assistant', content: 'An answer.' };
const OTHER: JsonObject = { role: 'assistant', content: 'Another answer.' };

/** Looks at the prompts of rows, and checks them by the rules that `assay validate --method` holds training files to. */
export class Contexts {
  private readonly prompt = new LastBytes();
  private tools: string | undefined;
  private parallel: string | undefined;
  /** Of the last row: rows with one prompt follow each other. */
  private last: Context | undefined;
  private problem: RowRule | undefined;
  private readonly check;
  private readonly hash = new ContentHash();
  private readonly systemRole: string;

  constructor(private readonly options: PromptOptions) {
    this.systemRole = systemRole(options.method);
    this.check = createRowCheck(options.method, (rule) => {
      if (ROW_RULES[rule][0] === 'error') this.problem ??= rule;
    });
  }

  /** @param field  where the prompt of the row is */
  of(parts: RowParts, field: number): Context {
    const tools = parts.toolsJson();
    const parallel = parts.parallelJson();
    const isAgain = this.prompt.isAgain(parts.promptBytes(field));
    if (isAgain && this.last !== undefined && tools === this.tools && parallel === this.parallel)
      return this.last;
    this.tools = tools;
    this.parallel = parallel;
    this.last = this.look(parts, field);
    return this.last;
  }

  /** The rule that a row breaks with the tool calls of its answer. */
  problemOfCalls(parts: RowParts, field: number): RowRule | undefined {
    const answer = answerMessage(parts);
    return answer === undefined
      ? undefined
      : this.problemOf(parts.messages(field), JSON.parse(answer) as JsonObject);
  }

  private look(parts: RowParts, field: number): Context {
    const { hash, prompt, tools, parallel } = this;
    const split = hash.clear().add(prompt.range).low;
    for (const json of [tools, parallel])
      if (json === undefined) hash.addNumber(0);
      else hash.addText(json);
    const { low, high } = hash;
    // A text is one message of the user, which every method takes.
    if (parts.isText(field) && tools === undefined && parallel === undefined)
      return { split, low, high, problem: undefined, hasImages: false, hasSystem: false, isLearnt: false };
    const messages = parts.messages(field);
    const problem = this.problemOf(messages, ANSWER);
    return {
      split,
      low,
      high,
      problem: messages.at(-1)?.role === 'assistant' ? 'prompt_answered' : problem,
      hasImages: this.check.images > 0,
      hasSystem: this.systemRole !== 'system' && messages.some(isOfSystem),
      isLearnt: this.options.method === 'supervised' && messages.some(isLearnt),
    };
  }

  private problemOf(given: readonly JsonObject[], answer: JsonObject): RowRule | undefined {
    const role = this.systemRole;
    const messages =
      role === 'system'
        ? given
        : given.map((message) => (isOfSystem(message) ? { ...message, role } : message));
    this.problem = undefined;
    this.check.check(this.row(messages, answer));
    return this.problem;
  }

  private row(messages: readonly JsonObject[], answer: JsonObject): JsonObject {
    const tools = valueIn(this.tools);
    const parallel = valueIn(this.parallel);
    const { method } = this.options;
    if (method === 'supervised')
      return { messages: [...messages, answer], tools, parallel_tool_calls: parallel };
    if (method === 'reinforcement') return { messages, tools };
    return {
      input: { messages, tools, parallel_tool_calls: parallel },
      preferred_output: [answer],
      non_preferred_output: [OTHER],
    };
  }
}

const valueIn = (json: string | undefined): unknown =>
  json === undefined ? undefined : (JSON.parse(json) as unknown);

const isLearnt = ({ role, weight }: JsonObject): boolean => role === 'assistant' && weight !== 0;
