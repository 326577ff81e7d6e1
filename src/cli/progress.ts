import type { Progress } from '../run/run.js';
import { printable } from '../show.js';
import type { Io } from './context.js';

const BAR_WIDTH = 24;
const TERMINAL_INTERVAL_MS = 100;
const LOG_INTERVAL_MS = 30_000;

/** A line that says how far a run is: redrawn on a terminal, a new one now and then in a log file. */
export class ProgressLine {
  private readonly started = performance.now();
  private lastDrawn = this.started;
  private drawn = false;

  /** @param subject  what the line is about, where there are several */
  constructor(
    private readonly stderr: Io['stderr'],
    private readonly subject?: string,
  ) {}

  update(progress: Progress): void {
    const now = performance.now();
    const interval = this.stderr.isTTY === true ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS;
    if (now - this.lastDrawn < interval) return;
    this.lastDrawn = now;
    const progressText = describeProgress(progress, (now - this.started) / 1000);
    const line = this.subject === undefined ? progressText : `${printable(this.subject)}  ${progressText}`;
    if (this.stderr.isTTY !== true) {
      this.stderr.write(`${line}\n`);
      return;
    }
    this.stderr.write(`\r\u001b[K${line.slice(0, (this.stderr.columns ?? 80) - 1)}`);
    this.drawn = true;
  }

  /** Takes the line off the terminal. */
  clear(): void {
    if (this.drawn) this.stderr.write('\r\u001b[K');
    this.drawn = false;
  }
}

/** `━━━━━━──── 42 %  12,345 rows  45,100 rows/s  0:12 left  3 failed` */
export const describeProgress = ({ rows, failed, share }: Progress, seconds: number): string => {
  const parts = [
    `${rows.toLocaleString('en')} rows`,
    `${Math.round(rows / seconds).toLocaleString('en')} rows/s`,
  ];
  if (share !== undefined && share > 0) {
    const filled = Math.round(share * BAR_WIDTH);
    parts.unshift(`${'━'.repeat(filled)}${'─'.repeat(BAR_WIDTH - filled)} ${Math.floor(share * 100)} %`);
    parts.push(`${formatDuration((seconds / share) * (1 - share))} left`);
  }
  if (failed > 0) parts.push(`${failed.toLocaleString('en')} failed`);
  return parts.join('  ');
};

/** `0:07`, `12:30`, `2:05:00` */
export const formatDuration = (seconds: number): string => {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0
    ? `${hours}:${twoDigits(minutes)}:${twoDigits(whole % 60)}`
    : `${minutes}:${twoDigits(whole % 60)}`;
};

const twoDigits = (value: number): string => String(value).padStart(2, '0');
