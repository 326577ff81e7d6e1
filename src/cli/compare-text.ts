import { styleText } from 'node:util';
import type { ChangedRow, ChangedRows, Comparison, MeasureComparison } from '../results/compare.js';
import { decimalsOf, pText, signed, whole } from '../results/conclusion.js';
import { printable, shorten, show } from '../show.js';
import { intervalText, number, percent, tableLines, wrap } from './layout.js';
import type { SummaryLook } from './summary.js';

/** What a person reads of a comparison; the sentence that says what came out comes first. */
export const renderComparison = (comparison: Comparison, { colour, columns = 80 }: SummaryLook): string => {
  const bold = (text: string): string => (colour ? styleText('bold', text, { validateStream: false }) : text);
  const { reward, conclusion, warnings } = comparison;
  const lines = [
    ...wrap(printable(conclusion), columns, 0).map(bold),
    ...warnings.flatMap((warning) => wrap(printable(`warning: ${warning}`), columns, 2)),
    '',
    ...runLines(comparison, columns),
    ...pairingLines(comparison, columns),
    '',
    ...measureLines(comparison, columns),
    ...(reward === null ? [] : ['', ...detailLines(reward, columns)]),
    ...changedLines('regressions', comparison.regressions),
    ...changedLines('improvements', comparison.improvements),
  ];
  return `${lines.join('\n')}\n`;
};

const LABEL_WIDTH = 14;

/** A line that begins with what it is about. */
const labelled = (label: string, text: string, columns: number): string[] =>
  wrap(text, columns - LABEL_WIDTH, 0).map(
    (line, index) => `${`  ${index === 0 ? label : ''}`.padEnd(LABEL_WIDTH)}${line}`,
  );

const runLines = (comparison: Comparison, columns: number): string[] =>
  (['a', 'b'] as const).flatMap((side) => {
    const { path, rows, failed, unpaired, grader } = comparison[side];
    const parts = [
      `${whole(rows)} rows`,
      ...(failed > 0 ? [`${whole(failed)} failed`] : []),
      ...(unpaired > 0 ? [`${whole(unpaired)} not in ${side === 'a' ? 'B' : 'A'}`] : []),
      ...(grader === null ? [] : [grader.signature]),
    ];
    return wrap(printable(`${side.toUpperCase()}  ${path}: ${parts.join(', ')}`), columns, 2);
  });

const pairingLines = ({ pairing }: Comparison, columns: number): string[] => {
  const { by, pairs, clustered_by, clusters } = pairing;
  const grouped = clusters === null ? '' : `, in ${whole(clusters)} clusters by ${clustered_by}`;
  return labelled('pairs', `${whole(pairs)} by ${by === 'id' ? 'id' : 'row number'}${grouped}`, columns);
};

/** A line of the table, as texts. */
type Cells = readonly [name: string, a: string, b: string, difference: string, interval: string, p: string];

const HEADER: Cells = ['', 'A', 'B', 'difference', '95 % interval', 'p'];

const measureLines = (comparison: Comparison, columns: number): string[] => {
  const { reward, pass, sub_rewards = {}, criteria = {}, failures } = comparison;
  const parts = [...Object.entries(sub_rewards), ...Object.entries(criteria)];
  const rows: Cells[] = [
    ...(reward === null ? [] : [measureCells('reward', reward, reward.p)]),
    ...(pass === undefined ? [] : [shareCells('passed', [pass.mean_a, pass.mean_b], pass)]),
    ...parts.map(([name, part]) => measureCells(`  ${printable(name)}`, part, part.p_adjusted ?? part.p)),
    ...(failures === null ? [] : [shareCells('failed', [failures.rate_a, failures.rate_b], failures)]),
  ];
  if (rows.length === 0) return [];
  return [
    ...tableLines([HEADER, ...rows], columns),
    ...(parts.length > 1
      ? [`  p of the ${parts.length} indented lines is adjusted for their number (Holm)`]
      : []),
  ];
};

const measureCells = (name: string, measure: MeasureComparison, p: number): Cells => {
  const decimals = decimalsOf(measure);
  return [
    name,
    fixed(measure.mean_a, decimals),
    fixed(measure.mean_b, decimals),
    signed(measure.difference, decimals),
    intervalText(measure.interval, (end) => signed(end, decimals)),
    pText(p).replace(/^= /, ''),
  ];
};

const shareCells = (
  name: string,
  shares: readonly [a: number, b: number],
  compared: Pick<MeasureComparison, 'difference' | 'interval' | 'p'>,
): Cells => {
  const { difference, interval, p } = compared;
  const decimals = Math.max(1, decimalsOf(compared) - 2);
  const points = (value: number): string => signed(value * 100, decimals);
  return [
    name,
    percent(shares[0], decimals),
    percent(shares[1], decimals),
    `${points(difference)} pp`,
    intervalText(interval, points),
    pText(p).replace(/^= /, ''),
  ];
};

const TESTS: Readonly<Record<MeasureComparison['test'], string>> = {
  mcnemar: "McNemar's test",
  wilcoxon_signed_rank: "Wilcoxon's signed-rank test",
  cluster_sign_flip: 'sign-flip test of clusters',
};

const TEST_METHODS: Readonly<Record<MeasureComparison['test_method'], string>> = {
  exact: 'exact',
  normal: 'normal approximation',
  random: '9,999 random flips',
};

const INTERVALS: Readonly<Record<NonNullable<MeasureComparison['interval_method']>, string>> = {
  studentised_bootstrap: 'studentised bootstrap',
  few_changes: "Student's t, widened for few changes",
  student_t_skewness_corrected: "Student's t corrected for skewness",
  tango_score: "Tango's score interval",
};

const detailLines = (reward: MeasureComparison, columns: number): string[] => {
  const { better, same, worse, effect, interval_method, test, test_method } = reward;
  const tested = `${TESTS[test]}, ${TEST_METHODS[test_method]}`;
  const method = interval_method === null ? tested : `${INTERVALS[interval_method]}; ${tested}`;
  const changes = `${whole(better)} better, ${whole(same)} same, ${whole(worse)} worse`;
  return [
    ...labelled('changes', changes, columns),
    ...(effect.d_z === null ? [] : labelled('effect', effectText(effect), columns)),
    ...detectableLines(reward, columns),
    ...labelled('method', method, columns),
  ];
};

const effectText = ({ d_z, rank_biserial }: MeasureComparison['effect']): string =>
  `d_z ${signed(d_z ?? 0, 2)}${rank_biserial === null ? '' : `, rank-biserial ${signed(rank_biserial, 2)}`}`;

const detectableLines = (reward: MeasureComparison, columns: number): string[] => {
  const { detectable_difference, pairs_needed } = reward;
  if (detectable_difference === null) return [];
  const least = `${detectable_difference.toFixed(decimalsOf(reward))} or more, with 80 % power`;
  const needed = pairs_needed === null ? '' : `; the one seen would take ${whole(pairs_needed)} pairs`;
  return labelled('detectable', `${least}${needed}`, columns);
};

const changedLines = (what: string, { count, rows }: ChangedRows): string[] => {
  if (rows.length === 0) return [];
  const shown = count > rows.length ? `, the ${rows.length} largest` : '';
  const places = rows.map(placeText);
  const width = Math.max(...places.map((place) => place.length));
  return [
    '',
    `  ${what} (${whole(count)}${shown}), A → B`,
    ...rows.map(
      ({ a, b, difference }, index) =>
        `    ${places[index].padEnd(width)}  ${number(a)} → ${number(b)}  (${signedNumber(difference)})`,
    ),
  ];
};

const placeText = ({ row, row_b, sample, id }: ChangedRow): string =>
  [
    `row ${row}`,
    ...(row_b === undefined ? [] : [`(${row_b} in B)`]),
    ...(sample === undefined ? [] : [`sample ${sample}`]),
    ...(id === undefined ? [] : [printable(typeof id === 'string' ? shorten(id, 30) : show(id))]),
  ].join('  ');

const signedNumber = (value: number): string => `${value > 0 ? '+' : ''}${number(value)}`;

/** Means that are to be told apart have as many decimals as their difference, and four where that is no burden. */
const fixed = (value: number, decimals: number): string =>
  value.toFixed(Math.abs(value) < 100 ? Math.max(4, decimals) : decimals).replace('-', '−');
