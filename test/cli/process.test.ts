import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunRecord } from '../../src/results/record.js';
import { parseLines } from './assay.js';

/** The built command: `npm test` builds it first. */
const CLI = new URL('../../dist/cli.js', import.meta.url).pathname;

let folder: string;
let grader: string;
let data: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-process-'));
  grader = join(folder, 'grader.json');
  data = join(folder, 'data.jsonl');
  const template = { input: '{{ sample.output_text }}', reference: '{{ item.answer }}' };
  await writeFile(
    grader,
    JSON.stringify({ type: 'text_similarity', evaluation_metric: 'bleu', ...template }),
  );
  const stream = createWriteStream(data);
  const text = 'The quick brown fox jumps over the lazy dog, and then it does so once more. '.repeat(8);
  for (let n = 0; n < 40_000; n += 1)
    stream.write(`${JSON.stringify({ item: { answer: text }, sample: `${n} ${text}` })}\n`);
  stream.end();
  await once(stream, 'finish');
});
afterAll(() => rm(folder, { recursive: true }));

const exitOf = async (child: ReturnType<typeof spawn>): Promise<number | null> => {
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
};

test('Ctrl-C keeps whole lines, says so in the record, and exits with 130', async () => {
  const output = join(folder, 'interrupted.jsonl');
  const child = spawn(process.execPath, [CLI, 'run', grader, data, '-o', output], { stdio: 'ignore' });
  const exited = exitOf(child);
  // The first block has been graded when the file has lines; then there is much left to interrupt.
  while ((await readFile(output, 'utf8').catch(() => '')) === '')
    await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGINT');
  expect(await exited).toBe(130);
  const lines = parseLines(await readFile(output, 'utf8'));
  expect(lines.map(({ row }) => row)).toEqual(lines.map((_, index) => index));
  expect(lines.length).toBeLessThan(40_000);
  const record = JSON.parse(await readFile(`${output}.run.json`, 'utf8')) as RunRecord;
  expect(record.status).toBe('interrupted');
  expect(record.summary?.rows).toBe(lines.length);
});

test('a reader that stops reading ends the run quietly', async () => {
  const child = spawn(process.execPath, [CLI, 'run', grader, data], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  child.stdout?.once('data', () => child.stdout?.destroy());
  expect(await exitOf(child)).toBe(0);
  expect(stderr).toBe('');
});

test('kill -9 leaves whole lines but for the last', async () => {
  const output = join(folder, 'killed.jsonl');
  const child = spawn(process.execPath, [CLI, 'run', grader, data, '-o', output], { stdio: 'ignore' });
  const exited = exitOf(child);
  while ((await readFile(output, 'utf8').catch(() => '')) === '')
    await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGKILL');
  await exited;
  const text = await readFile(output, 'utf8');
  const whole = parseLines(text.slice(0, text.lastIndexOf('\n') + 1));
  expect(whole.map(({ row }) => row)).toEqual(whole.map((_, index) => index));
  expect((JSON.parse(await readFile(`${output}.run.json`, 'utf8')) as RunRecord).status).toBe('running');
});
