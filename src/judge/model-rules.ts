import * as z from 'zod';
import type { ModelRule, Sampling } from '../judge-call.js';

const SAMPLING_KEYS = [
  'seed',
  'temperature',
  'top_p',
  'max_completion_tokens',
  'reasoning_effort',
] as const satisfies readonly (keyof Sampling)[];

/** What a rule in a configuration file says about the model that it stands under. */
export const ruleFields = z.strictObject({
  omit: z.array(z.enum(SAMPLING_KEYS)).describe('Parameters that the model refuses; [] sends everything'),
  unless_effort: z
    .array(z.string())
    .optional()
    .describe('Efforts of reasoning at which nothing is left out; default is where none is given'),
});

const SAMPLERS: ModelRule['omit'] = ['temperature', 'top_p'];

/**
 * What OpenAI's models refuse, by the first entry that has the model's name. Models that no entry has are sent
 * everything, so a server of one's own gets what the grader says.
 *
 * @see https://platform.openai.com/docs/guides/reasoning and https://platform.openai.com/docs/guides/latest-model
 */
const BUILT_IN: readonly ModelRule[] = [
  // The chat model of GPT-5 does not reason; the later ones do, at an effort that is theirs.
  { models: ['gpt-5-chat*'], omit: ['reasoning_effort'] },
  { models: ['gpt-5.*-chat*'], omit: [...SAMPLERS, 'reasoning_effort'] },
  { models: ['gpt-5*-pro*', 'gpt-5*-codex*'], omit: SAMPLERS },
  // These do not reason unless they are told to.
  { models: ['gpt-5.1*', 'gpt-5.2*'], omit: SAMPLERS, unless_effort: ['none', 'default'] },
  // Not published for every one of these: without an effort they are taken to reason.
  { models: ['gpt-5.*'], omit: SAMPLERS, unless_effort: ['none'] },
  { models: ['gpt-5', 'gpt-5-*', 'o1', 'o1-*', 'o3', 'o3-*', 'o4-*', 'codex-mini*'], omit: SAMPLERS },
  { models: ['gpt-4*', 'gpt-3.5*', 'gpt-35*', 'chatgpt-4o*', 'gpt-audio*'], omit: ['reasoning_effort'] },
];

/** What is sent to a model, and what is left out because the model would refuse the whole call. */
export interface FittedSampling {
  readonly sampling: Sampling;
  /** Names of what is left out although leaving it out makes a difference. */
  readonly dropped: readonly (keyof Sampling)[];
}

/**
 * Leaves out what a model refuses.
 *
 * @param model  the name that the endpoint is asked for
 * @param rules  the user's own; of these and then the built-in ones the first that has the model's name counts
 */
export const fitSampling = (
  model: string,
  sampling: Sampling,
  rules: readonly ModelRule[] = [],
): FittedSampling => {
  const rule = [...rules, ...BUILT_IN].find(({ models }) => models.some((pattern) => names(pattern, model)));
  const effort = sampling.reasoning_effort ?? 'default';
  if (rule === undefined || rule.unless_effort?.includes(effort) === true) return { sampling, dropped: [] };
  const kept = Object.entries(sampling).filter(([key]) => !rule.omit.some((omitted) => omitted === key));
  return {
    sampling: Object.fromEntries(kept),
    dropped: rule.omit.filter((key) => sampling[key] !== undefined && sampling[key] !== DEFAULTS[key]),
  };
};

/** What every model does on its own: nothing is lost where it is left out. */
const DEFAULTS: Sampling = { temperature: 1, top_p: 1 };

/** `openai/o3` and `ft:o3-mini:acme` are named by what names `o3` and `o3-mini*`. */
const names = (pattern: string, model: string): boolean => {
  const bare = model.slice(model.lastIndexOf('/') + 1).replace(/^ft:/, '');
  return (
    matches(pattern.toLowerCase(), model.toLowerCase()) || matches(pattern.toLowerCase(), bare.toLowerCase())
  );
};

/** Whether a text fits a pattern in which `*` stands for any text: each piece is looked for behind the one before. */
export const matches = (pattern: string, text: string): boolean => {
  const [head, ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return text === head;
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
  let from = head.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, from);
    if (found === -1) return false;
    from = found + piece.length;
  }
  return from <= text.length - tail.length;
};
