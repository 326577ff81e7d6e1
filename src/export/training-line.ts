import type { JsonObject } from '../contract.js';
import type { MethodName } from '../methods/hyperparameters.js';
import { ROW_RULES, type RowRule } from '../methods/rules.js';
import { createRowCheck } from '../methods/training-row.js';
import { jsonSpan } from '../span.js';
import { elementsOf } from './json-text.js';
import type { RowParts } from './row-parts.js';

/** What the prompts of training rows are made with. */
export interface PromptOptions {
  readonly method: MethodName;
  /** A message of the system to put in front. */
  readonly system?: string;
}

/** An answer as the message of an assistant, in JSON; undefined where the sample has neither a text nor tool calls. */
export const answerMessage = (parts: RowParts): string | undefined => {
  const text = parts.answerJson();
  const calls = parts.callsJson();
  if (calls === undefined) return text === undefined ? undefined : `{"role":"assistant","content":${text}}`;
  const content = text === undefined || text === '""' ? 'null' : text;
  return `{"role":"assistant","content":${content},"tool_calls":${calls}}`;
};

/** A row of `{messages, tools?, parallel_tool_calls?}`. */
export const supervisedLine = (context: Context, answer: string): string =>
  `{"messages":[${context.messages},${answer}]${context.tools}}`;

/** A row of `{input, preferred_output, non_preferred_output}`. */
export const preferenceLine = (context: Context, chosen: string, rejected: string): string =>
  `{"input":{"messages":[${context.messages}]${context.tools}},"preferred_output":[${chosen}],"non_preferred_output":[${rejected}]}`;

/** A row of `{messages, …}`, with the members of the item as they are. */
export const promptLine = (context: Context, members: string): string =>
  members === '' ? `{"messages":[${context.messages}]}` : `{"messages":[${context.messages}],${members}}`;

/** What an answer answers, in JSON. */
export interface Context {
  /** The messages, without the brackets around them. */
  readonly messages: string;
  /** The members with the tools, behind a comma; empty without any. */
  readonly tools: string;
}

/** Writes the prompts of training rows. */
export class ContextWriter {
  private readonly front: string;
  private readonly systemRole: string;

  constructor({ method, system }: PromptOptions) {
    this.systemRole = systemRole(method);
    this.front = system === undefined ? '' : `${JSON.stringify({ role: this.systemRole, content: system })},`;
  }

  /**
   * @param field  where the prompt was found
   * @param hasSystem  whether a message of the system has to be renamed
   */
  context(parts: RowParts, field: number, hasSystem: boolean): Context {
    const tools = parts.toolsJson();
    const parallel = parts.parallelJson();
    return {
      messages: this.front + this.messages(parts.promptJson(field), hasSystem),
      tools:
        (tools === undefined ? '' : `,"tools":${tools}`) +
        (parallel === undefined ? '' : `,"parallel_tool_calls":${parallel}`),
    };
  }

  private messages(prompt: string, hasSystem: boolean): string {
    if (prompt.startsWith('"')) return `{"role":"user","content":${prompt}}`;
    if (!hasSystem) return prompt.slice(1, -1).trim();
    return elementsOf(prompt)
      .map((message) => withRole(message, this.systemRole))
      .join(',');
  }
}

/** Reinforcement fine-tuning has no messages of the system: those of the developer are the same by a newer name. */
const systemRole = (method: MethodName): string => (method === 'reinforcement' ? 'developer' : 'system');

const isLearnt = ({ role, weight }: JsonObject): boolean => role === 'assistant' && weight !== 0;

const isOfSystem = ({ role }: JsonObject): boolean => role === 'system';

/** JSON text of a message, with the role instead of that of the system. */
const withRole = (message: string, role: string): string => {
  const span = jsonSpan(message, ['role']);
  const isRenamed = span !== undefined && isOfSystem(JSON.parse(message) as JsonObject);
  return isRenamed
    ? `${message.slice(0, span.start)}${JSON.stringify(role)}${message.slice(span.end)}`
    : message;
};

/** What was found out about a prompt and its tools. */
export interface ContextVerdict {
  /** The rule that every row with it breaks. */
  readonly problem: RowRule | 'prompt_answered' | undefined;
  readonly hasImages: boolean;
  /** Whether it has messages of the system that the method calls otherwise. */
  readonly hasSystem: boolean;
  /** Whether it has messages of the assistant that are learnt, too. */
  readonly isLearnt: boolean;
}

const FINE: ContextVerdict = { problem: undefined, hasImages: false, hasSystem: false, isLearnt: false };
const ANSWER: JsonObject = { role: 'assistant', content: 'An answer.' };
const OTHER: JsonObject = { role: 'assistant', content: 'Another answer.' };

/** Checks rows before they are written, by the rules of training files that `assay validate --method` holds them to. */
export class LineCheck {
  private problem: RowRule | undefined;
  private readonly check;
  private readonly systemRole: string;
  private last: { readonly key: readonly unknown[]; readonly verdict: ContextVerdict } | undefined;

  constructor(private readonly options: PromptOptions) {
    this.systemRole = systemRole(options.method);
    this.check = createRowCheck(options.method, (rule) => {
      if (ROW_RULES[rule][0] === 'error') this.problem ??= rule;
    });
  }

  /** What there is to say of a prompt, whatever the answer is. */
  context(parts: RowParts, field: number): ContextVerdict {
    const prompt = parts.promptJson(field);
    const tools = parts.toolsJson();
    const parallel = parts.parallelJson();
    if (prompt.startsWith('"') && tools === undefined && parallel === undefined) return FINE;
    const key = [prompt, tools, parallel];
    if (this.last === undefined || key.some((text, index) => text !== this.last?.key[index]))
      this.last = { key, verdict: this.contextVerdict(prompt, tools, parallel) };
    return this.last.verdict;
  }

  /** The rule that a row breaks for the tool calls of its answer. */
  calls(parts: RowParts, field: number): RowRule | undefined {
    const answer = answerMessage(parts);
    if (answer === undefined || parts.callsJson() === undefined) return undefined;
    const tools = toolsOf(parts.toolsJson(), parts.parallelJson());
    return this.run(messagesOf(parts.promptJson(field)), tools, JSON.parse(answer) as JsonObject);
  }

  private contextVerdict(
    prompt: string,
    tools: string | undefined,
    parallel: string | undefined,
  ): ContextVerdict {
    const given = messagesOf(prompt);
    const problem = this.run(given, toolsOf(tools, parallel), ANSWER);
    return {
      problem: given.at(-1)?.role === 'assistant' ? 'prompt_answered' : problem,
      hasImages: this.check.images > 0,
      hasSystem: this.systemRole !== 'system' && given.some(isOfSystem),
      isLearnt: this.options.method === 'supervised' && given.some(isLearnt),
    };
  }

  private run(given: readonly JsonObject[], tools: JsonObject, answer: JsonObject): RowRule | undefined {
    const role = this.systemRole;
    const messages = given.map((message) => (isOfSystem(message) ? { ...message, role } : message));
    this.problem = undefined;
    this.check.check(this.row(messages, tools, answer));
    return this.problem;
  }

  private row(messages: readonly JsonObject[], tools: JsonObject, answer: JsonObject): JsonObject {
    switch (this.options.method) {
      case 'supervised':
        return { messages: [...messages, answer], ...tools };
      case 'dpo':
        return { input: { messages, ...tools }, preferred_output: [answer], non_preferred_output: [OTHER] };
      case 'reinforcement':
        return { messages, ...tools };
    }
  }
}

const messagesOf = (prompt: string): readonly JsonObject[] => {
  const value = JSON.parse(prompt) as string | readonly JsonObject[];
  return typeof value === 'string' ? [{ role: 'user', content: value }] : value;
};

const toolsOf = (tools: string | undefined, parallel: string | undefined): JsonObject => ({
  ...(tools !== undefined && { tools: JSON.parse(tools) as unknown }),
  ...(parallel !== undefined && { parallel_tool_calls: JSON.parse(parallel) as unknown }),
});
