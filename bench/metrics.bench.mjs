/** Pairs per CPU second on one thread: our metrics beside the Python references, on the same texts. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PYTHON, PYTHON_ENV } from '../fixtures/golden/setup.mjs';
import { cpuSecondsOf, formatRatio, formatSummary, interleave, summarize, table } from './measure.mjs';
import { createPairs } from './texts.mjs';

const PAIRS_BY_LENGTH = new Map([
  [20, 2000],
  [150, 400],
  [1_000, 60],
  [10_000, 4],
  [100_000, 2],
]);
const ROUNDS = 5;
const ROUND_SECONDS = 0.2;
/** A reference that would need longer than this for all rounds of a cell is not run. */
const MAX_CELL_SECONDS = 20;
/** Cells whose reference compares every token with every token. */
const QUADRATIC_REFERENCES = new Set(['meteor, split', 'rouge_l']);

export const title = 'Metrics: pairs per CPU second, one thread';

const ourCells = (metrics) => {
  const { fuzzyMatch, bleu, gleu, meteor, rougeN, rougeL } = metrics;
  const whitespace = { tokenizer: 'whitespace' };
  const nltk = { tokenizer: 'nltk' };
  return {
    fuzzy_match: (c, r) => fuzzyMatch(c, r),
    'bleu, split': (c, r) => bleu(c, r, whitespace),
    'bleu, word_tokenize': (c, r) => bleu(c, r, nltk),
    'gleu, split': (c, r) => gleu(c, r, whitespace),
    'gleu, word_tokenize': (c, r) => gleu(c, r, nltk),
    'meteor, split': (c, r) => meteor(c, r, whitespace),
    rouge_1: (c, r) => rougeN(c, r, 1),
    rouge_l: (c, r) => rougeL(c, r),
  };
};

/** The Python half: `ask(request)` sends a line and resolves with the line that answers it. */
const startReferences = () => {
  const child = spawn(PYTHON, [join(import.meta.dirname, 'references_bench.py')], {
    env: PYTHON_ENV,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdout.setEncoding('utf8');
  let received = '';
  let answer;
  child.stdout.on('data', (chunk) => {
    received += chunk;
    if (!received.endsWith('\n')) return;
    answer.resolve(JSON.parse(received));
    received = '';
  });
  child.on('exit', (code) => answer?.reject(new Error(`references_bench.py ended with code ${code}`)));
  const ask = (request) =>
    new Promise((resolve, reject) => {
      answer = { resolve, reject };
      child.stdin.write(`${JSON.stringify(request)}\n`);
    });
  return { ask, stop: () => child.stdin.end() };
};

/** How many passes fill a round, from the time of one. */
const passesFor = (secondsOfOne) => Math.max(1, Math.ceil(ROUND_SECONDS / Math.max(secondsOfOne, 1e-6)));

const benchOurs = (score, pairs) => {
  const pass = () => {
    for (const { candidate, reference } of pairs) score(candidate, reference);
  };
  const warmUpUntil = performance.now() + ROUND_SECONDS * 1000;
  let passesDone = 0;
  const warmUp = cpuSecondsOf(() => {
    do {
      pass();
      passesDone++;
    } while (performance.now() < warmUpUntil);
  });
  const passes = passesFor(warmUp / passesDone);
  return () => {
    const seconds = cpuSecondsOf(() => {
      for (let done = 0; done < passes; done++) pass();
    });
    return (passes * pairs.length) / seconds;
  };
};

const benchReference = async (references, cell, pairCount) => {
  const { seconds } = await references.ask({ cell, passes: 1 });
  const passes = passesFor(seconds);
  const run = async () => (passes * pairCount) / (await references.ask({ cell, passes })).seconds;
  return { seconds, run };
};

export const run = async () => {
  const metrics = await import('../dist/metrics.js');
  const references = startReferences();
  const rows = [];
  // Seconds of one pair at the length before, to foresee the next length.
  const secondsBefore = new Map();
  let lengthBefore = 1;
  for (const [length, pairCount] of PAIRS_BY_LENGTH) {
    const pairs = createPairs(pairCount, length);
    await references.ask({ pairs });
    for (const [cell, score] of Object.entries(ourCells(metrics))) {
      process.stderr.write(`metrics: ${cell}, ${length} characters\n`);
      const growth = (length / lengthBefore) ** (QUADRATIC_REFERENCES.has(cell) ? 2 : 1);
      const expected = (secondsBefore.get(cell) ?? 0) * growth * pairCount;
      const contenders = { ours: benchOurs(score, pairs) };
      if (expected * ROUNDS <= MAX_CELL_SECONDS) {
        const reference = await benchReference(references, cell, pairCount);
        secondsBefore.set(cell, reference.seconds / pairCount);
        contenders.reference = reference.run;
      }
      const { ours, reference } = await interleave(ROUNDS, contenders);
      const oursOnly = [cell, length, formatSummary(ours)];
      if (reference === undefined)
        rows.push([...oursOnly, `not run: about ${Math.round(expected / pairCount)} s a pair`, '']);
      else
        rows.push([
          ...oursOnly,
          formatSummary(reference),
          formatRatio(summarize(ours).median / summarize(reference).median),
        ]);
    }
    lengthBefore = length;
  }
  references.stop();
  const order = Object.keys(ourCells(metrics));
  rows.sort((a, b) => order.indexOf(a[0]) - order.indexOf(b[0]));
  return [
    `Half of the pairs 30 % edited, half unrelated; ${ROUNDS} rounds in turn; median (min–max).`,
    'The references: rapidfuzz called from Python, NLTK with `split()` or `word_tokenize`, rouge-score.',
    '',
    table(['metric', 'characters', 'ours', 'reference', 'ratio'], rows),
  ].join('\n');
};
