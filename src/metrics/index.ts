/** The metrics by themselves: pure functions from candidate and reference to a score. The package's `assay/metrics`. */

export {
  bleu,
  NLTK_SMOOTHINGS,
  SACREBLEU_SMOOTHINGS,
  type BleuOptions,
  type NltkSmoothing,
  type SacrebleuSmoothing,
} from './bleu.js';
export { cosineSimilarity, loadLexicalCosine } from './cosine.js';
export {
  FUZZY_PROCESSORS,
  FUZZY_SCORERS,
  fuzzyMatch,
  type FuzzyOptions,
  type FuzzyProcessor,
  type FuzzyScorer,
} from './fuzzy.js';
export { gleu, type GleuOptions } from './gleu.js';
export { meteor, type MeteorOptions } from './meteor.js';
export type { Metric } from './metric.js';
export { porterStem } from './porter.js';
export {
  DEFAULT_PROFILE,
  EVALUATION_METRICS,
  PROFILE_NAMES,
  PROFILES,
  resolveProfile,
  textMetric,
  type EvaluationMetric,
  type Profile,
  type ProfileName,
  type TextMetricName,
  type TextMetricOptions,
} from './profiles.js';
export {
  ROUGE_MEASURES,
  ROUGE_TOKENIZERS,
  rougeL,
  rougeN,
  type RougeLOptions,
  type RougeMeasure,
  type RougeOptions,
  type RougeTokenizer,
} from './rouge.js';
export { TOKENIZER_NAMES, tokenizer, type Tokenizer, type TokenizerName } from './tokenize/index.js';
