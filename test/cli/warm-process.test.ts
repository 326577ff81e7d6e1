import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises'; // oxlint-disable-line no-restricted-imports -- result lines are ours, and ASCII
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FakeEndpoint } from '../judge/fake-endpoint.js';
import { writeFiles } from './judge-process.js';

/** The built command: `npm test` builds it first. */
const CLI = new URL('../../dist/cli.js', import.meta.url).pathname;

const texts = { input: '{{ sample.output_text }}', reference: '{{ item.answer }}' };
const exact = { type: 'string_check', name: 'exact', operation: 'eq', ...texts };
const close = { type: 'text_similarity', name: 'close', evaluation_metric: 'rouge_l', ...texts };
const source = 'def grade(sample, item):\n    return float(sample["output_text"] == item["answer"])\n';
const python = { type: 'python', name: 'code', source };
const calculate_output = '(a + b) / 2';
const GRADERS = {
  string_check: exact,
  text_similarity: close,
  meteor: { ...close, name: 'meteor', evaluation_metric: 'meteor' },
  python,
  multi: { type: 'multi', name: 'both', graders: { a: exact, b: close }, calculate_output },
  'multi with python': { type: 'multi', name: 'mixed', graders: { a: exact, b: python }, calculate_output },
  score_model: {
    type: 'score_model',
    name: 'judge',
    model: 'judge',
    input: [{ role: 'user', content: 'How good is {{ sample.output_text }}?' }],
  },
};

let folder: string;
let endpoint: FakeEndpoint;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-warm-'));
  endpoint = await FakeEndpoint.start({ answer: () => '{"result": 1}' });
  const files = Object.entries(GRADERS).map(([name, grader]) => [`${name}.json`, grader] as const);
  await writeFiles(folder, Object.fromEntries(files));
});
afterAll(async () => {
  await endpoint.close();
  await rm(folder, { recursive: true });
});

/** A row whose reward is 1, or a line that is no row. */
const row = (text: string): string => JSON.stringify({ item: { answer: text }, sample: text });
const BROKEN = '{"item":';
const story = (n: number): string => `${n} dogs were running over ${n * 7} hills and other things `.repeat(8);

/** `assay run GRADER -` with its standard input kept open, so that a line that is held back is waited for in vain. */
class WarmProcess {
  readonly process: ChildProcessWithoutNullStreams;
  readonly exit: Promise<number | null>;
  stderr = '';
  private readonly lines: AsyncIterator<string>;
  private rows = 0;

  constructor(grader: keyof typeof GRADERS, flags: readonly string[] = []) {
    const argv = [CLI, 'run', `${grader}.json`, '-', '--quiet', '--max-failed', '1', ...flags];
    const env = { ...process.env, ASSAY_HOME: folder, OPENAI_BASE_URL: endpoint.baseUrl };
    this.process = spawn(process.execPath, argv, { cwd: folder, env });
    this.exit = once(this.process, 'exit').then(([code]) => code as number | null);
    this.process.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.lines = createInterface(this.process.stdout)[Symbol.asyncIterator]();
  }

  write(batch: readonly string[]): void {
    this.process.stdin.write(batch.map((line) => `${line}\n`).join(''));
  }

  /** The rewards of so many rows, undefined for those that failed; fewer where the output ends. */
  async read(count: number): Promise<(number | undefined)[]> {
    const rewards: (number | undefined)[] = [];
    while (rewards.length < count) {
      const { value, done } = await this.lines.next();
      if (done === true) break;
      const result = JSON.parse(value) as { row: number; reward?: number };
      expect(result.row).toBe(this.rows);
      this.rows += 1;
      rewards.push(result.reward);
    }
    return rewards;
  }

  async grade(batch: readonly string[]): Promise<(number | undefined)[]> {
    this.write(batch);
    return this.read(batch.length);
  }
}

let warm: WarmProcess;
afterEach(() => {
  warm.process.kill();
});

describe('a batch is answered while standard input stays open', () => {
  const kinds = [
    'string_check',
    'text_similarity',
    'python',
    'multi',
    'multi with python',
    'score_model',
  ] as const;
  const ways = kinds.flatMap((grader) => [
    { grader, flags: [] },
    { grader, flags: ['-j', '2'] },
  ]);

  test.each(ways)('$grader $flags', async ({ grader, flags }) => {
    warm = new WarmProcess(grader, flags);
    expect(await warm.grade([row('first')])).toEqual([1]);
    const mixed = Array.from({ length: 64 }, (_, n) => (n % 9 === 5 ? BROKEN : row(`answer ${n % 7}`)));
    const expected = mixed.map((line) => (line === BROKEN ? undefined : 1));
    expect(await warm.grade(mixed)).toEqual(expected);
    expect(await warm.grade(Array.from({ length: 512 }, (_, n) => row(`answer ${n % 50}`)))).toEqual(
      Array.from({ length: 512 }, () => 1),
    );
    warm.process.stdin.end();
    expect(await warm.exit).toBe(0);
    expect(warm.stderr).toBe('');
  });

  test.each([[['-j', '1']], [['-j', '2']]])('lines of a megabyte, %j', async (flags) => {
    warm = new WarmProcess('string_check', flags);
    for (const letter of ['a', 'é']) {
      const long = row(letter.repeat(500_000));
      expect(await warm.grade([long, row(letter), long])).toEqual([1, 1, 1]);
    }
  });

  test('a line that comes in two halves', async () => {
    warm = new WarmProcess('string_check');
    const line = row('halves');
    warm.write([row('whole')]);
    warm.process.stdin.write(line.slice(0, 20));
    expect(await warm.read(1)).toEqual([1]);
    warm.process.stdin.write(`${line.slice(20)}\n`);
    expect(await warm.read(1)).toEqual([1]);
  });

  test('after a batch so long that worker threads take over', async () => {
    warm = new WarmProcess('meteor');
    const long = Array.from({ length: 8_000 }, (_, n) =>
      JSON.stringify({ item: { answer: story(n) }, sample: story(n + 1) }),
    );
    expect(await warm.grade(long)).toHaveLength(long.length);
    for (let batch = 0; batch < 3; batch += 1) expect(await warm.grade([row('short')])).toHaveLength(1);
  });
});

test('a run that ends by itself says why and exits, its standard input open', async () => {
  warm = new WarmProcess('score_model', ['--max-calls', '3', '--no-cache', '-j', '1']);
  expect(await warm.grade([row('one'), row('two')])).toEqual([1, 1]);
  expect(await warm.grade([row('three'), row('four'), row('five')])).toEqual([1]);
  expect(await warm.exit).toBe(3);
  expect(warm.stderr).toBe('assay: stopped: the budget of 3 calls is used up\n');
});

test('a reader that has gone ends it with the next batch', async () => {
  warm = new WarmProcess('string_check');
  expect(await warm.grade([row('read')])).toEqual([1]);
  warm.process.stdout.destroy();
  warm.process.stdin.on('error', () => {});
  warm.write([row('not read')]);
  expect(await warm.exit).toBe(0);
});

test('an interruption ends it while it waits', async () => {
  warm = new WarmProcess('python', ['-j', '2']);
  expect(await warm.grade([row('read')])).toEqual([1]);
  warm.process.kill('SIGTERM');
  expect(await warm.exit).toBe(130);
  expect(warm.stderr).toBe('');
});
