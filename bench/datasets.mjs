/** Deterministic datasets in a temporary folder. */
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '../fixtures/golden/random-pairs.mjs';
import { createPairs, createText } from './texts.mjs';

const SEED = 29;
const WRITE_LENGTH = 1 << 20;
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

/** Writes texts one after the other, some at once. */
export const writePieces = (file, pieces) => {
  const descriptor = openSync(file, 'w');
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length < WRITE_LENGTH) continue;
    writeFileSync(descriptor, text);
    text = '';
  }
  writeFileSync(descriptor, text);
  closeSync(descriptor);
};

/**
 * Makes `{item, sample}` rows of about `rowBytes`: question and solution fill the row, the answer is `answerLength`
 * long and the sample equals it in about two of three rows. `typographic` rows have curly quotes and an accent. `distinct`
 * rows have texts of their own, which takes longer: a format that compresses would find them again.
 */
export function* createRows(
  count,
  { rowBytes = 1_000, answerLength = 60, typographic = true, distinct = false } = {},
) {
  const random = createRandom(SEED);
  const texts = (make, length) => {
    if (distinct) return () => make(random, length);
    const pool = Array.from({ length: POOL }, () => make(random, length));
    return () => random.pick(pool);
  };
  const filling = Math.max(20, rowBytes - 2 * answerLength - 160);
  const question = (random, length) => createText(random, length) + (typographic ? TYPOGRAPHIC : '');
  const nextQuestion = texts(question, filling / 2);
  const nextSolution = texts(createSolution, filling / 2);
  const nextAnswer = texts(createText, answerLength);
  for (let id = 0; id < count; id++) {
    const answer = nextAnswer();
    const item = {
      id,
      question: nextQuestion(),
      solution: nextSolution(),
      answer,
      difficulty: random.pick(DIFFICULTIES),
      is_checked: random.chance(0.5),
    };
    yield { item, sample: { output_text: random.chance(2 / 3) ? answer : nextAnswer() } };
  }
}

function* toLines(rows) {
  for (const row of rows) yield `${JSON.stringify(row)}\n`;
}

/** Writes rows as JSONL. */
export const writeLines = (file, rows) => writePieces(file, toLines(rows));

/** Writes the rows of {@link createRows} as JSONL. */
export const writeDataset = (file, count, options) => writeLines(file, createRows(count, options));

function* createPairRows(count, length) {
  const random = createRandom(SEED);
  const pairs = createPairs(POOL, length);
  for (let id = 0; id < count; id++) {
    const { candidate, reference } = random.pick(pairs);
    yield { item: { id, answer: reference }, sample: { output_text: candidate } };
  }
}

/** Writes rows whose sample and answer are a pair of texts of about `length` characters. */
export const writePairs = (file, count, length) => writeLines(file, createPairRows(count, length));

/** Writes a file's content `times` times over. */
export const repeatFile = (source, file, times) => {
  copyFileSync(source, file);
  const content = readFileSync(source);
  for (let copy = 1; copy < times; copy++) appendFileSync(file, content);
};
