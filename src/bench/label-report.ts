import { clusteredMean, type Clusters } from '../stats/clustered.js';
import { meanPassAtK, meanPassHatK } from '../stats/pass-at-k.js';
import { differing } from './distribution.js';
import { reported } from './estimate.js';
import { gather, knownRows, rightOnes, sampleSizes, type KnownRows, type Labels } from './known-rows.js';
import type { LabelReport, PassAt } from './report-shape.js';

/**
 * What is known of the labels themselves.
 *
 * @param groups  of each row of the bench
 */
export const labelReport = (labels: Labels, groups: Clusters): LabelReport | null => {
  const { kind, least, greatest } = labels;
  const known = knownRows(groups, (row) => Number.isFinite(labels.values[row]));
  const values = gather(labels.values, known);
  const mean = clusteredMean(values, known.clusters, kind === 'binary' ? [least, greatest] : undefined);
  if (mean === undefined) return null;
  return {
    rows: values.length,
    missing: labels.values.length - values.length,
    kind,
    least,
    greatest,
    mean: reported(mean),
    mixed_groups: differing(values, known.clusters).reduce((sum, each) => sum + each, 0),
    pass: kind === 'binary' ? passes(rightOnes(values, labels), known) : [],
  };
};

const passes = (right: Uint8Array, known: KnownRows): PassAt[] => {
  const sizes = sampleSizes(known);
  return (sizes.length === 0 ? [] : [1, ...sizes]).flatMap((k) => {
    const [any, all] = [meanPassAtK(right, known.clusters, k), meanPassHatK(right, known.clusters, k)];
    return any && all ? [{ k, items: any.items, any: reported(any), all: reported(all) }] : [];
  });
};
