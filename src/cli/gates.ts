import type { ReadyGrader } from '../engine.js';
import type { RunSummary } from '../results/record.js';
import type { RewardSummary, ScoreSummary } from '../results/summary.js';
import { suggest } from '../suggest.js';
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
  if (flag === '--min-pass-rate' && (bound < 0 || bound > 1)) {
    throw new UsageError(`${flag}: expected a share from 0 to 1, got ${digits}`);
  }
  return { flag, name: at === -1 ? undefined : text.slice(0, at), bound };
};

/**
 * Checks before the first row that every gate names something that the run will have.
 *
 * @throws UsageError
 */
export const checkGateNames = (
  gates: readonly Gate[],
  { criteria, members }: Pick<ReadyGrader, 'criteria' | 'members'>,
): void => {
  for (const { flag, name } of gates) {
    const names = flag === '--min-pass-rate' ? criteria : [...criteria, ...members];
    if (name !== undefined && !names.includes(name)) throw unknownName(flag, name, names);
  }
};

const unknownName = (flag: Gate['flag'], name: string, names: readonly string[]): UsageError => {
  const meant = suggest(name, names);
  const hint = meant === undefined ? '' : `\n  hint: did you mean ${meant}?`;
  if (names.length > 0)
    return new UsageError(`${flag}: unknown name ${name}, expected one of ${names.join(', ')}${hint}`);
  const named =
    flag === '--min-pass-rate' ? 'criteria of an eval' : 'criteria of an eval and members of a multi';
  return new UsageError(`${flag}: unknown name ${name}; only ${named} have names, and there are none here`);
};

/**
 * The gates that the run did not hold, in words; empty when all hold.
 *
 * @throws UsageError when a gate asks for a pass rate that the grader does not define
 */
export const checkGates = (gates: readonly Gate[], summary: RunSummary): string[] =>
  gates.flatMap((gate) => {
    const { what, value } = measure(gate, summary);
    if (value === null) return [`${what} cannot be told: no row was scored (${gate.flag} ${gate.bound})`];
    const holds = gate.flag === '--max' ? value <= gate.bound : value >= gate.bound;
    return holds ? [] : [`${what} is ${value}, ${gate.flag} asks for ${gate.bound}`];
  });

const measure = ({ flag, name }: Gate, summary: RunSummary): { what: string; value: number | null } => {
  const { criteria, sub_rewards } = summary;
  const whose = name === undefined ? '' : ` of ${name}`;
  const judged: ScoreSummary | undefined = name === undefined ? summary : own(criteria, name);
  if (flag !== '--min-pass-rate') {
    const measured: RewardSummary | undefined = judged ?? own(sub_rewards, name);
    return { what: `the mean${whose}`, value: measured?.mean ?? null };
  }
  if (judged !== undefined && judged.pass === undefined && judged.scored > 0) {
    throw new UsageError(`${flag}: the grader does not define what passes; give it a pass_threshold`);
  }
  return { what: `the pass rate${whose}`, value: judged?.pass?.rate ?? null };
};

/** Without any row there is nothing under a name; that the name is right was checked before. */
const own = <Value>(values: Readonly<Record<string, Value>> | undefined, name = ''): Value | undefined =>
  values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined;
