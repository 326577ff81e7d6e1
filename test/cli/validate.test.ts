import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assay as runAssay, type Outcome } from './assay.js';
import type { Diagnostic } from '../../src/cli/config-file.js';

const BROKEN = new URL('../../fixtures/broken/', import.meta.url).pathname;

const assay = (...argv: string[]): Promise<Outcome> => runAssay(argv);

const parseDiagnostics = ({ stdout }: Outcome): Diagnostic[] => JSON.parse(stdout) as Diagnostic[];

interface Expected extends Pick<Diagnostic, 'line' | 'column' | 'path'> {
  readonly severity?: Diagnostic['severity'];
  /** The start of the message. */
  readonly message: string;
  readonly hint?: string;
}

const expected = JSON.parse(await readFile(join(BROKEN, 'expected.json'), 'utf8')) as Record<
  string,
  Expected[]
>;

describe('fixtures/broken', () => {
  test('expected.json has every file', async () => {
    const files = (await readdir(BROKEN)).filter((name) => !['expected.json', 'README.md'].includes(name));
    expect(files.sort()).toEqual(Object.keys(expected).sort());
    expect(files.length).toBeGreaterThanOrEqual(30);
  });

  test.each(Object.entries(expected))('%s', async (name, mistakes) => {
    const path = join(BROKEN, name);
    const json = await assay('validate', '--json', path);
    expect(json.code).toBe(2);
    expect(json.stderr).toBe('');
    const found = parseDiagnostics(json);
    expect(found.map(({ message }, index) => message.slice(0, mistakes[index]?.message.length))).toEqual(
      mistakes.map(({ message }) => message),
    );
    expect(
      found.map(({ line, column, path, severity, hint }) => ({ line, column, path, severity, hint })),
    ).toEqual(
      mistakes.map(({ line, column, path, severity = 'error', hint = null }) => ({
        line,
        column,
        path,
        severity,
        hint,
      })),
    );

    const prose = await assay('validate', path);
    expect(prose.code).toBe(2);
    expect(prose.stdout).toBe('');
    expect(prose.stderr).not.toMatch(/\n\s+at /);
    for (const { line, column } of mistakes) expect(prose.stderr).toContain(`${path}:${line}:${column}: `);
    expect(prose.stderr.trimEnd().split('\n').at(-1)).toMatch(/: \d+ mistakes?(, \d+ warnings?)?$/);
  });

  test('a run refuses a broken grader in the same words, and nothing is graded', async () => {
    const path = join(BROKEN, 'bad-operation.json');
    const { code, stdout, stderr } = await assay('run', path, '/dev/null');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`${path}:5:16: operation: expected one of eq`);
  });
});

describe('files of all kinds', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-validate-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  const GOOD =
    '{"type":"string_check","name":"exact","input":"{{ sample.output_text }}","reference":"{{ item.answer }}","operation":"eq"}';

  const write = async (name: string, content: string | Uint8Array): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  };

  const diagnose = async (name: string, content: string | Uint8Array): Promise<readonly Diagnostic[]> =>
    parseDiagnostics(await assay('validate', '--json', await write(name, content)));

  test('a good file is called fine', async () => {
    const path = await write('good.json', GOOD);
    expect(await assay('validate', path)).toEqual({
      code: 0,
      stdout: '',
      stderr: `${path}: fine (string_check "exact")\n`,
    });
    expect(await assay('validate', '--json', path)).toEqual({ code: 0, stdout: '[]\n', stderr: '' });
  });

  test('warnings leave the exit code alone, but for --strict', async () => {
    const path = await write('warned.json', GOOD.replace('"type"', '"nme": "x", "type"'));
    const lenient = await assay('validate', path);
    expect(lenient.code).toBe(0);
    expect(lenient.stderr).toBe(
      `${path}:1:2: warning: nme: unknown key, expected one of name, input, reference, operation\n` +
        '  hint: did you mean "name"?\n' +
        `${path}: fine (string_check "exact"), 1 warning\n`,
    );
    const strict = await assay('validate', '--strict', path);
    expect(strict.code).toBe(2);
    expect(strict.stderr).toContain(`${path}:1:2: nme: unknown key`);
    expect(strict.stderr).toContain(`${path}: 1 mistake\n`);
  });

  test('all files are checked, whatever is wrong with some', async () => {
    const good = await write('good.json', GOOD);
    const missing = join(folder, 'missing.json');
    const { code, stderr } = await assay('validate', missing, folder, good);
    expect(code).toBe(2);
    expect(stderr).toBe(
      `${missing}: cannot read the file: it does not exist\n${missing}: 1 mistake\n` +
        `${folder}: cannot read the file: it is a directory\n${folder}: 1 mistake\n` +
        `${good}: fine (string_check "exact")\n`,
    );
  });

  test('keys of other graders and of editors are carried along', async () => {
    const carried =
      '{"$schema":"./assay.schema.json","id":"g1","image_tag":"x","sampling_params":null,"pass_threshold":1,';
    expect(await diagnose('carried.json', GOOD.replace('{', carried))).toEqual([]);
  });

  test('a byte order mark is taken away', async () => {
    expect(await diagnose('bom.json', `\ufeff${GOOD}`)).toEqual([]);
    const [mistake] = await diagnose('bom-broken.json', `\ufeff${GOOD.replace('"eq"', '"qe"')}`);
    expect(mistake.column).toBe(GOOD.indexOf('"eq"') + 1);
  });

  test.each([
    { name: 'UTF-16', bytes: Buffer.from(`\ufeff${GOOD}`, 'utf16le'), message: 'is encoded as UTF-16' },
    { name: 'UTF-16 without mark', bytes: Buffer.from(GOOD, 'utf16le'), message: 'is not a text file' },
    { name: 'Latin-1', bytes: Buffer.from('{\n "é": 1}', 'latin1'), message: 'a byte that is not UTF-8' },
    { name: 'too large', bytes: Buffer.alloc(9 * 2 ** 20, ' '), message: 'has 9.0 MiB, expected at most 8' },
  ])('$name is refused', async ({ bytes, message }) => {
    const [mistake, ...rest] = await diagnose('bytes.json', bytes);
    expect(rest).toEqual([]);
    expect(mistake.message).toContain(message);
    if (message.startsWith('a byte')) expect(mistake).toMatchObject({ line: 2, column: 3 });
  });

  test('positions count lines that end in CR LF', async () => {
    const text = '{\r\n  "type": "string_check",\r\n  "operation": "is"\r\n}';
    const found = await diagnose('crlf.json', text);
    expect(found.map(({ path, line, column }) => [path, line, column])).toContainEqual(['operation', 3, 16]);
  });

  test.each([
    { name: 'no escapes', input: '"ab {{ x }}"' },
    { name: 'short escapes', input: String.raw`"\"\n\t\\ {{ x }}"` },
    { name: 'a unicode escape', input: String.raw`"\u00e9 {{ x }}"` },
    { name: 'a surrogate pair of escapes', input: String.raw`"\ud83d\ude00 {{ x }}"` },
    { name: 'an emoji as it is', input: '"😀 {{ x }}"' },
    { name: 'escaped braces', input: String.raw`"\u007b{ x }}"` },
  ])('a template mistake behind $name has its exact column', async ({ input }) => {
    const line = `"input": ${input},`;
    const text = `{"type":"string_check",\n${line}"reference":"","operation":"eq"}`;
    const found = await diagnose('escapes.json', text);
    expect(found.map(({ path, line, column }) => ({ path, line, column }))).toEqual([
      { path: 'input', line: 2, column: line.indexOf('x }}') + 1 },
    ]);
  });

  test.each([
    { name: 'plain', yaml: 'a {{ x }}', line: 2, column: 13 },
    { name: 'single quotes', yaml: `'it''s {{ x }}'`, line: 2, column: 18 },
    { name: 'double quotes', yaml: String.raw`"\u00e9\n {{ x }}"`, line: 2, column: 21 },
    { name: 'a literal block', yaml: '|\n  one\n\n  two {{ x }}', line: 5, column: 10 },
  ])('a template mistake in YAML, $name, has its exact place', async ({ yaml, line, column }) => {
    const text = `type: string_check\ninput: ${yaml}\nreference: ''\noperation: eq\n`;
    const found = await diagnose('scalars.yaml', text);
    expect(found.map(({ path, line, column }) => ({ path, line, column }))).toEqual([
      { path: 'input', line, column },
    ]);
  });

  test('a deep file neither overflows the stack nor takes long', async () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    for (const text of [
      deep,
      `{"grader":`.repeat(50_000) + '1' + '}'.repeat(50_000),
      GOOD.replace('{', `{"extra":${deep},`),
      GOOD.replace('"eq"', deep),
      '['.repeat(100_000),
    ]) {
      const { code, stdout } = await assay('validate', '--json', await write('deep.json', text));
      expect([0, 2]).toContain(code);
      expect(stdout.length).toBeLessThan(2_000);
    }
    const yaml = await assay('validate', await write('deep.yaml', '['.repeat(20_000)));
    expect(yaml.code).toBe(2);
  });

  test('many mistakes in a large file are found in one go', async () => {
    const criteria = Array.from({ length: 5_000 }, () => GOOD.replace('"eq"', '"qe"'));
    const found = await diagnose('many.json', `[\n${criteria.join(',\n')}\n]`);
    expect(found).toHaveLength(5_000);
    expect(found[4_999]).toMatchObject({ line: 5_001, path: '[4999].operation' });
  });

  test('what a file says cannot steer the terminal', async () => {
    const path = await write('escape.json', '{"type":"\\u001b[2J\\u202e\\n","\\u001b]0;x\\u0007":1}');
    const { stderr } = await assay('validate', path);
    expect(stderr).not.toMatch(/[\u001b\u0007\u202e]/);
  });

  test('a folder without the sentence model is bad usage', async () => {
    const { code, stderr } = await assay('validate', '--punkt-data', folder, await write('good.json', GOOD));
    expect(code).toBe(2);
    expect(stderr).toContain(`--punkt-data: ${folder}/abbrev_types.txt is missing`);
  });

  test('an unknown profile is bad usage', async () => {
    const { code, stderr } = await assay(
      'validate',
      '--profile',
      'hosted-2024',
      await write('good.json', GOOD),
    );
    expect(code).toBe(2);
    expect(stderr).toContain('--profile: unknown profile "hosted-2024"');
  });
});
