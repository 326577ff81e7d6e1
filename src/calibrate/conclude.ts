import type { CalibrationReport } from './calibrate.js';
import type { ClassesReport } from './classes.js';
import type { Estimate } from './estimates.js';

/**
 * What a comparison with labels comes to. `agrees` and `beyond_chance` both need the interval of the agreement to say so;
 * `agrees` also that scores are surely better than saying the same of every row. `cannot_be_told` is where all labels, or
 * all scores, are the same.
 */
export type Verdict = 'agrees' | 'beyond_chance' | 'not_shown' | 'disagrees' | 'cannot_be_told';

type Facts = Omit<CalibrationReport, 'verdict' | 'conclusion' | 'cautions'>;

/** What happened while results were read. */
interface Reading {
  /** Why the dataset could not be read, where it was not. */
  readonly withoutData: string | undefined;
  /** Lines of the evidence that are no verdict. */
  readonly damaged: number;
}

/** The verdict, the sentences that a person reads, and what to keep in mind. */
export const conclude = (
  facts: Facts,
  reading: Reading,
): Pick<CalibrationReport, 'verdict' | 'conclusion' | 'cautions'> => {
  const agreement = agreementOf(facts);
  const verdict = verdictOf(agreement, facts);
  return {
    verdict,
    conclusion: [
      firstSentence(facts, agreement, verdict),
      ...lenienceSentence(facts),
      ...thresholdSentence(facts),
      ...biasSentences(facts),
      ...consistencySentence(facts),
      ...peopleSentence(facts),
      ...meanSentence(facts),
    ].join(' '),
    cautions: cautionsOf(facts, agreement, reading),
  };
};

/** The one number that says how far scores agree with labels. */
export interface Agreement {
  /** As a sentence calls it: `kappa`, `quadratic kappa`, `AUC`, `Spearman's correlation`. */
  readonly name: string;
  readonly estimate: Estimate;
  /** What chance gives. */
  readonly chance: number;
}

/**
 * Kappa where there are classes, quadratic where they have an order; the area under the ROC curve where the classes were
 * made with a threshold of these very rows; else Spearman's correlation. undefined where none can be told.
 */
export const agreementOf = ({ classes, ranking }: Facts): Agreement | undefined => {
  const candidates: readonly (readonly [string, Estimate | null | undefined, number])[] = [
    ['AUC', classes === null || classes.by === 'best_threshold' ? ranking?.auc : null, 0.5],
    ['quadratic kappa', classes?.quadratic_kappa, 0],
    ['kappa', classes?.kappa, 0],
    ["Spearman's correlation", classes === null ? ranking?.spearman : null, 0],
  ];
  for (const [name, estimate, chance] of candidates) if (estimate) return { name, estimate, chance };
  return undefined;
};

/** Fewer that all say the same may do so by chance. */
const LEAST_CLUSTERS = 6;

const verdictOf = (agreement: Agreement | undefined, facts: Facts): Verdict => {
  if (agreement === undefined) return 'cannot_be_told';
  const { estimate, chance } = agreement;
  const { value, interval, clusters } = estimate;
  if (interval === null && clusters < LEAST_CLUSTERS) return 'cannot_be_told';
  // Without an interval all clusters say the same.
  const [low, high] = interval ?? [value, value];
  if (high < chance) return 'disagrees';
  if (low <= chance) return 'not_shown';
  return gainOf(facts) === 'better' ? 'agrees' : 'beyond_chance';
};

type Gain = 'better' | 'worse' | 'unclear';

/** Whether scores are better than saying the same of every row. */
const gainOf = ({ classes, errors }: Facts): Gain => {
  if (classes !== null) return signOf(classes.constant.difference);
  if (errors === null) return 'unclear';
  const sign = signOf(errors.constant.difference);
  return sign === 'better' ? 'worse' : sign === 'worse' ? 'better' : 'unclear';
};

const signOf = ({ interval }: Estimate): Gain => {
  if (interval === null) return 'unclear';
  return interval[0] > 0 ? 'better' : interval[1] < 0 ? 'worse' : 'unclear';
};

/** Of the way from chance to perfect agreement. */
const GOOD = 0.4;

const firstSentence = (facts: Facts, agreement: Agreement | undefined, verdict: Verdict): string => {
  if (agreement === undefined) return cannotTell(facts);
  const { name, estimate, chance } = agreement;
  const found = `${name} ${inWords(estimate)}`;
  const { classes } = facts;
  const bar =
    classes?.by === 'best_threshold' && classes.threshold !== null
      ? ` With rewards from ${shown(classes.threshold)} on passing, the best threshold on these rows, kappa is ${classes.kappa === null ? 'unknown' : fixed(classes.kappa.value)}.`
      : '';
  switch (verdict) {
    case 'cannot_be_told':
      return `Agreement cannot be told from ${counted(estimate.clusters, 'row')}.`;
    case 'not_shown':
      return `${constantText(facts) ?? `No agreement beyond chance is shown (${found}).`}${bar}`;
    case 'disagrees':
      return `The scores go against the labels (${found}).${bar}`;
    default: {
      const above = (value: number): boolean => (value - chance) / (1 - chance) >= GOOD;
      const well = above(estimate.interval?.[0] ?? chance)
        ? 'well '
        : above(estimate.value)
          ? ''
          : 'somewhat ';
      return `The scores agree with the labels ${well}beyond chance (${found})${gainText(facts)}.${bar}`;
    }
  }
};

/** Where scores say the same of every row. */
const constantText = ({ classes, rows }: Facts): string | undefined => {
  const only = classes?.by_class.find(({ judged }) => judged === rows.labelled);
  return only && `The scores say "${only.class}" of every row, which agrees with the labels by chance alone.`;
};

const cannotTell = ({ classes, rows, errors, kind }: Facts): string => {
  const only = classes?.by_class.find((each) => each.rows === rows.labelled);
  const label =
    only?.class ?? (kind === 'binary' && errors !== null ? passText(errors.constant.value) : undefined);
  if (label === undefined) return 'Agreement cannot be told: all scores, or all labels, are the same.';
  const same = only?.recall == null ? '' : `; the scores say so of ${percent(only.recall.value)} of them`;
  return `Agreement cannot be told: all ${counted(rows.labelled, 'label')} are "${label}"${same}.`;
};

const passText = (value: number): string => (value === 1 ? 'pass' : 'fail');

/** `, and are better than always saying "pass" (accuracy 0.88 against 0.62)` */
const gainText = (facts: Facts): string => {
  const { classes, errors } = facts;
  const gain = gainOf(facts);
  const how = {
    better: ', and are better than',
    worse: ', but are worse than',
    unclear: ', but are not surely better than',
  };
  if (classes !== null) {
    const { class: name, accuracy } = classes.constant;
    return `${how[gain]} always saying "${name}" (accuracy ${fixed(classes.accuracy.value)} against ${fixed(accuracy)})`;
  }
  if (errors === null) return '';
  const { value, squared_error } = errors.constant;
  return `${how[gain]} always saying ${shown(value)} (mean squared error ${shown(errors.squared_error.value)} against ${shown(squared_error)})`;
};

const lenienceSentence = ({ classes, errors, kind }: Facts): string[] => {
  // With a threshold of these very rows, lenience is that threshold's.
  if (classes?.by === 'best_threshold') return [];
  if (classes?.lenience != null) return binaryLenience(classes, classes.lenience);
  if (kind !== 'numeric' || errors?.scale.by !== 'same') return [];
  const { value, interval } = errors.mean_error;
  if (interval === null || (interval[0] <= 0 && interval[1] >= 0)) return [];
  const which = value > 0 ? 'lenient' : 'strict';
  const where = value > 0 ? 'above' : 'below';
  return [`They are ${which}: ${shown(Math.abs(value))} ${where} the labels on average.`];
};

const binaryLenience = (
  { by_class: [fail, pass] }: ClassesReport,
  { value, interval }: Estimate,
): string[] => {
  if (interval === null || (interval[0] <= 0 && interval[1] >= 0)) return [];
  const [which, verb, of, missed] =
    value > 0 ? ['lenient', 'pass', 'fail', fail.recall] : ['strict', 'fail', 'pass', pass.recall];
  return missed === null
    ? []
    : [`They are ${which}: they ${verb} ${percent(1 - missed.value)} of what people ${of}.`];
};

/** Where another threshold is surely better than what passes now. */
const thresholdSentence = ({ classes, threshold }: Facts): string[] => {
  const now = classes?.balanced_accuracy;
  const better = threshold?.goal === 'balanced_accuracy' ? threshold.expected_quality : null;
  if (classes?.by === 'best_threshold' || now?.interval == null || better === null) return [];
  if (threshold === null || better <= now.interval[1]) return [];
  return [
    `Passing from ${shown(threshold.threshold)} on would be better: a balanced accuracy of about ${fixed(better)} on other rows, against ${fixed(now.value)}.`,
  ];
};

/** Smaller correlations are not worth a sentence, however sure they are. */
const WORTH_TELLING = 0.1;
const SURE = 0.05;
/** Of a position, in standard deviations of the labels. */
const LEAST_EFFECT = 0.05;

const biasSentences = ({ bias, kind, errors }: Facts): string[] => {
  const { length, order, position } = bias;
  const sentences: string[] = [];
  const worth = (trend: typeof length): trend is NonNullable<typeof length> =>
    trend !== null && trend.p_adjusted < SURE && Math.abs(trend.spearman.value) >= WORTH_TELLING;
  const more = kind === 'nominal' ? 'wrong more often on' : 'higher than they should be for';
  if (worth(length))
    sentences.push(
      `Scores are ${more} ${length.spearman.value > 0 ? 'long' : 'short'} answers (correlation of the error with the length ${inWords(length.spearman)}, among rows of the same label).`,
    );
  if (worth(order))
    sentences.push(
      `The error ${order.spearman.value > 0 ? 'rises' : 'falls'} along the file (correlation ${inWords(order.spearman)}).`,
    );
  const least = LEAST_EFFECT * Math.sqrt(errors?.constant.squared_error ?? 0.25);
  const sure = (position?.positions ?? []).filter(
    ({ effect }) => effect !== null && effect.p_adjusted < SURE && Math.abs(effect.value) >= least,
  );
  const largest = sure.reduce<(typeof sure)[number] | undefined>(
    (most, each) => (Math.abs(each.effect?.value ?? 0) > Math.abs(most?.effect?.value ?? 0) ? each : most),
    undefined,
  );
  if (largest?.effect != null && position !== null) {
    const { value } = largest.effect;
    const than =
      kind === 'nominal'
        ? value > 0
          ? 'wrong more often'
          : 'wrong less often'
        : value > 0
          ? 'higher'
          : 'lower';
    sentences.push(
      `At ${position.by} ${largest.position} scores are ${than} than at others with the same label, by ${shown(Math.abs(value))} (${rangeOf(largest.effect)}).`,
    );
  }
  return sentences;
};

/** Ceilings above this are not what keeps a judge from agreeing. */
const LOW_CEILING = 0.9;

const consistencySentence = ({ consistency }: Facts): string[] => {
  const least = consistency.reduce<(typeof consistency)[number] | undefined>(
    (low, each) => ((each.kappa_ceiling ?? 1) < (low?.kappa_ceiling ?? 1) ? each : low),
    undefined,
  );
  if (least?.kappa_ceiling == null || least.kappa_ceiling >= LOW_CEILING) return [];
  return [
    `Asked again, ${least.judge} gives the same verdict on ${percent(least.all_equal)} of the rows: with labels without error kappa could be at most ${fixed(least.kappa_ceiling)}.`,
  ];
};

const peopleSentence = ({ people }: Facts): string[] => {
  if (people === null || people.alpha === null || people.judge_alpha === null) return [];
  return [
    `People agree with each other with an alpha of ${fixed(people.alpha)}, the scores with one of them with ${fixed(people.judge_alpha)}.`,
  ];
};

const meanSentence = ({ mean }: Facts): string[] => {
  if (mean?.corrected == null || mean.corrected.interval === null) return [];
  const { scores, corrected } = mean;
  return [
    `Over all rows the mean label is about ${fixed(corrected.value)} (${rangeOf(corrected)}), where the scores say ${shown(scores.value)}.`,
  ];
};

const FEW_OF_A_CLASS = 20;
const MANY_FAILED = 0.1;

const cautionsOf = (facts: Facts, agreement: Agreement | undefined, reading: Reading): string[] => {
  const { rows, classes, errors, mean, clusters, kind } = facts;
  const cautions: string[] = [];
  const add = (holds: boolean, text: () => string): void => void (holds && cautions.push(text()));
  add(agreement?.estimate.caution === 'few_clusters', () => {
    const units = clusters.by === null ? 'rows' : 'clusters of rows';
    return `few ${units} bear the agreement: the interval may be too narrow`;
  });
  const rare = classes?.by_class.filter((each) => each.rows > 0 && each.rows < FEW_OF_A_CLASS) ?? [];
  for (const { class: name, rows: count } of rare)
    cautions.push(
      `only ${counted(count, 'row')} of label "${name}": what is said about ${count === 1 ? 'it' : 'them'} is unsure`,
    );
  add(classes?.by === 'best_threshold', () => {
    const expected = facts.threshold?.expected_quality ?? null;
    const correction =
      expected === null || facts.threshold === null
        ? ''
        : `; ${goalText(facts.threshold.goal)} of ${fixed(facts.threshold.quality)} here is about ${fixed(expected)} on other rows`;
    return `the threshold was chosen on the same rows, which flatters whatever is made with it${correction}`;
  });
  add(classes?.by === 'nearest_score', () => 'a score was taken as the class next to it');
  add(errors?.scale.by === 'fitted', () => {
    const { intercept, slope } = errors?.scale ?? { intercept: 0, slope: 0 };
    return `scores are not on the scale of the labels, so they were fitted to it on these rows: ${shown(intercept)} + ${shown(slope)} × score; --scale same takes them as they are`;
  });
  add(
    rows.failed > rows.total * MANY_FAILED,
    () => `${percent(rows.failed / rows.total)} of the rows failed: what is said is about the others`,
  );
  add(
    rows.failed_labelled > 0,
    () =>
      `${counted(rows.failed_labelled, 'row')} with a label failed and ${rows.failed_labelled === 1 ? 'is' : 'are'} left out`,
  );
  add(rows.undecided > 0, () => `people disagree evenly on ${counted(rows.undecided, 'row')}, left out`);
  add(
    rows.without_verdict > 0,
    () =>
      `no judge has chosen a label for ${counted(rows.without_verdict, 'row')} that ${rows.without_verdict === 1 ? 'has' : 'have'} one, left out`,
  );
  add(
    rows.not_in_results > 0,
    () => `labels of ${counted(rows.not_in_results, 'row')} that the results do not have`,
  );
  add(
    mean?.corrected != null,
    () => 'the mean of all rows holds if the rows with a label were drawn at random',
  );
  add(
    mean?.corrected?.caution === 'few_clusters',
    () => 'few rows have a label, so the mean of all rows may be further off than its interval says',
  );
  add(reading.withoutData !== undefined, () => `the bias by length was left out: ${reading.withoutData}`);
  add(reading.damaged > 0, () => `${counted(reading.damaged, 'line')} of the evidence cannot be read`);
  add(
    kind === 'numeric' && classes === null,
    () => 'labels have many different values, so there are no classes to agree on',
  );
  return cautions;
};

const goalText = (goal: NonNullable<Facts['threshold']>['goal']): string =>
  typeof goal === 'object' ? 'a precision' : goal === 'f1' ? 'an F1' : 'a balanced accuracy';

const fixed = (value: number): string => value.toFixed(2).replace('-', '−');
const shown = (value: number): string => String(Number(value.toPrecision(3))).replace('-', '−');
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const counted = (count: number, one: string): string =>
  `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`;

const rangeOf = ({ interval }: Estimate): string =>
  interval === null ? 'no interval' : `${fixed(interval[0])} to ${fixed(interval[1])}`;

/** `0.71 (0.64 to 0.78)` inside brackets: `0.71, 0.64 to 0.78` */
const inWords = (estimate: Estimate): string => `${fixed(estimate.value)}, ${rangeOf(estimate)}`;
