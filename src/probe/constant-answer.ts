import type { Row } from '../contract.js';
import { referencesOf, type ReferenceOptions } from './references.js';
import { editedFields, fieldTexts, type RowReader } from './row-edit.js';
import { TextCounts } from './text-counts.js';

/** How many of the most frequent references and of the most frequent answers are tried. */
const MOST_FREQUENT = 7;

/** Answers that fit many questions. */
const FILLERS = ['', '0', '1', 'Yes', 'A', "I don't know."];

/** How many of the most frequent words of references make up one candidate. */
const MOST_WORDS = 30;

/**
 * Texts that may do well as one and the same answer to every row: the most frequent references and answers, the most
 * frequent words of the references, and some that fit many questions. The same rows give the same texts.
 *
 * @returns at most 21, each once
 */
export const constantCandidates = (
  rows: Iterable<Row>,
  grader: RowReader,
  options: ReferenceOptions = {},
): readonly string[] => {
  const fields = editedFields(grader);
  const [references, answers, words] = [new TextCounts(), new TextCounts(), new TextCounts()];
  for (const row of rows) {
    for (const reference of referencesOf(row, grader, options)) {
      references.add(reference);
      for (const word of new Set(reference.match(WORD))) words.add(word);
    }
    for (const answer of new Set(fieldTexts(row, fields))) answers.add(answer);
  }
  const common = words.most(MOST_WORDS).join(' ');
  return [
    ...new Set([...references.most(MOST_FREQUENT), ...answers.most(MOST_FREQUENT), common, ...FILLERS]),
  ].slice(0, 2 * MOST_FREQUENT + 1 + FILLERS.length);
};

const WORD = /[\p{L}\p{N}]+/gu;
