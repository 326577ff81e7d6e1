import { distance } from 'fastest-levenshtein';

const MAX_EDITS = 3;

/**
 * The candidate that a mistyped name most likely meant, for "did you mean".
 *
 * Near is: at most a third of the letters differ, and at most three, ignoring case. When nothing is near, a candidate that has the name
 * as one of its words serves (`text` → `output_text`).
 *
 * @returns undefined when nothing is near enough; never the name itself
 */
export const suggest = (name: string, candidates: Iterable<string>): string | undefined => {
  const typed = name.toLowerCase();
  let closest: string | undefined;
  let fewestEdits = Infinity;
  let sameWord: string | undefined;
  for (const candidate of candidates) {
    if (candidate === name) continue;
    const folded = candidate.toLowerCase();
    const allowed = Math.min(MAX_EDITS, Math.floor(Math.max(typed.length, folded.length) / 3));
    if (Math.abs(typed.length - folded.length) <= allowed) {
      const edits = distance(typed, folded);
      if (edits <= allowed && edits < fewestEdits) {
        closest = candidate;
        fewestEdits = edits;
      }
    }
    if (sameWord === undefined && typed.length > 2 && folded.split(/[^\p{L}\p{N}]+/u).includes(typed))
      sameWord = candidate;
  }
  return closest ?? sameWord;
};
