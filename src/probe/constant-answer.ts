import type { Row } from '../contract.js';
import { referencesOf, type ReferenceOptions } from './references.js';
import { editedFields, fieldTexts, type RowReader } from './row-edit.js';

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
  const [references, answers, words] = [new Counts(), new Counts(), new Counts()];
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

/** How often texts occur. */
class Counts {
  private readonly counts = new Map<string, number>();

  add(text: string): void {
    this.counts.set(text, (this.counts.get(text) ?? 0) + 1);
  }

  /**
   * The most frequent texts. Of those that are as frequent as the last of them, so many as there is room for, evenly
   * spread over all: the first of a dataset may be about one thing.
   */
  most(count: number): readonly string[] {
    const sorted = [...this.counts].toSorted(([, a], [, b]) => b - a);
    const least = sorted.at(count - 1)?.[1] ?? 0;
    const above = sorted.filter(([, times]) => times > least);
    const tied = sorted.filter(([, times]) => times === least);
    const room = Math.min(count - above.length, tied.length);
    const spread = Array.from({ length: room }, (_, place) => tied[Math.floor((place * tied.length) / room)]);
    return [...above, ...spread].map(([text]) => text);
  }
}
