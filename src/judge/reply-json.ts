/** What was forgiven in a JSON text that is not quite JSON. */
export type JsonRepair =
  | 'trailing_comma'
  | 'single_quotes'
  | 'python_words'
  | 'control_characters'
  | 'escapes'
  | 'repeated_key';

/** A JSON value, its objects as maps: no key of one can be taken for a method. */
export type ReplyValue = string | number | boolean | null | readonly ReplyValue[] | ReplyObject;

/** An object of a reply; of a repeated key the last value. */
export type ReplyObject = ReadonlyMap<string, ReplyValue>;

/** An object found in a text. */
export interface FoundObject {
  readonly fields: ReplyObject;
  /** Where it starts and the place behind it. */
  readonly start: number;
  readonly end: number;
  readonly repairs: readonly JsonRepair[];
  /** A broken object came before it, so this one may be a part of that. */
  readonly afterBroken: boolean;
}

/** Stops reading an object; no Error, for nobody but `findObjects` sees it. */
class Unreadable {
  constructor(readonly at: number) {}
}

/** No verdict is deeper, so reading may be recursive. */
const MAX_DEPTH = 32;

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])/y;
const WORD = /[A-Za-z]+(?!\w)/y;
/** Runs of plain characters in a string, by the quote around it. */
// oxlint-disable-next-line no-control-regex -- they are what JSON forbids
const PLAIN = { '"': /[^"\\\u0000-\u001f]+/y, "'": /[^'"\\\u0000-\u001f]+/y } as const;
const ESCAPE = /\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})/y;

const WORDS: ReadonlyMap<string, ReplyValue> = new Map<string, ReplyValue>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** What Python prints where JSON has other words. */
const PYTHON_WORDS: ReadonlyMap<string, ReplyValue> = new Map<string, ReplyValue>([
  ['True', true],
  ['False', false],
  ['None', null],
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
]);

/**
 * Every outermost JSON object in a text, in its order, among whatever prose. Each character is read twice at most,
 * whatever the text.
 */
export function* findObjects(text: string): Generator<FoundObject> {
  let afterBroken = false;
  let start = text.indexOf('{');
  while (start !== -1) {
    const reader = new ObjectReader(text, start);
    const fields = reader.read();
    if (fields !== undefined)
      yield { fields, start, end: reader.at, repairs: [...reader.repairs], afterBroken };
    else afterBroken ||= reader.hasMember;
    start = text.indexOf('{', Math.max(reader.at, start + 1));
  }
}

class ObjectReader {
  readonly repairs = new Set<JsonRepair>();
  /** Whether a key and a colon were met: what breaks behind them was meant as an object. */
  hasMember = false;

  constructor(
    private readonly text: string,
    public at: number,
  ) {}

  /** @returns undefined when the text is broken, `at` is then where */
  read(): ReplyObject | undefined {
    try {
      return this.object(0);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      this.at = error.at;
      return undefined;
    }
  }

  private object(depth: number): ReplyObject {
    const fields = new Map<string, ReplyValue>();
    this.members('}', () => {
      const key = this.string();
      this.match(SPACE);
      this.expect(':');
      this.hasMember = true;
      if (fields.has(key)) this.repairs.add('repeated_key');
      fields.set(key, this.value(depth + 1));
    });
    return fields;
  }

  private array(depth: number): readonly ReplyValue[] {
    const elements: ReplyValue[] = [];
    this.members(']', () => elements.push(this.value(depth + 1)));
    return elements;
  }

  /** Reads from the opening bracket to the closing one. */
  private members(close: string, readMember: () => void): void {
    this.at++;
    for (let size = 0; ; size++) {
      this.match(SPACE);
      if (size > 0 && this.text[this.at] !== close) {
        this.expect(',');
        this.match(SPACE);
        if (this.text[this.at] === close) this.repairs.add('trailing_comma');
      }
      if (this.text[this.at] === close) break;
      readMember();
    }
    this.at++;
  }

  private value(depth: number): ReplyValue {
    this.match(SPACE);
    switch (this.text[this.at]) {
      case '{':
        return this.nested(depth, () => this.object(depth));
      case '[':
        return this.nested(depth, () => this.array(depth));
      case '"':
      case "'":
        return this.string();
      default:
        return this.number() ?? this.word();
    }
  }

  private nested<Value>(depth: number, read: () => Value): Value {
    if (depth > MAX_DEPTH) throw new Unreadable(this.at);
    return read();
  }

  private number(): number | undefined {
    const token = this.match(NUMBER);
    return token === undefined ? undefined : Number(token);
  }

  private word(): ReplyValue {
    const word = this.match(WORD) ?? '';
    const value = WORDS.get(word);
    if (value !== undefined) return value;
    const pythonValue = PYTHON_WORDS.get(word);
    if (pythonValue === undefined) throw new Unreadable(this.at);
    this.repairs.add('python_words');
    return pythonValue;
  }

  private string(): string {
    const quote = this.text[this.at];
    if (quote !== '"' && quote !== "'") throw new Unreadable(this.at);
    if (quote === "'") this.repairs.add('single_quotes');
    this.at++;
    // Put together as a JSON text and parsed once, so that escapes mean what they mean in JSON.
    const parts: string[] = [];
    while (this.text[this.at] !== quote)
      parts.push(this.match(PLAIN[quote]) ?? this.match(ESCAPE) ?? this.oddity());
    this.at++;
    return JSON.parse(`"${parts.join('')}"`) as string;
  }

  /** A character that JSON forbids where it stands, as JSON would write it. */
  private oddity(): string {
    const character = this.text[this.at];
    if (character === undefined) throw new Unreadable(this.at);
    this.at++;
    if (character === '\\' && this.text[this.at] === "'") return this.oddity();
    if (character === '\\') this.repairs.add('escapes');
    else if (character < ' ') this.repairs.add('control_characters');
    return JSON.stringify(character).slice(1, -1);
  }

  private expect(character: string): void {
    if (this.text[this.at] !== character) throw new Unreadable(this.at);
    this.at++;
  }

  /** @returns what the pattern matches here, which may be empty; undefined when it does not */
  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const [matched] = pattern.exec(this.text) ?? [];
    if (matched !== undefined) this.at += matched.length;
    return matched;
  }
}
