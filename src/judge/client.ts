import { randomUUID } from 'node:crypto';
import { UnavailableError } from '../errors.js';
import type { JudgeUsage } from '../judge-call.js';
import { version } from '../version.js';
import { Budget, costOf, type BudgetLimits, type Need } from './budget.js';
import { SYSTEM_CLOCK, type Clock } from './clock.js';
import {
  parseModelsConfig,
  resolveEndpoint,
  serviceUrl,
  shownUrl,
  type Endpoint,
  type Variables,
} from './endpoints.js';
import { failureIn, failureOfTransport, parseJson, type Failure } from './failure.js';
import { pauseFor } from './rate-limits.js';
import { Scheduler, type Attempt } from './scheduler.js';
import { createTransport, TransportError, type HttpReply, type Transport } from './transport.js';

/** How models are reached. */
export interface ClientOptions {
  /** What `assay.config.*` holds. Default: all models at OPENAI_BASE_URL. */
  readonly config?: unknown;
  /** Where keys, addresses and proxies are looked up. Default: this process's environment. */
  readonly env?: Variables;
  /** Most calls at once to a model; found out by trying up to that. Default 512; an entry's own goes before. */
  readonly concurrency?: number;
  /** Longest time for a try, without its time in the queue. Default 300 000; an entry's own goes before. */
  readonly timeoutMs?: number;
  /** How often a call is tried again. Default 5. */
  readonly retries?: number;
  readonly budget?: BudgetLimits;
  /** Ends all calls: those that have no reply yet fail as `not_graded`. */
  readonly signal?: AbortSignal;
  /** Receives what the user should know, a line each. */
  readonly onNotice?: (text: string) => void;
  /** Called once when no further call can succeed: a wrong key, an account without money, a server that is gone. */
  readonly onFatal?: (error: UnavailableError) => void;
  readonly clock?: Clock;
  /** In [0, 1), for the spread of retries. */
  readonly random?: () => number;
}

/** What has been used so far. */
export interface ClientTotals {
  /** Requests that were sent, tries that failed among them. */
  readonly requests: number;
  /** Replies that were received. */
  readonly replies: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly cached_tokens: number;
  readonly reasoning_tokens: number;
  /** Of the models that have a price. */
  readonly cost: number;
}

/** One call to a service of an endpoint. */
export interface ServiceCall<Reply> {
  /** As the user names it. */
  readonly model: string;
  /** `judge "gpt-4.1"`, for messages. */
  readonly name: string;
  readonly need: Need;
  /** What is sent in a try: it may have to be simpler the next time. */
  request(): { readonly service: string; readonly body: object };
  /** Reads the JSON of a reply. What it throws is shown, and the call has failed. */
  read(json: unknown): { readonly reply: Reply; readonly usage?: JudgeUsage };
  /** A last word about an answer that was no reply: it may be one after all, or have been mended. */
  recover?(reply: HttpReply, failure: Failure): Attempt<Reply> | undefined;
}

/** Sends calls to endpoints, with all the patience that takes. */
export class Client {
  readonly scheduler: Scheduler;
  /** Why no further call can succeed; undefined while they can. */
  fatal: UnavailableError | undefined;
  private readonly config;
  private readonly env: Variables;
  private readonly clock: Clock;
  private readonly transport: Transport;
  private readonly endpoints = new Map<string, Endpoint>();
  private readonly counts = {
    requests: 0,
    replies: 0,
    prompt_tokens: 0,
    completion_tokens: 0,
    total_tokens: 0,
    cached_tokens: 0,
    reasoning_tokens: 0,
    cost: 0,
  };

  /** @throws ConfigError for a configuration that is wrong */
  constructor(private readonly options: ClientOptions = {}) {
    this.config = parseModelsConfig(options.config ?? {});
    this.env = options.env ?? process.env;
    this.clock = options.clock ?? SYSTEM_CLOCK;
    this.transport = createTransport(this.env);
    this.scheduler = new Scheduler({
      clock: this.clock,
      random: options.random ?? Math.random,
      budget: new Budget(options.budget),
      retries: options.retries ?? DEFAULT_RETRIES,
      onNotice: options.onNotice ?? (() => {}),
      onFatal: (error) => {
        this.fatal = error;
        options.onFatal?.(error);
      },
    });
    if (options.signal?.aborted) this.abort();
    else options.signal?.addEventListener('abort', this.abort, { once: true });
  }

  get totals(): ClientTotals {
    return { ...this.counts };
  }

  /** @throws UnavailableError when its key is missing, or a price that a limit of cost needs */
  endpointFor(model: string): Endpoint {
    const known = this.endpoints.get(model);
    if (known !== undefined) return known;
    const endpoint = resolveEndpoint(model, this.config, this.env, this.options);
    if (this.options.budget?.maxCost !== undefined && endpoint.price === undefined)
      throw new UnavailableError(
        `a limit of cost needs the price of ${JSON.stringify(model)}`,
        'give "price": { "input": …, "output": … } for it in assay.config.json',
      );
    this.endpoints.set(model, endpoint);
    return endpoint;
  }

  /**
   * Makes a call when its turn comes, as often as it takes.
   *
   * @throws GradingError when it gets no reply
   */
  call<Reply>(call: ServiceCall<Reply>): Promise<Reply> {
    const endpoint = this.endpointFor(call.model);
    const url = shownUrl(endpoint.baseUrl);
    const lane = { key: `${url} ${endpoint.model}`, url, concurrency: endpoint.concurrency };
    // The same for every try, so that a server that knows it makes a call once.
    const id = randomUUID();
    const attempt = async (): Promise<Attempt<Reply>> =>
      this.hideKey(await this.attempt(call, endpoint, id), endpoint);
    return this.scheduler.run(lane, { name: call.name, need: call.need, attempt });
  }

  /** Ends what is under way; what waits fails as `not_graded`. */
  async close(): Promise<void> {
    this.options.signal?.removeEventListener('abort', this.abort);
    this.scheduler.end('the judge was closed');
    await this.transport.close();
  }

  private readonly abort = (): void => {
    this.scheduler.end('the run was stopped');
    void this.transport.close();
  };

  private async attempt<Reply>(
    call: ServiceCall<Reply>,
    endpoint: Endpoint,
    id: string,
  ): Promise<Attempt<Reply>> {
    try {
      const { service, body } = call.request();
      this.counts.requests += 1;
      const reply = await this.transport.post({
        url: serviceUrl(endpoint, service),
        headers: headersFor(endpoint, id),
        body: JSON.stringify(body),
        timeoutMs: endpoint.timeoutMs,
      });
      return this.interpret(call, endpoint, reply);
    } catch (error) {
      if (error instanceof TransportError) return { pauseMs: 0, failure: failureOfTransport(error) };
      return { pauseMs: 0, failure: { remedy: 'final', message: (error as Error).message } };
    }
  }

  private interpret<Reply>(call: ServiceCall<Reply>, endpoint: Endpoint, reply: HttpReply): Attempt<Reply> {
    const date = this.clock.date();
    const pauseMs = pauseFor(reply.headers, date);
    const json = parseJson(reply.body);
    const failure = failureIn(reply, json, date);
    if (failure !== undefined) return call.recover?.(reply, failure) ?? { pauseMs, failure };
    const { reply: read, usage } = call.read(json);
    this.count(usage, endpoint);
    return { pauseMs, reply: read, ...(usage && { usage }) };
  }

  private count(usage: JudgeUsage | undefined, { price }: Endpoint): void {
    const { counts } = this;
    counts.replies += 1;
    if (usage === undefined) return;
    const { prompt_tokens, completion_tokens, total_tokens, cached_tokens = 0, reasoning_tokens = 0 } = usage;
    counts.prompt_tokens += prompt_tokens;
    counts.completion_tokens += completion_tokens;
    counts.total_tokens += total_tokens;
    counts.cached_tokens += cached_tokens;
    counts.reasoning_tokens += reasoning_tokens;
    counts.cost += costOf(prompt_tokens, completion_tokens, cached_tokens, price);
  }

  /** Some servers quote the key in what they say. */
  private hideKey<Reply>(attempt: Attempt<Reply>, { key }: Endpoint): Attempt<Reply> {
    if (!('failure' in attempt)) return attempt;
    const { failure, pauseMs } = attempt;
    const plain = key === undefined ? failure.message : failure.message.replaceAll(key, '[key]');
    return { pauseMs, failure: { ...failure, message: plain.replaceAll(KEY_LIKE, '[key]') } };
  }
}

const DEFAULT_RETRIES = 5;
/** A key of OpenAI's, also with its middle made unreadable. */
const KEY_LIKE = /\bsk-[\w*.-]{6,}/g;

const headersFor = ({ key }: Endpoint, id: string): Record<string, string> => ({
  'content-type': 'application/json',
  accept: 'application/json',
  'user-agent': `assay/${version}`,
  'idempotency-key': id,
  ...(key !== undefined && { authorization: `Bearer ${key}` }),
});
