import { createHash } from 'node:crypto';
import type { UnavailableError } from '../errors.js';
import type { AskedModel, Judge, JudgeCall, JudgeReply } from '../judge-call.js';
import { estimateOf, needOf, type Estimate } from './budget.js';
import { Client, type ClientOptions, type ClientTotals } from './client.js';
import { serviceUrl, shownUrl, type Endpoint } from './endpoints.js';
import { errorOf } from './failure.js';
import {
  apiFor,
  dialectNotice,
  FULL_DIALECT,
  readReply,
  requestBody,
  SERVICE,
  simplerDialect,
} from './wire.js';
import type { Dialect } from './wire-fields.js';

/** How judges are asked. */
export interface JudgeOptions extends ClientOptions {
  /** Another's connections, budget and order of calls. Default: its own. */
  readonly client?: Client;
}

/** Where a call goes, for the key of a cache and for records. It holds no secret. */
export interface JudgeAddress {
  /** `https://api.openai.com/v1/responses`. */
  readonly url: string;
  /** The model's name as it is sent. */
  readonly model: string;
}

/** Asks models over HTTP. */
export interface JudgeHost extends Judge {
  /** What has been used so far. */
  readonly usage: ClientTotals;
  /** Why no further call can succeed; undefined while they can. */
  readonly fatal: UnavailableError | undefined;
  /** How many calls keep a model busy at most: the window that graders should ask for. */
  window(model: string): number;
  /** Makes sure that models can be asked. @throws UnavailableError when a key or a price is missing */
  check(models: Iterable<string>): void;
  addressOf(call: JudgeCall): JudgeAddress;
  modelFor(model: string): AskedModel;
  /** What calls will take. Nothing is sent. */
  estimate(calls: Iterable<JudgeCall>): Estimate;
  /** Ends all calls and connections. */
  close(): Promise<void>;
}

/**
 * Makes what model graders ask. Nothing is sent before the first call.
 *
 * @throws ConfigError for a configuration that is wrong
 */
export const createJudge = (options: JudgeOptions = {}): JudgeHost => {
  const client = options.client ?? new Client(options);
  const desk = new Desk(client, options.onNotice ?? (() => {}));
  const needFor = (call: JudgeCall) => needOf(call, client.endpointFor(call.model).price);
  return {
    ask: (call) => desk.ask(call),
    get usage() {
      return client.totals;
    },
    get fatal() {
      return client.fatal;
    },
    window: (model) => client.endpointFor(model).concurrency * 2,
    check(models) {
      for (const model of models) client.endpointFor(model);
    },
    addressOf: (call) => addressOf(call, client.endpointFor(call.model)),
    modelFor(model) {
      const { model: name, rules } = client.endpointFor(model);
      return { name, rules };
    },
    estimate: (calls) => estimateOf(Array.from(calls, needFor)),
    close: () => client.close(),
  };
};

const addressOf = (call: JudgeCall, endpoint: Endpoint): JudgeAddress => ({
  url: shownUrl(serviceUrl(endpoint, SERVICE[apiFor(endpoint, call)])),
  model: endpoint.model,
});

/** Makes identical calls once, and remembers what each endpoint and model understand. */
class Desk {
  private readonly underWay = new Map<string, Promise<JudgeReply>>();
  private readonly dialects = new Map<string, Dialect>();
  private readonly said = new Set<string>();

  constructor(
    private readonly client: Client,
    private readonly onNotice: (text: string) => void,
  ) {}

  ask(call: JudgeCall): Promise<JudgeReply> {
    const key = keyOf(call);
    const same = this.underWay.get(key);
    if (same !== undefined) return same;
    const asked = this.send(call).finally(() => this.underWay.delete(key));
    this.underWay.set(key, asked);
    return asked;
  }

  private async send(call: JudgeCall): Promise<JudgeReply> {
    const { model } = call;
    const endpoint = this.client.endpointFor(model);
    const api = apiFor(endpoint, call);
    const name = `judge ${JSON.stringify(model)}`;
    const place = `${api} ${shownUrl(endpoint.baseUrl)} ${endpoint.model}`;
    if (api === 'responses' && call.sampling.seed !== undefined)
      this.say(`${name}: the Responses API has no seed; it is not sent`);
    let sent = FULL_DIALECT;
    return this.client.call<JudgeReply>({
      model,
      name,
      need: needOf(call, endpoint.price),
      request: () => {
        sent = this.dialects.get(place) ?? FULL_DIALECT;
        return { service: SERVICE[api], body: requestBody(call, endpoint, api, sent) };
      },
      read(json) {
        const reply = readReply(api, json, endpoint.model);
        return { reply, ...(reply.usage && { usage: reply.usage }) };
      },
      recover: ({ status, body }, failure) => {
        if (status !== 400 && status !== 422) return undefined;
        const { code, message } = errorOf(body);
        if (FILTERED.test(code)) return { pauseMs: 0, reply: refusedBy(message, endpoint.model) };
        if (!this.adapt(name, place, sent, body)) return undefined;
        return { pauseMs: 0, failure: { ...failure, remedy: 'adapted' } };
      },
    });
  }

  /** Finds a simpler dialect when a parameter was refused. @returns whether the call can be made again */
  private adapt(name: string, place: string, sent: Dialect, complaint: string): boolean {
    const known = this.dialects.get(place) ?? FULL_DIALECT;
    // Another call has found it out meanwhile.
    if (known !== sent) return true;
    const simpler = simplerDialect(sent, complaint);
    if (simpler === undefined) return false;
    this.dialects.set(place, simpler);
    this.say(`${name} ${dialectNotice(sent, simpler)}`);
    return true;
  }

  private say(text: string): void {
    if (this.said.has(text)) return;
    this.said.add(text);
    this.onNotice(text);
  }
}

/** Error codes of a prompt that a filter has refused: the same as a refusal by the model. */
const FILTERED = /^(?:content_filter|content_policy_violation|invalid_prompt)$/;

const refusedBy = (message: string, model: string): JudgeReply => ({
  text: '',
  refusal: message === '' ? 'the prompt was refused by a filter' : message,
  finishReason: 'content_filter',
  model,
});

const LONG_KEY = 10_000;

/** Equal for calls that ask the same. Calls with images are long, and many are under way. */
const keyOf = ({ model, messages, sampling, form, repeat }: JudgeCall): string => {
  const json = JSON.stringify([model, messages, sampling, form, repeat]);
  return json.length < LONG_KEY ? json : createHash('sha256').update(json).digest('base64');
};
