import { styleText } from 'node:util';
import type { ExportedFile, ExportReport } from '../export/report.js';
import type { ReasonCount } from '../export/reasons.js';
import { printable } from '../show.js';
import { counted, intervalText, number, wrap } from './layout.js';
import type { SummaryLook } from './summary.js';

/** What a person reads of an export; what was written comes first. */
export const renderExport = (report: ExportReport, { colour, columns = 80 }: SummaryLook): string => {
  const bold = (text: string): string => (colour ? styleText('bold', text, { validateStream: false }) : text);
  const { written, files, warnings } = report;
  const lines = [
    ...(written ? files.flatMap((file) => wrap(fileText(report, file), columns, 0).map(bold)) : []),
    '',
    ...rowLines(report),
    ...reasonLines(report.left_out),
    ...files.flatMap(({ path, findings }) =>
      written ? findings.flatMap((finding) => warning(`${nameOf(path)} ${finding}`, columns)) : [],
    ),
    ...warnings.flatMap(({ message }) => warning(message, columns)),
  ];
  return `${lines.join('\n')}\n`;
};

/** `train.jsonl: 812 supervised rows of 812 prompts` */
const fileText = ({ method }: ExportReport, { use, path, rows, prompts }: ExportedFile): string => {
  const what = use === 'validation' ? `${method} validation` : method;
  return printable(`${nameOf(path)}: ${counted(rows, `${what} row`)} of ${counted(prompts, 'prompt')}`);
};

const nameOf = (path: string | null): string => path ?? 'standard output';

const LABEL_WIDTH = 14;
const label = (text: string): string => `  ${text}`.padEnd(LABEL_WIDTH);

const rowLines = (report: ExportReport): string[] => {
  const { rows, used, prompts, mean_reward, lengths } = report;
  return [
    `${label('rows')}${counted(rows, 'row')} of results, ${whole(used)} used`,
    `${label('prompts')}${counted(prompts, 'prompt')} to choose from`,
    ...(mean_reward.scored === null || mean_reward.used === null
      ? []
      : [
          `${label('mean reward')}${number(mean_reward.used)} of rows used, ${number(mean_reward.scored)} of all`,
        ]),
    ...(lengths === undefined ? [] : [`${label('characters')}${lengthText(lengths)}`]),
  ];
};

const lengthText = ({
  chosen_mean,
  rejected_mean,
  difference,
  interval,
}: NonNullable<ExportReport['lengths']>): string =>
  `${whole(chosen_mean)} chosen, ${whole(rejected_mean)} rejected; difference ${signed(difference)} (${intervalText(interval, signed)})`;

const reasonLines = (reasons: readonly ReasonCount[]): string[] => {
  const width = Math.max(0, ...reasons.map(({ rows }) => whole(rows).length));
  return [
    ...(reasons.length === 0 ? [] : [`  left out`]),
    ...reasons.map(
      ({ rows, summary, first_row }) =>
        `    ${whole(rows).padStart(width)}  ${summary} (first: row ${first_row})`,
    ),
  ];
};

const warning = (message: string, columns: number): string[] =>
  wrap(printable(`warning: ${message}`), columns, 2);

const whole = (value: number): string => Math.round(value).toLocaleString('en');

const signed = (value: number): string => `${value > 0 ? '+' : ''}${whole(value)}`.replace('-', '−');
