import { existsSync } from 'node:fs';
import type { Judge } from '../judge-call.js';
import { cachedJudge } from '../judge/cached-judge.js';
import { openCache, type JudgeCache } from '../judge/cache.js';
import { parseModelsConfig, type ModelsConfig } from '../judge/endpoints.js';
import { createJudge } from '../judge/host.js';
import { ConfigError, formatIssue } from '../errors.js';
import { judgeCacheFolder } from './cache.js';
import { readConfigFile } from './config-file.js';
import { UsageError } from './context.js';

/** The flags that say how judges are asked. */
export interface JudgeFlags {
  /** Ask every question anew, and keep no answer. */
  readonly noCache?: boolean;
}

/** Asks models for a command, and has to be closed. */
export interface OpenJudge extends Judge {
  close(): Promise<void>;
}

const CONFIG_FILES = ['assay.config.json', 'assay.config.yaml', 'assay.config.yml'];

/**
 * What a command asks judges with: the endpoints of the environment and of `assay.config.*` in the working folder, and
 * the judge cache. Nothing is opened or sent before the first question.
 *
 * @throws UsageError for a configuration that is wrong
 */
export const openJudge = async (
  { noCache = false }: JudgeFlags,
  onNotice: (text: string) => void,
): Promise<OpenJudge> => {
  const host = createJudge({ config: await readModels(), env: process.env, onNotice });
  let cache: JudgeCache | undefined;
  let asking: Judge | undefined;
  const open = (): Judge => {
    if (!noCache) cache = openCache(judgeCacheFolder(process.env), { onWarning: onNotice });
    return cachedJudge(host, cache, host.addressOf);
  };
  return {
    modelFor: (model) => host.modelFor(model),
    check: (models) => host.check(models),
    ask(call) {
      asking ??= open();
      return asking.ask(call);
    },
    async close() {
      await host.close();
      await cache?.close();
    },
  };
};

const readModels = async (): Promise<ModelsConfig | undefined> => {
  const path = CONFIG_FILES.find((name) => existsSync(name));
  if (path === undefined) return undefined;
  const { value } = await readConfigFile(path);
  try {
    return parseModelsConfig(value);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new UsageError(error.issues.map((issue) => `${path}: ${formatIssue(issue)}`).join('\n'));
  }
};
