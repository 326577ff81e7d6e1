import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as plainTest } from 'vitest';
import type { JsonObject, Row } from '../src/contract.js';
import { formatPath, GradingError } from '../src/errors.js';
import { jsonSpanText } from '../src/span.js';
import { suggest } from '../src/suggest.js';
import { compilePath, compileTemplate, EMPTY_SAMPLE, TemplateError } from '../src/template.js';

/** A row as a dataset gives it: with the text it was parsed from. */
const sourceRow = (text: string): Row => {
  const { item, sample } = JSON.parse(text) as { item: JsonObject; sample?: JsonObject };
  return { item, sample, sourceText: (namespace, path) => jsonSpanText(text, [namespace, ...path]) };
};

const render = (source: string, row: Row): string => compileTemplate(source).render(row);

const failure = (source: string, row: Row): GradingError => {
  try {
    render(source, row);
  } catch (error) {
    if (error instanceof GradingError) return error;
    throw error;
  }
  throw new Error(`${source} was rendered`);
};

const issuesOf = (compile: () => unknown): TemplateError['issues'] => {
  try {
    compile();
  } catch (error) {
    if (error instanceof TemplateError) return error.issues;
    throw error;
  }
  return [];
};

const toolCalls = [
  { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"symbols":["A", "B"],"n":1.0}' } },
];
const row: Row = {
  item: {
    question: 'Why?',
    answer: '42',
    'first name': 'Ada',
    'a.b': 'dotted',
    'say "hi"': 'quoted',
    '6b_model': { solution: 'six' },
    '0': 'zero',
    nested: { list: ['x', { y: 'z' }], empty: {} },
    messages: [{ role: 'user', content: 'Hi' }],
    yes: true,
    nothing: null,
    n: 1.5,
    text: 'plain text',
    secret: 'hidden',
    injected: '{{ item.secret }} $& {{sample.output_text}}',
    latex: String.raw`\frac{1}{2} = "half" }} {{`,
  },
  sample: {
    output_text: 'It is 42',
    output_tools: toolCalls,
    choices: [{ message: { content: 'It is 42' } }],
  },
};

describe('renders', () => {
  plainTest.each([
    ['', ''],
    ['only text', 'only text'],
    ['{{item.answer}}', '42'],
    ['{{ item.answer }}', '42'],
    ['{{   item.answer\n\t}}', '42'],
    ['[{{item.answer}}]', '[42]'],
    ['{{item.answer}}{{item.answer}}', '4242'],
    ['Q: {{ item.question }}\nA: {{ sample.output_text }}.', 'Q: Why?\nA: It is 42.'],
    ['{{item.6b_model.solution}}', 'six'],
    ['{{item["first name"]}} {{ item[ \'first name\' ] }}', 'Ada Ada'],
    ['{{ item["a.b"] }}', 'dotted'],
    [String.raw`{{ item["say \"hi\""] }} {{ item['say "hi"'] }}`, 'quoted quoted'],
    [String.raw`{{ item["\u0061nswer"] }}`, '42'],
    ['{{ item.0 }}', 'zero'],
    ['{{ item.nested.list[0] }}{{ item.nested.list[1].y }}', 'xz'],
    ['{{ item.nested.list.0 }}{{ item.nested.list.1["y"] }}', 'xz'],
    ['{{ item.messages[0].content }}', 'Hi'],
    ['{{ item.yes }} {{ item.nothing }} {{ item.n }}', 'true null 1.5'],
    ['{{ item.nested }}', '{"list":["x",{"y":"z"}],"empty":{}}'],
    ['{{ item.messages }}', '[{"role":"user","content":"Hi"}]'],
    ['{{sample.output_tools[0].function.name}}', 'f'],
    ['{{sample.output_tools[0].function.arguments.symbols}}', '["A", "B"]'],
    ['{{sample.output_tools[0].function.arguments.symbols[1]}}', 'B'],
    ['{{sample.output_tools[0].function.arguments.n}}', '1.0'],
    ['{{ sample.choices[0].message.content }}', 'It is 42'],
    ['{ "output": {{sample.output_text}}}', '{ "output": It is 42}'],
    ['{{{item.answer}}}', '{42}'],
    ['{{{{item.answer}}}}', '{{42}}'],
    ['{{item.answer}}}}', '42}}'],
    ['a }} b { c } {d', 'a }} b { c } {d'],
    ['{"a": {"b": {}}}', '{"a": {"b": {}}}'],
    [String.raw`\boxed{ {{item.answer}} }`, String.raw`\boxed{ 42 }`],
    ['$1 $& {{item.answer}} $$', '$1 $& 42 $$'],
  ])('%j', (source, expected) => {
    expect(render(source, row)).toBe(expected);
  });

  plainTest('inserted text raw, never scanned again', () => {
    expect(render('{{ item.injected }}', row)).toBe('{{ item.secret }} $& {{sample.output_text}}');
    expect(render('{{ item.latex }}|{{ item.injected }}', row)).toBe(
      String.raw`\frac{1}{2} = "half" }} {{|{{ item.secret }} $& {{sample.output_text}}`,
    );
  });

  plainTest('what a template asks for', () => {
    const { source, variables, warnings } = compileTemplate('{{ item.a[0]["b c"] }}: {{sample.output_text}}');
    expect(source).toBe('{{ item.a[0]["b c"] }}: {{sample.output_text}}');
    expect(warnings).toEqual([]);
    expect(variables).toEqual([
      { namespace: 'item', path: ['a', 0, 'b c'], expression: 'item.a[0]["b c"]' },
      { namespace: 'sample', path: ['output_text'], expression: 'sample.output_text' },
    ]);
  });
});

describe('the source text of values', () => {
  const text =
    '{"item":{"score":1.0,"id":12345678901234567890,"obj":{"10":1e2, "2": [1.50]},"s":"1.0","t":"{\\"v\\": 2.0}"},' +
    '"sample":{"output_text":" {\\"b\\": 1.0, \\"a\\": [10000000000000000001], \\"s\\": \\"x\\"} "}}';

  plainTest.each([
    ['{{ item.score }}', '1.0'],
    ['{{ item.id }}', '12345678901234567890'],
    ['{{ item.obj }}', '{"10":1e2, "2": [1.50]}'],
    ['{{ item.obj.2[0] }}', '1.50'],
    ['{{ item.s }}', '1.0'],
    ['{{ item.t }}', '{"v": 2.0}'],
    ['{{ item.t.v }}', '2.0'],
    ['{{ sample }}', '{"output_text":" {\\"b\\": 1.0, \\"a\\": [10000000000000000001], \\"s\\": \\"x\\"} "}'],
    ['{{ sample.output_json }}', '{"b": 1.0, "a": [10000000000000000001], "s": "x"}'],
    ['{{ sample.output_json.b }}', '1.0'],
    ['{{ sample.output_json.a[0] }}', '10000000000000000001'],
    ['{{ sample.output_json.s }}', 'x'],
    ['{{ sample.output_text.b }}', '1.0'],
  ])('%s', (source, expected) => {
    expect(render(source, sourceRow(text))).toBe(expected);
  });

  plainTest('is asked for numbers, objects and lists only', () => {
    const asked: string[] = [];
    const sourceText: Row['sourceText'] = (namespace, path) => {
      asked.push(formatPath([namespace, ...path]));
      return undefined;
    };
    const item = { s: 'x', t: true, f: false, z: null, n: 1, o: {}, a: [] };
    expect(
      render('{{item.s}} {{item.t}} {{item.f}} {{item.z}} {{item.n}} {{item.o}} {{item.a}}', {
        item,
        sourceText,
      }),
    ).toBe('x true false null 1 {} []');
    expect(asked).toEqual(['item.n', 'item.o', 'item.a']);
  });

  plainTest('JSON without source text: BigInt in digits, fields that JSON cannot hold left out', () => {
    const item = {
      big: 12345678901234567890n,
      o: { big: 1n, gone: undefined, list: [undefined, 2n] },
      date: new Date(0),
    };
    expect(render('{{item.big}} {{item.o}} {{item.date}}', { item })).toBe(
      '12345678901234567890 {"big":1,"list":[null,2]} "1970-01-01T00:00:00.000Z"',
    );
  });

  plainTest('a value that is not JSON is a broken row', () => {
    const item: Record<string, unknown> = {};
    item.self = item;
    expect(failure('{{ item.self }}', { item })).toMatchObject({ code: 'row_error' });
  });
});

describe('JSON inside strings', () => {
  plainTest('is entered as deep as it goes', () => {
    let value: unknown = { answer: 7 };
    let path = 'item';
    const item = (): JsonObject => ({ data: value });
    for (let depth = 0; depth < 8; depth++)
      value = JSON.stringify(depth % 2 === 0 ? { inner: value } : [value]);
    path += '.data' + '[0].inner'.repeat(4) + '.answer';
    expect(render(`{{ ${path} }}`, { item: item() })).toBe('7');
  });

  plainTest('a string in a string is JSON too', () => {
    expect(render('{{ item.a.b }}', { item: { a: JSON.stringify(JSON.stringify({ b: 1 })) } })).toBe('1');
  });

  plainTest('100,000 brackets do not overflow', () => {
    const deep = '['.repeat(100_000) + '1' + ']'.repeat(100_000);
    expect(render('{{ item.a[0] }}', { item: { a: deep } })).toBe(deep.slice(1, -1));
  });

  plainTest('output_json is the output parsed, only where the sample has none', () => {
    expect(render('{{ sample.output_json.a }}', { item: {}, sample: { output_text: '{"a":"x"}' } })).toBe(
      'x',
    );
    expect(render('{{ sample.output_json }}', { item: {}, sample: { output_text: '"x"' } })).toBe('x');
    expect(
      render('{{ sample.output_json.a }}', {
        item: {},
        sample: { output_text: '{"a":"x"}', output_json: { a: 'y' } },
      }),
    ).toBe('y');
  });

  plainTest('an output that is not JSON is a sample_parse_error', () => {
    const sample = { output_text: `The answer is {"a": 1}. ${'x'.repeat(100)}` };
    expect(failure('{{ sample.output_json.a }}', { item: {}, sample })).toMatchObject({
      code: 'sample_parse_error',
      message:
        '{{ sample.output_json.a }}: sample.output_text is not JSON; it starts with "The answer is {\\"a\\": 1}. xxxxxxxxxxxxxxxx"',
    });
    expect(failure('{{ sample.output_json }}', { item: {}, sample: { output_text: '' } })).toMatchObject({
      code: 'sample_parse_error',
      message: '{{ sample.output_json }}: sample.output_text is not JSON; it is empty',
    });
  });
});

describe('missing variables name what there is', () => {
  plainTest.each<[source: string, row: Row, message: string]>([
    [
      '{{ item.answer }}',
      { item: { question: 'q', answers: [] } },
      '{{ item.answer }} is missing; the row has question, answers; did you mean {{ item.answers }}?',
    ],
    ['{{item.x}}', { item: { answer: 1 } }, '{{ item.x }} is missing; the row has answer'],
    ['{{ item.x }}', { item: {} }, '{{ item.x }} is missing; the row has no fields'],
    ['{{ item.a.b }}', { item: { a: { x: 1, y: 2 } } }, '{{ item.a.b }} is missing; item.a has x, y'],
    ['{{ item.a.b }}', { item: { a: 3 } }, '{{ item.a.b }} is missing; item.a is a number'],
    ['{{ item.a.b }}', { item: { a: true } }, '{{ item.a.b }} is missing; item.a is true'],
    ['{{ item.a.b }}', { item: { a: null } }, '{{ item.a.b }} is missing; item.a is null'],
    ['{{ item.a.b }}', { item: { a: 'text' } }, '{{ item.a.b }} is missing; item.a is text that is not JSON'],
    ['{{ item.a[2] }}', { item: { a: [1] } }, '{{ item.a[2] }} is missing; item.a is a list of 1 element'],
    ['{{ item.a.b }}', { item: { a: '{"c":1}' } }, '{{ item.a.b }} is missing; item.a has c'],
    [
      '{{ item.a[0].anwser.z }}',
      { item: { a: [{ answer: 1 }] } },
      '{{ item.a[0].anwser.z }} is missing; item.a[0] has answer; did you mean {{ item.a[0].answer.z }}?',
    ],
    ['{{ item.a }}', { item: { a: undefined } }, '{{ item.a }} is missing; the row has a'],
    [
      '{{ item.x }}',
      { item: { 'first name': 1, 'new\nline': 2 } },
      String.raw`{{ item.x }} is missing; the row has "first name", "new\nline"`,
    ],
    [
      '{{ item.x }}',
      { item: Object.fromEntries('abcdefghijklm'.split('').map((name) => [name, 1])) },
      '{{ item.x }} is missing; the row has a, b, c, d, e, f, g, h, i, j, …',
    ],
    ['{{ sample.output_text }}', { item: {} }, '{{ sample.output_text }} is missing; the row has no sample'],
    ['{{ sample }}', { item: {} }, '{{ sample }} is missing; the row has no sample'],
    ['{{ sample.output_json }}', { item: {} }, '{{ sample.output_json }} is missing; the row has no sample'],
    [
      '{{ sample.output_json.a }}',
      { item: {}, sample: { output_text: '{"b":1}' } },
      '{{ sample.output_json.a }} is missing; sample.output_json has b',
    ],
    [
      '{{ sample.output_text }}',
      { item: {}, sample: { output_tools: [] } },
      '{{ sample.output_text }} is missing; the sample has output_tools',
    ],
  ])('%s of %j', (source, row, message) => {
    expect(failure(source, row)).toMatchObject({ code: 'invalid_variable_error', message });
  });

  plainTest.each([
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'length',
    'constructor.name',
    '__proto__.polluted',
  ])('%s is a name like any other', (name) => {
    const item = { a: [1, 2], s: 'text', o: {} };
    for (const at of ['item', 'item.o', 'item.a', 'item.s'])
      expect(failure(`{{ ${at}.${name} }}`, { item })).toMatchObject({ code: 'invalid_variable_error' });
    const parsed = JSON.parse('{"__proto__":"own","constructor":{"name":"mine"},"length":"3"}') as JsonObject;
    expect(render('{{item.__proto__}} {{item.constructor.name}} {{item.length}}', { item: parsed })).toBe(
      'own mine 3',
    );
  });

  plainTest('a row without a sample, where that is allowed, renders it empty', () => {
    const empty: Row = { item: { a: 'x' }, sample: EMPTY_SAMPLE };
    expect(render('{{item.a}}[{{sample.output_text}}{{sample.output_json.a[0]}}{{ sample }}]', empty)).toBe(
      'x[]',
    );
    expect(failure('{{ item.b }}', empty)).toMatchObject({ code: 'invalid_variable_error' });
  });
});

describe('broken and hostile templates are refused', () => {
  plainTest.each<[source: string, at: number, message: string, hint?: string]>([
    ['{{', 0, '{{ is never closed, expected }}'],
    ['ab {{ item.x }', 3, '{{ item.x is never closed, expected }}', 'write {{ item.x }}'],
    ['{{ item.a } and {{ item.b }}', 0, '{{ item.a is never closed', 'write {{ item.a }}'],
    ['{{ }}', 0, '{{ }} is empty, expected item.… or sample.…'],
    ['{{}}', 0, '{{ }} is empty'],
    [
      '{{ item.name.strip() }}',
      13,
      '{{ item.name.strip() }}: filters and calls are not supported',
      'use {{ item.name }}',
    ],
    ['{{item.a.strip().lower()}}', 9, 'filters and calls are not supported', 'use {{ item.a }}'],
    ['{{ item.name | upper }}', 13, 'filters and calls are not supported', 'use {{ item.name }}'],
    ['{{item.name|upper}}', 11, 'filters and calls are not supported', 'use {{ item.name }}'],
    ['{{ len(item.name) }}', 3, '{{ len(item.name) }}: filters and calls', 'use {{ item.name }}'],
    ['{{ constructor.constructor("return 1")() }}', 15, 'filters and calls are not supported'],
    ['{{ process.exit() }}', 11, '{{ process.exit() }}: filters and calls are not supported'],
    ['{{ item.a + 1 }}', 10, 'operators are not supported, expected one path', 'use {{ item.a }}'],
    ['{{item.a-item.b}}', 8, 'operators are not supported'],
    ['{{ item.a == "x" }}', 10, 'operators are not supported', 'use {{ item.a }}'],
    ['{{ item.a, item.b }}', 9, 'operators are not supported', 'use {{ item.a }}'],
    [
      '{{ item.a if item.b else 1 }}',
      10,
      'expressions are not supported, expected one path',
      'use {{ item.a }}',
    ],
    ['{{ item.a[-1] }}', 9, '[-1] is a negative index, expected [0], [1], … or ["a key"]'],
    ['{{ item.a[1:2] }}', 9, '[1:2] is a slice'],
    ['{{ item.a[*].b }}', 9, '[*] is a wildcard'],
    ['{{ item.*.b }}', 8, 'wildcards are not supported, expected one name or index'],
    ['{{ item[?(@.x>1)] }}', 7, '[?(@.x>1)] is not an index'],
    ['{{ item.a[key] }}', 9, '[key] is a key without quotes', 'did you mean {{ item.a.key }}?'],
    ['{{ item.a[] }}', 9, '[] is empty'],
    ['{{ item.a[01] }}', 9, '[01] is not an index'],
    ['{{ item.a[1e3] }}', 9, '[1e3] is not an index'],
    ['{{ item.a[99999999999999999999] }}', 9, 'is not an index'],
    ['{{ item["a","b"] }}', 7, '["a","b"] is not one quoted key'],
    ['{{ item.a[ }}', 9, '[ is never closed, expected ]'],
    ['{{ item["a }}', 7, '[ is never closed'],
    ['{{ item["\\x41"] }}', 7, 'has an escape that JSON does not know'],
    ['{{ item.a] }}', 9, '] without ['],
    ['{{ item."a b" }}', 8, 'a quoted key stands in brackets: ["a key"]'],
    ['{{ item..a }}', 8, 'a name is missing, expected names joined by single dots'],
    ['{{ item. }}', 8, 'a name is missing'],
    ['{{ .a }}', 3, 'a name is missing'],
    ['{{ item["a"]b }}', 12, 'expected . or [ before b'],
    [
      '{{ item.first name }}',
      14,
      'white space cannot stand in a path',
      'the key "first name" is written {{ item["first name"] }}',
    ],
    [
      '{{ item . a }}',
      8,
      'white space cannot stand in a path',
      'leave out the spaces around dots and brackets',
    ],
    ['{{#if item.x}}', 6, '{{ #if item.x }}: white space cannot stand in a path'],
    ['{{ {item.x} }}', 3, '{ cannot stand in a path'],
    [
      '{{ sampel.output_text }}',
      3,
      'unknown name sampel, expected item.… or sample.…',
      'did you mean {{ sample.output_text }}?',
    ],
    ['{{ Item.x }}', 3, 'unknown name Item', 'did you mean {{ item.x }}?'],
    ['{{ input }}', 3, '{{ input }}: unknown name input', 'did you mean {{ item.input }}?'],
    ['{{ items }}', 3, 'unknown name items', 'did you mean {{ item.items }}?'],
    ['{{ output_text }}', 3, 'unknown name output_text', 'did you mean {{ sample.output_text }}?'],
    ['{{{ x }}}', 4, '{{ x }}: unknown name x', 'did you mean {{ item.x }}?'],
    ['{{ __proto__.x }}', 3, 'unknown name __proto__'],
    ['{{ [0] }}', 3, 'unknown name 0'],
  ])('%j', (source, at, message, hint) => {
    const [first, ...others] = issuesOf(() => compileTemplate(source)).filter(
      ({ severity }) => severity === 'error',
    );
    expect(others).toEqual([]);
    expect(first?.at).toBe(at);
    expect(first?.message).toContain(message);
    if (hint !== undefined) expect(first?.hint).toContain(hint);
  });

  plainTest('a very long path', () => {
    const [issue] = issuesOf(() => compileTemplate(`{{ item.${'a'.repeat(1_001)} }}`));
    expect(issue).toMatchObject({ at: 2, severity: 'error' });
    expect(issue.message).toMatch(/^\{\{ item\.a{55}… \}\}: longer than 1000 characters$/);
  });

  plainTest('with all mistakes at once, in their order', () => {
    const issues = issuesOf(() => compileTemplate('{{ item }} {{ answer }} {{ item.a() }} {{ item.b'));
    expect(issues.map(({ at, severity }) => [at, severity])).toEqual([
      [3, 'warning'],
      [14, 'error'],
      [32, 'error'],
      [39, 'error'],
    ]);
    expect(new TemplateError(issues).message.split('\n')).toHaveLength(4);
  });

  plainTest('in linear time', () => {
    const start = performance.now();
    for (const piece of ['{{ ', '{', '}}', '{{ item.x }} ', '{ item.', '{item.   ', '{{ item["a'])
      for (const end of ['', '}}']) issuesOf(() => compileTemplate(piece.repeat(50_000) + end));
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  test.prop([
    fc.array(
      fc.constantFrom(
        '{{',
        '}}',
        '{',
        '}',
        'item',
        'sample',
        '.',
        '[',
        ']',
        '0',
        '"',
        "'",
        ' ',
        '\\',
        'a',
        '|',
        '(',
        '__proto__',
      ),
    ),
  ])('any other text compiles or throws a TemplateError inside it', (parts) => {
    const source = parts.join('');
    for (const { at, message } of issuesOf(() => compileTemplate(source))) {
      expect(at >= 0 && at <= source.length).toBe(true);
      expect(message).not.toBe('');
    }
    issuesOf(() => compilePath(source));
  });
});

describe('warnings', () => {
  plainTest.each([
    ['{{item}}', 2, '{{ item }} inserts the whole item as JSON', 'name one field, such as {{ item.answer }}'],
    ['{{ sample }}', 3, '{{ sample }} inserts the whole sample as JSON', 'such as {{ sample.output_text }}'],
    [
      '{{ sample.text }}',
      3,
      '{{ sample.text }} is none of the usual fields',
      'did you mean {{ sample.output_text }}?',
    ],
    [
      '{{ sample.output_tool[0].id }}',
      3,
      'is none of the usual fields',
      'did you mean {{ sample.output_tools[0].id }}?',
    ],
    ['a {item.answer} b', 2, '{item.answer} has single braces and is plain text', 'write {{ item.answer }}'],
    ['{ sample.output_text }}', 0, 'has single braces and is plain text', 'write {{ sample.output_text }}'],
  ])('%s', (source, at, message, hint) => {
    const { warnings } = compileTemplate(source);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ at, severity: 'warning' });
    expect(warnings[0]?.message).toContain(message);
    expect(warnings[0]?.hint).toContain(hint);
  });

  plainTest.each([
    '{{{item.x}}}',
    '{"item": {}}',
    '{ items.x }',
    '{{ sample.output_audio.transcript }}',
    '{{item.text}}',
  ])('none for %s', (source) => {
    expect(compileTemplate(source).warnings).toEqual([]);
  });
});

describe('paths without braces', () => {
  plainTest.each([
    ['answer', ['answer']],
    ['6b_finetuning.solution', ['6b_finetuning', 'solution']],
    [' item.input ', ['item', 'input']],
    ['output.0', ['output', '0']],
    ['choices[0].text', ['choices', 0, 'text']],
    ['["a key"].b', ['a key', 'b']],
    ['a-1.c++.n/a.what?', ['a-1', 'c++', 'n/a', 'what?']],
    ['item.line-item', ['item', 'line-item']],
    ['a.c+1.x=1', ['a', 'c+1', 'x=1']],
    ['[0][12]', [0, 12]],
  ])('%s', (expression, path) => {
    expect(compilePath(expression)).toEqual(path);
  });

  plainTest.each([
    ['', 0, 'empty, expected a path'],
    ['{{ item.x }}', 0, '{{ item.x }}: { cannot stand in a path'],
    ['a b', 2, 'a b: white space cannot stand in a path'],
    ['a[-1]', 1, 'a[-1]: [-1] is a negative index'],
    ['a.strip()', 2, 'a.strip(): filters and calls are not supported'],
  ])('refuses %j', (expression, at, message) => {
    const issues = issuesOf(() => compilePath(expression));
    expect(issues).toMatchObject([{ at, severity: 'error' }]);
    expect(issues[0]?.message).toContain(message);
  });

  test.prop([
    fc.array(fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.nat()), {
      minLength: 1,
      maxLength: 5,
    }),
  ])('what formatPath writes is read back', (path) => {
    expect(compilePath(formatPath(path))).toEqual(path);
  });
});

test.prop([fc.dictionary(fc.string(), fc.jsonValue())])(
  'every key of a row can be reached, and renders its JSON',
  (item) => {
    for (const [key, value] of Object.entries(item)) {
      if (/\{\{|\}\}/.test(key)) continue;
      const expected = typeof value === 'string' ? value : JSON.stringify(value);
      expect(render(`{{ item[${JSON.stringify(key)}] }}`, { item })).toBe(expected);
    }
  },
);

describe('suggestions', () => {
  plainTest.each([
    ['sampel', ['item', 'sample'], 'sample'],
    ['Answer', ['question', 'answer'], 'answer'],
    ['anser', ['answers', 'answer'], 'answer'],
    ['text', ['choices', 'output_text'], 'output_text'],
    ['bleu', ['exact', 'rouge'], undefined],
    ['a', ['b'], undefined],
    ['x', [], undefined],
    ['same', ['same'], undefined],
  ])('%s among %j is %s', (name, candidates, expected) => {
    expect(suggest(name, candidates)).toBe(expected);
  });
});

test('a template of nothing but mistakes tells the first hundred', () => {
  const source = `${'{{ '.repeat(300_000)}}}`;
  expect(() => compileTemplate(source)).toThrow(TemplateError);
  try {
    compileTemplate(source);
  } catch (error) {
    expect((error as TemplateError).issues.length).toBeLessThanOrEqual(100);
  }
});

test('a template with many warnings is rendered to its end', () => {
  const { render, warnings } = compileTemplate('{{ sample.text }}'.repeat(300));
  expect(warnings).toHaveLength(300);
  expect(render({ item: {}, sample: { text: 'a' } })).toBe('a'.repeat(300));
});
