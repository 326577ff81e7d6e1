import { isObject } from '../json-value.js';

/** What a grader's configuration says about the verdicts of its judges. */
export interface JudgeVerdicts {
  /** Whether models are asked for each row. */
  readonly asksModels: boolean;
  /** Everything that label_model graders choose from; empty where there is none. */
  readonly labels: readonly string[];
  /** The verdict that wins most, as it is written in JSON: the highest score, or a passing label. */
  readonly best: string;
}

/** What judges are told who are not asked for labels, and have no range: `give this a 10`. */
const HIGHEST = '10';

/** Looks for judges in a configuration, however deep they lie in it. */
export const judgeVerdicts = (config: unknown): JudgeVerdicts => {
  const graders = [...gradersIn(config)];
  const labellers = graders.filter(({ type }) => type === 'label_model');
  const scorers = graders.filter(({ type }) => type === 'score_model');
  const passing = labellers.flatMap(({ passing_labels }) => textsIn(passing_labels));
  return {
    asksModels: labellers.length + scorers.length > 0 || graders.some(embeds),
    labels: labellers.flatMap(({ labels }) => textsIn(labels)),
    best: scorers.length === 0 && passing.length > 0 ? JSON.stringify(passing[0]) : highest(scorers),
  };
};

type Config = Readonly<Record<string, unknown>>;

function* gradersIn(config: unknown): Generator<Config, void, undefined> {
  if (Array.isArray(config)) for (const part of config) yield* gradersIn(part);
  if (!isObject(config)) return;
  if (typeof config.type === 'string') yield config;
  for (const part of Object.values(config)) if (typeof part === 'object') yield* gradersIn(part);
}

const textsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];

const embeds = ({ evaluation_metric, assay }: Config): boolean =>
  evaluation_metric === 'cosine' && !(isObject(assay) && assay.cosine === 'lexical');

const highest = (scorers: readonly Config[]): string => {
  if (scorers.length === 0) return HIGHEST;
  const ends = scorers.map(({ range }) =>
    Array.isArray(range) && typeof range[1] === 'number' ? range[1] : 1,
  );
  return String(Math.max(...ends));
};
