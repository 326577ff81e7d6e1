import type { GraderDefinition } from '../src/contract.js';
import { labelModel, type LabelModelConfig } from './label_model.js';
import { multi, type MultiConfig } from './multi.js';
import { python, type PythonConfig } from './python.js';
import { scoreModel, type ScoreModelConfig } from './score_model.js';
import { stringCheck, type StringCheckConfig } from './string_check.js';
import { textSimilarity, type TextSimilarityConfig } from './text_similarity.js';

/** Every grader that comes with the package: a line each. */
export const builtinGraders: readonly GraderDefinition[] = [
  stringCheck,
  textSimilarity,
  python,
  scoreModel,
  labelModel,
  multi,
];

/** A grader as it stands in a file, told apart by its `type`. */
export type GraderConfig =
  | StringCheckConfig
  | TextSimilarityConfig
  | PythonConfig
  | ScoreModelConfig
  | LabelModelConfig
  | MultiConfig;

export type {
  LabelModelConfig,
  MultiConfig,
  PythonConfig,
  ScoreModelConfig,
  StringCheckConfig,
  TextSimilarityConfig,
};
