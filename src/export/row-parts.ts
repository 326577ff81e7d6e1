import type { JsonObject, Row } from '../contract.js';
import type { ByteRange } from '../dataset/row-scanner.js';
import type { RowShape } from '../dataset/row.js';
import type { PathSegment } from '../errors.js';
import type { GroupNames } from '../run/group-names.js';
import type { Failed } from '../score.js';

/**
 * The parts of a row that training files are made of, as the JSON texts that the dataset has. Valid until the next row is
 * read.
 */
export interface RowParts {
  /** For names of groups. */
  readonly row: Row;
  /** The number of the field with the prompt, a text or a list of messages; -1 where there is none. */
  findPrompt(): number;
  /** Whether a prompt that was found is a text. */
  isText(field: number): boolean;
  /** JSON text of a prompt that was found. */
  promptJson(field: number): string;
  /** The same as bytes. */
  promptBytes(field: number): ByteRange;
  /** The messages of a prompt that was found. */
  messages(field: number): readonly JsonObject[];
  /** What the answer says, in UTF-8; undefined for a sample without a text. */
  answerBytes(): ByteRange | undefined;
  /** JSON text of the answer. */
  answerJson(): string | undefined;
  /** JSON text of the sample's `output_tools`; undefined where it has none. */
  callsJson(): string | undefined;
  /** JSON text of the item's `tools`; undefined where it has none. */
  toolsJson(): string | undefined;
  /** JSON text of the item's `parallel_tool_calls`. */
  parallelJson(): string | undefined;
  /** JSON texts of the item's members, `"key":value`, without its `messages` and what belongs to the sample; with commas. */
  itemMembers(): string;
}

/** Where the parts of rows are. */
export interface RowPartsOptions {
  readonly shape: RowShape;
  /** Where the prompt is; absent: as {@link PROMPT_FIELDS} says. */
  readonly prompt?: readonly PathSegment[];
  readonly group?: GroupNames;
}

/** The parts of a row with several samples; those of one are in use until the next are asked for. */
export interface SampleParts {
  readonly count: number;
  part(sample: number): RowParts | Failed;
}

/** A prompt that is a text, as messages. */
export const messagesOfText = (content: string): readonly JsonObject[] => [{ role: 'user', content }];

/** JSON text of a value, but for what stands for nothing in a dataset. */
export const present = (json: string | undefined): string | undefined =>
  json === 'null' || json === '[]' ? undefined : json;

/** The keys of a row without an `item` that are no fields of its item. */
export const sampleKeys = ({ outputField }: RowShape): readonly string[] => {
  if (outputField === undefined) return ['sample', 'samples'];
  return outputField.length === 1 ? [String(outputField[0])] : [];
};
