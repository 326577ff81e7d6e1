import type { Embed } from '../contract.js';
import { isObject } from '../json-value.js';
import { show } from '../show.js';
import { textTokens } from './budget.js';
import { Client, type ClientOptions } from './client.js';
import { count, ShapeError, usageOf } from './wire-fields.js';

/** How texts are embedded. */
export interface EmbedOptions extends ClientOptions {
  /** Default: `text-embedding-3-large`, as hosted. */
  readonly model?: string;
  /** Another's connections, budget and order of calls. Default: its own. */
  readonly client?: Client;
}

/** Embeds texts over HTTP; `close` ends its connections. */
export interface EmbedHost extends Embed {
  close(): Promise<void>;
}

/** The model that the hosted service uses. */
export const DEFAULT_EMBEDDING_MODEL = 'text-embedding-3-large';

const MAX_TEXTS = 256;
const MAX_TOKENS = 250_000;
/** Texts whose vectors are kept: of 3,072 numbers each, about 25 MB. */
const KEPT_TEXTS = 1024;

type Vector = readonly number[];

/**
 * Makes what `cosine` asks: any OpenAI-compatible `/embeddings`. Texts that are asked for together, by any number of
 * rows, go in one request; each text goes once while it is kept.
 *
 * @throws ConfigError for a configuration that is wrong, UnavailableError when the key is missing
 */
export const createEmbed = (options: EmbedOptions = {}): EmbedHost => {
  const model = options.model ?? DEFAULT_EMBEDDING_MODEL;
  const client = options.client ?? new Client(options);
  client.endpointFor(model);
  const batcher = new Batcher(new EmbeddingService(client, model));
  return {
    model,
    embed: (texts) => Promise.all(texts.map((text) => batcher.embed(text))),
    close: () => client.close(),
  };
};

interface Waiting {
  readonly text: string;
  readonly resolve: (vector: Vector) => void;
  readonly reject: (error: unknown) => void;
}

/** Collects texts until the event loop comes round, and keeps the latest vectors. */
class Batcher {
  /** In the order of their last use. */
  private readonly kept = new Map<string, Promise<Vector>>();
  private waiting: Waiting[] = [];

  constructor(private readonly service: EmbeddingService) {}

  embed(text: string): Promise<Vector> {
    const vector = this.kept.get(text) ?? this.request(text);
    this.kept.delete(text);
    this.kept.set(text, vector);
    if (this.kept.size > KEPT_TEXTS) this.forgetOldest();
    return vector;
  }

  private forgetOldest(): void {
    const [oldest] = this.kept.keys();
    this.kept.delete(oldest);
  }

  private request(text: string): Promise<Vector> {
    if (this.waiting.length === 0) setImmediate(() => this.flush());
    const vector = new Promise<Vector>((resolve, reject) => this.waiting.push({ text, resolve, reject }));
    // Another row may have better luck.
    vector.catch(() => this.kept.delete(text));
    return vector;
  }

  private flush(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const batch of batchesOf(waiting)) void this.embedBatch(batch);
  }

  /** When a batch is turned down, each half is tried alone: it may have been for one of its texts. */
  private async embedBatch(batch: readonly Waiting[]): Promise<void> {
    const vectors = await this.service.embed(batch.map(({ text }) => text)).catch((error: unknown) => {
      for (const { reject } of batch) reject(error);
      return [];
    });
    if (vectors !== undefined) {
      for (const [index, vector] of vectors.entries()) batch[index].resolve(vector);
      return;
    }
    const middle = batch.length >> 1;
    await Promise.all([this.embedBatch(batch.slice(0, middle)), this.embedBatch(batch.slice(middle))]);
  }
}

const batchesOf = (waiting: readonly Waiting[]): readonly (readonly Waiting[])[] => {
  const batches: Waiting[][] = [];
  let tokens = Infinity;
  for (const one of waiting) {
    const more = textTokens(one.text);
    if (tokens + more > MAX_TOKENS || (batches.at(-1)?.length ?? MAX_TEXTS) >= MAX_TEXTS) {
      batches.push([]);
      tokens = 0;
    }
    batches.at(-1)?.push(one);
    tokens += more;
  }
  return batches;
};

/** Sends texts to `/embeddings`. */
class EmbeddingService {
  /** Half as long on the wire as numbers are; servers that do not know it are asked without. */
  private encoding: 'base64' | undefined = 'base64';

  constructor(
    private readonly client: Client,
    private readonly model: string,
  ) {}

  /**
   * @returns undefined when several texts were turned down, which may be for one of them
   * @throws GradingError when there are no vectors
   */
  embed(texts: readonly string[]): Promise<readonly Vector[] | undefined> {
    const { client, model } = this;
    const endpoint = client.endpointFor(model);
    const promptTokens = texts.reduce((sum, text) => sum + textTokens(text), 0);
    let sent = this.encoding;
    return client.call<readonly Vector[] | undefined>({
      model,
      name: `embeddings ${JSON.stringify(model)}`,
      need: { promptTokens, completionTokens: 0, price: endpoint.price },
      request: () => {
        sent = this.encoding;
        const format = sent === undefined ? {} : { encoding_format: sent };
        return { service: 'embeddings', body: { model: endpoint.model, input: texts, ...format } };
      },
      read: (json) => readVectors(json, texts.length),
      recover: ({ status, body }, failure) => {
        if (![400, 413, 422].includes(status)) return undefined;
        if (sent !== undefined && body.includes('encoding_format')) {
          this.encoding = undefined;
          return { pauseMs: 0, failure: { ...failure, remedy: 'adapted' } };
        }
        return texts.length > 1 ? { pauseMs: 0, reply: undefined } : undefined;
      },
    });
  }
}

const readVectors = (json: unknown, length: number) => {
  const data: unknown = isObject(json) ? json['data'] : undefined;
  if (!isObject(json) || !Array.isArray(data) || data.length !== length)
    throw new ShapeError(
      `expected ${length} embeddings in data, got ${show(Array.isArray(data) ? data : json)}`,
    );
  const vectors = Array.from<Vector>({ length });
  for (const [position, one] of data.entries()) {
    const index: unknown = isObject(one) ? (one['index'] ?? position) : undefined;
    if (typeof index !== 'number' || !(index in vectors) || vectors[index] !== undefined)
      throw new ShapeError(`expected an index of its own for every embedding, got ${show(one)}`);
    vectors[index] = readVector((one as { embedding?: unknown }).embedding);
  }
  const counted = isObject(json['usage']) ? count(json['usage']['prompt_tokens']) : undefined;
  const none = { completion: undefined, total: undefined, cached: undefined, reasoning: undefined };
  const usage = usageOf({ prompt: counted, ...none });
  return { reply: vectors, ...(usage && { usage }) };
};

/** Numbers, or the bytes of their float32 in base64. */
const readVector = (embedding: unknown): Vector => {
  const vector = typeof embedding === 'string' ? decodeFloats(embedding) : embedding;
  if (Array.isArray(vector) && vector.length > 0 && vector.every(Number.isFinite)) return vector as Vector;
  throw new ShapeError(`expected an embedding of finite numbers, got ${show(embedding)}`);
};

const decodeFloats = (text: string): Vector => {
  const bytes = Buffer.from(text, 'base64');
  return Array.from({ length: bytes.length >> 2 }, (_, index) => bytes.readFloatLE(index * 4));
};
