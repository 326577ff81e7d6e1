import { describe, expect, test } from 'vitest';
import { parseRow } from '../../src/dataset/row.js';
import { reinforcementJobOf, type ReinforcementJob } from '../../src/rehearse/job.js';
import { StandInAnswers, type StandIn } from '../../src/rehearse/stand-in-answers.js';
import { compileTemplate } from '../../src/template.js';

const jobWith = (parts: Record<string, unknown>): ReinforcementJob => {
  const job = reinforcementJobOf({ type: 'reinforcement', reinforcement: { grader: {}, ...parts } });
  if (typeof job === 'string') throw new Error(job);
  return job;
};

const ROW = parseRow(
  JSON.stringify({
    messages: [
      { role: 'developer', content: 'Be short.' },
      { role: 'user', content: 'Where is the Louvre?' },
    ],
    tools: [],
    answer: 'Paris',
    population: 2,
    nested: { city: 'Lyon', flags: [true] },
  }),
);

const answerOf = (kind: StandIn, job: ReinforcementJob, template?: string): string | undefined => {
  const variables = template === undefined ? undefined : compileTemplate(template).variables;
  return new StandInAnswers(job, variables).rowWith(kind, ROW)?.sample?.output_text as string | undefined;
};

const formatted = (schema: unknown) =>
  jobWith({ response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } });

describe('of templates', () => {
  test.each([
    ['{{ item.answer }} {{ sample.output_text }}', 'Paris', 'Where is the Louvre?'],
    ['{{ item.population }}', '2', 'Where is the Louvre?'],
    ['{{ item.messages[1].content }} {{ item.nested.city }}', 'Lyon', 'Where is the Louvre?'],
    [
      '{{ sample.output_json.answer }} {{ sample.output_json.x.y }} {{ item.population }} {{ item.answer }}',
      '{"answer":"Paris","x":{"y":"2"}}',
      '{"answer":"Where is the Louvre?","x":{"y":"Where is the Louvre?"}}',
    ],
    ['{{ sample.output_json }} {{ item.answer }}', '"Paris"', '"Where is the Louvre?"'],
    ['{{ sample.output_json[1] }} {{ item.answer }}', '[null,"Paris"]', '[null,"Where is the Louvre?"]'],
  ])('%s', (template, ideal, echo) => {
    expect(answerOf('ideal', jobWith({}), template)).toBe(ideal);
    expect(answerOf('echo', jobWith({}), template)).toBe(echo);
  });

  test('an index of a thousand makes no list of a thousand', () => {
    expect(answerOf('ideal', jobWith({}), '{{ sample.output_json.a[1000] }} {{ item.answer }}')).toBe('{}');
  });
});

const python = (source: string) => jobWith({ grader: { type: 'python', source } });

describe('of Python', () => {
  test('the first field that the source names', () => {
    expect(answerOf('ideal', python('x = item["nested"]; y = item.get("answer")'))).toBe('Lyon');
    expect(answerOf('ideal', python("return float(item['population'])"))).toBe('2');
  });

  test('the first field of all, where it names none', () => {
    expect(answerOf('ideal', python('return 1.0'))).toBe('Paris');
  });
});

describe('in the form that the job asks for', () => {
  test.each([
    {
      schema: {
        type: 'object',
        properties: {
          answer: { type: 'string' },
          population: { type: 'integer' },
          sure: { type: 'boolean' },
          kind: { enum: ['city', 'land'] },
          list: { type: 'array', items: { type: 'string' } },
          fixed: { const: 7 },
          none: { type: 'null' },
          maybe: { anyOf: [{ type: 'number' }, { type: 'null' }] },
        },
      },
      text: '{"answer":"Paris","population":2,"sure":false,"kind":"city","list":["Paris"],"fixed":7,"none":null,"maybe":0}',
    },
    { schema: { type: 'string' }, text: '"Paris"' },
    { schema: { type: ['number', 'null'] }, text: '0' },
  ])('$text', ({ schema, text }) => {
    const job = formatted(schema);
    expect(new StandInAnswers(job).rowWith('ideal', ROW)?.sample).toEqual({ output_text: text });
  });
});

test('a row without any reference has no ideal answer', () => {
  const bare = parseRow('{"messages":[{"role":"user","content":"Hi"}]}');
  const answers = new StandInAnswers(jobWith({}));
  expect(answers.rowWith('ideal', bare)).toBeUndefined();
  expect(answers.rowWith('echo', bare)?.sample).toEqual({ output_text: 'Hi' });
});
