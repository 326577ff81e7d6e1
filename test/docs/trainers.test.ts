import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = new URL('../../', import.meta.url).pathname;
/** The built command: `npm test` builds it first. */
const CLI = join(ROOT, 'dist/cli.js');
const PAGE = join(ROOT, 'docs/trainers.md');

const run = promisify(execFile);

let folder: string;
let page: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-trainers-'));
  page = await readFile(PAGE, 'utf8');
  // A block that names a file is that file.
  for (const [, name, text] of page.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms))
    await writeFile(join(folder, name), text);
  // `assay` on the path, as an installation puts it there.
  await mkdir(join(folder, 'bin'));
  await symlink(CLI, join(folder, 'bin/assay'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs Python beside the files of the page; what it prints last is JSON. */
const python = async (...lines: readonly string[]): Promise<unknown> => {
  const script = ['import json, logging', 'logging.basicConfig(level=logging.WARNING)', ...lines].join('\n');
  const env = {
    ...process.env,
    PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const { stdout } = await run('python3', ['-W', 'error', '-c', script], { cwd: folder, env });
  return JSON.parse(stdout.trim().split('\n').at(-1) as string) as unknown;
};

const REWARD = ['from assay_reward import AssayReward', 'reward = AssayReward("grader.json")'];

describe('the Python of the page', () => {
  test('is called as GRPOTrainer calls it', async () => {
    const seen = await python(
      ...REWARD,
      'metrics, extra = {}, {}',
      'class State: global_step = 3',
      'def call(prompts, completions, **columns):',
      '    return reward(prompts=prompts, completions=completions, completion_ids=[[1, 2]] * len(prompts), **columns,',
      '                  trainer_state=State(), log_extra=extra.__setitem__, log_metric=metrics.__setitem__)',
      'question = [{"role": "user", "content": "What is 17 + 25?"}]',
      'answers = ["The answer is 42", "perhaps 41, or 42", "no idea", "The answer is 42"]',
      'said = [[{"role": "assistant", "content": text}] for text in answers]',
      'plain = call(["17 + 25 ="] * 4, answers, answer=["42", "42", "42", None])',
      'first = dict(metrics)',
      'chat = call([question] * 4, said, answer=["42", "42", "42", None])',
      'parts = [{"type": "text", "text": "The answer "}, {"type": "text", "text": "is 7"}]',
      'other = call([question] * 2, [[{"role": "assistant", "content": c}] for c in (parts, None)], answer=["7", "7"])',
      'print(json.dumps([reward.__name__, plain, first, chat, other, metrics]))',
    );
    expect(seen).toEqual([
      'grader',
      [1, 0.9, 0, null],
      {
        'grader/failed': 0.25,
        'grader/correct': expect.closeTo(2 / 3),
        'grader/form': expect.closeTo(1 / 3),
      },
      [1, 0.9, 0, null],
      [1, 0],
      { 'grader/failed': 0, 'grader/correct': 0.5, 'grader/form': 0.5 },
    ]);
  });

  test('says why a completion has no reward', async () => {
    const seen = await python(
      'import io',
      'log = io.StringIO()',
      'logging.getLogger("assay_reward").addHandler(logging.StreamHandler(log))',
      ...REWARD,
      'rewards = reward(["q"] * 3, ["The answer is 1"] * 3, answer=["1", "one", "one"])',
      'print(json.dumps([rewards, log.getvalue().splitlines()[0]]))',
    );
    const message = "ValueError: could not convert string to float: 'one'";
    expect(seen).toEqual([
      [1, null, null],
      `grader: 2 of 3 completions not graded: python_grader_runtime_error: correct: ${message}`,
    ]);
  });

  test('gives values that JSON does not know as text, and leaves alone what is no column', async () => {
    const prompted = {
      type: 'string_check',
      operation: 'eq',
      input: '{{ item.question }} {{ item.day }} {{ sample.output_text }}',
      reference: 'q 2024-02-29 a',
    };
    await writeFile(join(folder, 'prompted.json'), JSON.stringify(prompted));
    const seen = await python(
      'import datetime',
      'from assay_reward import AssayReward',
      'reward = AssayReward("prompted.json", prompt_column="question")',
      'day = datetime.date(2024, 2, 29)',
      'print(json.dumps(reward(["q", "p"], ["a", "a"], day=[day, day], environments=None, scale=2, other=[1, 2, 3])))',
    );
    expect(seen).toEqual([1, 0]);
  });

  test('keeps one process, through batches larger than any pipe and calls from several threads', async () => {
    const seen = await python(
      'from concurrent.futures import ThreadPoolExecutor',
      ...REWARD,
      'def batch(n):',
      '    texts = [f"The answer is {n}" if k % 2 else "none" for k in range(100)]',
      '    return reward(["q"] * 100, texts, answer=[str(n)] * 100) == [float(k % 2) for k in range(100)]',
      'large = reward(["why? " * 500] * 3000, ["The answer is 5"] * 3000, answer=["5"] * 3000)',
      'process = reward._process.pid',
      'with ThreadPoolExecutor(4) as pool: right = list(pool.map(batch, range(12)))',
      'print(json.dumps([sum(large), all(right), reward._process.pid == process, reward([], [])]))',
    );
    expect(seen).toEqual([3000, true, true, []]);
  });

  test('raises when the process ends, with its last words, and starts another one', async () => {
    const seen = await python(
      ...REWARD,
      'import pickle',
      'said = []',
      'def call(reward):',
      '    try: return reward(["q"], ["The answer is 1"], answer=["1"])',
      '    except RuntimeError as error: said.append(str(error))',
      'call(AssayReward("missing.json"))',
      'call(reward); reward._process.kill(); call(reward)',
      'again = call(reward)',
      'copy = pickle.loads(pickle.dumps(reward))',
      'print(json.dumps([said, again, call(copy), copy._process.pid != reward._process.pid]))',
    );
    expect(seen).toEqual([
      [
        'missing: assay ended with exit code 2\nassay: missing.json: cannot read the file: it does not exist',
        'grader: assay ended with exit code -9',
      ],
      [1],
      [1],
      true,
    ]);
  });

  test('ends the process with the program, and when it is closed', async () => {
    const processes = (await python(
      ...REWARD,
      'other = AssayReward("grader.json")',
      'for each in (reward, other): each(["q"], ["1"], answer=["1"])',
      'closed = other._process',
      'other.close()',
      'print(json.dumps([closed.poll(), reward._process.pid]))',
    )) as [number, number];
    expect(processes[0]).not.toBeNull();
    expect(() => process.kill(processes[1], 0)).toThrow('ESRCH');
  });

  test('verl calls its functions for one completion and for many', async () => {
    const seen = await python(
      'from verl_reward import compute_score, compute_scores',
      'one = compute_score(data_source="sums", solution_str="The answer is 4", ground_truth="4", extra_info={"split": "train"})',
      'many = compute_scores(data_sources=("sums",) * 2, solution_strs=["4", "5"], ground_truths=["4", "4"],',
      '                      extra_infos=[None, None], reward_router_address=None)',
      'try: said = compute_score("sums", "The answer is 4", None)',
      'except RuntimeError as error: said = str(error)',
      'print(json.dumps([one, many, said]))',
    );
    expect(seen).toEqual([1, [0.9, 0], 'a completion could not be graded; the log says why']);
  });

  test('OpenRLHF calls its function with queries, prompts and labels', async () => {
    // The page's only use of torch is `torch.tensor`.
    const seen = await python(
      'import sys, types',
      'sys.modules["torch"] = types.SimpleNamespace(tensor=list)',
      'from reward_func import reward_func',
      'queries = ["2 + 2 = The answer is 4", "3 + 3 = 7"]',
      'print(json.dumps(reward_func(queries=queries, prompts=["2 + 2 = ", "3 + 3 = "], labels=["4", "6"])))',
    );
    expect(seen).toEqual({ rewards: [1, 0], scores: [1, 0], extra_logs: {} });
  });
});

test('the process answers the line of the page as the page says', async () => {
  const [, command, row, result] = /^```\n(assay run .*?)\n```.*?^```\n(.*?\n)(.*?\n)```/ms.exec(
    page,
  ) as RegExpExecArray;
  const said = await python(
    'import subprocess',
    `answered = subprocess.run(${JSON.stringify(command.split(' '))}, input=${JSON.stringify(row)}, stdout=-1, text=True)`,
    'print(json.dumps([answered.stdout, answered.returncode]))',
  );
  expect(said).toEqual([result, 0]);
});

test('the TypeScript of the page compiles and gives what it says', async () => {
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, '@types'), { recursive: true });
  await symlink(ROOT, join(modules, 'assay'));
  await symlink(join(ROOT, 'node_modules/@types/node'), join(modules, '@types/node'));
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    strict: true,
    types: ['node'],
    skipLibCheck: true,
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['reward.ts'] }));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await writeFile(
    join(folder, 'samples.jsonl'),
    '{"item":{"answer":"1"},"sample":"1"}\n{"item":{},"sample":"1"}\n',
  );
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const compiled = await run(process.execPath, [tsc, '-p', folder]).catch(
    (error: { stdout: string }) => error,
  );
  expect(compiled.stdout).toBe('');
  const { stdout, stderr } = await run(process.execPath, ['reward.js'], { cwd: folder });
  const [, promised] = /console\.log\(await rewards\(batch\)\); \/\/ (.*)$/m.exec(page) as RegExpExecArray;
  expect(stdout).toBe(`${promised}\n0.9 { python_grader_runtime_error: 1 }\n`);
  expect(stderr).toMatch(/^not graded: python_grader_runtime_error: correct: KeyError: 'answer'/);
});
