/**
 * Prints the rows per CPU second of one library on rows in memory. A process for each: in a shared one the compiler
 * makes the first contender fast and the later ones slow.
 *
 *     node bench/library-rate.mjs assay GRADER_JSON FILE
 *     node bench/library-rate.mjs autoevals ExactMatch FILE
 */
import { readFileSync } from 'node:fs';
import { cpuSecondsOf } from './measure.mjs';

const WARM_UP_SECONDS = 0.2;
const SECONDS = 0.3;

/** How to grade a row, and where the score is in what comes back. Both answer at once, without a promise. */
const TOOLS = {
  async assay(config) {
    const { builtinGraders, createEngine } = await import('../dist/index.js');
    const grader = await createEngine({ graders: builtinGraders }).prepare(JSON.parse(config));
    return { grade: grader.gradeRow, scoreOf: ({ reward }) => reward };
  },
  async autoevals(name) {
    const { [name]: scorer } = await import('autoevals');
    const grade = ({ item, sample }) => scorer({ output: sample.output_text, expected: item.answer });
    return { grade, scoreOf: ({ score }) => score };
  },
};

const [tool, what, file] = process.argv.slice(2);
const rows = readFileSync(file, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));
const { grade, scoreOf } = await TOOLS[tool](what);

// The scores are used, or the compiler would leave out making them.
let sum = 0;
const pass = () => {
  for (const row of rows) sum += scoreOf(grade(row));
};

const measureRate = (seconds) => {
  let spent = 0;
  let graded = 0;
  while (spent < seconds) {
    spent += cpuSecondsOf(pass);
    graded += rows.length;
  }
  return graded / spent;
};

measureRate(WARM_UP_SECONDS);
const rate = measureRate(SECONDS);
if (!Number.isFinite(sum)) throw new Error(`${tool} gave something that is not a number`);
process.stdout.write(`${rate}\n`);
