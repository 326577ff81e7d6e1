import type { Row } from '../contract.js';
import { failed, scored, type Failed, type LateScore, type Score } from '../score.js';
import { BATCH_ROWS, OUTCOME } from './page.js';
import { RowQueue, type Batch } from './row-queue.js';
import { Supervisor, type Readiness, type SupervisorSetup } from './supervisor.js';

/** What a pool is made of. */
export interface PoolOptions {
  /** Everything a supervisor is told but for its scratch folder. */
  readonly setup: Omit<SupervisorSetup, 'scratch'>;
  /** Gives each supervisor a folder of its own. */
  readonly newScratch: () => string;
  readonly passThreshold: number | undefined;
  /** Most supervisors. */
  readonly workers: number;
  /** Whether all of them are started at once, and not when they prove worth it. */
  readonly eager: boolean;
  readonly batchRows: number | undefined;
  readonly onOutput: (text: string) => void;
}

/** How long the rows of a batch should take together: short enough to share them out, long enough to be worth a ring. */
const BATCH_MS = 20;
const FIRST_BATCH_ROWS = 8;
/** How long work has to pile up before one more supervisor is started. */
const PILE_MS = 50;
/** An idle supervisor is ended after this time; the last one stays warm for the rows to come, as its imports may be dear. */
const IDLE_MS = 30_000;
/** How often supervisors may be lost, one after the other, without a row that gets its score in between. */
const MOST_LOSSES = 5;

/** A supervisor, and the batches in its lanes. */
interface Slot {
  readonly supervisor: Supervisor;
  readonly batches: Map<number, Batch>;
  isReady: boolean;
  /** What `losses` was when it was started. */
  readonly lossesBefore: number;
  /** When its last batch was finished. */
  freeSince: number;
  idleTimer?: NodeJS.Timeout;
}

/** A loaded source: shares its rows out among supervisors, and starts and ends those. */
export class Pool {
  fault: string | undefined;
  private readonly slots = new Set<Slot>();
  private readonly queue = new RowQueue();
  private flushes = false;
  private batchRows = FIRST_BATCH_ROWS;
  private pileSince = Infinity;
  private closed = false;
  /** Whether a supervisor has ever loaded the source. */
  private hasLoaded = false;
  /** How often supervisors were lost. Those that were there together may end together: that is one loss. */
  private losses = 0;
  /** What `losses` was when a row got its score last. */
  private lossesAtScore = 0;

  private constructor(private readonly options: PoolOptions) {}

  /** Starts the first supervisor. What keeps every row from being graded stands in `fault`, or is `refused`. */
  static async load(options: PoolOptions): Promise<{ pool: Pool; readiness: Readiness }> {
    const pool = new Pool(options);
    const readiness = await pool.startSlot();
    if (readiness.kind === 'ready' && options.eager)
      for (let index = 1; index < options.workers; index += 1) pool.addSlot();
    return { pool, readiness };
  }

  /** How many rows keep all workers busy. */
  get window(): number {
    return (this.options.workers + 1) * BATCH_ROWS * 2;
  }

  grade(row: Row): Score | LateScore {
    if (this.fault !== undefined) return failed('python_grader_runtime_error', this.fault);
    if (this.closed) return failed('python_grader_server_error', 'closed: the grader has been closed');
    const score = this.queue.add(row);
    if (!this.flushes) {
      this.flushes = true;
      // Rows that are handed in together go together.
      queueMicrotask(() => {
        this.flushes = false;
        this.dispatch();
      });
    }
    return score;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.failAll(failed('python_grader_server_error', 'closed: the grader was closed while this row waited'));
    await Promise.all([...this.slots].map(({ supervisor }) => supervisor.close()));
  }

  /** Hands rows to the supervisors that have room. */
  private dispatch(): void {
    for (;;) {
      const slot = this.freeSlot();
      const batch = slot && this.queue.take(this.nextBatchRows);
      if (batch === undefined) break;
      this.send(slot as Slot, batch);
    }
    this.startMore();
  }

  private get nextBatchRows(): number {
    return Math.max(1, Math.min(this.options.batchRows ?? this.batchRows, BATCH_ROWS));
  }

  /** The supervisor with the least to do; one that has a batch gets the next one only where batches are short. */
  private freeSlot(): Slot | undefined {
    let best: Slot | undefined;
    for (const slot of this.slots) {
      if (!slot.isReady || slot.supervisor.freeLane === undefined) continue;
      if (slot.batches.size > 0 && this.batchRows === 1) continue;
      if (best === undefined || slot.batches.size < best.batches.size) best = slot;
    }
    return best;
  }

  private send(slot: Slot, batch: Batch): void {
    const { supervisor } = slot;
    const lane = supervisor.freeLane as number;
    const { bytes } = batch;
    try {
      supervisor.page.write(lane, bytes);
    } catch (error) {
      settleRest(batch, failed('python_grader_server_error', `page: ${(error as Error).message}`));
      return;
    }
    clearTimeout(slot.idleTimer);
    slot.batches.set(lane, batch);
    batch.startedAt = performance.now();
    supervisor.ring(lane, batch.settled, batch.size, bytes.length);
  }

  /** One more supervisor, where work has piled up for a while. */
  private startMore(): void {
    const { workers } = this.options;
    if (this.closed || this.queue.isEmpty) {
      this.pileSince = Infinity;
      return;
    }
    const now = performance.now();
    this.pileSince = Math.min(this.pileSince, now);
    const isPile = now - this.pileSince > PILE_MS && this.slots.size < workers;
    const isWorthOne = isPile && !this.isLosing && [...this.slots].every(({ isReady }) => isReady);
    const isNeeded = this.slots.size === 0 || isWorthOne;
    if (!isNeeded) return;
    this.pileSince = Infinity;
    this.addSlot();
  }

  /** Starts a supervisor in the background; where even that fails, nobody would take the rows. */
  private addSlot(): void {
    this.startSlot().catch((error: unknown) => {
      if (this.slots.size === 0)
        this.failAll(failed('python_grader_server_error', `start: ${(error as Error).message}`));
    });
  }

  private async startSlot(): Promise<Readiness> {
    const { setup, newScratch, onOutput } = this.options;
    const batches = new Map<number, Batch>();
    const supervisor: Supervisor = new Supervisor(
      { ...setup, scratch: newScratch() },
      {
        onDone: (lane) => this.finish(slot, lane),
        onFault: (text) => this.meetFault(slot, text),
        onOutput,
        onEnd: (text) => this.lose(slot, text),
      },
    );
    const slot: Slot = { supervisor, batches, isReady: false, lossesBefore: this.losses, freeSince: 0 };
    this.slots.add(slot);
    const readiness = await supervisor.ready;
    slot.isReady = readiness.kind === 'ready';
    if (slot.isReady) {
      this.hasLoaded = true;
      this.endWhenIdle(slot);
      this.dispatch();
    }
    return readiness;
  }

  private finish(slot: Slot, lane: number): void {
    const batch = slot.batches.get(lane) as Batch;
    slot.batches.delete(lane);
    this.learn(slot, batch);
    this.settle(slot, lane, batch);
    settleRest(batch, failed('python_grader_server_error', 'page: a row of a finished batch has no outcome'));
    if (slot.batches.size === 0) this.endWhenIdle(slot);
    this.dispatch();
  }

  /** Batches of about `BATCH_MS`. */
  private learn(slot: Slot, batch: Batch): void {
    const now = performance.now();
    const took = now - Math.max(batch.startedAt, slot.freeSince);
    slot.freeSince = now;
    const rows = Math.floor((BATCH_MS * batch.size) / took);
    this.batchRows = Math.max(1, Math.min(BATCH_ROWS, rows, this.batchRows * 4));
  }

  /** Reads the scores of the rows that are finished, up to the first that is not. Tells whether there were any. */
  private settle({ supervisor: { page } }: Slot, lane: number, batch: Batch): boolean {
    const { passThreshold } = this.options;
    const before = batch.settled;
    page.read(lane);
    while (!batch.isSettled && page.outcomes[batch.settled] !== OUTCOME.pending) {
      const row = batch.settled;
      batch.settle(
        page.outcomes[row] === OUTCOME.scored && Number.isFinite(page.rewards[row])
          ? scored(page.rewards[row], passThreshold)
          : failed('python_grader_runtime_error', page.text(lane, row)),
      );
    }
    const isFurther = batch.settled > before;
    if (isFurther) this.lossesAtScore = this.losses;
    return isFurther;
  }

  /** A supervisor is gone. What it has finished stands, the rest goes to another; a row that two have ended at is given up. */
  private lose(slot: Slot, text: string): void {
    for (const [lane, batch] of slot.batches) {
      if (this.settle(slot, lane, batch)) batch.losses = 0;
      if (batch.isSettled) continue;
      // One that lay ready behind another, or was handed over too late, did not run.
      if (slot.supervisor.page.hasBegun) batch.losses += 1;
      if (batch.losses > 1) this.giveUp(batch, text);
      if (!batch.isSettled) this.queue.putBack(batch);
    }
    slot.batches.clear();
    const kind = slot.isReady ? 'supervisor_ended' : 'start';
    const often = `${MOST_LOSSES} times in a row, with no row finished in between`;
    this.goOnWithout(slot, failed('python_grader_server_error', `${kind}: ${text} (${often})`));
  }

  /** Its next row fails; those behind it may be innocent. */
  private giveUp(batch: Batch, text: string): void {
    batch.settle(failed('python_grader_server_error', `supervisor_ended: ${text}`));
    batch.losses = 0;
    this.lossesAtScore = this.losses;
  }

  /** A source that one process has loaded can be loaded: another that could not, for want of time say, is done without. */
  private meetFault(slot: Slot, text: string): void {
    const failure = failed('python_grader_runtime_error', text);
    if (this.hasLoaded) {
      void slot.supervisor.close();
      this.goOnWithout(slot, failure);
    } else {
      this.fault = text;
      this.failAll(failure);
    }
  }

  /** The rows that wait go to other supervisors, or a new one. Where that one is lost, too, again and again, they fail. */
  private goOnWithout(slot: Slot, failure: Failed): void {
    clearTimeout(slot.idleTimer);
    if (!this.slots.delete(slot)) return; // It was told to end.
    if (slot.lossesBefore === this.losses) this.losses += 1;
    if (this.slots.size > 0 || !this.isLosing) {
      this.dispatch();
      return;
    }
    this.lossesAtScore = this.losses;
    this.failAll(failure);
  }

  /** Whether supervisors are lost, whichever is started, and nothing gets done. */
  private get isLosing(): boolean {
    return this.losses - this.lossesAtScore >= MOST_LOSSES;
  }

  private failAll(failure: Failed): void {
    for (const { batches } of this.slots) for (const batch of batches.values()) settleRest(batch, failure);
    for (let batch = this.queue.take(Infinity); batch !== undefined; batch = this.queue.take(Infinity))
      settleRest(batch, failure);
  }

  private endWhenIdle(slot: Slot): void {
    clearTimeout(slot.idleTimer);
    slot.idleTimer = setTimeout(() => {
      if (this.slots.size === 1) return;
      this.slots.delete(slot);
      void slot.supervisor.close();
    }, IDLE_MS).unref();
  }
}

const settleRest = (batch: Batch, failure: Failed): void => {
  while (!batch.isSettled) batch.settle(failure);
};
