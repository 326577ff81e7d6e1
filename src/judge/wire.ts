import type { JudgeCall, JudgeReply } from '../judge-call.js';
import { isOpenAi, type Endpoint } from './endpoints.js';
import * as chat from './wire-chat.js';
import * as responses from './wire-responses.js';
import type { Dialect, FormMode } from './wire-fields.js';

/** What every endpoint is thought to understand at first. */
export const FULL_DIALECT: Dialect = { form: 'json_schema', limit: 'max_completion_tokens' };

/** The two APIs that models are asked by. */
export type WireApi = 'chat' | 'responses';

/** The path of each API behind the base URL. */
export const SERVICE: Readonly<Record<WireApi, string>> = {
  chat: 'chat/completions',
  responses: 'responses',
};

/** Which API carries a call. Responses has no seed and takes no audio, so `auto` leaves such calls to Chat Completions. */
export const apiFor = ({ api }: Endpoint, call: JudgeCall): WireApi => {
  if (api !== 'auto') return api;
  return call.sampling.seed !== undefined || hasAudio(call) ? 'chat' : 'responses';
};

const hasAudio = ({ messages }: JudgeCall): boolean =>
  messages.some(({ content }) => typeof content !== 'string' && content.some(({ type }) => type === 'audio'));

/** The body of a request. */
export const requestBody = (call: JudgeCall, endpoint: Endpoint, api: WireApi, dialect: Dialect): object => {
  const asked = withWords(withKnownRoles(call, endpoint), dialect.form);
  return api === 'chat'
    ? chat.requestBody(asked, endpoint.model, dialect)
    : responses.requestBody(asked, endpoint.model, dialect.form);
};

/** `developer` is OpenAI's own word; the chat templates of other servers know `system`, which means the same. */
const withKnownRoles = (call: JudgeCall, endpoint: Endpoint): JudgeCall => {
  if (isOpenAi(endpoint) || !call.messages.some(({ role }) => role === 'developer')) return call;
  const messages = call.messages.map((message) =>
    message.role === 'developer' ? { ...message, role: 'system' } : message,
  );
  return { ...call, messages };
};

/** Where the schema is not imposed, the last message that is not the model's own says it. */
const withWords = (call: JudgeCall, form: FormMode): JudgeCall => {
  if (form === 'json_schema') return call;
  const words = `Answer with nothing but a JSON object that is valid by this JSON Schema: ${JSON.stringify(call.form.schema)}`;
  const index = call.messages.findLastIndex(({ role }) => role !== 'assistant');
  if (index === -1) return { ...call, messages: [...call.messages, { role: 'user', content: words }] };
  const { role, content } = call.messages[index];
  const longer =
    typeof content === 'string'
      ? `${content}\n\n${words}`
      : [...content, { type: 'text' as const, text: words }];
  return { ...call, messages: call.messages.with(index, { role, content: longer }) };
};

/** @throws ShapeError */
export const readReply = (api: WireApi, body: unknown, sentModel: string): JudgeReply =>
  api === 'chat' ? chat.readReply(body, sentModel) : responses.readReply(body, sentModel);

const SIMPLER: Readonly<Record<FormMode, FormMode | undefined>> = {
  json_schema: 'json_object',
  json_object: 'none',
  none: undefined,
};

/**
 * The dialect to try next when an endpoint has refused a parameter, by what it said.
 *
 * @returns undefined when it refused something else
 */
export const simplerDialect = (dialect: Dialect, complaint: string): Dialect | undefined => {
  if (dialect.limit === 'max_completion_tokens' && /max_completion_tokens/.test(complaint))
    return { ...dialect, limit: 'max_tokens' };
  // A schema that is found wrong is our mistake, which no other form would mend.
  if (/invalid schema/i.test(complaint)) return undefined;
  const simpler = SIMPLER[dialect.form];
  if (simpler === undefined || !/response_?format|json_schema|json_object|text\.format/i.test(complaint))
    return undefined;
  return { ...dialect, form: simpler };
};

/** What the user is told when a dialect was made simpler. */
export const dialectNotice = (before: Dialect, after: Dialect): string => {
  if (before.limit !== after.limit) return `does not take ${before.limit}; ${after.limit} is sent instead`;
  const instead =
    after.form === 'json_object' ? 'any JSON object is asked for' : 'the form is asked for in words';
  return `does not take the form ${before.form}; ${instead}, and replies are read with care`;
};
