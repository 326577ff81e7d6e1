import { CompensatedSum } from '../compensated-sum.js';
import { clusteredMean, clustersOf, type ClusteredEstimate } from '../stats/clustered.js';

/** One answer of a pair. */
export interface PairSide {
  readonly reward: number;
  /** Length of its text. */
  readonly characters: number;
}

/** Means over pairs. */
export interface PairMeans {
  readonly pairs: number;
  readonly reward: { readonly chosen: number; readonly rejected: number };
  readonly characters: {
    readonly chosen: number;
    readonly rejected: number;
    /** Of chosen minus rejected; pairs of one prompt may depend on each other. */
    readonly difference: ClusteredEstimate;
  };
}

/** Adds up what the answers of pairs are like: models that are trained on pairs learn length first. */
export class PairTally {
  private readonly prompts: number[] = [];
  private readonly differences: number[] = [];
  private readonly rewards = { chosen: new CompensatedSum(), rejected: new CompensatedSum() };
  private readonly characters = { chosen: 0, rejected: 0 };

  add(prompt: number, chosen: PairSide, rejected: PairSide): void {
    this.prompts.push(prompt);
    this.differences.push(chosen.characters - rejected.characters);
    this.rewards.chosen.add(chosen.reward);
    this.rewards.rejected.add(rejected.reward);
    this.characters.chosen += chosen.characters;
    this.characters.rejected += rejected.characters;
  }

  /** Undefined without pairs. */
  means(): PairMeans | undefined {
    const { prompts, differences, rewards, characters } = this;
    const pairs = prompts.length;
    const clusters = clustersOf(pairs, Int32Array.from(prompts));
    const difference = clusteredMean(Float64Array.from(differences), clusters);
    return (
      difference && {
        pairs,
        reward: { chosen: rewards.chosen.total / pairs, rejected: rewards.rejected.total / pairs },
        characters: {
          chosen: characters.chosen / pairs,
          rejected: characters.rejected / pairs,
          difference,
        },
      }
    );
  }
}
