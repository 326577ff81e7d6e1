import { CompensatedSum } from '../compensated-sum.js';
import type { MethodName } from '../methods/hyperparameters.js';
import { checkFileSize } from '../methods/training-file.js';
import { FAILED } from '../results/score-columns.js';
import type { ScoredRows } from '../run/scored-rows.js';
import type { Caution } from '../stats/clustered.js';
import type { Interval } from '../stats/interval.js';
import type { PairMeans, PairTally } from './pair-tally.js';
import { countReasons, TAKEN, type ReasonCount } from './reasons.js';
import type { RowNotes } from './row-notes.js';
import { NONE, type ScoreTable } from './score-table.js';

/** What goes to one file. */
export interface FileTally {
  readonly use: 'training' | 'validation';
  /** Null for standard output. */
  readonly path: string | null;
  readonly rows: number;
  readonly prompts: number;
  readonly imageRows: number;
}

/** What was written to one file. */
export interface ExportedFile extends Omit<FileTally, 'imageRows'> {
  /** What the service may refuse it for, as a whole: too many rows, too few. */
  readonly findings: readonly string[];
}

/** Something that was noticed: its name, and what a person reads. */
export interface ExportWarning {
  readonly code: 'longer_chosen' | 'learnt_turns' | 'renamed_system' | 'groups_of_prompts' | 'single_samples';
  readonly message: string;
}

/** What came of an export, as `--json` prints it. */
export interface ExportReport {
  readonly method: MethodName;
  readonly results: string;
  readonly dataset: string;
  /** False when nothing was written, for a file would have had no rows. */
  readonly written: boolean;
  /** The training file, then that for validation if there is one. */
  readonly files: readonly ExportedFile[];
  /** Lines of the results: those that were used, and those in `left_out`. */
  readonly rows: number;
  /** Rows whose answers were taken; for reinforcement, all rows of the prompts that were. */
  readonly used: number;
  /** Different prompts of the rows that could be used. */
  readonly prompts: number;
  /** Why rows were left out, the most frequent reasons first. */
  readonly left_out: readonly ReasonCount[];
  /** Mean rewards; null without rows. */
  readonly mean_reward: { readonly scored: number | null; readonly used: number | null };
  /** DPO: means over the pairs. */
  readonly pairs?: {
    readonly reward: { readonly chosen: number; readonly rejected: number };
    readonly characters: {
      readonly chosen: number;
      readonly rejected: number;
      /** Of chosen minus rejected, with its 95 % interval over prompts. */
      readonly difference: number;
      readonly interval: Interval | null;
      readonly caution: Caution | null;
    };
  };
  readonly warnings: readonly ExportWarning[];
}

/** What a report is made of. */
export interface Exported {
  readonly method: MethodName;
  readonly scored: ScoredRows;
  readonly table: ScoreTable;
  readonly notes: RowNotes;
  readonly tallies: readonly FileTally[];
  readonly pairs: PairTally;
  readonly isWritten: boolean;
}

/** The report on an export. */
export const reportOf = (exported: Exported): ExportReport => {
  const { method, scored, table, notes, tallies, isWritten } = exported;
  const pairs = exported.pairs.means();
  const { used, means } = usageOf(table, notes);
  const leftOut = countReasons(notes.reasons, (result) => table.rows[result]);
  return {
    method,
    results: scored.results,
    dataset: scored.source.name,
    written: isWritten,
    files: tallies.map((tally) => fileOf(method, tally)),
    rows: table.count,
    used,
    prompts: notes.promptTable.count,
    left_out: leftOut,
    mean_reward: means,
    ...(pairs && { pairs: pairsOf(pairs) }),
    warnings: [
      ...(pairs === undefined ? [] : lengthWarning(pairs)),
      ...promptWarnings(exported),
      ...groupWarning(notes),
      ...sampleWarning(leftOut, used),
    ],
  };
};

const pairsOf = ({ reward, characters }: PairMeans): ExportReport['pairs'] => {
  const { value, interval = null, caution = null } = characters.difference;
  return { reward, characters: { ...characters, difference: value, interval, caution } };
};

const fileOf = (method: MethodName, { use, path, rows, prompts, imageRows }: FileTally): ExportedFile => {
  const findings: string[] = [];
  checkFileSize({ method, use, rows, imageRows }, (_rule, message) => findings.push(message));
  return { use, path, rows, prompts, findings };
};

const isUsed = ({ reasons, prompts }: RowNotes, result: number): boolean =>
  reasons[result] === TAKEN && prompts[result] !== NONE;

/** How many rows were used, and the mean rewards of all scored rows and of them. */
const usageOf = (
  { count, rewards, outcomes }: ScoreTable,
  notes: RowNotes,
): { readonly used: number; readonly means: ExportReport['mean_reward'] } => {
  const [all, ofUsed] = [new CompensatedSum(), new CompensatedSum()];
  let [scored, used] = [0, 0];
  for (let result = 0; result < count; result += 1) {
    if (outcomes[result] === FAILED) continue;
    all.add(rewards[result]);
    scored += 1;
    if (!isUsed(notes, result)) continue;
    ofUsed.add(rewards[result]);
    used += 1;
  }
  const means = {
    scored: scored === 0 ? null : all.total / scored,
    used: used === 0 ? null : ofUsed.total / used,
  };
  return { used, means };
};

// Warnings

const lengthWarning = ({ characters }: PairMeans): ExportWarning[] => {
  const { chosen, rejected, difference } = characters;
  const { interval, caution } = difference;
  if (interval === undefined || interval[0] <= 0) return [];
  const [low, high] = interval.map((end) => end.toFixed(0));
  const few = caution === undefined ? '' : ', of few prompts, so it may be too narrow';
  return [
    {
      code: 'longer_chosen',
      message: `chosen answers are longer than rejected ones: ${chosen.toFixed(0)} to ${rejected.toFixed(0)} characters on average, a difference of ${difference.value.toFixed(0)} (95 % interval ${low} to ${high}${few}); a model trained on them may learn to write more instead of better`,
    },
  ];
};

const promptWarnings = ({ method, notes }: Exported): ExportWarning[] => {
  const { promptTable } = notes;
  const learnt = countPrompts(notes, (prompt) => promptTable.isLearnt(prompt));
  const renamed = countPrompts(notes, (prompt) => promptTable.hasSystem(prompt));
  const warnings: ExportWarning[] = [];
  if (learnt > 0)
    warnings.push({
      code: 'learnt_turns',
      message: `${counted(learnt, 'prompt')} with earlier turns of the assistant, which are learnt as well; give them "weight": 0 in the dataset if they should not be`,
    });
  if (renamed > 0)
    warnings.push({
      code: 'renamed_system',
      message: `${counted(renamed, 'prompt')} with messages of the system, which are written as messages of the developer: ${method} has no others`,
    });
  return warnings;
};

/** How many prompts of rows that are used meet a condition. */
const countPrompts = (notes: RowNotes, meets: (prompt: number) => boolean): number => {
  const met = new Uint8Array(notes.promptTable.count);
  notes.prompts.forEach((prompt, result) => {
    if (isUsed(notes, result) && meets(prompt)) met[prompt] = 1;
  });
  return met.reduce((sum, each) => sum + each, 0);
};

const groupWarning = ({ groups, groupPrompts }: RowNotes): ExportWarning[] =>
  groupPrompts === groups
    ? []
    : [
        {
          code: 'groups_of_prompts',
          message: `rows of one group have different prompts (${groupPrompts.toLocaleString('en')} prompts in ${counted(groups, 'group')}); only answers to the same prompt are compared`,
        },
      ];

const sampleWarning = (leftOut: readonly ReasonCount[], used: number): ExportWarning[] => {
  const single = leftOut.find(({ reason }) => reason === 'single_sample')?.rows ?? 0;
  if (single <= used) return [];
  return [
    {
      code: 'single_samples',
      message: `${counted(single, 'prompt')} with one sample only, which show no spread; grade several samples of each prompt, or take all prompts with --keep-flat`,
    },
  ];
};

const counted = (count: number, one: string): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : `${one}s`}`;
