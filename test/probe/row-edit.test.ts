import { test as property } from '@fast-check/vitest';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Row } from '../../src/contract.js';
import { parseRow } from '../../src/dataset/row.js';
import { editedFields, editedRow, fieldTexts, type SampleField } from '../../src/probe/row-edit.js';
import { RowBuffer } from '../../src/python/row-json.js';
import { compileTemplate } from '../../src/template.js';

const fieldsOf = (...templates: string[]): readonly SampleField[] =>
  editedFields({
    variables: templates.flatMap((source) => compileTemplate(source).variables),
    readsJson: undefined,
  });

const upper = (text: string): string | undefined => {
  const edited = text.toUpperCase();
  return edited === text ? undefined : edited;
};

const sixForFive = (text: string): string | undefined => (text === 'five' ? 'six' : undefined);

const render = (source: string, row: Row | undefined): string =>
  row === undefined ? 'no row' : compileTemplate(source).render(row);

describe('the fields that are edited', () => {
  test.each([
    [['{{ sample.output_text }} {{ item.answer }}'], [['output_text']]],
    [['{{ sample.output_json.answer }}', '{{ sample.output_json.answer }}'], [['output_json', 'answer']]],
    [['{{ sample.output_json.answer }}', '{{ sample.output_json }}'], [['output_json']]],
    [['{{ sample }}'], [['output_text'], ['output_json']]],
    [['{{ item.answer }}'], []],
    [['{{ sample.output_audio.data }}'], []],
  ])('are those that %j name', (templates, fields) => {
    expect(fieldsOf(...templates)).toEqual(fields);
  });

  test('are the whole output where a grader does not say what it reads', () => {
    const whole = [['output_text'], ['output_json']];
    expect(editedFields({ variables: undefined, readsJson: undefined })).toEqual(whole);
    expect(editedFields({ variables: [], readsJson: true })).toEqual(whole);
  });
});

describe('an edit is made', () => {
  const row = parseRow(
    '{"item":{"n":1.0},"sample":{"output_text":"so: five","output_json":{"answer":"five","n":5.0,"why":["a","b"]}}}',
  );

  test.each([
    ['{{ sample.output_text }}', 'SO: FIVE', 'five'],
    ['{{ sample.output_json.answer }}', 'so: five', 'FIVE'],
  ])('of %s alone', (source, text, answer) => {
    const edited = editedRow(row, fieldsOf(source), upper);
    expect(render('{{ sample.output_text }}', edited)).toBe(text);
    expect(render('{{ sample.output_json.answer }}', edited)).toBe(answer);
    expect(render('{{ item.n }} {{ sample.output_json.n }}', edited)).toBe('1.0 5.0');
  });

  test('of every text below a field, and of numbers where they stay numbers', () => {
    const edited = editedRow(row, [['output_json']], (text) => (text === '5.0' ? '6' : `${text}!`));
    expect(render('{{ sample.output_json }}', edited)).toBe('{"answer":"five!","n":6,"why":["a!","b!"]}');
    const emptied = editedRow(row, [['output_json', 'n']], () => '');
    expect(emptied).toBeUndefined();
  });

  test('of the answer only along with the text that it was found in', () => {
    const fields = editedFields({ variables: undefined, readsJson: true });
    expect(editedRow(row, fields, sixForFive)).toBeUndefined();
    const both = editedRow(row, fields, (text) => text.replace('five', 'six'));
    expect(render('{{ sample.output_text }} {{ sample.output_json.answer }}', both)).toBe('so: six six');
  });

  test('in output_text where output_json is read from it', () => {
    const json = parseRow('{"item":{},"sample":{"output_text":"{\\"answer\\": \\"five\\", \\"n\\": 1.0}"}}');
    const edited = editedRow(json, fieldsOf('{{ sample.output_json.answer }}'), upper);
    expect(render('{{ sample.output_json.answer }}', edited)).toBe('FIVE');
    expect(render('{{ sample.output_text }}', edited)).toBe('{"answer": "FIVE", "n": 1.0}');
  });

  test('in both where output_json is what output_text says', () => {
    const sample = { output_text: '{"answer": "five"}', output_json: { answer: 'five' } };
    const json = parseRow(JSON.stringify({ item: {}, sample }));
    for (const source of ['{{ sample.output_json.answer }}', '{{ sample.output_text }}'])
      expect(editedRow(json, fieldsOf(source), upper)?.sample).toEqual({
        output_text: '{"answer": "FIVE"}',
        output_json: { answer: 'FIVE' },
      });
    const fenced = editedRow(
      json,
      fieldsOf('{{ sample.output_json.answer }}'),
      (text) => `<${text}>`,
      'document',
    );
    expect(fenced?.sample).toEqual({ output_text: '<{"answer": "five"}>' });
  });

  test('of JSON as a whole only where it stays JSON', () => {
    const fields = fieldsOf('{{ sample.output_json }}');
    expect(editedRow(row, fields, (text) => `<${text}>`, 'document')).toBeUndefined();
    expect(editedRow(row, fields, () => '{}', 'document')?.sample).toEqual({
      output_text: 'so: five',
      output_json: {},
    });
  });

  test('inside of texts that are JSON, as templates read them', () => {
    const tool = { function: { name: 'pay', arguments: '{"to": "anna", "sum": 5}' } };
    const call = parseRow(JSON.stringify({ item: {}, sample: { output_text: '', output_tools: [tool] } }));
    const source = '{{ sample.output_tools[0].function.arguments.to }}';
    const edited = editedRow(call, fieldsOf(source), upper);
    expect(render(source, edited)).toBe('ANNA');
    expect(render('{{ sample.output_tools[0].function.arguments }}', edited)).toBe(
      '{"to": "ANNA", "sum": 5}',
    );
  });

  test('and not where there is no sample, no such field, or nothing to be changed', () => {
    const fields = fieldsOf('{{ sample.output_text }}');
    expect(editedRow(parseRow('{"item":{}}'), fields, upper)).toBeUndefined();
    expect(editedRow(parseRow('{"item":{}}', { missingSample: 'empty' }), fields, upper)).toBeUndefined();
    expect(editedRow(row, fieldsOf('{{ sample.output_json.other }}'), upper)).toBeUndefined();
    expect(editedRow(row, fields, () => undefined)).toBeUndefined();
  });

  test('of a sample that is a text, a chat completion or a response', () => {
    const message = { role: 'assistant', content: 'five' };
    const output = [{ type: 'message', content: [{ type: 'output_text', text: 'five' }] }];
    for (const sample of ['five', { choices: [{ message }] }, { output }])
      expect(
        render(
          '{{ sample.output_text }}',
          editedRow(
            parseRow(JSON.stringify({ item: {}, sample })),
            fieldsOf('{{ sample.output_text }}'),
            upper,
          ),
        ),
      ).toBe('FIVE');
  });
});

test('the texts of a row are those that an edit is given', () => {
  const sample = { output_text: 'x', output_json: { a: 'y', b: [1, true, null] } };
  const row = parseRow(JSON.stringify({ item: {}, sample }));
  expect(fieldTexts(row, [['output_json']])).toEqual(['y', '1']);
  expect(fieldTexts(row, [['output_text']])).toEqual(['x']);
  expect(fieldTexts(row, [['output_json'], ['output_text']])).toEqual(['x', 'y', '1']);
});

const anyString = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.json(),
);
const anySample = fc.record(
  { output_text: anyString, output_json: fc.jsonValue(), choices: fc.constant([]) },
  { requiredKeys: ['output_text'] },
);
const SOURCES = ['{{ sample.output_text }}', '{{ sample }}', '{{ item.x }}', '{{ item }}'];

const pythonText = (row: Row): string => {
  const buffer = new RowBuffer(1 << 10);
  buffer.add(row);
  return buffer.bytes.toString('utf8', 0, buffer.end);
};

describe('an edit of nothing', () => {
  const whole: readonly SampleField[] = [['output_text'], ['output_json']];

  property.prop([anySample, fc.jsonValue(), fc.constantFrom(0, 1, 2)])(
    'is no difference, whatever the row and however it is written',
    (sample, x, indent) => {
      const row = parseRow(JSON.stringify({ item: { x }, sample }, undefined, indent));
      for (const scope of ['leaves', 'document'] as const) {
        const edited = editedRow(row, whole, (text) => text, scope) ?? row;
        for (const source of SOURCES) expect(render(source, edited)).toBe(render(source, row));
        expect(pythonText(edited)).toBe(pythonText(row));
      }
    },
  );

  property.prop([anySample, anyString])(
    'never throws for any other edit, and keeps the item',
    (sample, text) => {
      const row = parseRow(JSON.stringify({ item: { x: 1 }, sample }));
      for (const scope of ['leaves', 'document'] as const) {
        const edited = editedRow(row, whole, () => text, scope);
        expect(edited?.item ?? row.item).toBe(row.item);
        if (edited !== undefined) expect(() => pythonText(edited)).not.toThrow();
      }
    },
  );
});
