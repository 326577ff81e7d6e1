import { test } from '@fast-check/vitest';
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { METHODS, type MethodName } from '../../src/methods/hyperparameters.js';
import { exportScores } from '../../src/export/export.js';
import { checked, exported, linesOf, place, writeLines, type Graded, type Outcome } from './scores.js';

const word = fc.constantFrom('a', 'b', 'c "d"', 'é\n', '\ud800', '', '__proto__');
const text = fc.oneof(
  { weight: 5, arbitrary: word },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);
const role = fc.constantFrom('user', 'user', 'system', 'developer', 'assistant', 'tool', 'function', 'usr');
const message = fc.record(
  {
    role,
    content: fc.oneof(
      { weight: 4, arbitrary: text },
      {
        weight: 1,
        arbitrary: fc.constantFrom(null, 7, [], [{ type: 'text', text: 'part' }], [{ type: 'file' }]),
      },
    ),
    weight: fc.constantFrom(0, 1, 2),
    name: fc.constantFrom('n', 1),
  },
  { requiredKeys: ['role', 'content'] },
);
const tools = fc.constantFrom<unknown>(
  null,
  [],
  'hammer',
  [{ type: 'function', function: { name: 'add', parameters: {} } }],
  [{ type: 'function', function: { name: 'a b' } }],
);
const merged = (first: object, second: object): object => ({ ...first, ...second });
const hostileItem = fc
  .record(
    {
      messages: fc.oneof(fc.array(message, { maxLength: 4 }), fc.jsonValue()),
      prompt: text,
      question: fc.oneof(word, fc.constant(5)),
      tools,
      parallel_tool_calls: fc.constantFrom(true, false, 'yes', null),
      id: fc.nat(),
    },
    { requiredKeys: [] },
  )
  .chain((fields) =>
    fc
      .dictionary(fc.constantFrom('__proto__', 'item', 'sample', 'é', ''), fc.jsonValue())
      .map((more) => merged(more, fields)),
  );
const item = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ prompt: word, id: fc.nat(3) }, { requiredKeys: ['prompt'] }),
  },
  { weight: 2, arbitrary: hostileItem },
);
const calls = fc.constantFrom<unknown>(
  [],
  null,
  [{ id: 'c', type: 'function', function: { name: 'add', arguments: '{}' } }],
  [{ id: 'c', type: 'function', function: { name: 'add', arguments: {} } }],
);
const sample = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'c', 'd') },
  text,
  fc.record({ output_text: text }),
  fc.record({ output_text: fc.option(text), output_tools: calls }, { requiredKeys: [] }),
  fc.record({ choices: fc.constant([{ message: { content: 'from a dump' } }]) }),
  fc.constantFrom(null, 3),
);
const row = fc.oneof(
  { weight: 8, arbitrary: fc.record({ item, sample }) },
  { weight: 2, arbitrary: fc.tuple(item, sample).map(([fields, said]) => merged(fields, { sample: said })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>('{"item":', '[1]', '{"item":{},"item":{"prompt":"p"},"sample":"s"}'),
  },
);
const graded: fc.Arbitrary<Graded> = fc.record(
  {
    row,
    reward: fc.oneof(fc.constantFrom(0, 0.25, 0.5, 1), fc.double({ noNaN: true, noDefaultInfinity: true })),
    passed: fc.boolean(),
    group: fc.constantFrom('g', 'h'),
  },
  { requiredKeys: ['row'] },
);
/** Few prompts, so that many rows share one. */
const scores = fc
  .tuple(
    fc.array(item, { minLength: 3, maxLength: 3 }),
    fc.array(fc.tuple(fc.nat(4), sample, graded), { minLength: 4, maxLength: 25 }),
  )
  .map(([items, rows]) =>
    rows.map(([index, said, each]) =>
      index < items.length ? { ...each, row: { item: items[index], sample: said } } : each,
    ),
  );
const options = fc.record(
  {
    perPrompt: fc.integer({ min: 1, max: 3 }),
    minReward: fc.constantFrom(0, 0.5),
    margin: fc.constantFrom(0, 0.25, 1),
    keepFlat: fc.boolean(),
    limit: fc.integer({ min: 1, max: 4 }),
    system: fc.constantFrom('s', '\ud800'),
  },
  { requiredKeys: ['minReward'] },
);

/** The lines and the reasons of an export of good answers. */
const outcome = async (data: readonly object[], results: readonly object[]) => {
  const output = place('train.jsonl');
  const { left_out, written } = await exportScores({
    scores: await writeLines('scores.jsonl', results),
    data: [await writeLines('data.jsonl', data)],
    method: 'supervised',
    minReward: 0,
    perPrompt: 2,
    output,
  });
  const lines = written ? (await linesOf(output)).map((line) => JSON.parse(line) as unknown) : [];
  return { lines, reasons: left_out.map(({ reason, rows: count }) => ({ reason, count })) };
};

const valuesOf = ({ lines }: Outcome) => lines.map((line) => JSON.parse(line) as unknown);

const errorsOf = (method: MethodName, lines: readonly string[]) =>
  checked(method, lines).counts.filter(
    ({ severity, rule }) => severity === 'error' && rule !== 'too_few_rows',
  );

const rowsOf = ({ report }: Outcome): number =>
  report.left_out.reduce((sum, { rows }) => sum + rows, report.used);

interface PairLine {
  readonly input: unknown;
  readonly preferred_output: readonly unknown[];
  readonly non_preferred_output: readonly unknown[];
}

describe.each(METHODS)('%s', (method) => {
  test.prop([scores, options], { numRuns: 25 })(
    'whatever the rows are, the file is valid and every row is accounted for',
    async (rows, given) => {
      const outcome = await exported(method, rows, given);
      const { lines, report } = outcome;
      expect(errorsOf(method, lines)).toEqual([]);
      expect(rowsOf(outcome)).toBe(rows.length);
      expect(report.written).toBe(lines.length > 0);
      expect(report.files[0].rows).toBe(lines.length);
      expect(report.files[0].prompts).toBeLessThanOrEqual(given.limit ?? Infinity);
      if (method !== 'reinforcement') expect(new Set(lines).size).toBe(lines.length);
      const again = await exported(method, rows, given);
      expect(again.lines).toEqual(lines);
    },
  );

  test.prop([scores, options], { numRuns: 12 })(
    'rows that have to be parsed give what scanned ones do',
    async (rows, given) => {
      const parsed = rows.map(({ row: each, ...score }) => ({
        ...score,
        // Keys with escapes are left to the parser.
        row: typeof each === 'string' ? each : JSON.stringify(each).replace(/^\{/, '{"\\u0078":0,"x":0,'),
      }));
      const plain = rows.map(({ row: each, ...score }) => ({
        ...score,
        row: typeof each === 'string' ? each : JSON.stringify(each).replace(/^\{/, '{"x":0,'),
      }));
      const [first, second] = [await exported(method, plain, given), await exported(method, parsed, given)];
      expect(valuesOf(second)).toEqual(valuesOf(first));
      expect(second.report.left_out).toEqual(first.report.left_out);
    },
  );
});

test.prop([fc.array(fc.tuple(item, fc.array(sample, { minLength: 1, maxLength: 4 })), { maxLength: 6 })], {
  numRuns: 25,
})('several samples of a row give what rows with one each do', async (rows) => {
  const single = rows.flatMap(([fields, samples], row) =>
    samples.map((said, index) => ({ fields, said, row, index, reward: index % 3 })),
  );
  const several = await outcome(
    rows.map(([fields, samples]) => ({ item: fields, samples })),
    single.map(({ row, index, reward }) => ({ row, sample: index, status: 'scored', reward })),
  );
  const each = await outcome(
    single.map(({ fields, said }) => ({ item: fields, sample: said })),
    single.map(({ row: group, reward }, row) => ({ row, group: String(group), status: 'scored', reward })),
  );
  expect(several).toEqual(each);
});

test.prop(
  [
    fc.array(
      fc.record({ prompt: fc.nat(5), answer: fc.nat(8), reward: fc.constantFrom(0, 0.1, 0.3, 0.7, 1, -2) }),
      {
        maxLength: 40,
      },
    ),
    fc.constantFrom(undefined, 0, 0.2, 0.5),
    fc.integer({ min: 1, max: 4 }),
  ],
  { numRuns: 40 },
)(
  'pairs of dpo are of one prompt, far enough apart, different and bounded',
  async (rows, margin, perPrompt) => {
    const { lines } = await exported(
      'dpo',
      rows.map(({ prompt, answer, reward }, index) => ({
        row: { item: { prompt: `p${prompt}` }, sample: `a${answer} of p${prompt}` },
        // Not known by the order of rows alone.
        reward:
          rows.findIndex((other) => other.prompt === prompt && other.answer === answer) === index
            ? reward
            : 99,
      })),
      { margin, perPrompt },
    );
    const rewardOf = (message: unknown): number => {
      const [, answer, prompt] = /a(\d+) of p(\d+)/.exec(JSON.stringify(message)) ?? [];
      return (
        rows.find((each) => each.prompt === Number(prompt) && each.answer === Number(answer))?.reward ?? NaN
      );
    };
    const pairs = lines.map((line) => JSON.parse(line) as PairLine);
    const perInput = new Map<string, number>();
    for (const { input, preferred_output, non_preferred_output } of pairs) {
      const difference = rewardOf(preferred_output) - rewardOf(non_preferred_output);
      expect(difference).toBeGreaterThan(0);
      expect(difference).toBeGreaterThanOrEqual(margin ?? 0);
      const key = JSON.stringify(input);
      for (const output of [preferred_output, non_preferred_output])
        expect(JSON.stringify(output)).toContain(/p\d/.exec(key)?.[0]);
      perInput.set(key, (perInput.get(key) ?? 0) + 1);
    }
    expect(Math.max(0, ...perInput.values())).toBeLessThanOrEqual(perPrompt);
    const texts = pairs.flatMap(({ preferred_output, non_preferred_output }) => [
      JSON.stringify(preferred_output),
      JSON.stringify(non_preferred_output),
    ]);
    expect(new Set(texts).size).toBe(texts.length);
  },
);
