/** Calls to a judge that takes 200 ms for each and has room for 500: how near each client comes to 2,500 a second. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { measureClient } from './judge/measure-client.mjs';
import {
  formatNumber,
  formatSummary,
  interleave,
  ratioCells,
  ratioTable,
  summarize,
  table,
} from './measure.mjs';

const ROUNDS = 5;
const LATENCY_MS = 200;
const AT_ONCE = 500;
const CALLS = 10_000;
const IDEAL = AT_ONCE / (LATENCY_MS / 1000);

export const title = `Judges: ${LATENCY_MS} ms a call, ${AT_ONCE} at once`;

const CLIENTS = { assay: 'assay', undici: 'undici, bare', openai: 'openai' };

const withEndpoint = async (use) => {
  const script = join(import.meta.dirname, 'judge', 'endpoint.mjs');
  const endpoint = spawn(process.execPath, [script, String(LATENCY_MS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [port] = await once(endpoint.stdout, 'data');
    return await use(`http://127.0.0.1:${String(port).trim()}/v1`);
  } finally {
    endpoint.kill();
  }
};

const rate = ({ seconds }) => CALLS / seconds;

const row = (name, results) => [
  CLIENTS[name],
  formatSummary(results.map(rate)),
  `${formatNumber((100 * summarize(results.map(rate)).median) / IDEAL)} %`,
  `${formatNumber((summarize(results.map(({ cpuSeconds }) => cpuSeconds)).median / CALLS) * 1e6)} µs`,
  formatSummary(results.map(({ maxRssMiB }) => maxRssMiB)),
];

export const run = () =>
  withEndpoint(async (baseUrl) => {
    const contenders = Object.keys(CLIENTS).map((name) => [
      name,
      () => measureClient(name, baseUrl, CALLS, AT_ONCE),
    ]);
    const results = await interleave(ROUNDS, Object.fromEntries(contenders));
    const median = (name) => summarize(results[name].map(rate)).median;
    return [
      `${formatNumber(CALLS)} calls after a warm-up; ${ROUNDS} rounds in turn; median (min–max). The ideal is ${formatNumber(IDEAL)} a second; the`,
      'judge is a process on the same machine, and takes its share of the cores.',
      '',
      table(
        ['client', 'calls/s', 'of the ideal', 'CPU a call', 'peak MiB'],
        Object.entries(results).map(([name, found]) => row(name, found)),
      ),
      '',
      ratioTable([
        [
          'assay / the ideal or bare undici, whichever is lower',
          ...ratioCells(median('assay') / Math.min(IDEAL, median('undici')), { atLeast: 0.9 }),
        ],
        ['assay / openai', ...ratioCells(median('assay') / median('openai'))],
      ]),
    ].join('\n');
  });
