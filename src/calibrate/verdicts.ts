import { closeSync, existsSync, openSync } from 'node:fs';
import { groupBy } from '../group-by.js';
import { scanLines } from '../judge/cache-lines.js';
import { parseEvidence, type EvidenceLine } from '../judge/replay.js';
import type { RatingAgreement } from '../results/judge-agreement.js';
import { JudgeTally } from '../results/judge-tally.js';
import { KeyNumbers } from '../results/key-numbers.js';
import { evidencePath } from '../results/record.js';
import { commonest, type TextCodes } from './labels.js';

/** How far a judge repeats itself when it is asked several times about a row. */
export interface Consistency extends RatingAgreement {
  /** The member or criterion that asked; null for a grader alone. */
  readonly grader: string | null;
  readonly judge: string;
  /** Verdicts on a row, on average over rows that have any. */
  readonly verdicts_a_row: number;
  /**
   * The highest kappa (or correlation) that scores made of this judge's verdicts could reach with labels without error:
   * √reliability, with the reliability of so many verdicts together by Spearman and Brown. null where alpha is undefined.
   */
  readonly kappa_ceiling: number | null;
}

/** What judges said of rows, beside their scores. */
export interface Verdicts {
  /** Of each judge that was asked several times. */
  readonly consistency: readonly Consistency[];
  /** The names of graders that gave labels; undefined for a grader alone. */
  readonly labelling: readonly (string | undefined)[];
  /** Lines of the file that are no verdict. */
  readonly damaged: number;
  /** The label that a row was given by most of its verdicts; NaN for a tie, or without any. */
  labelOf(row: number, sample: number | undefined): number;
}

/**
 * Reads what judges said beside results.
 *
 * @param results  the file of result lines
 * @param member  only what this member of a multi, or criterion, has asked
 * @param texts  numbers the labels
 * @returns undefined where there is no such file
 */
export const readVerdicts = (
  results: string,
  member: string | undefined,
  texts: TextCodes,
): Verdicts | undefined => {
  const path = evidencePath(results);
  if (!existsSync(path)) return undefined;
  const reader = new VerdictReader(member, texts);
  const fd = openSync(path, 'r');
  try {
    scanLines(fd, 0, (line) => reader.add(parseEvidence(line.toString())));
  } finally {
    closeSync(fd);
  }
  return reader.finish();
};

class VerdictReader {
  private readonly tally = new JudgeTally();
  private readonly counts = new Map<string, { rows: number; verdicts: number }>();
  private readonly keys = new KeyNumbers();
  private readonly codes: number[] = [];
  private readonly labelling = new Set<string | undefined>();
  private damaged = 0;
  private ofRow: EvidenceLine[] = [];

  constructor(
    private readonly member: string | undefined,
    private readonly texts: TextCodes,
  ) {}

  add(line: EvidenceLine | undefined): void {
    if (line === undefined) {
      this.damaged += 1;
      return;
    }
    if (this.member !== undefined && !isOf(this.member, line.grader)) return;
    const [first] = this.ofRow;
    if (first !== undefined && (first.row !== line.row || first.sample !== line.sample)) this.endRow();
    this.ofRow.push(line);
  }

  /** Adds up a row, whose verdicts stand together. */
  private endRow(): void {
    const { ofRow } = this;
    this.ofRow = [];
    this.tally.add(ofRow);
    const given = ofRow.filter(({ code }) => code === undefined);
    for (const [name, verdicts] of groupBy(given, nameOf)) {
      const count = this.counts.get(name) ?? { rows: 0, verdicts: 0 };
      this.counts.set(name, { rows: count.rows + 1, verdicts: count.verdicts + verdicts.length });
    }
    const labels = given.flatMap(({ grader, result, verdict = result }) => {
      if (typeof verdict !== 'string') return [];
      this.labelling.add(grader);
      return [this.texts.codeOf(verdict)];
    });
    if (labels.length === 0) return;
    const [{ row, sample }] = ofRow;
    this.codes[this.keys.numberOf(keyOf(row, sample))] = commonest(labels);
  }

  finish(): Verdicts {
    if (this.ofRow.length > 0) this.endRow();
    const { keys, codes, labelling, damaged } = this;
    return {
      consistency: this.consistency(),
      labelling: [...labelling],
      damaged,
      labelOf: (row, sample) => codes[keys.numberOf(keyOf(row, sample))] ?? NaN,
    };
  }

  private consistency(): Consistency[] {
    return this.tally.summary().flatMap(({ grader, judges }) =>
      judges.flatMap(({ judge, repeats }) => {
        if (repeats === undefined) return [];
        const { rows, verdicts } = this.counts.get(nameOf({ grader, judge })) ?? { rows: 1, verdicts: 1 };
        const aRow = verdicts / rows;
        return [
          {
            grader: grader ?? null,
            judge,
            verdicts_a_row: aRow,
            ...repeats,
            kappa_ceiling: kappaCeiling(repeats.alpha, aRow),
          },
        ];
      }),
    );
  }
}

const isOf = (member: string, grader: string | undefined): boolean =>
  grader === member || grader?.startsWith(`${member}.`) === true;

const nameOf = ({ grader, judge }: Pick<EvidenceLine, 'grader' | 'judge'>): string =>
  JSON.stringify([grader, judge]);

const keyOf = (row: number, sample: number | undefined): string => `${row} ${sample ?? ''}`;

/**
 * The kappa that a judge could reach with labels without error, were its verdicts right but for their noise: ratings
 * correlate with nothing by more than the root of their reliability, and kappa is at most that correlation (for more than
 * two classes by Aczél's inequality).
 *
 * @param alpha  agreement of single verdicts on the same row
 * @param verdicts  how many are combined into a score
 * @see Spearman 1910, https://doi.org/10.1111/j.2044-8295.1910.tb00206.x (attenuation, and several verdicts together)
 */
export const kappaCeiling = (alpha: number | null, verdicts: number): number | null => {
  if (alpha === null) return null;
  const single = Math.max(0, alpha);
  return Math.sqrt((verdicts * single) / (1 + (verdicts - 1) * single));
};
