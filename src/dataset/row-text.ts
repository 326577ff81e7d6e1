import type { JsonObject, Row } from '../contract.js';
import { isObject, valueAt } from '../json-value.js';
import type { PathSegment } from '../errors.js';

/** The text that is graded; undefined where a row has no sample, or one without text. */
export const candidateOf = ({ sample }: Row): string | undefined =>
  typeof sample?.output_text === 'string' ? sample.output_text : undefined;

/** What a model was asked to bring a sample forth. */
export interface Prompt {
  /** The field of the item that it was found in. */
  readonly field: string;
  /** As chat messages; a prompt that is a text is one message of the user. */
  readonly messages: readonly JsonObject[];
  /** The text of the last message of the user; empty without any. */
  readonly text: string;
}

/** Where prompts are looked for in an item, the first that is there. */
export const PROMPT_FIELDS = [
  'messages',
  'prompt',
  'question',
  'input',
  'instruction',
  'problem',
  'query',
  'task',
] as const;

/**
 * The prompt of a row: chat messages, or a text.
 *
 * @param path  where it is, in the item unless it starts with `sample`; absent: the first of `messages`, `prompt`,
 *   `question`, `input`, `instruction`, `problem`, `query`, `task` that is a text or a list of messages
 * @returns undefined where there is none
 */
export const promptOf = (row: Row, path?: readonly PathSegment[]): Prompt | undefined => {
  if (path !== undefined) return promptIn(path.join('.'), valueOf(row, path));
  for (const field of PROMPT_FIELDS) {
    const prompt = promptIn(field, valueAt(row.item, [field]));
    if (prompt !== undefined) return prompt;
  }
  return undefined;
};

const promptIn = (field: string, value: unknown): Prompt | undefined => {
  if (typeof value === 'string') return { field, messages: [{ role: 'user', content: value }], text: value };
  const messages = messagesIn(value);
  if (messages === undefined) return undefined;
  const last = messages.findLast(({ role }) => role === 'user');
  return { field, messages, text: last === undefined ? '' : textOfContent(last.content) };
};

/** A list of chat messages: objects with a role, at least one; undefined for any other value. */
export const messagesIn = (value: unknown): readonly JsonObject[] | undefined =>
  Array.isArray(value) && value.length > 0 && value.every(isMessage) ? value : undefined;

const isMessage = (value: unknown): value is JsonObject => isObject(value) && typeof value.role === 'string';

/** The text of a message's content: a text, or the text parts of a list, joined. */
export const textOfContent = (content: unknown): string => {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => (isObject(part) && typeof part.text === 'string' ? part.text : ''))
    .join('');
};

/**
 * The value at a path of a row; `item.x` and `sample.x` name what they say, any other path is one of the item's.
 *
 * @returns undefined where there is none
 */
export const valueOf = (row: Row, [first, ...rest]: readonly PathSegment[]): unknown =>
  first === 'item' || first === 'sample' ? valueAt(row[first], rest) : valueAt(row.item, [first, ...rest]);

/**
 * A label as a number: true and false as 1 and 0, also as texts; numbers, also as texts.
 *
 * @returns undefined for anything else, and for what is not finite
 */
export const labelNumber = (value: unknown): number | undefined => {
  if (value === true || value === 'true') return 1;
  if (value === false || value === 'false') return 0;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
};
