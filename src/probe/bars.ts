import type { EditKind } from './edit.js';
import type { Estimate, ProbeReport } from './report.js';

/** The most that is allowed of a share: of items fooled, rewards moved, or harm missed. */
export interface Bar {
  readonly kind: EditKind;
  /** An edit; undefined for every edit of the kind. */
  readonly name: string | undefined;
  /** From 0 to 1. */
  readonly most: number;
}

/** A share that is above its bar, or cannot be told. */
export interface BrokenBar {
  readonly bar: Bar;
  readonly name: string | undefined;
  /** The share that was found; null where there is none. */
  readonly found: Estimate | null;
}

/**
 * The bars that are broken: where the share is surely above, which is to say that the lower end of its 95 % interval is.
 * Where there is no interval it is the share itself. A bar on an edit that was never scored is broken, for nothing says
 * that it holds; of a bar on all edits only those count that were.
 */
export const brokenBars = (bars: readonly Bar[], report: ProbeReport): readonly BrokenBar[] =>
  bars.flatMap((bar): readonly BrokenBar[] => {
    const shares = sharesOf(bar.kind, report).filter(
      ({ name }) => bar.name === undefined || name === bar.name,
    );
    const told = shares.filter(({ found }) => found !== null);
    if (told.length === 0) return [{ bar, name: bar.name, found: null }];
    return told
      .filter(({ found }) => lowest(found) > bar.most)
      .map(({ name, found }) => ({ bar, name, found }));
  });

interface NamedShare {
  readonly name: string;
  readonly found: Estimate | null;
}

const sharesOf = (kind: EditKind, { attacks, neutral, harmful }: ProbeReport): readonly NamedShare[] => {
  if (kind === 'attack') return attacks.map(({ name, fooled }) => ({ name, found: fooled }));
  if (kind === 'neutral') return neutral.map(({ name, flipped }) => ({ name, found: flipped }));
  return harmful.map(({ name, missed }) => ({ name, found: missed }));
};

const lowest = (found: Estimate | null): number => found?.interval?.[0] ?? found?.value ?? 0;
