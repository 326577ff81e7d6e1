/** The characters of a text: surrogate pairs whole, halves that stand alone as they are. */
export const codePoints = (text: string): string[] => Array.from(text);

/** The longest common subsequence by the table of its definition. */
export const naiveLcsLength = (a: readonly unknown[], b: readonly unknown[]): number => {
  let above = b.map(() => 0);
  for (const symbol of a) {
    const row: number[] = [];
    for (const [j, other] of b.entries()) {
      row.push(symbol === other ? (above[j - 1] ?? 0) + 1 : Math.max(above[j], row[j - 1] ?? 0));
    }
    above = row;
  }
  return above.at(-1) ?? 0;
};

/** The Levenshtein distance by the table of its definition. */
export const naiveLevenshtein = (a: readonly unknown[], b: readonly unknown[]): number => {
  let above = [0, ...b.map((_, j) => j + 1)];
  for (const [i, symbol] of a.entries()) {
    const row = [i + 1];
    for (const [j, other] of b.entries()) {
      row.push(Math.min(above[j] + (symbol === other ? 0 : 1), above[j + 1] + 1, row[j] + 1));
    }
    above = row;
  }
  return above.at(-1)!;
};
