import type { JudgeCall } from '../judge-call.js';
import { printable } from '../show.js';
import type { JudgeCache } from './cache.js';
import type { CacheRecord } from './cache-record.js';
import { distance, explainDifference, fieldsOf, type CallFields, type Difference } from './cache-sketch.js';
import { callKey } from './call-key.js';
import type { JudgeAddress } from './host.js';

/** A call of a row, and who makes it. */
export interface CallOfRow {
  /** The grader's name, or that of its member or criterion. */
  readonly grader: string;
  readonly address: JudgeAddress;
  readonly call: JudgeCall;
}

/** What the cache knows of a call. */
export interface CallStatus {
  readonly asked: CallOfRow;
  readonly key: string;
  /** Its record, when it is in the cache; else the record that is nearest to it, where there is any. */
  readonly record?: CacheRecord;
  /** In what it differs from the record; undefined when it is in the cache. */
  readonly differences?: readonly Difference[];
}

/** Looks calls up in the cache; those that are not there are compared with everything that is. */
export const callStatuses = (calls: readonly CallOfRow[], cache: JudgeCache): readonly CallStatus[] => {
  const found = calls.map((asked): CallStatus => {
    const key = callKey(asked.address, asked.call);
    return { asked, key, record: cache.get('reply', key) };
  });
  const missing = found.filter(({ record }) => record === undefined);
  const nearest = nearestRecords(
    missing.map(({ asked }) => fieldsOf(asked.address, asked.call)),
    cache,
  );
  return found.map((status) => Object.assign(status, nearest[missing.indexOf(status)]));
};

interface Nearest {
  readonly record: CacheRecord;
  readonly differences: readonly Difference[];
}

/** The nearest record to each call, of several the newest; found in one pass over the cache. */
const nearestRecords = (
  calls: readonly CallFields[],
  cache: JudgeCache,
): readonly (Nearest | undefined)[] => {
  const best = calls.map((fields) => ({
    fields,
    record: undefined as CacheRecord | undefined,
    far: Infinity,
  }));
  if (calls.length > 0)
    cache.forEach((record) => {
      if (record.asked === undefined) return;
      for (const candidate of best) {
        const far = distance(candidate.fields, record.asked);
        const isNewer = far === candidate.far && record.at > (candidate.record?.at ?? 0);
        if (far < candidate.far || isNewer) Object.assign(candidate, { record, far });
      }
    });
  return best.map(({ fields, record }) =>
    record?.asked === undefined
      ? undefined
      : { record, differences: explainDifference(fields, record.asked) },
  );
};

/** What a person reads about a call: whether it is in the cache, and if not, in what it differs from what is there. */
export const whyText = ({ asked, record, differences }: CallStatus): string => {
  const { grader, call } = asked;
  const repeat = call.repeat === 0 ? '' : `, repeat ${call.repeat}`;
  const name = `${printable(grader)}: ${printable(call.model)}${repeat}`;
  if (record === undefined) return `${name}: not in the cache, and nothing like it is\n`;
  if (differences === undefined) return `${name}: in the cache since ${timeText(record)}\n`;
  return [
    `${name}: not in the cache`,
    `  the nearest entry is of ${timeText(record)} and differs in ${paths(differences)}:`,
    ...differences.map((difference) => `  ${printable(differenceText(difference))}`),
    '',
  ].join('\n');
};

const timeText = ({ at }: CacheRecord): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');

const paths = (differences: readonly Difference[]): string =>
  differences.length === 1 ? '1 field' : `${differences.length} fields`;

const differenceText = ({ path, asked, cached, from }: Difference): string =>
  `${path}: ${asked}, in the cache ${cached}${from === undefined || from === 0 ? '' : `, other from character ${from} on`}`;

/** The same for programs. */
export const whyJson = ({ asked, key, record, differences }: CallStatus): Record<string, unknown> => ({
  grader: asked.grader,
  model: asked.call.model,
  repeat: asked.call.repeat,
  key,
  cached: record !== undefined && differences === undefined,
  at: record === undefined ? null : new Date(record.at).toISOString(),
  differences: differences ?? [],
});
