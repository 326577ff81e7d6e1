import { GradingError, UnavailableError } from '../errors.js';
import type { JudgeUsage } from '../judge-call.js';
import type { Budget, Need } from './budget.js';
import type { Clock } from './clock.js';
import type { Failure } from './failure.js';
import { Lane } from './lane.js';
import type { Task } from './task-queue.js';

/** What came of one try. */
export type Attempt<Reply> = {
  /** How long the endpoint's headers say to send nothing; 0 when they do not. */
  readonly pauseMs: number;
} & ({ readonly reply: Reply; readonly usage?: JudgeUsage } | { readonly failure: Failure });

/** A call to be made, tried as often as it takes. */
export interface Job<Reply> {
  /** `judge "gpt-4.1"`, for messages. */
  readonly name: string;
  readonly need: Need;
  /** Never rejects. */
  attempt(): Promise<Attempt<Reply>>;
}

/** What calls share that may be made at once: an endpoint and a model. */
export interface LaneOptions {
  readonly key: string;
  /** The endpoint's address, for messages. */
  readonly url: string;
  /** Most calls at once. */
  readonly concurrency: number;
}

/** What a scheduler is made of. */
export interface SchedulerOptions {
  readonly clock: Clock;
  /** In [0, 1), for the spread of retries. */
  readonly random: () => number;
  readonly budget: Budget;
  /** How often a call is tried again; 0: never. */
  readonly retries: number;
  /** Says to the user what goes on. */
  readonly onNotice: (text: string) => void;
  /** Called once, when no further call can succeed. */
  readonly onFatal: (error: UnavailableError) => void;
}

/** Decides when each call is made: in the order they came, as many at once as each endpoint bears. */
export class Scheduler {
  private readonly lanes = new Map<string, Lane>();
  /** Why no further try is made; undefined while they are. */
  private ending: GradingError | undefined;
  /** Why no further call is begun, while those that were begun may still be tried again. */
  private closing: GradingError | undefined;
  private order = 0;

  constructor(readonly options: SchedulerOptions) {}

  /**
   * Makes a call when its turn comes.
   *
   * @throws GradingError when it gets no reply: `model_grader_server_error`, or `not_graded` when the run or the budget ends
   */
  run<Reply>(lane: LaneOptions, job: Job<Reply>): Promise<Reply> {
    const refusal = this.refusalOf();
    if (refusal !== undefined) return Promise.reject(refusal);
    this.order += 1;
    return new Promise((resolve, reject) => {
      const task: Task<Reply> = { job, order: this.order, tries: 0, mayBeBilled: false, resolve, reject };
      this.laneFor(lane).add(task as Task<unknown>);
    });
  }

  /** Why a call is not made; undefined when it may be. */
  refusalOf(task?: Task<unknown>): GradingError | undefined {
    return this.ending ?? (task?.reservation === undefined ? this.closing : undefined);
  }

  /** Calls that wait fail as `not_graded`, and so do all further ones; those under way may still land. */
  end(reason: string): void {
    if (this.ending !== undefined) return;
    this.ending = new GradingError('not_graded', reason);
    for (const lane of this.lanes.values()) lane.end(this.ending);
  }

  private stopBeginning(reason: string): void {
    if (this.closing !== undefined) return;
    this.closing = new GradingError('not_graded', reason);
    for (const lane of this.lanes.values()) lane.dropUnbegun(this.closing);
  }

  /** Ends all, and says why. */
  fail(name: string, { message }: Failure): void {
    if (this.ending !== undefined) return;
    const error = new UnavailableError(
      `${name}: ${message}`,
      'what was graded is kept; the run can be gone on with',
    );
    this.end(`the run was stopped: ${error.message}`);
    this.options.onFatal(error);
  }

  /** Takes hold of what a call may use. @returns false when it has to wait, or will never be made */
  reserve(task: Task<unknown>): boolean {
    if (task.reservation !== undefined) return true;
    const reservation = this.options.budget.reserve(task.job.need);
    if (reservation === 'wait') return false;
    if (reservation === 'used up') {
      this.stopBeginning(`the budget of ${this.options.budget.describe()} is used up`);
      return false;
    }
    task.reservation = reservation;
    return true;
  }

  /** Counts what a call has used, or may have used. */
  settle(
    { reservation, job, mayBeBilled }: Task<unknown>,
    usage: JudgeUsage | undefined,
    isAnswered: boolean,
  ) {
    if (reservation === undefined) return;
    const { budget } = this.options;
    if (isAnswered || mayBeBilled) budget.settle(reservation, usage, job.need.price);
    else budget.settleUnanswered(reservation);
    for (const lane of this.lanes.values()) lane.pump();
  }

  private laneFor(options: LaneOptions): Lane {
    const known = this.lanes.get(options.key);
    if (known !== undefined) return known;
    const lane = new Lane(options, this);
    this.lanes.set(options.key, lane);
    return lane;
  }
}
