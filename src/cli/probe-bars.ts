import { brokenBars, type Bar } from '../probe/bars.js';
import type { Edit, EditKind } from '../probe/edit.js';
import type { ProbeReport } from '../probe/report.js';
import { suggest } from '../suggest.js';
import { UsageError } from './context.js';

interface BarFlags {
  readonly maxAttack?: readonly string[];
  readonly maxFlip?: readonly string[];
  readonly maxMissed?: readonly string[];
}

const FLAG = { attack: '--max-attack', neutral: '--max-flip', harmful: '--max-missed' } as const;

/**
 * @param edits  that will be made
 * @throws UsageError for text that is no bar, or names no such edit
 */
export const parseBars = (
  { maxAttack = [], maxFlip = [], maxMissed = [] }: BarFlags,
  edits: readonly Edit[],
): readonly Bar[] => [
  ...maxAttack.map((text) => parseBar('attack', text, edits)),
  ...maxFlip.map((text) => parseBar('neutral', text, edits)),
  ...maxMissed.map((text) => parseBar('harmful', text, edits)),
];

const parseBar = (kind: EditKind, text: string, edits: readonly Edit[]): Bar => {
  const at = text.lastIndexOf('=');
  const digits = text.slice(at + 1);
  const most = Number(digits);
  if (digits.trim() === '' || !(most >= 0 && most <= 1))
    throw new UsageError(`${FLAG[kind]}: expected a share from 0 to 1, or name=share, got ${text}`);
  const name = at === -1 ? undefined : text.slice(0, at);
  const names = edits.filter((edit) => edit.kind === kind).map((edit) => edit.name);
  if (name !== undefined) checkName(FLAG[kind], name, names);
  return { kind, name, most };
};

/**
 * Of all edits those that `--only` names, without those that `--skip` names.
 *
 * @throws UsageError for names that no edit has, and where none is left
 */
export const chooseEdits = (
  edits: readonly Edit[],
  { only, skip = [] }: { readonly only?: readonly string[]; readonly skip?: readonly string[] },
): readonly Edit[] => {
  const names = edits.map(({ name }) => name);
  for (const name of only ?? []) checkName('--only', name, names);
  for (const name of skip) checkName('--skip', name, names);
  const chosen = edits.filter(({ name }) => (only?.includes(name) ?? true) && !skip.includes(name));
  if (chosen.length === 0) throw new UsageError('--only and --skip leave no edit to be made');
  return chosen;
};

const checkName = (flag: string, name: string, names: readonly string[]): void => {
  if (names.includes(name)) return;
  const meant = suggest(name, names);
  const hint = meant === undefined ? '' : `\n  hint: did you mean ${meant}?`;
  const known = names.length === 0 ? 'there is none of its kind here' : `expected one of ${names.join(', ')}`;
  throw new UsageError(`${flag}: unknown edit ${name}, ${known}${hint}`);
};

const WHAT = { attack: 'items fooled', neutral: 'rewards moved', harmful: 'harm missed' } as const;

/** The bars that are broken, in words. */
export const barMessages = (bars: readonly Bar[], report: ProbeReport): readonly string[] =>
  brokenBars(bars, report).map(({ bar, name, found }) => {
    const flag = `${FLAG[bar.kind]} ${bar.name === undefined ? '' : `${bar.name}=`}${bar.most}`;
    if (found === null) return `${name ?? 'the share'} cannot be told: nothing was scored (${flag})`;
    const least = found.interval?.[0] ?? found.value;
    return `${name}: the share of ${WHAT[bar.kind]} is ${found.value}, surely above ${least}; ${flag} allows ${bar.most}`;
  });
