import type { TemplateVariable } from '../contract.js';
import { parseRow } from '../dataset/row.js';
import { GradingError } from '../errors.js';
import { isObject } from '../json-value.js';
import { show } from '../show.js';
import { Findings, type Finding, type RuleCount } from './findings.js';
import type { MethodName } from './hyperparameters.js';
import { ItemNames } from './item-names.js';
import type { RowRule } from './rules.js';
import { SeenRows } from './seen-rows.js';
import { createRowCheck, type RowCheck } from './training-row.js';

/** How many rows a file may have. */
interface RowLimits {
  /** A file with fewer rows is refused, or may be where that is not documented. */
  readonly minimum?: { readonly rows: number; readonly isDocumented: boolean };
  readonly maximum?: { readonly training: number; readonly validation: number };
}

const ROW_LIMITS: Readonly<Record<MethodName, RowLimits>> = {
  supervised: { minimum: { rows: 10, isDocumented: true } },
  dpo: { minimum: { rows: 10, isDocumented: false } },
  reinforcement: { maximum: { training: 50_000, validation: 1_000 } },
};

/** Rows with images, whatever the method. */
const MAX_IMAGE_ROWS = 50_000;

/** How many rows a file has, and how many of them have images. */
export interface FileSize {
  readonly method: MethodName;
  readonly use?: 'training' | 'validation';
  readonly rows: number;
  readonly imageRows: number;
}

/** Tells what is wrong with a file for its number of rows. */
export const checkFileSize = (
  { method, use = 'training', rows, imageRows }: FileSize,
  tell: (rule: RowRule, message: string) => void,
): void => {
  const { minimum, maximum }: RowLimits = ROW_LIMITS[method];
  const has = `has ${rows === 1 ? '1 row' : `${rows} rows`}`;
  if (rows === 0) tell('too_few_rows', 'has no rows');
  else if (minimum !== undefined && use === 'training' && rows < minimum.rows)
    tell(minimum.isDocumented ? 'too_few_rows' : 'few_rows', `${has}, expected at least ${minimum.rows}`);
  const most = maximum?.[use] ?? Infinity;
  if (rows > most) tell('too_many_rows', `${has}, expected at most ${most} in a ${use} file`);
  if (imageRows > MAX_IMAGE_ROWS)
    tell('too_many_image_rows', `has ${imageRows} rows with images, expected at most ${MAX_IMAGE_ROWS}`);
};

/** What is checked, and with what. */
export interface TrainingFileOptions {
  readonly method: MethodName;
  /** What the job uses the file for. Default training. */
  readonly use?: 'training' | 'validation';
  /** How the file is stored, where that is not as plain JSONL: `CSV`. */
  readonly storedAs?: string;
  /** The variables of the job's grader, whose `item.…` the rows have to have. */
  readonly variables?: readonly TemplateVariable[];
  /** The training file, for the rows of a validation file that are in it, too. */
  readonly training?: TrainingFileCheck;
}

/** What is wrong with a training file. */
export interface TrainingFileReport {
  readonly method: MethodName;
  readonly use: 'training' | 'validation';
  readonly rows: number;
  readonly errors: number;
  readonly warnings: number;
  /** The first 20, errors before warnings, in the order of the file. */
  readonly findings: readonly Finding[];
  /** How often each rule is broken. */
  readonly counts: readonly RuleCount[];
}

/**
 * Checks a training or validation file, row after row, against what its method's documentation says. What is only
 * inferred from that is a warning. Memory does not grow with the file.
 *
 * @example
 * const check = new TrainingFileCheck({ method: 'dpo' });
 * for (const [index, line] of lines.entries()) check.line(line, index + 1);
 * check.report().findings;
 *
 * @see https://platform.openai.com/docs/api-reference/fine-tuning/chat-input
 */
export class TrainingFileCheck {
  private rows = 0;
  private imageRows = 0;
  private at: number | null = null;
  private readonly findings = new Findings();
  private readonly seen = new SeenRows();
  private readonly rowCheck: RowCheck;
  private readonly names: ItemNames | undefined;

  constructor(private readonly options: TrainingFileOptions) {
    const { method, variables } = options;
    this.rowCheck = createRowCheck(method, (...finding) => this.findings.add(this.at, ...finding));
    if (variables !== undefined) this.names = new ItemNames(variables);
  }

  /**
   * Checks a row.
   *
   * @param line  its number in the file, from 1
   */
  line(text: string, line: number): void {
    this.rows += 1;
    this.at = line;
    let row: unknown;
    try {
      row = JSON.parse(text);
    } catch {
      return this.findings.add(line, 'not_json', [], jsonMistake(text));
    }
    if (!isObject(row))
      return this.findings.add(line, 'not_an_object', [], `expected an object, got ${show(row)}`);
    this.rowCheck.check(row);
    if (this.rowCheck.images > 0) this.imageRows += 1;
    this.names?.check(row, (name, message) => this.findings.add(line, 'template_name', name, message));
  }

  /** Counts a line that cannot even be read. */
  unreadable(line: number, problem: string): void {
    this.rows += 1;
    this.findings.add(line, 'not_json', [], problem);
  }

  /**
   * Tells when the bytes of a row are those of one before, or of one in the training file.
   *
   * @param line  its number in the file, from 1
   */
  compare(bytes: DataView, start: number, end: number, line: number): void {
    const before = this.seen.add(bytes, start, end, line);
    if (before !== 0) this.findings.add(line, 'duplicate', [], `is the same row as in line ${before}`);
    const training = this.options.training?.seen.find(bytes, start, end) ?? 0;
    if (training !== 0)
      this.findings.add(
        line,
        'also_in_training',
        [],
        `is the same row as in line ${training} of the training file`,
        'a validation file shows what was not learnt by heart only with rows of its own',
      );
  }

  /** What was found, with what is wrong with the file as a whole; once all rows have been checked. */
  report(): TrainingFileReport {
    const { method, use = 'training' } = this.options;
    this.checkFile(use);
    const counts = this.findings.counts;
    const total = (severity: string) =>
      counts.reduce((sum, each) => sum + (each.severity === severity ? each.count : 0), 0);
    return {
      method,
      use,
      rows: this.rows,
      errors: total('error'),
      warnings: total('warning'),
      findings: this.findings.first,
      counts,
    };
  }

  private checkFile(use: 'training' | 'validation'): void {
    const { rows, imageRows, findings } = this;
    const { method, storedAs } = this.options;
    if (storedAs !== undefined)
      findings.add(
        null,
        'not_jsonl',
        [],
        `is ${storedAs}, expected JSONL`,
        'the service takes plain JSONL only',
      );
    checkFileSize({ method, use, rows, imageRows }, (rule, message) => findings.add(null, rule, [], message));
  }
}

/** What is wrong with the JSON, in the words that all datasets have. */
const jsonMistake = (text: string): string => {
  try {
    parseRow(text);
  } catch (error) {
    if (error instanceof GradingError) return error.message;
    throw error;
  }
  return 'not valid JSON';
};
