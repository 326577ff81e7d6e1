import type { Feature, MeasuredReward, MeasuredRows, Trials } from '../../src/bench/measured.js';
import { randomIndex } from '../../src/stats/random.js';

/** Uniform on (0, 1). */
type Uniform = () => number;

const uniform = (seed: number): Uniform => {
  const random = randomIndex(seed);
  return () => (random(2 ** 32) + 0.5) / 2 ** 32;
};

const normal = (random: Uniform): number =>
  Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());

const logistic = (value: number): number => 1 / (1 + Math.exp(-value));

const clamp = (value: number): number => Math.max(0, Math.min(1, value));

/** An answer to an item, and what graders may see in it: independent standard normal properties, and its length. */
export interface Answer {
  readonly item: number;
  readonly right: 0 | 1;
  /** How hard the item is to a grader that likes some items better. */
  readonly itemTaste: number;
  /** What a grader sees in this answer beside its being right; two graders see two of them. */
  readonly impression: number;
  readonly otherImpression: number;
  /** Standard normal among the answers to one item that are equally right. */
  readonly length: number;
  readonly characters: number;
}

/** Grades answers one after the other, and may remember. */
export type Grading = (answer: Answer) => { readonly reward: number; readonly parts?: readonly number[] };

/** A reward to be benched. */
export interface SimulatedGrader {
  readonly name: string;
  /** Begins to grade; what is random in it is noise that another grading does not have. */
  readonly begin: (random: Uniform) => Grading;
  /** What the prompt earns in place of an answer to an item, and what one constant answer does. */
  readonly echo: (random: Uniform) => number;
  readonly constant: (random: Uniform) => number;
  readonly range?: readonly [number, number];
  readonly parts?: readonly string[];
  /** How many items are solved: 0 is half of the answers, above it fewer. */
  readonly hardness?: number;
  /** By how many of its standard deviations wrong answers are longer. */
  readonly lengthGap?: number;
}

const ITEMS = 500;
const SAMPLES = 4;
const TRIED_ITEMS = 100;

const drawAnswers = (random: Uniform, { hardness = 0, lengthGap = 0.5 }: SimulatedGrader): Answer[] =>
  Array.from({ length: ITEMS }, (_, item) => item).flatMap((item) => {
    const [chance, itemTaste, itemLength] = [
      logistic(1.7 * normal(random) - hardness),
      normal(random),
      normal(random),
    ];
    return Array.from({ length: SAMPLES }, () => {
      const right = random() < chance ? 1 : 0;
      const length = normal(random);
      const logLength = 5.5 + 0.5 * itemLength + 0.35 * (length + lengthGap * (1 - right));
      const [impression, otherImpression] = [normal(random), normal(random)];
      const characters = Math.round(Math.exp(logLength));
      return { item, right, itemTaste, impression, otherImpression, length, characters };
    });
  });

const featuresOf = (answers: readonly Answer[], random: Uniform): Map<Feature, Float64Array> => {
  const column = (value: (answer: Answer) => number): Float64Array => Float64Array.from(answers, value);
  return new Map([
    ['characters', column(({ characters }) => characters)],
    ['words', column(({ characters }) => Math.round(characters / (5 + random())))],
    ['lines', column(({ characters }) => 1 + Math.floor(characters / 80))],
    ['digits', column(({ characters }) => Math.floor(random() * 20) / characters)],
    ['prompt_overlap', column(() => Math.round(random() * 20) / 20)],
  ]);
};

/** Grades everything as a bench does: all rows, then those of a fifth of the items again and again. */
export const simulateBench = (
  grader: SimulatedGrader,
  seed: number,
): { readonly rows: MeasuredRows; readonly reward: MeasuredReward } => {
  const random = uniform(seed);
  const answers = drawAnswers(random, grader);
  const grade = (some: readonly Answer[]) => {
    const grading = grader.begin(random);
    return some.map((answer) => grading(answer));
  };
  const rewardsOf = (some: readonly Answer[]): Float64Array =>
    Float64Array.from(grade(some), ({ reward }) => reward);
  const all = grade(answers);
  const tried = Int32Array.from(answers.keys()).filter(
    (row) => answers[row].item % (ITEMS / TRIED_ITEMS) === 0,
  );
  const triedAnswers = Array.from(tried, (row) => answers[row]);
  const bait = (earns: (random: Uniform) => number): Float64Array => {
    const byItem = new Map<number, number>();
    for (const { item } of triedAnswers) if (!byItem.has(item)) byItem.set(item, earns(random));
    return Float64Array.from(triedAnswers, ({ item }) => byItem.get(item) ?? NaN);
  };
  const trials: Trials = {
    rows: tried,
    first: rewardsOf(triedAnswers),
    again: rewardsOf(triedAnswers),
    reversed: rewardsOf(triedAnswers.toReversed()).toReversed(),
    echo: bait(grader.echo),
    constant: { text: 'It is so.', rewards: bait(grader.constant) },
  };
  return {
    rows: {
      count: answers.length,
      groups: Int32Array.from(answers, ({ item }) => item),
      labels: Float64Array.from(answers, ({ right }) => right),
      features: featuresOf(answers, random),
    },
    reward: {
      name: grader.name,
      signature: grader.name,
      rewards: Float64Array.from(all, ({ reward }) => reward),
      parts: new Map(
        (grader.parts ?? []).map((part, index) => [
          part,
          Float64Array.from(all, ({ parts }) => parts?.[index] ?? NaN),
        ]),
      ),
      range: grader.range,
      failures: {},
      seconds: 1,
      trials,
    },
  };
};

/** What a grader that reads answers closely sees in one: better in right ones, and something of its own. */
const quality = ({ right, itemTaste, impression }: Answer): number =>
  0.4 + 0.25 * right + 0.06 * itemTaste + 0.12 * impression;

const stateless =
  (reward: (answer: Answer, random: Uniform) => number): SimulatedGrader['begin'] =>
  (random) =>
  (answer) => ({ reward: reward(answer, random) });

/** Sees 2 % of answers wrongly, always the same ones. */
const exactMatch = ({ right, impression }: Answer): number =>
  Math.abs(impression) > 2.33 ? 1 - right : right;

const share =
  (chance: number) =>
  (random: Uniform): number =>
    random() < chance ? 1 : 0;

const around =
  (mean: number, spread: number) =>
  (random: Uniform): number =>
    clamp(mean + spread * normal(random));

const UNIT = [0, 1] as const;

/** Two parts, each with noise of its own, and their weighted sum. */
const multi = (weights: readonly [number, number]) => ({
  parts: ['answer', 'style'],
  begin: () => (answer: Answer) => {
    const parts = [
      clamp(quality(answer)),
      clamp(0.6 + 0.06 * answer.impression + 0.16 * answer.otherImpression),
    ];
    return { reward: weights[0] * parts[0] + weights[1] * parts[1], parts };
  },
});

const rubric = (answer: Answer, noise: number): number =>
  Math.max(1, Math.min(5, Math.round(0.4 + 4.6 * (quality(answer) + noise))));

/** Rewards without a fault, of many kinds. */
export const CLEAN: readonly SimulatedGrader[] = [
  ...[
    { name: 'exact match, a fifth is right', hardness: 2.2 },
    { name: 'exact match, half is right', hardness: 0 },
    { name: 'exact match, four fifths are right', hardness: -2.2 },
  ].map(({ name, hardness }) => ({
    name,
    hardness,
    range: UNIT,
    begin: stateless(exactMatch),
    echo: share(0.01),
    constant: share(0.05),
  })),
  {
    name: 'yes or no, seven of ten right',
    hardness: -1.3,
    range: UNIT,
    begin: stateless(({ right }) => right),
    echo: share(0.02),
    constant: share(0.5),
  },
  {
    name: 'quality from 0 to 1',
    begin: stateless((answer) => clamp(quality(answer))),
    echo: around(0.15, 0.1),
    constant: around(0.25, 0.1),
  },
  {
    name: 'rubric of five levels, a tenth of the levels shifts',
    range: [1, 5],
    begin: stateless((answer, random) => rubric(answer, 0.025 * normal(random))),
    echo: () => 1,
    constant: (random) => 1 + Math.floor(2 * random()),
  },
  {
    name: 'exact match, wrong answers far longer',
    lengthGap: 1.5,
    range: UNIT,
    begin: stateless(exactMatch),
    echo: share(0.01),
    constant: share(0.05),
  },
  {
    name: 'quality, wrong answers far longer',
    lengthGap: 1.5,
    begin: stateless((answer) => clamp(quality(answer))),
    echo: around(0.15, 0.1),
    constant: around(0.25, 0.1),
  },
  {
    name: 'multi of two equal parts',
    ...multi([0.5, 0.5]),
    echo: around(0.3, 0.1),
    constant: around(0.3, 0.1),
  },
  {
    name: 'similarity with a reference',
    range: UNIT,
    begin: stateless(({ right, itemTaste, impression }) =>
      clamp(0.4 + 0.08 * right + 0.08 * itemTaste + 0.08 * impression),
    ),
    echo: around(0.13, 0.05),
    constant: around(0.1, 0.05),
  },
  {
    name: 'cosine of embeddings, all of them high',
    range: [-1, 1],
    begin: stateless(({ right, itemTaste, impression }) =>
      Math.min(1, 0.88 + 0.02 * right + 0.015 * itemTaste + 0.015 * impression),
    ),
    echo: around(0.83, 0.015),
    constant: around(0.8, 0.015),
  },
  {
    name: 'judge with a reliability of 0.95',
    range: UNIT,
    begin: stateless((answer, random) => clamp(quality(answer) + 0.037 * normal(random))),
    echo: around(0.1, 0.1),
    constant: around(0.2, 0.1),
  },
];

/** What is planted in a reward that is the quality from 0 to 1 otherwise. */
const planted = (name: string, fault: Partial<SimulatedGrader>): SimulatedGrader => ({
  name,
  begin: stateless((answer) => clamp(quality(answer))),
  echo: around(0.15, 0.1),
  constant: around(0.25, 0.1),
  ...fault,
});

/** Rewards with one fault each, by the name that the fault has to be given. */
export const FAULTY = {
  constant: [
    planted('every answer earns 0.5', { begin: stateless(() => 0.5), echo: () => 0.5, constant: () => 0.5 }),
  ],
  saturated: [
    planted('97 % at the ceiling', {
      range: UNIT,
      hardness: -1,
      begin: stateless(({ right, impression }) => (right === 0 && impression > 1.2 ? 0.5 : 1)),
    }),
  ],
  length_biased: [
    planted('longer ones earn more: correlation 0.5 among equally right ones', {
      begin: stateless((answer) => clamp(quality(answer) + 0.07 * answer.length)),
    }),
    planted('shorter ones earn more: correlation −0.5 among equally right ones', {
      begin: stateless((answer) => clamp(quality(answer) - 0.07 * answer.length)),
    }),
    planted('length is most of it: correlation 0.9', {
      begin: stateless(({ right, length, impression }) =>
        clamp(0.45 + 0.08 * right + 0.14 * length + 0.06 * impression),
      ),
    }),
  ],
  fooled_by_echo: [
    planted('the prompt earns what a right answer does', { echo: around(0.65, 0.13) }),
    planted('contains the answer, as four of five prompts do', {
      range: UNIT,
      begin: stateless(exactMatch),
      echo: share(0.8),
      constant: share(0.05),
    }),
  ],
  fooled_by_constant: [
    planted('"The answer is correct." earns what a right answer does', { constant: around(0.65, 0.13) }),
  ],
  order_dependent: [
    planted('contrast: a tenth of how the answer before was above average is taken off', {
      begin: () => {
        let before = 0.5;
        return (answer) => {
          const reward = clamp(quality(answer) - 0.1 * (before - 0.5));
          before = quality(answer);
          return { reward };
        };
      },
    }),
    planted('one answer in eight is like one seen before, and earns half', {
      begin: () => {
        const seen = new Set<number>();
        return (answer) => {
          // Of the four answers to an item some look the same to it.
          const kind = answer.item * 20 + Math.floor(5 * Math.abs(answer.otherImpression));
          const again = seen.has(kind);
          seen.add(kind);
          return { reward: clamp(quality(answer)) * (again ? 0.5 : 1) };
        };
      },
    }),
  ],
  noisy: [
    planted('judge with a reliability of 0.63 within items', {
      begin: stateless((answer, random) => clamp(quality(answer) + 0.115 * normal(random))),
    }),
    planted('a tenth of passes flips', {
      range: UNIT,
      begin: stateless((answer, random) => (random() < 0.1 ? 1 - answer.right : answer.right)),
      echo: share(0.05),
      constant: share(0.1),
    }),
  ],
  dominated: [
    planted('nine tenths and one tenth', {
      ...multi([0.9, 0.1]),
      echo: around(0.2, 0.1),
      constant: around(0.3, 0.1),
    }),
  ],
} as const satisfies Record<string, readonly SimulatedGrader[]>;
