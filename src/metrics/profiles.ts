import { ConfigError } from '../errors.js';
import { suggest } from '../suggest.js';
import { bleu, type BleuOptions, type NltkSmoothing, type SacrebleuSmoothing } from './bleu.js';
import { fuzzyMatch, type FuzzyOptions } from './fuzzy.js';
import { gleu, type GleuOptions } from './gleu.js';
import { meteor, type MeteorTokenOptions } from './meteor.js';
import type { Metric } from './metric.js';
import { ROUGE_TOKENIZERS, rougeL, rougeN, type RougeLOptions, type RougeTokenizer } from './rouge.js';
import { TOKENIZER_NAMES, tokenizer, type Tokenizer, type TokenizerName } from './tokenize/index.js';

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

/** What may be chosen beyond a profile. Not every metric has every option; those that it lacks change nothing. */
export interface TextMetricOptions
  extends
    FuzzyOptions,
    Omit<BleuOptions, 'tokenizer' | 'effectiveOrder'>,
    Omit<GleuOptions, 'tokenizer'>,
    MeteorTokenOptions,
    Omit<RougeLOptions, 'tokenizer'> {
  /** For bleu, gleu and meteor one of theirs, for the ROUGE metrics one of theirs. */
  readonly tokenizer?: TokenizerName | RougeTokenizer;
  /** A directory with NLTK's `punkt_tab/english` files, for tokens that equal NLTK's on every text. */
  readonly punktData?: string;
}

/** An option that some metrics have. */
export type TextMetricOption = Exclude<keyof TextMetricOptions, 'punktData'>;

interface MetricDefinition {
  /** The options it has, and what they are when nobody chooses; undefined where that has no name. */
  readonly defaults: (profile: Profile) => {
    readonly [Option in TextMetricOption]?: TextMetricOptions[Option];
  };
  /** Made from those of its options that are chosen, and from the profile. */
  readonly create: (options: TextMetricOptions, profile: Profile) => Metric;
}

const rougeOfOrder = (order: number): MetricDefinition => ({
  defaults: () => ({ tokenizer: 'ascii', useStemmer: false, measure: 'fmeasure' }),
  create: (options) => {
    const settings = { ...options, tokenizer: rougeTokenizer(options) };
    return (candidate, reference) => rougeN(candidate, reference, order, settings);
  },
});

/** How each metric is made; `cosine` is not here, because it needs a model. */
const TEXT_METRICS = {
  fuzzy_match: {
    defaults: () => ({ scorer: 'ratio', processor: undefined }),
    create: (options) => (candidate, reference) => fuzzyMatch(candidate, reference, options),
  },
  bleu: {
    defaults: ({ tokenizer, bleuSmoothing }) => ({
      tokenizer,
      smoothing: bleuSmoothing,
      maxOrder: 4,
      weights: undefined,
      lowercase: false,
    }),
    create: (options, profile) => {
      const settings = {
        smoothing: profile.bleuSmoothing,
        ...options,
        tokenizer: namedTokenizer(options, profile),
      };
      return (candidate, reference) => bleu(candidate, reference, settings);
    },
  },
  gleu: {
    defaults: ({ tokenizer }) => ({ tokenizer, minLen: 1, maxLen: 4, lowercase: false }),
    create: (options, profile) => {
      const settings = { ...options, tokenizer: namedTokenizer(options, profile) };
      return (candidate, reference) => gleu(candidate, reference, settings);
    },
  },
  meteor: {
    defaults: ({ tokenizer }) => ({ tokenizer, alpha: 0.9, beta: 3, gamma: 0.5, synonyms: true }),
    create: (options, profile) => {
      const settings = { ...options, tokenizer: namedTokenizer(options, profile) };
      return (candidate, reference) => meteor(candidate, reference, settings);
    },
  },
  rouge_1: rougeOfOrder(1),
  rouge_2: rougeOfOrder(2),
  rouge_3: rougeOfOrder(3),
  rouge_4: rougeOfOrder(4),
  rouge_5: rougeOfOrder(5),
  rouge_l: {
    defaults: () => ({ tokenizer: 'ascii', useStemmer: false, measure: 'fmeasure', summary: false }),
    create: (options) => {
      const settings = { ...options, tokenizer: rougeTokenizer(options) };
      return (candidate, reference) => rougeL(candidate, reference, settings);
    },
  },
} as const satisfies Record<string, MetricDefinition>;

const namedTokenizer = ({ tokenizer: name, punktData }: TextMetricOptions, profile: Profile): Tokenizer =>
  tokenizer(oneOf(TOKENIZER_NAMES, name ?? profile.tokenizer), punktData === undefined ? {} : { punktData });

const rougeTokenizer = ({ tokenizer = 'ascii' }: TextMetricOptions): RougeTokenizer =>
  oneOf(ROUGE_TOKENIZERS, tokenizer);

/** @throws RangeError  for a tokenizer of another metric */
const oneOf = <Name extends string>(names: readonly Name[], name: string): Name => {
  const known = names.find((known) => known === name);
  if (known !== undefined) return known;
  throw new RangeError(`tokenizer ${JSON.stringify(name)}, expected one of ${names.join(', ')}`);
};

/** A metric of texts alone, by its `evaluation_metric` name on the wire. */
export type TextMetricName = keyof typeof TEXT_METRICS;

/** Any `evaluation_metric`. */
export type EvaluationMetric = TextMetricName | 'cosine';

/** Every `evaluation_metric` of the wire. */
export const EVALUATION_METRICS: readonly EvaluationMetric[] = [
  ...(Object.keys(TEXT_METRICS) as TextMetricName[]),
  'cosine',
];

/** The options that a metric has. */
export const optionsOf = (name: TextMetricName): readonly TextMetricOption[] =>
  Object.keys(definitionOf(name).defaults(PROFILES[0])) as TextMetricOption[];

/** An option as it is spelled in files and signatures: `max_order`. */
export const wireName = (option: TextMetricOption): string =>
  option.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/**
 * A metric as a profile defines it, and as options change it.
 *
 * @param name  an `evaluation_metric` other than `cosine`, which needs embeddings or `loadLexicalCosine`
 * @param profile  name or alias of a profile
 * @returns the metric, and the name under which its scores may be compared: `bleu/hosted-2025`, with every option that is not
 *   as the profile has it (`bleu:max_order=2/hosted-2025`), and with `+punkt_tab` when NLTK's sentence model is used
 * @throws ConfigError  for an unknown profile, or for a metric that is not made of texts alone
 * @throws RangeError  for options that the metric does not take
 */
export const textMetric = (
  name: TextMetricName,
  profile: string = DEFAULT_PROFILE,
  options: TextMetricOptions = {},
): { readonly metric: Metric; readonly signature: string } => {
  const resolved = resolveProfile(profile);
  const { create, defaults } = definitionOf(name);
  const byDefault = defaults(resolved);
  const chosen: Record<string, unknown> = {};
  const changes: string[] = [];
  for (const option of optionsOf(name)) {
    const value = options[option];
    if (value === undefined) continue;
    chosen[option] = value;
    if (value !== byDefault[option])
      changes.push(option === 'scorer' ? String(value) : `${wireName(option)}=${String(value)}`);
  }
  const { punktData } = options;
  const metric = create({ ...chosen, ...(punktData !== undefined && { punktData }) }, resolved);
  // Two texts of nothing show whether the options fit together.
  metric('', '');
  const variant = changes.length > 0 ? `:${changes.join(';')}` : '';
  const model =
    punktData !== undefined && usesSentences(options.tokenizer ?? byDefault.tokenizer) ? '+punkt_tab' : '';
  return { metric, signature: `${name}${variant}/${resolved.name}${model}` };
};

/** Whether the tokenizer is one that NLTK's sentence model changes. */
const usesSentences = (name: TextMetricOptions['tokenizer']): boolean => name === 'hosted' || name === 'nltk';

const definitionOf = (name: TextMetricName): MetricDefinition => {
  if (!Object.hasOwn(TEXT_METRICS, name)) throw unknownName('text metric', name, Object.keys(TEXT_METRICS));
  return TEXT_METRICS[name];
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
