/** Deterministic JSONL datasets in a temporary folder. */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '../fixtures/golden/random-pairs.mjs';
import { createText } from './texts.mjs';

const SEED = 29;
const ROWS_A_WRITE = 1_000;
/** Texts to choose from: making a new one for each of a million rows would take longer than grading them. */
const POOL = 2_000;

/** Hands `use` a temporary folder and removes it afterwards. */
export const withFolder = async (use) => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** A worked solution: one sentence a line, the first word of each in quotes, so that the JSON has escapes to undo. */
const createSolution = (random, length) =>
  createText(random, length)
    .split('. ')
    .map((sentence) => sentence.replace(/^(\w+)/, '"$1"'))
    .join('.\n');

/** What people's texts have and ASCII has not: such rows cost a parser twice as much. */
const TYPOGRAPHIC = ' “It’s a naïve idea” – she said.';

const DIFFICULTIES = ['easy', 'medium', 'hard'];

/**
 * Writes `{item, sample}` rows of about `rowBytes`: question and solution fill the row, the answer is `answerLength`
 * long and the sample equals it in about two of three rows. `typographic` rows have curly quotes and an accent.
 */
export const writeDataset = (
  file,
  rows,
  { rowBytes = 1_000, answerLength = 60, typographic = true } = {},
) => {
  const random = createRandom(SEED);
  const pool = (make, length) => Array.from({ length: POOL }, () => make(random, length));
  const filling = Math.max(20, rowBytes - 2 * answerLength - 160);
  const question = (random, length) => createText(random, length) + (typographic ? TYPOGRAPHIC : '');
  const questions = pool(question, filling / 2);
  const solutions = pool(createSolution, filling / 2);
  const answers = pool(createText, answerLength);
  const createRow = (id) => {
    const answer = random.pick(answers);
    const item = {
      id,
      question: random.pick(questions),
      solution: random.pick(solutions),
      answer,
      difficulty: random.pick(DIFFICULTIES),
      is_checked: random.chance(0.5),
    };
    return { item, sample: { output_text: random.chance(2 / 3) ? answer : random.pick(answers) } };
  };
  const descriptor = openSync(file, 'w');
  for (let first = 0; first < rows; first += ROWS_A_WRITE) {
    let text = '';
    for (let id = first; id < Math.min(first + ROWS_A_WRITE, rows); id++) {
      text += `${JSON.stringify(createRow(id))}\n`;
    }
    writeSync(descriptor, text);
  }
  closeSync(descriptor);
};
