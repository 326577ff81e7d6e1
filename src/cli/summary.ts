import { styleText } from 'node:util';
import type { RunSummary } from '../results/record.js';
import { recordPath } from '../results/record.js';
import type { RewardSummary, ScoreSummary } from '../results/summary.js';
import type { RunResult } from '../run/run.js';
import type { Bin } from '../stats/histogram.js';
import type { Interval } from '../stats/interval.js';

type Paint = (style: 'bold' | 'dim' | 'red' | 'yellow', text: string) => string;

const plain: Paint = (_style, text) => text;
const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false });

/** What a person reads at the end of a run. */
export const renderSummary = (
  { status, summary }: RunResult,
  failures: readonly string[],
  colour: boolean,
): string => {
  const paint = colour ? coloured : plain;
  const lines = [
    headline(summary, status, paint),
    '',
    ...scoreLines(summary, paint),
    ...memberLines(summary),
    '',
    ...histogramLines(summary.histogram),
    ...failureLines(summary, failures, paint),
    ...summary.warnings.map((warning) => paint('yellow', `  warning: ${warning}`)),
    paint('dim', `  scored by ${summary.grader.signature}`),
    ...(summary.results === null
      ? []
      : [paint('dim', `  results in ${summary.results} and ${recordPath(summary.results)}`)]),
  ];
  return `${lines.join('\n')}\n`;
};

const headline = (summary: RunSummary, status: RunResult['status'], paint: Paint): string => {
  const rows = `${whole(summary.rows)} row${summary.rows === 1 ? '' : 's'}`;
  const pace = `${summary.seconds.toFixed(1)} s, ${whole(summary.rows_per_second)} rows/s`;
  const stopped = status === 'interrupted' ? paint('red', '  interrupted') : '';
  return `${paint('bold', `${summary.grader.name}: ${rows} of ${summary.dataset}`)}  ${paint('dim', pace)}${stopped}`;
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

const memberLines = ({ sub_rewards = {}, criteria = {} }: ScoreSummary): string[] => {
  const members = Object.entries(sub_rewards).map(([name, member]) => [name, meanText(member)] as const);
  const judged = Object.entries(criteria).map(([name, { mean, pass, failed }]) => {
    const passes = pass === undefined ? '' : `  ${percent(pass.rate)} passed`;
    return [name, `${number(mean)}${passes}${failed > 0 ? `  ${whole(failed)} failed` : ''}`] as const;
  });
  const rows = [...members, ...judged];
  if (rows.length === 0) return [];
  const width = Math.max(LABEL_WIDTH, ...rows.map(([name]) => name.length + 2));
  return ['', ...rows.map(([name, text]) => `    ${name.padEnd(width)}${text}`)];
};

const BAR_WIDTH = 40;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

const histogramLines = (bins: readonly Bin[]): string[] => {
  if (bins.length === 0) return [];
  const most = Math.max(...bins.map(({ count }) => count));
  const labels = bins.map(({ from }) => String(Number(from.toPrecision(6))));
  const width = Math.max(...labels.map((text) => text.length), 4);
  return [
    ...bins.map(({ count }, index) =>
      `  ${labels[index].padStart(width)} ${bar(count / most)} ${whole(count)}`.trimEnd(),
    ),
    '',
  ];
};

/** A bar in eighths of a character; any count above zero shows. */
const bar = (share: number): string => {
  const eighths = share === 0 ? 0 : Math.max(1, Math.round(share * BAR_WIDTH * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
};

const failureLines = ({ failed }: RunSummary, failures: readonly string[], paint: Paint): string[] => {
  if (failures.length === 0) return [];
  const more = failed > failures.length ? [`  … and ${whole(failed - failures.length)} more`] : [];
  return [...failures.map((failure) => paint('red', `  ${failure}`)), ...more, ''];
};

const whole = (value: number): string => value.toLocaleString('en');
const number = (value: number | null): string =>
  value === null ? '–' : String(Number(value.toPrecision(4)));
const percent = (value: number | null): string => (value === null ? '–' : `${(value * 100).toFixed(1)} %`);

const interval = (ends: Interval | null, format: (value: number) => string): string =>
  ends === null ? '' : `  (95 %: ${format(ends[0])} to ${format(ends[1])})`;
