import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtinGraders } from '../../graders/index.js';
import { createEngine } from '../../src/engine.js';
import { formatIssue } from '../../src/errors.js';
import type { JudgeCall } from '../../src/judge-call.js';
import { scriptedJudge, verdict } from '../judge/scripted.js';

const FOLDER = new URL('../../fixtures/model-graders/', import.meta.url).pathname;

interface Published {
  readonly item: Record<string, unknown>;
  readonly sample?: Record<string, unknown>;
  readonly model_sample?: string;
}

const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.json'));

const load = async (name: string): Promise<Published> =>
  JSON.parse(await readFile(join(FOLDER, name), 'utf8')) as Published;

/** The best that the form of a call allows. */
const best = ({ form }: JudgeCall): string => {
  const { result } = form.schema.properties as { result: { enum?: readonly string[]; description?: string } };
  return verdict(result.enum?.[0] ?? Number(result.description?.split(' ').at(-1)));
};

const grade = async (name: string) => {
  const published = await load(name);
  const judge = scriptedJudge(best);
  const warnings: string[] = [];
  const engine = createEngine({ graders: builtinGraders, judge });
  const grader = await engine.prepare(published, { onWarning: (issue) => warnings.push(formatIssue(issue)) });
  const score = await grader.grade({
    item: published.item,
    sample: published.sample ?? published.model_sample,
  });
  return { score, calls: judge.calls, warnings };
};

describe('model graders as OpenAI publishes them', () => {
  test('there are some', () => expect(names.length).toBeGreaterThanOrEqual(12));

  test.each(names)('%s is prepared, rendered and graded', async (name) => {
    const { score, calls } = await grade(name);
    expect(score.status).toBe('scored');
    expect(calls.length).toBeGreaterThan(0);
    expect(JSON.stringify(calls)).not.toMatch(/\{\{ ?sample/);
    expect(score.evidence).toHaveLength(calls.length);
  });

  test.each(names)('%s is valid, and warned about only where it is odd', async (name) => {
    const engine = createEngine({ graders: builtinGraders, judge: scriptedJudge([]) });
    const issues = await engine.validate(await load(name));
    expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
    if (name !== 'package-example.json') expect(issues.map(formatIssue)).toEqual([]);
  });

  test('a path into the JSON text of a tool call gives its JSON', async () => {
    const { calls } = await grade('tool-arguments.json');
    expect(calls[0].messages[1].content).toContain('[{"name": "f", "symbol_type": "function"}]');
  });

  test('an image stands between its texts', async () => {
    const { calls } = await grade('image-inputs.json');
    expect(calls[0].messages[1].content).toEqual([
      { type: 'text', text: 'Prompt: What is this?.' },
      { type: 'image', url: 'https://example.com/pizza.jpg', detail: 'auto' },
      { type: 'text', text: 'Reference answer: A pizza Margherita. Model response: A pizza.' },
    ]);
  });

  test('reasoning models are not sent what they refuse', async () => {
    const { calls, warnings } = await grade('guide-score.json');
    expect(calls[0].sampling).toEqual({ max_completion_tokens: 32_768, reasoning_effort: 'medium' });
    expect(warnings).toEqual([]);
  });

  test("a multi's members enter its formula in their own units", async () => {
    const { score } = await grade('multi-members.json');
    expect(score).toMatchObject({ reward: 1, subRewards: { explanation: 100, answer: 1, tone: 1 } });
    expect(score.evidence?.map((each) => [each.grader, each.result])).toEqual([
      ['explanation', 100],
      ['tone', 1],
    ]);
  });
});
