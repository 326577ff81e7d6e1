import { toCodePoints } from './code-points.js';
import { lcsWithParts } from './lcs.js';

/**
 * {@link ratio} of the shorter text and the part of the longer one that is most like it: RapidFuzz 3.10
 * `fuzz.partial_ratio`, as a double. The part is as long as the shorter text, or it is a beginning or an end of the
 * longer one and shorter. Texts of equal length are compared both ways.
 *
 * @returns percent, 0 to 100; two empty texts give 100
 */
export const partialRatio = (a: string, b: string): number => {
  const codePointsA = toCodePoints(a);
  const codePointsB = toCodePoints(b);
  if (a === b) return 100;
  if (codePointsA.length < codePointsB.length) return 100 * bestPart(codePointsA, codePointsB);
  const best = bestPart(codePointsB, codePointsA);
  return (
    100 *
    (codePointsA.length > codePointsB.length ? best : Math.max(best, bestPart(codePointsA, codePointsB)))
  );
};

/** Two places where a part can be, and the length of the longest common subsequence (LCS) that was found at each. */
interface Span {
  readonly from: number;
  readonly fromLcs: number;
  readonly to: number;
  readonly toLcs: number;
}

/** Parts of the text by their places: where they start, or how long they are. */
interface Parts {
  readonly lcsAt: (place: number) => number;
  readonly similarityAt: (place: number, lcs: number) => number;
  /** No part between the two places is more similar than this. */
  readonly bound: (span: Span) => number;
}

/** The greatest similarity between two places, or `best` if that is greater. Goes by halves where one can still be found. */
const bestBetween = (best: number, whole: Span, { lcsAt, similarityAt, bound }: Parts): number => {
  let spans = [whole];
  while (spans.length > 0) {
    const halves: Span[] = [];
    for (const span of spans) {
      const { from, fromLcs, to, toLcs } = span;
      if (to - from < 2 || bound(span) <= best) continue;
      const middle = (from + to) >> 1;
      const lcs = lcsAt(middle);
      best = Math.max(best, similarityAt(middle, lcs));
      halves.push({ from, fromLcs, to: middle, toLcs: lcs }, { from: middle, fromLcs: lcs, to, toLcs });
    }
    spans = halves;
  }
  return best;
};

/** The greatest similarity of the needle to a part of the text, 0 to 1; the text is as long or longer. */
const bestPart = (needle: Int32Array, text: Int32Array): number => {
  const size = needle.length;
  if (size === 0) return 0;
  const similarity = (length: number, lcs: number): number => 1 - (size + length - 2 * lcs) / (size + length);

  /** By their lengths: the LCS never falls, and rises by 1 at most. */
  const shorterParts = (lcsAt: (length: number) => number): Parts => ({
    lcsAt,
    similarityAt: similarity,
    bound: ({ from, fromLcs, toLcs }) => similarity(from + toLcs - fromLcs, toLcs),
  });

  return lcsWithParts(needle, text, (lcsOfPart) => {
    const end = text.length;
    const lastStart = end - size;
    const firstLcs = lcsOfPart(0, size);
    const lastLcs = lcsOfPart(lastStart, end);
    /** One place further, a part has one symbol less and another one more: its LCS changes by 1 at most. */
    const fullParts: Parts = {
      lcsAt: (start) => lcsOfPart(start, start + size),
      similarityAt: (_, lcs) => similarity(size, lcs),
      bound: ({ from, fromLcs, to, toLcs }) => similarity(size, (fromLcs + toLcs + to - from) >> 1),
    };
    const beginnings = shorterParts((length) => lcsOfPart(0, length));
    const ends = shorterParts((length) => lcsOfPart(end - length, end));

    let best = similarity(size, Math.max(firstLcs, lastLcs));
    best = bestBetween(best, { from: 0, fromLcs: firstLcs, to: lastStart, toLcs: lastLcs }, fullParts);
    best = bestBetween(best, { from: 0, fromLcs: 0, to: size, toLcs: firstLcs }, beginnings);
    return bestBetween(best, { from: 0, fromLcs: 0, to: size, toLcs: lastLcs }, ends);
  });
};
