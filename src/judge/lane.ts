import { GradingError } from '../errors.js';
import { Breaker, PROBE_MS } from './breaker.js';
import { Concurrency } from './concurrency.js';
import type { Failure } from './failure.js';
import type { Attempt, LaneOptions, Scheduler } from './scheduler.js';
import { TaskQueue, type Task } from './task-queue.js';

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 60_000;
/** Whoever is asked to wait longer has met the limit of a day: the run ends, and can be gone on with. */
const MAX_RETRY_AFTER_MS = 900_000;

/** The calls to one model at one endpoint. */
export class Lane {
  private readonly queue = new TaskQueue();
  private readonly waiting = new Set<Task<unknown>>();
  private readonly concurrency: Concurrency;
  private readonly breaker = new Breaker();
  private underWay = 0;
  private pausedUntil = 0;
  private stopPause: (() => void) | undefined;
  /** The latest of the times that calls turned away were told to wait for. */
  private askedToWaitUntil = 0;
  /** How often all calls have been turned away since one was answered. */
  private emptied = 0;

  constructor(
    private readonly lane: LaneOptions,
    private readonly scheduler: Scheduler,
  ) {
    this.concurrency = new Concurrency(lane.concurrency);
  }

  add(task: Task<unknown>): void {
    this.queue.add(task);
    this.pump();
  }

  /** Starts as many calls as may be under way. */
  pump(): void {
    while (this.underWay < this.room && !this.queue.isEmpty) {
      if (this.isPaused()) return;
      const task = this.queue.take() as Task<unknown>;
      const refusal = this.scheduler.refusalOf(task);
      if (refusal !== undefined) this.reject(task, refusal);
      else if (this.scheduler.reserve(task)) this.start(task);
      else {
        this.giveBack(task);
        return;
      }
    }
  }

  /** Turns down all that waits and all that would have to be tried again. */
  end(error: GradingError): void {
    this.stopPause?.();
    for (const task of this.waiting) task.stopWaiting?.();
    const left = [...this.queue.drain(), ...this.waiting];
    this.waiting.clear();
    for (const task of left) this.reject(task, error);
  }

  /** Turns down all that has never been tried. */
  dropUnbegun(error: GradingError): void {
    for (const task of this.queue.drain()) {
      if (task.reservation === undefined) this.reject(task, error);
      else this.queue.putBack(task);
    }
  }

  private get room(): number {
    return this.breaker.isOpen ? 1 : this.concurrency.limit;
  }

  private start(task: Task<unknown>): void {
    const startedAt = this.scheduler.options.clock.now();
    task.tries += 1;
    this.underWay += 1;
    void task.job.attempt().then((attempt) => this.finish(task, attempt, startedAt));
  }

  private finish(task: Task<unknown>, attempt: Attempt<unknown>, startedAt: number): void {
    const isFull = this.underWay >= this.room;
    this.underWay -= 1;
    if (attempt.pauseMs > 0) this.pause(attempt.pauseMs);
    if ('failure' in attempt) this.handleFailure(task, attempt.failure, startedAt);
    else {
      this.noteAnswer();
      this.concurrency.answered(this.now - startedAt, isFull);
      task.resolve(attempt.reply);
      this.scheduler.settle(task, attempt.usage, true);
    }
    this.pump();
  }

  private handleFailure(task: Task<unknown>, failure: Failure, startedAt: number): void {
    task.mayBeBilled ||= failure.mayBeBilled === true;
    switch (failure.remedy) {
      case 'limited':
        this.noteLimit(failure, startedAt);
        this.retry(task, failure);
        break;
      case 'transient':
        this.noteTrouble(task, failure);
        this.retry(task, failure);
        break;
      case 'adapted':
        this.noteAnswer();
        task.tries -= 1;
        this.giveBack(task);
        break;
      case 'final':
        this.noteAnswer();
        this.reject(task, lost(task, failure));
        break;
      case 'fatal':
        this.scheduler.fail(task.job.name, failure);
        this.giveBack(task);
    }
  }

  private noteAnswer(): void {
    this.emptied = 0;
    this.askedToWaitUntil = 0;
    if (!this.breaker.answered()) return;
    this.pausedUntil = 0;
    this.scheduler.options.onNotice(`${this.lane.url} answers again`);
  }

  private noteLimit({ retryAfterMs = 0 }: Failure, startedAt: number): void {
    this.breaker.answered();
    this.concurrency.limited(startedAt, this.underWay, this.now);
    this.askedToWaitUntil = Math.max(this.askedToWaitUntil, this.now + retryAfterMs);
    // While others are under way the endpoint serves some; once none is left, all have been turned away.
    if (this.underWay > 0) return;
    this.emptied += 1;
    this.pause(Math.max(this.askedToWaitUntil - this.now, this.delayFor(this.emptied)));
  }

  private noteTrouble({ job }: Task<unknown>, failure: Failure): void {
    const verdict = this.breaker.failed(this.now, failure.isUnreachable === true);
    if (verdict === 'none') return;
    if (verdict === 'dead')
      this.scheduler.fail(job.name, { ...failure, message: `${this.lane.url}: ${failure.message}` });
    this.pause(PROBE_MS);
    if (verdict === 'opened')
      this.scheduler.options.onNotice(
        `${this.lane.url} fails again and again (${failure.message}); one call every ${PROBE_MS / 1000} s tries whether it is back`,
      );
  }

  private retry(task: Task<unknown>, failure: Failure): void {
    const refusal = this.scheduler.refusalOf(task);
    if (refusal !== undefined) {
      this.reject(task, refusal);
      return;
    }
    const { retryAfterMs = 0 } = failure;
    if (task.tries > this.scheduler.options.retries) {
      this.reject(task, lost(task, failure));
      return;
    }
    if (retryAfterMs > MAX_RETRY_AFTER_MS) {
      const minutes = Math.ceil(retryAfterMs / 60_000);
      const message = `${failure.message}; it asks to wait for ${minutes} minutes`;
      this.scheduler.fail(task.job.name, { ...failure, message });
      this.giveBack(task);
      return;
    }
    this.waiting.add(task);
    task.stopWaiting = this.scheduler.options.clock.after(
      Math.max(retryAfterMs, this.delayFor(task.tries)),
      () => {
        this.waiting.delete(task);
        this.queue.putBack(task);
        this.pump();
      },
    );
  }

  /** Full jitter: anything up to a limit that doubles. */
  private delayFor(tries: number): number {
    return this.scheduler.options.random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (tries - 1));
  }

  /** Puts a call back to its place, or turns it down when all has ended. */
  private giveBack(task: Task<unknown>): void {
    const refusal = this.scheduler.refusalOf(task);
    if (refusal === undefined) this.queue.putBack(task);
    else this.reject(task, refusal);
  }

  private reject(task: Task<unknown>, error: GradingError): void {
    task.reject(error);
    this.scheduler.settle(task, undefined, false);
  }

  private get now(): number {
    return this.scheduler.options.clock.now();
  }

  private pause(ms: number): void {
    this.pausedUntil = Math.max(this.pausedUntil, this.now + ms);
  }

  private isPaused(): boolean {
    const left = this.pausedUntil - this.now;
    if (left <= 0) return false;
    this.stopPause ??= this.scheduler.options.clock.after(left, () => {
      this.stopPause = undefined;
      this.pump();
    });
    return true;
  }
}

const lost = ({ job, tries }: Task<unknown>, { message }: Failure): GradingError =>
  new GradingError(
    'model_grader_server_error',
    `${job.name}: ${message}${tries > 1 ? ` (after ${tries} tries)` : ''}`,
  );
