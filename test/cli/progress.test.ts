import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { describeProgress, formatDuration, ProgressLine } from '../../src/cli/progress.js';

describe('the line', () => {
  test('has a bar and the time left when the size is known', () => {
    expect(describeProgress({ rows: 12_345, failed: 3, share: 0.25 }, 10)).toBe(
      `${'━'.repeat(6)}${'─'.repeat(18)} 25 %  12,345 rows  1,235 rows/s  0:30 left  3 failed`,
    );
  });

  test('has neither for standard input', () => {
    expect(describeProgress({ rows: 500, failed: 0, share: undefined }, 2)).toBe('500 rows  250 rows/s');
  });
});

test.each([
  [0, '0:00'],
  [6.2, '0:07'],
  [750, '12:30'],
  [3599.5, '1:00:00'],
  [7500, '2:05:00'],
])('%d seconds are %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

const terminal = (isTTY: boolean, columns?: number) => {
  const stream = new PassThrough({ encoding: 'utf8' });
  return { stream: Object.assign(stream, { isTTY, columns }), drawn: () => stream.read() as string | null };
};

describe('drawing', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  const progress = { rows: 1000, failed: 0, share: 0.5 };

  test('on a terminal ten times a second at most, cut to its width, and taken off again', () => {
    const { stream, drawn } = terminal(true, 30);
    const line = new ProgressLine(stream);
    vi.advanceTimersByTime(99);
    line.update(progress);
    expect(drawn()).toBeNull();
    vi.advanceTimersByTime(1);
    line.update(progress);
    line.update(progress);
    expect(drawn()).toBe(`\r\u001b[K${'━'.repeat(12)}${'─'.repeat(12)} 50 %`);
    line.clear();
    line.clear();
    expect(drawn()).toBe('\r\u001b[K');
  });

  test('in a log file a line of its own every half minute, without control characters', () => {
    const { stream, drawn } = terminal(false);
    const line = new ProgressLine(stream);
    vi.advanceTimersByTime(29_999);
    line.update(progress);
    expect(drawn()).toBeNull();
    vi.advanceTimersByTime(1);
    line.update(progress);
    line.clear();
    expect(drawn()).toBe(`${'━'.repeat(12)}${'─'.repeat(12)} 50 %  1,000 rows  33 rows/s  0:30 left\n`);
  });
});
