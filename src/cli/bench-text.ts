import { styleText } from 'node:util';
import type {
  Basis,
  BenchReport,
  BestOf,
  Estimate,
  FeatureRelation,
  Finding,
  LabelReport,
  Measure,
  Place,
  Ranking,
  RewardReport,
  Speed,
} from '../bench/report.js';
import { printable, show } from '../show.js';
import { counted, intervalText, number, percent, tableLines, wrap } from './layout.js';

/** What the report itself does not know. */
export interface BenchSubject {
  readonly dataset: string;
  /** The paths that the user gave. */
  readonly group: string | null;
  readonly label: string | null;
  /** What could not be measured, and why. */
  readonly notes: readonly string[];
}

/** How the text is to look. */
export interface BenchLook {
  readonly colour: boolean;
  /** Width in characters. Default 100. */
  readonly columns?: number;
}

type Paint = (style: 'bold' | 'red' | 'yellow' | 'dim', text: string) => string;

const plain: Paint = (_style, text) => text;
const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false });

/** What a person reads of a bench: who is first, a table, then each reward with its alarms. */
export const benchText = (
  report: BenchReport,
  subject: BenchSubject,
  { colour, columns = 100 }: BenchLook,
): string => {
  const paint = colour ? coloured : plain;
  const { rewards, ranking, labels } = report;
  const lines = [
    ...wrap(printable(headline(report, subject)), columns).map((line) => paint('bold', line)),
    ...(labels === null ? [] : wrap(printable(labelText(labels)), columns, 2)),
    ...(ranking === null
      ? []
      : ['', ...wrap(printable(rankingText(ranking)), columns).map((line) => paint('bold', line))]),
    '',
    ...signalLines(report, columns),
    ...agreementLines(rewards, columns),
    ...rewards.flatMap((reward) => ['', ...rewardLines(reward, columns, paint)]),
    ...noteLines([...subject.notes, ...cautions(rewards)], columns, paint),
  ];
  return `${lines.join('\n')}\n`;
};

/** `2 rewards on 5,276 rows of x.jsonl, 1,319 items` */
const headline = (
  { rewards, rows, groups, compared_groups }: BenchReport,
  { dataset }: BenchSubject,
): string => {
  const items = compared_groups === 0 ? '' : `, samples of ${counted(groups, 'item')}`;
  return `${counted(rewards.length, 'reward')} on ${counted(rows, 'row')} of ${dataset}${items}`;
};

const labelText = ({ kind, mean, least, greatest, mixed_groups, pass }: LabelReport): string => {
  if (kind === 'one_value') return `labels: all ${number(least)}, so no reward can be compared with them`;
  if (kind === 'numeric')
    return `labels: from ${number(least)} to ${number(greatest)}, on average ${number(mean.value)}`;
  const right = (mean.value - least) / (greatest - least);
  const mixed = mixed_groups === 0 ? '' : `; ${counted(mixed_groups, 'item')} with right and wrong samples`;
  const last = pass.at(-1);
  const passes =
    last === undefined
      ? ''
      : `; of ${last.k} samples any is right for ${percent(last.any.value)} of items, all for ${percent(last.all.value)}`;
  return `labels: ${percent(right)} right${mixed}${passes}`;
};

const MEASURES: Readonly<Record<Measure, string>> = {
  pairwise_accuracy: 'the share of pairs of right and wrong samples of one item that it orders rightly',
  auc: 'the chance that a right row has a higher reward than a wrong one',
  spearman: 'its rank correlation with the label',
};

/** `Best by …: a (0.98) and b (0.97), not told apart; then c (0.61).` */
const rankingText = ({ measure, places, unranked }: Ranking): string => {
  const tiers = tiersOf(places).map((tier, index) => {
    const names = tier.map(({ name, value }) => `${name} (${value.toFixed(3)})`);
    const list =
      names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}, not told apart`;
    return index === 0 ? list : `then ${list}`;
  });
  const rest = unranked.length === 0 ? '' : ` Not ranked: ${unranked.join(', ')}.`;
  return `Best by ${MEASURES[measure]}: ${tiers.join('; ')}.${rest}`;
};

/** Neighbours that are not told apart from the first of them. */
const tiersOf = (places: readonly Place[]): readonly (readonly Place[])[] => {
  const tiers: Place[][] = [];
  for (const place of places) {
    const tier = tiers.at(-1);
    if (tier?.[0].not_told_apart_from.includes(place.name) === true) tier.push(place);
    else tiers.push([place]);
  }
  return tiers;
};

/** One column of a table; left out where no reward has anything there. */
interface Column {
  readonly header: string;
  readonly cell: (reward: RewardReport) => string;
}

const NONE = '–';

/** Three decimals, and four digits of what is larger than that. */
const three = (value: number): string =>
  Math.abs(value) < 10 ? value.toFixed(3).replace('-', '−') : number(value);

const table = (rewards: readonly RewardReport[], all: readonly Column[], columns: number): string[] => {
  const shown = all.filter(({ cell }) => rewards.some((reward) => cell(reward) !== NONE));
  if (shown.length === 0) return [];
  const header = ['', ...shown.map((column) => column.header)];
  const body = rewards.map((reward) => [printable(reward.name), ...shown.map(({ cell }) => cell(reward))]);
  return tableLines([header, ...body], columns);
};

const share = (estimate: Estimate | null | undefined): string =>
  estimate === null || estimate === undefined ? NONE : percent(estimate.value);

const signed = (value: number): string => {
  const text = value.toFixed(2);
  if (Number(text) === 0) return '0.00';
  return value > 0 ? `+${text}` : text.replace('-', '−');
};

const signalColumns = (basis: Basis): readonly Column[] => [
  {
    header: 'mean',
    cell: ({ distribution }) => (distribution === null ? NONE : three(distribution.mean.value)),
  },
  {
    header: '95 % interval',
    cell: ({ distribution }) => intervalText(distribution?.mean.interval, three),
  },
  { header: 'floor', cell: ({ distribution }) => share(distribution?.floor.share) },
  { header: 'ceiling', cell: ({ distribution }) => share(distribution?.ceiling.share) },
  { header: 'values', cell: ({ distribution }) => distribution?.distinct.toLocaleString('en') ?? NONE },
  { header: 'flat items', cell: ({ groups }) => share(groups?.flat_share) },
  { header: 'length', cell: (reward) => lengthText(reward, basis) },
  {
    header: 'rows/s',
    cell: ({ speed }) =>
      speed.rows_per_second === null ? NONE : Math.round(speed.rows_per_second).toLocaleString('en'),
  },
];

const lengthOf = ({ features }: RewardReport): FeatureRelation | undefined =>
  features.find(({ feature }) => feature === 'characters');

/** What is held equal when rewards are compared with length: the same for all that are shown. */
const basisOf = (rewards: readonly RewardReport[]): Basis =>
  rewards.flatMap((reward) => lengthOf(reward)?.conditional ?? []).at(0)?.basis ?? 'rows';

/** How the reward goes with the length of the text. */
const lengthText = (reward: RewardReport, basis: Basis): string => {
  const length = lengthOf(reward);
  const conditional = length?.conditional?.basis === basis ? length.conditional : null;
  const correlation = conditional ?? (basis === 'rows' ? length?.spearman : null);
  return correlation ? signed(correlation.value) : NONE;
};

const BASES: Readonly<Record<Basis, string>> = {
  group_and_label:
    'of two samples of an item with one label, how much more often the longer one wins than loses',
  group: 'of two samples of an item, how much more often the longer one wins than loses',
  label: 'rank correlation with the number of characters, among rows with one label',
  rows: 'rank correlation with the number of characters',
};

const signalLines = ({ rewards, compared_groups }: BenchReport, columns: number): string[] => {
  const basis = basisOf(rewards);
  const flat = compared_groups === 0 ? '' : 'flat items: items whose samples all get one reward; ';
  const legend = `floor, ceiling: rows with the least and the greatest reward; ${flat}length: ${BASES[basis]}`;
  return [...table(rewards, signalColumns(basis), columns), ...wrap(legend, columns, 2)];
};

const estimate = (value: Estimate | null | undefined): string => (value ? three(value.value) : NONE);

const AGREEMENT: readonly Column[] = [
  { header: 'AUC', cell: ({ labels }) => estimate(labels?.auc) },
  { header: '95 % interval', cell: ({ labels }) => intervalText(labels?.auc?.interval, three) },
  { header: 'rank corr.', cell: ({ labels }) => (labels?.auc ? NONE : estimate(labels?.spearman)) },
  {
    header: '95 % interval',
    cell: ({ labels }) => (labels?.auc ? NONE : intervalText(labels?.spearman?.interval, three)),
  },
  { header: 'pairs', cell: ({ labels }) => estimate(labels?.pairwise_accuracy) },
  {
    header: '95 % interval',
    cell: ({ labels }) => intervalText(labels?.pairwise_accuracy?.interval, three),
  },
];

/** How the rewards follow the labels; nothing without labels. */
const agreementLines = (rewards: readonly RewardReport[], columns: number): string[] => {
  const labelled = rewards.filter(({ labels }) => labels !== null);
  const n = Math.max(0, ...labelled.flatMap(({ labels }) => labels?.best_of_n.map((best) => best.n) ?? []));
  const best = {
    header: `best of ${n}`,
    cell: (reward: RewardReport) => estimate(bestOf(reward, n)?.reward),
  };
  const lines = table(labelled, [...AGREEMENT, best], columns);
  return lines.length === 0 ? [] : ['', ...lines, ...agreementLegend(labelled, n, columns)];
};

const bestOf = ({ labels }: RewardReport, n: number): BestOf | undefined =>
  labels?.best_of_n.find((best) => best.n === n);

const agreementLegend = (labelled: readonly RewardReport[], n: number, columns: number): string[] => {
  const best = labelled.map((reward) => bestOf(reward, n)).find((found) => found !== undefined);
  const parts = [
    ...(labelled.some(({ labels }) => labels?.pairwise_accuracy)
      ? ['pairs: of right and wrong samples of one item, the share ordered rightly']
      : []),
    ...(best === undefined
      ? []
      : [
          `best of ${n}: label of the sample with the highest reward; ${three(best.random.value)} by chance, ${three(best.oracle.value)} at best`,
        ]),
  ];
  return parts.length === 0 ? [] : wrap(parts.join('; '), columns, 2);
};

const rewardLines = (reward: RewardReport, columns: number, paint: Paint): string[] => {
  const { name, signature, verdict, findings, speed } = reward;
  const [title, ...more] = wrap(printable(`${name}: ${verdict.sentence}`), columns - 2);
  const end = printable(name).length + 1;
  return [
    paint('bold', title.slice(0, end)) + title.slice(end),
    ...more.map((line) => `  ${line}`),
    ...findings
      .filter(({ alarm }) => alarm)
      .flatMap((finding) => alarmLines(finding, reward, columns, paint)),
    ...wrap(printable(`made with ${signature}${modelsText(speed)}`), columns, 2).map((line) =>
      paint('dim', line),
    ),
  ];
};

/** `; 48 requests, 12 from the cache; 52,000 tokens and 0.12 for 1,000 rows` */
const modelsText = ({ models }: Speed): string => {
  if (models === null) return '';
  const { requests, cached, tokens_per_1000_rows: tokens, cost_per_1000_rows: cost } = models;
  const calls = `${counted(requests, 'request')}${cached > 0 ? `, ${cached.toLocaleString('en')} from the cache` : ''}`;
  const price = cost === null ? '' : ` and ${number(cost)}`;
  if (tokens === null) return `; ${calls}`;
  return `; ${calls}; ${counted(Math.round(tokens), 'token')}${price} for 1,000 rows`;
};

const alarmLines = (
  { name, evidence, meaning }: Finding,
  { trials }: RewardReport,
  columns: number,
  paint: Paint,
): string[] => {
  const title = `alarm: ${name.replaceAll('_', ' ')}:`;
  const constant = name === 'fooled_by_constant' ? trials?.constant : undefined;
  const example = constant ? ` (${show(constant.text)})` : '';
  const [first, ...more] = wrap(printable(`${title} ${evidence}${example}; ${meaning}`), columns, 2);
  const end = 2 + title.length;
  return [paint('red', first.slice(0, end)) + first.slice(end), ...more];
};

const noteLines = (notes: readonly string[], columns: number, paint: Paint): string[] =>
  notes.length === 0
    ? []
    : [
        '',
        ...notes
          .flatMap((note) => wrap(printable(`note: ${note}`), columns, 2))
          .map((line) => paint('yellow', line)),
      ];

/** What is to be said about intervals that are shown: each thing once, with where it is true. */
const cautions = (rewards: readonly RewardReport[]): readonly string[] => {
  const places = new Map<string, string[]>();
  const add = (what: string, estimate: Estimate | null | undefined): void => {
    const caution = estimate?.caution ?? null;
    if (caution === null) return;
    places.set(caution, [...(places.get(caution) ?? []), what]);
  };
  for (const { name, distribution, labels } of rewards) {
    add(`mean of ${name}`, distribution?.mean);
    add(`AUC of ${name}`, labels?.auc);
    add(`pairs of ${name}`, labels?.pairwise_accuracy);
  }
  return [...places].map(([caution, where]) => `${where.join(', ')}: ${caution}`);
};
