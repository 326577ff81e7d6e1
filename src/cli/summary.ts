import { styleText } from 'node:util';
import type { ModelTotals } from '../judge-call.js';
import { printable } from '../show.js';
import type { RatingAgreement, RatingDistribution } from '../results/judge-agreement.js';
import type { JudgeSummary, SingleJudgeSummary } from '../results/judge-tally.js';
import type { RunSummary } from '../results/record.js';
import { journalPath, recordPath } from '../results/record.js';
import type { GroupSizes, GroupSummary } from '../results/group-tally.js';
import type { RewardSummary, ScoreSummary } from '../results/summary.js';
import type { RunResult } from '../run/run.js';
import type { Bin } from '../stats/histogram.js';
import { counted, wrap } from './layout.js';
import type { Interval } from '../stats/interval.js';

type Paint = (style: 'bold' | 'dim' | 'red' | 'yellow', text: string) => string;

const plain: Paint = (_style, text) => text;
const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false });

/** How a summary is to look. */
export interface SummaryLook {
  readonly colour: boolean;
  /** Width of the terminal, in characters. Default 80. */
  readonly columns?: number;
}

/**
 * What a person reads at the end of a run.
 *
 * @param failures  the first failures, in words; the summary knows how many there are
 */
export const renderSummary = (
  { status, summary }: RunResult,
  failures: readonly string[],
  { colour, columns = 80 }: SummaryLook,
): string => {
  const paint = colour ? coloured : plain;
  const lines = [
    headline(summary, status, paint),
    '',
    ...scoreLines(summary, paint),
    ...groupLines(summary.groups),
    ...memberLines(summary),
    ...judgingLines(summary, paint),
    '',
    ...histogramLines(summary.histogram, columns, paint),
    ...failureLines(summary, failures.map(printable), paint),
    ...summary.warnings.map((warning) => paint('yellow', `  warning: ${warning}`)),
    ...wrap(printable(`scored by ${summary.grader.signature}`), columns, 2).map((line) => paint('dim', line)),
    ...(summary.results === null
      ? []
      : [paint('dim', `  results in ${filesText(summary.results, summary.evidence, status)}`)]),
  ];
  return `${lines.join('\n')}\n`;
};

/** `a.jsonl and a.jsonl.run.json`; a table is only made of a run that is complete. */
const filesText = (results: string, evidence: string | undefined, status: RunResult['status']): string => {
  const lines = journalPath(results);
  const shown = status === 'complete' ? results : lines;
  return evidence === undefined
    ? `${shown} and ${recordPath(lines)}`
    : `${shown}, ${recordPath(lines)} and ${evidence}`;
};

const headline = (summary: RunSummary, status: RunResult['status'], paint: Paint): string => {
  const rows = counted(summary.rows, 'row');
  const pace = `${summary.seconds.toFixed(1)} s, ${whole(summary.rows_per_second)} rows/s`;
  const stopped = status === 'interrupted' ? paint('red', '  interrupted') : '';
  return `${paint('bold', printable(`${summary.grader.name}: ${rows} of ${summary.dataset}`))}  ${paint('dim', pace)}${stopped}`;
};

const LABEL_WIDTH = 12;
const label = (text: string): string => `  ${text.padEnd(LABEL_WIDTH)}`;

const scoreLines = (summary: ScoreSummary, paint: Paint): string[] => {
  const lines = [`${label('mean')}${meanText(summary)}`];
  if (summary.pass !== undefined) {
    const { passed, total, rate, rate_interval } = summary.pass;
    lines.push(
      `${label('passed')}${percent(rate)}${interval(rate_interval, percent)}  ${whole(passed)} of ${whole(total)}`,
    );
  }
  if (summary.failed > 0) {
    const codes = Object.entries(summary.failed_by_code).map(([code, count]) => `${code} ${whole(count)}`);
    lines.push(paint('red', `${label('failed')}${whole(summary.failed)}  ${codes.join(', ')}`));
    lines.push(
      `${label('hosted mean')}${number(summary.hosted_mean)}  failed rows as 0, as the hosted API counted them`,
    );
  }
  return lines;
};

const meanText = (summary: RewardSummary): string => {
  if (summary.mean === null) return 'none: no row was scored';
  const spread = `from ${number(summary.min)} to ${number(summary.max)}`;
  return `${number(summary.mean)}${interval(summary.mean_interval, number)}  ${spread}`;
};

/** How items with several samples came out; nothing where there are none. */
const groupLines = (groups: GroupSummary | undefined): string[] => {
  if (groups === undefined) return [];
  const { count, samples, mean, mean_interval, without_spread, within_standard_deviation, pass } = groups;
  return [
    `${label('groups')}${whole(count)} of ${sizesText(samples)}; mean of their means ${number(mean)}${interval(mean_interval, number)}`,
    ...(without_spread === null
      ? []
      : [
          `${label('in groups')}SD ${number(within_standard_deviation)}; all rewards equal in ${percent(without_spread)}`,
        ]),
    ...(pass === undefined
      ? []
      : [
          `${label('')}all passed in ${percent(pass.all)}, some in ${percent(pass.mixed)}, none in ${percent(pass.none)}`,
        ]),
  ];
};

/** `4 samples`, `1 to 6 samples (median 4)` */
const sizesText = ({ min, median, max }: GroupSizes): string =>
  min === max
    ? counted(max, 'sample')
    : `${whole(min)} to ${counted(max, 'sample')} (median ${number(median)})`;

const memberLines = ({ sub_rewards = {}, criteria = {} }: ScoreSummary): string[] => {
  const members = Object.entries(sub_rewards).map(([name, member]) => [name, meanText(member)] as const);
  const judged = Object.entries(criteria).map(([name, { mean, pass, failed }]) => {
    const passes = pass === undefined ? '' : `  ${percent(pass.rate)} passed`;
    return [name, `${number(mean)}${passes}${failed > 0 ? `  ${whole(failed)} failed` : ''}`] as const;
  });
  const rows = [...members, ...judged];
  if (rows.length === 0) return [];
  const width = Math.max(LABEL_WIDTH, ...rows.map(([name]) => name.length + 2));
  return ['', ...rows.map(([name, text]) => `    ${printable(name).padEnd(width)}${text}`)];
};

/** What models were asked, and whether judges can be trusted; nothing where none was asked. */
const judgingLines = ({ models, judges = [] }: RunSummary, paint: Paint): string[] => {
  const lines = [
    ...(models === undefined ? [] : callLines(models)),
    ...judges.flatMap((ofGrader) => judgeLines(ofGrader, paint)),
  ];
  return lines.length === 0 ? [] : ['', ...lines];
};

const callLines = (totals: ModelTotals): string[] => {
  const text = modelsText(totals);
  return text === undefined ? [] : [`${label('models')}${text}`];
};

/** `12 requests, 3 from the cache; 2.1K tokens in, 240 out; cost 0.0061`; undefined when no model was asked. */
export const modelsText = (totals: ModelTotals): string | undefined => {
  const { requests, replies, cached, shared, prompt_tokens, completion_tokens, cost } = totals;
  if (requests + cached + shared === 0) return undefined;
  const unanswered = requests - replies;
  const calls = [
    `${counted(requests, 'request')}${unanswered > 0 ? ` (${whole(unanswered)} without a reply)` : ''}`,
    ...(cached > 0 ? [`${whole(cached)} from the cache`] : []),
    ...(shared > 0 ? [`${whole(shared)} shared with an equal one`] : []),
  ];
  const parts = [
    calls.join(', '),
    ...(prompt_tokens + completion_tokens > 0
      ? [`${compact(prompt_tokens)} tokens in, ${compact(completion_tokens)} out`]
      : []),
    ...(cost === null || requests === 0 ? [] : [`cost ${money(cost)}`]),
  ];
  return parts.join('; ');
};

/** What the judges of one grader said, as far as there is something to compare or to know. */
const judgeLines = (summary: JudgeSummary, paint: Paint): string[] => {
  const { grader, judges, agreement, repaired, repairs } = summary;
  const of = grader === undefined ? '' : `${printable(grader)}: `;
  const lines: string[] = [];
  if (agreement !== undefined)
    lines.push(`${label('agreement')}${of}${agreementText(agreement, counted(judges.length, 'judge'))}`);
  if (judges.length > 1) lines.push(...panelLines(summary));
  else lines.push(...judges.flatMap(({ repeats }) => repeatLines(repeats, of)));
  if (repaired > 0) {
    const kinds = Object.entries(repairs).sort(([, a], [, b]) => b - a);
    const done = kinds.map(([kind, count]) => `${printable(kind)} ${whole(count)}`).join(', ');
    lines.push(paint('yellow', `${label('mended')}${of}${counted(repaired, 'reply', 'replies')}  ${done}`));
  }
  return lines;
};

/** `alpha 0.71 (2 judges, 500 rows); all equal on 83.0 %; 0.3 apart on average`. */
const agreementText = (
  { alpha, rows, all_equal, mean_absolute_difference: apart }: RatingAgreement,
  raters: string,
): string => {
  const reliability = alpha === null ? 'alpha undefined' : `alpha ${number(alpha)}`;
  const distance = apart === undefined ? '' : `; ${number(apart)} apart on average`;
  return `${reliability} (${raters}, ${counted(rows, 'row')}); all equal on ${percent(all_equal)}${distance}`;
};

const repeatLines = (repeats: RatingAgreement | undefined, of: string): string[] =>
  repeats === undefined ? [] : [`${label('repeats')}${of}${agreementText(repeats, 'same judge')}`];

/** One line a judge: what it gave on the rows that all of them rated, where there are such. */
const panelLines = ({ judges, agreement }: JudgeSummary): string[] => {
  const width = Math.max(LABEL_WIDTH, ...judges.map(({ judge }) => printable(judge).length + 2));
  return judges.map((each) => {
    const shared = agreement?.shared[each.judge];
    const given = shared === undefined || shared.count === 0 ? each.given : shared;
    return `    ${printable(each.judge).padEnd(width)}${judgeText(each, given)}`;
  });
};

const judgeText = ({ failed, verdicts, repeats }: SingleJudgeSummary, given: RatingDistribution): string =>
  [
    distributionText(given),
    ...(repeats === undefined ? [] : [`repeats equal on ${percent(repeats.all_equal)}`]),
    ...(failed === 0 ? [] : [`${whole(failed)} of ${counted(verdicts, 'verdict')} failed`]),
  ].join('; ');

/** The most frequent labels that one line has room for. */
const MAX_LABELS = 3;

const distributionText = ({ count, mean, standard_deviation, labels }: RatingDistribution): string => {
  if (mean !== undefined) return `mean ${number(mean)}, SD ${number(standard_deviation ?? null)}`;
  if (labels === undefined) return 'no verdict';
  const commonest = Object.entries(labels).sort(([, a], [, b]) => b - a);
  const shown = commonest.slice(0, MAX_LABELS).map(([name, n]) => `${printable(name)} ${percent(n / count)}`);
  return `${shown.join(', ')}${commonest.length > MAX_LABELS ? ', …' : ''}`;
};

const MAX_BAR_WIDTH = 40;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
/** Shorter runs of empty bins are shown: a bin that says 0 takes no more room than a mark would. */
const MIN_GAP = 3;

const histogramLines = (bins: readonly Bin[], columns: number, paint: Paint): string[] => {
  if (bins.length === 0) return [];
  const labels = bins.map(({ from }) => String(Number(from.toPrecision(6))));
  const labelWidth = Math.max(...labels.map((text) => text.length), 4);
  const most = Math.max(...bins.map(({ count }) => count));
  const room = columns - '  '.length - labelWidth - ' '.length - ` ${whole(most)}`.length;
  const barWidth = Math.min(MAX_BAR_WIDTH, Math.max(1, room));
  const lines: string[] = [];
  for (let index = 0; index < bins.length; index += 1) {
    const gap = emptyBins(bins, index);
    if (gap >= MIN_GAP) {
      lines.push(paint('dim', `  ${'⋮'.padStart(labelWidth)}`));
      index += gap - 1;
      continue;
    }
    const { count } = bins[index];
    lines.push(`  ${labels[index].padStart(labelWidth)} ${bar(count / most, barWidth)} ${whole(count)}`);
  }
  return [...lines, ''];
};

/** How many bins from `start` on are empty. */
const emptyBins = (bins: readonly Bin[], start: number): number => {
  const next = bins.findIndex(({ count }, index) => index >= start && count > 0);
  return (next === -1 ? bins.length : next) - start;
};

/** A bar in eighths of a character; any count above zero shows. */
const bar = (share: number, width: number): string => {
  const eighths = share === 0 ? 0 : Math.max(1, Math.round(share * width * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
};

const failureLines = ({ failed }: RunSummary, failures: readonly string[], paint: Paint): string[] => {
  if (failures.length === 0) return [];
  const more = failed > failures.length ? [`  … and ${whole(failed - failures.length)} more`] : [];
  return [...failures.map((failure) => paint('red', `  ${failure}`)), ...more, ''];
};

const compact = (value: number): string =>
  value.toLocaleString('en', { notation: 'compact', maximumFractionDigits: 1 });

/** Two digits, and more of small amounts. */
const money = (amount: number): string =>
  amount < 1 ? number(amount) : amount.toLocaleString('en', { maximumFractionDigits: 2 });

const whole = (value: number): string => value.toLocaleString('en');
const number = (value: number | null): string =>
  value === null ? '–' : String(Number(value.toPrecision(4)));
const percent = (value: number | null): string => (value === null ? '–' : `${(value * 100).toFixed(1)} %`);

const interval = (ends: Interval | null, format: (value: number) => string): string =>
  ends === null ? '' : `  (95 %: ${format(ends[0])} to ${format(ends[1])})`;
