/**
 * How many calls at once an endpoint bears, found out by trying. While calls are answered it grows twofold with every
 * round. When calls are turned away it falls to as many as are still under way, which is what the endpoint does bear;
 * from near where that happened it first stays, then grows slowly, and twofold again if it was for once only.
 */
export class Concurrency {
  private size: number;
  /** Up to here growth is twofold at any time. */
  private threshold = Infinity;
  /** Rounds since calls were turned away. */
  private calmRounds = 0;
  private cutAt = -Infinity;
  private fastest = Infinity;
  private round = newRound();

  /** @param most  never more than this */
  constructor(private readonly most: number) {
    this.size = Math.min(START, most);
  }

  /** Most calls at once, for now. */
  get limit(): number {
    return Math.floor(this.size);
  }

  /**
   * Counts a call that was answered.
   *
   * @param isFull  whether as many calls as allowed were under way: only then does its success say that there is more room
   */
  answered(latencyMs: number, isFull: boolean): void {
    const { round } = this;
    round.answered += 1;
    round.latencyMs += latencyMs;
    round.isFull ||= isFull;
    if (round.answered + round.limited >= this.limit) this.endRound();
  }

  /**
   * Counts a call that was turned away because there were too many.
   *
   * @param underWay  how many others still are
   */
  limited(startedAt: number, underWay: number, now: number): void {
    const borne = Math.max(1, underWay);
    // It was sent before the last cut, and is a part of the same trouble.
    if (startedAt < this.cutAt) {
      this.size = Math.min(this.size, borne);
      return;
    }
    this.round.limited += 1;
    if (this.round.limited <= toleratedOf(this.size)) return;
    // Without a round between, it is the same trouble still, and the size says nothing.
    if (this.calmRounds > 0 || this.threshold === Infinity) this.threshold = this.size * CUT;
    this.calmRounds = 0;
    this.size = Math.min(this.size, borne);
    this.cutAt = now;
    this.round = newRound();
  }

  /** A round is as many calls as may be under way at once. */
  private endRound(): void {
    const { answered, latencyMs, isFull } = this.round;
    this.round = newRound();
    const latency = latencyMs / answered;
    this.fastest = Math.min(latency, this.fastest * DRIFT);
    // Where calls take longer the more there are, they wait in a queue at the server, and more of them gain nothing.
    if (!isFull || latency > SLOWED * this.fastest) return;
    this.calmRounds += 1;
    this.size = Math.min(this.most, this.grown());
  }

  private grown(): number {
    if (this.calmRounds >= FORGET_ROUNDS) this.threshold = Infinity;
    if (this.size < this.threshold) return Math.min(this.size * 2, this.threshold);
    return this.calmRounds < STAY_ROUNDS ? this.size : this.size * GROWTH;
  }
}

const START = 16;
const GROWTH = 1.05;
const CUT = 0.8;
const STAY_ROUNDS = 4;
const FORGET_ROUNDS = 10;
const SLOWED = 2;
/** Calls may become slower for their own reasons; the fastest round is forgotten by this a round. */
const DRIFT = 1.02;

const CHANCE = 0.1;

/** How many calls of a round can be turned away by chance where a tenth of all are: two standard deviations above that. */
const toleratedOf = (size: number): number => CHANCE * size + 2 * Math.sqrt(CHANCE * size);

const newRound = () => ({ answered: 0, limited: 0, latencyMs: 0, isFull: false });
