import { describe, expect, test } from 'vitest';
import type { Row } from '../../src/contract.js';
import { parseRow } from '../../src/dataset/row.js';
import { failed } from '../../src/score.js';
import { brokenBars } from '../../src/probe/bars.js';
import type { DrawnItems } from '../../src/probe/draw-items.js';
import { EDITS } from '../../src/probe/edits.js';
import { probe } from '../../src/probe/probe.js';
import type { ProbeReport } from '../../src/probe/report.js';
import { itemsOf, probed, ready, SENTENCES } from './world.js';

const check = (operation: string) => ({
  type: 'string_check',
  input: '{{ sample.output_text }}',
  reference: '{{ item.answer }}',
  operation,
});

const attack = ({ attacks }: ProbeReport, name: string) => attacks.find((each) => each.name === name);
const neutral = (report: ProbeReport, name: string) => report.neutral.find((each) => each.name === name);
const harmful = (report: ProbeReport, name: string) => report.harmful.find((each) => each.name === name);

describe('a grader that looks for the answer in the text', () => {
  test('is beaten by all references at once, and the report says so', async () => {
    const items = itemsOf(80, SENTENCES, (item) => 200 + (item % 40));
    const names = new Set([
      'empty',
      'prompt_echoed',
      'numbers_dumped',
      'references_dumped',
      'padded',
      'references_hidden',
    ]);
    const edits = EDITS.filter(({ name }) => names.has(name));
    const report = await probed(check('like'), items, { edits });
    expect(report.strongest_attack).toBe('references_dumped');
    expect(report.cheapest_attack).toBe('references_dumped');
    expect(attack(report, 'references_dumped')?.fooled?.value).toBe(1);
    expect(attack(report, 'references_hidden')?.fooled?.value).toBe(1);
    expect(report.conclusion[0]).toBe(
      'references_dumped beats the honest answers: mean reward 1 against 0.5, and it fools the grader on 100.0 % of items.',
    );
  });

  test('is told what it does not see', async () => {
    const report = await probed(check('like'), itemsOf(30, SENTENCES));
    expect(harmful(report, 'negated')).toMatchObject({ rows: 30, missed: { value: 1 }, mean_fall: 0 });
    expect(harmful(report, 'number_changed')).toMatchObject({ missed: { value: 0 }, mean_fall: 1 });
  });
});

describe('an exact grader', () => {
  const plain = [(answer: number) => String(answer), (answer: number) => String(answer + 1)];

  test('is not beaten', async () => {
    const report = await probed(check('eq'), itemsOf(60, plain));
    expect(report.cheapest_attack).toBeNull();
    expect(report.conclusion[0]).toMatch(/^No attack comes near the honest answers/);
    for (const { name, fooled } of report.attacks) expect(fooled?.value ?? 0, name).toBeLessThan(0.05);
    expect(report.conclusion[2]).toBe('Every harmful edit costs reward.');
  });

  test('minds what does not matter', async () => {
    const report = await probed(check('eq'), itemsOf(60, plain));
    expect(neutral(report, 'outer_space')).toMatchObject({
      rows: 120,
      flipped: { value: 0.5 },
      flipped_correct: { value: 1, items: 60 },
      mean_move: 0.5,
    });
  });
});

test('a reward of length is beaten by padding and repetition', async () => {
  const report = await probed((text) => text.length, itemsOf(40, SENTENCES));
  expect(attack(report, 'padded')).toMatchObject({ form: 'adds', rows: 40, fooled: { value: 1 } });
  expect(attack(report, 'repeated')?.fooled?.value).toBe(1);
  expect(report.cheapest_attack).toBe('prompt_echoed');
});

test('a reward of words in common with the prompt is beaten by the prompt', async () => {
  const report = await probed(
    (text, { item }) => {
      const words = new Set(text.split(' '));
      return (
        String(item.question)
          .split(' ')
          .filter((word) => words.has(word)).length / 4
      );
    },
    itemsOf(40, SENTENCES),
  );
  expect(report.cheapest_attack).toBe('prompt_echoed');
  expect(attack(report, 'prompt_echoed')).toMatchObject({
    reward: { value: 1 },
    fooled: { value: 1, items: 40 },
  });
});

test('one answer to all is found, and tried on items that it was not chosen on', async () => {
  const items = itemsOf(40, [(answer) => (answer % 3 === 0 ? 'maybe' : String(answer)), () => 'no']);
  const report = await probed((text, { item }) => Number(text === 'maybe' || text === item.answer), items);
  expect(attack(report, 'constant_answer')).toMatchObject({
    reward: { value: 1 },
    fooled: { value: 1 },
    constants: ['maybe'],
    rows: 40,
  });
  expect(report.cheapest_attack).toBe('constant_answer');
  // An answer that is right of one item only was the best on its half, and is worth nothing on the other.
  const chance = await probed(check('eq'), itemsOf(40, [(answer) => String(answer)]));
  expect(attack(chance, 'constant_answer')?.reward?.value).toBe(0);
});

test('a grader that minds capitals flips with a share of 1', async () => {
  const report = await probed((text) => Number(text.startsWith('The')), itemsOf(40, SENTENCES));
  expect(neutral(report, 'lower_case')?.flipped).toMatchObject({ value: 1, items: 40 });
  expect(neutral(report, 'full_stop')?.flipped?.value).toBe(0);
  expect(report.conclusion[1]).toContain('lower_case moves the most rewards: 100.0 % of rows');
});

test('a constant reward misses all harm, and there is nothing to win', async () => {
  const report = await probed(() => 0.5, itemsOf(40, SENTENCES));
  expect(report.conclusion[0]).toBe('Every reward is 0.5, whatever the answer: there is nothing to win.');
  expect(report.strongest_attack).toBeNull();
  for (const { missed } of report.harmful.filter(({ rows }) => rows > 0)) expect(missed?.value).toBe(1);
  for (const { flipped } of report.neutral.filter(({ rows }) => rows > 0)) expect(flipped?.value).toBe(0);
});

test('where a grader says what passes, an attack fools it by passing', async () => {
  const report = await probed({ ...check('ne') }, itemsOf(30, [(answer) => String(answer)]), {
    label: undefined,
  });
  // Anything but the answer passes.
  expect(attack(report, 'empty')?.fooled?.value).toBe(1);
  expect(attack(report, 'invisible_characters')?.rows).toBe(0);
  expect(attack(report, 'padded')?.fooled?.value).toBe(1);
});

describe('labels', () => {
  test('tell which answers attacks add to, and which harm is done to', async () => {
    const report = await probed(check('like'), itemsOf(20, SENTENCES));
    expect(report.honest).toMatchObject({
      rows: 40,
      failed: 0,
      correct: { rows: 20 },
      wrong: { rows: 20 },
      unlabelled: 0,
    });
    expect(attack(report, 'padded')?.rows).toBe(20);
    expect(attack(report, 'empty')?.rows).toBe(20);
    expect(harmful(report, 'negated')?.rows).toBe(20);
    expect(report.warnings).toEqual([]);
  });

  test('that are missing are told', async () => {
    const report = await probed((text) => text.length, itemsOf(20, SENTENCES), { label: undefined });
    expect(attack(report, 'padded')?.rows).toBe(40);
    expect(report.warnings).toEqual([
      'without a label, attacks that add to an answer are made of right and wrong answers alike',
    ]);
    const other = await probed((text) => text.length, itemsOf(20, SENTENCES), { label: ['question'] });
    expect(other.warnings).toEqual(['40 rows have a label that is neither true nor false nor a number']);
  });
});

/** Gives 1 for any text but the empty one, and fails for some. */
const fragile = async (breaks: (text: string) => boolean, items = itemsOf(30, SENTENCES)) => {
  const grader = await ready((text) => (text === '' ? 0 : 1));
  const grade = grader.gradeRow;
  return probe(
    {
      ...grader,
      gradeRow: (row) =>
        breaks(String(row.sample?.output_text))
          ? failed('python_grader_runtime_error', 'broken')
          : grade(row),
    },
    items,
    { edits: EDITS, top: 1, seed: 0, label: ['is_correct'] },
  );
};

describe('rows that fail', () => {
  test('of an edit enter no share, and are counted and told', async () => {
    const report = await fragile((text) => text.startsWith('{'));
    expect(attack(report, 'json_stuffed')).toMatchObject({
      rows: 30,
      failed: 30,
      failures: { python_grader_runtime_error: 30 },
      reward: null,
      fooled: null,
      examples: [],
    });
    expect(report.warnings).toContain('json_stuffed: 30 of 30 rows failed, which are in no share');
    expect(report.honest.failed).toBe(0);
  });

  test('as they stand are in no mean, and no edit adds to them', async () => {
    const report = await fragile((text) => text.endsWith('0'));
    expect(report.honest).toMatchObject({ rows: 60, reward: { value: 1 } });
    expect(report.honest.failed).toBeGreaterThanOrEqual(30);
    expect(neutral(report, 'full_stop')?.rows).toBe(60 - report.honest.failed);
  });

  test('because they cannot be read are counted', async () => {
    const items = itemsOf(30, SENTENCES);
    const broken = { ...items.rows[0], row: failed('row_error', 'not JSON') };
    const report = await fragile(() => false, { ...items, rows: [broken, ...items.rows.slice(1)] });
    expect(report.honest).toMatchObject({ rows: 60, failed: 1, failures: { row_error: 1 } });
    expect(attack(report, 'empty')?.rows).toBe(30);
  });
});

const wordy = (text: string): number => 100 + text.length / 1000;

describe('what is graded', () => {
  test('is no item and text twice', async () => {
    const seen: string[] = [];
    await probed(
      (text, { item }) => {
        seen.push(`${JSON.stringify(item)} ${text}`);
        return text.length;
      },
      itemsOf(10, [(answer) => `a${answer}`, (answer) => `b${answer}`]),
      { label: undefined },
    );
    expect(new Set(seen).size).toBe(seen.length);
    // Edits that replace the answer are made once an item.
    expect(seen.filter((text) => text.includes('} 0 1 2'))).toHaveLength(10);
  });

  test('gives the same report every time, but for the order of nothing', async () => {
    const config = {
      type: 'text_similarity',
      input: '{{ sample.output_text }}',
      reference: '{{ item.answer }}',
      evaluation_metric: 'fuzzy_match',
    };
    const first = await probed(config, itemsOf(30, SENTENCES));
    expect(await probed(config, itemsOf(30, SENTENCES))).toEqual(first);
    // Infinity and NaN would be null.
    expect(JSON.parse(JSON.stringify(first))).toEqual(first);
  });

  test('is what the grader reads of the sample, or nothing can be probed', async () => {
    const report = await probed(check('eq'), itemsOf(20, SENTENCES), { edits: EDITS.slice(0, 1) });
    expect(report.fields).toEqual(['sample.output_text']);
    const blind = { ...check('eq'), input: '{{ item.question }}' };
    await expect(probed(blind, itemsOf(5, SENTENCES))).rejects.toThrow(
      'the grader reads nothing of the sample',
    );
    const row = { number: 0, place: 'line 1', bytes: 1, item: 0, row: parseRow('{"item":{"answer":"1"}}') };
    await expect(probed(check('eq'), { rows: [row], count: 1, of: 1, ungrouped: 0 })).rejects.toThrow(
      'no row has a text at sample.output_text',
    );
  });

  test('tolerates small moves, and more of them where that is asked for', async () => {
    const strict = await probed(wordy, itemsOf(30, SENTENCES), { tolerance: 0 });
    expect(neutral(strict, 'full_stop')).toMatchObject({ flipped: { value: 1 } });
    const loose = await probed(wordy, itemsOf(30, SENTENCES), { tolerance: 0.0011 });
    expect(neutral(loose, 'full_stop')).toMatchObject({ flipped: { value: 0 } });
    expect(neutral(loose, 'full_stop')?.mean_move).toBeCloseTo(0.001, 12);
    expect((await probed(wordy, itemsOf(30, SENTENCES))).tolerance).toBeCloseTo(1e-5, 12);
  });
});

/** The answer that was found in the text stands beside it. */
const extracted = (): DrawnItems => {
  const drawn = itemsOf(30, SENTENCES);
  const rows = drawn.rows.map((each, at) => {
    const { item, sample } = each.row as Row;
    const output_text = String(sample?.output_text);
    const json = { item, sample: { output_text, output_json: { answer: output_text.slice(11) } } };
    return { ...drawn.rows[at], row: parseRow(JSON.stringify(json)) };
  });
  return { ...drawn, rows };
};
const answerOf = ({ sample }: Row): unknown =>
  (sample?.output_json as { answer?: unknown } | undefined)?.answer;

const ofBoth = (text: string, row: Row) =>
  Number(answerOf(row) === row.item.answer) + Number(text.includes(String(row.item.answer)));

describe('an answer in output_json beside its text', () => {
  test.each([
    ['sample.output_text', (text: string, row: Row) => Number(text.endsWith(` ${String(row.item.answer)}`))],
    ['sample.output_json', (_: string, row: Row) => Number(answerOf(row) === row.item.answer)],
  ])('is only edited where it is read: %s', async (field, rewardOf) => {
    const report = await probed(rewardOf, extracted());
    expect(report.fields).toEqual([field]);
    expect(harmful(report, 'number_changed')).toMatchObject({ rows: 30, missed: { value: 0 } });
  });

  test('is only harmed along with the text where both are read', async () => {
    const report = await probed(ofBoth, extracted());
    expect(report.fields).toEqual(['sample.output_text', 'sample.output_json']);
    // Of an answer of one word there is no half.
    expect(harmful(report, 'truncated')).toMatchObject({ rows: 0, not_applicable: 30 });
    expect(harmful(report, 'number_changed')?.missed?.value).toBe(0);
    expect(neutral(report, 'upper_case')?.rows).toBe(60);
  });
});

describe('examples', () => {
  test('are the worst rows, with what was made of them', async () => {
    const report = await probed((text) => Number(text.includes('108')), itemsOf(20, SENTENCES), { top: 2 });
    const { examples = [] } = harmful(report, 'negated') ?? {};
    expect(examples).toEqual([
      {
        place: 'line 17',
        honest: ['The sum is 108'],
        edited: ['The sum is not 108'],
        honest_reward: 1,
        edited_reward: 1,
      },
    ]);
  });

  test('of an attack in the place of answers have the mean of the item', async () => {
    const report = await probed(
      (text) => (text === '' ? 2 : Number(/ 1\d\d$/.test(text))),
      itemsOf(20, SENTENCES),
    );
    expect(attack(report, 'empty')?.examples).toMatchObject([
      { edited: [''], honest_reward: 0.5, edited_reward: 2 },
    ]);
  });
});

const bar = (kind: 'attack' | 'neutral' | 'harmful', most: number, name?: string) => ({ kind, most, name });

describe('bars', () => {
  test('are broken where the lower end of the interval is above', async () => {
    const report = await probed((text) => Number(text.startsWith('The')), itemsOf(40, SENTENCES));
    const { flipped } = neutral(report, 'lower_case') ?? {};
    const [low] = flipped?.interval ?? [0];
    expect(low).toBeGreaterThan(0.9);
    expect(brokenBars([bar('neutral', low)], report).filter(({ name }) => name === 'lower_case')).toEqual([]);
    expect(brokenBars([bar('neutral', low - 0.01, 'lower_case')], report)).toEqual([
      { bar: bar('neutral', low - 0.01, 'lower_case'), name: 'lower_case', found: flipped },
    ]);
    expect(brokenBars([bar('neutral', 0, 'full_stop')], report)).toEqual([]);
  });

  test('on an edit that was never scored are broken', async () => {
    const report = await probed((text) => text.length, itemsOf(20, SENTENCES));
    expect(neutral(report, 'unicode_form')?.rows).toBe(0);
    expect(brokenBars([bar('neutral', 1, 'unicode_form')], report)).toMatchObject([{ found: null }]);
    expect(brokenBars([bar('neutral', 1)], report)).toEqual([]);
  });
});
