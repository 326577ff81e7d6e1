/** What the command costs before it does anything. */
import { CLI } from './cli.mjs';
import { formatNumber, formatSummary, interleave, measureSuccess, summarize, table } from './measure.mjs';

const ROUNDS = 20;

export const title = 'Startup: CPU milliseconds';

const cpuMs = (args) => measureSuccess(process.execPath, args).cpuSeconds * 1000;

export const run = async () => {
  const results = await interleave(ROUNDS, {
    bare: () => cpuMs(['-e', '0']),
    help: () => cpuMs([CLI, '--help']),
  });
  const added = summarize(results.help).median - summarize(results.bare).median;
  return [
    `${ROUNDS} rounds in turn; median (min–max).`,
    '',
    table(
      ['command', 'CPU ms'],
      [
        ['`node -e 0`', formatSummary(results.bare)],
        ['`assay --help`', formatSummary(results.help)],
      ],
    ),
    '',
    `\`assay --help\` costs ${formatNumber(added)} ms more.`,
  ].join('\n');
};
