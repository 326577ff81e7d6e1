import { clusteredMean, clustersOf, type ClusteredEstimate } from '../stats/clustered.js';

/** How long the answers of pairs are: trained on pairs, models learn length first. */
export class PairLengths {
  private readonly differences: number[] = [];
  private readonly prompts: number[] = [];
  private chosen = 0;
  private rejected = 0;

  add(prompt: number, chosen: number, rejected: number): void {
    this.prompts.push(prompt);
    this.differences.push(chosen - rejected);
    this.chosen += chosen;
    this.rejected += rejected;
  }

  /** Means in characters, and how much longer chosen answers are; undefined without pairs. */
  summary(): LengthSummary | undefined {
    const { length } = this.differences;
    const clusters = clustersOf(length, Int32Array.from(this.prompts));
    const difference = clusteredMean(Float64Array.from(this.differences), clusters);
    return difference && { chosen: this.chosen / length, rejected: this.rejected / length, difference };
  }
}

/** How long chosen and rejected answers are, in characters. */
export interface LengthSummary {
  readonly chosen: number;
  readonly rejected: number;
  readonly difference: ClusteredEstimate;
}
