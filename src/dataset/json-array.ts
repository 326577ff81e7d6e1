import { BlockBuilder } from './block-builder.js';
import { BYTE_ORDER_MARK, MAX_LINE_BYTES, NEWLINE, type Chunk, type LineBlock } from './jsonl.js';

/**
 * The elements of a JSON array as rows, each on one line; or the values of a file that has one after the other, such as
 * a single object over many lines.
 *
 * The text is cut at its commas and brackets and not parsed: an element that is not valid JSON becomes a broken line of
 * its own. Of the file, no more than an element is held. Line breaks between the tokens of an element become spaces. A
 * comma with nothing behind it, a `]` that is missing and text behind the array are failed rows, too.
 *
 * @param chunks  the text of the file
 * @param maxBytes  a longer element becomes a failed row
 */
export async function* jsonBlocks(
  chunks: AsyncIterable<Chunk>,
  maxBytes: number = MAX_LINE_BYTES,
): AsyncGenerator<LineBlock, void, undefined> {
  const scanner = new ElementScanner(maxBytes);
  let position = 0;
  for await (const { memory, start, end } of chunks) {
    let from = start;
    if (position === 0 && memory.subarray(start, start + 3).equals(BYTE_ORDER_MARK)) from += 3;
    position += end - start;
    while (from < end) {
      from = scanner.scan(memory, from, end);
      if (scanner.rows.isFull) yield scanner.rows.take(position);
    }
  }
  scanner.finish();
  if (!scanner.rows.isEmpty) yield scanner.rows.take(position);
}

/** What a byte outside of strings can mean. */
const SPACE = 1;
const BREAK = 2;
const TEXT = 3;
const OPEN = 4;
const CLOSE = 5;
const COMMA = 6;

const MEANING = new Uint8Array(256);
for (const [characters, meaning] of [
  [' \t\r', SPACE],
  ['\n', BREAK],
  ['"', TEXT],
  ['[{', OPEN],
  [']}', CLOSE],
  [',', COMMA],
] as const)
  for (const character of characters) MEANING[character.charCodeAt(0)] = meaning;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const BLANK = 0x20;

/** How much of what follows the array a failed row shows. */
const SHOWN_BYTES = 200;

class ElementScanner {
  readonly rows = new BlockBuilder();
  /** Whether the file is an array, and not values one after the other; undefined before its first character. */
  private isArray: boolean | undefined;
  private place: 'between' | 'inside' | 'behind' | 'over' = 'between';
  private afterComma = false;
  private line = 1;
  private elementLine = 1;
  /** How many brackets of the element are open. */
  private depth = 0;
  private inString = false;
  private escaped = false;
  private hasBreak = false;
  private breakInString = false;
  private tooLong = false;

  constructor(private readonly maxBytes: number) {}

  /** Reads on to the end of an element or of the bytes; returns where it stopped. */
  scan(memory: Buffer, from: number, end: number): number {
    if (this.place === 'inside') return this.scanElement(memory, from, end);
    const at = this.skipSpace(memory, from, end);
    if (at === end || this.place === 'over') return end;
    if (this.place === 'behind') return this.textBehind(memory, at, end);
    const byte = memory[at];
    if (this.isArray === undefined) {
      this.isArray = byte === OPEN_ARRAY;
      if (this.isArray) return at + 1;
    }
    if (this.isArray && (byte === CLOSE_ARRAY || MEANING[byte] === COMMA)) return this.endSlot(byte, at);
    this.place = 'inside';
    this.elementLine = this.line;
    return this.scanElement(memory, at, end);
  }

  /** Adds what is left at the end of the file. */
  finish(): void {
    if (this.place === 'inside') {
      if (this.depth > 0 || this.inString) {
        this.endElement('the file ends in the middle of this element');
        return;
      }
      this.endElement();
    }
    if (this.isArray === true && this.place === 'between')
      this.rows.addRow('null', this.line, 'the file ends and the array is not closed: "]" is missing');
  }

  private skipSpace(memory: Buffer, from: number, end: number): number {
    let at = from;
    for (; at < end; at += 1) {
      const meaning = MEANING[memory[at]];
      if (meaning === BREAK) this.line += 1;
      else if (meaning !== SPACE) break;
    }
    return at;
  }

  /** A comma or the array's end where an element could stand. */
  private endSlot(byte: number, at: number): number {
    if (byte !== CLOSE_ARRAY || this.afterComma)
      this.rows.addRow('null', this.line, `expected an element in front of "${String.fromCharCode(byte)}"`);
    this.leave(byte);
    return at + 1;
  }

  /** Goes on behind the comma or bracket that ends an element of the array. */
  private leave(byte: number): void {
    this.afterComma = byte !== CLOSE_ARRAY;
    if (byte === CLOSE_ARRAY) this.place = 'behind';
  }

  private textBehind(memory: Buffer, at: number, end: number): number {
    const text = memory.toString('utf8', at, Math.min(end, at + SHOWN_BYTES));
    this.rows.addRow(JSON.stringify(text), this.line, 'text behind the end of the array');
    this.place = 'over';
    return end;
  }

  private scanElement(memory: Buffer, from: number, end: number): number {
    let at = from;
    for (; at < end; at += 1) {
      if (this.inString) {
        at = this.skipString(memory, at, end);
        if (at === end) break;
      }
      const meaning = MEANING[memory[at]];
      // Letters, digits and punctuation, which are most of what is outside of strings.
      if (meaning === 0) continue;
      if (meaning === TEXT) this.inString = !this.inString;
      else if (meaning === OPEN) this.depth += 1;
      else if (meaning === CLOSE && this.depth > 0) {
        this.depth -= 1;
        if (this.depth === 0 && !this.isArray) return this.cut(memory, from, at + 1);
      } else if (this.depth === 0 && this.endsElement(memory[at], meaning)) {
        this.cut(memory, from, at);
        if (!this.isArray) return at;
        this.leave(memory[at]);
        return at + 1;
      }
      if (meaning === BREAK) this.addBreak();
    }
    this.keep(memory.subarray(from, at));
    return at;
  }

  /** Whether a character that is in no bracket ends the element. */
  private endsElement(byte: number, meaning: number): boolean {
    if (this.isArray) return meaning === COMMA || byte === CLOSE_ARRAY;
    return meaning === SPACE || meaning === BREAK;
  }

  /** Goes to the quote that ends the string. */
  private skipString(memory: Buffer, from: number, end: number): number {
    let at = from;
    if (this.escaped) {
      this.escaped = false;
      at += 1;
    }
    for (; at < end; at += 1) {
      const byte = memory[at];
      if (byte === QUOTE) return at;
      if (byte === BACKSLASH) at += 1;
      else if (byte === NEWLINE) {
        this.addBreak();
        this.breakInString = true;
      }
    }
    this.escaped = at > end;
    return end;
  }

  private addBreak(): void {
    this.line += 1;
    this.hasBreak = true;
  }

  private keep(bytes: Buffer): void {
    if (this.tooLong || this.rows.rowBytes + bytes.length > this.maxBytes) {
      this.tooLong = true;
      this.rows.dropRow();
    } else this.rows.append(bytes);
  }

  private cut(memory: Buffer, from: number, to: number): number {
    this.keep(memory.subarray(from, to));
    this.endElement();
    return to;
  }

  private endElement(cutOff?: string): void {
    const { rows, elementLine } = this;
    const problem = this.tooLong ? 'the element is too long to be a row' : (cutOff ?? this.breakProblem);
    if (problem !== undefined) {
      const json = this.tooLong ? 'null' : JSON.stringify(rows.row.toString());
      rows.dropRow();
      rows.addRow(json, elementLine, problem);
    } else {
      if (this.hasBreak) breaksToSpaces(rows.row);
      rows.endRow(elementLine);
    }
    this.place = 'between';
    this.afterComma = false;
    this.depth = 0;
    this.inString = this.escaped = this.hasBreak = this.breakInString = this.tooLong = false;
  }

  private get breakProblem(): string | undefined {
    return this.breakInString ? 'a line break inside a text, which JSON writes as \\n' : undefined;
  }
}

/** Outside of strings, where a line break means no more than a space does. */
const breaksToSpaces = (row: Buffer): void => {
  for (let at = row.indexOf(NEWLINE); at !== -1; at = row.indexOf(NEWLINE, at + 1)) row[at] = BLANK;
};
