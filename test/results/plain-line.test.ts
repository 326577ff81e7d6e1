import { test as property } from '@fast-check/vitest';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { resultLine } from '../../src/results/line.js';
import { parsePlainLine } from '../../src/results/plain-line.js';

const PLACE = { line: 7, lineBytes: 9 };

const parse = (line: string) => {
  const bytes = Buffer.from(`x${line}\n`);
  return parsePlainLine(bytes, 1, bytes.length - 1, PLACE);
};

property.prop([
  fc.nat({ max: 2 ** 40 }),
  fc.option(fc.nat(), { nil: undefined }),
  fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.option(fc.boolean(), { nil: undefined }),
])('a line of a run is what it was written from', (row, sample, name, reward, passed) => {
  const group = name === undefined ? undefined : JSON.stringify(name);
  const score = { status: 'scored', reward, ...(passed !== undefined && { passed }) } as const;
  const line = resultLine(row, score, { sample, group }).slice(0, -1);
  const parsed = parse(line);
  if (group?.includes('\\') === true) expect(parsed).toBeUndefined();
  else
    expect(parsed).toEqual({
      row,
      sample,
      id: undefined,
      group,
      value: undefined,
      // JSON has no −0.
      score: { ...score, reward: reward === 0 ? 0 : reward },
      ...PLACE,
    });
});

test.each([
  '',
  '{',
  '{"row":0}',
  '{"row":01,"status":"scored","reward":1}',
  '{"row":-1,"status":"scored","reward":1}',
  '{"row":,"status":"scored","reward":1}',
  '{"row":1234567890123456,"status":"scored","reward":1}',
  '{"row": 0,"status":"scored","reward":1}',
  '{"row":0,"status":"failed","code":"row_error","message":"x"}',
  '{"row":0,"id":1,"status":"scored","reward":1}',
  '{"row":0,"group":null,"status":"scored","reward":1}',
  '{"row":0,"group":"a","status":"scored","reward":1,"sub_rewards":{}}',
  '{"row":0,"status":"scored","reward":01}',
  '{"row":0,"status":"scored","reward":1.}',
  '{"row":0,"status":"scored","reward":1e999}',
  '{"row":0,"status":"scored","reward":}',
  '{"row":0,"status":"scored","reward":x}',
  '{"row":0,"status":"scored","reward":1,"passed":1}',
  '{"row":0,"status":"scored","reward":1} ',
  '{"row":0,"status":"scored","reward":1',
  '{"row":0,"group":"a',
])('leaves %s to the parser', (line) => {
  expect(parse(line)).toBeUndefined();
});
