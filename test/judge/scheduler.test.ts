import { describe, expect, test } from 'vitest';
import type { UnavailableError } from '../../src/errors.js';
import { Budget } from '../../src/judge/budget.js';
import type { Failure } from '../../src/judge/failure.js';
import { Scheduler, type Attempt, type LaneOptions } from '../../src/judge/scheduler.js';
import { VirtualClock } from './virtual-clock.js';

const LANE: LaneOptions = { key: 'a', url: 'http://judge/v1', concurrency: 1000 };
const NEED = { promptTokens: 0, completionTokens: 0, price: undefined };

const LIMITED: Failure = { remedy: 'limited', message: 'HTTP 429' };
const DOWN: Failure = { remedy: 'transient', message: 'HTTP 502' };

/** A generator of numbers in [0, 1) that gives the same ones every time. */
const seededRandom = (seed: number) => () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};

const start = (retries = 5) => {
  const clock = new VirtualClock();
  const notices: string[] = [];
  const fatal: UnavailableError[] = [];
  const scheduler = new Scheduler({
    clock,
    random: seededRandom(1),
    budget: new Budget(),
    retries,
    onNotice: (text) => notices.push(text),
    onFatal: (error) => fatal.push(error),
  });
  /** Runs jobs until all are settled; each try takes some time and then has the outcome that `serve` decided at its start. */
  const runAll = (
    count: number,
    serve: (row: number, nth: number) => { ms: number; failure?: Failure; pauseMs?: number },
    lane = LANE,
  ) => {
    const asked = Array.from({ length: count }, (_, row) => {
      let nth = 0;
      const attempt = async (): Promise<Attempt<number>> => {
        const { ms, failure, pauseMs = 0 } = serve(row, nth);
        nth += 1;
        await clock.sleep(ms);
        return failure === undefined ? { pauseMs, reply: row } : { pauseMs, failure };
      };
      return scheduler.run(lane, { name: 'judge "m"', need: NEED, attempt });
    });
    const answered: number[] = [];
    for (const reply of asked)
      reply.then(
        () => answered.push(clock.now()),
        () => {},
      );
    /** When so large a share of the calls was answered; the last few wait out their tries. */
    const timeOf = (share: number) => answered[Math.floor(share * answered.length)];
    return clock.until(Promise.allSettled(asked)).then((outcomes) => ({ outcomes, timeOf }));
  };
  return { clock, notices, fatal, runAll };
};

/** An endpoint with room for so many calls at once that turns others away at once. */
const withRoom = (clock: VirtualClock, room: number, latencyMs: number) => {
  const counts = { underWay: 0, refused: 0 };
  const serve = () => {
    if (counts.underWay >= room) {
      counts.refused += 1;
      return { ms: 5, failure: LIMITED };
    }
    counts.underWay += 1;
    clock.after(latencyMs, () => {
      counts.underWay -= 1;
    });
    return { ms: latencyMs };
  };
  return { counts, serve };
};

describe('how many calls are made at once', () => {
  test.each([
    { room: 4, calls: 400, share: 0.8 },
    { room: 30, calls: 3000, share: 0.8 },
    { room: 200, calls: 10_000, share: 0.8 },
    { room: 500, calls: 20_000, share: 0.85 },
  ])('finds the room for $room within moments', async ({ room, calls, share }) => {
    const { clock, runAll } = start(20);
    const { counts, serve } = withRoom(clock, room, 200);
    const { outcomes, timeOf } = await runAll(calls, serve);
    expect(outcomes.every(({ status }) => status === 'fulfilled')).toBe(true);
    const ideal = (calls / room) * 200;
    expect((0.98 * ideal) / timeOf(0.98)).toBeGreaterThan(share);
    expect(counts.refused).toBeLessThan(calls * 0.15);
  });

  test('does not grow where more calls only wait longer', async () => {
    const { clock, runAll } = start();
    let [underWay, most] = [0, 0];
    // One worker behind a queue: a call takes as long as all before it.
    const serve = () => {
      underWay += 1;
      most = Math.max(most, underWay);
      const ms = underWay * 50;
      clock.after(ms, () => {
        underWay -= 1;
      });
      return { ms };
    };
    await runAll(1000, serve);
    expect(most).toBeLessThanOrEqual(64);
  });

  test('is not shaken by calls that are turned away by chance', async () => {
    const { clock, runAll } = start(20);
    const random = seededRandom(3);
    const { serve } = withRoom(clock, 500, 200);
    const calls = 20_000;
    const { outcomes, timeOf } = await runAll(calls, () => {
      const luck = random();
      if (luck < 0.06) return { ms: 5, failure: LIMITED };
      return luck < 0.2 ? { ms: 5, failure: DOWN } : serve();
    });
    expect(outcomes.every(({ status }) => status === 'fulfilled')).toBe(true);
    expect((0.98 * (calls / 500) * 200) / timeOf(0.98)).toBeGreaterThan(0.8);
  });

  test('keeps near a rate that is counted by the second', async () => {
    const { clock, runAll } = start(20);
    const seconds = new Map<number, number>();
    const { outcomes } = await runAll(3000, () => {
      const second = Math.floor(clock.now() / 1000);
      const count = (seconds.get(second) ?? 0) + 1;
      seconds.set(second, count);
      if (count <= 100) return { ms: 50 };
      return { ms: 5, failure: { ...LIMITED, retryAfterMs: (second + 1) * 1000 - clock.now() } };
    });
    expect(outcomes.every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(3000 / (clock.now() / 1000)).toBeGreaterThan(80);
  });
});

describe('waits', () => {
  test('as long as a call is asked to, and no shorter', async () => {
    const { clock, runAll } = start();
    const times: number[] = [];
    await runAll(1, (_, nth) => {
      times.push(clock.now());
      return nth === 0 ? { ms: 10, failure: { ...LIMITED, retryAfterMs: 30_000 } } : { ms: 10 };
    });
    expect(times[1]).toBeGreaterThanOrEqual(30_010);
    expect(times[1]).toBeLessThan(30_100);
  });

  test('with everything once call after call is turned away', async () => {
    const { clock, runAll } = start();
    const starts: number[] = [];
    await runAll(500, () => {
      starts.push(clock.now());
      return clock.now() < 20_000
        ? { ms: 10, failure: { ...LIMITED, retryAfterMs: 20_000 - clock.now() } }
        : { ms: 10 };
    });
    expect(starts.filter((time) => time < 19_900).length).toBeLessThanOrEqual(24);
  });

  test('as headers say that nothing remains', async () => {
    const { clock, runAll } = start();
    const starts: number[] = [];
    await runAll(40, () => {
      starts.push(clock.now());
      return { ms: 10, pauseMs: starts.length === 16 ? 5000 : 0 };
    });
    expect(starts.filter((time) => time > 10 && time < 5010)).toEqual([]);
  });

  test('before each try up to a limit that doubles', async () => {
    const { clock, runAll } = start();
    const times: number[] = [];
    const { outcomes } = await runAll(1, () => {
      times.push(clock.now());
      return { ms: 0, failure: DOWN };
    });
    expect(outcomes).toMatchObject([{ reason: { message: 'judge "m": HTTP 502 (after 6 tries)' } }]);
    const delays = times.slice(1).map((time, index) => time - times[index]);
    for (const [index, delay] of delays.entries()) expect(delay).toBeLessThan(500 * 2 ** index);
  });

  test('but not for hours: that ends the run', async () => {
    const { runAll, fatal } = start();
    const { outcomes } = await runAll(30, () => ({
      ms: 10,
      failure: { ...LIMITED, retryAfterMs: 7_200_000 },
    }));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: 'not_graded' } });
    expect(fatal.map(({ message }) => message)).toEqual([
      'judge "m": HTTP 429; it asks to wait for 120 minutes',
    ]);
  });
});

describe('an endpoint that is down', () => {
  test('is left in peace but for a probe, and gone on with when it is back', async () => {
    const { clock, runAll, notices, fatal } = start();
    const starts: number[] = [];
    const { outcomes } = await runAll(300, () => {
      starts.push(clock.now());
      const isDown = clock.now() > 100 && clock.now() < 50_000;
      return isDown ? { ms: 10, failure: DOWN } : { ms: 60 };
    });
    expect(starts.filter((time) => time > 5000 && time < 50_000).length).toBeLessThanOrEqual(4);
    expect(outcomes.filter(({ status }) => status === 'rejected').length).toBeLessThanOrEqual(2);
    expect(notices).toEqual([
      'http://judge/v1 fails again and again (HTTP 502); one call every 15 s tries whether it is back',
      'http://judge/v1 answers again',
    ]);
    expect(fatal).toEqual([]);
  });

  test('for ten minutes ends the run', async () => {
    const { clock, runAll, fatal } = start();
    const { outcomes } = await runAll(1000, () => ({ ms: 10, failure: DOWN }));
    expect(fatal).toHaveLength(1);
    expect(clock.now()).toBeLessThan(700_000);
    expect(outcomes.filter((outcome) => outcome.status === 'rejected')).toHaveLength(1000);
  });
});

test('calls are made in their order, and those tried again come first', async () => {
  const { runAll } = start();
  const order: number[] = [];
  await runAll(
    5,
    (row, nth) => {
      order.push(row);
      return row === 0 && nth === 0 ? { ms: 1000, failure: DOWN } : { ms: 1000 };
    },
    { ...LANE, concurrency: 1 },
  );
  expect(order).toEqual([0, 1, 0, 2, 3, 4]);
});

test('endpoints and models do not wait for each other', async () => {
  const { clock, runAll } = start();
  const stuck = runAll(5, () => ({ ms: 60_000 }), { ...LANE, concurrency: 1 });
  const free = runAll(5, () => ({ ms: 10 }), { ...LANE, key: 'b' });
  await free;
  expect(clock.now()).toBeLessThan(100);
  await stuck;
});
