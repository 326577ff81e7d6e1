import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Row } from '../../src/contract.js';
import { parseRow } from '../../src/dataset/row.js';

const FIXTURES = new URL('../../fixtures/python/', import.meta.url).pathname;
export const REPOSITORY = new URL('../..', import.meta.url).pathname;
export const SECRET = 'hunter2';
export const ROWS = 12;
export const EVIL_ROW = 5;

/** A source of fixtures/python, and what its first lines say of it. */
export interface Fixture {
  readonly name: string;
  readonly source: string;
  /** Rows that must fail. */
  readonly guilty: readonly number[];
  /** Rows that may fail, but may not have another reward than theirs. */
  readonly maybeGuilty: readonly number[];
  /** Texts of which the message of a guilty row has at least one. */
  readonly says: readonly string[];
  /** The rewards when it is contained, one for each row. */
  readonly rewards: readonly number[];
  /** Whether it gets what it wants at the level `open`; its evil row then gives 666. */
  readonly succeedsWhenOpen: boolean;
}

export const readFixtures = async (): Promise<Fixture[]> => {
  const files = (await readdir(FIXTURES)).filter((file) => file.endsWith('.py'));
  return Promise.all(
    files
      .sort()
      .map(async (file) => fixtureOf(file.slice(0, -3), await readFile(join(FIXTURES, file), 'utf8'))),
  );
};

/** The lines `# guilty: 5`, `# may: 5`, `# says: this | that`, `# gives: 0.5` and `# open: succeeds` of a source. */
export const fixtureOf = (name: string, source: string): Fixture => {
  const header = (key: string) => new RegExp(`^# ${key}: (.*)$`, 'm').exec(source)?.[1];
  const gives = header('gives');
  return {
    name,
    source,
    guilty: rowList(header('guilty')),
    maybeGuilty: rowList(header('may')),
    says:
      header('says')
        ?.replaceAll(String.raw`\n`, '\n')
        .split(' | ') ?? [],
    rewards: EVERY_ROW.map((n) => (n === EVIL_ROW && gives !== undefined ? Number(gives) : n / 10)),
    succeedsWhenOpen: header('open') === 'succeeds',
  };
};

const EVERY_ROW = Array.from({ length: ROWS }, (_, n) => n);

const rowList = (text = 'none'): readonly number[] => {
  if (text === 'none') return [];
  return text === 'all' ? EVERY_ROW : text.split(',').map(Number);
};

/** Values that JSON can hold and few programs expect. */
const ODD_VALUES = `{ "deep": ${'['.repeat(901)}${']'.repeat(901)}, "digits": 123456789012345678901234567890123456789,
  "half": "a\\ud83d", "emoji": "👩‍👩‍👧‍👦", "zero": "\\u0000", "exact": 0.1, "one": 1.0, "__proto__": ["polluted"] }`;

/** What a hostile source would like to reach: keys in a home folder, a file, servers. Counts who comes. */
export class World {
  visits = 0;
  readonly temporary: string;
  private readonly home: string;
  private readonly unix: string;
  private readonly tcpServer = createServer((socket) => this.welcome(socket));
  private readonly unixServer = createServer((socket) => this.welcome(socket));
  private readonly udpSocket = createSocket('udp4', () => this.welcome());

  private constructor(private readonly root: string) {
    this.temporary = join(root, 'tmp');
    this.home = join(root, 'home');
    this.unix = join(root, 'unix');
  }

  static async create(): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), 'assay-hostile-')));
    await mkdir(world.temporary);
    await mkdir(join(world.home, '.ssh'), { recursive: true });
    await writeFile(join(world.home, '.ssh', 'id_rsa'), SECRET);
    await writeFile(join(world.home, '.bashrc'), SECRET);
    world.tcpServer.listen(0, '127.0.0.1');
    world.unixServer.listen(world.unix);
    world.udpSocket.bind(0, '127.0.0.1');
    await Promise.all(
      [world.tcpServer, world.unixServer, world.udpSocket].map((server) => once(server, 'listening')),
    );
    return world;
  }

  /** The rows of a fixture, which know where everything is. */
  async rows(name: string): Promise<Row[]> {
    const folder = this.engineFolder(name);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'file'), SECRET, { mode: 0o640 });
    const engine = JSON.stringify({
      pid: process.pid,
      cwd: REPOSITORY,
      folder,
      file: join(folder, 'file'),
      home: this.home,
      unix: this.unix,
      tcp: (this.tcpServer.address() as AddressInfo).port,
      udp: this.udpSocket.address().port,
    });
    return EVERY_ROW.map((n) =>
      parseRow(
        `{"item": {"n": ${n}, "evil": ${n === EVIL_ROW}, "odd": ${ODD_VALUES}, "engine": ${engine}},
          "sample": {"output_text": "text ${n}"}}`,
      ),
    );
  }

  /** What the folder that `rows` made is like: names, rights, times, content. */
  engineState(name: string): unknown {
    const folder = this.engineFolder(name);
    return readdirSync(folder).map((file) => {
      const { mode, uid, mtimeMs, nlink } = lstatSync(join(folder, file));
      return { file, mode, uid, mtimeMs, nlink, content: readFileSync(join(folder, file), 'utf8') };
    });
  }

  async close(): Promise<void> {
    this.tcpServer.close();
    this.unixServer.close();
    this.udpSocket.close();
    await rm(this.root, { recursive: true });
  }

  private engineFolder(name: string): string {
    return join(this.root, 'engine', name);
  }

  private welcome(socket?: { destroy(): void }): void {
    this.visits += 1;
    socket?.destroy();
  }
}

/** What a run could leave behind, as texts: processes, open files of this process, files. */
export const leftovers = (world: World): string[] => [
  ...processesOf(world).map((process) => `process ${process}`),
  ...openFiles().map((file) => `open file ${file}`),
  ...readdirSync(world.temporary).map((file) => `temporary file ${file}`),
  ...readdirSync('/dev/shm')
    .filter((file) => file.startsWith('assay-'))
    .map((file) => `/dev/shm/${file}`),
];

/** Waits for what takes a moment to go; gives what stays beyond `before`. */
export const leftoversSince = async (world: World, before: readonly string[]): Promise<string[]> => {
  let left: string[] = [];
  for (let attempt = 0; attempt < 50; attempt += 1) {
    left = [...leftovers(world)];
    for (const known of before) {
      const at = left.indexOf(known);
      if (at >= 0) left.splice(at, 1);
    }
    if (left.length === 0) return [];
    await sleep(100);
  }
  return left;
};

/** Children of this process, theirs, and whoever works in the world's folder of temporary files. */
const processesOf = (world: World): string[] => {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(readProcess);
  const family = new Set([process.pid]);
  for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid);
  return processes
    .filter(({ pid, cwd }) => (family.has(pid) && pid !== process.pid) || cwd.startsWith(world.temporary))
    .map(({ pid, command, cwd }) => `${pid} ${command} in ${cwd}`);
};

const readProcess = (name: string) => {
  const stat = read(() => readFileSync(`/proc/${name}/stat`, 'latin1'));
  const parent = Number(stat.slice(stat.lastIndexOf(')')).split(' ')[2]);
  const command = read(() => readFileSync(`/proc/${name}/cmdline`, 'latin1')).replaceAll('\0', ' ');
  return { pid: Number(name), parent, command, cwd: read(() => readlinkSync(`/proc/${name}/cwd`)) };
};

/** Kinds of files with a number of their own, so that two are two; sockets and pipes have one in their name. */
const openFiles = (): string[] =>
  readdirSync('/proc/self/fd')
    .map((fd) => read(() => readlinkSync(`/proc/self/fd/${fd}`)))
    .filter((link) => !link.startsWith('/proc/'));

const read = (reader: () => string): string => {
  try {
    return reader();
  } catch {
    return '';
  }
};
