import type { ResultRow } from './read.js';

/**
 * Reads a result line as nearly all of them are, which costs a fifth of parsing it: row, sample, group, status, reward and
 * passed, in the order and without the white space that `assay run` has.
 *
 * @param bytes  valid UTF-8
 * @param end  behind the line, without its newline
 * @returns undefined for any other line, and where anything is odd about it
 */
export const parsePlainLine = (
  bytes: Buffer,
  start: number,
  end: number,
  { line, lineBytes }: Pick<ResultRow, 'line' | 'lineBytes'>,
): ResultRow | undefined => {
  const reader = READER.open(bytes, start, end);
  if (!reader.skips(ROW)) return undefined;
  const row = reader.number();
  const sample = reader.skips(SAMPLE) ? reader.number() : undefined;
  const group = reader.skips(GROUP) ? reader.name() : undefined;
  if (!reader.skips(REWARD)) return undefined;
  const reward = reader.reward();
  const isPassed = reader.skips(PASSED);
  const passed = isPassed || reader.skips(NOT_PASSED) ? isPassed : undefined;
  if (!reader.isAtEnd || reward === undefined) return undefined;
  const score = passed === undefined ? { status: SCORED, reward } : { status: SCORED, reward, passed };
  return { row, sample, id: undefined, group, value: undefined, score, line, lineBytes };
};

const SCORED = 'scored' as const;
const ROW = Buffer.from('{"row":');
const SAMPLE = Buffer.from(',"sample":');
const GROUP = Buffer.from(',"group":"');
const REWARD = Buffer.from(',"status":"scored","reward":');
const PASSED = Buffer.from(',"passed":true');
const NOT_PASSED = Buffer.from(',"passed":false');
const DIGIT_ZERO = 0x30;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const CLOSE_BRACE = 0x7d;
/** Any number of so many digits is a whole one. */
const MAX_DIGITS = 15;

class Reader {
  private bytes = Buffer.alloc(0);
  private at = 0;
  private end = 0;
  private isOdd = false;

  open(bytes: Buffer, start: number, end: number): this {
    this.bytes = bytes as Buffer<ArrayBuffer>;
    this.at = start;
    this.end = end;
    this.isOdd = false;
    return this;
  }

  /** Whether nothing but the closing brace is left, and nothing was odd. */
  get isAtEnd(): boolean {
    return !this.isOdd && this.at === this.end - 1 && this.bytes[this.at] === CLOSE_BRACE;
  }

  /** Goes behind a text, if it comes next. */
  skips(text: Buffer): boolean {
    const { bytes, at } = this;
    if (at + text.length > this.end) return false;
    for (let index = 0; index < text.length; index += 1) if (bytes[at + index] !== text[index]) return false;
    this.at = at + text.length;
    return true;
  }

  /** A whole number without a leading zero. */
  number(): number {
    const { bytes, end } = this;
    const start = this.at;
    let number = 0;
    let at = start;
    for (; at < end; at += 1) {
      const digit = bytes[at] - DIGIT_ZERO;
      if (digit < 0 || digit > 9) break;
      number = 10 * number + digit;
    }
    const digits = at - start;
    if (digits === 0 || digits > MAX_DIGITS || (digits > 1 && bytes[start] === DIGIT_ZERO)) this.isOdd = true;
    this.at = at;
    return number;
  }

  /** JSON text of a text whose first quote has been skipped; of one without escapes. */
  name(): string {
    const { bytes, end } = this;
    const start = this.at - 1;
    let at = this.at;
    while (at < end && bytes[at] !== QUOTE && bytes[at] !== BACKSLASH && bytes[at] >= 0x20) at += 1;
    if (bytes[at] !== QUOTE) this.isOdd = true;
    this.at = at + 1;
    return bytes.toString('utf8', start, this.at);
  }

  /** A number with whatever JSON allows in it; undefined where it is none. */
  reward(): number | undefined {
    const { bytes, end } = this;
    const start = this.at;
    let at = start;
    while (at < end && bytes[at] !== COMMA && bytes[at] !== CLOSE_BRACE) at += 1;
    this.at = at;
    if (at === start + 1) return digitAt(bytes, start);
    const text = bytes.toString('latin1', start, at);
    return NUMBER.test(text) ? finite(Number(text)) : undefined;
  }
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

const digitAt = (bytes: Buffer, at: number): number | undefined => {
  const digit = bytes[at] - DIGIT_ZERO;
  return digit >= 0 && digit <= 9 ? digit : undefined;
};

const finite = (number: number): number | undefined => (Number.isFinite(number) ? number : undefined);

/** One for all lines: they are read one after the other. */
const READER = new Reader();
