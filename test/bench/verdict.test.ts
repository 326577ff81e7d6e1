import { describe, expect, test } from 'vitest';
import { benchReport, type Fitness } from '../../src/bench/report.js';
import { CLEAN, FAULTY, simulateBench, type SimulatedGrader } from './simulated-rewards.js';

const cleanOne = (name: string): SimulatedGrader => CLEAN.find((each) => each.name === name) ?? CLEAN[0];

const verdictOf = (grader: SimulatedGrader, { labelled = true, tried = true } = {}): Fitness => {
  const { rows, reward } = simulateBench(grader, 5);
  return benchReport(
    labelled ? rows : { ...rows, labels: undefined },
    [tried ? reward : { ...reward, trials: undefined }],
    { replicates: 100 },
  ).rewards[0].verdict;
};

const ALL = ['group_training', 'best_of_n', 'filtering', 'scoring'];

describe('one sentence a reward', () => {
  test('fit for everything, with the number that says so', () => {
    const { fit_for: fit, sentence } = verdictOf(cleanOne('quality from 0 to 1'));
    expect(fit).toEqual(ALL);
    expect(sentence).toMatchInlineSnapshot(
      `"Fit for training within groups, best-of-n, filtering and comparing models: it orders 92.2 % (95 % interval 89.3 % to 93.9 %) of pairs of samples of one item rightly."`,
    );
  });

  test('what was not tried is said', () => {
    expect(verdictOf(cleanOne('quality from 0 to 1'), { tried: false }).sentence).toMatchInlineSnapshot(
      `"Fit for training within groups, best-of-n, filtering and comparing models: it orders 92.2 % (95 % interval 89.3 % to 93.9 %) of pairs of samples of one item rightly; noise, order, echoes and constant answers were not tried."`,
    );
  });

  test('without labels nothing says that it rewards what is right', () => {
    const { fit_for: fit, sentence } = verdictOf(cleanOne('quality from 0 to 1'), { labelled: false });
    expect(fit).toEqual(ALL);
    expect(sentence).toMatchInlineSnapshot(
      `"Nothing found speaks against training within groups, best-of-n, filtering and comparing models: without labels of right and wrong answers it is unknown whether it rewards right ones."`,
    );
  });

  test('too weak for some uses', () => {
    const { fit_for: fit, sentence } = verdictOf({
      ...cleanOne('quality from 0 to 1'),
      begin: () => (answer) => ({
        reward: 0.4 + 0.15 * answer.right + 0.06 * answer.itemTaste + 0.12 * answer.impression,
      }),
    });
    expect(fit).toEqual(['group_training', 'best_of_n', 'scoring']);
    expect(sentence).toMatchInlineSnapshot(
      `"Fit for training within groups, best-of-n and comparing models (it orders 79.7 % (95 % interval 76.7 % to 82.6 %) of pairs of samples of one item rightly); not fit for filtering: its AUC is 0.791 (95 % interval 0.764 to 0.81); but 0.1 % of rows earn less than 0 or more than 1: rewards go from −0.0226 to 1.05."`,
    );
  });

  test('a fault that only matters to some uses', () => {
    const { fit_for: fit, sentence } = verdictOf(FAULTY.fooled_by_echo[0]);
    expect(fit).toEqual(['best_of_n', 'filtering', 'scoring']);
    expect(sentence).toMatchInlineSnapshot(
      `"Fit for best-of-n, filtering and comparing models (it orders 92.2 % (95 % interval 89.3 % to 93.9 %) of pairs of samples of one item rightly); not fit for training within groups: the prompt in place of an answer earns 0.658 on average, where answers earn 0.521, and beats 69.8 % of them."`,
    );
  });

  test('a fault that is worth knowing whatever the use', () => {
    expect(verdictOf(FAULTY.dominated[0]).sentence).toMatchInlineSnapshot(
      `"Fit for training within groups, best-of-n, filtering and comparing models: it orders 90.6 % (95 % interval 88.3 % to 92.8 %) of pairs of samples of one item rightly; but part "answer" alone explains 98.6 % of the variance of the reward."`,
    );
  });

  test('fit for nothing', () => {
    const { fit_for: fit, sentence } = verdictOf(FAULTY.constant[0]);
    expect(fit).toEqual([]);
    expect(sentence).toMatchInlineSnapshot(
      `"Not fit for training within groups, best-of-n, filtering and comparing models: every row earns 0.5."`,
    );
  });

  test('nothing was scored', () => {
    const { rows, reward } = simulateBench(CLEAN[0], 1);
    const rewards = new Float64Array(rows.count).fill(NaN);
    const [report] = benchReport(rows, [{ ...reward, rewards, trials: undefined }]).rewards;
    expect(report.verdict).toEqual({ fit_for: [], sentence: expect.stringMatching(/^No row was scored/) });
  });
});
