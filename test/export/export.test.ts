import { appendFile, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exportScores } from '../../src/export/export.js';
import { exported, linesOf, place, reasonsOf, writeLines, writeScores, type Graded } from './scores.js';

const row = (question: string, answer: string, more: object = {}) => ({
  item: { question, ...more },
  sample: { output_text: answer },
});

/** Four answers to one prompt, two to another, one to a third. */
const GRADED: readonly Graded[] = [
  { row: row('2 + 2?', 'four', { id: 1.5 }), reward: 0.5, passed: false },
  { row: row('2 + 2?', '4'), reward: 1, passed: true },
  { row: row('2 + 2?', '5'), reward: 0, passed: false },
  { row: row('2 + 2?', 'It is 4.'), reward: 0.75, passed: true },
  { row: row('3 + 3?', '6'), reward: 1, passed: true },
  { row: row('3 + 3?', 'six'), reward: 1, passed: true },
  { row: row('1 + 1?', '2'), reward: 1, passed: true },
  { row: row('1 + 1?', 'x') },
];

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });

describe('supervised', () => {
  test('the best answer of each prompt that passed', async () => {
    const outcome = await exported('supervised', GRADED);
    expect(outcome.lines).toEqual([
      '{"messages":[{"role":"user","content":"2 + 2?"},{"role":"assistant","content":"4"}]}',
      '{"messages":[{"role":"user","content":"3 + 3?"},{"role":"assistant","content":"6"}]}',
      '{"messages":[{"role":"user","content":"1 + 1?"},{"role":"assistant","content":"2"}]}',
    ]);
    expect(reasonsOf(outcome)).toEqual({ not_passed: 2, better_taken: 2, failed: 1 });
    expect(outcome.report).toMatchObject({
      rows: 8,
      used: 3,
      prompts: 3,
      mean_reward: { scored: 0.75, used: 1 },
      files: [{ use: 'training', rows: 3, prompts: 3, findings: ['has 3 rows, expected at least 10'] }],
    });
    expect(outcome.report.left_out[2]).toMatchObject({ reason: 'failed', rows: 1, first_row: 7 });
  });

  test('several of them, above a bar', async () => {
    const outcome = await exported('supervised', GRADED, { minReward: 0.5, perPrompt: 2 });
    expect(outcome.lines.map((line) => /"content":"([^"]*)"}\]/.exec(line)?.[1])).toEqual([
      '4',
      'It is 4.',
      '6',
      'six',
      '2',
    ]);
    expect(reasonsOf(outcome)).toEqual({ below_bar: 1, better_taken: 1, failed: 1 });
  });

  test('a bar has to be given where the results do not say what passed', async () => {
    const graded = GRADED.map(({ row: data, reward }) => ({ row: data, reward }));
    await expect(exported('supervised', graded)).rejects.toThrow(
      'the results do not say which rows passed; say with --min-reward from which reward on answers are good (rewards are from 0 to 1)',
    );
    expect((await exported('supervised', graded, { minReward: 1 })).lines).toHaveLength(3);
  });

  test('identical answers count once, in whatever way they are escaped', async () => {
    const outcome = await exported(
      'supervised',
      [
        { row: '{"item":{"question":"q"},"sample":"caf\\u00e9"}', reward: 1 },
        { row: '{"item":{"question":"q"},"sample":"café"}', reward: 1 },
        { row: '{"item":{"question":"q"},"sample":{"output_text":"caf\\u00e9"}}', reward: 1 },
      ],
      { minReward: 1, perPrompt: 5 },
    );
    expect(outcome.lines).toHaveLength(1);
    expect(reasonsOf(outcome)).toEqual({ duplicate_answer: 2 });
  });

  test('a system message, tools and tool calls', async () => {
    const tools = [{ type: 'function', function: { name: 'add', parameters: { type: 'object' } } }];
    const calls = [{ id: 'c1', type: 'function', function: { name: 'add', arguments: '{"a":2}' } }];
    const outcome = await exported(
      'supervised',
      [
        {
          row: {
            item: { prompt: 'p', tools, parallel_tool_calls: false },
            sample: { output_text: '', output_tools: calls },
          },
          reward: 1,
        },
        {
          row: { item: { prompt: 'q', tools: null }, sample: { output_text: 'a', output_tools: [] } },
          reward: 1,
        },
        {
          row: { item: { prompt: 'r', tools }, sample: { output_tools: [{ id: 'c', function: {} }] } },
          reward: 1,
        },
      ],
      { minReward: 1, system: 'Be "brief".' },
    );
    expect(outcome.lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        messages: [
          { role: 'system', content: 'Be "brief".' },
          user('p'),
          { role: 'assistant', content: null, tool_calls: calls },
        ],
        tools,
        parallel_tool_calls: false,
      },
      { messages: [{ role: 'system', content: 'Be "brief".' }, user('q'), assistant('a')] },
    ]);
    expect(reasonsOf(outcome)).toEqual({ tool: 1 });
  });

  test('earlier turns of the assistant are told, for they are learnt', async () => {
    const rows = [undefined, 0].map((weight) => ({
      row: {
        item: { messages: [user('a'), { ...assistant('b'), weight }, user('c')] },
        sample: 'd',
      },
      reward: 1,
    }));
    const { report, lines } = await exported('supervised', rows, { minReward: 1 });
    expect(report.warnings).toMatchObject([
      { code: 'learnt_turns', message: expect.stringMatching(/^1 prompt /) },
    ]);
    expect(lines[1]).toContain('"weight":0');
  });
});

describe('dpo', () => {
  test('the best answer that passed with the worst that did not', async () => {
    const outcome = await exported('dpo', GRADED);
    expect(outcome.lines).toEqual([
      '{"input":{"messages":[{"role":"user","content":"2 + 2?"}]},"preferred_output":[{"role":"assistant","content":"4"}],"non_preferred_output":[{"role":"assistant","content":"5"}]}',
    ]);
    expect(reasonsOf(outcome)).toEqual({ pairs_taken: 2, no_rejected: 2, single_answer: 1, failed: 1 });
    expect(outcome.report.pairs).toEqual({
      reward: { chosen: 1, rejected: 0 },
      characters: { chosen: 1, rejected: 1, difference: 0, interval: null, caution: 'no_spread' },
    });
  });

  test('then the next two, no answer twice', async () => {
    const outcome = await exported('dpo', GRADED, { perPrompt: 9 });
    expect(outcome.lines.map((line) => line.match(/(?<="content":")[^"]*/g)?.slice(1))).toEqual(
      [
        ['It is 4.', 'four'],
        ['4', '5'],
      ].toReversed(),
    );
    expect(reasonsOf(outcome)).toEqual({ no_rejected: 2, single_answer: 1, failed: 1 });
  });

  test('a margin takes the place of passing, and has to be reached', async () => {
    const outcome = await exported('dpo', GRADED, { perPrompt: 2, margin: 0.5, minReward: 0.7 });
    expect(outcome.lines).toHaveLength(1);
    expect(reasonsOf(outcome)).toEqual({ unpaired: 2, margin: 2, single_answer: 1, failed: 1 });
  });

  test('answers of equal reward are never paired, nor is an answer with itself', async () => {
    const graded = ['a', 'b', 'a', 'a'].map((answer, index) => ({
      row: row('q', answer),
      reward: index < 2 ? 1 : 0,
    }));
    const outcome = await exported('dpo', graded, { perPrompt: 4 });
    expect(outcome.report.written).toBe(false);
    expect(reasonsOf(outcome)).toEqual({ duplicate_answer: 2, margin: 2 });
  });

  test('pairs are of one prompt, also where a group has more', async () => {
    const graded = [
      { row: row('q1', 'a'), reward: 1, group: 'g' },
      { row: row('q2', 'b'), reward: 0, group: 'g' },
      { row: row('q1', 'c'), reward: 0, group: 'g' },
      { row: row('q1', 'd'), reward: 0, group: 'other' },
    ];
    const { report, lines } = await exported('dpo', graded);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('"content":"c"');
    expect(report.warnings).toEqual([
      {
        code: 'groups_of_prompts',
        message:
          'rows of one group have different prompts (3 prompts in 2 groups); only answers to the same prompt are compared',
      },
    ]);
  });

  test('another group with the same pair adds nothing', async () => {
    const graded = ['g', 'h'].flatMap((group) => [
      { row: row('q', 'a'), reward: 1, group },
      { row: row('q', 'b'), reward: 0, group },
    ]);
    const outcome = await exported('dpo', graded);
    expect(outcome.lines).toHaveLength(1);
    expect(reasonsOf(outcome)).toEqual({ duplicate_row: 2 });
  });

  test('tells when chosen answers are longer', async () => {
    const graded = Array.from({ length: 60 }, (_, index) => [
      { row: row(`q${index}`, 'long '.repeat(10 + (index % 7))), reward: 1 },
      { row: row(`q${index}`, 'short'.repeat(1 + (index % 3))), reward: 0 },
    ]).flat();
    const { report } = await exported('dpo', graded);
    expect(report.warnings).toMatchObject([
      {
        code: 'longer_chosen',
        message: expect.stringMatching(
          /^chosen answers are longer than rejected ones: 65 to 10 characters on average, a difference of 55 \(95 % interval 5\d to 5\d\); a model/,
        ),
      },
    ]);
    const turned = await exported(
      'dpo',
      graded.map(({ row: data, reward }) => ({ row: data, reward: 1 - reward })),
    );
    expect(turned.report.warnings).toEqual([]);
  });

  test('answers that are far from each other in the file', async () => {
    const rewards = [1, 0];
    const graded = rewards.flatMap((reward) =>
      [1, 2, 3].map((prompt) => ({ row: row(`q${prompt}`, `answer ${reward}`), reward })),
    );
    const { lines } = await exported('dpo', graded);
    expect(lines.map((line) => /q\d/.exec(line)?.[0])).toEqual(['q1', 'q2', 'q3']);
  });
});

describe('reinforcement', () => {
  test('prompts with spread, with the item as the dataset has it', async () => {
    const outcome = await exported('reinforcement', [
      { row: '{"item":{"id":1.0,"question":"q","big":12345678901234567890},"sample":"a"}', reward: 0 },
      { row: '{"item":{"id":2.0,"question":"q"},"sample":"b"}', reward: 0.5 },
      { row: row('r', 'a'), reward: 1 },
      { row: row('r', 'b'), reward: 1 },
      { row: row('s', 'b'), reward: 1 },
    ]);
    expect(outcome.lines).toEqual([
      '{"messages":[{"role":"user","content":"q"}],"id":1.0,"question":"q","big":12345678901234567890}',
    ]);
    expect(reasonsOf(outcome)).toEqual({ no_spread: 2, single_sample: 1 });
    expect(outcome.report.used).toBe(2);
  });

  test('all prompts, or those of a band', async () => {
    const graded = [0, 0.25, 0.5, 0.75, 1].map((reward) => ({ row: row(`q${reward}`, 'a'), reward }));
    const none = await exported('reinforcement', graded);
    expect(none.report).toMatchObject({ written: false, warnings: [{ code: 'single_samples' }] });
    expect((await exported('reinforcement', graded, { keepFlat: true })).lines).toHaveLength(5);
    const band = await exported('reinforcement', graded, { keepFlat: true, minMean: 0.25, maxMean: 0.5 });
    expect(band.lines).toHaveLength(2);
    expect(reasonsOf(band)).toEqual({ too_high: 2, too_low: 1 });
  });

  test('rows need no sample; what belongs to it is not in the file', async () => {
    const { lines } = await exported(
      'reinforcement',
      [
        { row: { question: 'a', sample: { output_text: 'x' }, tools: null }, reward: 0 },
        { row: { sample: 'x', question: 'b' }, reward: 0 },
        { row: { item: { question: 'c', sample: 'kept', messages: 7 } }, reward: 0 },
      ],
      { keepFlat: true },
    );
    expect(lines).toEqual([
      '{"messages":[{"role":"user","content":"a"}],"question":"a","tools":null}',
      '{"messages":[{"role":"user","content":"b"}],"question":"b"}',
      '{"messages":[{"role":"user","content":"c"}],"question":"c","sample":"kept"}',
    ]);
  });

  test('messages of the system become those of the developer', async () => {
    const messages = '[ {"role" : "system", "content": "s", "n": 1.0}, {"content":"u","role":"user"} ]';
    const { lines, report } = await exported(
      'reinforcement',
      [{ row: `{"item":{"a":1,"messages":${messages},"b":2},"sample":"x"}`, reward: 0 }],
      { keepFlat: true, system: 'first' },
    );
    expect(lines).toEqual([
      '{"messages":[{"role":"developer","content":"first"},{"role" : "developer", "content": "s", "n": 1.0},{"content":"u","role":"user"}],"a":1,"b":2}',
    ]);
    expect(report.warnings).toMatchObject([{ code: 'renamed_system' }]);
  });

  test('a prompt that does not end with the user, tools that are none', async () => {
    const outcome = await exported(
      'reinforcement',
      [
        { row: { item: { messages: [user('a'), assistant('b')] } }, reward: 0 },
        { row: { item: { messages: [{ role: 'developer', content: 'a' }] } }, reward: 0 },
        { row: { item: { messages: [{ role: 'usr', content: 'a' }] } }, reward: 0 },
        { row: { item: { prompt: 'a', tools: 'hammer' } }, reward: 0 },
      ],
      { keepFlat: true },
    );
    expect(reasonsOf(outcome)).toEqual({ prompt_answered: 1, last_not_user: 1, role: 1, wrong_type: 1 });
  });
});

describe('rows', () => {
  test('with several samples share their prompt, and only with each other', async () => {
    const data = await writeLines('data.jsonl', [
      { item: { question: 'q' }, samples: ['good', { output_text: 'bad' }, 'worse'] },
      { question: 'q', samples: ['good', 'bad'], id: 1 },
    ]);
    const scores = await writeLines('scores.jsonl', [
      '{"row":0,"sample":0,"status":"scored","reward":1}',
      '{"row":0,"sample":1,"status":"scored","reward":0.5}',
      '{"row":0,"sample":2,"status":"scored","reward":0}',
      '{"row":1,"sample":0,"status":"scored","reward":0}',
      '{"row":1,"sample":1,"status":"scored","reward":1}',
    ]);
    const output = place('dpo.jsonl');
    await exportScores({ scores, data: [data], method: 'dpo', output });
    expect((await linesOf(output)).map((line) => line.match(/(?<="content":")[^"]*/g))).toEqual([
      ['q', 'good', 'worse'],
      ['q', 'bad', 'good'],
    ]);
    const prompts = place('rft.jsonl');
    await exportScores({ scores, data: [data], method: 'reinforcement', output: prompts });
    expect(await linesOf(prompts)).toEqual([
      '{"messages":[{"role":"user","content":"q"}],"question":"q"}',
      '{"messages":[{"role":"user","content":"q"}],"question":"q","id":1}',
    ]);
  });

  test('with samples of all kinds', async () => {
    const samples = [
      'text, with a \\" and ] and \u00e9',
      { output_text: 'object', output_tools: null, more: [{}, '[', 1.5] },
      { choices: [{ message: { content: 'chat' } }] },
      { output: [{ type: 'message', content: [{ type: 'output_text', text: 'response' }] }] },
      { output_text: '', choices: [] },
      null,
      7,
      {},
    ];
    const text = JSON.stringify({ item: { question: 'q' }, samples })
      .replaceAll(',', ' , ')
      .replace('[', '[ ');
    const data = await writeLines('data.jsonl', [text]);
    const scores = await writeLines(
      'scores.jsonl',
      samples.map((_, sample) => ({ row: 0, sample, status: 'scored', reward: 1 })),
    );
    const output = place('sft.jsonl');
    const report = await exportScores({
      scores,
      data: [data],
      method: 'supervised',
      minReward: 1,
      perPrompt: 9,
      output,
    });
    const answers = (await linesOf(output)).map(
      (line) => (JSON.parse(line) as { messages: { content: string }[] }).messages[1].content,
    );
    expect(answers).toEqual([
      (JSON.parse(text) as { samples: string[] }).samples[0],
      'object',
      'chat',
      'response',
    ]);
    expect(reasonsOf({ report, lines: [] })).toEqual({ empty_answer: 1, no_sample: 2, unreadable: 1 });
  });

  test('that are dumps of an API, flat with an output field, of a CSV', async () => {
    const chat = { choices: [{ message: { content: 'from "chat"' } }] };
    const dumped = await exported(
      'supervised',
      [{ row: { item: { input: 'q' }, sample: chat }, reward: 1 }],
      {
        minReward: 1,
      },
    );
    expect(dumped.lines).toEqual([
      '{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"from \\"chat\\""}]}',
    ]);
    const flat = { row: { task: 'q', model: { text: 'a' }, n: 1 }, reward: 1 };
    const nested = await exported('supervised', [flat], {
      minReward: 1,
      shape: { outputField: ['model', 'text'] },
    });
    expect(JSON.parse(nested.lines[0])).toEqual({ messages: [user('q'), assistant('a')] });
    const rft = await exported('reinforcement', [{ row: { task: 'q', out: 'a', n: 1 }, reward: 1 }], {
      keepFlat: true,
      shape: { outputField: ['out'] },
    });
    expect(rft.lines).toEqual(['{"messages":[{"role":"user","content":"q"}],"task":"q","n":1}']);
    const array = place('data.json');
    await writeFile(array, '[\n  {\n    "prompt": "q",\n    "n": [\n      1.0\n    ]\n  }\r\n]');
    const one = await writeLines('scores.jsonl', ['{"row":0,"status":"scored","reward":1}']);
    const prompts = place('array.jsonl');
    await exportScores({
      scores: one,
      data: [array],
      method: 'reinforcement',
      keepFlat: true,
      output: prompts,
    });
    expect((await linesOf(prompts)).map((line) => JSON.parse(line) as unknown)).toEqual([
      { messages: [user('q')], prompt: 'q', n: [1] },
    ]);
    const csv = place('data.csv');
    await writeFile(csv, 'prompt,completion\n"2, 3?","5\n6"\n');
    const scores = await writeLines('scores.jsonl', ['{"row":0,"status":"scored","reward":1}']);
    const output = place('csv.jsonl');
    await exportScores({
      scores,
      data: [csv],
      method: 'supervised',
      minReward: 1,
      output,
      shape: { outputField: ['completion'] },
    });
    expect(JSON.parse((await linesOf(output))[0])).toEqual({ messages: [user('2, 3?'), assistant('5\n6')] });
  });

  test('with a prompt of the user’s own, and groups by a path', async () => {
    const graded = [
      { row: { item: { a: { 'b c': ['x', 'deep'] }, g: 1 }, sample: 'good' }, reward: 1 },
      { row: { item: { a: { 'b c': ['y', 'deep'] }, g: 1 }, sample: 'bad' }, reward: 0 },
      { row: { item: { a: { 'b c': ['y', 'deep'] }, g: 2 }, sample: 'worse' }, reward: -1 },
    ];
    const { lines } = await exported('dpo', graded, { prompt: ['a', 'b c', 1], group: ['g'] });
    expect(lines).toHaveLength(1);
    expect(lines[0].match(/(?<="content":")[^"]*/g)).toEqual(['deep', 'good', 'bad']);
    const missing = await exported('dpo', graded, { prompt: ['a', 'x'] });
    expect(reasonsOf(missing)).toEqual({ no_prompt: 3 });
    const sampled = await exported(
      'reinforcement',
      [{ row: { item: {}, sample: { output_text: 'x', asked: 'why?' } }, reward: 0 }],
      { prompt: ['sample', 'asked'], keepFlat: true },
    );
    expect(sampled.lines).toEqual(['{"messages":[{"role":"user","content":"why?"}]}']);
  });

  test('that are hostile', async () => {
    const long = 'x'.repeat(5_000_000);
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    const outcome = await exported(
      'supervised',
      [
        { row: '{"item":{"question":"\\ud800","__proto__":{"messages":[]}},"sample":"\\udfff"}', reward: 1 },
        { row: row('big', long), reward: 1 },
        { row: row('none', ''), reward: 1 },
        { row: { item: { question: 'no sample' } }, reward: 1 },
        { row: { item: { question: 'null' }, sample: null }, reward: 1 },
        { row: { item: { '\u0071uestion': 7, prompt: [] }, sample: 'x' }, reward: 1 },
        { row: 'not json', reward: 1 },
        { row: { item: { messages: [user('a'), assistant('reference')] }, sample: 'x' }, reward: 1 },
        {
          row: `{"item":{"messages":[{"role":"user","content":"d","deep":${deep}}]},"sample":"y"}`,
          reward: 1,
        },
        { row: '{"item":{"prompt":"first","\\u0070rompt":"second"},"sample":"z"}', reward: 1 },
        { row: { item: { messages: [{ role: 'user', content: 'w', weight: 7 }] }, sample: 'x' }, reward: 1 },
        {
          row: { item: { messages: [{ ...assistant('w'), weight: 7 }, user('u')] }, sample: 'x' },
          reward: 1,
        },
      ],
      { minReward: 1 },
    );
    expect(outcome.lines.map((line) => line.length > 200 || line)).toEqual([
      '{"messages":[{"role":"user","content":"\\ud800"},{"role":"assistant","content":"\\udfff"}]}',
      true,
      true,
      '{"messages":[{"role":"user","content":"second"},{"role":"assistant","content":"z"}]}',
      '{"messages":[{"role":"user","content":"w","weight":7},{"role":"assistant","content":"x"}]}',
    ]);
    expect(reasonsOf(outcome)).toEqual({
      empty_answer: 1,
      no_sample: 2,
      no_prompt: 1,
      unreadable: 1,
      prompt_answered: 1,
      weight: 1,
    });
  });
});

describe('files', () => {
  test('of training and validation share no prompt, and are the same every time', async () => {
    const graded = Array.from({ length: 400 }, (_, index) => ({
      row: row(`question ${index >> 1}`, `answer ${index}`),
      reward: index & 1,
      group: String(index >> 2),
    }));
    const { data, scores } = await writeScores(graded);
    const split = async (seed?: number) => {
      const [output, validation] = [place('train.jsonl'), place('valid.jsonl')];
      const report = await exportScores({
        scores,
        data: [data],
        method: 'reinforcement',
        output,
        validation: { output: validation, share: 0.25, seed },
      });
      expect(report.files.map(({ use }) => use)).toEqual(['training', 'validation']);
      return [await linesOf(output), await linesOf(validation)] as const;
    };
    const [train, valid] = await split();
    expect(train.length + valid.length).toBe(200);
    expect(new Set([...train, ...valid]).size).toBe(200);
    expect(valid.length).toBeGreaterThan(30);
    expect(valid.length).toBeLessThan(70);
    expect(await split(0)).toEqual([train, valid]);
    expect((await split(1))[1]).not.toEqual(valid);
  });

  test('are limited to a number of prompts', async () => {
    const outcome = await exported('dpo', GRADED, { limit: 1, margin: 0 });
    expect(outcome.lines).toHaveLength(1);
    const best = await exported('supervised', GRADED, { limit: 2, minReward: 0, perPrompt: 2 });
    expect(best.lines).toHaveLength(4);
    expect(reasonsOf(best)).toEqual({ better_taken: 2, limit: 1, failed: 1 });
  });

  test('are not written over, and never half written', async () => {
    const { data, scores } = await writeScores(GRADED);
    const output = place('train.jsonl');
    await writeFile(output, 'mine');
    const options = { scores, data: [data], method: 'supervised', output } as const;
    await expect(exportScores(options)).rejects.toThrow(`${output} exists already; --overwrite replaces it`);
    expect(await linesOf(output)).toEqual([]);
    await exportScores({ ...options, overwrite: true });
    expect(await linesOf(output)).toHaveLength(3);
    const controller = new AbortController();
    controller.abort();
    await expect(exportScores({ ...options, overwrite: true, signal: controller.signal })).rejects.toThrow(
      'aborted',
    );
    expect(await linesOf(output)).toHaveLength(3);
    const left = await readdir(dirname(output));
    expect(left.filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('are not what is read, nor each other', async () => {
    const { data, scores } = await writeScores(GRADED);
    const options = { scores, data: [data], method: 'supervised', overwrite: true } as const;
    await expect(exportScores({ ...options, output: data })).rejects.toThrow('which is read');
    await expect(exportScores({ ...options, output: scores })).rejects.toThrow('which is read');
    const output = place('both.jsonl');
    const validation = { output, share: 0.5 };
    await expect(exportScores({ ...options, output, validation })).rejects.toThrow('name two files');
    await expect(stat(output)).rejects.toThrow('ENOENT');
  });

  test('of another dataset are refused', async () => {
    const { data, scores } = await writeScores(GRADED);
    const options = { method: 'supervised', output: place('x.jsonl') } as const;
    const short = await writeLines('short.jsonl', [GRADED[0].row]);
    await expect(exportScores({ ...options, scores, data: [short] })).rejects.toThrow(
      /scores\.jsonl:2 is about row 1, which .*short\.jsonl has not/,
    );
    await appendFile(scores, '{"row":0,"status":"scored","reward":1,"passed":true}\n');
    await expect(exportScores({ ...options, scores, data: [data] })).rejects.toThrow(/:9.*row 0/);
  });
});
