import type { Comparison, MeasureComparison } from '../results/compare.js';
import { MIN_UNITS } from '../results/conclusion.js';
import { suggest } from '../suggest.js';
import { UsageError } from './context.js';

/** A condition on a comparison, such as `--max-regression 0.01` or `--min-improvement exact=0.05`. */
export interface CompareGate {
  readonly flag: '--max-regression' | '--min-improvement';
  /** A member of a multi or a criterion of an eval; undefined for the reward itself. */
  readonly name: string | undefined;
  /** At least 0. */
  readonly bound: number;
}

interface CompareGateFlags {
  readonly maxRegression?: readonly string[];
  readonly minImprovement?: readonly string[];
}

/** @throws UsageError for text that is no bound */
export const parseCompareGates = ({
  maxRegression = [],
  minImprovement = [],
}: CompareGateFlags): CompareGate[] => [
  ...maxRegression.map((text) => parseGate('--max-regression', text)),
  ...minImprovement.map((text) => parseGate('--min-improvement', text)),
];

const parseGate = (flag: CompareGate['flag'], text: string): CompareGate => {
  const at = text.lastIndexOf('=');
  const digits = text.slice(at + 1);
  const bound = Number(digits);
  if (digits.trim() === '' || !Number.isFinite(bound) || bound < 0)
    throw new UsageError(`${flag}: expected a number from 0 up, or name=number, got ${text}`);
  return { flag, name: at === -1 ? undefined : text.slice(0, at), bound };
};

/**
 * The gates that a comparison does not hold, in words. Both look at the lower end of the 95 % interval of B − A, which
 * the true difference is hardly below: `--max-regression X` holds when B is surely not worse by more than X,
 * `--min-improvement X` when it is surely better by at least X.
 *
 * @throws UsageError when a gate names what the results do not have
 */
export const checkCompareGates = (gates: readonly CompareGate[], comparison: Comparison): string[] =>
  gates.flatMap(({ flag, name, bound }) => {
    const measure = measureOf(flag, name, comparison);
    const what = `the difference${name === undefined ? '' : ` of ${name}`}`;
    const lowest = measure === null ? undefined : lowestDifference(measure);
    if (lowest === undefined) return [`${what} cannot be told: too few pairs (${flag} ${bound})`];
    const least = flag === '--max-regression' ? -bound : bound;
    if (lowest >= least) return [];
    return [`${what} may be as low as ${lowest}, ${flag} ${bound} asks for at least ${least}`];
  });

/** Where every pair has the same difference there is no interval, and nothing to be unsure of in these rows. */
const lowestDifference = (measure: MeasureComparison): number | undefined => {
  const { interval, difference, pairs, clusters, same } = measure;
  if ((clusters ?? pairs) < MIN_UNITS) return undefined;
  return interval === null || same === pairs ? difference : interval[0];
};

const measureOf = (
  flag: CompareGate['flag'],
  name: string | undefined,
  { reward, sub_rewards, criteria }: Comparison,
): MeasureComparison | null => {
  if (name === undefined) return reward;
  const named = { ...sub_rewards, ...criteria };
  if (Object.hasOwn(named, name)) return named[name];
  const names = Object.keys(named);
  if (names.length === 0)
    throw new UsageError(`${flag}: unknown name ${name}; these results have no members and no criteria`);
  const meant = suggest(name, names);
  const hint = meant === undefined ? '' : `\n  hint: did you mean ${meant}?`;
  throw new UsageError(`${flag}: unknown name ${name}, expected one of ${names.join(', ')}${hint}`);
};
