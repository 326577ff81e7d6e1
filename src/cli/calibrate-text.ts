import { styleText } from 'node:util';
import type { CalibrationReport, RowCounts } from '../calibrate/calibrate.js';
import type { BiasReport, TrendReport } from '../calibrate/bias.js';
import type { ClassesReport, ClassRule } from '../calibrate/classes.js';
import type { CurveBinReport, ErrorsReport } from '../calibrate/errors.js';
import type { Estimate } from '../calibrate/estimates.js';
import type { Consistency } from '../calibrate/verdicts.js';
import { printable, shorten } from '../show.js';
import { counted, intervalText, number, percent, tableLines, wrap } from './layout.js';
import type { SummaryLook } from './summary.js';

/** What a person reads of a comparison with labels; the sentences that say what came out come first. */
export const renderCalibration = (
  report: CalibrationReport,
  { colour, columns = 80 }: SummaryLook,
): string => {
  const bold = (text: string): string => (colour ? styleText('bold', text, { validateStream: false }) : text);
  const { classes, errors, bias } = report;
  const lines = [
    ...wrap(printable(report.conclusion), columns, 0).map(bold),
    ...report.cautions.flatMap((caution) => wrap(printable(`caution: ${caution}`), columns, 2)),
    '',
    ...aboutLines(report, columns),
    ...section(classes === null ? [] : confusionLines(classes, columns)),
    ...section(measureLines(report, columns)),
    ...section(errors === null ? [] : curveLines(errors, columns)),
    ...section(biasLines(bias, columns)),
    ...section(consistencyLines(report.consistency, columns)),
  ];
  return `${lines.join('\n')}\n`;
};

/** A part of the report, with an empty line in front where there is anything. */
const section = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : ['', ...lines]);

const LABEL_WIDTH = 12;

/** A line that begins with what it is about. */
const labelled = (label: string, text: string, columns: number): string[] =>
  wrap(printable(text), columns - LABEL_WIDTH, 0).map(
    (line, index) => `${`  ${index === 0 ? label : ''}`.padEnd(LABEL_WIDTH)}${line}`,
  );

const aboutLines = (report: CalibrationReport, columns: number): string[] => {
  const { rows, clusters, classes, threshold } = report;
  const grouped = clusters.by === null ? '' : `, in ${counted(clusters.count, 'cluster')} by ${clusters.by}`;
  return [
    ...labelled('scores', `${report.results}: ${rowsText(rows)}`, columns),
    ...labelled('labels', `${report.labels}: ${counted(rows.labelled, 'row')}${grouped}`, columns),
    ...(classes === null ? [] : labelled('classes', ruleText(classes), columns)),
    ...(threshold === null ? [] : labelled('threshold', thresholdText(threshold), columns)),
    ...peopleLines(report, columns),
    ...meanLines(report, columns),
  ];
};

const rowsText = ({ total, failed, unlabelled }: RowCounts): string =>
  [
    counted(total, 'row'),
    ...(failed > 0 ? [`${failed.toLocaleString('en')} failed`] : []),
    ...(unlabelled > 0 ? [`${unlabelled.toLocaleString('en')} without a label`] : []),
  ].join(', ');

const RULES: Readonly<Record<ClassRule, string>> = {
  passed: 'a row passes where the results say so',
  threshold: 'a row passes from a reward of {} on',
  best_threshold: 'a row passes from a reward of {} on, the best threshold on these rows',
  nearest_score: 'of a score, the label next to it',
  verdict: 'the label that the judge chose',
};

const ruleText = ({ by, threshold }: ClassesReport): string =>
  RULES[by].replace('{}', threshold === null ? '' : number(threshold));

const thresholdText = (found: NonNullable<CalibrationReport['threshold']>): string => {
  const { goal, threshold, interval, quality, expected_quality: expected } = found;
  const what = typeof goal === 'object' ? `precision of ${number(goal.precision)}` : goal.replace('_', ' ');
  const name = typeof goal === 'object' ? 'precision' : what;
  const elsewhere = expected === null ? '' : `, about ${number(expected)} on other rows`;
  return `best for ${what}: ${number(threshold)} (${intervalText(interval, number)}); ${name} ${number(quality)} here${elsewhere}`;
};

const peopleLines = ({ people }: CalibrationReport, columns: number): string[] => {
  if (people === null) return [];
  const text = `${counted(people.labels, 'label')} of ${counted(people.rows, 'row')} with several; alpha ${alphaText(people.alpha)} between people, ${alphaText(people.judge_alpha)} between the scores and one of them; ${percent(people.all_equal)} of these rows have equal labels`;
  return labelled('people', text, columns);
};

const alphaText = (alpha: number | null): string => (alpha === null ? 'unknown' : number(alpha));

const meanLines = ({ mean }: CalibrationReport, columns: number): string[] => {
  if (mean === null) return [];
  const { scores, labels, corrected } = mean;
  const text = [
    `scores ${estimateText(scores)}`,
    `labels ${estimateText(labels)}`,
    ...(corrected === null ? [] : [`corrected by the labels ${estimateText(corrected)}`]),
  ].join('; ');
  return labelled('mean', text, columns);
};

const estimateText = ({ value, interval }: Estimate): string =>
  interval === null ? number(value) : `${number(value)} (${intervalText(interval, number)})`;

const MAX_SHOWN_CLASSES = 10;

const confusionLines = ({ names, confusion, by_class }: ClassesReport, columns: number): string[] => {
  if (names.length > MAX_SHOWN_CLASSES)
    return wrap(`${names.length} classes; the confusion matrix is in --json`, columns, 2);
  const shown = names.map((name) => printable(shorten(name, 12)));
  const rows = confusion.map((counts, each) => [
    `label ${shown[each]}`,
    ...counts.map((count) => count.toLocaleString('en')),
    shareText(by_class[each].recall),
    shareText(by_class[each].precision),
  ]);
  return tableLines(
    [['', ...shown.map((name) => `judged ${name}`), 'recall', 'precision'], ...rows],
    columns,
  );
};

const shareText = (estimate: Estimate | null): string => (estimate === null ? '–' : percent(estimate.value));

const measureLines = ({ classes, ranking, errors }: CalibrationReport, columns: number): string[] => {
  const measures: readonly (readonly [string, Estimate | number | null | undefined])[] = [
    ['accuracy', classes?.accuracy],
    ['  above a constant', classes?.constant.difference],
    ['balanced accuracy', classes?.balanced_accuracy],
    ['specificity', classes?.specificity],
    ['F1 of pass', classes?.f1],
    ['Matthews', classes?.matthews],
    ["Cohen's kappa", classes?.kappa],
    ['  linear', classes?.linear_kappa],
    ['  quadratic', classes?.quadratic_kappa],
    ["Krippendorff's alpha", classes?.alpha],
    ['  interval', errors?.alpha],
    ['AUC', ranking?.auc],
    ["Spearman's rho", ranking?.spearman],
    ["Kendall's tau", ranking?.kendall],
    ['passes too often by', classes?.lenience],
    ['mean error', errors?.scale.by === 'same' ? errors.mean_error : null],
    ['squared error', errors?.squared_error],
    ['  above a constant', errors?.constant.difference],
    ['calibration error', errors?.expected_calibration_error],
  ];
  const rows = measures.flatMap(([name, found]) => {
    if (found === null || found === undefined) return [];
    if (typeof found === 'number') return [[name, fixed(found), '']];
    const { value, interval, caution } = found;
    return [
      [name, fixed(value), `${intervalText(interval, fixed)}${caution === 'few_clusters' ? ' *' : ''}`],
    ];
  });
  const note = rows.some(([, , text]) => text.endsWith('*'));
  return [
    ...tableLines([['', 'value', '95 % interval'], ...rows], columns),
    ...(note ? ['  * few clusters: the interval may be too narrow'] : []),
  ];
};

const fixed = (value: number): string =>
  (Math.abs(value) < 1000 ? value.toFixed(3) : number(value)).replace('-', '−');

const BAR_WIDTH = 24;
const EIGHTHS = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** The mean label of rows by their score, as bars from the least to the greatest label; `|` is where the score stands. */
const curveLines = ({ curve, scale }: ErrorsReport, columns: number): string[] => {
  if (curve.length < 2) return [];
  const values = curve.flatMap(({ mean_label: { value, interval } }) => [value, ...(interval ?? [])]);
  const scores = curve.map(({ mean_score }) => mean_score);
  const [least, greatest] = [Math.min(...values, ...scores), Math.max(...values, ...scores)];
  const [low, high] = least >= 0 && greatest <= 1 ? [0, 1] : [least, greatest];
  const place = (value: number): number => ((value - low) / (high - low || 1)) * BAR_WIDTH;
  const rows = curve.map((bin) => {
    const bar = barOf(place(bin.mean_label.value), place(bin.mean_score));
    return [
      rangeText(bin),
      bin.rows.toLocaleString('en'),
      fixed(bin.mean_label.value),
      intervalText(bin.mean_label.interval, fixed),
      bar,
    ];
  });
  const header = ['scores', 'rows', 'label', '95 % interval', 'label █, score |'.padEnd(BAR_WIDTH)];
  return [
    ...wrap(`mean label by score${scale.by === 'fitted' ? ', fitted to the labels' : ''}`, columns, 2),
    ...tableLines([header, ...rows], columns),
  ];
};

const rangeText = ({ least_score, greatest_score }: CurveBinReport): string =>
  least_score === greatest_score ? fixed(least_score) : `${fixed(least_score)} to ${fixed(greatest_score)}`;

const barOf = (length: number, mark: number): string => {
  const whole = Math.floor(length);
  const bar = `${'█'.repeat(whole)}${EIGHTHS[Math.floor((length - whole) * 8)]}`
    .padEnd(BAR_WIDTH)
    .slice(0, BAR_WIDTH);
  const at = Math.max(0, Math.min(BAR_WIDTH - 1, Math.floor(mark)));
  return `${bar.slice(0, at)}|${bar.slice(at + 1)}`;
};

const biasLines = ({ length, order, position }: BiasReport, columns: number): string[] => {
  const rows = [...trendCells('length', length), ...trendCells('row order', order)];
  const positions = position?.positions.map(({ position, rows, mean_error, effect }) => [
    printable(shorten(position, 20)),
    rows.toLocaleString('en'),
    fixed(mean_error.value),
    effect === null ? '–' : fixed(effect.value),
    intervalText(effect?.interval, fixed),
    effect === null ? '–' : pText(effect.p_adjusted),
  ]);
  return [
    ...(rows.length === 0
      ? []
      : tableLines(
          [['error by', 'Spearman', '95 % interval', 'p', 'excess in each fifth'], ...rows],
          columns,
        )),
    ...(positions === undefined || positions.length === 0
      ? []
      : [
          '',
          ...tableLines(
            [[`by ${position?.by}`, 'rows', 'error', 'effect', '95 % interval', 'p'], ...positions],
            columns,
          ),
        ]),
  ];
};

const trendCells = (name: string, trend: TrendReport | null): string[][] => {
  if (trend === null) return [];
  const { spearman, p_adjusted, parts } = trend;
  const errors = parts.map(({ excess }) => signed(excess.value)).join(' ');
  return [[name, fixed(spearman.value), intervalText(spearman.interval, fixed), pText(p_adjusted), errors]];
};

const signed = (value: number): string => {
  const text = Math.abs(value).toFixed(2);
  return Number(text) === 0 ? text : `${value > 0 ? '+' : '−'}${text}`;
};
const pText = (p: number): string => (p < 0.0001 ? '< 0.0001' : p.toFixed(p < 0.1 ? 3 : 2));

const consistencyLines = (consistency: readonly Consistency[], columns: number): string[] =>
  consistency.flatMap(({ grader, judge, rows, verdicts_a_row, all_equal, alpha, kappa_ceiling }) => {
    const who = grader === null ? judge : `${grader}: ${judge}`;
    const ceiling = kappa_ceiling === null ? '' : `; kappa can be at most ${number(kappa_ceiling)}`;
    const text = `${who}: the same verdict every time on ${percent(all_equal)} of ${counted(rows, 'row')} (${number(verdicts_a_row)} verdicts each, alpha ${alphaText(alpha)})${ceiling}`;
    return labelled('repeats', text, columns);
  });
