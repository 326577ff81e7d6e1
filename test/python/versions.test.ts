import { describe, expect, test } from 'vitest';
import { parseRow } from '../../src/dataset/row.js';
import type { PythonOptions } from '../../src/python/host.js';
import { outcomeOf, settled, withSource } from './grading.js';

/**
 * The heart of the contract in every Python that is named: `PYTHONS=/usr/bin/python3.9:/usr/bin/python3.14`. Without it,
 * in the one that graders run with anyway.
 */
const { PYTHONS = '' } = process.env;
const pythons: (string | undefined)[] = PYTHONS === '' ? [undefined] : PYTHONS.split(':');

const SOURCE = `
from __future__ import annotations
import asyncio, dataclasses, inspect, json, os, pickle, sys, typing, zlib

@dataclasses.dataclass
class Answer:
    text: str | None = None

async def later(value):
    await asyncio.sleep(0)
    return value

def deep(n):
    return deep(n + 1)

def fails(): raise ValueError("a reason")

def grade(sample: dict[str, typing.Any], item: dict) -> float:
    kind = item["kind"]
    if kind == "number": return item["value"]
    if kind == "json": return sample["output_json"]["score"]
    if kind == "shape": return list(sample) == ["output_tools", "choices", "output_text"]
    if kind == "dataclass": return pickle.loads(pickle.dumps(Answer("x"))) == Answer("x")
    if kind == "source": return inspect.getsource(fails).startswith("def fails")
    if kind == "async": return later(0.5)
    if kind == "print":
        print("printed", kind)
        return 1
    if kind == "file":
        with open("file", "w") as file: return file.write("abc")
    if kind == "none": return None
    if kind == "raises": return fails()
    if kind == "deep": return deep(0)
    if kind == "exit": sys.exit(3)
    if kind == "crash": os.kill(os.getpid(), 11)
    if kind == "hang":
        while True: pass
    if kind == "memory": return len(bytearray(1 << 30))
    if kind == "fork": return os.fork()
    if kind == "read": return len(open("/etc/passwd").read())
    if kind == "version": return sys.version_info[0]
    return zlib.crc32(repr(sorted(item["value"].items())).encode("utf-8", "surrogatepass"))
`;

const VALUE = String.raw`{"a": [1.0, 1, -0.0, 9007199254740993], "é": "\ud800\u0000", "__proto__": null, "e": 1e400}`;
const text = (kind: string, value = '1', sample = '"x"') =>
  parseRow(`{"item": {"kind": "${kind}", "value": ${value}}, "sample": ${sample}}`);

const CASES: readonly { kind: string; row?: ReturnType<typeof text>; gives: number | RegExp }[] = [
  { kind: 'number', row: text('number', '0.25'), gives: 0.25 },
  { kind: 'number', row: text('number', 'true'), gives: 1 },
  { kind: 'number', row: text('number', '-3'), gives: -3 },
  { kind: 'json', row: text('json', '1', String.raw`"{\"score\": 0.5}"`), gives: 0.5 },
  { kind: 'shape', gives: 1 },
  { kind: 'repr', row: text('repr', VALUE), gives: 3_901_965_760 },
  { kind: 'dataclass', gives: 1 },
  { kind: 'source', gives: 1 },
  { kind: 'async', gives: 0.5 },
  { kind: 'print', gives: 1 },
  { kind: 'file', gives: 3 },
  { kind: 'none', gives: /^python_grader_runtime_error: grade\(\) returned None/ },
  {
    kind: 'raises',
    gives: /ValueError: a reason\n {2}File "<grader>", line \d+, in grade\n.*\n.*, in fails\n/,
  },
  { kind: 'deep', gives: /RecursionError: / },
  { kind: 'exit', gives: /SystemExit: 3/ },
  { kind: 'crash', gives: /killed by SIGSEGV/ },
  { kind: 'hang', gives: /took longer than 1 s/ },
  { kind: 'memory', gives: /out of memory .*MemoryError/ },
  { kind: 'fork', gives: /PermissionError/ },
  { kind: 'read', gives: /PermissionError/ },
  { kind: 'version', gives: 3 },
];

describe.runIf(process.platform === 'linux').each(pythons)('python %s', (python) => {
  test.each(['confined', 'strict'] as const)('%s', async (isolation) => {
    let printed = '';
    const options: PythonOptions = {
      python,
      isolation,
      timeoutMs: 1_000,
      memoryBytes: 2 ** 28,
      onOutput: (more) => {
        printed += more;
      },
    };
    const outcomes = await withSource(
      SOURCE,
      async ({ grader, warnings }) => {
        expect(warnings).toEqual([]);
        expect(grader.signature).toMatch(new RegExp(`^python 3\\.\\d+\\.\\d+ ${isolation}$`));
        const scores = CASES.map(({ kind, row = text(kind) }) => settled(grader.gradeRow(row)));
        return (await Promise.all(scores)).map(outcomeOf);
      },
      options,
    );
    for (const [index, { kind, gives }] of CASES.entries())
      if (typeof gives === 'number') expect([kind, outcomes[index]]).toEqual([kind, gives]);
      else expect(outcomes[index], kind).toMatch(gives);
    expect(printed).toContain('printed print\n');
  });

  test('a source that it cannot read', async () => {
    await withSource(
      'def grade(sample, item)\n    return 1\n',
      async ({ grader, warnings }) => {
        const score = await grader.grade({ item: {} });
        expect(outcomeOf(score)).toMatch(/^python_grader_runtime_error: SyntaxError: /);
        expect(warnings).toHaveLength(1);
      },
      { python },
    );
  });
});
