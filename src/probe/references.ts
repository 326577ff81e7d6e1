import type { Row } from '../contract.js';
import { promptOf, valueOf } from '../dataset/row-text.js';
import type { PathSegment } from '../errors.js';
import type { RowReader } from './row-edit.js';
import { TextCounts } from './text-counts.js';

/** Where to look for the prompt and the references; each is found where nothing is said. */
export interface ReferenceOptions {
  /** The prompt: in the item, unless it starts with `sample`. */
  readonly prompt?: readonly PathSegment[];
  /** Reference texts: in the item, unless they start with `item` or `sample`. */
  readonly references?: readonly (readonly PathSegment[])[];
  /** Fields that are no references whatever they are called, such as a label. */
  readonly others?: readonly (readonly PathSegment[])[];
}

/** What fields with reference answers are called. */
const REFERENCE_NAME =
  /answer|reference|solution|target|expected|label|gold|truth|correct|completion|output/i;

/** Longer texts of fields with other names are taken for documents. */
const MAX_LENGTH = 200;

/**
 * The reference texts of a row: what the grader's templates read of the item; where it does not say what it reads, the
 * texts and numbers of the item whose names say that they are answers, or else its short texts. The prompt is none.
 *
 * @returns each text once, in the order of the templates or the item
 */
export const referencesOf = (
  row: Row,
  grader: RowReader,
  options: ReferenceOptions = {},
): readonly string[] => {
  const { references } = options;
  if (references !== undefined) return distinct(references.flatMap((path) => textsIn(row, path)));
  const prompt = promptOf(row, options.prompt)?.field.replace(/^item\./, '');
  const named = (grader.variables ?? []).filter(
    ({ namespace, path }) => namespace === 'item' && path.length > 0 && path.join('.') !== prompt,
  );
  const read = distinct(named.flatMap(({ path }) => textsIn(row, ['item', ...path])));
  if (grader.variables !== undefined && grader.readsJson !== true) return read;
  return distinct([...read, ...likelyReferences(row, prompt, options.others ?? [])]);
};

const likelyReferences = (
  row: Row,
  prompt: string | undefined,
  others: readonly (readonly PathSegment[])[],
): readonly string[] => {
  const left = new Set([
    prompt,
    ...others.map((path) => (path[0] === 'item' ? path.slice(1) : path).join('.')),
  ]);
  const names = Object.keys(row.item).filter((name) => !left.has(name));
  const answers = textsAt(
    row,
    names.filter((name) => REFERENCE_NAME.test(name)),
  );
  if (answers.length > 0) return answers;
  const texts = names.filter((name) => typeof row.item[name] === 'string');
  return textsAt(row, texts).filter((text) => text.length <= MAX_LENGTH);
};

const textsAt = (row: Row, names: readonly string[]): readonly string[] =>
  distinct(names.flatMap((name) => textsIn(row, ['item', name])));

/** A text or a number, as a template has it, or those of a list; of an object, nothing. */
const textsIn = (row: Row, path: readonly PathSegment[]): readonly string[] => {
  const value = valueOf(row, path);
  if (Array.isArray(value)) return value.flatMap((_, index) => textsIn(row, [...path, index]));
  if (typeof value === 'string') return [value];
  if (typeof value !== 'number') return [];
  const [first, ...rest] = path;
  const written =
    first === 'item' || first === 'sample' ? row.sourceText?.(first, rest) : row.sourceText?.('item', path);
  return [written ?? String(value)];
};

const distinct = (texts: readonly string[]): readonly string[] => [
  ...new Set(texts.filter((text) => text !== '')),
];

/** Longer references are no short answers. */
const MAX_SHORT = 80;

/** The short references of a dataset, by how often they occur. */
export class KnownReferences {
  private readonly counts = new TextCounts();

  constructor(
    private readonly grader: RowReader,
    private readonly options: ReferenceOptions,
  ) {}

  add(row: Row): void {
    for (const reference of referencesOf(row, this.grader, this.options))
      if (reference.length <= MAX_SHORT) this.counts.add(reference);
  }

  /** Each once, the most frequent first. */
  get texts(): readonly string[] {
    return this.counts.most(this.counts.size);
  }
}
