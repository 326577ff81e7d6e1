import { fc, test } from '@fast-check/vitest';
import { all, create } from 'mathjs/number';
import { describe, expect, test as plainTest } from 'vitest';
import { checkVariableName, compileFormula, FormulaError } from '../src/formula.js';

const NAMES = ['a', 'b', 'exact', 'rouge'];
const VALUES = [0.25, 3, 1, 0.5];

const evaluate = (source: string): number => compileFormula(source, NAMES).evaluate(VALUES);

const issuesOf = (source: string, names: readonly string[] = NAMES): FormulaError['issues'] => {
  try {
    compileFormula(source, names);
  } catch (error) {
    if (error instanceof FormulaError) return error.issues;
    throw error;
  }
  return [];
};

describe('evaluates', () => {
  plainTest.each([
    ['1', 1],
    ['.5', 0.5],
    ['1e-3', 0.001],
    ['2.5E2', 250],
    ['a', 0.25],
    ['0.5 *a', 0.125],
    ['0.4*a + 0.3*max(b, exact) + 0.3*(1-abs(rouge-0.5))^2', 0.1 + 0.3 * 3 + 0.3],
    ['a+b*exact', 3.25],
    ['(a+b)*exact', 3.25],
    ['8/4/2', 1],
    ['8-4-2', 2],
    ['2^3^2', 512],
    ['-2^2', -4],
    ['(-2)^2', 4],
    ['2^-1', 0.5],
    ['--b', 3],
    ['+-b', -3],
    ['1 - -b', 4],
    ['min(b)', 3],
    ['min(b, 2, exact)', 1],
    ['max(a, b, exact, rouge)', 3],
    ['abs(-b)', 3],
    ['floor(-0.5)', -1],
    ['ceil(0.1)', 1],
    ['floor(2.9999999999999996)', 2],
    ['exp(1)', Math.E],
    ['sqrt(9)', 3],
    ['log(exp(2))', 2],
    ['log (1)', 0],
    [' a\n  +\tb\r\n', 3.25],
    ['a\u00a0+ b', 3.25],
    ['(100 - abs(a - b)) / 100', 0.9725],
  ])('%j = %d', (source, expected) => {
    expect(evaluate(source)).toBe(expected);
  });

  plainTest('to something that is not finite, without throwing', () => {
    expect(evaluate('1/0')).toBe(Infinity);
    expect(evaluate('sqrt(-1)')).toBeNaN();
    expect(evaluate('log(0)')).toBe(-Infinity);
    expect(evaluate('(-8)^(1/3)')).toBeNaN();
    expect(compileFormula('a + b', NAMES).evaluate([])).toBeNaN();
  });

  plainTest('over values in the order of the names, and says which it uses', () => {
    const formula = compileFormula('rouge - a', NAMES);
    expect(formula.variables).toEqual(['a', 'rouge']);
    expect(formula.unused).toEqual(['b', 'exact']);
    expect(formula.evaluate(Float64Array.of(1, 0, 0, 10))).toBe(9);
  });

  plainTest('names that mathjs knows as constants are plain names', () => {
    const names = ['e', 'pi', 'i', 'end', 'constructor', 'toString'];
    expect(compileFormula(names.join(' + '), names).evaluate([1, 2, 3, 4, 5, 6])).toBe(21);
  });
});

describe('broken and hostile formulas are refused by name', () => {
  plainTest.each<[source: string, at: number, message: string, hint?: string]>([
    ['', 0, 'the formula is empty'],
    [' \n ', 0, 'the formula is empty'],
    ['0.5 * bleu', 6, 'unknown name "bleu", expected one of a, b, exact, rouge'],
    ['exactt', 0, 'unknown name "exactt"', 'did you mean exact?'],
    ['Rouge', 0, 'unknown name "Rouge"', 'did you mean rouge?'],
    ['e + a', 0, 'unknown name "e"'],
    ['2 * pi', 4, 'unknown name "pi"'],
    ['__proto__', 0, 'unknown name "__proto__"'],
    ['constructor', 0, 'unknown name "constructor"'],
    ['a.constructor', 1, 'names have no fields: ".constructor"'],
    ['a.constructor.constructor("return process")()', 1, 'names have no fields: ".constructor"'],
    ['a["constructor"]', 1, 'lists and indexes are not supported: "["'],
    ['cos.constructor("return 1")()', 0, 'unknown name "cos"'],
    ['f(x) = x', 0, 'unknown function "f", expected one of min, max, abs, floor, ceil, exp, sqrt, log'],
    ['a = 1', 2, 'assignments are not supported: "="'],
    ['import({"a": 1}, {})', 0, 'unknown function "import"'],
    ['createUnit("foo")', 0, 'unknown function "createUnit"'],
    ['evaluate("1+1")', 0, 'unknown function "evaluate"'],
    ['parse("a")', 0, 'unknown function "parse"'],
    ['simplify(a)', 0, 'unknown function "simplify"'],
    ['Function(a)', 0, 'unknown function "Function"'],
    ['require(a)', 0, 'unknown function "require"'],
    ['process.exit(1)', 0, 'unknown name "process"'],
    ['globalThis', 0, 'unknown name "globalThis"'],
    ['__defineGetter__(a)', 0, 'unknown function "__defineGetter__"'],
    ['sqr(a)', 0, 'unknown function "sqr"', 'did you mean sqrt?'],
    ['a(b)', 0, '"a" is not a function', 'a product is written a * (…)'],
    ['min', 0, '"min" is a function, expected min(…)'],
    ['min + 1', 0, '"min" is a function'],
    ['min()', 0, 'min takes at least one number, got 0'],
    ['a + abs(a, b)', 4, 'abs takes one number, got 2'],
    ['log(a, 10)', 0, 'log takes one number, got 2'],
    ['[1, 2]', 0, 'lists and indexes are not supported: "["'],
    ['1:10', 1, 'ranges and conditions are not supported: ":"'],
    ['"text"', 0, 'texts and transposes are not supported'],
    ["a'", 1, 'texts and transposes are not supported'],
    ['{a: 1}', 0, 'objects are not supported: "{"'],
    ['a; b', 1, 'several statements are not supported: ";"'],
    ['a\nb', 2, 'an operator is missing between a and b'],
    ['2a', 1, 'an operator is missing between 2 and a', 'a product is written with *'],
    ['(a)(b)', 3, 'an operator is missing between ) and (', 'a product is written with *'],
    ['2 (a)', 2, 'an operator is missing between 2 and ('],
    ['1_000', 1, 'an operator is missing between 1 and _000'],
    ['1.5.2', 3, 'an operator is missing between 1.5 and .2'],
    ['a > b', 2, 'comparisons are not supported: ">"'],
    ['a == b', 2, 'comparisons are not supported: "=="'],
    ['a ? 1 : 2', 2, 'conditions are not supported: "?"'],
    ['a!', 1, 'factorials and negations are not supported: "!"'],
    ['10%', 2, 'percentages and remainders are not supported: "%"'],
    ['a & b', 2, 'bit operators are not supported: "&"'],
    ['a and b', 2, 'the operator and is not supported'],
    ['a mod 2', 2, 'the operator mod is not supported'],
    ['5 cm to inch', 2, 'an operator is missing between 5 and cm'],
    ['true', 0, 'the constant true is not supported'],
    ['a + Infinity', 4, 'the constant Infinity is not supported'],
    ['null', 0, 'the constant null is not supported'],
    ['1e400', 0, '1e400 is too large a number'],
    ['0x1F', 0, 'numbers that are not decimal are not supported: "0x1F"'],
    ['0b11 + a', 0, 'numbers that are not decimal are not supported: "0b11"'],
    ['a # comment', 2, 'comments are not supported: "# comment"'],
    ['a ** 2', 2, 'unexpected "**"', 'did you mean ^?'],
    ['a × b', 2, 'unexpected "×"', 'did you mean *?'],
    ['a .* b', 2, 'unexpected "."'],
    ['5.', 1, 'unexpected "."'],
    ['é + a', 0, '"é" is not a name, expected letters a to z, digits and _'],
    ['π', 0, '"π" is not a name'],
    ['$x', 0, '"$x" is not a name'],
    ['a\0', 1, String.raw`unexpected "\u0000"`],
    ['a +', 3, 'unexpected end of expression at the end'],
    ['a + * b', 4, 'value expected at "* b"'],
    ['(a', 2, 'parenthesis ) expected at the end'],
    ['a)', 1, 'unexpected operator ) at ")"'],
    ['min(a,,b)', 6, 'value expected at ",b)"'],
    ['a, b', 1, 'unexpected operator , at ", b"'],
    ['()', 1, 'value expected at ")"'],
  ])('%j', (source, at, message, hint) => {
    const [issue] = issuesOf(source);
    expect(issue?.message).toContain(message);
    expect(issue?.at).toBe(at);
    expect(issue?.hint).toEqual(hint ?? issue?.hint);
  });

  plainTest.each<[name: string, source: string, message: string]>([
    [
      '20,000 parentheses',
      '('.repeat(20_000) + 'a' + ')'.repeat(20_000),
      'has 40001 characters, expected at most 4096',
    ],
    ['a megabyte', '1+'.repeat(500_000) + '1', 'has 1000001 characters'],
    [
      '1,000 parentheses',
      `${'('.repeat(1_000)}a${')'.repeat(1_000)}`,
      'more than 100 parentheses inside each other',
    ],
    ['800 calls', `${'abs('.repeat(800)}a${')'.repeat(800)}`, 'more than 100 parentheses inside each other'],
    ['1,000 opened', '('.repeat(1_000), 'more than 100 parentheses inside each other'],
    ['4,000 signs', `${'-'.repeat(4_000)}a`, 'more than 500 parts'],
    ['2,000 powers', `${'a^'.repeat(2_000)}a`, ''],
    ['1,000 terms', `${'a+'.repeat(1_000)}a`, 'more than 500 parts'],
    ['4,000 times the same mistake', 'a!'.repeat(2_000), 'factorials'],
  ])('%s', (_name, source, message) => {
    const issues = issuesOf(source);
    expect(issues.length >= 1 && issues.length <= 2).toBe(true);
    expect(issues[0]?.message).toContain(message);
  });

  plainTest('with all mistakes at once', () => {
    const issues = issuesOf('exactt + bleu! + foo(a) + true');
    expect(issues.map(({ at }) => at)).toEqual([0, 9, 13, 17, 26]);
    expect(new FormulaError(issues).message.split('\n')).toHaveLength(5);
  });

  plainTest('no code runs', () => {
    const before = Object.keys(globalThis);
    const attacks = [
      'a.constructor.constructor("globalThis.hacked = 1")()',
      'f(x) = globalThis.hacked = 1; f(1)',
      'parse("globalThis").evaluate()',
      'import({hacked: 1})',
      '(() => { globalThis.hacked = 1 })()',
      '`${globalThis.hacked = 1}`',
    ];
    for (const attack of attacks) expect(issuesOf(attack)).not.toEqual([]);
    expect(Object.keys(globalThis)).toEqual(before);
  });

  test.prop([
    fc.array(
      fc.constantFrom(
        ...Array.from('+-*/^(),.:=!%\'"[]{}#;?'),
        ' ',
        '\n',
        '1',
        '.5',
        '0x',
        'a',
        'b',
        'min',
        'abs(',
        'mod',
        'é',
        '__proto__',
      ),
    ),
  ])('any other text compiles to numbers or throws a FormulaError inside it', (parts) => {
    const source = parts.join('');
    try {
      expect(compileFormula(source, NAMES).evaluate(VALUES)).toBeTypeOf('number');
    } catch (error) {
      if (!(error instanceof FormulaError)) throw error;
      for (const { at = 0 } of error.issues) expect(at >= 0 && at <= source.length).toBe(true);
    }
  });
});

describe('names of graders', () => {
  plainTest.each(['a', 'exact_match', '_x', 'A1', 'e', 'pi', 'i', 'end', 'constructor', 'grader2'])(
    '%s',
    (name) => {
      expect(checkVariableName(name)).toBeUndefined();
    },
  );

  plainTest.each([
    ['', 'cannot be named in a formula'],
    ['my-grader', 'cannot be named in a formula, expected letters a to z, digits and _'],
    ['1st', 'cannot be named in a formula'],
    ['two words', 'cannot be named in a formula'],
    ['é', 'cannot be named in a formula'],
    ['$x', 'cannot be named in a formula'],
    ['a\n', 'cannot be named in a formula'],
    ['min', 'is a function of formulas'],
    ['log', 'is a function of formulas'],
    ['true', 'is a reserved word'],
    ['NaN', 'is a reserved word'],
    ['Infinity', 'is a reserved word'],
    ['undefined', 'is a reserved word'],
    ['mod', 'is a reserved word'],
    ['in', 'is a reserved word'],
    ['to', 'is a reserved word'],
    ['__proto__', 'is a reserved word'],
  ])('refuses %j', (name, message) => {
    expect(checkVariableName(name)).toContain(message);
  });
});

describe('agrees with mathjs', () => {
  // mathjs compares within a tolerance, so its floor(2.9999999999999996) is 3; without that it computes as we do.
  const math = create(all, { relTol: Number.MIN_VALUE, absTol: 0 });

  const { formula } = fc.letrec<{ formula: string; leaf: string }>((tie) => ({
    leaf: fc.oneof(
      fc.constantFrom(...NAMES),
      fc.nat(9).map(String),
      fc.constantFrom('0.1', '.5', '1e-3', '2.50', '1E2'),
    ),
    formula: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      tie('leaf'),
      fc
        .tuple(tie('formula'), fc.constantFrom('+', '-', '*', '/', '^', ' + ', ' ^ '), tie('formula'))
        .map((parts) => parts.join('')),
      fc.tuple(fc.constantFrom('-', '+', '- '), tie('formula')).map((parts) => parts.join('')),
      tie('formula').map((inner) => `(${inner})`),
      fc
        .tuple(fc.constantFrom('abs', 'floor', 'ceil', 'exp', 'sqrt', 'log'), tie('formula'))
        .map(([name, x]) => `${name}(${x})`),
      fc
        .tuple(fc.constantFrom('min', 'max'), fc.array(tie('formula'), { minLength: 1, maxLength: 3 }))
        .map(([name, args]) => `${name}(${args.join(', ')})`),
    ),
  }));

  /** Where mathjs answers with a complex number or refuses, there is no real value. */
  const oracle = (source: string, values: readonly number[]): number => {
    const scope = new Map(NAMES.map((name, index) => [name, values[index]]));
    return Number(math.evaluate(source, scope));
  };

  const value = fc.double({ min: -10, max: 10, noNaN: true });

  test.prop([formula, fc.array(value, { minLength: NAMES.length, maxLength: NAMES.length })], {
    numRuns: 2_000,
  })('to the last bit, on random formulas', (source, values) => {
    const expected = oracle(source, values);
    const actual = compileFormula(source, NAMES).evaluate(values);
    expect(actual === expected || (Number.isNaN(actual) && Number.isNaN(expected))).toBe(true);
  });
});
