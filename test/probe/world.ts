import { builtinGraders } from '../../graders/index.js';
import type { Row } from '../../src/contract.js';
import { parseRow } from '../../src/dataset/row.js';
import { createEngine, type ReadyGrader } from '../../src/engine.js';
import type { DrawnItems } from '../../src/probe/draw-items.js';
import { EDITS } from '../../src/probe/edits.js';
import { probe, type ProbeOptions } from '../../src/probe/probe.js';
import type { ProbeReport } from '../../src/probe/report.js';
import { defineGrader, graderFields } from '../../src/schema.js';
import { scored } from '../../src/score.js';
import * as z from 'zod';

/** A reward that is any function of the candidate and the row, as a Python reward would be. */
export const reward = (type: string, rewardOf: (candidate: string, row: Row) => number) =>
  defineGrader({
    type,
    summary: 'for a test',
    schema: z.object(graderFields),
    prepare: ({ pass_threshold }) => ({
      grade: (row) => scored(rewardOf(String(row.sample?.output_text), row), pass_threshold),
    }),
  });

/** Makes a grader of a configuration ready, or of a function. */
export const ready = (
  config: { readonly type: string } | ((candidate: string, row: Row) => number),
): Promise<ReadyGrader> =>
  typeof config === 'function'
    ? createEngine({ graders: [reward('planted', config)] }).prepare({ type: 'planted' })
    : createEngine({ graders: builtinGraders }).prepare(config);

/** Some items, each with a question, its answer, and samples of which the first is correct. */
export const itemsOf = (
  count: number,
  samples: readonly ((answer: number) => string)[],
  answerOf = (item: number): number => item + 100,
): DrawnItems => {
  const rows = Array.from({ length: count }, (_, item) =>
    samples.map((text, sample) => ({
      number: item * samples.length + sample,
      place: `line ${item * samples.length + sample + 1}`,
      bytes: 1,
      item,
      row: parseRow(
        JSON.stringify({
          item: {
            id: item,
            question: `What is number ${item}?`,
            answer: `${answerOf(item)}`,
            is_correct: sample === 0,
          },
          sample: { output_text: text(answerOf(item)) },
        }),
      ),
    })),
  );
  return { rows: rows.flat(), count, of: count, ungrouped: 0 };
};

/** Answers in a sentence: the first is right, the second wrong. */
export const SENTENCES = [
  (answer: number) => `The sum is ${answer}`,
  (answer: number) => `The sum is ${answer + 7}0`,
] as const;

export const probed = async (
  config: Parameters<typeof ready>[0],
  items: DrawnItems,
  options: Partial<ProbeOptions> = {},
): Promise<ProbeReport> => {
  const grader = await ready(config);
  try {
    return await probe(grader, items, { edits: EDITS, top: 1, seed: 0, label: ['is_correct'], ...options });
  } finally {
    await grader.close();
  }
};
