import * as z from 'zod';
import type { PrepareContext, PreparedGrader } from '../src/contract.js';
import { ConfigError } from '../src/errors.js';
import { cosineSimilarity, loadLexicalCosine } from '../src/metrics/cosine.js';
import {
  EVALUATION_METRICS,
  FUZZY_SCORERS,
  PROFILE_NAMES,
  textMetric,
  type EvaluationMetric,
} from '../src/metrics/profiles.js';
import { defineGrader, graderFields, template } from '../src/schema.js';
import { scored } from '../src/score.js';

const options = z
  .object({
    profile: z.enum(PROFILE_NAMES).optional().describe('Whose numbers to reproduce; default hosted-2025'),
    scorer: z.enum(FUZZY_SCORERS).optional().describe('For fuzzy_match: another scorer than ratio'),
    cosine: z
      .enum(['embeddings', 'lexical'])
      .optional()
      .describe('For cosine: lexical compares bags of words offline; not comparable with embeddings'),
  })
  .optional();

/** A text_similarity as it stands in a file. */
export type TextSimilarityConfig = { readonly type: 'text_similarity' } & z.input<
  typeof textSimilarity.schema
>;

/**
 * How similar `input` is to `reference`, by the metric that `evaluation_metric` names; 0 to 1, higher is more
 * similar. Identical texts score 1 in every metric but BLEU (below four tokens) and METEOR.
 */
export const textSimilarity = defineGrader({
  type: 'text_similarity',
  summary:
    'similarity of input and reference by fuzzy_match, bleu, gleu, meteor, rouge_1..5, rouge_l or cosine',
  schema: z.object({
    ...graderFields,
    input: template.describe('The text to grade, usually {{ sample.output_text }}'),
    reference: template.describe('The text to compare with, usually {{ item.… }}'),
    evaluation_metric: z.enum(EVALUATION_METRICS).describe('How similarity is measured'),
    assay: options.describe('Choices that the API leaves open'),
  }),
  async prepare({ input, reference, evaluation_metric, pass_threshold, assay = {} }, context) {
    warnAboutVainOptions(evaluation_metric, pass_threshold, assay, context);
    if (evaluation_metric === 'cosine' && assay.cosine !== 'lexical') {
      const similarity = embeddingCosine(context);
      return {
        signature: similarity.signature,
        grade: async (row) =>
          scored(await similarity.score(input.render(row), reference.render(row)), pass_threshold),
      };
    }
    const { metric, signature } =
      evaluation_metric === 'cosine'
        ? { metric: await loadLexicalCosine(), signature: 'cosine:lexical' }
        : textMetric(evaluation_metric, assay.profile ?? context.profile, { ...context, ...assay });
    return {
      signature,
      grade: (row) => scored(metric(input.render(row), reference.render(row)), pass_threshold),
    } satisfies PreparedGrader;
  },
});

/** Options that are accepted and change nothing. */
const warnAboutVainOptions = (
  metric: EvaluationMetric,
  passThreshold: number | undefined,
  { scorer, cosine }: NonNullable<z.output<typeof options>>,
  { warn }: PrepareContext,
): void => {
  if (passThreshold !== undefined && passThreshold > 1)
    warn({ path: ['pass_threshold'], message: `${passThreshold} is never reached: the reward is 0 to 1` });
  if (scorer !== undefined && metric !== 'fuzzy_match')
    warn({ path: ['assay', 'scorer'], message: `has no effect on ${metric}, only on fuzzy_match` });
  if (cosine !== undefined && metric !== 'cosine')
    warn({ path: ['assay', 'cosine'], message: `has no effect on ${metric}, only on cosine` });
};

const embeddingCosine = ({ embed }: PrepareContext) => {
  if (embed === undefined) {
    throw new ConfigError([
      {
        path: ['evaluation_metric'],
        message: 'cosine needs a model endpoint for embeddings, and none is configured',
        hint: 'for an offline comparison of the words (other numbers!) set "assay": {"cosine": "lexical"}',
        severity: 'error',
      },
    ]);
  }
  return {
    signature: `cosine:${embed.model}`,
    score: async (candidate: string, reference: string) => {
      const [a, b] = await embed.embed([candidate, reference]);
      return cosineSimilarity(a, b);
    },
  };
};
