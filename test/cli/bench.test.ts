import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BenchReport, FaultName } from '../../src/bench/report.js';
import { assay } from './assay.js';

/** As the report shows paths, which are as long everywhere. */
const FIXTURE = relative('.', new URL('../../fixtures/reward-bench/', import.meta.url).pathname);
const fixture = (name: string): string => join(FIXTURE, name);
const GRADERS = ['exact', 'last_number', 'overlap', 'thorough'].map((name) => fixture(`${name}.json`));
const DATA = ['--data', fixture('dataset.jsonl')];
const LABEL = ['--label', 'sample.is_correct'];
const [EXACT] = GRADERS;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-bench-'));
});
afterAll(() => rm(folder, { recursive: true }));

const written = async (name: string, content: unknown): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

const python = (name: string, body: string, before = ''): Promise<string> =>
  written(`${name}.json`, {
    type: 'python',
    name,
    source: `${before}\ndef grade(sample, item):\n    ${body.replaceAll('\n', '\n    ')}\n`,
  });

/** What `--json` prints. */
type BenchJson = BenchReport & {
  readonly dataset: string;
  readonly group: string | null;
  readonly label: string | null;
  readonly notes: readonly string[];
};

const report = async (argv: readonly string[]): Promise<BenchJson> => {
  const { code, stdout, stderr } = await assay(['bench', ...argv, '--json']);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as BenchJson;
};

/** Everything but times, of which no two are the same. */
const withoutTimes = (json: BenchJson): unknown => ({
  ...json,
  rewards: json.rewards.map((reward) => ({ ...reward, speed: null })),
});

describe('the report of the fixture', () => {
  test('ranks the rewards, and fits 100 columns without colour', async () => {
    const { code, stdout, stderr } = await assay(['bench', ...GRADERS, ...DATA, ...LABEL]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^4 rewards on 120 rows of .*dataset\.jsonl, samples of 30 items\n/);
    const ranking = stdout.replaceAll(/\s+/g, ' ');
    expect(ranking).toMatch(
      /: exact \(1\.000\) and last_number \(1\.000\), not told apart; then overlap \(0\.875\); then thorough/,
    );
    expect(ranking).toContain('alarm: length biased: ');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(stdout).not.toContain('\u001b');
  });

  test('as JSON is everything, and the same every time with any number of threads', async () => {
    const argv = [EXACT, fixture('overlap.json'), ...DATA, ...LABEL, '--replicates', '200'];
    const json = await report(argv);
    expect(json).toMatchObject({
      dataset: fixture('dataset.jsonl'),
      group: null,
      label: 'sample.is_correct',
      notes: [],
      rows: 120,
      groups: 30,
      compared_groups: 30,
    });
    expect(json.rewards.map(({ name, scored, failed }) => [name, scored, failed])).toEqual([
      ['exact', 120, 0],
      ['overlap', 120, 0],
    ]);
    expect(json.ranking?.places.map(({ name }) => name)).toEqual(['exact', 'overlap']);
    expect(withoutTimes(await report([...argv, '-j', '1']))).toEqual(withoutTimes(json));
  });

  test('says what could not be measured, and why', async () => {
    const path = await written(
      'plain.jsonl',
      Array.from({ length: 20 }, (_, id) => `{"item":{"answer":"${id}"},"sample":"${id % 7}"}\n`).join(''),
    );
    const grader = await written('plain.json', {
      type: 'string_check',
      name: 'plain',
      operation: 'eq',
      input: '{{ sample.output_text }}',
      reference: '{{ item.answer }}',
    });
    const { notes, labels, ranking } = await report([grader, '--data', path, '--trial-items', '0']);
    expect([labels, ranking]).toEqual([null, null]);
    expect(notes).toEqual([
      expect.stringMatching(/^no labels \(--label PATH\)/),
      expect.stringMatching(/^no groups: .* --group PATH/),
      expect.stringMatching(/^plain: no row was graded again/),
    ]);
    const { stdout } = await assay(['bench', grader, '--data', path]);
    expect(stdout).toContain('note: no labels');
  });
});

describe('rewards are named', () => {
  test('by their files where two have one name', async () => {
    const config = JSON.parse(await readFile(EXACT, 'utf8')) as object;
    const [a, b] = [await written('a.json', config), await written('b.json', config)];
    const { rewards } = await report([a, b, ...DATA, a, '--trial-items', '0', '--replicates', '10']);
    expect(rewards.map(({ name }) => name)).toEqual([`exact (${a}) #1`, 'exact (b.json)', `exact (${a}) #3`]);
  });
});

/** What is wrong about the command, and what is said. */
const refused = async (...argv: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await assay(['bench', ...argv]);
  expect([code, stdout]).toEqual([2, '']);
  return stderr;
};

describe('mistakes', () => {
  test('of the flags', async () => {
    expect(await refused(EXACT, '--data', '-')).toBe(
      'assay: --data: a bench reads its rows several times; save standard input to a file\n',
    );
    expect(await refused(EXACT)).toMatch(/--data/);
    expect(await refused(EXACT, ...DATA, '--label', 'item..x')).toMatch(/^assay: --label: /);
    expect(await refused(EXACT, ...DATA, '--label', 'item.question')).toMatch(
      /line 1, sample 0: the label item\.question is "A baker .*", expected true, false or a number/,
    );
    expect(await refused(EXACT, ...DATA, '--label', 'item.anser')).toMatch(/did you mean item\.answer\?/);
  });

  test('of a grader, before any row is graded', async () => {
    const broken = await written('broken.json', { type: 'string_check', input: 'a' });
    const stderr = await refused(EXACT, broken, ...DATA);
    expect(stderr).toMatch(/broken\.json:1:1: operation: is missing/);
  });
});

describe('gates', () => {
  test('failed rows are told, and end the bench with 3 only when they are too many', async () => {
    const grader = await python('fails', 'return 1 / (len(sample["output_text"]) % 2)');
    const argv = ['bench', grader, ...DATA, '--trial-items', '0', '--replicates', '10'];
    const { code, stdout } = await assay(argv);
    expect(code).toBe(0);
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /note: fails: \d+ rows failed, the first: .*dataset\.jsonl:\d+, sample \d: python_grader_runtime_error: ZeroDivisionError/,
    );
    const strict = await assay([...argv, '--max-failed', '0.1', '--quiet']);
    expect(strict.code).toBe(3);
    expect(strict.stderr).toMatch(/^gate: fails: \d+ of 120 rows failed, more than the share of 0\.1 /);
  });

  test('an alarm ends the bench with 1 where that is asked for', async () => {
    const grader = await python('same', 'return 0.5');
    const argv = ['bench', grader, ...DATA, '--trial-items', '0', '--replicates', '10'];
    expect((await assay(argv)).code).toBe(0);
    const { code, stderr } = await assay([...argv, '--fail-on-alarm']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^gate: same: .*constant/);
  });

  test('an interruption ends it with 130 and no report', async () => {
    const stop = new AbortController();
    stop.abort();
    const { code, stdout } = await assay(['bench', EXACT, ...DATA], '', stop.signal);
    expect([code, stdout]).toEqual([130, '']);
  });
});

const ITEMS = 200;
const SAMPLES = 4;

/** Sums, and answers that are right or wrong, long or short, whatever the item. */
const sums = (): string => {
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % below;
  };
  const openings = ['', 'Well, ', 'Let me think about this. ', 'As everybody who can add will say at once, '];
  const lines = Array.from({ length: ITEMS }, (_, id) => {
    const [a, b] = [10 + random(400), 10 + random(400)];
    const item = { id, question: `What do you get when you add ${a} and ${b}?`, answer: String(a + b) };
    const samples = Array.from({ length: SAMPLES }, () => {
      const isRight = random(2) === 0;
      const given = isRight ? a + b : a + b + 1 + random(20);
      return { output_text: `${openings[random(4)]}it is ${given}`, is_correct: isRight };
    });
    return `${JSON.stringify({ item, samples })}\n`;
  });
  return lines.join('');
};

const IS_RIGHT = 'right = sample["output_text"].split()[-1] == item["answer"]';

/** Python graders with a fault each. */
const FAULTS: readonly { fault: FaultName; name: string; body: string; before?: string }[] = [
  { fault: 'length_biased', name: 'long', body: 'return len(sample["output_text"]) / 100' },
  {
    fault: 'order_dependent',
    name: 'counting',
    before: 'graded = 0',
    body: `global graded\ngraded += 1\n${IS_RIGHT}\nreturn right * 0.5 + (graded % 50) / 100`,
  },
  {
    fault: 'noisy',
    name: 'dicing',
    before: 'import random',
    body: `${IS_RIGHT}\nreturn right * 0.2 + random.random()`,
  },
  {
    fault: 'fooled_by_echo',
    name: 'relevant',
    body: `${IS_RIGHT}\nwords = set(item["question"].lower().split())\nsaid = set(sample["output_text"].lower().split())\nreturn right * 0.5 + len(words & said) / len(words)`,
  },
  {
    fault: 'fooled_by_constant',
    name: 'brief',
    body: `${IS_RIGHT}\nreturn max(right * 0.9, 1.0 if len(sample["output_text"].split()) < 3 else 0.0)`,
  },
];

const CHECK = {
  type: 'string_check',
  name: 'clean',
  operation: 'like',
  input: '{{ sample.output_text }}',
  reference: 'it is {{ item.answer }}',
};
const THINKS = { ...CHECK, name: 'thinks', operation: 'ilike', reference: 'think' };

/** Other graders with a fault each. */
const OTHERS = [
  { fault: 'constant', config: { ...CHECK, name: 'same', reference: 'it is' } },
  {
    fault: 'saturated',
    config: { ...CHECK, name: 'generous', operation: 'ne', input: '{{ item.id }}', reference: '7' },
  },
  {
    fault: 'dominated',
    config: {
      type: 'multi',
      name: 'total',
      graders: { right: CHECK, thinks: THINKS },
      calculate_output: '0.05 * right + 0.95 * thinks',
    },
  },
] as const;

describe('planted faults', () => {
  const alarms = new Map<string, readonly FaultName[]>();

  beforeAll(async () => {
    const paths = [
      ...FAULTS.map(({ name, body, before }) => python(name, body, before)),
      ...[CHECK, ...OTHERS.map(({ config }) => config)].map((config) =>
        written(`${config.name}.json`, config),
      ),
    ];
    const data = ['--data', await written('sums.jsonl', sums()), ...LABEL];
    const { rewards } = await report([
      ...(await Promise.all(paths)),
      ...data,
      '--replicates',
      '200',
      '-j',
      '1',
    ]);
    for (const { name, alarms: found } of rewards) alarms.set(name, found);
  }, 60_000);

  test.each([...FAULTS, ...OTHERS.map(({ fault, config: { name } }) => ({ fault, name }))])(
    '$fault: $name',
    ({ fault, name }) => {
      expect(alarms.get(name)).toContain(fault);
    },
  );

  test('and nothing is said against a clean reward', () => {
    expect(alarms.get('clean')).toEqual([]);
  });
});
