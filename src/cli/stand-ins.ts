import type { Embed, Python } from '../contract.js';
import type { ReadyGrader } from '../engine.js';
import type { CallPlace, Judge, JudgeCall, ReplyForm } from '../judge-call.js';
import type { Client } from '../judge/client.js';
import { createEmbed } from '../judge/embeddings.js';
import { createJudge } from '../judge/host.js';
import type { RunOptions, RunResult } from '../run/run.js';
import { scored } from '../score.js';
import { run } from '../threads.js';
import { formatDiagnostic, type ConfigFile } from './config-file.js';
import type { Io } from './context.js';
import { prepareFile, type PrepareFlags } from './prepare.js';

/** Told what graders ask. */
export interface Listener {
  onCall?(call: JudgeCall, place: CallPlace | undefined): void;
  onText?(text: string, model: string): void;
}

/** What to grade without asking. */
export interface Trial {
  readonly config: ConfigFile;
  readonly flags: PrepareFlags;
  /** Knows the endpoints. */
  readonly client: Client;
  readonly listener: Listener;
  readonly options: RunOptions;
}

/** A dataset that was graded without asking. */
export interface TrialResult extends RunResult {
  readonly grader: ReadyGrader;
}

/**
 * Grades a dataset as a run would, but asks no model and starts no Python: stand-ins for them give every row the same
 * answer. Rows fail that would fail whatever models say, and few others: a formula may have no value for these answers.
 *
 * @returns undefined when the grader file has mistakes, which have been told
 */
export const gradeWithoutAsking = async (
  { stderr }: Io,
  { config, flags, client, listener, options }: Trial,
): Promise<TrialResult | undefined> => {
  const { grader, diagnostics } = await prepareFile(config, flags, standIns(client, listener));
  for (const diagnostic of diagnostics) stderr.write(`${formatDiagnostic(diagnostic)}\n`);
  if (grader === undefined) return undefined;
  const result = await run(grader, options).finally(() => grader.close());
  return { ...result, grader };
};

/** Stand-ins for models and Python, which give every row the same answer. */
export const standIns = (client: Client, { onCall, onText }: Listener) => {
  const { modelFor, check } = createJudge({ client });
  const { model: standard, modelFor: embeddingModelFor } = createEmbed({ client });
  return {
    judge: {
      modelFor,
      check,
      ask: async (call, place) => {
        onCall?.(call, place);
        return { text: verdictIn(call.form), model: call.model, finishReason: 'stop' };
      },
    } satisfies Judge,
    embed: {
      model: standard,
      modelFor: embeddingModelFor,
      embed: async (texts, model = standard) => {
        for (const text of texts) onText?.(text, model);
        return texts.map(() => [1]);
      },
    } satisfies Embed,
    python: {
      load: async ({ passThreshold }) => ({
        warnings: [],
        signature: 'python',
        environment: {},
        window: 1,
        grade: () => scored(0, passThreshold),
        close: async () => {},
      }),
    } satisfies Python,
  };
};

/** A verdict that every grader can read which imposes this form: the first label, or 0. */
const verdictIn = ({ schema }: ReplyForm): string => {
  const { result } = (schema.properties ?? {}) as { result?: { enum?: readonly string[] } };
  return JSON.stringify({ steps: [], result: result?.enum?.[0] ?? 0 });
};
