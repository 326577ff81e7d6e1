import * as z from 'zod';
import type { PrepareContext } from '../src/contract.js';
import { ConfigError, type ConfigIssue } from '../src/errors.js';
import { judgeFields, prepareJudged } from '../src/judge/panel.js';
import { labelForm, readLabel } from '../src/judge/verdict.js';
import { defineGrader, nameField } from '../src/schema.js';
import { shorten, show } from '../src/show.js';
import { suggest } from '../src/suggest.js';

/** A label_model as it stands in a file. */
export type LabelModelConfig = { readonly type: 'label_model' } & z.input<typeof labelModel.schema>;

/**
 * Has a model choose one of `labels`; the reward is 1 where it is one of `passing_labels`, else 0. A row whose judge
 * refuses or answers with something else is failed.
 */
export const labelModel = defineGrader({
  type: 'label_model',
  summary: 'whether a model gives one of the passing labels: 1 or 0',
  schema: z.object({
    ...nameField,
    ...judgeFields,
    labels: z
      .array(z.string())
      .min(1, 'expected at least one label')
      .describe('The labels that the model chooses from'),
    passing_labels: z.array(z.string()).describe('Those of the labels with which a row passes'),
  }),
  prepare(config, context) {
    const { labels, passing_labels } = config;
    const issues = [...unknownLabels(labels, passing_labels), ...repeatedLabels(labels)];
    if (issues.length > 0) throw new ConfigError(issues);
    warnAboutPassing(labels, passing_labels, context);
    const passing = new Set(passing_labels);
    return prepareJudged(
      config,
      {
        type: 'label_model',
        form: labelForm(labels),
        combine: 'majority',
        read: (reply) => readLabel(reply, labels),
        rewardOf: (label) => (passing.has(label) ? 1 : 0),
        // Several verdicts pass when more than half of them do.
        score: (reward) => ({ status: 'scored', reward, passed: reward > 0.5 }),
      },
      context,
    );
  },
});

const unknownLabels = (labels: readonly string[], passing: readonly string[]): readonly ConfigIssue[] =>
  passing.flatMap((label, index): readonly ConfigIssue[] => {
    if (labels.includes(label)) return [];
    const near = suggest(label, labels);
    const message = `${show(label)} is not one of the labels ${shorten(labels.join(', '), 200)}`;
    return [
      {
        severity: 'error',
        path: ['passing_labels', index],
        message,
        ...(near !== undefined && { hint: `did you mean ${JSON.stringify(near)}?` }),
      },
    ];
  });

const repeatedLabels = (labels: readonly string[]): readonly ConfigIssue[] =>
  labels.flatMap((label, index): readonly ConfigIssue[] =>
    labels.indexOf(label) === index
      ? []
      : [
          {
            severity: 'error',
            path: ['labels', index],
            message: `${show(label)} is there twice`,
            hint: 'remove it',
          },
        ],
  );

/** A grader that gives every row the same is probably not meant. */
const warnAboutPassing = (
  labels: readonly string[],
  passing: readonly string[],
  { warn }: PrepareContext,
): void => {
  const path = ['passing_labels'];
  if (passing.length === 0) warn({ path, message: 'is empty, so no row passes' });
  else if (labels.every((label) => passing.includes(label)))
    warn({ path, message: 'has every label, so every row passes' });
};
