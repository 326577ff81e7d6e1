import { styleText } from 'node:util';
import { byStrength } from '../probe/conclusion.js';
import type {
  AttackResult,
  EditResult,
  Estimate,
  HarmfulResult,
  HonestResult,
  NeutralResult,
  ProbeExample,
  ProbeReport,
} from '../probe/report.js';
import { printable } from '../show.js';
import { counted, intervalText, number, percent, tableLines, wrap } from './layout.js';
import { dataPlace } from './run.js';

/** How a report is shown. */
export interface ProbeLook {
  /** The dataset, for places. */
  readonly data: readonly string[];
  readonly colour: boolean;
  readonly columns: number;
}

/** What a person reads of a probe; what came out comes first. */
export const renderProbe = (report: ProbeReport, look: ProbeLook): string => {
  const { columns, colour } = look;
  const bold = (text: string): string => (colour ? styleText('bold', text, { validateStream: false }) : text);
  const lines = [
    ...report.conclusion.flatMap((sentence) => wrap(printable(sentence), columns).map(bold)),
    ...report.warnings.flatMap((warning) => wrap(printable(`warning: ${warning}`), columns, 2)),
    ...(report.stopped === null
      ? []
      : wrap(printable(`warning: stopped early: ${report.stopped}`), columns, 2)),
    '',
    ...headLines(report, columns),
    ...attackLines(report, look),
    ...neutralLines(report, look),
    ...harmfulLines(report, look),
    ...footnote(report),
  ];
  return `${lines.join('\n')}\n`;
};

const LABEL_WIDTH = 11;

const labelled = (label: string, text: string, columns: number): readonly string[] =>
  wrap(printable(text), columns - LABEL_WIDTH - 2).map(
    (line, index) => `  ${(index === 0 ? label : '').padEnd(LABEL_WIDTH)}${line}`,
  );

const headLines = (report: ProbeReport, columns: number): readonly string[] => {
  const { grader, fields, items, items_of, honest, tolerance, seed } = report;
  const drawn =
    items === items_of ? counted(items, 'item') : `${items} of ${counted(items_of, 'item')}, seed ${seed}`;
  const failed = honest.failed > 0 ? `, ${honest.failed} failed` : '';
  return [
    ...labelled('grader', `${grader.name} (${grader.signature})`, columns),
    ...labelled('edited', fields.join(', '), columns),
    ...labelled('rows', `${counted(honest.rows, 'row')} of ${drawn}${failed}`, columns),
    ...labelled('honest', honestText(honest), columns),
    ...labelled('tolerance', `${number(tolerance)}, within which rewards are the same`, columns),
  ];
};

const honestText = ({ reward, correct, wrong }: HonestResult): string => {
  const mean =
    reward === null ? 'no reward' : `${number(reward.value)} (${intervalText(reward.interval, number)})`;
  const by = [
    ...(correct === undefined
      ? []
      : [`${counted(correct.rows, 'correct answer')} ${meanText(correct.reward)}`]),
    ...(wrong === undefined ? [] : [`${counted(wrong.rows, 'wrong one')} ${meanText(wrong.reward)}`]),
  ];
  return [mean, ...by].join('; ');
};

const meanText = (estimate: Estimate | null): string => (estimate === null ? '–' : number(estimate.value));

const attackLines = ({ attacks }: ProbeReport, look: ProbeLook): readonly string[] =>
  section(
    ['attack', 'reward', 'honest', 'fooled', '95 % interval', 'failed'],
    attacks.toSorted(byStrength),
    (attack) => [meanText(attack.reward), attack.honest_reward === null ? '–' : number(attack.honest_reward)],
    ({ fooled }: AttackResult) => fooled,
    look,
  );

const neutralLines = ({ neutral }: ProbeReport, look: ProbeLook): readonly string[] => {
  const isLabelled = neutral.some(({ flipped_correct }) => flipped_correct !== undefined);
  const ofCorrect = ({ flipped_correct }: NeutralResult): readonly string[] =>
    isLabelled ? [flipped_correct ? percent(flipped_correct.value) : '–'] : [];
  return section(
    [
      'neutral edit',
      'rows',
      'mean move',
      ...(isLabelled ? ['of correct'] : []),
      'flipped',
      '95 % interval',
      'failed',
    ],
    neutral.toSorted((a, b) => valueOf(b.flipped) - valueOf(a.flipped)),
    (result) => [
      String(result.rows),
      result.mean_move === null ? '–' : number(result.mean_move),
      ...ofCorrect(result),
    ],
    ({ flipped }: NeutralResult) => flipped,
    look,
  );
};

const harmfulLines = ({ harmful }: ProbeReport, look: ProbeLook): readonly string[] =>
  section(
    ['harmful edit', 'rows', 'mean fall', 'missed', '95 % interval', 'failed'],
    harmful.toSorted((a, b) => valueOf(b.missed) - valueOf(a.missed)),
    ({ rows, mean_fall }) => [String(rows), mean_fall === null ? '–' : number(mean_fall)],
    ({ missed }: HarmfulResult) => missed,
    look,
  );

const valueOf = (estimate: Estimate | null): number => estimate?.value ?? -1;

/** So many edits of a kind are shown with their worst rows. */
const SHOWN_EDITS = 3;

/** A table of edits, those that it does not show, and the worst rows of the first ones. */
const section = <Result extends EditResult>(
  header: readonly string[],
  results: readonly Result[],
  cells: (result: Result) => readonly string[],
  share: (result: Result) => Estimate | null,
  look: ProbeLook,
): readonly string[] => {
  if (results.length === 0) return [];
  const made = results.filter(({ rows }) => rows > 0);
  const unused = results.filter(({ rows }) => rows === 0).map(({ name }) => name);
  const hasFailures = made.some(({ failed }) => failed > 0);
  const width = hasFailures ? header.length : header.length - 1;
  const table = made.map((result) => [
    result.name,
    ...cells(result),
    ...shareCells(share(result)),
    String(result.failed),
  ]);
  const shown = made.filter(({ examples }) => examples.length > 0).slice(0, SHOWN_EDITS);
  return [
    '',
    ...(made.length === 0
      ? []
      : tableLines(
          [header, ...table].map((line) => line.slice(0, width)),
          look.columns,
        )),
    ...(unused.length === 0 ? [] : wrap(`not applicable: ${unused.join(', ')}`, look.columns, 2)),
    ...shown.flatMap(({ name, examples }) =>
      examples.flatMap((example) => exampleLines(name, example, look)),
    ),
  ];
};

const shareCells = (estimate: Estimate | null): readonly string[] => {
  if (estimate === null) return ['–', '–'];
  const mark = estimate.caution === 'few_clusters' ? '*' : '';
  return [percent(estimate.value), `${intervalText(estimate.interval, (end) => percent(end))}${mark}`];
};

const exampleLines = (
  name: string,
  { place, honest, edited, honest_reward, edited_reward }: ProbeExample,
  { data, columns }: ProbeLook,
): readonly string[] => {
  const at = Math.max(
    0,
    edited.findIndex((text, index) => text !== honest[index]),
  );
  const rewards = `${number(honest_reward)} → ${number(edited_reward)}`;
  return [
    ...wrap(printable(`${name}: ${rewards} at ${dataPlace(data, place)}`), columns, 4),
    `      ${excerpt(edited[at] ?? '', honest[at] ?? '', columns - 8)}`,
  ];
};

/** How much of the text is shown before the first change. */
const BEFORE = 24;

/** The text where it begins to differ from another one, in a length that fits. */
const excerpt = (text: string, other: string, length: number): string => {
  let same = 0;
  while (same < text.length && text[same] === other[same]) same += 1;
  const start = same === text.length ? Math.max(0, same - length) : Math.max(0, same - BEFORE);
  const shown = visible(text.slice(start, start + length));
  const cut = shown.length > length ? shown.slice(0, length) : shown;
  return `${start > 0 ? '…' : ''}${cut}${start + length < text.length || cut !== shown ? '…' : ''}`;
};

/** Also characters of no width, which an attack may consist of. */
const visible = (text: string): string =>
  printable(text).replaceAll(
    /\p{Cf}/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const footnote = ({ attacks, neutral, harmful }: ProbeReport): readonly string[] => {
  const shares = [
    ...attacks.map(({ fooled }) => fooled),
    ...neutral.map(({ flipped }) => flipped),
    ...harmful.map(({ missed }) => missed),
  ];
  const isMarked = shares.some((estimate) => estimate?.caution === 'few_clusters');
  return isMarked ? ['', '  * few items bear this interval: it may be too narrow'] : [];
};
