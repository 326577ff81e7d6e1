import { createHash } from 'node:crypto';
import type { JudgeCall, JudgeReply } from '../../src/judge-call.js';
import type { JudgeAddress } from '../../src/judge/host.js';

/** A call of the plainest kind. */
export const callOf = (changes: Partial<JudgeCall> = {}): JudgeCall => ({
  model: 'gpt-4.1',
  messages: [
    { role: 'system', content: 'Grade the answer from 0 to 1.' },
    { role: 'user', content: 'The answer is 4.' },
  ],
  sampling: { temperature: 0 },
  form: { name: 'verdict', schema: { type: 'object', properties: { steps: {}, result: {} } } },
  repeat: 0,
  ...changes,
});

export const ADDRESS: JudgeAddress = { url: 'https://api.openai.com/v1/responses', model: 'gpt-4.1' };

export const replyOf = (text: string): JudgeReply => ({ text, model: 'gpt-4.1-2025-04-14' });

/** A key of the cache, as good as any. */
export const keyOf = (name: string | number): string =>
  createHash('sha256').update(String(name)).digest('hex');
