/**
 * Checks that a text is JSON, completely, and notes where the values at some wanted paths lie. Nothing is made of it: a
 * row of which two strings are read costs little more than looking at its bytes.
 *
 * The wanted paths are a tree of nodes, which the caller writes into the memory. A node is eight numbers of 32 bits:
 *
 * | at | |
 * |---|---|
 * |  0 | address of its first child, a member of the object that is its value; 0: none |
 * |  4 | address of the next child of its parent; 0: none |
 * |  8 | address of its parent; 0: it is the root |
 * | 12 | address of its key: UTF-8, with room for whole pieces of 16 bytes |
 * | 16 | length of its key in bytes |
 * | 20 | written here: what kind of value it has, see below |
 * | 24 | written here: where the value starts; a string without its quotes |
 * | 28 | written here: where it ends |
 */

const FIRST_CHILD: usize = 0;
const NEXT_CHILD: usize = 4;
const PARENT: usize = 8;
const KEY: usize = 12;
const KEY_LENGTH: usize = 16;
const KIND: usize = 20;
const START: usize = 24;
const END: usize = 28;
const NODE_BYTES: usize = 32;

const ABSENT: u32 = 0;
const STRING: u32 = 1;
/** A string with escapes in it. */
const ESCAPED: u32 = 2;
/** A number, true, false or null. */
const SCALAR: u32 = 3;
const OBJECT: u32 = 4;
const ARRAY: u32 = 5;

/** What stands for an address where the text is not JSON. */
const BROKEN: usize = 0;

const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;
const COMMA: u32 = 0x2c;
const COLON: u32 = 0x3a;
const OPEN_BRACKET: u32 = 0x5b;
const CLOSE_BRACKET: u32 = 0x5d;
const OPEN_BRACE: u32 = 0x7b;
const CLOSE_BRACE: u32 = 0x7d;

/** Containers deeper than this are left to a parser. */
const MAX_DEPTH: u32 = 512;
/** The closing bracket that each open container needs. */
const CLOSINGS: usize = memory.data(513); // by depth, from 1

/** Whether the string that was skipped last has escapes. */
let escaped: bool = false;

/** The node of the value that comes next; 0 when nobody wants it. */
let wanted: usize = 0;

/**
 * Scans the text at [start, end). The 16 bytes behind it are looked at, and the first of them is written to and put
 * back: a byte that JSON has nowhere, so that every loop below ends there without asking where it is.
 *
 * @param root  the address of the root's node; the others follow it
 * @param nodesEnd  the address behind the last node
 * @returns whether it is JSON and the nodes are right; false also for what is left to a parser: a member of a wanted
 *   object whose key has escapes or comes again, and deep nesting
 */
export function scan(root: usize, nodesEnd: usize, start: usize, end: usize): bool {
  for (let node = root; node < nodesEnd; node += NODE_BYTES) store<u32>(node, ABSENT, KIND);
  const behind = load<u8>(end);
  store<u8>(end, 0);
  const last = skipRoot(root, start);
  const isWhole = last != BROKEN && skipSpace(last) == end;
  store<u8>(end, behind);
  return isWhole;
}

/** Skips the whole text; like all functions here that skip something, it returns the position behind, or BROKEN. */
function skipRoot(root: usize, start: usize): usize {
  let at = start;
  let depth: u32 = 0;
  // The innermost open container that has a node, and its depth. Containers on the way to it have one as well.
  let node: usize = 0;
  let nodeDepth: u32 = 0;
  wanted = root;
  while (true) {
    at = skipSpace(at);
    const first: u32 = load<u8>(at);
    if (first == OPEN_BRACE || first == OPEN_BRACKET) {
      depth += 1;
      if (depth > MAX_DEPTH) return BROKEN;
      if (wanted != 0) {
        note(wanted, first == OPEN_BRACE ? OBJECT : ARRAY, at);
        node = wanted;
        nodeDepth = depth;
        wanted = 0;
      }
      // In ASCII a closing bracket comes two behind its opening one.
      const closing = first + 2;
      store<u8>(CLOSINGS + depth, closing);
      at = skipSpace(at + 1);
      if (load<u8>(at) != closing) {
        if (first == OPEN_BRACKET) continue;
        at = enterMember(at, depth == nodeDepth ? node : 0);
        if (at == BROKEN) return BROKEN;
        continue;
      }
    } else {
      at = skipPlain(at, first);
      if (at == BROKEN || depth == 0) return at;
      wanted = 0;
    }
    // Behind a value, or at the end of an empty container.
    while (true) {
      at = skipSpace(at);
      const next: u32 = load<u8>(at);
      const closing: u32 = load<u8>(CLOSINGS + depth);
      at += 1;
      if (next == COMMA) {
        if (closing == CLOSE_BRACKET) break;
        at = enterMember(skipSpace(at), depth == nodeDepth ? node : 0);
        if (at == BROKEN) return BROKEN;
        break;
      }
      if (next != closing) return BROKEN;
      if (depth == nodeDepth) {
        store<u32>(node, at, END);
        node = load<u32>(node, PARENT);
        nodeDepth -= 1;
      }
      depth -= 1;
      if (depth == 0) return at;
    }
  }
}

/** Skips the key and the colon of a member. If its object has a node, `parent`, the member's own becomes `wanted`. */
@inline
function enterMember(start: usize, parent: usize): usize {
  if (load<u8>(start) != QUOTE) return BROKEN;
  const keyStart = start + 1;
  const keyEnd = skipString(keyStart);
  if (keyEnd == BROKEN) return BROKEN;
  if (parent != 0) {
    const first = load<u32>(parent, FIRST_CHILD);
    if (first != 0) {
      if (escaped) return BROKEN;
      wanted = namedNode(first, keyStart, keyEnd - 1 - keyStart);
      if (wanted != 0 && load<u32>(wanted, KIND) != ABSENT) return BROKEN;
    }
  }
  const colon = skipSpace(keyEnd);
  return load<u8>(colon) == COLON ? colon + 1 : BROKEN;
}

/** The one of these siblings that has the key; 0 when none has. */
function namedNode(first: usize, key: usize, length: usize): usize {
  for (let node = first; node != 0; node = load<u32>(node, NEXT_CHILD)) {
    if (load<u32>(node, KEY_LENGTH) == <u32>length && isEqual(load<u32>(node, KEY), key, length)) return node;
  }
  return 0;
}

/** Whether the bytes at two addresses are the same; looks at 16 at a time. */
@inline
function isEqual(a: usize, b: usize, length: usize): bool {
  for (let done: usize = 0; done < length; done += 16) {
    const same = i8x16.bitmask(i8x16.eq(v128.load(a + done), v128.load(b + done)));
    const rest = length - done;
    const needed = rest >= 16 ? 0xffff : (1 << <i32>rest) - 1;
    if ((same & needed) != needed) return false;
  }
  return true;
}

@inline
function note(node: usize, kind: u32, start: usize): void {
  store<u32>(node, kind, KIND);
  store<u32>(node, start, START);
}

/** Skips a value that is no container. */
@inline
function skipPlain(start: usize, first: u32): usize {
  if (first == QUOTE) {
    const end = skipString(start + 1);
    if (wanted != 0) {
      note(wanted, escaped ? ESCAPED : STRING, start + 1);
      store<u32>(wanted, end - 1, END);
    }
    return end;
  }
  const end = skipScalar(start, first);
  if (wanted != 0) {
    note(wanted, SCALAR, start);
    store<u32>(wanted, end, END);
  }
  return end;
}

@inline
function skipSpace(start: usize): usize {
  let at = start;
  while (isSpace(load<u8>(at))) at += 1;
  return at;
}

@inline
function isSpace(byte: u32): bool {
  return byte <= 0x20 && (byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09);
}

/** Skips a string from behind its first quote to behind its last one. */
function skipString(start: usize): usize {
  let at = start;
  escaped = false;
  while (true) {
    let stops = stopsIn(at);
    while (stops == 0) {
      at += 16;
      stops = stopsIn(at);
    }
    at += ctz(stops);
    const byte: u32 = load<u8>(at);
    if (byte == QUOTE) return at + 1;
    if (byte != BACKSLASH) return BROKEN;
    escaped = true;
    // In some languages' texts one escape follows another.
    do {
      at = skipEscape(at + 1);
      if (at == BROKEN) return BROKEN;
    } while (load<u8>(at) == BACKSLASH);
  }
}

/** Which of the 16 bytes at `at` end a run of plain characters: quotes, backslashes and control characters. */
@inline
function stopsIn(at: usize): i32 {
  const bytes = v128.load(at);
  const quotes = i8x16.eq(bytes, i8x16.splat(0x22));
  const backslashes = i8x16.eq(bytes, i8x16.splat(0x5c));
  const controls = i8x16.le_u(bytes, i8x16.splat(0x1f));
  return i8x16.bitmask(v128.or(v128.or(quotes, backslashes), controls));
}

/** Skips an escape from behind its backslash. */
@inline
function skipEscape(start: usize): usize {
  const byte: u32 = load<u8>(start);
  if (byte == 0x75) {
    for (let at = start + 1; at <= start + 4; at += 1) if (!isHexDigit(load<u8>(at))) return BROKEN;
    return start + 5;
  }
  return isShortEscape(byte) ? start + 1 : BROKEN;
}

/** b f n r t, quotes, slashes and backslashes. */
@inline
function isShortEscape(byte: u32): bool {
  const letter = byte - 0x60;
  if (letter < 21) return ((0x144044 >> letter) & 1) != 0;
  return byte == QUOTE || byte == BACKSLASH || byte == 0x2f;
}

@inline
function isHexDigit(byte: u32): bool {
  return isDigit(byte) || (byte | 0x20) - 0x61 < 6;
}

@inline
function isDigit(byte: u32): bool {
  return byte - 0x30 < 10;
}

function skipScalar(start: usize, first: u32): usize {
  if (first == 0x74) return load<u32>(start) == 0x65757274 ? start + 4 : BROKEN; // true
  if (first == 0x66) return load<u32>(start + 1) == 0x65736c61 ? start + 5 : BROKEN; // f alse
  if (first == 0x6e) return load<u32>(start) == 0x6c6c756e ? start + 4 : BROKEN; // null
  return skipNumber(start);
}

function skipNumber(start: usize): usize {
  let at = start;
  if (load<u8>(at) == 0x2d) at += 1; // -
  if (load<u8>(at) == 0x30) {
    at += 1;
  } else {
    at = skipDigits(at);
    if (at == BROKEN) return BROKEN;
  }
  if (load<u8>(at) == 0x2e) { // .
    at = skipDigits(at + 1);
    if (at == BROKEN) return BROKEN;
  }
  if ((load<u8>(at) | 0x20) == 0x65) { // e E
    at += 1;
    const sign: u32 = load<u8>(at);
    if (sign == 0x2b || sign == 0x2d) at += 1; // + -
    at = skipDigits(at);
  }
  return at;
}

/** Skips one digit or more. */
@inline
function skipDigits(start: usize): usize {
  let at = start;
  while (isDigit(load<u8>(at))) at += 1;
  return at > start ? at : BROKEN;
}

/**
 * Writes what the string at [start, end) says to `target`; up to 16 bytes more than that are written. For strings that
 * {@link scan} has accepted.
 *
 * @returns the position behind what was written; 0 when a character that is not ASCII is escaped, which is left to a
 *   parser
 */
export function unescape(start: usize, end: usize, target: usize): usize {
  let at = start;
  let to = target;
  while (at < end) {
    const bytes = v128.load(at);
    v128.store(to, bytes);
    const backslashes = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(0x5c)));
    const plain = min<usize>(backslashes == 0 ? 16 : ctz(backslashes), end - at);
    at += plain;
    to += plain;
    if (backslashes == 0 || at == end) continue;
    const byte: u32 = load<u8>(at + 1);
    if (byte == 0x75) {
      const code = asciiEscape(at + 2);
      if (code > 0x7f) return BROKEN;
      store<u8>(to, code);
      at += 6;
    } else {
      store<u8>(to, escapedByte(byte));
      at += 2;
    }
    to += 1;
  }
  return to;
}

/** The character that four hexadecimal digits say; any number above 0x7f when it is not ASCII. */
@inline
function asciiEscape(at: usize): u32 {
  if (load<u16>(at) != 0x3030) return 0x80; // 00
  return (hexDigit(load<u8>(at + 2)) << 4) | hexDigit(load<u8>(at + 3));
}

@inline
function hexDigit(byte: u32): u32 {
  return isDigit(byte) ? byte - 0x30 : (byte | 0x20) - 0x57;
}

/** What the letter behind a backslash stands for; quotes, slashes and backslashes stand for themselves. */
@inline
function escapedByte(letter: u32): u32 {
  switch (letter) {
    case 0x62:
      return 0x08; // b
    case 0x66:
      return 0x0c; // f
    case 0x6e:
      return 0x0a; // n
    case 0x72:
      return 0x0d; // r
    case 0x74:
      return 0x09; // t
    default:
      return letter;
  }
}
