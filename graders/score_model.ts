import * as z from 'zod';
import { judgeFields, prepareJudged } from '../src/judge/panel.js';
import { readScore, scoreForm, type ScoreRange } from '../src/judge/verdict.js';
import { defineGrader, graderFields } from '../src/schema.js';
import { scored } from '../src/score.js';
import { shorten } from '../src/show.js';

/** A score_model as it stands in a file. */
export type ScoreModelConfig = { readonly type: 'score_model' } & z.input<typeof scoreModel.schema>;

const isRange = (range: readonly number[]): boolean => range.length === 2 && range[0] < range[1];

/**
 * The score that a model gives, in the units of `range` and clamped to it, never mapped to 0..1. A row whose judge
 * refuses or cannot be read is failed.
 */
export const scoreModel = defineGrader({
  type: 'score_model',
  summary: 'the score that a model gives, within range',
  schema: z.object({
    ...graderFields,
    ...judgeFields,
    range: z
      .array(z.number())
      .refine(isRange, {
        error: ({ input }) =>
          `expected two ascending numbers, the lowest and the highest score, got [${shorten(String(input))}]`,
      })
      .nullish()
      .describe('The lowest and the highest score; default [0, 1]'),
  }),
  prepare(config, context) {
    const { pass_threshold } = config;
    const [low, high] = config.range ?? [0, 1];
    const range: ScoreRange = [low, high];
    if (pass_threshold !== undefined && (pass_threshold < low || pass_threshold > high)) {
      const message = `${pass_threshold} is outside the range ${low} to ${high}: ${pass_threshold > high ? 'no row' : 'every row'} passes`;
      context.warn({ path: ['pass_threshold'], message });
    }
    return prepareJudged(
      config,
      {
        type: 'score_model',
        form: scoreForm(range),
        combine: 'mean',
        read: (reply) => readScore(reply, range),
        rewardOf: (score) => score,
        score: (reward) => scored(reward, pass_threshold),
      },
      context,
    );
  },
});
