import type { ConfigIssue, PathSegment } from './errors.js';

/** Something wrong or odd in a JSON text; `at` is its place, in UTF-16 units from 0. */
export type JsonIssue = ConfigIssue & { readonly at: number };

/** A value of the text: where it and its key start, and what is inside it. */
export interface JsonNode {
  readonly start: number;
  readonly keyStart?: number;
  readonly children?: Map<PathSegment, JsonNode>;
}

/** A container whose end has not been met yet. */
interface OpenContainer {
  readonly at: number;
  readonly close: '}' | ']';
  /** Left out where only a mistake is looked for. */
  readonly children: Map<PathSegment, JsonNode> | undefined;
  size: number;
  /** What leads to it from the container around it. */
  readonly segment: PathSegment | undefined;
}

/** Stops the scan; no Error, for nobody but `scan` sees it. */
class Mistake {
  constructor(
    readonly at: number,
    readonly message: string,
    readonly hint?: string,
  ) {}
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LITERAL = /(?:true|false|null)(?![\p{L}\p{N}_])/uy;
/** What a person would call one token, for messages. */
const TOKEN = /[-+.]?[\p{L}\p{N}_$][\p{L}\p{N}_$.+-]{0,29}/uy;
/** A run of plain characters in a string. */
const PLAIN = /[^"\\\p{Cc}]+/uy;
const ESCAPE = /\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})/y;
const SPACE = /[ \t\r\n]*/y;

/** Nobody reads more of them. */
const MAX_REPEATED = 100;
/** No configuration is deeper, and code that walks over one may be recursive. */
const MAX_DEPTH = 1_000;

/** Reads JSON strictly, without recursion: how deep it goes is the writer's choice. */
export class JsonScanner {
  readonly repeatedKeys: JsonIssue[] = [];
  private at = 0;
  private readonly open: OpenContainer[] = [];

  /** @param keepTree  false to look for a mistake only, in constant memory but for the depth of the text */
  constructor(
    private readonly text: string,
    private readonly keepTree = true,
  ) {}

  scan(): { root?: JsonNode; mistake?: JsonIssue } {
    try {
      this.match(SPACE);
      if (this.at === this.text.length) throw new Mistake(0, 'the text is empty, expected a JSON value');
      const root = this.value(undefined, undefined);
      while (this.open.length > 0) this.step();
      this.match(SPACE);
      if (this.at < this.text.length) throw this.textAfterEnd();
      return { root };
    } catch (error) {
      if (!(error instanceof Mistake)) throw error;
      const { at, message, hint } = error;
      return { mistake: { at, severity: 'error', path: [], message, hint } };
    }
  }

  /** Reads the next child of the innermost open container, or its end. */
  private step(): void {
    const container = this.open[this.open.length - 1];
    this.match(SPACE);
    if (container.size > 0 || this.text[this.at] === container.close) {
      if (this.text[this.at] === container.close) {
        this.at++;
        this.open.pop();
        return;
      }
      this.comma(container);
    }
    if (container.close === ']') {
      const node = this.value(container.size, undefined);
      container.children?.set(container.size, node);
    } else this.member(container);
    container.size++;
  }

  private comma({ at, close }: OpenContainer): void {
    const comma = this.at;
    if (this.text[comma] !== ',') {
      if (this.startsValue(comma))
        throw new Mistake(comma, `expected a comma or ${close} before ${this.token(comma)}`, 'add the comma');
      throw this.unexpected(`a comma, or ${close} for the ${this.opening(at)}`);
    }
    this.at++;
    this.match(SPACE);
    const next = this.text[this.at];
    if (next === '}' || next === ']')
      throw new Mistake(
        comma,
        `a comma before ${next}, expected none after the last value`,
        'remove the comma',
      );
    if (next === ',') throw new Mistake(this.at, 'a second comma', 'remove it');
  }

  private member({ children }: OpenContainer): void {
    const keyStart = this.at;
    if (this.text[keyStart] !== '"') throw this.unexpected('a key in double quotes');
    const key = this.string();
    if (children?.has(key) === true && this.repeatedKeys.length < MAX_REPEATED)
      this.repeatedKeys.push(this.repeatedKey(key, keyStart));
    this.match(SPACE);
    if (this.text[this.at] !== ':') throw this.unexpected(`a colon after the key ${JSON.stringify(key)}`);
    this.at++;
    this.match(SPACE);
    const node = this.value(key, keyStart);
    children?.set(key, node);
  }

  private repeatedKey(key: string, at: number): JsonIssue {
    const path = this.open.flatMap(({ segment }) => (segment === undefined ? [] : [segment]));
    const message = 'the key occurs a second time; the last one counts';
    return { at, severity: 'warning', path: [...path, key], message };
  }

  /** Reads a scalar whole; of a container only the opening bracket. */
  private value(segment: PathSegment | undefined, keyStart: number | undefined): JsonNode {
    const start = this.at;
    const opening = this.text[start];
    if (opening === '{' || opening === '[') {
      if (this.keepTree && this.open.length >= MAX_DEPTH)
        throw new Mistake(start, `nested deeper than ${MAX_DEPTH} levels`);
      const children = this.keepTree ? new Map<PathSegment, JsonNode>() : undefined;
      this.open.push({ at: start, close: opening === '{' ? '}' : ']', children, size: 0, segment });
      this.at++;
      return { start, keyStart, children };
    }
    if (opening === '"') this.string();
    else if (!this.match(LITERAL)) this.number();
    return { start, keyStart };
  }

  private number(): void {
    const start = this.at;
    if (!this.match(NUMBER)) throw this.unexpected('a JSON value');
    if (!/[\p{L}\p{N}_.+-]/u.test(this.text[this.at] ?? '')) return;
    throw new Mistake(start, `${this.token(start)} is not a JSON number`, numberHint(this.token(start)));
  }

  /** Reads a string, key or value, and gives what it says. */
  private string(): string {
    const start = this.at++;
    for (;;) {
      this.match(PLAIN);
      const next = this.text[this.at];
      if (next === '"') break;
      if (next === undefined || next === '\n' || next === '\r') throw this.unclosedString(start);
      if (next !== '\\') {
        const code = next.charCodeAt(0);
        if (code >= 0x20) {
          this.at++;
          continue;
        }
        const escape = next === '\t' ? '\\t' : `\\u${code.toString(16).padStart(4, '0')}`;
        throw new Mistake(this.at, 'a control character inside a text', `write ${escape}`);
      }
      if (!this.match(ESCAPE)) throw this.badEscape();
    }
    this.at++;
    return JSON.parse(this.text.slice(start, this.at)) as string;
  }

  private unclosedString(start: number): Mistake {
    const hint =
      this.at < this.text.length ? 'close it with ", or write a line break inside it as \\n' : undefined;
    return new Mistake(start, 'this text is not closed, expected " before the end of the line', hint);
  }

  private badEscape(): Mistake {
    const next = this.text[this.at + 1] ?? '';
    if (next === 'u') return new Mistake(this.at, '\\u is not followed by four hexadecimal digits');
    const hint = next === "'" ? "write ' without the backslash" : 'a backslash itself is written \\\\';
    return new Mistake(this.at, `JSON has no escape \\${printable(next)}`, hint);
  }

  private textAfterEnd(): Mistake {
    const hint =
      this.text[this.at] === '{'
        ? 'there is one JSON value here; is this a dataset? validate --method checks training files'
        : undefined;
    return new Mistake(this.at, `more text after the end of the JSON value: ${this.token(this.at)}`, hint);
  }

  /** Names what stands where something else should. */
  private unexpected(expected: string): Mistake {
    const { at, text } = this;
    const container = this.open.at(-1);
    if (at >= text.length && container !== undefined) {
      const message = `the text ends, but the ${this.opening(container.at)} is not closed`;
      return new Mistake(text.trimEnd().length, message, `add ${container.close}`);
    }
    const token = this.token(at);
    return new Mistake(at, `expected ${expected}, got ${token}`, hintFor(text, at, token, expected));
  }

  /** An opening bracket and its line, for messages about its end. */
  private opening(at: number): string {
    return `${this.text[at]} of line ${this.text.slice(0, at).split('\n').length}`;
  }

  private startsValue(at: number): boolean {
    return /["{[\p{L}\p{N}-]/u.test(this.text[at] ?? '');
  }

  private token(at: number): string {
    if (startsComment(this.text, at)) return 'a comment';
    if (this.text[at] === '"') {
      const [quoted = '"'] = /^"[^"\n]{0,30}"?/.exec(this.text.slice(at, at + 32)) ?? [];
      return quoted;
    }
    TOKEN.lastIndex = at;
    return TOKEN.exec(this.text)?.[0] ?? printable(String.fromCodePoint(this.text.codePointAt(at) ?? 0x20));
  }

  private match(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    if (!pattern.test(this.text)) return false;
    this.at = pattern.lastIndex;
    return true;
  }
}

const startsComment = (text: string, at: number): boolean =>
  text.startsWith('//', at) || text.startsWith('/*', at) || text[at] === '#';

const printable = (character: string): string => JSON.stringify(character).slice(1, -1);

const numberHint = (token: string): string | undefined => {
  if (/^-?0\d/.test(token)) return 'write it without the leading zero';
  if (token.endsWith('.')) return 'write a digit after the point';
  return undefined;
};

/** Words of other languages, and what JSON calls them. */
const FOREIGN_WORDS: Readonly<Record<string, string>> = {
  True: 'write true',
  False: 'write false',
  None: 'write null',
  undefined: 'write null, or leave the key out',
  NaN: 'JSON has no NaN; write a number',
  Infinity: 'JSON has no Infinity; write a number',
  '-Infinity': 'JSON has no Infinity; write a number',
};

const hintFor = (text: string, at: number, token: string, expected: string): string | undefined => {
  if (Object.hasOwn(FOREIGN_WORDS, token)) return FOREIGN_WORDS[token];
  if (startsComment(text, at)) return 'JSON has no comments; remove it';
  if (text.startsWith('```', at)) return 'remove the Markdown fence around the JSON';
  if (/['‘’“”]/.test(text[at])) return 'JSON has only straight double quotes: "';
  if (/^[+.]/.test(token)) return 'a JSON number starts with a digit or -';
  const couldBeText = expected.startsWith('a key') || expected === 'a JSON value';
  return couldBeText && /^[\p{L}_$]/u.test(token) ? `write "${token}"` : undefined;
};
