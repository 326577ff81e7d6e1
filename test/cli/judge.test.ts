import { createServer, type Server } from 'node:http';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { assay, parseLines } from './assay.js';

const KEY = 'sk-a-secret-that-nobody-writes';

let folder: string;
let server: Server;
let asked: { readonly authorization: string | undefined; readonly body: string }[];

/** Answers every question with its length, as a part of a thousand. */
const answer = (body: string) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model: 'judge-2025',
  choices: [
    {
      index: 0,
      finish_reason: 'stop',
      message: { role: 'assistant', content: JSON.stringify({ steps: [], result: body.length / 1e6 }) },
    },
  ],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-judge-'));
  asked = [];
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      asked.push({ authorization: request.headers.authorization, body });
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answer(body)));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  vi.stubEnv('OPENAI_BASE_URL', `http://127.0.0.1:${port}/v1`);
  vi.stubEnv('OPENAI_API_KEY', KEY);
  vi.stubEnv('ASSAY_HOME', join(folder, 'home'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  server.close();
  await rm(folder, { recursive: true });
});

const write = async (name: string, text: string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
};

const judgeFile = () =>
  write(
    'judge.json',
    JSON.stringify({
      type: 'score_model',
      model: 'judge',
      input: [{ role: 'user', content: 'How good is {{ sample.output_text }}?' }],
      pass_threshold: 0,
    }),
  );

const rowsFile = () =>
  write(
    'rows.jsonl',
    Array.from(
      { length: 30 },
      (_, n) => `${JSON.stringify({ item: { n }, sample: 'x'.repeat(n + 1) })}\n`,
    ).join(''),
  );

const filesBelow = async (path: string): Promise<string> => {
  const names = await readdir(path, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  return (await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'utf8')))).join(
    '\n',
  );
};

describe('a judge', () => {
  test('is asked once about each row; a second run is the same without asking', async () => {
    const args = ['run', await judgeFile(), await rowsFile(), '--quiet'];
    const first = await assay(args);
    expect(first.code).toBe(0);
    expect(asked).toHaveLength(30);
    expect(asked.every(({ authorization }) => authorization === `Bearer ${KEY}`)).toBe(true);
    const lines = parseLines(first.stdout);
    expect(lines.map(({ row }) => row)).toEqual([...Array(30).keys()]);
    expect(lines.every(({ status, passed }) => status === 'scored' && passed === true)).toBe(true);

    expect(await assay(args)).toEqual(first);
    expect(asked).toHaveLength(30);

    expect(await assay([...args, '--no-cache'])).toEqual(first);
    expect(asked).toHaveLength(60);
  });

  test('whose key is nowhere in what is written', async () => {
    const { stdout, stderr } = await assay(['run', await judgeFile(), await rowsFile()]);
    expect(stdout + stderr + (await filesBelow(folder))).not.toContain(KEY);
  });

  test('without a key is an error before the first row, and a warning where nothing is graded', async () => {
    vi.stubEnv('OPENAI_BASE_URL', undefined);
    vi.stubEnv('OPENAI_API_KEY', undefined);
    const grader = await judgeFile();
    const run = await assay(['run', grader, await rowsFile()]);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toContain('OPENAI_API_KEY');
    const validated = await assay(['validate', grader]);
    expect(validated.code).toBe(0);
    expect(validated.stderr).toContain('warning: cannot run here');
  });
});
