import type { JsonObject, Row } from '../contract.js';
import { rangeOf, type ByteRange } from '../dataset/row-scanner.js';
import { candidateOf, messagesIn, PROMPT_FIELDS, valueOf } from '../dataset/row-text.js';
import { parseRows, SampleRows } from '../dataset/row.js';
import { GradingError, type PathSegment } from '../errors.js';
import { toJson } from '../json-value.js';
import { variableAt } from '../run/select.js';
import { failed, type Failed } from '../score.js';
import { jsonSpanText } from '../span.js';
import { membersWithout } from './json-text.js';
import {
  messagesOfText,
  present,
  sampleKeys,
  type RowParts,
  type RowPartsOptions,
  type SampleParts,
} from './row-parts.js';

/** The parts of a row that has to be parsed. */
export const parsedParts = (text: string, options: RowPartsOptions): RowParts | SampleParts | Failed => {
  const { shape } = options;
  const rows = orFailed(() => parseRows(text, shape));
  if ('status' in rows) return rows;
  if (!(rows instanceof SampleRows)) return new ParsedParts(rows, text, options);
  return {
    count: rows.count,
    part: (sample) => {
      const row = orFailed(() => rows.row(sample));
      return 'status' in row ? row : new ParsedParts(row, text, options);
    },
  };
};

const orFailed = <Read>(read: () => Read): Read | Failed => {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof GradingError)) throw error;
    return failed(error.code, error.message);
  }
};

class ParsedParts implements RowParts {
  private readonly paths: readonly (readonly PathSegment[])[];

  constructor(
    readonly row: Row,
    /** Of its line. */
    private readonly text: string,
    private readonly options: RowPartsOptions,
  ) {
    const { prompt } = options;
    this.paths = prompt === undefined ? FIELD_PATHS : [prompt];
  }

  findPrompt(): number {
    return this.paths.findIndex((path) => {
      const value = valueOf(this.row, path);
      return typeof value === 'string' || messagesIn(value) !== undefined;
    });
  }

  isText(field: number): boolean {
    return typeof valueOf(this.row, this.paths[field]) === 'string';
  }

  promptBytes(field: number): ByteRange {
    return rangeOf(Buffer.from(this.promptJson(field)));
  }

  messages(field: number): readonly JsonObject[] {
    const value = valueOf(this.row, this.paths[field]);
    return typeof value === 'string' ? messagesOfText(value) : (messagesIn(value) ?? []);
  }

  promptJson(field: number): string {
    return jsonOf(this.row, this.paths[field]) ?? '""';
  }

  answerBytes(): ByteRange | undefined {
    const text = candidateOf(this.row);
    return text === undefined ? undefined : rangeOf(Buffer.from(text));
  }

  answerJson(): string | undefined {
    const text = candidateOf(this.row);
    return text === undefined ? undefined : JSON.stringify(text);
  }

  callsJson(): string | undefined {
    return present(jsonOf(this.row, ['sample', 'output_tools']));
  }

  toolsJson(): string | undefined {
    return present(jsonOf(this.row, ['item', 'tools']));
  }

  parallelJson(): string | undefined {
    return present(jsonOf(this.row, ['item', 'parallel_tool_calls']));
  }

  itemMembers(): string {
    const { text, options } = this;
    const item = options.shape.outputField === undefined ? jsonSpanText(text, ['item']) : undefined;
    if (item?.startsWith('{') === true) return membersWithout(item, ['messages']);
    return membersWithout(text, ['messages', ...sampleKeys(options.shape)]);
  }
}

const FIELD_PATHS = PROMPT_FIELDS.map((field) => ['item', field]);

/** JSON text of a value as the dataset has it; undefined where there is none. */
const jsonOf = (row: Row, path: readonly PathSegment[]): string | undefined => {
  const value = valueOf(row, path);
  if (value === undefined) return undefined;
  const { namespace, path: rest } = variableAt(path);
  return row.sourceText?.(namespace, rest) ?? toJson(value);
};
