import { isObject } from '../json-value.js';
import type { JudgeCall, JudgeMessage, JudgePart, JudgeUsage } from '../judge-call.js';
import { jsonSpan } from '../span.js';
import type { CallPlace, Recording, Recordings } from './replay.js';

/** A verdict that the hosted service gave. */
interface HostedVerdict {
  /** The service's number of the row. */
  readonly item: number | undefined;
  readonly grader: string;
  /** The snapshot that answered. */
  readonly model: string;
  /** What it was asked, as text. */
  readonly question: string | undefined;
  readonly recording: Recording;
}

/** The values of a text that holds one JSON value, one a line, or several one after the other. */
function* jsonValues(text: string): Generator<unknown, void, undefined> {
  let rest = text.replace(/^\ufeff/, '');
  while (rest.trim() !== '') {
    const span = jsonSpan(rest, []);
    if (span === undefined || span.end === span.start) throw new Error('it is neither evidence nor JSON');
    yield JSON.parse(rest.slice(span.start, span.end));
    rest = rest.slice(span.end);
  }
}

/**
 * Reads output items: single ones, lists, and pages of a list, in any number.
 *
 * @throws Error when the text is not JSON
 */
export const readHosted = (text: string): readonly HostedVerdict[] =>
  [...jsonValues(text)].flatMap(itemsOf).flatMap(verdictsOf);

type Fields = Readonly<Record<string, unknown>>;

const itemsOf = (value: unknown): readonly Fields[] => {
  if (Array.isArray(value)) return value.flatMap(itemsOf);
  if (!isObject(value)) return [];
  return Array.isArray(value.data) ? value.data.flatMap(itemsOf) : [value];
};

const verdictsOf = (item: Fields): readonly HostedVerdict[] => {
  const { results, datasource_item_id: id } = item;
  if (!Array.isArray(results)) return [];
  return results.flatMap((result: unknown): readonly HostedVerdict[] => {
    // Other graders than judges have no sample; some programs have written theirs as Python's text.
    if (!isObject(result) || typeof result.name !== 'string' || !isObject(result.sample)) return [];
    const { sample } = result;
    const recording = recordingOf(sample);
    if (recording === undefined) return [];
    return [
      {
        item: Number.isSafeInteger(id) ? (id as number) : undefined,
        grader: result.name.replace(UUID, ''),
        model: textOf(sample.model),
        question: Array.isArray(sample.input) ? questionText(sample.input.map(contentOf)) : undefined,
        recording,
      },
    ];
  });
};

/** What the service puts behind a criterion's name. */
const UUID = /-[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const recordingOf = ({ output, model, finish_reason, usage, error }: Fields): Recording | undefined => {
  const [message] = Array.isArray(output) ? (output as unknown[]) : [];
  if (isObject(message)) {
    const { content, refusal } = message;
    return {
      text: textOf(content),
      ...(typeof refusal === 'string' && { refusal }),
      ...(typeof finish_reason === 'string' && { finishReason: finish_reason }),
      model: textOf(model),
      ...(isUsage(usage) && { usage: usageOf(usage) }),
    };
  }
  if (!isObject(error)) return undefined;
  return { code: 'model_grader_server_error', message: `recorded: ${textOf(error.message) || 'no reply'}` };
};

const isUsage = (usage: unknown): usage is JudgeUsage =>
  isObject(usage) &&
  [usage.prompt_tokens, usage.completion_tokens, usage.total_tokens].every(Number.isSafeInteger);

const usageOf = ({
  prompt_tokens,
  completion_tokens,
  total_tokens,
  cached_tokens,
}: JudgeUsage): JudgeUsage => ({
  prompt_tokens,
  completion_tokens,
  total_tokens,
  ...(Number.isSafeInteger(cached_tokens) && { cached_tokens }),
});

/** Verdicts of the hosted service, by what was asked, else by row and grader. */
export class HostedVerdicts implements Recordings {
  private readonly byQuestion = new Map<string, HostedVerdict[]>();
  private readonly byRow = new Map<number, HostedVerdict[]>();

  constructor(private readonly verdicts: readonly HostedVerdict[]) {
    const first = firstItem(verdicts);
    for (const verdict of verdicts) {
      if (verdict.question !== undefined) enter(this.byQuestion, verdict.question, verdict);
      if (verdict.item !== undefined && first !== undefined) enter(this.byRow, verdict.item - first, verdict);
    }
  }

  get size(): number {
    return this.verdicts.length;
  }

  find(call: JudgeCall, place: CallPlace | undefined): Recording | undefined {
    const asked = this.byQuestion.get(questionText(call.messages.map(contentOf)));
    const ofRow = place === undefined ? [] : (this.byRow.get(place.row) ?? []);
    const ofGrader = ofRow.filter(({ grader }) => place?.grader === undefined || place.grader === grader);
    let found: readonly HostedVerdict[] = asked ?? ofGrader;
    found = preferring(found, ({ model }) => model === call.model || model.startsWith(`${call.model}-`));
    found = preferring(found, (verdict) => ofGrader.includes(verdict));
    return found[call.repeat]?.recording;
  }

  close(): void {}
}

const enter = <Key>(lists: Map<Key, HostedVerdict[]>, key: Key, verdict: HostedVerdict): void => {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [verdict]);
  else list.push(verdict);
};

/** Those that are as wanted, or all where none is. */
const preferring = (
  verdicts: readonly HostedVerdict[],
  isWanted: (verdict: HostedVerdict) => boolean,
): readonly HostedVerdict[] => {
  const wanted = verdicts.filter(isWanted);
  return wanted.length === 0 ? verdicts : wanted;
};

/** The number of the first row: the service has counted from 0 and from 1. Undefined when the numbers do not tell. */
const firstItem = (verdicts: readonly HostedVerdict[]): number | undefined => {
  const items = new Set(verdicts.flatMap(({ item }) => (item === undefined ? [] : [item])));
  if (items.has(0)) return 0;
  let last = 0;
  for (const item of items) last = Math.max(last, item);
  // Every number from 1 on: none is missing in front.
  return items.size === last ? 1 : undefined;
};

/** Messages as stored results have them: blocks joined by a space, images in tags. */
const questionText = (contents: readonly string[]): string => contents.join('\0');

const contentOf = (message: unknown): string => {
  const content = isObject(message) ? (message as Partial<JudgeMessage>).content : undefined;
  if (typeof content === 'string') return content;
  return (Array.isArray(content) ? content : [content]).map(partText).join(' ');
};

const partText = (part: unknown): string => {
  if (typeof part === 'string') return part;
  if (!isObject(part)) return '';
  const { text, url } = part as Partial<Record<'text' | 'url', string>> & Partial<JudgePart>;
  return typeof text === 'string' ? text : typeof url === 'string' ? `<image>${url}</image>` : '';
};
