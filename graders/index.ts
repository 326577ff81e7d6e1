import type { GraderDefinition } from '../src/contract.js';
import { multi, type MultiConfig } from './multi.js';
import { python, type PythonConfig } from './python.js';
import { stringCheck, type StringCheckConfig } from './string_check.js';
import { textSimilarity, type TextSimilarityConfig } from './text_similarity.js';

/** Every grader that comes with the package: a line each. */
export const builtinGraders: readonly GraderDefinition[] = [stringCheck, textSimilarity, python, multi];

/** A grader as it stands in a file, told apart by its `type`. */
export type GraderConfig = StringCheckConfig | TextSimilarityConfig | PythonConfig | MultiConfig;

export type { MultiConfig, PythonConfig, StringCheckConfig, TextSimilarityConfig };
