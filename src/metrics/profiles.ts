import { ConfigError } from '../errors.js';
import { suggest } from '../suggest.js';
import { bleu, type NltkSmoothing, type SacrebleuSmoothing } from './bleu.js';
import { FUZZY_SCORERS, fuzzyMatch, type FuzzyScorer } from './fuzzy.js';
import { gleu } from './gleu.js';
import { meteor } from './meteor.js';
import type { Metric } from './metric.js';
import { rougeL, rougeN } from './rouge.js';
import { tokenizer, type Tokenizer, type TokenizerName } from './tokenize/index.js';

export { FUZZY_SCORERS };

/** Whose numbers to reproduce: the choices that the metrics leave open, made once. */
export interface Profile {
  readonly name: string;
  /** One line for help and documentation. */
  readonly summary: string;
  /** Other names it answers to. */
  readonly aliases: readonly string[];
  /** Splits the texts for bleu, gleu and meteor; the other metrics have tokens of their own. */
  readonly tokenizer: TokenizerName;
  readonly bleuSmoothing: NltkSmoothing | SacrebleuSmoothing;
}

/** All profiles, the default first. One is never changed: a correction gets a new name. */
export const PROFILES = [
  {
    name: 'hosted-2025',
    summary:
      "what the hosted service was seen to do in 2025: its two-way tokenizer, NLTK's BLEU with method4",
    aliases: ['hosted'],
    tokenizer: 'hosted',
    bleuSmoothing: 'method4',
  },
  {
    name: 'nltk',
    summary: "NLTK's word_tokenize everywhere, BLEU as sentence_bleu gives it by itself (method0)",
    aliases: [],
    tokenizer: 'nltk',
    bleuSmoothing: 'method0',
  },
  {
    name: 'sacrebleu',
    summary:
      "sacreBLEU's sentence_bleu / 100 (13a tokens, exp smoothing, effective order); 13a for gleu and meteor",
    aliases: [],
    tokenizer: '13a',
    bleuSmoothing: 'exp',
  },
] as const satisfies readonly Profile[];

/** The name of a profile, or an alias. */
export type ProfileName = (typeof PROFILES)[number]['name'] | (typeof PROFILES)[number]['aliases'][number];

/** Every name that {@link resolveProfile} knows. */
export const PROFILE_NAMES: readonly ProfileName[] = PROFILES.flatMap(({ name, aliases }) => [
  name,
  ...aliases,
]);

/** Used where nobody names one. */
export const DEFAULT_PROFILE = PROFILES[0].name;

/**
 * The profile of a name or an alias.
 *
 * @throws ConfigError  for an unknown name, with the known ones and the likeliest
 */
export const resolveProfile = (name: string): Profile => {
  const profile = (PROFILES as readonly Profile[]).find(
    (profile) => profile.name === name || profile.aliases.includes(name),
  );
  if (profile === undefined) throw unknownName('profile', name, PROFILE_NAMES);
  return profile;
};

/** The settings a metric is built from. */
interface MetricSettings {
  readonly tokenize: Tokenizer;
  readonly profile: Profile;
  readonly scorer: FuzzyScorer;
}

/** How each metric comes from its settings; `cosine` is not here, because it needs a model. */
const TEXT_METRICS = {
  fuzzy_match:
    ({ scorer }) =>
    (candidate, reference) =>
      fuzzyMatch(candidate, reference, { scorer }),
  bleu: ({ tokenize, profile }) => {
    const options = { tokenizer: tokenize, smoothing: profile.bleuSmoothing };
    return (candidate, reference) => bleu(candidate, reference, options);
  },
  gleu:
    ({ tokenize }) =>
    (candidate, reference) =>
      gleu(candidate, reference, { tokenizer: tokenize }),
  meteor:
    ({ tokenize }) =>
    (candidate, reference) =>
      meteor(candidate, reference, { tokenizer: tokenize }),
  rouge_1: () => (candidate, reference) => rougeN(candidate, reference, 1),
  rouge_2: () => (candidate, reference) => rougeN(candidate, reference, 2),
  rouge_3: () => (candidate, reference) => rougeN(candidate, reference, 3),
  rouge_4: () => (candidate, reference) => rougeN(candidate, reference, 4),
  rouge_5: () => (candidate, reference) => rougeN(candidate, reference, 5),
  rouge_l: () => (candidate, reference) => rougeL(candidate, reference),
} as const satisfies Record<string, (settings: MetricSettings) => Metric>;

/** A metric of texts alone, by its `evaluation_metric` name on the wire. */
export type TextMetricName = keyof typeof TEXT_METRICS;

/** Any `evaluation_metric`. */
export type EvaluationMetric = TextMetricName | 'cosine';

/** Every `evaluation_metric` of the wire. */
export const EVALUATION_METRICS: readonly EvaluationMetric[] = [
  ...(Object.keys(TEXT_METRICS) as TextMetricName[]),
  'cosine',
];

/** The metrics that split texts by the profile's tokenizer. */
const TOKENIZED: ReadonlySet<TextMetricName> = new Set(['bleu', 'gleu', 'meteor']);

/** What a profile leaves open. */
export interface TextMetricOptions {
  /** A directory with NLTK's `punkt_tab/english` files, for tokens that equal NLTK's on every text. */
  readonly punktData?: string;
  /** Another scorer than `ratio` for `fuzzy_match`. */
  readonly scorer?: FuzzyScorer;
}

/**
 * A metric as a profile defines it.
 *
 * @param name  an `evaluation_metric` other than `cosine`, which needs embeddings or `loadLexicalCosine`
 * @param profile  name or alias of a profile
 * @returns the metric, and the name under which its scores may be compared: `bleu/hosted-2025`, with `+punkt_tab` when NLTK's
 *   sentence model is used
 * @throws ConfigError  for an unknown profile, or for a metric that is not made of texts alone
 */
export const textMetric = (
  name: TextMetricName,
  profile: string = DEFAULT_PROFILE,
  { punktData, scorer = 'ratio' }: TextMetricOptions = {},
): { readonly metric: Metric; readonly signature: string } => {
  const resolved = resolveProfile(profile);
  if (!Object.hasOwn(TEXT_METRICS, name)) throw unknownName('text metric', name, Object.keys(TEXT_METRICS));
  const tokenize = tokenizer(resolved.tokenizer, punktData === undefined ? {} : { punktData });
  const usesModel =
    punktData !== undefined && tokenize !== tokenizer(resolved.tokenizer) && TOKENIZED.has(name);
  const variant = name === 'fuzzy_match' && scorer !== 'ratio' ? `:${scorer}` : '';
  return {
    metric: TEXT_METRICS[name]({ tokenize, profile: resolved, scorer }),
    signature: `${name}${variant}/${resolved.name}${usesModel ? '+punkt_tab' : ''}`,
  };
};

const unknownName = (what: string, name: string, known: readonly string[]): ConfigError => {
  const meant = suggest(name, known);
  return new ConfigError([
    {
      path: [],
      message: `unknown ${what} ${JSON.stringify(name)}, expected one of ${known.join(', ')}`,
      ...(meant !== undefined && { hint: `did you mean ${JSON.stringify(meant)}?` }),
      severity: 'error',
    },
  ]);
};
