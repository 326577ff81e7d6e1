import { createEngine as createBareEngine, type Engine, type EngineOptions } from './engine.js';
import { createJudge } from './judge/host.js';
import { createPython } from './python/host.js';

export type { EngineOptions };

/**
 * Puts graders together with what they need of the machine: python graders run as {@link createPython} runs them, model
 * graders ask as {@link createJudge} asks, unless another `python` or `judge` is handed in.
 *
 * @example
 * const engine = createEngine({ graders: builtinGraders });
 * const grader = await engine.prepare({ type: 'string_check', input: '{{ sample.output_text }}', … });
 * await grader.grade({ item: { answer: '4' }, sample: '4' }); // { status: 'scored', reward: 1, passed: true }
 *
 * @throws TypeError when two graders have the same type
 */
export const createEngine = (options: EngineOptions): Engine =>
  createBareEngine({ python: createPython(), judge: createJudge(), ...options });
