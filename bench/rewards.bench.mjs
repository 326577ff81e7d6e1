/** `assay bench` with four rewards beside the four plain runs that it is made of. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '../fixtures/golden/random-pairs.mjs';
import { CLI, measureRun } from './cli.mjs';
import { withFolder, writeLines } from './datasets.mjs';
import {
  formatNumber,
  formatSummary,
  interleave,
  measureSuccess,
  ratioCells,
  ratioTable,
  summarize,
  table,
} from './measure.mjs';
import { createText } from './texts.mjs';

const ROUNDS = 3;
const MAX_ROWS = 100_000;
const SAMPLES = 4;
const REPLICATES = 1_000;
const SEED = 31;
/** Texts to choose from: making new ones for each row would take longer than grading them. */
const POOL = 2_000;
const TEXT_LENGTH = 300;

/** A bench may take as long as this, or as a multiple of the plain runs where those take longer than a third of it. */
const GOAL_SECONDS = 60;
const GOAL_RATIO = 3;

export const title = 'Rewards: assay bench with 4 graders, rows of about 1 kB, 4 samples an item';

const GRADERS = {
  exact: {
    type: 'string_check',
    name: 'exact',
    operation: 'eq',
    input: '{{ sample.output_json.answer }}',
    reference: '{{ item.answer }}',
  },
  overlap: {
    type: 'text_similarity',
    name: 'overlap',
    evaluation_metric: 'rouge_l',
    input: '{{ sample.output_text }}',
    reference: '{{ item.solution }}',
  },
  close: {
    type: 'text_similarity',
    name: 'close',
    evaluation_metric: 'fuzzy_match',
    input: '{{ sample.output_text }}',
    reference: '{{ item.solution }}',
  },
  last: {
    type: 'python',
    name: 'last',
    source:
      'def grade(sample, item):\n    return 1.0 if sample["output_text"].rsplit(" ", 1)[-1] == item["answer"] else 0.0\n',
  },
};

/** How many words of the solution are others in a sample; wrong samples have more such words, mostly. */
const REPLACED = { right: [0.1, 0.2, 0.3, 0.4], wrong: [0.2, 0.4, 0.6, 0.8] };

/** Samples say what the solution says, in part. */
function* createRows(items) {
  const random = createRandom(SEED);
  const texts = Array.from({ length: POOL }, () => createText(random, TEXT_LENGTH));
  for (let id = 0; id < items; id++) {
    const solution = random.pick(texts);
    const item = { id, question: random.pick(texts), solution, answer: String(id % 997) };
    const difficulty = random.chance(0.5) ? 0.3 : 0.7;
    for (let sample = 0; sample < SAMPLES; sample++) {
      const is_correct = random.chance(difficulty);
      const share = random.pick(is_correct ? REPLACED.right : REPLACED.wrong);
      const other = random.pick(texts).split(' ');
      const words = solution.split(' ').map((word, at) => (random.chance(share) ? (other[at] ?? '') : word));
      const answer = is_correct ? item.answer : String((id + 1) % 997);
      yield {
        item: { ...item, is_correct },
        sample: { output_text: `${words.join(' ')} ${answer}`, output_json: { answer } },
      };
    }
  }
}

const sumOf = (usages) => ({
  cpuSeconds: usages.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
  wallSeconds: usages.reduce((sum, { wallSeconds }) => sum + wallSeconds, 0),
  maxRssMiB: Math.max(...usages.map(({ maxRssMiB }) => maxRssMiB)),
});

const medianWall = (usages) => summarize(usages.map(({ wallSeconds }) => wallSeconds)).median;

const usageRow = (label, usages) => [
  label,
  ...['cpuSeconds', 'wallSeconds', 'maxRssMiB'].map((field) =>
    formatSummary(usages.map((usage) => usage[field])),
  ),
];

export const run = ({ rows }) =>
  withFolder(async (folder) => {
    const items = Math.ceil(Math.min(rows, MAX_ROWS) / SAMPLES);
    const data = join(folder, 'samples.jsonl');
    writeLines(data, createRows(items));
    const graders = Object.entries(GRADERS).map(([name, grader]) => {
      const file = join(folder, `${name}.json`);
      writeFileSync(file, JSON.stringify(grader));
      return file;
    });
    const flags = ['--data', data, '--group', 'item.id', '--label', 'item.is_correct'];
    const bench = (...more) =>
      measureSuccess(process.execPath, [CLI, 'bench', ...graders, ...flags, '--quiet', ...more]);
    const usages = await interleave(ROUNDS, {
      runs: () => sumOf(graders.map((grader) => measureRun(folder, grader, data))),
      bench: () => bench('--replicates', String(REPLICATES)),
      few: () => bench('--replicates', '1', '--trial-items', '0'),
    });
    const [plain, whole] = [usages.runs, usages.bench].map(medianWall);
    const isLong = plain * GOAL_RATIO > GOAL_SECONDS;
    return [
      `${formatNumber(items)} items with ${SAMPLES} samples each; ${ROUNDS} rounds in turn; median (min–max); process starts included.`,
      '',
      table(
        ['what', 'CPU s', 'wall s', 'peak MiB'],
        [
          usageRow('four plain runs', usages.runs),
          usageRow(`assay bench, ${formatNumber(REPLICATES)} replicates`, usages.bench),
          usageRow('assay bench, 1 replicate, no trials', usages.few),
        ],
      ),
      '',
      ratioTable([
        ['bench to the four runs, wall', ...ratioCells(whole / plain, isLong ? { atMost: GOAL_RATIO } : {})],
        [
          `bench to ${GOAL_SECONDS} s, wall`,
          ...ratioCells(whole / GOAL_SECONDS, isLong ? {} : { atMost: 1 }),
        ],
      ]),
    ].join('\n');
  });
