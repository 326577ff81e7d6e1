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
    ...(written ? files.map((file) => bold(fileText(report, file))) : []),
    '',
    ...rowLines(report, columns),
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

const LABEL_WIDTH = 15;

/** A line that begins with what it is about. */
const labelled = (label: string, text: string, columns: number): string[] =>
  wrap(text, columns - LABEL_WIDTH, 0).map(
    (line, index) => `${`  ${index === 0 ? label : ''}`.padEnd(LABEL_WIDTH)}${line}`,
  );

const rowLines = (report: ExportReport, columns: number): string[] => {
  const { rows, used, prompts, mean_reward, pairs } = report;
  return [
    ...labelled('rows', `${whole(rows)} in the results, ${whole(used)} used`, columns),
    ...labelled('prompts', `${whole(prompts)} to choose from`, columns),
    ...labelled('mean reward', meansText(mean_reward, pairs?.reward), columns),
    ...(pairs === undefined ? [] : labelled('characters', lengthText(pairs.characters), columns)),
  ];
};

const meansText = ({ scored, used }: ExportReport['mean_reward'], pairs: Sides | undefined): string => {
  if (scored === null) return 'none: no row was scored';
  const all = `${number(scored)} of all rows`;
  if (pairs !== undefined)
    return `${number(pairs.chosen)} chosen, ${number(pairs.rejected)} rejected; ${all}`;
  return used === null ? all : `${number(used)} of rows used; ${all}`;
};

interface Sides {
  readonly chosen: number;
  readonly rejected: number;
}

const lengthText = ({
  chosen,
  rejected,
  difference,
  interval,
  caution,
}: NonNullable<ExportReport['pairs']>['characters']): string => {
  const few = caution === 'few_clusters' ? '; few prompts: it may be too narrow' : '';
  const range = interval === null ? '' : ` (95 % interval ${intervalText(interval, signed)}${few})`;
  return `${whole(chosen)} chosen, ${whole(rejected)} rejected; difference ${signed(difference)}${range}`;
};

const reasonLines = (reasons: readonly ReasonCount[]): string[] => {
  const width = Math.max(0, ...reasons.map(({ rows }) => whole(rows).length));
  return [
    ...(reasons.length === 0 ? [] : ['  left out']),
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
