import { create, type MathNode, parseDependencies } from 'mathjs/number';
import type { ConfigIssue } from './errors.js';
import { suggest } from './suggest.js';

/** A mistake in a formula; `at` is its position in the source, in UTF-16 units from 0. */
export type FormulaIssue = Omit<ConfigIssue, 'path' | 'severity'>;

/** A formula ready to be evaluated, once a row. */
export interface Formula {
  /** The names that the formula uses, in the order they were given. */
  readonly variables: readonly string[];
  /** The names that it does not use. */
  readonly unused: readonly string[];
  /**
   * The formula's value; NaN or infinite where it has none (`1/0`, `sqrt(-1)`, `log(0)`). Never throws.
   *
   * @param values  one number a name, in the order the names were given
   */
  evaluate(values: ArrayLike<number>): number;
}

/** A formula that cannot be used; carries every mistake found, not only the first. */
export class FormulaError extends Error {
  override readonly name = 'FormulaError';

  constructor(readonly issues: readonly FormulaIssue[]) {
    super(
      issues.map(({ message, hint }) => (hint === undefined ? message : `${message}; ${hint}`)).join('\n'),
    );
  }
}

/** Parses and no more: this instance knows no functions, so not even a hole in the checks below could run one. */
const mathjs = create({ parseDependencies });

const MAX_LENGTH = 4_096;
const MAX_DEPTH = 100;
const MAX_NODES = 500;
const MAX_NAMES_SHOWN = 20;

/**
 * Compiles a formula over named numbers, such as `0.5 * exact + 0.5 * max(bleu, 1 - toxicity)^2`.
 *
 * It has decimal and scientific numbers, the names, `+ - * /`, `^` (binds tighter than a minus before it, and to the
 * right: `-2^2` is −4, `2^3^2` is 512), parentheses, `min` and `max` of one or more numbers, and `abs`, `floor`,
 * `ceil`, `exp`, `sqrt` and `log` (natural) of one. Nothing else gets through, and nothing is ever run.
 *
 * @param names  what the formula may name, each an identifier (see {@link checkVariableName})
 * @throws FormulaError with every mistake
 */
export const compileFormula = (source: string, names: readonly string[]): Formula => {
  if (source.length > MAX_LENGTH)
    throw new FormulaError([
      { message: `the formula has ${source.length} characters, expected at most ${MAX_LENGTH}` },
    ]);
  const { calls, issues } = checkTokens(source, names);
  if (issues.length > 0) throw new FormulaError(issues);
  const compiler = new Compiler(names, calls);
  const evaluate = compiler.compile(parse(source));
  if (compiler.issues.length > 0) throw new FormulaError(compiler.issues);
  return {
    variables: names.filter((name) => compiler.used.has(name)),
    unused: names.filter((name) => !compiler.used.has(name)),
    evaluate,
  };
};

/**
 * Says what is wrong with a name for use in a formula.
 *
 * @returns undefined for a good name: letters, digits and underscores, and no word that means something else
 */
export const checkVariableName = (name: string): string | undefined => {
  const shown = JSON.stringify(shorten(name));
  if (!IDENTIFIER.test(name))
    return `${shown} cannot be named in a formula, expected letters a to z, digits and _, not starting with a digit`;
  if (FUNCTIONS.has(name)) return `${shown} is a function of formulas, expected another name`;
  if (CONSTANTS.has(name) || WORD_OPERATORS.has(name) || name === '__proto__')
    return `${shown} is a reserved word, expected another name`;
  return undefined;
};

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Words that mathjs parses as constants and operators, wherever they stand. */
const CONSTANTS = new Set(['true', 'false', 'null', 'undefined', 'NaN', 'Infinity']);
const WORD_OPERATORS = new Set(['and', 'or', 'xor', 'not', 'mod', 'to', 'in']);

const shorten = (text: string, length = 40): string =>
  text.length > length ? `${text.slice(0, length)}…` : text;

// Closures

type Evaluate = (values: ArrayLike<number>) => number;
type Unary = (x: Evaluate) => Evaluate;
type Binary = (x: Evaluate, y: Evaluate) => Evaluate;

const UNARY_OPERATORS = new Map<string, Unary>([
  ['unaryMinus', (x) => (values) => -x(values)],
  ['unaryPlus', (x) => x],
]);

const BINARY_OPERATORS = new Map<string, Binary>([
  ['add', (x, y) => (values) => x(values) + y(values)],
  ['subtract', (x, y) => (values) => x(values) - y(values)],
  ['multiply', (x, y) => (values) => x(values) * y(values)],
  ['divide', (x, y) => (values) => x(values) / y(values)],
  ['pow', (x, y) => (values) => x(values) ** y(values)],
]);

const UNARY_FUNCTIONS = new Map<string, Unary>([
  ['abs', (x) => (values) => Math.abs(x(values))],
  ['floor', (x) => (values) => Math.floor(x(values))],
  ['ceil', (x) => (values) => Math.ceil(x(values))],
  ['exp', (x) => (values) => Math.exp(x(values))],
  ['sqrt', (x) => (values) => Math.sqrt(x(values))],
  ['log', (x) => (values) => Math.log(x(values))],
]);

/** Functions of one or more numbers. */
const FOLDED_FUNCTIONS = new Map<string, Binary>([
  ['min', (x, y) => (values) => Math.min(x(values), y(values))],
  ['max', (x, y) => (values) => Math.max(x(values), y(values))],
]);

const FUNCTIONS = new Set([...FOLDED_FUNCTIONS.keys(), ...UNARY_FUNCTIONS.keys()]);

// Tokens: what is not part of the language is refused, with its position, before mathjs sees it

const TOKEN =
  /(?<space>\s+)|(?<radix>0[xXbBoO]\w*)|(?<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)|(?<word>[\p{L}_$][\p{L}\p{M}\p{N}_$]*)|(?<sign>\*\*|[-+*/^(),])|(?<comment>#[^\n]*)|(?<text>"[^"]*"?|'[^']*'?)|(?<field>\.\s*[\p{L}_$][\p{L}\p{M}\p{N}_$]*)|(?<other>[<>=!]=|\p{Any})/gu;

interface Token {
  readonly kind: string;
  readonly text: string;
  readonly at: number;
}

/** What a sign means in mathjs and other languages. */
const REFUSED_SIGNS = new Map([
  ['=', 'assignments'],
  ['==', 'comparisons'],
  ['!=', 'comparisons'],
  ['<', 'comparisons'],
  ['>', 'comparisons'],
  ['<=', 'comparisons'],
  ['>=', 'comparisons'],
  ['!', 'factorials and negations'],
  ['%', 'percentages and remainders'],
  ['[', 'lists and indexes'],
  [']', 'lists and indexes'],
  ['{', 'objects'],
  ['}', 'objects'],
  [':', 'ranges and conditions'],
  ['?', 'conditions'],
  [';', 'several statements'],
  ['&', 'bit operators'],
  ['|', 'bit operators'],
  ['~', 'bit operators'],
]);

/** Signs that people type, or paste from a text, for one that a formula has. */
const SIGN_MEANT = new Map([
  ['**', '^'],
  ['×', '*'],
  ['·', '*'],
  ['÷', '/'],
  ['−', '-'],
  ['–', '-'],
]);

type Complaint = readonly [message: string, hint?: string];

/** Refuses every token that the language does not have, and two values side by side, which mathjs would multiply. */
const checkTokens = (
  source: string,
  names: readonly string[],
): { readonly calls: readonly Token[]; readonly issues: readonly FormulaIssue[] } => {
  const tokens = tokenize(source);
  const calls: Token[] = [];
  // By message: a mistake made a thousand times is told once.
  const issues = new Map<string, FormulaIssue>();
  const report = (at: number, [message, hint]: Complaint): void => {
    if (!issues.has(message)) issues.set(message, { message, at, ...(hint !== undefined && { hint }) });
  };
  if (tokens.length === 0) report(0, ['the formula is empty']);
  let depth = 0;
  for (const [index, token] of tokens.entries()) {
    const previous = tokens[index - 1];
    const isCalled = token.kind === 'word' && tokens[index + 1]?.text === '(';
    if (isCalled && FUNCTIONS.has(token.text)) calls.push(token);
    const complaint = missingOperator(previous, token) ?? complainAbout(token, isCalled, names);
    if (complaint !== undefined) report(token.at, complaint);
    if (token.text === '(') depth++;
    if (token.text === ')') depth--;
    if (depth > MAX_DEPTH) report(token.at, [`more than ${MAX_DEPTH} parentheses inside each other`]);
  }
  return { calls, issues: [...issues.values()] };
};

const tokenize = (source: string): Token[] => {
  const tokens: Token[] = [];
  for (const { 0: text, index, groups = {} } of source.matchAll(TOKEN)) {
    const kind = Object.keys(groups).find((name) => groups[name] !== undefined) ?? 'other';
    if (kind !== 'space') tokens.push({ kind, text, at: index });
  }
  return tokens;
};

const complainAbout = (
  { kind, text }: Token,
  isCalled: boolean,
  names: readonly string[],
): Complaint | undefined => {
  const quoted = JSON.stringify(shorten(text));
  const meant = SIGN_MEANT.get(text);
  if (meant !== undefined) return [`unexpected ${quoted}`, `did you mean ${meant}?`];
  switch (kind) {
    case 'word':
      return complainAboutWord(text, isCalled, names);
    case 'number':
      return Number.isFinite(Number(text)) ? undefined : [`${shorten(text)} is too large a number`];
    case 'sign':
      return undefined;
    case 'radix':
      return [`numbers that are not decimal are not supported: ${quoted}`];
    case 'comment':
      return [`comments are not supported: ${quoted}`];
    case 'text':
      return [`texts and transposes are not supported: ${quoted}`];
    case 'field':
      return [`names have no fields: ${quoted}`];
    default: {
      const meaning = REFUSED_SIGNS.get(text);
      return [meaning === undefined ? `unexpected ${quoted}` : `${meaning} are not supported: ${quoted}`];
    }
  }
};

const complainAboutWord = (
  word: string,
  isCalled: boolean,
  names: readonly string[],
): Complaint | undefined => {
  if (CONSTANTS.has(word)) return [`the constant ${word} is not supported`];
  if (WORD_OPERATORS.has(word)) return [`the operator ${word} is not supported`];
  const quoted = JSON.stringify(shorten(word));
  if (isCalled) {
    if (FUNCTIONS.has(word)) return undefined;
    if (names.includes(word)) return [`${quoted} is not a function`, `a product is written ${word} * (…)`];
    return [
      `unknown function ${quoted}, expected one of ${[...FUNCTIONS].join(', ')}`,
      didYouMean(word, FUNCTIONS),
    ];
  }
  if (names.includes(word)) return undefined;
  if (FUNCTIONS.has(word)) return [`${quoted} is a function, expected ${word}(…)`];
  if (!IDENTIFIER.test(word)) return [`${quoted} is not a name, expected letters a to z, digits and _`];
  return [`unknown name ${quoted}, expected one of ${listNames(names)}`, didYouMean(word, names)];
};

const didYouMean = (word: string, candidates: Iterable<string>): string | undefined => {
  const near = suggest(word, candidates);
  return near && `did you mean ${near}?`;
};

const listNames = (names: readonly string[]): string =>
  names.slice(0, MAX_NAMES_SHOWN).join(', ') + (names.length > MAX_NAMES_SHOWN ? ', …' : '');

const missingOperator = (previous: Token | undefined, token: Token): Complaint | undefined => {
  if (previous === undefined || !endsValue(previous) || !startsValue(token)) return undefined;
  if (previous.kind === 'word' && token.text === '(') return undefined;
  const [left, right] = [shorten(previous.text), shorten(token.text)];
  const isProduct = previous.kind === 'number' || previous.text === ')' || token.text === '(';
  return [
    `an operator is missing between ${left} and ${right}`,
    isProduct ? 'a product is written with *' : undefined,
  ];
};

const isValue = ({ kind, text }: Token): boolean =>
  kind === 'number' || (kind === 'word' && !WORD_OPERATORS.has(text));
const endsValue = (token: Token): boolean => token.text === ')' || isValue(token);
const startsValue = (token: Token): boolean => token.text === '(' || isValue(token);

// Nodes

const parse = (source: string): MathNode => {
  try {
    // To mathjs a line break ends a statement; here it is white space like any other.
    return mathjs.parse(source.replaceAll(/\s/g, ' '));
  } catch (error) {
    throw new FormulaError([parseIssue(source, error)]);
  }
};

/** What mathjs says, `Value expected (char 5)`, with the place in words. */
const parseIssue = (source: string, error: unknown): FormulaIssue => {
  if (!(error instanceof SyntaxError)) return { message: 'the formula is nested too deeply' };
  const { char } = error as SyntaxError & { readonly char?: number };
  const message = error.message.replace(/ \(char \d+\)$/, '').toLowerCase();
  if (char === undefined) return { message };
  const at = Math.min(char - 1, source.trimEnd().length);
  const rest = source.slice(at).trim();
  return {
    message: `${message} ${rest === '' ? 'at the end' : `at ${JSON.stringify(shorten(rest, 20))}`}`,
    at,
  };
};

/** Turns mathjs's nodes into closures; a node that is not named here is refused. */
class Compiler {
  readonly used = new Set<string>();
  readonly issues: FormulaIssue[] = [];
  private nodeCount = 0;
  private callCount = 0;

  /** @param calls  the function names in the source; nodes are visited in the same order */
  constructor(
    private readonly names: readonly string[],
    private readonly calls: readonly Token[],
  ) {}

  compile(node: MathNode): Evaluate {
    this.nodeCount++;
    if (this.nodeCount > MAX_NODES)
      throw new FormulaError([{ message: `the formula has more than ${MAX_NODES} parts` }]);
    if (mathjs.isParenthesisNode(node)) return this.compile(node.content);
    if (mathjs.isSymbolNode(node)) return this.variable(node.name);
    if (mathjs.isFunctionNode(node) && mathjs.isSymbolNode(node.fn))
      return this.call(node.fn.name, node.args);
    if (mathjs.isOperatorNode(node) && !node.implicit) return this.operator(node.fn, node.args);
    if (mathjs.isConstantNode(node)) {
      const { value } = node;
      if (typeof value === 'number' && Number.isFinite(value)) return () => value;
    }
    return refuse(node.type);
  }

  private variable(name: string): Evaluate {
    const slot = this.names.indexOf(name);
    if (slot === -1) return refuse(name);
    this.used.add(name);
    return (values) => values[slot];
  }

  private operator(name: string, operands: readonly MathNode[]): Evaluate {
    const [x, y] = operands.map((operand) => this.compile(operand));
    const operator = y === undefined ? UNARY_OPERATORS.get(name)?.(x) : BINARY_OPERATORS.get(name)?.(x, y);
    return operator ?? refuse(name);
  }

  private call(name: string, nodes: readonly MathNode[]): Evaluate {
    const at = this.calls[this.callCount++]?.at;
    const args = nodes.map((node) => this.compile(node));
    const unary = UNARY_FUNCTIONS.get(name);
    const folded = FOLDED_FUNCTIONS.get(name);
    if (unary !== undefined && args.length === 1) return unary(args[0]);
    if (folded !== undefined && args.length > 0) return args.reduce(folded);
    if (unary === undefined && folded === undefined) return refuse(name);
    const expected = unary === undefined ? 'at least one number' : 'one number';
    this.issues.push({ message: `${name} takes ${expected}, got ${args.length}`, at });
    return () => Number.NaN;
  }
}

const refuse = (what: string): never => {
  throw new FormulaError([{ message: `${shorten(what)} is not supported in a formula` }]);
};
