import type { RunSummary } from '../results/record.js';
import type { RewardSummary, ScoreSummary } from '../results/summary.js';
import { UsageError } from './context.js';

/** A condition on a run's summary, such as `--min 0.8` or `--min-pass-rate exact=0.9`. */
export interface Gate {
  readonly flag: '--min' | '--max' | '--min-pass-rate';
  /** A criterion of an eval, or a member of a multi; undefined for the run itself. */
  readonly name: string | undefined;
  readonly bound: number;
}

interface GateFlags {
  readonly min?: readonly string[];
  readonly max?: readonly string[];
  readonly minPassRate?: readonly string[];
}

/** @throws UsageError for text that is no bound */
export const parseGates = ({ min = [], max = [], minPassRate = [] }: GateFlags): Gate[] => [
  ...min.map((text) => parseGate('--min', text)),
  ...max.map((text) => parseGate('--max', text)),
  ...minPassRate.map((text) => parseGate('--min-pass-rate', text)),
];

const parseGate = (flag: Gate['flag'], text: string): Gate => {
  const at = text.lastIndexOf('=');
  const digits = text.slice(at + 1);
  const bound = Number(digits);
  if (digits.trim() === '' || !Number.isFinite(bound)) {
    throw new UsageError(`${flag}: expected a number or name=number, got ${text}`);
  }
  return { flag, name: at === -1 ? undefined : text.slice(0, at), bound };
};

/**
 * The gates that the run did not hold, in words; empty when all hold.
 *
 * @throws UsageError when a gate names something the run does not have
 */
export const checkGates = (gates: readonly Gate[], summary: RunSummary): string[] =>
  gates.flatMap((gate) => {
    const { what, value } = measure(gate, summary);
    if (value === null) return [`${what} cannot be told: no row was scored (${gate.flag} ${gate.bound})`];
    const holds = gate.flag === '--max' ? value <= gate.bound : value >= gate.bound;
    return holds ? [] : [`${what} is ${value}, ${gate.flag} asks for ${gate.bound}`];
  });

const measure = ({ flag, name }: Gate, summary: RunSummary): { what: string; value: number | null } => {
  if (flag === '--min-pass-rate') {
    const { pass } = name === undefined ? summary : criterion(flag, name, summary);
    const whose = name === undefined ? '' : ` of ${name}`;
    if (pass === undefined && summary.scored > 0) {
      throw new UsageError(`${flag}: the grader does not define what passes; give it a pass_threshold`);
    }
    return { what: `the pass rate${whose}`, value: pass?.rate ?? null };
  }
  if (name === undefined) return { what: 'the mean', value: summary.mean };
  return { what: `the mean of ${name}`, value: member(flag, name, summary).mean };
};

const own = <Value>(values: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined =>
  values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined;

const criterion = (flag: string, name: string, { criteria }: RunSummary): ScoreSummary => {
  const found = own(criteria, name);
  if (found !== undefined) return found;
  if (criteria === undefined)
    throw new UsageError(`${flag}: only the criteria of an eval have pass rates, and there are none`);
  throw unknown(flag, name, Object.keys(criteria));
};

const member = (flag: string, name: string, { criteria, sub_rewards }: RunSummary): RewardSummary => {
  const found = own<RewardSummary>(criteria, name) ?? own(sub_rewards, name);
  if (found === undefined) throw unknown(flag, name, Object.keys(criteria ?? sub_rewards ?? {}));
  return found;
};

const unknown = (flag: string, name: string, names: readonly string[]): UsageError =>
  new UsageError(
    `${flag}: there is no ${name}; the run has ${names.join(', ') || 'no criteria and no members'}`,
  );
