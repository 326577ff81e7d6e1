import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { ERROR_CODES, GradingError, UnavailableError, type ErrorCode } from '../errors.js';
import { isObject } from '../json-value.js';
import type { Judge, JudgeCall, JudgeReply } from '../judge-call.js';
import type { Evidence } from '../score.js';
import { show } from '../show.js';
import { fingerprintOf, KeyIndex, MAX_FILE_BYTES } from './cache-index.js';
import { scanLines } from './cache-lines.js';
import { replyFrom } from './cached-judge.js';
import { questionKey } from './call-key.js';
import { HostedVerdicts, readHosted } from './replay-hosted.js';

/** A line of the file of evidence beside results: one verdict, and where it belongs. */
export interface EvidenceLine extends Evidence {
  /** Number of the row in its dataset, from 0. */
  readonly row: number;
  /** The question that was asked, see {@link questionKey}; without it a verdict is found by its place alone. */
  readonly key?: string;
}

/** Who asks, for verdicts that have no key. */
export interface CallPlace {
  /** Number of the row in its dataset, from 0. */
  readonly row: number;
  /** The member or criterion, `total.tone`; left out for a grader alone. */
  readonly grader?: string;
}

/** Answers from recorded verdicts; nothing is sent anywhere. */
export interface ReplayJudge extends Judge {
  /** How many verdicts the file has. */
  readonly recordings: number;
  /**
   * @param place  finds verdicts whose question was not recorded, or not as it is asked now
   * @throws GradingError with the recorded failure, or `model_grader_server_error` when nothing was recorded
   */
  ask(call: JudgeCall, place?: CallPlace): Promise<JudgeReply>;
  close(): void;
}

/** A place where a recorded verdict is looked for. */
export interface Recordings {
  readonly size: number;
  find(call: JudgeCall, place: CallPlace | undefined): Recording | undefined;
  close(): void;
}

/** What was recorded of a call: a reply or a failure. */
export type Recording = JudgeReply | { readonly code: ErrorCode; readonly message: string };

/**
 * Opens recorded verdicts: a file of evidence that `assay run` has written, or output items of OpenAI's Evals API as
 * they were downloaded: a list of them, pages, or one a line.
 *
 * Verdicts are found by the question; hosted ones, and those without a key, also by row and grader.
 *
 * @throws UnavailableError when the file cannot be read or has no verdicts
 */
export const openReplay = (path: string): ReplayJudge => {
  const recordings = openRecordings(path);
  if (recordings.size === 0) {
    recordings.close();
    throw new UnavailableError(
      `${path} has no recorded verdicts`,
      'expected evidence of assay run, or output items',
    );
  }
  return {
    recordings: recordings.size,
    async ask(call, place) {
      const recording = recordings.find(call, place);
      if (recording === undefined)
        throw new GradingError(
          'model_grader_server_error',
          `no verdict for this call is recorded in ${path}`,
        );
      if ('code' in recording) throw new GradingError(recording.code, recording.message);
      return recording;
    },
    close: () => recordings.close(),
  };
};

const openRecordings = (path: string): Recordings => {
  try {
    const fd = openSync(path, 'r');
    if (beginsWithEvidence(fd)) return new RecordedEvidence(fd);
    closeSync(fd);
    return new HostedVerdicts(readHosted(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new UnavailableError(`${path} cannot be replayed: ${(error as Error).message}`);
  }
};

const FIRST_LINE_BYTES = 1 << 20;

const beginsWithEvidence = (fd: number): boolean => {
  const start = Buffer.alloc(FIRST_LINE_BYTES);
  const [line] = start.toString('utf8', 0, readSync(fd, start, 0, start.length, 0)).split('\n', 1);
  return parseEvidence(line) !== undefined;
};

const parseEvidence = (line: string): EvidenceLine | undefined => {
  try {
    const value: unknown = JSON.parse(line);
    if (!isObject(value) || !Number.isSafeInteger(value.row) || typeof value.judge !== 'string')
      return undefined;
    return value as unknown as EvidenceLine;
  } catch {
    return undefined;
  }
};

/** Our own evidence, which may be larger than the memory: only where each verdict lies is kept. */
class RecordedEvidence implements Recordings {
  size = 0;
  private readonly index = new KeyIndex();

  constructor(private readonly fd: number) {
    scanLines(fd, 0, (bytes, offset) => {
      const line = parseEvidence(bytes.toString());
      if (line === undefined) return;
      this.size++;
      this.index.set(fingerprintOf(nameOf(line)), { file: 0, offset, length: bytes.length });
    });
  }

  find(call: JudgeCall, place: CallPlace | undefined): Recording | undefined {
    const names = [questionKey(call)];
    if (place !== undefined) names.push(placeKey({ ...place, judge: call.model, repeat: call.repeat }));
    for (const name of names) {
      const line = this.lineOf(name);
      if (line !== undefined) return recordingOf(line);
    }
    return undefined;
  }

  private lineOf(name: string): EvidenceLine | undefined {
    const place = this.index.get(fingerprintOf(name));
    if (place === undefined) return undefined;
    const bytes = Buffer.alloc(place.length);
    readSync(this.fd, bytes, 0, place.length, place.file * MAX_FILE_BYTES + place.offset);
    const line = parseEvidence(bytes.toString());
    return line !== undefined && nameOf(line) === name ? line : undefined;
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** By what a verdict is found: its question, or its place where that is all there is. */
const nameOf = (line: EvidenceLine): string =>
  typeof line.key === 'string' && /^[\da-f]{64}$/.test(line.key) ? line.key : placeKey(line);

const placeKey = ({
  row,
  grader,
  judge,
  repeat,
}: Pick<EvidenceLine, 'row' | 'grader' | 'judge' | 'repeat'>): string =>
  createHash('sha256')
    .update(JSON.stringify([row, grader ?? '', judge, repeat ?? 0]))
    .digest('hex');

/** Evidence keeps at most this much of a text. */
const MAX_TEXT = 4_000;

const recordingOf = (line: EvidenceLine): Recording | undefined => {
  const { model, judge, text, steps, result, code, message, finish_reason: finishReason, usage } = line;
  const reply = (text: string) => replyFrom({ text, model: model ?? judge, finishReason, usage });
  if (result !== undefined) return reply(JSON.stringify({ steps: steps ?? [], result }));
  // A reply that could not be read then may be readable now.
  const isWhole = typeof text === 'string' && text.length <= MAX_TEXT;
  if (isWhole && (code === undefined || code === 'model_grader_parse_error')) return reply(text);
  if (code === undefined || !Object.hasOwn(ERROR_CODES, code)) return undefined;
  return {
    code,
    message: typeof message === 'string' ? message : `the recorded verdict failed with ${show(code)}`,
  };
};
