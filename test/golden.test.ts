import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  bleu,
  fuzzyMatch,
  gleu,
  meteor,
  rougeL,
  rougeN,
  textMetric,
  tokenizer,
} from '../src/metrics/index.js';

interface Pair {
  readonly id: number;
  readonly category: string;
  readonly candidate: string;
  readonly reference: string;
}

type TokenizerName = 'nltk' | 'intl' | '13a' | 'whitespace';
type Side = 'candidate' | 'reference';

/** What the references gave for a pair; `tokens` holds a hash of each token list. */
interface Golden {
  readonly id: number;
  /** null where the reference refuses the pair. */
  readonly scores: Readonly<Record<string, number | null>>;
  readonly tokens: Readonly<Record<Side, Readonly<Record<TokenizerName, string>>>>;
}

interface Measure {
  readonly name: string;
  readonly metric: 'fuzzyMatch' | 'bleu' | 'gleu' | 'meteor' | 'rougeN' | 'rougeL';
  readonly order?: number;
  readonly options?: object;
  /** Only for metrics whose tokenizer can be chosen. */
  readonly tokenizer?: TokenizerName | 'hosted';
  /** 0 where the score must be the very same double. */
  readonly tolerance: number;
}

interface PublishedScore {
  readonly metric: 'fuzzy_match' | 'bleu' | 'gleu' | 'meteor' | 'rouge_1';
  readonly candidate: string;
  readonly reference: string;
  readonly score: number;
  readonly source: string;
}

const readGolden = (name: string): string =>
  readFileSync(new URL(`../fixtures/golden/${name}`, import.meta.url), 'utf8');
const readRows = <T>(name: string): T[] =>
  readGolden(name)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

const pairs = readRows<Pair>('pairs.jsonl');
const goldens = readRows<Golden>('scores.jsonl');
const measures = JSON.parse(readGolden('measures.json')) as Measure[];
const SIDES: readonly Side[] = ['candidate', 'reference'];
/** Categories of text that people write: held to the share of token lists equal to NLTK's. */
const NATURAL = new Set([
  'short-answer',
  'sentence',
  'paraphrase',
  'abbreviation',
  'quotes',
  'numbers',
  'paragraph',
]);
const NATURAL_TOKEN_GOAL = 0.995;

const hash = (tokens: readonly string[]): string =>
  createHash('sha256').update(tokens.join('\n')).digest('hex').slice(0, 16);

const tokensAgree = (index: number, side: Side, name: TokenizerName): boolean =>
  hash(tokenizer(name)(pairs[index][side])) === goldens[index].tokens[side][name];

const METRICS = { fuzzyMatch, bleu, gleu, meteor, rougeL };

const score = ({ metric, order, options }: Measure, candidate: string, reference: string): number =>
  metric === 'rougeN'
    ? rougeN(candidate, reference, order!, options)
    : METRICS[metric](candidate, reference, options);

/** The tokenizer that the hosted service sends a text through. */
const hostedRoute = (text: string): TokenizerName =>
  /^[\u0020-\u007e\u00a0-\u00ff]*$/.test(text) ? 'nltk' : 'intl';

/** Whether a measure's tokens of both texts equal the reference's; always true for metrics with tokens of their own. */
const comparable = (index: number, { tokenizer }: Measure): boolean =>
  tokenizer === undefined ||
  SIDES.every((side) =>
    tokensAgree(index, side, tokenizer === 'hosted' ? hostedRoute(pairs[index][side]) : tokenizer),
  );

test('the golden files belong together and are large enough', () => {
  expect(pairs.length).toBeGreaterThanOrEqual(400);
  expect(goldens.map(({ id }) => id)).toEqual(pairs.map(({ id }) => id));
  expect(pairs.some(({ candidate }) => candidate.length >= 10_000)).toBe(true);
});

describe('tokens equal the references', () => {
  test.each(['intl', '13a', 'whitespace'] as const)('%s, on every text', (name) => {
    const different = pairs.flatMap((pair, index) =>
      SIDES.filter((side) => !tokensAgree(index, side, name)).map((side) => pair[side]),
    );
    expect(different).toEqual([]);
  });

  test('nltk, on 99.5 % of natural texts without its trained sentence model', () => {
    const texts = pairs.flatMap(({ category }, index) =>
      NATURAL.has(category) ? SIDES.map((side) => tokensAgree(index, side, 'nltk')) : [],
    );
    expect(texts.filter(Boolean).length / texts.length).toBeGreaterThanOrEqual(NATURAL_TOKEN_GOAL);
  });
});

describe('scores equal the references on every pair with equal tokens', () => {
  test.each(measures)('$name', (measure) => {
    const different: object[] = [];
    let compared = 0;
    for (const [index, { id, candidate, reference }] of pairs.entries()) {
      if (!comparable(index, measure)) continue;
      compared++;
      const expected = goldens[index].scores[measure.name];
      if (expected === null) continue;
      const actual = score(measure, candidate, reference);
      // Written so that a NaN is different too.
      if (!(Math.abs(actual - expected) <= measure.tolerance)) different.push({ id, expected, actual });
    }
    expect(different).toEqual([]);
    expect(compared).toBeGreaterThanOrEqual(pairs.length * 0.98);
  });
});

describe('published scores, to the last digit', () => {
  const published = readRows<PublishedScore>('published-scores.jsonl');

  test('are all here', () => expect(published).toHaveLength(14));

  test.each(published.filter(({ source }) => source.includes('hosted')))(
    'by the service: $metric, $score',
    ({ metric, candidate, reference, score }) => {
      const service = textMetric(metric, 'hosted-2025');
      expect(service.metric(candidate, reference)).toBe(score);
    },
  );

  test.each(published.filter(({ source }) => source.startsWith('Microsoft')))(
    'by its vendor, with NLTK tokens: $metric, $score',
    ({ metric, candidate, reference, score }) => {
      const nltk = { tokenizer: 'nltk' } as const;
      const vendor = {
        fuzzy_match: fuzzyMatch,
        bleu: (c: string, r: string) => bleu(c, r, nltk),
        gleu: (c: string, r: string) => gleu(c, r, nltk),
        meteor: (c: string, r: string) => meteor(c, r, nltk),
        rouge_1: (c: string, r: string) => rougeN(c, r, 1),
      }[metric];
      expect(vendor(candidate, reference)).toBe(score);
    },
  );
});
