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

/**
 * Writes `{item, sample}` rows of about `rowBytes`: a question fills the row, the answer is `answerLength` long and
 * correct in about two of three rows.
 */
export const writeDataset = (file, rows, { rowBytes = 1_000, answerLength = 60 } = {}) => {
  const random = createRandom(SEED);
  const pool = (length) => Array.from({ length: POOL }, () => createText(random, length));
  const answers = pool(answerLength);
  const questions = pool(Math.max(10, rowBytes - 2 * answerLength - 90));
  const descriptor = openSync(file, 'w');
  for (let first = 0; first < rows; first += ROWS_A_WRITE) {
    let text = '';
    for (let id = first; id < Math.min(first + ROWS_A_WRITE, rows); id++) {
      const answer = random.pick(answers);
      const item = { id, question: random.pick(questions), answer };
      const sample = { output_text: random.chance(2 / 3) ? answer : random.pick(answers) };
      text += `${JSON.stringify({ item, sample })}\n`;
    }
    writeSync(descriptor, text);
  }
  closeSync(descriptor);
};
