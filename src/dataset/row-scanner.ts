import type { JsonObject, Namespace, Row, RowJson, TemplateVariable } from '../contract.js';
import type { PathSegment } from '../errors.js';
import { compileKernel } from '../kernels/kernel.js';
import { WASM } from '../kernels/row.wasm.js';
import { parseRow, type RowShape } from './row.js';

/** What a {@link RowScanner} looks for. */
export interface RowScannerOptions {
  /** The variables whose texts are wanted: the very objects that a row's `textOf` will be asked about. */
  readonly variables: readonly TemplateVariable[];
  /** Whether rows will be asked for their JSON. */
  readonly readsJson?: boolean;
  /** As for {@link parseRow}. */
  readonly missingSample?: RowShape['missingSample'];
  /**
   * Keys from the root of the line to values that a row may have or not: `['item', 'tools']`. What the row that was scanned
   * last has there can be asked for by their number.
   */
  readonly marks?: readonly (readonly string[])[];
}

/** Bytes that lie somewhere: a subarray without the cost of one. */
export interface ByteRange {
  view: DataView;
  start: number;
  end: number;
}

/** All bytes of a buffer. */
export const rangeOf = ({ buffer, byteOffset, length }: Buffer): ByteRange => ({
  view: new DataView(buffer),
  start: byteOffset,
  end: byteOffset + length,
});

/** What a mark has in a row. */
export type MarkKind = 'absent' | 'text' | 'scalar' | 'object' | 'list';

/**
 * Reads the texts of variables from rows of JSON without parsing them: WebAssembly checks a row's text and finds the
 * values, and only they become strings.
 *
 * A row that comes out is in every respect the one that {@link parseRow} makes. For whatever is unusual nothing comes
 * out, and the row has to be parsed: text that is not JSON; a value that is missing, or lies in a list or in JSON inside
 * a text; a key on the way to a value that has escapes or comes twice; a dump of another API as the sample; several samples.
 */
export class RowScanner {
  /** Which text of a row is a variable's. */
  private readonly slots: ReadonlyMap<TemplateVariable, number>;
  private readonly tree = new PathTree();
  private readonly root = this.tree.add([]);
  private readonly item = this.tree.add(['item']);
  private readonly sample = this.tree.add(['sample']);
  private readonly outputText = this.tree.add(['sample', 'output_text']);
  private readonly output = this.tree.add(['sample', 'output']);
  private readonly choices = this.tree.add(['sample', 'choices']);
  private readonly samples = this.tree.add(['samples']);
  private readonly json: ScannedJson | undefined;
  private readonly marks: readonly number[];
  private readonly needsSample: boolean;
  /** Undefined when there is a variable whose value is never found. */
  private readonly places: Places | undefined;
  private readonly scratchStart: number;
  private readonly blockStart: number;
  private kernel: RowKernel | undefined;
  /** All memory of the kernel, as bytes and as numbers. */
  private bytes = Buffer.alloc(0) as Bytes;
  private numbers = new Uint32Array(0);
  private view = new DataView(new ArrayBuffer(0));
  private readonly range: ByteRange = { view: this.view, start: 0, end: 0 };
  /** Where the open block starts in the memory, and whether it is ASCII. */
  private base = 0;
  private ascii = false;
  /** How many rows have been left to the parser since the last one that was not. */
  private misses = 0;

  constructor({ variables, readsJson = false, missingSample = 'fail', marks = [] }: RowScannerOptions) {
    if (readsJson) this.json = new ScannedJson(this.tree, (node) => this.textAt(node) ?? '');
    const distinct = new Map(variables.map((variable) => [keyOf(variable), variable]));
    const keys = [...distinct.keys()];
    this.slots = new Map(variables.map((variable) => [variable, keys.indexOf(keyOf(variable))]));
    this.needsSample = missingSample === 'empty' || variables.some(({ namespace }) => namespace === 'sample');
    this.marks = marks.map((path) => this.tree.add(path));
    if (variables.every(isScannable)) this.places = this.plan([...distinct.values()]);
    this.scratchStart = TREE_START + this.tree.byteLength;
    this.blockStart = this.scratchStart + SCRATCH_BYTES;
  }

  /** Memory to read a block into, whose rows are then scanned without a copy. What earlier calls gave is gone. */
  memory(length: number): Buffer {
    this.reserve(this.blockStart + length + MARGIN);
    return this.bytes.subarray(this.blockStart, this.blockStart + length);
  }

  /**
   * Goes on with the rows of the next block. It is copied unless it lies in the scanner's memory.
   *
   * @param block  valid UTF-8, at least where rows are scanned
   * @param ascii  whether all of it is ASCII
   */
  open(block: Buffer, ascii: boolean): void {
    this.ascii = ascii;
    this.misses = 0;
    if (this.places === undefined) return;
    if (block.buffer === this.bytes.buffer) {
      this.base = block.byteOffset;
    } else {
      this.memory(block.length).set(block);
      this.base = this.blockStart;
    }
  }

  /**
   * The row whose JSON text is at [start, end) of the open block; undefined when it has to be parsed. Valid until
   * `open` or `memory` is called.
   *
   * @param index  its number in the dataset
   */
  scan(start: number, end: number, index?: number): Row | undefined {
    if (this.misses === MAX_MISSES) return undefined;
    const from = this.base + start;
    const to = this.base + end;
    const texts = this.readTexts(from, to);
    if (texts === undefined) {
      this.misses += 1;
      return undefined;
    }
    this.misses = 0;
    const json = this.json?.read(this.bytes, this.numbers);
    return new ScannedRow(index, texts, json, this.slots, this.parse, from, to);
  }

  /**
   * Looks for the marks alone, whatever kind of row it is. False for text that is not JSON, and for a row that is better
   * parsed.
   */
  scanMarks(start: number, end: number): boolean {
    const { places, kernel, tree, base } = this;
    if (places === undefined || kernel === undefined) return false;
    return kernel.scan(TREE_START, tree.nodesEnd, base + start, base + end) !== 0;
  }

  /** What there is at a mark of the row that was scanned last. */
  markKind(mark: number): MarkKind {
    return MARK_KINDS[this.kindOf(this.marks[mark])];
  }

  /** The JSON text at a mark of the row that was scanned last; undefined where there is none. */
  markJson(mark: number): string | undefined {
    const { start, end } = this.markBytes(mark);
    return start === end ? undefined : this.decode(start, end);
  }

  /** The same as bytes, none where there is no value; valid until anything else is asked for. */
  markBytes(mark: number): ByteRange {
    const { numbers, range } = this;
    const node = this.marks[mark];
    const kind = this.kindOf(node);
    const quote = kind === STRING || kind === ESCAPED ? 1 : 0;
    range.view = this.view;
    range.start = kind === ABSENT ? 0 : numbers[node + START] - quote;
    range.end = kind === ABSENT ? 0 : numbers[node + END] + quote;
    return range;
  }

  /** What the text at a mark of the row that was scanned last says, in UTF-8; valid until anything else is asked for. */
  markText(mark: number): ByteRange {
    const { numbers, range, kernel, scratchStart } = this;
    const node = this.marks[mark];
    const [start, end] = [numbers[node + START], numbers[node + END]];
    range.view = this.view;
    range.start = start;
    range.end = end;
    if (this.kindOf(node) !== ESCAPED) return range;
    const isShort = end - start <= SCRATCH_BYTES - MARGIN;
    const scratchEnd = isShort && kernel !== undefined ? kernel.unescape(start, end, scratchStart) : 0;
    if (scratchEnd === 0) return rangeOf(Buffer.from(JSON.parse(this.decode(start - 1, end + 1)) as string));
    range.start = scratchStart;
    range.end = scratchEnd;
    return range;
  }

  /** The texts of all slots; undefined when the row or one of them is not as it has to be. */
  private readTexts(start: number, end: number): readonly string[] | undefined {
    const { places, kernel, tree } = this;
    if (places === undefined || kernel === undefined) return undefined;
    if (kernel.scan(TREE_START, tree.nodesEnd, start, end) === 0) return undefined;
    const nodes = this.nodesOf(places);
    if (nodes === undefined) return undefined;
    if (nodes.length === 0) return NO_TEXTS;
    const texts = nodes.map((node) => this.textAt(node));
    return texts.every((text) => text !== undefined) ? texts : undefined;
  }

  /** The nodes of the slots in the row that was scanned; undefined when it is better parsed. */
  private nodesOf({ wrapped, flat }: Places): readonly number[] | undefined {
    if (this.kindOf(this.root) !== OBJECT || this.kindOf(this.samples) !== ABSENT) return undefined;
    const { object, text } = this.kindOf(this.item) === OBJECT ? wrapped : flat;
    switch (this.kindOf(this.sample)) {
      case STRING:
      case ESCAPED:
        return text;
      case OBJECT:
        return this.isPlainSample() ? object : undefined;
      case ABSENT:
        return this.needsSample ? undefined : object;
      default:
        return undefined;
    }
  }

  /** Whether the fields of the sample are those of the object, and not put together from another API's. */
  private isPlainSample(): boolean {
    const outputText = this.kindOf(this.outputText);
    const hasText = outputText === STRING || outputText === ESCAPED;
    return this.kindOf(this.output) === ABSENT && (hasText || this.kindOf(this.choices) === ABSENT);
  }

  private kindOf(node: number): number {
    return this.numbers[node + KIND];
  }

  private textAt(node: number): string | undefined {
    const { numbers } = this;
    const kind = numbers[node + KIND];
    if (kind === ABSENT) return undefined;
    const start = numbers[node + START];
    const end = numbers[node + END];
    return kind === ESCAPED ? this.unescape(start, end) : this.decode(start, end);
  }

  private unescape(start: number, end: number): string {
    const { kernel, scratchStart } = this;
    const isShort = end - start <= SCRATCH_BYTES - MARGIN;
    const scratchEnd = isShort && kernel !== undefined ? kernel.unescape(start, end, scratchStart) : 0;
    if (scratchEnd !== 0) return this.decode(scratchStart, scratchEnd);
    return JSON.parse(this.decode(start - 1, end + 1)) as string;
  }

  private decode(start: number, end: number): string {
    return this.ascii ? this.bytes.latin1Slice(start, end) : this.bytes.utf8Slice(start, end);
  }

  private readonly parse = (start: number, end: number): Row => parseRow(this.decode(start, end));

  /** Sees to memory of at least so many bytes. What a long block needed is not kept for shorter ones. */
  private reserve(length: number): void {
    const available = this.bytes.length;
    const isFar = available > KEPT_BYTES && length <= KEPT_BYTES;
    if (length <= available && !isFar) return;
    if (this.kernel === undefined || isFar) this.kernel = startKernel();
    const { memory } = this.kernel;
    memory.grow(Math.max(0, Math.ceil((length - memory.buffer.byteLength) / PAGE_BYTES)));
    this.bytes = Buffer.from(memory.buffer) as Bytes;
    this.numbers = new Uint32Array(memory.buffer);
    this.view = new DataView(memory.buffer);
    this.tree.write(this.bytes, this.numbers);
  }

  /** Adds the paths of the variables to the tree, and says where their values are in rows of every layout. */
  private plan(variables: readonly TemplateVariable[]): Places {
    const inItem = (path: readonly string[]) => (variable: TemplateVariable) =>
      this.tree.add([...path, ...variable.path.map(String)]);
    const inSample = inItem(['sample']);
    // Nothing is in a sample that is a text: the node of its `output_text` is as empty as all others.
    const inText = (variable: TemplateVariable) => {
      if (variable.path.length === 0) return this.outputText;
      return keyOf(variable) === OUTPUT_TEXT ? this.sample : inSample(variable);
    };
    const nodes = (item: NodeOf, sample: NodeOf) =>
      variables.map((variable) => (variable.namespace === 'item' ? item : sample)(variable));
    const wrapped = inItem(['item']);
    const flat = inItem([]);
    return {
      wrapped: { object: nodes(wrapped, inSample), text: nodes(wrapped, inText) },
      flat: { object: nodes(flat, inSample), text: nodes(flat, inText) },
    };
  }
}

const NO_TEXTS: readonly string[] = [];

type NodeOf = (variable: TemplateVariable) => number;

/**
 * The node of each slot's value: `item` is an object of its own or (flat) the row itself, and the sample is an object
 * or a text. Where there is no sample, nobody asks for what is in it.
 */
interface Places {
  readonly wrapped: { readonly object: readonly number[]; readonly text: readonly number[] };
  readonly flat: { readonly object: readonly number[]; readonly text: readonly number[] };
}

const keyOf = ({ namespace, path }: Pick<TemplateVariable, 'namespace' | 'path'>): string =>
  JSON.stringify([namespace, ...path]);

const OUTPUT_TEXT = keyOf({ namespace: 'sample', path: ['output_text'] });

/** The kernel counts no elements of lists, and compares keys as UTF-8, which not every key can be written in. */
const isScannable = ({ path }: TemplateVariable): boolean =>
  path.every((segment) => typeof segment === 'string' && Buffer.from(segment).toString() === segment);

/** A row that knows the texts of some variables, and is only parsed when it is asked for anything else. */
class ScannedRow implements Row {
  private parsed: Row | undefined;

  constructor(
    readonly index: number | undefined,
    private readonly texts: readonly string[],
    private readonly spans: RowJson | undefined,
    private readonly slots: ReadonlyMap<TemplateVariable, number>,
    private readonly parse: (start: number, end: number) => Row,
    private readonly start: number,
    private readonly end: number,
  ) {}

  textOf(variable: TemplateVariable): string | undefined {
    const slot = this.slots.get(variable);
    return slot === undefined ? undefined : this.texts[slot];
  }

  json(): RowJson | undefined {
    return this.spans;
  }

  get item(): JsonObject {
    return this.row.item;
  }

  get sample(): JsonObject | undefined {
    return this.row.sample;
  }

  sourceText(namespace: Namespace, path: readonly PathSegment[]): string | undefined {
    return this.row.sourceText?.(namespace, path);
  }

  private get row(): Row {
    this.parsed ??= this.parse(this.start, this.end);
    return this.parsed;
  }
}

/** Where the JSON of the row that was scanned last lies. One object for all rows: they are handed on one by one. */
class ScannedJson implements RowJson {
  bytes = Buffer.alloc(0);
  itemStart = 0;
  itemEnd = 0;
  sampleKind: RowJson['sampleKind'];
  sampleStart = 0;
  sampleEnd = 0;
  hasOutputText = false;
  hasOutputTools = false;
  hasChoices = false;
  hasOutputJson = false;
  outputTextStart: number | undefined;
  private readonly root: number;
  private readonly item: number;
  private readonly sample: number;
  private readonly text: number;
  private readonly tools: number;
  private readonly choices: number;
  private readonly parsed: number;
  private textNode = 0;

  constructor(
    tree: PathTree,
    private readonly textAt: (node: number) => string,
  ) {
    this.root = tree.add([]);
    this.item = tree.add(['item']);
    this.sample = tree.add(['sample']);
    const field = (name: string) => tree.add(['sample', name]);
    this.text = field('output_text');
    this.tools = field('output_tools');
    this.choices = field('choices');
    this.parsed = field('output_json');
  }

  /** Undefined when a field is not of the kind that graders expect, and has to be put right. */
  read(bytes: Buffer, numbers: Uint32Array): this | undefined {
    this.bytes = bytes as Buffer<ArrayBuffer>;
    const { root, sample, text, tools, choices, parsed } = this;
    const item = numbers[this.item + KIND] === OBJECT ? this.item : root;
    this.itemStart = numbers[item + START];
    this.itemEnd = numbers[item + END];
    const kind = numbers[sample + KIND];
    this.sampleStart = kind === ABSENT ? 0 : numbers[sample + START];
    this.sampleEnd = kind === ABSENT ? 0 : numbers[sample + END];
    this.sampleKind = kind === ABSENT ? undefined : kind === OBJECT ? 'object' : 'text';
    const isObject = kind === OBJECT;
    const textKind = numbers[text + KIND];
    const toolsKind = numbers[tools + KIND];
    const choicesKind = numbers[choices + KIND];
    this.hasOutputText = isObject && (textKind === STRING || textKind === ESCAPED);
    this.hasOutputTools = isObject && toolsKind === ARRAY;
    this.hasChoices = isObject && choicesKind === ARRAY;
    this.hasOutputJson = isObject && numbers[parsed + KIND] !== ABSENT;
    this.textNode = isObject ? text : sample;
    this.outputTextStart =
      this.hasOutputText || this.sampleKind === 'text' ? numbers[this.textNode + START] : undefined;
    const isUsual =
      !isObject ||
      ((this.hasOutputText || textKind === ABSENT) &&
        (this.hasOutputTools || toolsKind === ABSENT) &&
        (this.hasChoices || choicesKind === ABSENT));
    return isUsual ? this : undefined;
  }

  outputText(): string {
    return this.textAt(this.textNode);
  }
}

// The kernel and its memory, see kernels/assembly/row.ts: its own, the tree, the scratch, the block, a margin.

/** With what `toString` comes to after some steps of its own, which cost as much as a short text does. */
interface Bytes extends Buffer<ArrayBuffer> {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
}

interface RowKernel {
  readonly memory: WebAssembly.Memory;
  scan(root: number, nodesEnd: number, start: number, end: number): number;
  unescape(start: number, end: number, target: number): number;
}

let start: (() => WebAssembly.Exports) | undefined;

const startKernel = (): RowKernel => {
  start ??= compileKernel(WASM);
  return start() as unknown as RowKernel;
};

const PAGE_BYTES = 1 << 16;
const TREE_START = 4096;
/** Room for a string to be unescaped in. */
const SCRATCH_BYTES = 1 << 16;
/** The kernel reads and writes whole pieces of 16 bytes. */
const MARGIN = 16;
/** Memory above this is given up after the long block that needed it. */
const KEPT_BYTES = 8 << 20;
/** After so many rows in a row that had to be parsed, the rest of a block is not looked at. */
const MAX_MISSES = 50;

/** Kinds of values; the kernel has more. */
const ABSENT = 0;
const STRING = 1;
const ESCAPED = 2;
const OBJECT = 4;
const ARRAY = 5;
/** By kind. */
const MARK_KINDS = ['absent', 'text', 'text', 'scalar', 'object', 'list'] as const satisfies MarkKind[];

/** A node's numbers, and where the kernel writes what it has found. */
const NODE_NUMBERS = 8;
const NODE_BYTES = NODE_NUMBERS * Uint32Array.BYTES_PER_ELEMENT;
const KIND = 5;
const START = 6;
const END = 7;

interface PathNode {
  readonly key: Buffer;
  readonly parent: PathNode | undefined;
  readonly children: PathNode[];
  /** Where it lies in the memory. */
  readonly address: number;
}

/** The paths to wanted values, as the tree of nodes that the kernel works with. */
class PathTree {
  private readonly nodes: PathNode[] = [];
  private keyBytes = 0;

  constructor() {
    this.addNode('', undefined);
  }

  /** Adds a path of keys from the root; returns the index of its node's first number in the memory. */
  add(path: readonly string[]): number {
    let [node] = this.nodes;
    for (const name of path) {
      const key = Buffer.from(name);
      node = node.children.find((child) => child.key.equals(key)) ?? this.addNode(name, node);
    }
    return node.address / Uint32Array.BYTES_PER_ELEMENT;
  }

  get nodesEnd(): number {
    return TREE_START + this.nodes.length * NODE_BYTES;
  }

  /** How much memory the tree needs from `TREE_START`, with the keys behind the nodes. */
  get byteLength(): number {
    return this.nodes.length * NODE_BYTES + this.keyBytes;
  }

  /** Writes the tree into the memory, which is given as bytes and as numbers. */
  write(bytes: Buffer, numbers: Uint32Array): void {
    let keyStart = this.nodesEnd;
    for (const { key, parent, children, address } of this.nodes) {
      const siblings = parent?.children ?? [];
      const next = siblings[siblings.findIndex((sibling) => sibling.address === address) + 1];
      const links = [children.at(0), next, parent].map((node) => node?.address ?? 0);
      numbers.set([...links, keyStart, key.length], address / Uint32Array.BYTES_PER_ELEMENT);
      bytes.set(key, keyStart);
      keyStart += wholePieces(key.length);
    }
  }

  private addNode(name: string, parent: PathNode | undefined): PathNode {
    const key = Buffer.from(name);
    const node: PathNode = { key, parent, children: [], address: this.nodesEnd };
    parent?.children.push(node);
    this.nodes.push(node);
    this.keyBytes += wholePieces(key.length);
    return node;
  }
}

const wholePieces = (length: number): number => Math.ceil(length / MARGIN) * MARGIN;
