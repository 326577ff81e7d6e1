/** Pairs per CPU second on one thread: our metrics beside the Python references, on the same texts. */
import {
  cpuSecondsOf,
  formatSummary,
  interleave,
  RATIO_HEADER,
  ratioCells,
  ratioOf,
  table,
} from './measure.mjs';
import { FASTNLTK, startReferences } from './references.mjs';
import { createEditedPairs, createGroups, createPairs } from './texts.mjs';

const PAIRS_BY_LENGTH = new Map([
  [20, 2000],
  [150, 400],
  [1_000, 60],
  [10_000, 4],
  [100_000, 2],
]);
const LENGTHS = [...PAIRS_BY_LENGTH.keys()];
const NEAR_SHARES = [0.01, 0.02];
const NEAR_LENGTHS = [10_000, 100_000];
const SCORERS = ['WRatio', 'token_set_ratio', 'partial_ratio'];
const SCORER_LENGTHS = [150];
const SAMPLES = 8;
const GROUPS_BY_LENGTH = new Map([
  [150, 50],
  [1_000, 10],
  [10_000, 4],
]);

const ROUNDS = 5;
const ROUND_SECONDS = 0.2;
/** A reference that would need longer than this for all rounds of a cell is not run. */
const MAX_CELL_SECONDS = 20;

export const title = 'Metrics: pairs per CPU second, one thread';

const WHITESPACE = { tokenizer: 'whitespace' };
const NLTK = { tokenizer: 'nltk' };

/**
 * What is measured. `name` is also the reference's; `goals` are ratios for the lengths, in order.
 * A `quadratic` reference compares every token with every token.
 */
const createCells = ({ fuzzyMatch, bleu, gleu, meteor, rougeN, rougeL }) => [
  { name: 'fuzzy_match', score: fuzzyMatch, goals: [1, 0.7, 0.7, 1, 1] },
  ...NEAR_SHARES.map((share) => ({
    name: 'fuzzy_match',
    label: `fuzzy_match, ${100 * share} % of the words edited`,
    score: fuzzyMatch,
    share,
    lengths: NEAR_LENGTHS,
    goals: [10, 10],
  })),
  ...SCORERS.map((scorer) => ({
    name: `fuzzy_match, ${scorer}`,
    score: (c, r) => fuzzyMatch(c, r, { scorer }),
    lengths: SCORER_LENGTHS,
  })),
  { name: 'bleu, split', score: (c, r) => bleu(c, r, WHITESPACE), goals: [40, 20, 15, 15, 15] },
  { name: 'bleu, word_tokenize', score: (c, r) => bleu(c, r, NLTK), goals: [30, 12, 8, 8, 8] },
  { name: 'gleu, split', score: (c, r) => gleu(c, r, WHITESPACE), goals: [40, 20, 15, 15, 15] },
  { name: 'gleu, word_tokenize', score: (c, r) => gleu(c, r, NLTK) },
  {
    name: 'meteor, split',
    score: (c, r) => meteor(c, r, WHITESPACE),
    goals: [50, 30, 40, 80],
    quadratic: true,
  },
  { name: 'rouge_1', score: (c, r) => rougeN(c, r, 1), goals: [45, 25, 22, 20, 20] },
  { name: 'rouge_l', score: rougeL, goals: [35, 50, 250, 2000], quadratic: true },
];

const createGroupCells = ({ bleu, rougeL }) => [
  { name: 'bleu, split', score: (c, r) => bleu(c, r, WHITESPACE) },
  { name: 'rouge_l', score: rougeL },
];

const pairsOf = ({ share }, length) => {
  const count = PAIRS_BY_LENGTH.get(length);
  return share === undefined ? createPairs(count, length) : createEditedPairs(count, length, share);
};

/** How many passes fill a round, from the time of one. */
const passesFor = (secondsOfOne) => Math.max(1, Math.ceil(ROUND_SECONDS / Math.max(secondsOfOne, 1e-6)));

const benchOurs = (score, pairs) => {
  const pass = () => {
    for (const { candidate, reference } of pairs) score(candidate, reference);
  };
  const warmUpUntil = performance.now() + ROUND_SECONDS * 1000;
  let passesDone = 0;
  const warmUp = cpuSecondsOf(() => {
    do {
      pass();
      passesDone++;
    } while (performance.now() < warmUpUntil);
  });
  const passes = passesFor(warmUp / passesDone);
  return () => {
    const seconds = cpuSecondsOf(() => {
      for (let done = 0; done < passes; done++) pass();
    });
    return (passes * pairs.length) / seconds;
  };
};

const benchTheirs = async (references, library, cell, pairCount) => {
  // The first pass also loads what the reference needs.
  await references.time(library, cell, 1);
  const seconds = await references.time(library, cell, 1);
  const passes = passesFor(seconds);
  const run = async () => (passes * pairCount) / (await references.time(library, cell, passes));
  return { secondsOfPair: seconds / pairCount, run };
};

/** Measures one cell at one length. `expected` is what a pair is foreseen to take the reference. */
const measureCell = async (references, { name, score }, pairs, expected) => {
  const contenders = { ours: benchOurs(score, pairs) };
  let secondsOfPair;
  await references.usePairs(pairs);
  if (expected * pairs.length * ROUNDS <= MAX_CELL_SECONDS) {
    const reference = await benchTheirs(references, 'reference', name, pairs.length);
    ({ secondsOfPair } = reference);
    contenders.reference = reference.run;
  }
  if (references.has('fastnltk', name))
    contenders.fastnltk = (await benchTheirs(references, 'fastnltk', name, pairs.length)).run;
  return { rates: await interleave(ROUNDS, contenders), secondsOfPair };
};

/** All lengths of a cell. The time of a pair at one length foretells that at the next. */
const measureLengths = async (references, cell) => {
  const { name, label = name, lengths = LENGTHS, goals = [], quadratic = false } = cell;
  const measured = [];
  let before = { length: 1, seconds: 0 };
  for (const [index, length] of lengths.entries()) {
    process.stderr.write(`metrics: ${label}, ${length} characters\n`);
    const expected = before.seconds * (length / before.length) ** (quadratic ? 2 : 1);
    const { rates, secondsOfPair } = await measureCell(references, cell, pairsOf(cell, length), expected);
    if (secondsOfPair !== undefined) before = { length, seconds: secondsOfPair };
    measured.push({ label, length, rates, expected, goal: goals[index] });
  }
  return measured;
};

const referenceRow = ({ label, length, rates: { ours, reference }, expected, goal }) => [
  label,
  length,
  formatSummary(ours),
  ...(reference === undefined
    ? [`not run: about ${Math.round(expected)} s a pair`, '', '', '']
    : [formatSummary(reference), ...ratioCells(ratioOf(ours, reference), goal && { atLeast: goal })]),
];

const fastnltkRow = ({ label, length, rates: { ours, fastnltk } }) => [
  label,
  length,
  formatSummary(ours),
  formatSummary(fastnltk),
  ...ratioCells(ratioOf(ours, fastnltk)).slice(0, 1),
];

const fastnltkTable = (measured) => {
  const rows = measured.filter(({ rates }) => rates.fastnltk !== undefined).map(fastnltkRow);
  if (rows.length === 0) return [`${FASTNLTK} is left out: it cannot be installed here.`];
  return [
    `${FASTNLTK}, in the same rounds: its BLEU, and NLTK's GLEU over its tokens. They are other numbers than NLTK's (bench/README.md).`,
    '',
    table(['metric', 'characters', 'ours', 'fastnltk', 'ratio'], rows),
  ];
};

/** The same pairs in two orders; a reference that comes again at once is read once. */
const measureGroups = async ({ name, score }) => {
  const rows = [];
  for (const [length, groups] of GROUPS_BY_LENGTH) {
    const pairs = createGroups(groups, SAMPLES, length);
    const { grouped, mixed } = await interleave(ROUNDS, {
      grouped: benchOurs(score, pairs.grouped),
      mixed: benchOurs(score, pairs.mixed),
    });
    const [ratio] = ratioCells(ratioOf(grouped, mixed));
    rows.push([name, length, formatSummary(grouped), formatSummary(mixed), ratio]);
  }
  return rows;
};

export const run = async () => {
  const metrics = await import('../dist/metrics.js');
  const references = await startReferences();
  const measured = [];
  for (const cell of createCells(metrics)) measured.push(...(await measureLengths(references, cell)));
  references.stop();
  const groups = [];
  for (const cell of createGroupCells(metrics)) groups.push(...(await measureGroups(cell)));
  return [
    `Half of the pairs 30 % edited, half unrelated; ${ROUNDS} rounds in turn; median (min–max).`,
    'The references: rapidfuzz called from Python, NLTK with `split()` or `word_tokenize`, rouge-score.',
    '',
    table(['metric', 'characters', 'ours', 'reference', ...RATIO_HEADER], measured.map(referenceRow)),
    '',
    ...fastnltkTable(measured),
    '',
    `${SAMPLES} samples of each item, all 30 % edited: one after the other, and in turn with those of other items.`,
    '',
    table(['metric', 'characters', 'grouped', 'in turn', 'ratio'], groups),
  ].join('\n');
};
