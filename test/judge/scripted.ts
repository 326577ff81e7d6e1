import type { Judge, JudgeCall, JudgeReply } from '../../src/judge-call.js';

/** What a scripted judge says: a text, a whole reply, or an error that it throws. */
export type Line = string | Partial<JudgeReply> | Error;

export interface ScriptedJudge extends Judge {
  /** Every call, in order. */
  readonly calls: JudgeCall[];
}

/** A judge that answers as it is told; by a list in turn, or by a function of the call. */
export const scriptedJudge = (
  script: readonly Line[] | ((call: JudgeCall) => Line),
  rest: Partial<Judge> = {},
): ScriptedJudge => {
  const calls: JudgeCall[] = [];
  return {
    ...rest,
    calls,
    ask: async (call) => {
      calls.push(call);
      const line = typeof script === 'function' ? script(call) : script[(calls.length - 1) % script.length];
      if (line instanceof Error) throw line;
      const reply = typeof line === 'string' ? { text: line } : line;
      return { text: '', model: `${call.model}-2025-04-14`, finishReason: 'stop', ...reply };
    },
  };
};

/** The reply that is asked for. */
export const verdict = (result: unknown, steps: readonly object[] = []): string =>
  JSON.stringify({ steps, result });
