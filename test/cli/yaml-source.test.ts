import { test as property, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { readJson } from '../../src/cli/json-source.js';
import { readYaml } from '../../src/cli/yaml-source.js';
import { prototypeKeys } from '../../src/engine/inspect.js';

const texts = fc.dictionary(
  fc.stringMatching(/^[a-z]{1,8}$/),
  fc.oneof(fc.string(), fc.boolean(), fc.array(fc.integer(), { maxLength: 3 })),
  { minKeys: 1 },
);

describe('readYaml', () => {
  property.prop([texts])('reads JSON as readJson does, and finds its values in the same places', (value) => {
    const text = JSON.stringify(value, undefined, 2);
    const [yaml, json] = [readYaml(text), readJson(text)];
    expect(yaml.value).toEqual(json.value);
    for (const key of Object.keys(value)) {
      expect(yaml.offsetOf({ path: [key] })).toBe(json.offsetOf({ path: [key] }));
      expect(yaml.offsetOf({ path: [key, 'missing'] })).toBe(json.offsetOf({ path: [key, 'missing'] }));
    }
  });

  test('follows aliases to what they stand for', () => {
    const text = 'base: &base {operation: eq}\ngrader: *base\n';
    const { value, offsetOf } = readYaml(text);
    expect(value).toEqual({ base: { operation: 'eq' }, grader: { operation: 'eq' } });
    expect(offsetOf({ path: ['grader', 'operation'] })).toBe(text.indexOf('eq'));
    expect(offsetOf({ path: ['grader'] })).toBe(text.indexOf('*base'));
  });

  test('places inside folded texts are those of their start', () => {
    const text = 'input: >\n  folded\n  {{ x }}\n';
    expect(readYaml(text).offsetOf({ path: ['input'], at: 10 })).toBe(text.indexOf('>'));
  });

  test.each([
    { name: 'nothing', text: '', message: 'the file is empty, expected a grader' },
    { name: 'only a comment', text: '# later\n', message: 'the file is empty, expected a grader' },
    { name: 'a tab', text: 'a:\n\tb: 1\n', message: 'a tab, expected spaces for indentation' },
    { name: 'an unclosed quote', text: 'a: "b\n', message: 'Missing closing "quote' },
    { name: 'an alias of nothing', text: 'a: *b\n', message: 'Unresolved alias' },
    { name: 'a key twice', text: 'a: 1\na: 2\n', message: 'the key occurs a second time' },
    { name: 'nesting without end', text: '['.repeat(50_000), message: '' },
  ])('refuses $name', ({ text, message }) => {
    const { value, issues } = readYaml(text);
    expect(value).toBeUndefined();
    expect(issues.some(({ severity }) => severity === 'error')).toBe(true);
    expect(issues[0].message).toContain(message);
  });

  test('tags of other languages build nothing, and prototype keys are keys', () => {
    const tagged = readYaml("a: !!js/function 'function () {}'\nb: !!python/object:os.system ls\n");
    expect(tagged.value).toEqual({ a: 'function () {}', b: 'ls' });
    expect(tagged.issues.map(({ severity }) => severity)).toEqual(['warning', 'warning']);
    const { value } = readYaml('__proto__: {polluted: 1}\n');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(prototypeKeys(value)).toHaveLength(1);
  });
});
