import type { JsonObject } from '../contract.js';
import type { MethodName } from '../methods/hyperparameters.js';
import { jsonSpan } from '../span.js';
import { elementsOf } from './json-text.js';
import type { RowParts } from './row-parts.js';

/** What the prompts of training rows are made with. */
export interface PromptOptions {
  readonly method: MethodName;
  /** A message of the system to put in front. */
  readonly system?: string;
}

/** What an answer answers, in JSON. */
export interface PromptText {
  /** The messages, without the brackets around them. */
  readonly messages: string;
  /** The members with the tools, behind a comma; empty without any. */
  readonly tools: string;
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
export const supervisedLine = (prompt: PromptText, answer: string): string =>
  `{"messages":[${prompt.messages},${answer}]${prompt.tools}}`;

/** A row of `{input, preferred_output, non_preferred_output}`. */
export const preferenceLine = (prompt: PromptText, chosen: string, rejected: string): string =>
  `{"input":{"messages":[${prompt.messages}]${prompt.tools}},"preferred_output":[${chosen}],"non_preferred_output":[${rejected}]}`;

/** A row of `{messages, …}`, with the members of the item as they are. */
export const promptLine = (prompt: PromptText, members: string): string =>
  members === '' ? `{"messages":[${prompt.messages}]}` : `{"messages":[${prompt.messages}],${members}}`;

/** Writes the prompts of training rows. */
export class PromptWriter {
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
  prompt(parts: RowParts, field: number, hasSystem: boolean): PromptText {
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
export const systemRole = (method: MethodName): string =>
  method === 'reinforcement' ? 'developer' : 'system';

/** Whether a message is of the system. */
export const isOfSystem = ({ role }: JsonObject): boolean => role === 'system';

/** JSON text of a message, with the role instead of that of the system. */
const withRole = (message: string, role: string): string => {
  const span = jsonSpan(message, ['role']);
  const isRenamed = span !== undefined && isOfSystem(JSON.parse(message) as JsonObject);
  return isRenamed
    ? `${message.slice(0, span.start)}${JSON.stringify(role)}${message.slice(span.end)}`
    : message;
};
