import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../contract.js';
import type { Score } from '../score.js';
import { requireImage } from './images.js';
import { gradeItem, type ProbeOptions, withProbe } from './probe.js';

/** Something that a grader has tried and should not get. */
export interface Attempt {
  readonly name: string;
  readonly contained: boolean;
  /** What came of it, in a line. */
  readonly seen: string;
}

/** A package of an image, and whether graders can import it. */
export interface PackageTrial {
  readonly name: string;
  /** What the import said; undefined when it went well. */
  readonly fault?: string;
}

/** Something that a source tries, as a Python expression over `item`. */
interface Trick {
  readonly name: string;
  readonly expression: string;
  /** How the failure begins with which the row ends where the trick is contained. */
  readonly failure: string;
  /** Whether it is seen from outside that the trick has worked. */
  readonly hasWorked?: (bait: Bait) => boolean;
}

const TRICKS: readonly Trick[] = [
  {
    name: 'connect to a TCP port of this machine',
    expression: 'socket.create_connection(("127.0.0.1", item["port"]), 1)',
    failure: 'PermissionError',
    hasWorked: (bait) => bait.visits > 0,
  },
  { name: 'read /etc/passwd', expression: 'open("/etc/passwd").read()', failure: 'PermissionError' },
  { name: 'read a temporary file', expression: 'open(item["file"]).read()', failure: 'PermissionError' },
  { name: 'list /proc', expression: 'os.listdir("/proc")', failure: 'PermissionError' },
  { name: 'list /', expression: 'os.listdir("/")', failure: 'PermissionError' },
  {
    name: 'read a variable of the environment',
    expression: 'os.environ[item["variable"]]',
    failure: 'KeyError',
  },
  {
    name: 'write outside its scratch folder',
    expression: 'open(item["outside"], "w")',
    failure: 'PermissionError',
    hasWorked: (bait) => existsSync(bait.outside),
  },
  { name: 'signal its parent', expression: 'os.kill(os.getppid(), 0)', failure: 'PermissionError' },
  { name: 'fork', expression: 'os.fork() or os._exit(0)', failure: 'PermissionError' },
  {
    name: 'start another program',
    expression: 'os.execv(sys.executable, [sys.executable, "-c", ""])',
    failure: 'PermissionError',
  },
  {
    name: 'take 1 GiB of memory, limited to 256 MiB',
    expression: 'bytearray(1 << 30)',
    failure: 'out of memory',
  },
  {
    name: 'loop for ever, limited to 1 s',
    expression: 'any(iter(int, 1))',
    failure: 'grade() took longer than 1 s',
  },
  { name: 'end its process', expression: 'os._exit(0)', failure: 'the process ended with exit code 0' },
];

const LIMITS = { timeoutMs: 1000, memoryBytes: 256 * 2 ** 20 };

const TRICKSTER = `import os, socket, sys

TRICKS = [
${TRICKS.map(({ expression }) => `    lambda item: ${expression},`).join('\n')}
]

def grade(sample, item):
    if "trick" in item:
        TRICKS[item["trick"]](item)
    return 1.0
`;

/**
 * Has a grader try what it should not, a trick on each row, and ordinary rows between them. It is contained when its row
 * fails as it should, and what lies outside is untouched.
 *
 * @throws UnavailableError when graders cannot run as `options` ask
 */
export const tryTricks = async (options: ProbeOptions): Promise<readonly Attempt[]> => {
  const bait = await Bait.lay();
  try {
    return await withProbe(TRICKSTER, { ...options, ...LIMITS }, async (program) => {
      const [tricks, ordinary] = [
        TRICKS.map((_, trick) => ({ ...bait.item, trick })),
        TRICKS.map(() => ({})),
      ];
      const rows = tricks.flatMap((item, index) => [item, ordinary[index]]);
      const scores = await Promise.all(rows.map((item) => gradeItem(program, item)));
      const attempts = TRICKS.map((trick, index) => judge(trick, scores[2 * index], bait));
      return [...attempts, judgeOrdinary(scores.filter((_, index) => index % 2 === 1))];
    });
  } finally {
    bait.remove();
  }
};

const judge = ({ name, failure, hasWorked }: Trick, score: Score, bait: Bait): Attempt => {
  const seen =
    score.status === 'failed'
      ? firstLine(score.message).replace(/ \((?:confined graders|--python).*$/, '')
      : 'it worked';
  return { name, seen, contained: seen.startsWith(failure) && !hasWorked?.(bait) };
};

const judgeOrdinary = (scores: readonly Score[]): Attempt => {
  const graded = scores.filter((score) => score.status === 'scored' && score.reward === 1).length;
  return {
    name: 'spoil the rows between these',
    contained: graded === scores.length,
    seen: `${graded} of ${scores.length} graded`,
  };
};

const firstLine = (text: string): string => text.split('\n', 1)[0];

const FORGETFUL = `rows = 0

def grade(sample, item):
    global rows
    rows += 1
    return rows
`;

/** Whether a grader can carry state from row to row, which only `strict` prevents. */
export const tryState = async (options: ProbeOptions): Promise<Attempt> =>
  withProbe(FORGETFUL, options, async (program) => {
    const scores = await Promise.all([1, 2, 3].map(() => gradeItem(program, {})));
    const counts = scores.map((score) =>
      score.status === 'scored' ? score.reward : firstLine(score.message),
    );
    return {
      name: 'carry state from row to row',
      contained: counts.every((count) => count === 1),
      seen: `three rows counted ${counts.join(', ')}`,
    };
  });

const IMPORTER = `import importlib

def grade(sample, item):
    for module in item["imports"]:
        importlib.import_module(module)
    return 1.0
`;

/** Imports every package of an image in a grader. */
export const tryImports = async (
  options: ProbeOptions & { readonly imageTag: string },
): Promise<readonly PackageTrial[]> =>
  withProbe(IMPORTER, options, async (program) => {
    const { packages } = requireImage(options.imageTag);
    const trials = packages.map(async ({ name, imports }): Promise<PackageTrial> => {
      const score = await gradeItem(program, { imports });
      return score.status === 'scored' ? { name } : { name, fault: firstLine(score.message) };
    });
    return Promise.all(trials);
  });

/** What a source should not get: a server, a file, a variable, and a place to write to. */
class Bait {
  visits = 0;
  private readonly folder = mkdtempSync(join(tmpdir(), 'assay-doctor-'));
  private readonly file = join(this.folder, 'secret');
  readonly outside = join(this.folder, 'outside');
  private readonly variable = `ASSAY_DOCTOR_${process.pid}`;
  private readonly server = createServer((socket) => {
    this.visits += 1;
    socket.destroy();
  });

  static async lay(): Promise<Bait> {
    const bait = new Bait();
    writeFileSync(bait.file, 'secret');
    process.env[bait.variable] = 'secret';
    bait.server.listen(0, '127.0.0.1');
    await once(bait.server, 'listening');
    return bait;
  }

  /** Tells a source where everything is. */
  get item(): JsonObject {
    const { port } = this.server.address() as AddressInfo;
    return { port, file: this.file, outside: this.outside, variable: this.variable };
  }

  remove(): void {
    this.server.close();
    delete process.env[this.variable];
    rmSync(this.folder, { recursive: true });
  }
}
