import { describe, expect, test } from 'vitest';
import { builtinGraders } from '../../graders/index.js';
import { createEngine } from '../../src/engine.js';

const engine = createEngine({ graders: builtinGraders });

const grade = async (operation: string, candidate: unknown, reference: unknown) => {
  const grader = await engine.prepare({
    type: 'string_check',
    input: '{{ sample.output_json.value }}',
    reference: '{{ item.reference }}',
    operation,
  });
  return grader.grade({ item: { reference }, sample: { output_json: { value: candidate } } });
};

describe('string_check', () => {
  test.each([
    { operation: 'eq', candidate: 'Paris', reference: 'Paris', reward: 1 },
    { operation: 'eq', candidate: 'paris', reference: 'Paris', reward: 0 },
    { operation: 'eq', candidate: 'Paris ', reference: 'Paris', reward: 0 },
    { operation: 'eq', candidate: '', reference: '', reward: 1 },
    { operation: 'eq', candidate: 'e\u0301', reference: 'é', reward: 0 },
    { operation: 'eq', candidate: null, reference: null, reward: 1 },
    { operation: 'eq', candidate: true, reference: 'true', reward: 1 },
    { operation: 'eq', candidate: [1, 'a'], reference: '[1,"a"]', reward: 1 },
    { operation: 'ne', candidate: 'Paris', reference: 'Paris', reward: 0 },
    { operation: 'ne', candidate: 'paris', reference: 'Paris', reward: 1 },
    { operation: 'neq', candidate: 'paris', reference: 'Paris', reward: 1 },
    { operation: 'like', candidate: 'It is Paris.', reference: 'Paris', reward: 1 },
    { operation: 'like', candidate: 'Paris', reference: 'It is Paris.', reward: 0 },
    { operation: 'like', candidate: 'It is paris.', reference: 'Paris', reward: 0 },
    { operation: 'like', candidate: 'anything', reference: '', reward: 1 },
    { operation: 'like', candidate: 'a%b', reference: 'a_b', reward: 0 },
    { operation: 'ilike', candidate: 'It is PARIS.', reference: 'paris', reward: 1 },
    { operation: 'ilike', candidate: 'ÉCOLE', reference: 'école', reward: 1 },
    { operation: 'ilike', candidate: 'London', reference: 'paris', reward: 0 },
  ])('$candidate $operation $reference → $reward', async ({ operation, candidate, reference, reward }) => {
    expect(await grade(operation, candidate, reference)).toEqual({
      status: 'scored',
      reward,
      passed: reward === 1,
    });
  });

  test('a row without the variable is failed, not 0', async () => {
    const grader = await engine.prepare({
      type: 'string_check',
      input: '{{ sample.output_text }}',
      reference: '{{ item.answer }}',
      operation: 'ne',
    });
    expect(grader.grade({ item: { answers: '4' }, sample: '4' })).toMatchObject({
      status: 'failed',
      code: 'invalid_variable_error',
    });
  });
});
