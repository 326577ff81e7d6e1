import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtinGraders } from '../../graders/index.js';
import { createEngine } from '../../src/engine.js';
import { ConfigError, UnavailableError } from '../../src/errors.js';
import { createPython } from '../../src/python/host.js';
import type { Score } from '../../src/score.js';
import { onOneLine } from '../../src/show.js';
import {
  gradeAll,
  outcomeOf,
  loadSource,
  outcomesOf,
  withGrader,
  withSource,
  type Loaded,
} from '../python/grading.js';

const ROW = { item: { answer: '4' }, sample: '4' };

/** What a source gives for one row: the reward, or the text of the failure. */
const outcomeFor = async (source: string, row: Record<string, unknown> = ROW): Promise<number | string> => {
  const [outcome] = await outcomesOf(source, [row]);
  return outcome;
};

const python = (source: string, fields: object = {}) => ({ type: 'python', source, ...fields });

/** Python that gives the value of an expression, which the row names. */
const CASES = (prelude: string) => `${prelude}
def grade(sample, item):
    return eval(item["expression"])
`;

describe.runIf(process.platform === 'linux')('what grade() returns', () => {
  let loaded: Loaded;

  // All cases share one process: starting one takes longer than they do.
  beforeAll(async () => {
    const source = CASES(`
import cmath, enum, math, sys, types
from decimal import Decimal
from fractions import Fraction

class Evil(float):
    def __float__(self): return "evil"

class Raising(float):
    def __float__(self): raise ValueError("no float")

class Sly(float):
    def __float__(self): return float("nan")

class Liar:
    @property
    def __class__(self): return float
    def __float__(self): return 1.0

class Grade(enum.IntEnum):
    GOOD = 3

class Meta(type):
    def __getattribute__(cls, name): raise RuntimeError("no " + name)

class Unfriendly(metaclass=Meta):
    pass

numpy = types.ModuleType("numpy")
exec("""
class dtype:
    def __init__(self, kind): self.kind = kind
class generic: pass
class number(generic):
    def __init__(self, value, kind): self.value, self.dtype = value, dtype(kind)
    def __float__(self): return float(self.value)
class float64(float, generic):
    dtype = dtype("f")
""", numpy.__dict__)
`);
    loaded = await loadSource(source);
  });

  afterAll(() => loaded.python.close());

  const outcome = async (expression: string) => {
    const [score] = await gradeAll(loaded, [{ item: { expression } }]);
    return outcomeOf(score);
  };

  test.concurrent.each<[string, number]>([
    ['0.25', 0.25],
    ['1', 1],
    ['0', 0],
    ['-0.2', -0.2],
    ['100', 100],
    ['True', 1],
    ['False', 0],
    ['10**20', 1e20],
    ['2**53 + 1', 2 ** 53],
    ['sys.float_info.max', Number.MAX_VALUE],
    ['5e-324', 5e-324],
    ['0.1 + 0.2', 0.1 + 0.2],
    ['Grade.GOOD', 3],
    ['numpy.number(0.5, "f")', 0.5],
    ['numpy.number(True, "b")', 1],
    ['numpy.number(7, "u")', 7],
    ['numpy.float64(0.75)', 0.75],
  ])('%s is the reward %d', async (expression, reward) => {
    expect(await outcome(expression)).toBe(reward);
  });

  test('-0.0 is 0, as in every other reward', async () => {
    expect((await outcome('-0.0')) === 0).toBe(true);
  });

  test.concurrent.each([
    ['None', 'grade() returned None (NoneType), expected a number'],
    ['"pass"', "grade() returned 'pass' (str), expected a number"],
    ['"1.0"', "grade() returned '1.0' (str), expected a number"],
    ['[1.0]', 'grade() returned [1.0] (list), expected a number'],
    ['(1, 2)', 'grade() returned (1, 2) (tuple), expected a number'],
    ['{"score": 1}', "grade() returned {'score': 1} (dict), expected a number"],
    ['b"1"', "grade() returned b'1' (bytes), expected a number"],
    ['1j', 'grade() returned 1j (complex), expected a number'],
    ['"x" * 1000', `grade() returned '${'x'.repeat(79)}… (str), expected a number`],
    ['float("nan")', 'grade() returned nan, expected a finite number'],
    ['math.inf', 'grade() returned inf, expected a finite number'],
    ['-math.inf', 'grade() returned -inf, expected a finite number'],
    ['10**400', 'grade() returned an integer that is too large for a double'],
    ['Decimal("0.5")', 'grade() returned an object of type Decimal, expected a number'],
    ['Fraction(1, 2)', 'grade() returned an object of type Fraction, expected a number'],
    ['object()', 'expected a number'],
    ['float', "grade() returned <class 'float'> (type), expected a number"],
    ['Liar()', 'grade() returned an object of type Liar, expected a number'],
    ['Evil(0.5)', 'TypeError: Evil.__float__ returned non-float'],
    ['Raising(0.5)', 'ValueError: no float'],
    ['Sly(0.5)', 'grade() returned nan, expected a finite number'],
    ['numpy.number(1, "U")', 'grade() returned an object of type number, expected a number'],
    ['numpy.number(math.nan, "f")', 'grade() returned nan, expected a finite number'],
    ['numpy.dtype("f")', 'grade() returned an object of type dtype, expected a number'],
    ['grade', 'grade() returned <function grade at 0x…> (function), expected a number'],
    ['(n for n in [1])', '(generator), expected a number'],
  ])('%s is a failure', async (expression, text) => {
    expect(await outcome(expression)).toContain(`python_grader_runtime_error: `);
    expect(await outcome(expression)).toContain(text);
  });

  test('whatever a value makes of being looked at, the row fails and the next one does not', async () => {
    const [odd, next] = await gradeAll(loaded, [
      { item: { expression: 'Unfriendly()' } },
      { item: { expression: '1' } },
    ]);
    expect(odd).toMatchObject({ status: 'failed', code: 'python_grader_runtime_error' });
    expect(next).toEqual({ status: 'scored', reward: 1 });
  });
});

describe.runIf(process.platform === 'linux')('what grade() raises', () => {
  test.concurrent('comes with the lines of the source that led to it, in helper functions too', async () => {
    const source = [
      'def share(text):',
      '    return 1 / len(text)',
      '',
      'def grade(sample, item):',
      '    return share(sample["output_text"])',
    ].join('\n');
    expect(await outcomeFor(source, { item: {}, sample: '' })).toBe(
      [
        'python_grader_runtime_error: ZeroDivisionError: division by zero',
        '  File "<grader>", line 5, in grade',
        '    return share(sample["output_text"])',
        '  File "<grader>", line 2, in share',
        '    return 1 / len(text)',
      ].join('\n'),
    );
  });

  test.concurrent('without the lines of the libraries in between', async () => {
    const source = [
      'import functools, json',
      'def add(total, n): return total + json.loads(n)',
      'def grade(sample, item):',
      '    return functools.reduce(add, ["1", "x"], 0)',
    ].join('\n');
    const said = String(await outcomeFor(source));
    expect(said).toContain('JSONDecodeError: Expecting value: line 1 column 1 (char 0)');
    expect(said.match(/File "[^"]*", line \d+, in \w+/g)).toEqual([
      'File "<grader>", line 4, in grade',
      'File "<grader>", line 2, in add',
    ]);
  });

  test.concurrent('keeps its length where functions call themselves', async () => {
    const source = 'def f(n):\n    return f(n + 1)\n\ndef grade(sample, item):\n    return f(0)\n';
    const said = String(await outcomeFor(source));
    expect(said).toContain('RecursionError: maximum recursion depth exceeded');
    expect(said).toContain('line 5, in grade');
    expect(said.match(/in f\n/g)?.length).toBeLessThan(10);
  });

  test('any exception, and what is none elsewhere', async () => {
    const CAUSES: [string, string][] = [
      ['item["none"]', "KeyError: 'none'"],
      ['exec("assert 1 == 2, \'no\'")', 'AssertionError: no'],
      ['exec("raise ValueError(\'a\\\\nb\')")', 'ValueError: a\nb\n'],
      ['__import__("sys").exit("done")', 'SystemExit: done'],
      ['exec("raise KeyboardInterrupt")', 'KeyboardInterrupt'],
      ['exec("raise GeneratorExit")', 'GeneratorExit'],
      ['next(iter([]))', 'StopIteration'],
      ['bytearray(10**15)', 'out of memory (--python-memory): MemoryError'],
      ['exec("raise ValueError(object())")', 'ValueError: <object object at 0x…>'],
      ['b"\\xff".decode()', "UnicodeDecodeError: 'utf-8' codec"],
      ['exec("raise ValueError(\'a\\\\ud800z\')")', 'ValueError: a?z'],
      ['exec("try:\\n  {}[1]\\nexcept KeyError as e:\\n  raise ValueError(2) from e")', 'ValueError: 2'],
      ['exec("e = ValueError(1)\\ne.__notes__ = [\'a note\']\\nraise e")', 'ValueError: 1'],
      ['exec("1 +")', 'SyntaxError: invalid syntax'],
    ];
    const branches = CAUSES.map(([cause], index) => `    if item["n"] == ${index}: return ${cause}`);
    const source = ['def grade(sample, item):', ...branches].join('\n');
    const outcomes = await outcomesOf(
      source,
      CAUSES.map((_, n) => ({ item: { n } })),
    );
    for (const [n, [, says]] of CAUSES.entries()) {
      expect(outcomes[n]).toContain(`python_grader_runtime_error: ${says}`);
      expect(outcomes[n]).toContain(`File "<grader>", line ${n + 2}, in grade`);
    }
  });

  test.concurrent('a very long text is cut, at a whole character', async () => {
    const said = String(await outcomeFor('def grade(s, i):\n    raise ValueError("é" * 100_000)\n'));
    expect(said.length).toBeLessThan(1_600);
    expect(said).not.toContain('\uFFFD');
  });

  test.concurrent('an exception that cannot be shown still fails its row only', async () => {
    const source = [
      'class Shy(Exception):',
      '    def __str__(self): raise Shy()',
      '    __repr__ = __str__',
      'def grade(sample, item):',
      '    if item["n"] == 1: raise Shy()',
      '    return item["n"]',
    ].join('\n');
    const [first, shy, last] = await outcomesOf(
      source,
      [0, 1, 2].map((n) => ({ item: { n } })),
    );
    expect([first, last]).toEqual([0, 2]);
    expect(shy).toMatch(/^python_grader_runtime_error: .*Shy/);
  });
});

describe.runIf(process.platform === 'linux')(
  'a source that cannot be loaded fails every row, and is told before',
  () => {
    test.concurrent.each<{ name: string; source: string; says: string | RegExp }>([
      { name: 'a syntax error', source: 'def grade(sample, item)\n    return 1\n', says: 'SyntaxError: ' },
      {
        name: 'an indent at its beginning',
        source: '    def grade(sample, item):\n        return 1.0\n',
        says: 'IndentationError: unexpected indent',
      },
      { name: 'no function', source: 'x = 1\n', says: 'the source has no function grade(sample, item)' },
      { name: 'nothing at all', source: '', says: 'the source has no function grade(sample, item)' },
      { name: 'a grade that is no function', source: 'grade = 3', says: 'grade is no function but 3 (int)' },
      { name: 'grade = None', source: 'grade = None', says: /grade/ },
      {
        name: 'one parameter',
        source: 'def grade(row): return 1',
        says: 'grade(row) cannot be called with two',
      },
      {
        name: 'three parameters',
        source: 'def grade(a, b, c): return 1',
        says: 'grade(a, b, c) cannot be called',
      },
      {
        name: 'parameters by name only',
        source: 'def grade(*, sample, item): return 1',
        says: 'grade(*, sample, item) cannot be called with two arguments',
      },
      {
        name: 'a function of C that takes one',
        source: 'grade = len',
        says: 'cannot be called with two arguments',
      },
      {
        name: 'code that raises',
        source: 'def setup():\n    raise ValueError("not today")\n\nsetup()\n',
        says: 'ValueError: not today\n  File "<grader>", line 4, in <module>\n    setup()\n  File "<grader>", line 2, in setup',
      },
      { name: 'code that exits', source: 'import sys\nsys.exit(3)\n', says: 'SystemExit: 3' },
      {
        name: 'a module that is not there',
        source: 'import no_such_thing\n',
        says: "No module named 'no_such_thing'",
      },
      { name: 'a null byte', source: 'def grade(s, i): return 1\0\n', says: /null bytes/ },
      {
        name: 'half a character',
        source: 'def grade(s, i): return len("\uD83D")\n',
        says: /surrogates not allowed/,
      },
      {
        name: 'an end in the middle',
        source: 'def grade(sample, item):\n    return (1 +',
        says: 'SyntaxError: ',
      },
      { name: 'Python 2', source: 'def grade(sample, item):\n    print "x"\n', says: 'SyntaxError: ' },
      {
        name: 'tabs and spaces',
        source: 'def grade(s, i):\n\tif s:\n        return 1\n',
        says: 'TabError: ',
      },
    ])('$name', async ({ source, says }) => {
      await withSource(source, async (loaded) => {
        const scores = await gradeAll(loaded, [ROW, ROW]);
        for (const score of scores) expect(score).toMatchObject({ code: 'python_grader_runtime_error' });
        const [score] = scores as { message: string }[];
        if (typeof says === 'string') expect(score.message).toContain(says);
        else expect(score.message).toMatch(says);
        expect(loaded.warnings.join('\n')).toContain(
          `source: every row will fail: ${onOneLine(score.message)}`,
        );
      });
    });
  },
);

describe.runIf(process.platform === 'linux')('everything that can be called with two arguments', () => {
  test.concurrent.each<{ name: string; source: string; outcome: number }>([
    { name: 'a function', source: 'def grade(sample, item): return 1', outcome: 1 },
    { name: 'other names', source: 'def grade(a, b): return len(b)', outcome: 1 },
    { name: '*args', source: 'def grade(*args): return len(args)', outcome: 2 },
    { name: 'defaults', source: 'def grade(sample, item=None, weight=0.5): return weight', outcome: 0.5 },
    { name: 'positional only', source: 'def grade(sample, item, /): return 1', outcome: 1 },
    { name: 'a lambda', source: 'grade = lambda s, i: 2', outcome: 2 },
    {
      name: 'functools.partial',
      source: 'import functools\ndef f(weight, s, i): return weight\ngrade = functools.partial(f, 0.5)',
      outcome: 0.5,
    },
    {
      name: 'an object with __call__',
      source: 'class Grade:\n    def __call__(self, s, i): return 3\ngrade = Grade()',
      outcome: 3,
    },
    {
      name: 'a method',
      source: 'class G:\n    @staticmethod\n    def run(s, i): return 4\ngrade = G.run',
      outcome: 4,
    },
    {
      name: 'a function with a decorator',
      source:
        'import functools\ndef twice(f):\n    @functools.wraps(f)\n    def g(*a): return 2 * f(*a)\n    return g\n@twice\ndef grade(sample, item): return 1',
      outcome: 2,
    },
    {
      name: 'a class whose objects are numbers',
      source: 'class grade(float):\n    def __new__(cls, s, i): return super().__new__(cls, 0.25)',
      outcome: 0.25,
    },
    {
      name: 'a coroutine',
      source: 'import asyncio\nasync def grade(s, i):\n    await asyncio.sleep(0)\n    return 0.5',
      outcome: 0.5,
    },
    {
      name: 'a function that gives a coroutine',
      source: 'async def later(): return 0.5\ndef grade(s, i): return later()',
      outcome: 0.5,
    },
    {
      name: 'a function that runs coroutines itself',
      source: 'import asyncio\nasync def later(): return 0.5\ndef grade(s, i): return asyncio.run(later())',
      outcome: 0.5,
    },
    {
      name: 'coroutines that run beside each other',
      source:
        'import asyncio\nasync def one(n):\n    await asyncio.sleep(0.001)\n    return n\nasync def grade(s, i): return sum(await asyncio.gather(*map(one, range(5))))',
      outcome: 10,
    },
  ])('$name', async ({ source, outcome }) => {
    const outcomes = await outcomesOf(source, [ROW, ROW]);
    expect(outcomes).toEqual([outcome, outcome]);
  });

  test.concurrent('a generator is none: its row fails', async () => {
    for (const source of ['def grade(s, i):\n    yield 1', 'async def grade(s, i):\n    yield 1'])
      expect(await outcomeFor(source)).toMatch(/returned <.*generator.*expected a number/);
  });

  test.concurrent('what a coroutine raises is the failure of its row', async () => {
    const source = 'async def grade(s, i):\n    return 1 / i["n"]\n';
    expect(await outcomesOf(source, [{ item: { n: 0 } }, { item: { n: 2 } }])).toEqual([
      'python_grader_runtime_error: ZeroDivisionError: division by zero\n  File "<grader>", line 2, in grade\n    return 1 / i["n"]',
      0.5,
    ]);
  });
});

describe.runIf(process.platform === 'linux')('the source is a module like any other', () => {
  const source = `
from __future__ import annotations
import abc, copy, dataclasses, enum, inspect, logging, os, pickle, sys, tempfile, typing, warnings
import base64, collections, csv, datetime, difflib, hashlib, heapq, io, itertools, json, math, operator, random
import re, sqlite3, statistics, string, textwrap, unicodedata, urllib.parse, uuid, zlib, xml.etree.ElementTree
from concurrent.futures import ThreadPoolExecutor

print("when it is loaded")
warnings.warn("careful")
LIMIT = 3
é = "😀\u2028"

@dataclasses.dataclass(frozen=True)
class Answer:
    text: str
    notes: list = dataclasses.field(default_factory=list)

class Point:
    def __init__(self, x): self.x = x

class Level(enum.Enum):
    LOW = 1

class Pair(typing.NamedTuple):
    a: int
    b: int = 2

class Base(abc.ABC):
    @abc.abstractmethod
    def f(self): ...

class Own(Base):
    def f(self): return 1

def classes():
    assert Answer("4") == Answer("4") and Answer("4") != Answer("5")
    assert Level["LOW"].value == Pair(1).a == Own().f()
    return pickle.loads(pickle.dumps(Point(1))).x == copy.deepcopy(Point(1)).x

def annotations():
    def f(x: dict[str, int | None]) -> float: ...
    def g(x: int) -> float: ...
    return typing.get_type_hints(g) == {"x": int, "return": float} and f.__annotations__["x"]

def helper():
    return "of the helper"

def its_own_source():
    return inspect.getsource(helper) == 'def helper():\\n    return "of the helper"\\n'

def its_own_module():
    global LIMIT
    LIMIT = 4
    return sys.modules[__name__].LIMIT == 4 and helper.__module__ == __name__

def prints():
    print("for a row")
    print("to stderr", file=sys.stderr)
    sys.stdout.write("no end of line")
    logging.warning("logged")
    warnings.warn("careful")
    return 1

def characters():
    return len(é) == 2 and "日本" == "\\u65e5\\u672c"

def files():
    with open("notes.txt", "w") as file: file.write("é")
    with tempfile.TemporaryDirectory() as folder: open(os.path.join(folder, "x"), "w").close()
    with tempfile.TemporaryFile() as file: file.write(b"x")
    return open("notes.txt").read() == "é"

def libraries():
    random.seed(1)
    sqlite3.connect(":memory:").execute("select 1").fetchone()
    return difflib.SequenceMatcher(None, "abcd", "bcde").ratio() == 0.75 and statistics.mean([1, 3]) == 2

def threads():
    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(len, ["a", ""])) == 1

def grade(sample, item):
    return float(bool(globals()[item["what"]]()))

if __name__ == "__main__":
    raise SystemExit("this is a script")
`;
  let loaded: Loaded;
  beforeAll(async () => {
    loaded = await loadSource(source);
    expect(loaded.warnings).toEqual([]);
  });
  afterAll(() => loaded.python.close());

  test.each([
    'classes',
    'annotations',
    'its_own_source',
    'its_own_module',
    'prints',
    'characters',
    'files',
    'libraries',
    'threads',
  ])('%s', async (what) => {
    const outcomes = (await gradeAll(loaded, [{ item: { what } }, { item: { what } }])).map(outcomeOf);
    expect(outcomes).toEqual([1, 1]);
  });

  test.concurrent.each<{ name: string; text: string }>([
    {
      name: 'lines that end in CR LF',
      text: 'TEXT = """a\r\nb"""\r\ndef grade(s, i):\r\n    return TEXT == "a\\nb"\r\n',
    },
    { name: 'a byte order mark', text: '\uFEFFdef grade(sample, item):\n    return 1\n' },
    { name: 'an encoding, declared', text: '# -*- coding: latin-1 -*-\ndef grade(s, i): return len("é")' },
  ])('$name', async ({ text }) => {
    expect(await outcomeFor(text)).toBe(1);
  });

  test.concurrent('keeps its state from row to row in one process', async () => {
    const source = 'seen = []\ndef grade(s, i):\n    seen.append(i)\n    return len(seen)\n';
    expect(await outcomesOf(source, [ROW, ROW, ROW])).toEqual([1, 2, 3]);
    expect(await outcomesOf(source, [ROW, ROW, ROW], { isolation: 'strict' })).toEqual([1, 1, 1]);
  });

  test.concurrent('gives the same in every process: sets have one order, and there is one time zone', async () => {
    const source = `
import time, zlib
def grade(sample, item):
    words = "".join(set("the quick brown fox jumps over the lazy dog".split()))
    return zlib.crc32((words + str(hash("x")) + time.strftime("%Z", time.localtime(0))).encode())`;
    const outcomes = await outcomesOf(source, [ROW, ROW], { isolation: 'strict' });
    expect(new Set([...outcomes, await outcomeFor(source)]).size).toBe(1);
  });

  test.concurrent('changes what it is given without harm to other rows', async () => {
    const source = 'def grade(s, i):\n    n = i.pop("n")\n    s.clear()\n    i["x"] = i\n    return n\n';
    expect(await outcomesOf(source, [{ item: { n: 1 } }, { item: { n: 2 } }])).toEqual([1, 2]);
  });
});

describe.runIf(process.platform === 'linux')('the configuration', () => {
  const engine = createEngine({ graders: builtinGraders, python: createPython({ workers: 1 }) });
  const errorOf = (config: unknown) => engine.prepare(config).catch((error: unknown) => error);

  test('a source of 256 kB is refused, and the largest that is not is run', async () => {
    const head = 'def grade(sample, item):\n    return 1\n#';
    const largest = head + 'é'.repeat((256 * 1024 - 1 - head.length) >> 1);
    expect(await outcomeFor(largest)).toBe(1);
    const error = await errorOf(python(`${largest}é`));
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).issues).toMatchObject([
      { path: ['source'], message: expect.stringContaining('is too large') as string },
    ]);
  });

  test('a source is needed, and it is a text', async () => {
    for (const config of [{ type: 'python' }, python(3 as never), python(null as never)]) {
      const error = await errorOf(config);
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).issues.map(({ path }) => path)).toEqual([['source']]);
    }
  });

  test('pass_threshold says which rows pass, on the very number', async () => {
    const config = python('def grade(s, i): return i["n"]', { pass_threshold: 0.3 });
    const scores = await withGrader(config, {}, (loaded) =>
      gradeAll(
        loaded,
        [0.3, 0.1 + 0.2, 0.29999999999999993].map((n) => ({ item: { n } })),
      ),
    );
    expect(scores).toEqual([
      { status: 'scored', reward: 0.3, passed: true },
      { status: 'scored', reward: 0.1 + 0.2, passed: true },
      { status: 'scored', reward: 0.29999999999999993, passed: false },
    ]);
  });

  test('without a threshold nothing passes or fails', async () => {
    expect(await withSource('def grade(s, i): return 1', (loaded) => gradeAll(loaded, [ROW]))).toEqual([
      { status: 'scored', reward: 1 },
    ]);
  });

  test('names of image_tag', async () => {
    const source = 'def grade(sample, item): return 1';
    const env = { PATH: process.env.PATH, ASSAY_HOME: '/nowhere' };
    const warningsFor = (image_tag: unknown) =>
      withGrader(python(source, { image_tag }), { env }, ({ warnings }) => warnings);
    expect(await warningsFor(null)).toEqual([]);
    expect(await warningsFor(undefined)).toEqual([]);
    const [known] = await warningsFor('2025-05-08');
    expect(known).toMatch(/image 2025-05-08.*\n  hint: assay doctor --image 2025-05-08 --install/);
    expect(await warningsFor('2025-05-O8')).toEqual([
      expect.stringContaining('no package list is known for image_tag "2025-05-O8"'),
    ]);
    expect(await errorOf(python(source, { image_tag: 1 }))).toBeInstanceOf(ConfigError);
  });

  test('a module that the source needs and Python lacks is told before', async () => {
    const source = `
import json, os.path, no_such_thing.part
from concurrent import futures
from . import sibling
try:
    import perhaps
except ImportError:
    perhaps = None
def grade(sample, item):
    import another_one
    return 1`;
    const warnings = await withSource(source, (loaded) => loaded.warnings);
    const told = warnings.join('\n');
    expect(told).toContain('imports no_such_thing');
    expect(told).toContain('imports another_one');
    expect(told).not.toMatch(/imports (perhaps|sibling|json|os|concurrent)/);
  });

  test('the signature says what ran it', async () => {
    const signature = await withSource('def grade(s, i): return 1', ({ grader }) => grader.signature);
    expect(signature).toMatch(/^python 3\.\d+\.\d+ confined$/);
  });

  test('a program that does not say how to run Python is told so', async () => {
    const bare = createEngine({ graders: builtinGraders });
    const error = await bare.prepare(python('def grade(s, i): return 1')).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnavailableError);
  });
});

describe.runIf(process.platform === 'linux')('the limits', () => {
  test.concurrent('a row that takes too long fails, and the others do not', async () => {
    const source = 'def grade(s, i):\n    while i["n"] == 1: pass\n    return i["n"]\n';
    const rows = [0, 1, 2].map((n) => ({ item: { n } }));
    expect(await outcomesOf(source, rows, { timeoutMs: 300 })).toEqual([
      0,
      'python_grader_runtime_error: grade() took longer than 0.3 s (--python-timeout)',
      2,
    ]);
  });

  test.concurrent('a source that does not come to an end is a fault', async () => {
    expect(await outcomesOf('while True: pass\n', [ROW], { timeoutMs: 300 })).toEqual([
      'python_grader_runtime_error: loading the source: took longer than 0.3 s (--python-timeout)',
    ]);
  });

  test.concurrent('memory', async () => {
    const source = 'def grade(s, i):\n    return len(bytearray(i["n"]))\n';
    const rows = [1, 2 ** 30, 2].map((n) => ({ item: { n } }));
    const [first, second, third] = await outcomesOf(source, rows, { memoryBytes: 2 ** 28 });
    expect([first, third]).toEqual([1, 2]);
    expect(second).toContain('python_grader_runtime_error: out of memory (--python-memory): MemoryError');
  });

  test.concurrent('a crash or an exit costs its own row', async () => {
    const source = `
import os, signal
def grade(sample, item):
    if item["n"] == 1: os._exit(3)
    if item["n"] == 3: os.kill(os.getpid(), signal.SIGSEGV)
    return item["n"]`;
    const rows = [0, 1, 2, 3, 4].map((n) => ({ item: { n } }));
    expect(await outcomesOf(source, rows)).toEqual([
      0,
      'python_grader_runtime_error: the process ended with exit code 3',
      2,
      'python_grader_runtime_error: the process was killed by SIGSEGV',
      4,
    ]);
  });
});

describe.runIf(process.platform === 'linux')('folders that may be read', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-modules-'));
    await writeFile(join(folder, 'own_rules.py'), 'WEIGHT = 0.5\n');
  });
  afterAll(() => rm(folder, { recursive: true }));

  const source = 'import own_rules\ndef grade(s, i): return own_rules.WEIGHT\n';

  test('modules come from there, and from nowhere else', async () => {
    expect(await outcomesOf(source, [ROW], { allowRead: [folder] })).toEqual([0.5]);
    expect(await withSource(source, ({ warnings }) => warnings, { allowRead: [folder] })).toEqual([]);
    const [failure] = await outcomesOf(source, [ROW]);
    expect(failure).toContain("No module named 'own_rules'");
  });
});

const grade = (config: unknown, ...samples: string[]): Promise<Score[]> =>
  withGrader(config, {}, (loaded) =>
    gradeAll(
      loaded,
      samples.map((sample) => ({ item: { answer: 'John' }, sample })),
    ),
  );

describe.runIf(process.platform === 'linux')('beside other graders', () => {
  const exact = {
    type: 'string_check',
    input: '{{ sample.output_text }}',
    reference: '{{ item.answer }}',
    operation: 'eq',
  };
  const close = {
    type: 'text_similarity',
    input: '{{ sample.output_text }}',
    reference: '{{ item.answer }}',
    evaluation_metric: 'fuzzy_match',
  };
  const length = python('def grade(s, i): return 10 / len(s["output_text"])');

  test('as members of a multi, in their own units', async () => {
    const graders = { exact, length, close, twice: python('def grade(s, i): return 2') };
    const config = { type: 'multi', graders, calculate_output: 'exact + length * twice + close' };
    expect(await grade(config, 'John', 'Jo')).toEqual([
      { status: 'scored', reward: 7, subRewards: { exact: 1, length: 2.5, close: 1, twice: 2 } },
      {
        status: 'scored',
        reward: expect.closeTo(10 + 2 / 3, 12) as number,
        subRewards: { exact: 0, length: 5, close: expect.closeTo(2 / 3, 12) as number, twice: 2 },
      },
    ]);
  });

  test('a failed member fails the row of a multi; what was hosted counted it as 0', async () => {
    const config = { type: 'multi', graders: { exact, length }, calculate_output: '1 + exact + length' };
    const [score] = await grade(config, '');
    expect(score).toMatchObject({
      status: 'failed',
      code: 'python_grader_runtime_error',
      message: expect.stringMatching(/^length: ZeroDivisionError: division by zero\n/) as string,
      errors: { length: { code: 'python_grader_runtime_error' } },
      subRewards: { exact: 0 },
      hostedReward: 1,
    });
  });

  test('as criteria of an eval, where a row passes from 0.5 on', async () => {
    const config = { testing_criteria: [exact, { ...length, name: 'short' }] };
    const [passing, failing] = await grade(config, 'John', 'J'.repeat(30));
    expect(passing).toMatchObject({ reward: 1, passed: true });
    expect(failing).toMatchObject({
      reward: 0,
      passed: false,
      results: [
        { name: 'string_check', passed: false },
        { name: 'short', reward: 1 / 3, passed: false },
      ],
    });
  });
});
